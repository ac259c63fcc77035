"""What omsync needs from the outside: an order manager to read, a cart to push to, a ledger to remember.

These are protocols: implement the methods, no base class is needed. Each has a blocking form; a source or
a sink may instead be written with ``async def`` methods of the same names and be used through
``omsync.aio``. What an adapter can do is data (``SinkCapabilities``), known before anything is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from omsync import checks
from omsync.exchange import (
    CartListing,
    ListingState,
    PushResult,
    QuantityChange,
    RunRecord,
    SinkCapabilities,
)
from omsync.model import InventorySnapshot
from omsync.settings import MerchantSettings

__all__ = [
    "AsyncCartSink",
    "AsyncOrderManagerSource",
    "CartListing",
    "CartSink",
    "Ledger",
    "ListingState",
    "OrderManagerSource",
    "Progress",
    "PushResult",
    "QuantityChange",
    "ReadRequest",
    "RunRecord",
    "SinkCapabilities",
    "SourceMemory",
]

Progress = Callable[[str, int, int | None], None]
"""Called with (stage, done, total); total is None while nobody knows it."""


class SourceMemory(Protocol):
    """Where a source keeps what must survive a crash: pages already read, watermarks. Part of a ledger."""

    def recall(self, namespace: str) -> Mapping[str, str]:
        """Give everything kept in the namespace, in the order of its keys."""
        ...

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        """Keep the entries, durably, before returning."""
        ...

    def forget(self, namespace: str) -> None:
        """Drop the whole namespace."""
        ...


@frozen(kw_only=True)
class ReadRequest:
    """What a source is asked for.

    Args:
        merchant: The merchant's settings; the mode decides the scope of the snapshot.
        now: When the read begins.
        memory: Where to keep what must survive a crash; None when the caller has no ledger.
        previous: The last complete snapshot under this merchant, for incremental reads.
        on_progress: Called with (stage, done, total or None).
        deadline: Stop by then with a ``DeadlineError``; pages already kept stay kept.
    """

    merchant: MerchantSettings = field(validator=checks.instance_of(MerchantSettings))
    now: datetime = field(converter=checks.to_utc, validator=checks.moment)
    memory: SourceMemory | None = None
    previous: InventorySnapshot | None = None
    on_progress: Progress | None = None
    deadline: datetime | None = field(
        default=None, converter=checks.to_utc, validator=checks.optional(checks.moment)
    )


@runtime_checkable
class OrderManagerSource(Protocol):
    """An order manager that can be read."""

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read everything, or raise: a read that did not finish gives no snapshot."""
        ...


@runtime_checkable
class AsyncOrderManagerSource(Protocol):
    """The awaiting twin of ``OrderManagerSource``."""

    async def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read everything, or raise."""
        ...


@runtime_checkable
class CartSink(Protocol):
    """A cart that quantities are pushed to."""

    @property
    def capabilities(self) -> SinkCapabilities:
        """What this cart can do."""
        ...

    def read(self, listing_skus: Sequence[str], /) -> Iterable[CartListing]:
        """Give what the cart shows for these listings; a listing that it does not have is left out.

        A cart that ``lists_all`` gives its other listings too.
        """
        ...

    def push(self, changes: Sequence[QuantityChange], /) -> Iterable[PushResult]:
        """Send one batch, never larger than the capabilities say; give one result for every row.

        Raise ``RefusedError`` when the whole batch was refused and nothing written, ``TransientError`` when
        the answer is unknown.
        """
        ...


@runtime_checkable
class AsyncCartSink(Protocol):
    """The awaiting twin of ``CartSink``."""

    @property
    def capabilities(self) -> SinkCapabilities:
        """What this cart can do."""
        ...

    async def read(self, listing_skus: Sequence[str], /) -> Iterable[CartListing]:
        """Give what the cart shows for these listings."""
        ...

    async def push(self, changes: Sequence[QuantityChange], /) -> Iterable[PushResult]:
        """Send one batch; give one result for every row."""
        ...


@runtime_checkable
class Ledger(Protocol):
    """What is remembered between runs, keyed by merchant and cart."""

    def begin_run(self, run: RunRecord, /) -> None:
        """Note that a run has begun."""
        ...

    def touch_run(self, run_id: str, now: datetime, /) -> None:
        """Note a sign of life of a run."""
        ...

    def finish_run(self, run: RunRecord, /) -> None:
        """Note how a run ended."""
        ...

    def runs(self, merchant: str, cart: str | None = None, /) -> Sequence[RunRecord]:
        """Give the runs of a cart, or with ``cart=None`` the reads of the merchant; newest first."""
        ...

    def save_snapshot(self, merchant: str, snapshot: InventorySnapshot, /) -> None:
        """Keep the last complete snapshot, durably and as a whole."""
        ...

    def last_snapshot(self, merchant: MerchantSettings | str, /) -> InventorySnapshot | None:
        """Give the last complete snapshot, or None when there was none."""
        ...

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        """Merge figures into what is known of listings: a None leaves what is there."""
        ...

    def states(self, merchant: str, cart: str, /) -> Iterable[ListingState]:
        """Give what is known of every listing of a cart."""
        ...

    def memory(self, merchant: str, /) -> SourceMemory:
        """Give the place where a source keeps what must survive a crash."""
        ...
