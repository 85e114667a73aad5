"""Conformance suite for the Bitrix24 REST method imopenlines.session.head.vote."""

__version__ = "0.5.0"
