"""A cart in memory and sinks for it that do everything right: what the sink kit is tried on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve

from omsync.errors import LostAnswerError, RefusedError, ServerFaultError, UnauthorizedError, UnreachableError
from omsync.ports import ALREADY_SHOWN, CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.sinks.writing import accepted, refused
from omsync.testing import SinkBench

Key = tuple[str, str | None]
PLACES = ("A", "B")
ROWS: tuple[Key, ...] = tuple((sku, place) for sku in ("MUG", "CUP", "JUG") for place in PLACES)
PASSWORD = "correct-horse"


class Market:
    """A cart in memory, as it truly is: two places, a kit, twins, a poster that nobody counts."""

    def __init__(self, *, places: Sequence[str | None] = PLACES) -> None:
        self.shelf: dict[Key, int] = {(sku, place): 3 for sku in ("MUG", "CUP", "JUG") for place in places}
        self.held: dict[Key, int] = {("CUP", places[0]): 2}
        self.states = {"TWIN": "duplicate", "POSTER": "untracked", "KIT": "unmanaged"}
        self.shelf |= {("TEA, GREEN", place): 3 for place in places}
        self.ids = {sku: f"id-{sku}" for sku, _ in self.shelf}
        self.places = places
        self.moves = dict.fromkeys(self.shelf, 0)

    def shown(self) -> dict[Key, int]:
        return dict(self.shelf)

    def rename(self, sku: str, new: str) -> None:
        self.ids[new] = self.ids.pop(sku)
        for kept in (self.shelf, self.held, self.moves):
            for place in self.places:
                if (sku, place) in kept:
                    kept[new, place] = kept.pop((sku, place))


class Stall:
    """A sink that does everything right; those below each do one thing wrong."""

    said: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self, market: Market, password: str = PASSWORD, *, up: bool = True, loses: bool = False
    ) -> None:
        self.market = market
        self.password = password
        self.up = up
        self.loses = loses

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @property
    def capabilities(self) -> SinkCapabilities:
        usual: dict[str, Any] = {
            "destination": "the market",
            "lists_all": True,
            "locations": "optional",
            "max_rows": 6,
            "atomicity": "row",
            "compare_and_set": "cas",
            "quantity_meaning": "on_hand",
            "max_quantity": 2**31 - 1,
        }
        return SinkCapabilities(**{**usual, **self.said})

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        self.enter()
        for key in self.market.shelf:
            if self.capabilities.lists_all or key[0] in listing_skus:
                yield self.listing(key)
        for sku, state in self.market.states.items():
            if self.capabilities.lists_all or sku in listing_skus:
                yield CartListing(listing_sku=sku, state=state)

    def listing(self, key: Key) -> CartListing:
        held = self.market.held.get(key, 0) if self.capabilities.quantity_meaning == "on_hand" else None
        return CartListing(
            listing_sku=key[0],
            location_id=key[1],
            quantity=self.market.shelf[key],
            allocated=held,
            version=str(self.market.moves[key]) if self.capabilities.compare_and_set == "version" else None,
        )

    def push(self, changes: Sequence[QuantityChange]) -> Iterable[PushResult]:
        self.enter()
        results = self.answers(changes)
        if self.loses:
            raise LostAnswerError("The market did not answer")
        return results

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return [self.write(change) for change in changes]

    def write(self, change: QuantityChange) -> PushResult:
        key = (change.listing_sku, change.location_id)
        if key not in self.market.shelf and not self.may_make(key):
            return refused(change, "not_in_cart", "no such listing")
        if self.is_late(change):
            return refused(change, "moved", "it has moved", status="conflict")
        if self.has_sold(change):
            return evolve(accepted(change, echo=change.quantity), reason=ALREADY_SHOWN)
        self.market.shelf[key] = change.quantity
        self.market.moves[key] = self.market.moves.get(key, 0) + 1
        return accepted(change, echo=self.market.shelf[key])

    def may_make(self, key: Key) -> bool:
        makes = self.capabilities.creates_listings and key[1] in self.market.places
        return makes and key[0] not in self.market.states

    def is_late(self, change: QuantityChange) -> bool:
        key = (change.listing_sku, change.location_id)
        there, way = self.market.shelf.get(key), self.capabilities.compare_and_set
        if way == "version":
            return change.version is not None and change.version != str(self.market.moves[key])
        return way == "cas" and change.shown is not None and there not in {change.shown, change.quantity}

    def has_sold(self, change: QuantityChange) -> bool:
        """Tell whether the row has moved, and to what it was to get."""
        there = self.market.shelf.get((change.listing_sku, change.location_id))
        compares = self.capabilities.compare_and_set == "cas"
        return compares and change.shown not in {None, there} and there == change.quantity

    def enter(self) -> None:
        if not self.up:
            raise UnreachableError("The market is closed")
        if self.password != PASSWORD:
            raise UnauthorizedError("The market does not know you")


def bench_of(kind: type[Stall] = Stall, **options: Any) -> SinkBench:
    """Put a stall on the bench, with everything that a bench can have."""
    market = Market(places=options.pop("places", PLACES))
    return SinkBench(
        **{
            "sink": kind(market),
            "shown": market.shown,
            "listings": ["MUG", "CUP", "JUG"],
            "absent": "NOTHING",
            "strange": ["TEA, GREEN"],
            "rename": market.rename,
            "locations": market.places,
            "absent_location": "C",
            "duplicate": "TWIN",
            "untracked": "POSTER",
            "unmanaged": "KIT",
            "unauthorized": kind(market, "wrong-horse"),
            "unreachable": kind(market, up=False),
            "losing": kind(market, loses=True),
            "secrets": [PASSWORD, "wrong-horse"],
            **options,
        }
    )


def saying(**said: Any) -> type[Stall]:
    return type("Stall", (Stall,), {"said": said})


class RefusesWhole(Stall):
    """One bad row refuses the whole push."""

    said: ClassVar[Mapping[str, Any]] = {"atomicity": "call"}

    def answers(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        if any((row.listing_sku, row.location_id) not in self.market.shelf for row in changes):
            raise RefusedError("A row is unknown")
        return super().answers(changes)


class Promises(Stall):
    """Takes a job, and shows what came of it later; the answers show nothing."""

    said: ClassVar[Mapping[str, Any]] = {"completion": "job"}

    def write(self, change: QuantityChange) -> PushResult:
        result = super().write(change)
        taken = result.status == "accepted" and result.reason != ALREADY_SHOWN
        return refused(change, "", "", status="pending") if taken else result


class RefusesWhateverMoved(Stall):
    """Does not look what its row has moved to."""

    def is_late(self, change: QuantityChange) -> bool:
        return super().is_late(change) or self.has_sold(change)


class GoesByTwoNames(Stall):
    """Gives its place A under another name too."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        for listing in super().read(listing_skus):
            yield listing
            if listing.location_id == "A":
                yield CartListing(
                    listing_sku=listing.listing_sku,
                    location_id="Alpha",
                    quantity=listing.quantity,
                    allocated=listing.allocated,
                    same_as="A",
                )


class StumblesOverLargeNumbers(Stall):
    """Hands on what its cart says to a number that is too large: HTTP 500."""

    def write(self, change: QuantityChange) -> PushResult:
        if change.quantity >= 2**31:
            raise ServerFaultError("HTTP 500")
        return super().write(change)


class AddsUp(Stall):
    """Gives what stands at all places together, too."""

    def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        yield from super().read(listing_skus)
        for sku in {sku for sku, _ in self.market.shelf}:
            units = [self.market.shelf[sku, place] for place in PLACES]
            yield CartListing(listing_sku=sku, quantity=sum(units), allocated=0, same_as="A")


class Awaited:
    """A stall that has to be awaited."""

    def __init__(self, stall: Stall) -> None:
        self.stall = stall
        self.capabilities = stall.capabilities

    async def read(self, listing_skus: Sequence[str]) -> Iterable[CartListing]:
        return list(self.stall.read(listing_skus))

    async def push(self, changes: Sequence[QuantityChange]) -> Iterable[PushResult]:
        return self.stall.push(changes)
