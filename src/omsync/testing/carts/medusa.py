"""A Medusa 2 server in memory: its Admin API as far as stock goes.

    shop = MedusaShop(locations=["West", "East"])
    shop.add("TEE-S", {"West": 10, "East": 5})
    cart = Medusa("https://shop.example", api_key=shop.api_key, location="West", handler=shop.handle)

It enforces what a real Medusa 2.21 does: all-or-nothing batches, updates only of levels that exist, body
limits, answers in another order than asked, a figure in them that is out of date, and its silent traps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from omsync.http.messages import Response
from omsync.testing.carts._medusa_routes import respond
from omsync.testing.carts._medusa_state import Level, Locations, State
from omsync.testing.carts.platform import Asked, Platform

__all__ = ["MedusaShop"]


class MedusaShop(Platform):
    """The shop.

    Args:
        locations: Names of its stock locations.
        api_key: The secret key that it takes.
        email: The administrator's e-mail address.
        password: Its password.
        early: Behave like Medusa 2.0, which has no batch route and cannot look variants up by SKU.
        now: As for every platform; Medusa itself limits no rate.
    """

    def __init__(
        self,
        *,
        locations: Iterable[str] = ("Main warehouse",),
        api_key: str = "sk_only_for_tests",
        email: str = "admin@shop.example",
        password: str = "only-for-tests",  # noqa: S107  an invented one
        early: bool = False,
        now: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(now=now)
        self.api_key = api_key
        self.email = email
        self.password = password
        self.early = early
        self.database_is_up = True
        self.tokens: set[str] = set()
        self.state = State()
        for name in locations:
            self.state.add_location(name)

    def location(self, name: str) -> str:
        """Give the id of a stock location."""
        return self.state.location_of(name)

    def item_id(self, sku: str) -> str:
        """Give the id of an inventory item."""
        return self.state.item_of(sku).id

    def add(self, sku: str, quantity: Locations | None = None, *, sold: bool = True) -> str:
        """Add an inventory item and a variant that sells it; give the item's id.

        Args:
            sku: The SKU of both.
            quantity: Units on hand at the first location, or by location (id or name). No level elsewhere.
            sold: Whether there is a variant, or the item stands alone.
        """
        item = self.state.add_item(sku)
        units = {} if quantity is None else quantity
        for wanted, stocked in (units if not isinstance(units, int | float) else {None: units}).items():
            item.levels[self.state.location_of(wanted)] = Level(stocked=stocked)
        if sold:
            self.state.add_variant(sku, managed=True, parts={item.id: 1})
        return item.id

    def add_untracked(self, sku: str) -> None:
        """Add a variant whose stock is not counted; it has no inventory item."""
        self.state.add_variant(sku, managed=False, parts={})

    def add_kit(self, sku: str, parts: Mapping[str, int]) -> None:
        """Add a variant made of units of existing items; it has no inventory item of its own.

        Args:
            sku: The kit's SKU.
            parts: Units needed, by SKU of the part.
        """
        needs = {self.state.item_of(part).id: need for part, need in parts.items()}
        self.state.add_variant(sku, managed=True, parts=needs)

    def rename(self, sku: str, new: str) -> None:
        """Change the SKU of a variant, and not that of its item, as an edit of the product does."""
        self.state.variant_of(sku).sku = new

    def stop_managing(self, sku: str) -> None:
        """Switch a variant's stock off: its item stays and belongs to no variant."""
        variant = self.state.variant_of(sku)
        variant.managed, variant.parts = False, {}

    def quantity(self, sku: str, location: str | None = None) -> int | float | None:
        """Give the units on hand at a location (the first one when left out); None without a level there."""
        level = self._level(sku, location)
        return None if level is None else level.stocked

    def reserved(self, sku: str, location: str | None = None) -> int | float:
        """Give the units at a location that open orders have reserved."""
        level = self._level(sku, location)
        return 0 if level is None else level.reserved

    def buyable(self, sku: str) -> int | float:
        """Give what the store offers: on hand less reserved, over all locations; of a kit, by its parts."""
        variant = self.state.variant_of(sku)
        return min(
            sum(level.stocked - level.reserved for level in self.state.items[key].levels.values()) // need
            for key, need in variant.parts.items()
        )

    def sell(self, sku: str, units: int, location: str | None = None) -> None:
        """Take an order: units are reserved at a location, and stay on hand until they are shipped.

        Raises:
            LookupError: The item has no level there.
        """
        self._held(sku, location).reserved += units

    def ship(self, sku: str, units: int, location: str | None = None) -> None:
        """Ship units of an order: they are neither on hand nor reserved any more."""
        level = self._held(sku, location)
        level.stocked -= units
        level.reserved -= units

    def _level(self, sku: str, location: str | None) -> Level | None:
        return self.state.item_of(sku).levels.get(self.state.location_of(location))

    def _held(self, sku: str, location: str | None) -> Level:
        level = self._level(sku, location)
        if level is None:
            raise LookupError(f"{sku!r} has no level at {location or 'the first location'!r}")
        return level

    def answer(self, asked: Asked) -> Response:
        """Do what Medusa does."""
        return respond(self, asked)
