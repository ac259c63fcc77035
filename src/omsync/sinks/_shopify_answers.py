"""What Shopify's answers mean: nearly every refusal comes with HTTP 200."""

from __future__ import annotations

from typing import NoReturn

from omsync.errors import LostAnswerError, RefusedError, UnauthorizedError
from omsync.http.messages import Response
from omsync.sinks._graphql import Fault, body_of, faults_of, was_carried_out
from omsync.sinks._http import Wire
from omsync.sinks._shopify_access import SCOPES

__all__ = ["TOO_COSTLY", "data_of"]

TOO_COSTLY = "query_too_costly"
"""The code of a refusal that a smaller page would not meet."""
_OK = 200
_UNAUTHORIZED = {401, 403}
_NOT_FOUND = 404
_ASLEEP = {402, 423}
_OURS = (
    "undefinedField",
    "undefinedDirective",
    "argumentNotAccepted",
    "INVALID_FIELD_ARGUMENTS",
    "BAD_REQUEST",
)


def data_of(response: Response, *, written: bool = False) -> Wire:
    """Give what GraphQL answered, or raise what its errors or the HTTP status mean.

    Args:
        response: The answer.
        written: Whether it answers a mutation, which an error inside the answer does not undo.
    """
    if response.status in _UNAUTHORIZED:
        _unauthorized(response, f"HTTP {response.status}: {response.excerpt}")
    if response.status == _NOT_FOUND:
        raise RefusedError(
            f"{response.place}: HTTP 404: there is no such shop, or no such version of its API",
            code="no_such_shop",
            remedy="Check the shop's name, the part before .myshopify.com, and the version.",
        )
    if response.status in _ASLEEP:
        raise RefusedError(
            f"{response.place}: HTTP {response.status}: the shop is frozen or locked",
            code="shop_unavailable",
            remedy="The shop's owner has to settle that with Shopify.",
        )
    if response.status != _OK:
        raise RefusedError(f"{response.place}: HTTP {response.status}: {response.excerpt}")
    for fault in faults_of(response):
        _refuse(response, fault, written=written)
    return body_of(response).field("data")


def _refuse(response: Response, fault: Fault, *, written: bool) -> NoReturn:
    said = f"{response.place}: {fault.message}"
    if written and (fault.depth > 1 or was_carried_out(response)):
        raise LostAnswerError(f"{said}; the call was carried out, its answer broke off")
    if fault.code == "ACCESS_DENIED":
        _unauthorized(response, fault.message)
    if fault.code == "MAX_COST_EXCEEDED":
        raise RefusedError(said, code=TOO_COSTLY, remedy="Give a smaller page_size.")
    if fault.code in _OURS:
        raise RefusedError(
            said,
            code="api_mismatch",
            remedy="Give a version that omsync was tested with, 2026-04 to 2026-10.",
        )
    raise RefusedError(said)


def _unauthorized(response: Response, said: str) -> NoReturn:
    raise UnauthorizedError(
        f"{response.place}: {said}",
        remedy=f"Check the token, and that the app has the scopes {SCOPES}; the person behind the app must "
        "be allowed to change inventory, too.",
    )
