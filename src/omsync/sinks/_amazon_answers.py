"""What the answers of Amazon's Selling Partner API mean: a 200 may refuse, and a 403 has two causes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn

from attrs import frozen

from omsync.errors import DecodeError, RefusedError, ThrottledError, UnauthorizedError
from omsync.http.foresight import Allowance, figure
from omsync.http.messages import Request, Response
from omsync.http.retrying import Verdict as Retry
from omsync.http.retrying import judge as usual_judge
from omsync.http.retrying import seconds_header
from omsync.sinks._http import Wire
from omsync.sinks._rows import Verdict

__all__ = ["Issue", "data_of", "foresee", "issues_of", "judge", "token_refused", "verdict_of"]

_OK = {200, 201, 202}
_UNAUTHORIZED = {401, 403}
_NOT_FOUND, _TOO_LARGE, _TOO_MANY = 404, 413, 429

_ROLES = (
    "Check that the application has the role Product Listing, that the seller has authorised it since, "
    "and that seller_id, marketplace_id and region belong together."
)


def judge(request: Request, response: Response) -> Retry:
    """Decide about another try: a 429 tells the rate that holds here, and with it how long to wait."""
    if response.status != _TOO_MANY:
        return usual_judge(request, response)
    wait = seconds_header(response, "retry-after")
    rate = seconds_header(response, "x-amzn-ratelimit-limit")
    if wait is None and rate:
        wait = 1 / rate
    return ThrottledError(
        f"{request.place}: {_said(response)} (HTTP 429)",
        retry_after=wait,
        remedy="Amazon counts by seller and by application: lower calls_per_second if other programs "
        "of yours call it too.",
    )


def foresee(_: Request, response: Response) -> Allowance | None:
    """Read the rate of this kind of call, as it holds for the seller and the application."""
    rate = figure(response, "x-amzn-ratelimit-limit")
    return None if rate is None else Allowance(per_second=rate)


def data_of(response: Response, *, refusal: str = "refused", absent: str = "not_found") -> Wire:
    """Give the answer's body, or raise what its status and its error codes mean."""
    if response.status in _OK:
        return Wire(value=response.json(), path="answer", place=response.place)
    said = f"{response.place}: HTTP {response.status}: {_said(response)}"
    if response.status in _UNAUTHORIZED:
        again = "The access token ended early; run again to be granted a new one."
        raise UnauthorizedError(said, remedy=again if "expired" in said else _ROLES)
    if response.status == _TOO_LARGE:
        raise RefusedError(said, code="body_too_large", remedy="Send fewer rows at once.")
    raise RefusedError(said, code=absent if response.status == _NOT_FOUND else refusal)


def token_refused(response: Response) -> NoReturn:
    """Raise for an access token that Login with Amazon does not grant."""
    word = ""
    try:
        said = Wire(value=response.json(), path="answer", place=response.place).get("error")
        word = said.text() if said else ""
    except DecodeError:
        pass
    raise UnauthorizedError(
        f"{response.place}: no access token was granted: {word or f'HTTP {response.status}'}",
        remedy="invalid_client: check client_id and client_secret. invalid_grant: the refresh_token is wrong "
        "or was taken back; let the seller authorise the application again.",
    )


def _said(response: Response) -> str:
    """Give Amazon's words; a proxy's page is shown by its beginning."""
    try:
        rows = Wire(value=response.json(), path="answer", place=response.place).field("errors").rows()
        texts = [
            one.text() for row in rows for name in ("code", "message", "details") if (one := row.get(name))
        ]
    except DecodeError:
        return response.excerpt
    return ": ".join(text for text in texts if text) or response.excerpt


@frozen(kw_only=True)
class Issue:
    """One finding of Amazon's about a listing; ``message_id`` says which row of a feed it is about."""

    code: str
    severity: str
    message: str
    message_id: int | None = None


def issues_of(owner: Wire) -> list[Issue]:
    """Read the issues of a submission or of a feed's report."""
    rows = owner.get("issues")
    return [
        Issue(
            code=row.field("code").text(),
            severity=row.field("severity").text(),
            message=row.field("message").text(),
            message_id=number.whole() if (number := row.get("messageId")) else None,
        )
        for row in (rows.rows() if rows else ())
    ]


def verdict_of(issues: Sequence[Issue], *, refused: bool) -> Verdict:
    """Give what the issues of one listing mean: errors refuse it, warnings only accompany it."""
    errors = [issue for issue in issues if issue.severity == "ERROR"]
    if refused or errors:
        return Verdict(status="rejected", reason="row_refused", message=words(errors or issues))
    return Verdict(message=words(issues))


def words(issues: Iterable[Issue]) -> str:
    """Give issues as one line."""
    return "; ".join(f"{issue.severity} {issue.code}: {issue.message}" for issue in issues)
