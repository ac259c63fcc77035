"""Work as steps: what the shells do, written once and run by a blocking or an awaiting runner.

``Steps[T]`` is a generator with four effects: ``Call`` (one call of a port, such as the ledger), ``Talk``
(conversations with one account, side by side), ``Together`` (other steps, side by side) and ``Begin`` with
``Finish`` (other steps beside what comes next). ``yield from call(...)``, ``talk(...)``, ``together(...)``,
``begin(...)`` and ``finish(...)`` keep the types from end to end: the casts are here.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from attrs import field, frozen

from omsync.errors import OmsyncError
from omsync.http.foresight import Allowance, foresee
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy, Verdict, judge

__all__ = [
    "Begin",
    "Begun",
    "Call",
    "Effect",
    "Finish",
    "Line",
    "Steps",
    "Talk",
    "Together",
    "begin",
    "call",
    "finish",
    "talk",
    "talk_all",
    "together",
]

P = ParamSpec("P")
T = TypeVar("T")


def _as_it_is(request: Request) -> Request:
    return request


@frozen(kw_only=True)
class Line:
    """The connection to one account: its pace, its patience, its peculiarities.

    Args:
        account: Names the account, without secrets; requests of one account and lane share a pace.
        pace: The pace of lanes that have none of their own.
        lanes: By lane, its own pace.
        retry: How often and how long to try again.
        judge: Decides what an answer means for retrying; a vendor's peculiarities live here.
        foresee: Reads what an answer says is left of the account's limit; it only slows the lane down.
        sign: Completes a request before each try, since some signatures may be used only once.
        max_in_flight: Conversations at once; of all who use the account, requests under way.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network; None for the network.
    """

    account: str
    pace: Pace = field(factory=Pace)
    lanes: Mapping[str, Pace] = field(factory=dict)
    retry: RetryPolicy = field(factory=RetryPolicy)
    judge: Callable[[Request, Response], Verdict] = judge
    foresee: Callable[[Request, Response], Allowance | None] = foresee
    sign: Callable[[Request], Request] = _as_it_is
    max_in_flight: int = 8
    network: Network = field(factory=Network)
    handler: Handler | None = field(default=None, repr=False)

    def pace_of(self, lane: str) -> Pace:
        """Give the pace of a lane."""
        return self.lanes.get(lane, self.pace)


@frozen(kw_only=True)
class Call(Generic[T]):
    """Call a port; the awaiting runner awaits it, or runs it in a thread."""

    function: Callable[[], T | Awaitable[T]]


@frozen(kw_only=True)
class Talk(Generic[T]):
    """Hold conversations with one account, side by side; each gives its result or its error."""

    line: Line
    conversations: tuple[Conversation[T], ...]


@frozen(kw_only=True)
class Together(Generic[T]):
    """Carry out several works side by side; what one of them raises interrupts all.

    Args:
        works: Each is carried out as if it were alone. One that is interrupted is thrown an error that is no
            ``Exception``, may tidy up by further steps, and is waited for.
        at_once: So many at a time, begun in the order given; 1 is one after another.
    """

    works: tuple[Generator[Any, Any, T], ...]
    at_once: int


@frozen(kw_only=True)
class Begin(Generic[T]):
    """Begin a work that goes on beside what comes next, until it is finished or the runner is done.

    What nobody has waited for when the runner is done is broken off, and keeps no error from being seen.
    """

    work: Generator[Any, Any, T]


@frozen(kw_only=True)
class Begun(Generic[T]):
    """A work that was begun, as its runner knows it."""

    by_runner: Any = field(repr=False)


@frozen(kw_only=True)
class Finish(Generic[T]):
    """Wait for a work that was begun; gives its result or raises its error."""

    begun: Begun[T]


Effect = Call[T] | Talk[T] | Together[T] | Begin[T] | Finish[T]
Steps = Generator[Effect[Any], Any, T]


@overload
def call(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> Steps[T]: ...
@overload
def call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Steps[T]: ...
def call(function: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> Steps[Any]:
    """Call a port and give what it returns."""
    return (yield Call(function=functools.partial(function, *args, **kwargs)))


def talk_all(line: Line, conversations: Iterable[Conversation[T]]) -> Steps[list[T | OmsyncError]]:
    """Hold conversations side by side; give each one's result or error, in the order given."""
    return cast("list[T | OmsyncError]", (yield Talk(line=line, conversations=tuple(conversations))))


def talk(line: Line, conversation: Conversation[T]) -> Steps[T]:
    """Hold one conversation; give its result, or raise its error."""
    (outcome,) = yield from talk_all(line, [conversation])
    if isinstance(outcome, OmsyncError):
        raise outcome
    return outcome


def together(works: Iterable[Steps[T]], *, at_once: int) -> Steps[list[T]]:
    """Carry out several works side by side; give each one's result, in the order given."""
    return cast("list[T]", (yield Together(works=tuple(works), at_once=at_once)))


def begin(work: Steps[T]) -> Steps[Begun[T]]:
    """Begin a work beside what comes next, and give what to wait for it by."""
    return cast("Begun[T]", (yield Begin(work=work)))


def finish(begun: Begun[T]) -> Steps[T]:
    """Wait for a work that was begun, and give its result."""
    return cast("T", (yield Finish(begun=begun)))
