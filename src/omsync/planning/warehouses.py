"""Warehouses that a combining cart counts and nobody named: new ones, and those of someone else. Pure.

A cart that combines counts all warehouses but the disabled ones, so one that appears in the order manager
would count by itself; and units that a marketplace or a drop shipper ships for its own orders would be sold
once more.

Source: the founding document, "when combining inventory you can disable some warehouses so that we don't
include them (for example, an Amazon FBA warehouse)"; Order Manager API, the types of warehouses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attrs import field, frozen

from omsync import checks
from omsync.allocation.locations import choose_locations
from omsync.checks import counted
from omsync.model import InventorySnapshot, Warehouse
from omsync.settings import CartSettings, MerchantSettings, PerWarehouse

__all__ = ["FOREIGN_KINDS", "Unnamed", "unnamed_warehouses"]

FOREIGN_KINDS = frozenset(
    {"DROPSHIP", "DROPSHIP_VENDOR", "DROPSHIPPER", "DROP_SHIP", "DROP_SHIPPER", "FBA", "MARKETPLACE"}
    | {"SALES_CHANNEL", "WFS"}
)
"""Kinds of warehouses that someone else ships from: the order manager's own words and other usual ones.

They are compared in capitals, with ``_`` for spaces and hyphens.
"""


@frozen(kw_only=True)
class Unnamed:
    """What a combining cart counts and no setting names.

    Args:
        new: The warehouses with stock records that the last good reading did not have.
        foreign: Those with stock records that someone else ships from.
        unknown: The ids of all that the last good reading did not have.
        counted: The ids of all that are combined.
        disabled: What ``disabled`` names already.
    """

    new: tuple[Warehouse, ...] = field(default=(), converter=checks.as_tuple)
    foreign: tuple[Warehouse, ...] = field(default=(), converter=checks.as_tuple)
    unknown: frozenset[str] = frozenset()
    counted: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    disabled: frozenset[str] = frozenset()

    @property
    def news(self) -> str:
        """Say which are new, and what to write."""
        return (
            f"the cart combines {counted(len(self.new), 'warehouse')} that the last good reading did not "
            f"have: {_listed(self.new)}; {self._ways_out(self.new)}"
        )

    @property
    def strangers(self) -> str:
        """Say from which of them someone else ships, and what to write."""
        return (
            f"the cart combines {counted(len(self.foreign), 'warehouse')} that someone else ships from: "
            f"{_listed(self.foreign)}; {self._ways_out(self.foreign)}"
        )

    def _ways_out(self, these: Collection[Warehouse]) -> str:
        left_out = _written(self.disabled.union(place.id for place in these))
        it = "it" if len(these) == 1 else "them"
        return (
            f"PerWarehouse(disabled={left_out}) leaves {it} out, "
            f"PerWarehouse(counted={_written(self.counted)}) counts {it}"
        )


def unnamed_warehouses(
    snapshot: InventorySnapshot,
    merchant: MerchantSettings,
    cart: CartSettings,
    known: Collection[str] | None,
) -> Unnamed:
    """Find the warehouses that the cart combines, that nobody named, and that are new or someone else's.

    A cart that names its locations combines those only, and a breakdown tells each warehouse at a place of
    its own: neither takes one in by itself. A warehouse without any stock record adds nothing, and is not
    found until it has one.

    Args:
        snapshot: The reading.
        merchant: Has the mode with ``counted`` and ``disabled``.
        cart: Says whether it combines.
        known: The warehouses that were switched on in the last good reading; None: there was none, so nothing
            is new.
    """
    mode = merchant.mode
    if not isinstance(mode, PerWarehouse) or mode.counted is not None:
        return Unnamed()
    if cart.location is not None or cart.breakdown:
        return Unnamed()
    combined = {choice.id for choice in choose_locations(snapshot, merchant, cart) if choice.counted}
    unknown = combined.difference(combined if known is None else known)
    adding = combined.intersection(snapshot.levels.location_ids)
    places = sorted((one for one in snapshot.warehouses if one.id in adding), key=lambda one: one.id)
    return Unnamed(
        new=[place for place in places if place.id in unknown],
        foreign=[place for place in places if _kind(place) in FOREIGN_KINDS],
        unknown=frozenset(unknown),
        counted=sorted(combined),
        disabled=mode.disabled,
    )


def _kind(place: Warehouse) -> str:
    return place.kind.strip().upper().replace(" ", "_").replace("-", "_")


def _listed(places: Iterable[Warehouse]) -> str:
    return ", ".join(
        f"{place.name!r} ({', '.join(filter(None, (place.id, place.kind)))})" for place in places
    )


def _written(names: Iterable[str]) -> str:
    return "{" + ", ".join(map(repr, sorted(names))) + "}"
