"""When to try again: decisions as values, carried out by tenacity's own controllers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tenacity
from attrs import field, frozen

from omsync import checks
from omsync.errors import (
    LostAnswerError,
    ServerFaultError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from omsync.http.messages import Request, Response

__all__ = ["RetryPolicy", "Verdict", "controller_options", "judge", "seconds_header"]

Verdict = TransientError | None
"""None hands the answer to the conversation; an error means that it may be tried again."""


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
    total_seconds: float = 300.0
    first_wait: float = 0.5
    max_wait: float = 30.0


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


def controller_options(
    policy: RetryPolicy, request: Request, sleep: Callable[[float], Any]
) -> dict[str, Any]:
    """Give the arguments of tenacity's ``Retrying`` or ``AsyncRetrying`` for one request."""
    backoff = tenacity.wait_exponential(
        multiplier=policy.first_wait, max=policy.max_wait
    ) + tenacity.wait_random(0, policy.first_wait)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        return asked if asked is not None else backoff(state)

    def may_repeat(error: BaseException) -> bool:
        if isinstance(error, UnreachableError | ThrottledError):
            return True
        return isinstance(error, TransientError) and request.repeatable

    return {
        "stop": tenacity.stop_after_attempt(policy.attempts)
        | tenacity.stop_before_delay(policy.total_seconds),
        "wait": wait,
        "retry": tenacity.retry_if_exception(may_repeat),
        "sleep": sleep,
        "reraise": True,
    }
