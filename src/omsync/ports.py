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
    ALREADY_SHOWN,
    CartListing,
    HistoryEntry,
    Lease,
    ListingState,
    PushResult,
    QuantityChange,
    RunRecord,
    SinkCapabilities,
)
from omsync.inflight import InFlightOrder
from omsync.model import InventorySnapshot
from omsync.settings import MerchantSettings

__all__ = [
    "ALREADY_SHOWN",
    "AsyncCartSink",
    "AsyncOrderManagerSource",
    "AsyncOrdersInFlight",
    "CartListing",
    "CartSink",
    "HistoryEntry",
    "HistoryLedger",
    "InFlightOrder",
    "Lease",
    "LeasingLedger",
    "Ledger",
    "ListingState",
    "OrderManagerSource",
    "OrdersInFlight",
    "OrdersRequest",
    "OverviewLedger",
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
        on_progress: Called with (stage, done, total or None); a stage ends with done == total.
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
    """An order manager that can be read.

    A source may also have ``origin``, text that says which account it is, without secrets and the same after
    a change of credentials: a ledger then refuses readings of another one.
    """

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read everything, or raise: a read that did not finish gives no snapshot."""
        ...


@runtime_checkable
class AsyncOrderManagerSource(Protocol):
    """The awaiting twin of ``OrderManagerSource``."""

    async def read(self, request: ReadRequest, /) -> InventorySnapshot:
        """Read everything, or raise."""
        ...


@frozen(kw_only=True)
class OrdersRequest:
    """What is asked of a place that knows orders.

    Args:
        merchant: The merchant's settings.
        now: When the reading of orders begins.
        since: Orders that were placed, or taken in, before this are of no interest; telling them does no
            harm.
        deadline: Stop by then with a ``DeadlineError``.
        on_progress: Called with (stage, done, total or None).
    """

    merchant: MerchantSettings = field(validator=checks.instance_of(MerchantSettings))
    now: datetime = field(converter=checks.to_utc, validator=checks.moment)
    since: datetime = field(converter=checks.to_utc, validator=checks.moment)
    deadline: datetime | None = field(
        default=None, converter=checks.to_utc, validator=checks.optional(checks.moment)
    )
    on_progress: Progress | None = None


@runtime_checkable
class OrdersInFlight(Protocol):
    """A place that knows orders which the order manager's figures may not hold yet."""

    def orders(self, request: OrdersRequest, /) -> Iterable[InFlightOrder]:
        """Give all orders from ``request.since`` on, or raise: where some are missing, too much is shown."""
        ...


@runtime_checkable
class AsyncOrdersInFlight(Protocol):
    """The awaiting twin of ``OrdersInFlight``."""

    async def orders(self, request: OrdersRequest, /) -> Iterable[InFlightOrder]:
        """Give all orders from ``request.since`` on, or raise."""
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
    """What is remembered between runs, keyed by merchant and cart.

    ``sync_carts`` calls it from several threads at once, unless it is told ``at_once=1``; so does
    ``sync_cart`` where it looks at a cart that compares while the order manager is read.
    """

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


@runtime_checkable
class LeasingLedger(Protocol):
    """A ledger that lets one run at a time work on a cart, or read an order manager.

    A lease is kept by merchant and cart; with ``cart=None`` it is the one of reading the order manager. Each
    method is one step that no other process can come between. A ledger without these methods is used
    without leases, and the reports say so.
    """

    def take_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease:
        """Take the lease if it is free, has run out or is this run's own; give the one that stands now.

        The lease is yours if the ``run_id`` of what comes back is yours; else that tells who holds it.
        """
        ...

    def renew_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease | None:
        """Put off the end of a lease that is still this run's own; give the one that stands now.

        A lease that has run out and that nobody has taken over is renewed. One that was lost stays lost, also
        when it is free again: then None comes back, since somebody else may have worked in between.
        """
        ...

    def release_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> None:
        """Free the lease if it is this run's own; otherwise do nothing."""
        ...


@runtime_checkable
class HistoryLedger(Protocol):
    """A ledger that keeps every quantity that was sent, with the reply and the reason.

    A ledger without these methods keeps no history, and the reports say so.
    """

    def record_history(self, merchant: str, cart: str, entries: Iterable[HistoryEntry], /) -> None:
        """Keep entries; one of the same run, listing and location is replaced: its reply has come."""
        ...

    def history(
        self,
        merchant: str,
        cart: str,
        listing_sku: str | None = None,
        since: datetime | None = None,
        /,
    ) -> Iterable[HistoryEntry]:
        """Give what was sent to a cart, the oldest first; of one listing, and from a moment on, if named."""
        ...


@runtime_checkable
class OverviewLedger(Protocol):
    """A ledger that tells whom it knows, for ``overview``."""

    def merchants(self) -> Sequence[str]:
        """Give the name of every merchant that has a run or a reading here, sorted."""
        ...

    def statuses(self, merchant: str, /) -> Sequence[RunRecord]:
        """Give the newest run of the merchant's reads, then of every cart known here; ``"never"`` without."""
        ...

    def memory(self, merchant: str, /) -> SourceMemory:
        """Give the merchant's memory, which holds what is in quarantine."""
        ...
