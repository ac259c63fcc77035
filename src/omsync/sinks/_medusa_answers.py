"""What Medusa's answers mean: refusals have an HTTP status, a type and a sentence."""

from __future__ import annotations

import re
from typing import NoReturn

from omsync.errors import RefusedError, UnauthorizedError, UnreachableError
from omsync.http.messages import Request, Response
from omsync.http.retrying import Verdict
from omsync.http.retrying import judge as usual_judge
from omsync.sinks._http import Wire

__all__ = ["data_of", "inner_judge", "knows_no_filter", "refused_rows", "shelf_moved"]

_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_LARGE = 200, 400, 401, 403, 404, 413
_ROW = re.compile(r"'(create|update), (\d+)[,']")


def inner_judge(request: Request, response: Response) -> Verdict:
    """Decide about another try once these credentials have been taken.

    While Medusa cannot reach its database it answers 401 to a good secret key; nothing is carried out then.
    """
    if response.status == _UNAUTHORIZED:
        return UnreachableError(
            f"{request.place}: HTTP 401, after the same credentials were accepted a moment ago: "
            "Medusa most likely cannot reach its database",
            code="database_unreachable",
            remedy="Look at the shop's database (its /health answers OK without one), then run again. "
            "If the database is up, somebody has revoked the credentials meanwhile.",
        )
    return usual_judge(request, response)


def data_of(response: Response) -> Wire:
    """Give what was answered, or raise what the HTTP status means."""
    if response.status == _OK:
        return Wire(value=response.json(), path="$", place=response.place)
    kind, said = _said(response)
    if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
        _unauthorized(response, said)
    if response.status == _TOO_LARGE:
        raise RefusedError(
            f"{response.place}: the body is too large for the shop (HTTP 413)",
            code="body_too_large",
            remedy="Lower max_bytes, or raise the body limit of the shop or of a proxy before it.",
        )
    if response.status == _NOT_FOUND and not kind:
        raise RefusedError(
            f"{response.place}: there is no such route (HTTP 404)",
            code="no_route",
            remedy="Check that the address is that of a Medusa 2 server, such as https://shop.example.",
        )
    raise RefusedError(f"{response.place}: HTTP {response.status}: {said}", code="row_refused")


def knows_no_filter(response: Response) -> bool:
    """Tell whether a look-up was refused because this Medusa is too old for the filter."""
    return response.status == _BAD_REQUEST and "Unrecognized fields" in _said(response)[1]


def shelf_moved(response: Response) -> bool:
    """Tell whether a level that was to be updated is missing, or one that was to be created is there."""
    kind, said = _said(response)
    if response.status == _NOT_FOUND:
        return kind == "not_found"
    return response.status == _BAD_REQUEST and said.endswith("already exists.")


def refused_rows(response: Response) -> dict[tuple[str, int], str]:
    """Give the rows that a validation error names, by list and index, each with what is wrong with it."""
    if response.status != _BAD_REQUEST:
        return {}
    complaints = _said(response)[1].removeprefix("Invalid request: ").split("; ")
    named = ((_ROW.search(complaint), complaint) for complaint in complaints)
    return {(row[1], int(row[2])): complaint for row, complaint in named if row}


def _said(response: Response) -> tuple[str, str]:
    """Give the type and the sentence of a refusal; the type is empty when Medusa's routes did not answer."""
    if not response.content.lstrip().startswith(b"{"):
        return "", response.excerpt
    refusal = Wire(value=response.json(), path="$", place=response.place)
    kind, said = refusal.get("type"), refusal.get("message")
    return kind.text() if kind else "", said.text() if said else response.excerpt


def _unauthorized(response: Response, said: str) -> NoReturn:
    raise UnauthorizedError(
        f"{response.place}: HTTP {response.status}: {said}",
        remedy="Check the secret key (sk_..., not the publishable pk_...) or the administrator's e-mail and "
        "password; where the shop has role policies, that they may read stock locations, inventory items and "
        "product variants and write inventory levels. Medusa answers alike while it cannot reach its "
        "database: if the credentials worked before, look at that first.",
    )
