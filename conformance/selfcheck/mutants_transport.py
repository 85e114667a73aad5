"""Lying portals, the reference portal with one fault each: how a call travels."""

from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from conformance.portals.php_forms import PortalRequest, read_parameters
from conformance.portals.reference import SECRET, TOKEN, Context, PortalResponse, ReferencePortal, Refusal
from conformance.selfcheck.mutation import (
    Parameters,
    answered,
    asked,
    is_batch,
    is_named,
    mutant,
    on_success,
    rated,
    received,
    refused_where,
    sent,
    sent_json,
    stars_of,
    text_of,
)


def _encoding_ignored(name: str, conduct: str, kind: str) -> None:
    def apply(portal: ReferencePortal) -> None:
        received(portal, lambda request: replace(request, body=b"") if kind in request.media_type else request)

    apply.__name__, apply.__doc__ = name, conduct
    mutant("transport.encodings")(apply)


_encoding_ignored("ignores_forms", "A form body is not read.", "urlencoded")
_encoding_ignored("ignores_multipart", "A multipart body is not read.", "multipart")


@mutant("transport.encodings")
def ignores_the_query_of_a_get(portal: ReferencePortal) -> None:
    """The query of a GET is not read."""
    received(portal, lambda request: replace(request, query="") if request.method == "GET" else request)


@mutant("transport.encodings", "effect.saved")
def decodes_forms_twice(portal: ReferencePortal) -> None:
    """A form body is percent-decoded twice."""

    def change(parameters: Parameters, context: Context) -> Parameters:
        return (
            {**parameters, "COMMENT": unquote(text_of(parameters))}
            if context.way == "form" and text_of(parameters)
            else parameters
        )

    asked(portal, change)


@mutant("transport.encodings")
def lets_6_pass_in_a_query(portal: ReferencePortal) -> None:
    """By GET, RATING 6 counts as 5."""
    asked(portal, lambda p, context: rated(p, "5") if context.way == "get" and stars_of(p) == 6 else p)


_NOT_FOUND: Final = PortalResponse(
    404, "application/json", b'{"error": "ERROR_METHOD_NOT_FOUND", "error_description": ""}'
)


@mutant("transport.suffix")
def does_not_know_the_suffix_json(portal: ReferencePortal) -> None:
    """With .json the method is not found."""
    sent(portal, lambda outgoing, request: _NOT_FOUND if is_named(request, ".json") else outgoing)


@mutant("transport.xml")
def does_not_know_the_suffix_xml(portal: ReferencePortal) -> None:
    """With .xml the method is not found."""
    sent(portal, lambda outgoing, request: _NOT_FOUND if is_named(request, ".xml") else outgoing)


@mutant("transport.xml")
def answers_json_where_xml_was_asked_for(portal: ReferencePortal) -> None:
    """With .xml the answer is JSON."""
    received(portal, lambda request: replace(request, path=request.path.removesuffix(".xml")))


@mutant("transport.xml")
def answers_0_for_true_in_xml(portal: ReferencePortal) -> None:
    """In XML true is 0."""
    sent(portal, lambda out, _: replace(out, body=out.body.replace(b"<result>1<", b"<error>NO</error><result>0<")))


@mutant("transport.batch")
def refuses_everything_in_a_batch(portal: ReferencePortal) -> None:
    """Inside a batch every vote is refused."""
    refused_where(portal, lambda _, context: context.way == "batch")


@mutant("transport.batch")
def adds_a_star_in_a_batch(portal: ReferencePortal) -> None:
    """Inside a batch ratings are stored one lower."""

    def change(parameters: Parameters, context: Context) -> Parameters:
        stars = stars_of(parameters)
        lowered = context.way == "batch" and stars is not None and stars > 1
        return rated(parameters, (stars or 0) - 1) if lowered else parameters

    asked(portal, change)


@mutant("transport.batch")
def lets_6_pass_in_a_batch(portal: ReferencePortal) -> None:
    """Inside a batch RATING 6 counts as 5."""
    asked(portal, lambda p, context: rated(p, "5") if context.way == "batch" and stars_of(p) == 6 else p)


@mutant("transport.batch")
def gives_a_refused_batch_400(portal: ReferencePortal) -> None:
    """A batch with a refused item has status 400 outside."""
    honest = portal.answer

    def answer(request: PortalRequest) -> PortalResponse:
        outgoing = honest(request)
        return replace(outgoing, status=400) if b"result_error" in outgoing.body else outgoing

    portal.answer = answer


@mutant("transport.batch")
def stops_a_batch_at_the_first_refusal(portal: ReferencePortal) -> None:
    """Items after a refused one are left out, though halt is off."""

    def change(document: dict[str, Any]) -> Any:
        parts = document["result"]
        errors = parts["result_error"]
        first = dict([next(iter(errors.items()))]) if isinstance(errors, dict) else errors[:1]
        return {**document, "result": {**parts, "result": [], "result_error": first}}

    sent_json(portal, on_success(change), batch=True)


@mutant("transport.batch")
def puts_errors_of_a_batch_under_result(portal: ReferencePortal) -> None:
    """A refused item stands under result."""

    def change(document: dict[str, Any]) -> Any:
        parts = document["result"]
        return {**document, "result": {**parts, "result": parts["result_error"], "result_error": []}}

    sent_json(portal, on_success(change), batch=True)


@mutant("transport.oauth")
def does_not_know_tokens_in_the_query(portal: ReferencePortal) -> None:
    """A token in the query is not read."""
    received(portal, lambda request: replace(request, query=request.query.replace("auth=", "no=")))


@mutant("transport.oauth")
def does_not_know_tokens_in_json(portal: ReferencePortal) -> None:
    """A token in a JSON body is not read."""
    received(portal, lambda request: replace(request, body=request.body.replace(b'"auth"', b'"no"')))


@mutant("transport.auth")
def takes_any_secret(portal: ReferencePortal) -> None:
    """A wrong secret is as good as the right one."""
    received(
        portal, lambda request: replace(request, path=request.path.replace("not-the-webhook-secret", "reference-main"))
    )


@mutant("transport.auth")
def denies_wrong_secrets_as_the_method_does(portal: ReferencePortal) -> None:
    """A wrong secret is refused with a code of the method."""
    code = portal.refusal("EMPTY_VOTE_PARAMS", "WRONG_PARAMETER").code.encode()
    sent(portal, lambda out, _: replace(out, body=out.body.replace(b"INVALID_CREDENTIALS", code)))


@mutant("transport.auth")
def denies_wrong_secrets_with_404(portal: ReferencePortal) -> None:
    """A wrong secret is refused with status 404."""
    sent(portal, lambda out, _: replace(out, status=404) if b"INVALID_CREDENTIALS" in out.body else out)


def _denied_with(portal: ReferencePortal, usual: str, denial: Refusal) -> None:
    """Denies with another code and status than the usual one."""

    def change(out: PortalResponse, request: PortalRequest) -> PortalResponse:
        if usual.encode() not in out.body:
            return out
        body = out.body.replace(usual.encode(), denial.code.encode())
        return replace(out, body=body, status=out.status if is_batch(request) else denial.status)

    answered(portal, change)


@mutant("transport.auth")
def calls_a_wrong_secret_a_deleted_portal(portal: ReferencePortal) -> None:
    """A wrong secret is refused with PORTAL_DELETED and status 403."""
    _denied_with(portal, "INVALID_CREDENTIALS", Refusal("PORTAL_DELETED", 403))


@mutant("transport.auth")
def calls_a_wrong_secret_an_expired_token(portal: ReferencePortal) -> None:
    """A wrong secret is refused with expired_token."""
    _denied_with(portal, "INVALID_CREDENTIALS", Refusal("expired_token", 401))


@mutant("transport.credentials")
def takes_any_token(portal: ReferencePortal) -> None:
    """A wrong access token is as good as the right one."""

    def right(text: str) -> str:
        return text.replace("not-an-access-token", TOKEN)

    token = TOKEN.encode()
    received(portal, lambda r: replace(r, query=right(r.query), body=r.body.replace(b"not-an-access-token", token)))


@mutant("transport.credentials")
def takes_calls_without_credentials(portal: ReferencePortal) -> None:
    """A call without credentials is served as the supervisor's."""

    def change(request: PortalRequest) -> PortalRequest:
        without = request.path.count("/") == 2 and "auth" not in read_parameters(request)
        return replace(request, path=request.path.replace("/rest/", f"/rest/1/{SECRET}/")) if without else request

    received(portal, change)


@mutant("transport.credentials")
def calls_a_wrong_token_a_lack_of_scope(portal: ReferencePortal) -> None:
    """A wrong access token, and none, are refused with insufficient_scope."""
    _denied_with(portal, "NO_AUTH_FOUND", Refusal("insufficient_scope", 403))


@mutant("transport.credentials")
def denies_calls_without_credentials_with_404(portal: ReferencePortal) -> None:
    """A wrong access token, and none, are refused with status 404."""
    _denied_with(portal, "NO_AUTH_FOUND", Refusal("NO_AUTH_FOUND", 404))


@mutant("transport.scope", editions=("2025-05", "2026-03"))
def denies_the_scope_with_401(portal: ReferencePortal) -> None:
    """A caller without the scope is refused with status 401, as the real portal does."""
    _denied_with(portal, "insufficient_scope", Refusal("insufficient_scope", 401))


@mutant("transport.scope")
def does_not_check_the_scope(portal: ReferencePortal) -> None:
    """A caller without the scope is served."""
    received(
        portal, lambda request: replace(request, path=request.path.replace("reference-unscoped", "reference-main"))
    )


@mutant("transport.scope")
def codes_the_scope_otherwise(portal: ReferencePortal) -> None:
    """A caller without the scope is refused with INVALID_CREDENTIALS."""
    sent(portal, lambda out, _: replace(out, body=out.body.replace(b"insufficient_scope", b"INVALID_CREDENTIALS")))
