"""The public documentation in a checkout, compared with an edition."""
