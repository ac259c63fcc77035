"""When to try again: decisions as values, carried out by tenacity's own controllers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tenacity
from attrs import field, frozen

from omsync import checks
from omsync.errors import (
    DeadlineError,
    LostAnswerError,
    OmsyncError,
    ServerFaultError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from omsync.http.messages import Request, Response

__all__ = ["RetryPolicy", "Tries", "Verdict", "judge", "seconds_header"]

Verdict = TransientError | None
"""None hands the answer to the conversation; an error means that it may be tried again."""


_SECONDS = [checks.instance_of(int, float), checks.measure]


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how long to try again.

    Args:
        attempts: Tries in all.
        total_seconds: No try begins later than this after the first.
        first_wait: Seconds before the second try, doubled from then on, with jitter.
        max_wait: The longest wait of our own choosing, in seconds. What a server asks for is honoured beyond.
    """

    attempts: int = field(default=6, validator=checks.whole(minimum=1))
    total_seconds: float = field(default=300.0, validator=_SECONDS)
    first_wait: float = field(default=0.5, validator=_SECONDS)
    max_wait: float = field(default=30.0, validator=_SECONDS)


def judge(request: Request, response: Response) -> Verdict:
    """Decide as most vendors mean it: 429 and 5xx may be tried again, all else is for the conversation."""
    if response.status == 429:  # noqa: PLR2004  the status code's own name
        return ThrottledError(
            f"{request.place}: too many calls (HTTP 429)",
            retry_after=seconds_header(response, "retry-after"),
            remedy="Lower the pace, or ask the vendor for a larger quota.",
        )
    if response.status >= 500:  # noqa: PLR2004  the class of server errors
        message = f"{request.place}: HTTP {response.status}: {response.excerpt}"
        if request.repeatable:
            return ServerFaultError(message, remedy="Try again later; if it stays, tell the vendor.")
        return LostAnswerError(f"{message}; nobody knows whether the request was carried out")
    return None


def seconds_header(response: Response, name: str, *, unit: float = 1.0) -> float | None:
    """Read a header that holds a number of seconds (or other units); None when it holds none."""
    try:
        value = float(response.headers.get(name, "")) * unit
    except ValueError:
        return None
    return value if 0 <= value < 86_400 else None  # noqa: PLR2004  a day: beyond it, the header is broken


class Tries:
    """The tries of one request: how long to wait, when to stop, and what stays in doubt.

    Args:
        policy: How often and how long.
        request: What is tried.
        monotonic: Counts the seconds.
    """

    def __init__(self, policy: RetryPolicy, request: Request, monotonic: Callable[[], float]) -> None:
        self._policy = policy
        self._request = request
        self._monotonic = monotonic
        self._began = monotonic()
        self._may_be_done = False
        self.last: BaseException | None = None
        doubled = tenacity.wait_exponential(multiplier=policy.first_wait, max=policy.max_wait)
        self._backoff = doubled + tenacity.wait_random(0, policy.first_wait)

    def options(self, sleep: Callable[[float], Any]) -> dict[str, Any]:
        """Give the arguments of tenacity's ``Retrying`` or ``AsyncRetrying``."""
        return {
            "stop": self._stop,
            "wait": self._wait,
            "retry": tenacity.retry_if_exception(self._may_repeat),
            "before_sleep": self._remember,
            "sleep": sleep,
            "reraise": True,
        }

    def raise_if_in_doubt(self, error: OmsyncError) -> None:
        """Raise a ``LostAnswerError`` where the last try came to nothing but an earlier one may be done.

        Reading changes nothing, so there the last error is the better one.
        """
        came_to_nothing = isinstance(error, UnreachableError | ThrottledError | DeadlineError)
        if self._may_be_done and came_to_nothing and self._request.method not in {"GET", "HEAD"}:
            raise LostAnswerError(
                f"{self._request.place}: an earlier try was sent and its answer lost; then: {error.message}",
                remedy=error.remedy,
            ) from error

    def out_of_time(self, error: DeadlineError) -> DeadlineError:
        """Name what went wrong until the deadline came: more time alone may not help."""
        if not isinstance(self.last, OmsyncError):
            return error
        return DeadlineError(
            f"{error.message}; until then: {self.last.message}", remedy=self.last.remedy or error.remedy
        )

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        spent = self._monotonic() - self._began + state.upcoming_sleep
        return state.attempt_number >= self._policy.attempts or spent > self._policy.total_seconds

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        return asked if asked is not None else min(self._backoff(state), self._policy.max_wait)

    def _may_repeat(self, error: BaseException) -> bool:
        if isinstance(error, UnreachableError | ThrottledError):
            return True
        return isinstance(error, TransientError) and self._request.repeatable

    def _remember(self, state: tenacity.RetryCallState) -> None:
        error = self.last = state.outcome.exception() if state.outcome else None
        self._may_be_done |= not isinstance(error, UnreachableError | ThrottledError)
