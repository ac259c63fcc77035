"""What the answers of Walmart's Marketplace API mean."""

from __future__ import annotations

from collections.abc import Iterator

from omsync.errors import DecodeError, RefusedError, ThrottledError, UnauthorizedError
from omsync.http.foresight import Allowance, figure, seconds_until
from omsync.http.messages import Request, Response
from omsync.http.retrying import Verdict as Retry
from omsync.http.retrying import judge as usual_judge
from omsync.http.retrying import seconds_header
from omsync.sinks._http import Wire

__all__ = ["data_of", "errors_of", "foresee", "judge", "said_in"]

_OK = range(200, 300)
_UNAUTHORIZED = {401, 403}
_NOT_FOUND, _TOO_LARGE, _TOO_MANY, _REFUSALS = 404, 413, 429, 400
_THRESHOLD = b"REQUEST_THRESHOLD_VIOLATED"
_REPLENISHED = ("x-next-replenishment-time", "x-next-replenish-time")
_DAY = 86_400


def judge(request: Request, response: Response) -> Retry:
    """Decide about another try: Walmart says in several ways that its hourly allowance is used up."""
    over = response.status >= _REFUSALS and _THRESHOLD in response.content
    if response.status != _TOO_MANY and not over:
        return usual_judge(request, response)
    return ThrottledError(
        f"{request.place}: {said_in(response)} (HTTP {response.status})",
        retry_after=_wait(response),
        remedy="Walmart takes few feeds an hour: sync less often, or raise feed_from_rows.",
    )


def foresee(_: Request, response: Response) -> Allowance | None:
    """Read how many calls of this kind are left, and when there will be more."""
    left = figure(response, "x-current-token-count")
    return None if left is None else Allowance(left=left, reset=_replenished(response))


def data_of(response: Response, *, refusal: str = "refused", absent: str = "not_found") -> Wire:
    """Give the answer's body, or raise what its status means."""
    if response.status in _OK:
        return Wire(value=response.json(), path="answer", place=response.place)
    said = f"{response.place}: HTTP {response.status}: {said_in(response)}"
    if response.status in _UNAUTHORIZED:
        raise UnauthorizedError(
            said,
            remedy="Check client_id and client_secret; an application of somebody else's needs delegated "
            "access with the permissions Inventory and Feeds.",
        )
    if response.status == _TOO_LARGE:
        raise RefusedError(said, code="body_too_large", remedy="Send fewer rows at once.")
    raise RefusedError(said, code=absent if response.status == _NOT_FOUND else refusal)


def errors_of(owner: Wire, *names: str) -> list[str]:
    """Give the errors under a name, or under a name within a name, each as one line."""
    found: Wire | None = owner
    for name in names:
        found = found.get(name) if found else None
    return [": ".join(_words(row)) for row in (found.rows() if found else ())]


def said_in(response: Response) -> str:
    """Give Walmart's words; a proxy's page is shown by its beginning."""
    try:
        answer = Wire(value=response.json(), path="answer", place=response.place)
        lines = errors_of(answer, "errors") or errors_of(answer, "error")
    except DecodeError:
        return response.excerpt
    return "; ".join(lines) or response.excerpt


def _words(row: Wire) -> Iterator[str]:
    for name in ("code", "field", "message", "description"):
        value = row.get(name)
        if value is not None:
            yield value.text()


def _wait(response: Response) -> float | None:
    """Give the seconds that Walmart asks to wait, as seconds or as the time when calls are granted again."""
    wait = seconds_header(response, "retry-after")
    left = _replenished(response) if wait is None else wait
    return left if left is not None and 0 <= left < _DAY else None


def _replenished(response: Response) -> float | None:
    """Give the seconds until calls are granted again; Walmart's documents name the header in two ways."""
    found = (seconds_until(response, name) for name in _REPLENISHED)
    return next((seconds for seconds in found if seconds is not None), None)
