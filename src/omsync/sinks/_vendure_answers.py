"""What Vendure's answers mean: most refusals come with HTTP 200 and an ``errors`` list."""

from __future__ import annotations

import re
from typing import NoReturn

from omsync.errors import LostAnswerError, RefusedError, ServerFaultError, SettingsError, UnauthorizedError
from omsync.http.messages import Request, Response
from omsync.http.retrying import Verdict
from omsync.http.retrying import judge as usual_judge
from omsync.sinks._graphql import Fault, body_of, faults_of
from omsync.sinks._http import Wire

__all__ = ["MAX_BYTES", "data_of", "judge", "unknown_channel"]

MAX_BYTES = 100_000
"""What a body may weigh: Vendure's default limit of 100 kB (102,400 bytes), with a margin."""

_LARGE = MAX_BYTES // 2
_OK, _BAD_REQUEST, _TOO_LARGE, _SERVER_FAULT = 200, 400, 413, 500
_UNAUTHORIZED = {401, 403}
_BUSY = re.compile(r"deadlock|database is locked|could not serialize", re.IGNORECASE)


def judge(request: Request, response: Response) -> Verdict:
    """Decide about another try: Vendure answers a body that is too large with HTTP 500, for ever."""
    if _body_too_large(response, len(request.content or b"")):
        return None
    if response.status == _OK and any(_BUSY.search(fault.message) for fault in faults_of(response)):
        return ServerFaultError(
            f"{request.place}: the shop's database is busy: {response.excerpt}", remedy="Try again later."
        )
    return usual_judge(request, response)


def data_of(response: Response, *, refusal: str = "refused") -> Wire:
    """Give what GraphQL answered, or raise what its errors or the HTTP status mean."""
    if response.status in _UNAUTHORIZED:
        _unauthorized(response, f"HTTP {response.status}")
    if response.status in {_TOO_LARGE, _SERVER_FAULT}:  # another 500 never gets here: the judge raised it
        raise RefusedError(
            f"{response.place}: the body is too large for the shop (HTTP {response.status})",
            code="body_too_large",
            remedy="Send smaller batches, or raise the limit of the shop's body parser.",
        )
    if response.status not in {_OK, _BAD_REQUEST}:
        raise RefusedError(
            f"{response.place}: HTTP {response.status}: {response.excerpt}",
            code="no_admin_api",
            remedy="Check that the address is that of the shop's Admin API, such as https://shop.example/admin-api.",
        )
    for fault in faults_of(response):
        _refuse(response, fault, refusal)
    if response.status == _BAD_REQUEST:
        raise RefusedError(f"{response.place}: HTTP 400: {response.excerpt}")
    return body_of(response).field("data")


def _refuse(response: Response, fault: Fault, refusal: str) -> NoReturn:
    said = f"{response.place}: {fault.message}"
    if fault.code == "FORBIDDEN":
        _unauthorized(response, fault.message)
    if fault.code == "CHANNEL_NOT_FOUND":
        unknown_channel(response, fault.message)
    if fault.code == "GRAPHQL_VALIDATION_FAILED":
        raise RefusedError(said, code="api_mismatch", remedy="omsync speaks to Vendure 2 and later.")
    if fault.depth > 1:
        raise LostAnswerError(f"{said}; the request may have been carried out, its answer broke off")
    if "foreign key" in fault.message.lower():
        raise RefusedError(
            f"{said}; a row names something that the shop does not have, such as a stock location; "
            "nothing was written",
            code=refusal,
        )
    raise RefusedError(said, code=refusal)


def _unauthorized(response: Response, said: str) -> NoReturn:
    raise UnauthorizedError(
        f"{response.place}: {said}",
        remedy="Vendure answers alike when the credentials are wrong and when their role lacks a permission. "
        "Check the key or the login; that 'api-key' is in authOptions.tokenMethod if you use one; and that "
        "the role may ReadCatalog, UpdateCatalog and ReadStockLocation in this channel.",
    )


def unknown_channel(response: Response, said: str) -> NoReturn:
    raise SettingsError(
        f"{response.place}: the shop does not have the channel that was asked for: {said}",
        code="unknown_channel",
        remedy="Give the channel's token, as the shop's administration shows it under Channels.",
    )


def _body_too_large(response: Response, sent: int) -> bool:
    if response.status == _TOO_LARGE:
        return True
    if response.status != _SERVER_FAULT or sent < _LARGE:
        return False
    return re.search(rb'"message"\s*:\s*""', response.content) is not None
