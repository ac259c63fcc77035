"""How a shop's items are understood: what a SKU shows, and whether and where a row is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from omsync.ports import CartListing, PushResult, QuantityChange
from omsync.sinks import _shopify as api
from omsync.sinks._http import refused
from omsync.sinks._shopify_rows import MAX_QUANTITY, Row, Target

__all__ = ["Terms"]


@frozen(kw_only=True)
class Terms:
    """The sink's settings beside the shop's locations.

    Args:
        shop: The shop.
        target: The location of rows that name none; None while that is undecided.
        quantity_name: ``"available"`` or ``"on_hand"``.
        write_all: Whether items that share a SKU all get its quantity.
        untracked_policy: ``"skip"``, ``"track"`` or ``"error"``.
        activate: Whether items are stocked where they are not yet.
        write_services: Whether fulfilment services' locations are written to.
    """

    shop: api.Shop
    target: str | None
    quantity_name: str
    write_all: bool
    untracked_policy: str
    activate: bool
    write_services: bool

    def listings(self, sku: str, items: Sequence[api.Item]) -> Iterator[CartListing]:
        """Give what a SKU shows, under every way in which a row may name its location."""
        if not items:
            return
        chosen = self._chosen(items)
        own = [] if self.target is None else [(None, self.target)]
        for named, location_id in (*own, *self.shop.names.items()):
            figures = {self._figures(item.levels.get(location_id)) for item in chosen}
            # Items that share a SKU and show different quantities show none that could be compared.
            quantity, allocated = figures.pop() if len(figures) == 1 else (None, None)
            yield CartListing(
                listing_sku=sku,
                location_id=named,
                quantity=quantity,
                allocated=allocated,
                state="unmanaged" if chosen and self._belongs_to_service(location_id) else self.state(chosen),
                same_as=location_id if named != location_id else None,
            )

    @staticmethod
    def state(chosen: Sequence[api.Item]) -> str:
        """Give the state of a listing that these items are; none: several claim its SKU."""
        if not chosen:
            return "duplicate"
        return "listed" if all(item.tracked for item in chosen) else "untracked"

    def sort_out(self, change: QuantityChange, items: Sequence[api.Item]) -> Row | PushResult:
        """Give the row to write, or the reason why it is not sent."""
        wanted = change.location_id
        location_id = self.target if wanted is None else self.shop.names.get(wanted)
        if location_id is None:
            return refused(change, "unknown_location", f"no one location is {wanted!r}: {self.shop.choices}")
        chosen = self._chosen(items)
        problem = self._problem(change, items, chosen) or self._left_alone(chosen, location_id)
        if problem is not None:
            reason, message, status = problem
            return refused(change, reason, message, status=status)
        targets = tuple(self._aimed(change, item, location_id, chosen) for item in chosen)
        return Row(change=change, targets=targets)

    def _problem(
        self, change: QuantityChange, items: Sequence[api.Item], chosen: Sequence[api.Item]
    ) -> tuple[str, str, str] | None:
        """Give why a row cannot be sent: a reason, a message, a status."""
        if not 0 <= change.quantity <= MAX_QUANTITY:
            return "out_of_range", f"{change.quantity} is not within 0 and {MAX_QUANTITY}", "rejected"
        if not items:
            message = f"no inventory item of the shop has the SKU {change.listing_sku!r}"
            return "not_in_cart", message, "rejected"
        if not chosen:
            ids = ", ".join(item.id for item in items)
            return "duplicate_in_cart", f"several inventory items have this SKU: {ids}", "rejected"
        return None

    def _left_alone(self, chosen: Sequence[api.Item], location_id: str) -> tuple[str, str, str] | None:
        """Give why a row is not sent although it could be: a reason, a message, a status."""
        if self._belongs_to_service(location_id):
            message = "the location belongs to a fulfilment service, which keeps its own stock"
            return "unmanaged_in_cart", message, "skipped"
        if self.untracked_policy != "track" and self.state(chosen) == "untracked":
            message = "the shop does not count this item's stock, so a quantity would have no effect"
            status = "skipped" if self.untracked_policy == "skip" else "rejected"
            return "untracked_in_cart", message, status
        if not self.activate and not all(_stocked(item, location_id) for item in chosen):
            name = self.shop.active[location_id].name
            return "not_stocked_at_location", f"the item is not stocked at {name!r}", "skipped"
        return None

    def _chosen(self, items: Sequence[api.Item]) -> Sequence[api.Item]:
        """Give the items that a SKU means; none when several claim it and that is refused."""
        complete = all(len(items) > item.twins for item in items)
        return items if complete and (len(items) == 1 or self.write_all) else ()

    def _figures(self, level: api.Level | None) -> tuple[int | None, int | None]:
        """Give what a level shows and, for units on hand, those that are not available."""
        units = level.units if level else {}
        shown = units.get(self.quantity_name) if level and level.active else None
        if self.quantity_name == "available":
            return shown, None
        if not units:
            return shown, 0
        on_hand, available = units.get("on_hand"), units.get("available")
        return shown, None if on_hand is None or available is None else on_hand - available

    def _belongs_to_service(self, location_id: str) -> bool:
        return self.shop.active[location_id].of_service and not self.write_services

    def _aimed(
        self, change: QuantityChange, item: api.Item, location_id: str, chosen: Sequence[api.Item]
    ) -> Target:
        level = item.levels.get(location_id)
        seen = level.units.get(self.quantity_name) if level else None
        return Target(
            place=(item.id, location_id),
            sku=item.sku,
            quantity=change.quantity,
            # Of several items each has its own figure, and the plan knows of one at most.
            expected=change.shown if len(chosen) == 1 else seen,
            key=f"{change.key}|{item.id}|{location_id}",
            track=not item.tracked,
            activate=not _stocked(item, location_id),
        )


def _stocked(item: api.Item, location_id: str) -> bool:
    level = item.levels.get(location_id)
    return level is not None and level.active
