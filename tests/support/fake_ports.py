"""An order manager, a cart, a ledger and a clock in memory, written by hand, which do what a script says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from fake_memory import DictMemory

from omsync import (
    Alias,
    CartListing,
    HistoryEntry,
    InventorySnapshot,
    Lease,
    ListingState,
    MerchantSettings,
    PushResult,
    QuantityChange,
    ReadRequest,
    RunRecord,
    SinkCapabilities,
    Sku,
    StockLevel,
    Warehouse,
    aio,
    drift,
    history,
    plan_cart,
    push_plan,
    read_inventory,
    sync_cart,
    sync_carts,
)
from omsync.ports import SourceMemory

__all__ = [
    "START",
    "TAKEN_AT",
    "AsyncFakeCart",
    "AsyncFakeSource",
    "Awaiting",
    "Blocking",
    "DictLedger",
    "FakeCart",
    "FakeClock",
    "FakeSource",
    "Shell",
    "capabilities",
    "stock",
]

TAKEN_AT = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
Key = tuple[str, str | None]


class FakeClock:
    """Stands still, except that sleeping moves it on at once; remembers every sleep."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._passed += seconds

    def pass_by(self, seconds: float) -> None:
        """Let time go by without anybody waiting for it."""
        self._passed += seconds


def stock(
    figures: Mapping[str, int], *, aliases: Iterable[Alias] = (), places: Sequence[str] = ("W1",), **more: Any
) -> InventorySnapshot:
    """Make a snapshot in which every product has the same figure at each warehouse."""
    return InventorySnapshot(
        taken_at=TAKEN_AT,
        skus=[Sku(master_sku=sku) for sku in figures],
        aliases=aliases,
        warehouses=[Warehouse(id=place, name=f"Warehouse {place}") for place in places],
        levels=[
            StockLevel(master_sku=sku, location_id=place, on_hand=figure, available=figure)
            for sku, figure in figures.items()
            for place in places
        ],
        **more,
    )


class FakeSource:
    """Gives what its script says, one entry a read, the last one for ever."""

    def __init__(self, *script: InventorySnapshot | BaseException) -> None:
        self._script = list(script)
        self.requests: list[ReadRequest] = []
        self.during: Callable[[ReadRequest], None] = lambda _: None

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        self.requests.append(request)
        if request.on_progress is not None:
            request.on_progress("stock", 1, 2)
        self.during(request)
        if request.on_progress is not None:
            request.on_progress("stock", 2, 2)
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class AsyncFakeSource:
    """The async twin of ``FakeSource``."""

    def __init__(self, twin: FakeSource) -> None:
        self._twin = twin

    async def read(self, request: ReadRequest, /) -> InventorySnapshot:
        await asyncio.sleep(0)
        return self._twin.read(request)


def capabilities(**given: Any) -> SinkCapabilities:
    """Give the capabilities of a fake cart."""
    return SinkCapabilities(**{"destination": "fake cart", "atomicity": "row", **given})


@attrs.define(kw_only=True)
class Shelf:
    """What the cart holds for one listing at one location."""

    quantity: int | None = 0
    allocated: int | None = None
    state: str = "listed"
    version: int = 1


class FakeCart:
    """A cart in memory.

    Its script: ``rows`` says by listing SKU what becomes of a row (``"accepted"``, ``"silent"``: accepted
    without an echo, ``"ignored"``: accepted, not written, the old quantity echoed, ``"rejected"``,
    ``"conflict"``, ``"pending"``, ``"skipped"``, ``"no_answer"``); ``calls`` says by number of the push
    (from 1) what it raises, and whether the rows are written before that.
    """

    def __init__(
        self,
        shelves: Mapping[str | Key, int | Shelf] | None = None,
        *,
        rows: Mapping[str, str] | None = None,
        calls: Mapping[int, tuple[BaseException, bool]] | None = None,
        **given: Any,
    ) -> None:
        self.capabilities = capabilities(**given)
        self.shelves: dict[Key, Shelf] = {}
        for key, shelf in (shelves or {}).items():
            self.put(key, shelf)
        self._rows = dict(rows or {})
        self._calls = dict(calls or {})
        self.reads: list[tuple[str, ...]] = []
        self.pushes: list[tuple[QuantityChange, ...]] = []
        self.read_errors: list[BaseException | None] = []
        self.before_push: Callable[[int], None] = lambda _: None

    def put(self, key: str | Key, shelf: int | Shelf) -> None:
        """Let the cart show this, as if somebody had sold or typed something."""
        where: Key = (key, None) if isinstance(key, str) else key
        self.shelves[where] = Shelf(quantity=shelf) if isinstance(shelf, int) else shelf

    def shows(self, sku: str, location_id: str | None = None) -> int | None:
        """Tell what a shopper may buy."""
        shelf = self.shelves[sku, location_id]
        on_hand = self.capabilities.quantity_meaning == "on_hand"
        return shelf.quantity if not on_hand else (shelf.quantity or 0) - (shelf.allocated or 0)

    @property
    def sent(self) -> list[tuple[str, int]]:
        """Every row that was sent, in order."""
        return [(change.listing_sku, change.quantity) for push in self.pushes for change in push]

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        self.reads.append(tuple(listing_skus))
        error = self.read_errors.pop(0) if self.read_errors else None
        if error is not None:
            raise error
        return [
            CartListing(
                listing_sku=sku,
                location_id=location_id,
                quantity=shelf.quantity,
                allocated=shelf.allocated,
                state=shelf.state,
                version=str(shelf.version),
            )
            for (sku, location_id), shelf in self.shelves.items()
            if self.capabilities.lists_all or sku in listing_skus
        ]

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        self.pushes.append(tuple(changes))
        self.before_push(len(self.pushes))
        error, written = self._calls.get(len(self.pushes), (None, False))
        if error is not None and not written:
            raise error
        answers = [result for result in map(self._row, changes) if result is not None]
        if error is not None:
            raise error
        return answers

    def _row(self, change: QuantityChange) -> PushResult | None:
        how = self._rows.get(change.listing_sku, "accepted")
        shelf = self.shelves.setdefault((change.listing_sku, change.location_id), Shelf(quantity=None))
        if how == "accepted" and self._has_moved(change, shelf):
            how = "conflict"
        if how in {"accepted", "silent"}:
            shelf.quantity = change.quantity
            shelf.state = "listed"
            shelf.version += 1
        if how == "no_answer":
            return None
        accepted = how in {"accepted", "silent", "ignored"}
        return PushResult(
            listing_sku=change.listing_sku,
            location_id=change.location_id,
            status="accepted" if accepted else how,
            echo=shelf.quantity if how in {"accepted", "ignored"} else None,
            message="" if accepted else f"the cart says {how}",
        )

    def _has_moved(self, change: QuantityChange, shelf: Shelf) -> bool:
        match self.capabilities.compare_and_set:
            case "cas":
                return change.shown is not None and shelf.quantity != change.shown
            case "version":
                return change.version is not None and change.version != str(shelf.version)
            case _:
                return False


class AsyncFakeCart:
    """The async twin of ``FakeCart``."""

    def __init__(self, twin: FakeCart) -> None:
        self._twin = twin
        self.hang_at_push: int | None = None
        self.hangs = asyncio.Event()

    @property
    def capabilities(self) -> SinkCapabilities:
        return self._twin.capabilities

    async def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        await asyncio.sleep(0)
        return self._twin.read(listing_skus)

    async def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        await asyncio.sleep(0)
        results = self._twin.push(changes)
        if len(self._twin.pushes) == self.hang_at_push:
            self.hangs.set()
            await asyncio.Event().wait()
        return results


def _merged(known: ListingState | None, news: ListingState) -> ListingState:
    """Merge figures with their times and runs; a figure that stays the same is as old as it was."""
    known = known or ListingState(listing_sku=news.listing_sku, location_id=news.location_id)
    figures: dict[str, Any] = {}
    for figure in ("desired", "sent", "accepted", "observed"):
        units, at = getattr(news, figure), getattr(news, f"{figure}_at")
        if units is not None:
            figures |= {figure: units, f"{figure}_at": at, f"{figure}_run": getattr(news, f"{figure}_run")}
            if figure in {"desired", "observed"} and units != getattr(known, figure):
                figures[f"{figure}_since"] = at
    return attrs.evolve(known, **figures)


class DictLedger:
    """A ledger in dicts. ``errors`` says by method what it raises."""

    def __init__(self) -> None:
        self.errors: dict[str, BaseException] = {}
        self.signs_of_life = 0
        self._runs: list[RunRecord] = []
        self._snapshots: dict[str, InventorySnapshot] = {}
        self._states: dict[tuple[str, str], dict[Key, ListingState]] = {}
        self._memories: dict[str, DictMemory] = {}
        self.leases: dict[tuple[str, str | None], Lease] = {}
        self.renewals = 0
        self._history: dict[tuple[str, str, str, str | None, str], HistoryEntry] = {}

    def begin_run(self, run: RunRecord, /) -> None:
        self._raise("begin_run")
        self._runs.append(run)

    def touch_run(self, run_id: str, now: datetime, /) -> None:
        self._raise("touch_run")
        self.signs_of_life += 1
        (place,) = [index for index, run in enumerate(self._runs) if run.run_id == run_id]
        self._runs[place] = attrs.evolve(self._runs[place], last_seen_at=now)

    def finish_run(self, run: RunRecord, /) -> None:
        self._raise("finish_run")
        (place,) = [index for index, one in enumerate(self._runs) if one.run_id == run.run_id]
        self._runs[place] = run

    def runs(self, merchant: str, cart: str | None = None, /) -> Sequence[RunRecord]:
        return [run for run in reversed(self._runs) if (run.merchant, run.cart) == (merchant, cart)]

    def save_snapshot(self, merchant: str, snapshot: InventorySnapshot, /) -> None:
        self._raise("save_snapshot")
        self._snapshots[merchant] = snapshot

    def last_snapshot(self, merchant: MerchantSettings | str, /) -> InventorySnapshot | None:
        self._raise("last_snapshot")
        return self._snapshots.get(merchant if isinstance(merchant, str) else merchant.name)

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        self._raise("record_states")
        known = self._states.setdefault((merchant, cart), {})
        for state in states:
            key = (state.listing_sku, state.location_id)
            known[key] = _merged(known.get(key), state)

    def states(self, merchant: str, cart: str, /) -> Iterable[ListingState]:
        self._raise("states")
        return list(self._states.get((merchant, cart), {}).values())

    def memory(self, merchant: str, /) -> SourceMemory:
        return self._memories.setdefault(merchant, DictMemory())

    def take_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease:
        self._raise("take_lease")
        standing = self.leases.get((merchant, cart))
        if standing is None or standing.run_id == lease.run_id or standing.until <= lease.since:
            self.leases[merchant, cart] = lease
        return self.leases[merchant, cart]

    def renew_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease | None:
        self._raise("renew_lease")
        self.renewals += 1
        standing = self.leases.get((merchant, cart))
        if standing is not None and standing.run_id == lease.run_id:
            self.leases[merchant, cart] = lease
        return standing

    def release_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> None:
        self._raise("release_lease")
        if self.leases.get((merchant, cart), lease).run_id == lease.run_id:
            self.leases.pop((merchant, cart), None)

    def record_history(self, merchant: str, cart: str, entries: Iterable[HistoryEntry], /) -> None:
        self._raise("record_history")
        for entry in entries:
            self._history[merchant, cart, entry.listing_sku, entry.location_id, entry.run_id] = entry

    def history(
        self, merchant: str, cart: str, listing_sku: str | None = None, since: datetime | None = None, /
    ) -> Iterable[HistoryEntry]:
        self._raise("history")
        return [
            entry
            for (*whose, sku, _, _), entry in self._history.items()
            if whose == [merchant, cart]
            and listing_sku in {None, sku}
            and (since is None or entry.sent_at >= since)
        ]

    def state(self, sku: str, *, merchant: str = "default", cart: str = "shop") -> ListingState:
        """Give what is known of one listing without a location."""
        return self._states[merchant, cart][sku, None]

    def _raise(self, method: str) -> None:
        if method in self.errors:
            raise self.errors[method]


class Blocking:
    """The blocking functions, under names that ``Awaiting`` shares, so that one suite tests both."""

    name = "blocking"

    def read_inventory(self, source: Any, *args: Any, **options: Any) -> Any:
        return read_inventory(source, *args, **options)

    def plan_cart(self, source: Any, sink: Any, *args: Any, **options: Any) -> Any:
        return plan_cart(source, sink, *args, **options)

    def push_plan(self, plan: Any, sink: Any, **options: Any) -> Any:
        return push_plan(plan, sink, **options)

    def sync_cart(self, source: Any, sink: Any, *args: Any, **options: Any) -> Any:
        return sync_cart(source, sink, *args, **options)

    def sync_carts(self, source: Any, carts: Any, **options: Any) -> Any:
        return sync_carts(source, carts, **options)

    def history(self, ledger: Any, *args: Any, **options: Any) -> Any:
        return history(ledger, *args, **options)

    def drift(self, ledger: Any, sink: Any, *args: Any, **options: Any) -> Any:
        return drift(ledger, sink, *args, **options)


class Awaiting:
    """The awaiting functions, each run to its end; ports are given as async twins, or as they are."""

    def __init__(self, *, twins: bool) -> None:
        self.name = "awaiting, async ports" if twins else "awaiting, blocking ports"
        self._twins = twins

    def read_inventory(self, source: Any, *args: Any, **options: Any) -> Any:
        return asyncio.run(aio.read_inventory(self._source(source), *args, **options))

    def plan_cart(self, source: Any, sink: Any, *args: Any, **options: Any) -> Any:
        return asyncio.run(aio.plan_cart(self._source(source), self._sink(sink), *args, **options))

    def push_plan(self, plan: Any, sink: Any, **options: Any) -> Any:
        return asyncio.run(aio.push_plan(plan, self._sink(sink), **options))

    def sync_cart(self, source: Any, sink: Any, *args: Any, **options: Any) -> Any:
        return asyncio.run(aio.sync_cart(self._source(source), self._sink(sink), *args, **options))

    def sync_carts(self, source: Any, carts: Any, **options: Any) -> Any:
        pairs = [(self._sink(sink), cart) for sink, cart in carts]
        return asyncio.run(aio.sync_carts(self._source(source), pairs, **options))

    def history(self, ledger: Any, *args: Any, **options: Any) -> Any:
        return asyncio.run(aio.history(ledger, *args, **options))

    def drift(self, ledger: Any, sink: Any, *args: Any, **options: Any) -> Any:
        return asyncio.run(aio.drift(ledger, self._sink(sink), *args, **options))

    def _source(self, source: Any) -> Any:
        return AsyncFakeSource(source) if self._twins and isinstance(source, FakeSource) else source

    def _sink(self, sink: Any) -> Any:
        return AsyncFakeCart(sink) if self._twins and isinstance(sink, FakeCart) else sink


Shell = Blocking | Awaiting
