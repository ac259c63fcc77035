"""What both runners share: buckets by lane, the deadline, and how one step of a conversation goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from attrs import evolve

from omsync.errors import DeadlineError, OmsyncError, ThrottledError
from omsync.http.clock import Clock, SystemClock
from omsync.http.messages import Conversation, Request, Response, hush, redirected, scrubbed
from omsync.http.pacing import Bucket
from omsync.http.steps import Line

__all__ = ["Base", "advance"]

T = TypeVar("T")


class Base:
    """The state of one run: its clock, its deadline, its buckets.

    Args:
        clock: Tells the time.
        deadline: No request and no wait begins that would end after it.
    """

    def __init__(self, *, clock: Clock | None = None, deadline: datetime | None = None) -> None:
        self.clock = clock or SystemClock()
        self.deadline = deadline
        self._buckets: dict[tuple[str, str], Bucket] = {}

    @property
    def requests(self) -> int:
        """How many requests were made, those that were tried again too."""
        return sum(bucket.taken for bucket in list(self._buckets.values()))

    def wait_for_place(self, line: Line, request: Request) -> float:
        """Take a place in the request's lane; give the seconds to wait for it."""
        bucket, quota, now = self._bucket(line, request), line.network.quota, self.clock.monotonic()
        seconds = bucket.reserve(line.pace_of(request.lane), now)
        if quota is not None:
            seconds = max(seconds, quota.reserve(now))
        return seconds

    def begin(self, line: Line, request: Request) -> float:
        """Begin a request whose place has come; give 0, or the seconds to wait still.

        Raises:
            ThrottledError: By what answers said, too little is left for longer than anybody waits.
        """
        bucket, pace, now = self._bucket(line, request), line.pace_of(request.lane), self.clock.monotonic()
        foreseen = bucket.foreseen(pace, now)
        if foreseen > line.retry.total_seconds:
            raise ThrottledError(
                f"{request.place}: not sent: the account's limit is used up for {foreseen:,.0f} seconds more",
                retry_after=foreseen,
                remedy="Run again then, or wait longer: retry=RetryPolicy(total_seconds=...). Other programs "
                "that use this account count too.",
            )
        quota = line.network.quota
        held = 0.0 if quota is None else quota.held(now)
        return held or bucket.begin(pace, now)

    def end(self, line: Line, request: Request) -> None:
        """End a request that was begun, whatever came of it."""
        self._bucket(line, request).end(line.pace_of(request.lane))

    def check(self, line: Line, request: Request, response: Response) -> Response:
        """Raise what the line's judge makes of the answer; a throttled lane is paused for everybody.

        From every answer the lane learns what is left.
        """
        response = scrubbed(request, response)
        if 300 <= response.status < 400:  # noqa: PLR2004  the class of redirections
            raise redirected(request, response)
        verdict, told = line.judge(request, response), line.foresee(request, response)
        bucket, pace = self._bucket(line, request), line.pace_of(request.lane)
        asked = verdict.retry_after if isinstance(verdict, ThrottledError) else None
        if told is not None:
            # Whoever says when to come again means that, whatever else the answer says.
            known = told if asked is None else evolve(told, left=None)
            bucket.learn(pace, self.clock.monotonic(), known)
        if verdict is None:
            return response
        if asked is not None:
            # Longer than our patience nobody waits: then the lane's next call is told anew.
            pause = min(asked, line.retry.total_seconds)
            bucket.pause(pace, self.clock.monotonic(), pause)
            if line.network.quota is not None:
                # Nobody says whose limit it was; were it all the others', they would be refused too.
                line.network.quota.pause(self.clock.monotonic(), pause)
        hush(verdict, response.secrets)
        raise verdict

    def check_deadline(self, seconds: float, request: Request) -> None:
        """Refuse to begin what would end after the deadline."""
        left = self.seconds_left()
        if left is not None and seconds >= left:
            raise DeadlineError(
                f"The deadline {self.deadline:%Y-%m-%d %H:%M:%S}Z came before {request.place}",
                remedy="Give more time, or run again: what was done is kept.",
            )

    def seconds_left(self) -> float | None:
        """Count the seconds until the deadline; None without one."""
        return None if self.deadline is None else (self.deadline - self.clock.now()).total_seconds()

    def _bucket(self, line: Line, request: Request) -> Bucket:
        key = line.account, request.lane
        # Made in one step of the interpreter, so that threads which come together share one bucket.
        return self._buckets.get(key) or self._buckets.setdefault(key, Bucket())


def advance(
    conversation: Conversation[T], response: Response | None, error: BaseException | None
) -> tuple[Request | None, Any]:
    """Take a conversation one step on: give its next request, or (None, its result).

    An error about an answer quotes none of the secrets that its request held.
    """
    try:
        if error is not None:
            return conversation.throw(error), None
        if response is None:
            return next(conversation), None
        return conversation.send(response), None
    except StopIteration as finished:
        return None, finished.value
    except OmsyncError as raised:
        if response is not None:
            hush(raised, response.secrets)
        raise


def kept(error: OmsyncError) -> OmsyncError:
    """Give the error as a result, without the frames it came through, which would keep pages alive."""
    return error.with_traceback(None)
