"""The calls to a cart, by steps where the sink has them.

A port's method may be async; the runner then awaits it, so for these steps it is as if it were not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, cast, runtime_checkable

from omsync.allocation import Notice
from omsync.exchange import CartListing, PushResult, QuantityChange
from omsync.flows.arguments import Sink
from omsync.http.steps import Steps, call
from omsync.leases import Hold
from omsync.ports import SourceMemory
from omsync.runs import Context

__all__ = ["notices_of", "push_batch", "read_cart", "remembering", "with_memory"]


@runtime_checkable
class _Remembers(Protocol):
    def remembering(self, memory: SourceMemory | None, /) -> Sink: ...


@runtime_checkable
class _HasNotices(Protocol):
    def cart_notices(self, now: datetime, /) -> Iterable[Notice]: ...


@runtime_checkable
class _CartInSteps(Protocol):
    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]: ...
    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]: ...


def with_memory(sink: Sink, merchant: str, context: Context, hold: Hold | None = None) -> Sink:
    """Give a sink that keeps something between runs its place for it, and let it begin afresh.

    A run that pushes gives its ``hold``: once its lease is lost, the place is another run's too.
    """
    memory = None if context.ledger is None else context.ledger.memory(merchant)
    return remembering(sink, memory if memory is None or hold is None else hold.fenced_for_cart(memory))


def remembering(sink: Sink, memory: SourceMemory | None) -> Sink:
    """Let a sink begin afresh with this memory, where it keeps something between runs."""
    return sink.remembering(memory) if isinstance(sink, _Remembers) else sink


def read_cart(sink: Sink, listing_skus: Sequence[str]) -> Steps[list[CartListing]]:
    """Read what a cart shows, by steps where the sink has them."""
    if isinstance(sink, _CartInSteps):
        return (yield from sink.read_steps(listing_skus))
    read = cast("Callable[[Sequence[str]], Iterable[CartListing]]", sink.read)
    listings = yield from call(read, listing_skus)
    # A call of its own, since a generator does its work only now.
    return (yield from call(list, listings))


def push_batch(sink: Sink, changes: Sequence[QuantityChange]) -> Steps[list[PushResult]]:
    """Push one batch, by steps where the sink has them."""
    if isinstance(sink, _CartInSteps):
        return (yield from sink.push_steps(changes))
    push = cast("Callable[[Sequence[QuantityChange]], Iterable[PushResult]]", sink.push)
    results = yield from call(push, changes)
    return (yield from call(list, results))


def notices_of(sink: Sink, now: datetime) -> Steps[Iterable[Notice]]:
    """Give what the cart itself has to say, where it has."""
    if isinstance(sink, _HasNotices):
        return (yield from call(sink.cart_notices, now))
    return ()
