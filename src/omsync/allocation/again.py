"""Allocating again after a few stock records changed: only what they reach is worked out anew. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import evolve

from omsync.allocation.desk import Desk
from omsync.allocation.groundwork import Groundwork
from omsync.allocation.plain import Plain
from omsync.allocation.reasons import Skip
from omsync.allocation.result import Allocation
from omsync.allocation.told import Told
from omsync.allocation.wanted import Listings
from omsync.allocation.workbench import ListingQuantity, Workbench
from omsync.model import InventorySnapshot, StockLevel

__all__ = ["reached", "reallocate"]

_WORTH_IT = 3
"""Where more than one in so many quantities is reached, working all of them out is cheaper."""

_LARGEST = 2**31 - 1


def reallocate(previous: Allocation, changed: Iterable[StockLevel]) -> Allocation:
    """Allocate again after some stock records changed; equals ``allocate()`` over the changed reading.

    Only the products of the changed records, the bundles made of them and their listings are worked out, as
    long as that is cheaper. The reading keeps its ``taken_at``: its other figures are as old as they were.

    Args:
        previous: What was allocated before.
        changed: Records as they are now; one that the reading did not have is added.

    Raises:
        SnapshotError: A record is given twice, or names a location that the reading does not have.
    """
    levels = tuple(changed)
    bench = previous.workbench
    snapshot = bench.snapshot.with_levels(levels)
    ground = bench.groundwork
    if not all(_is_plain(ground, level) for level in levels if level.location_id in ground.visible):
        return _anew(bench, snapshot)
    ground = ground.over(snapshot, levels)
    quantities = previous.quantities
    rows = _rows_reached(bench, quantities, levels) if isinstance(quantities, Told) else None
    if not isinstance(quantities, Told) or rows is None:
        return _anew(bench, snapshot, ground)
    again = bench.over(ground)
    told = _told_again(again, [quantities[row] for row in rows])
    return evolve(
        previous,
        quantities=quantities.replaced(dict(zip(rows, told, strict=True))),
        workbench=again,
    )


def _anew(bench: Workbench, snapshot: InventorySnapshot, ground: Groundwork | None = None) -> Allocation:
    """Allocate everything, with what has been looked up if that still holds."""
    return Desk(ground).allocate(
        snapshot, bench.merchant, bench.cart, bench.given_orders, orders_when=bench.orders_when
    )


def _rows_reached(bench: Workbench, quantities: Told, levels: Sequence[StockLevel]) -> list[int] | None:
    """Give the places of the quantities that the records may change; None: all of them is cheaper."""
    changed = {level.master_sku for level in levels if level.location_id in bench.groundwork.visible}
    if len(changed) * _WORTH_IT > len(quantities):
        return None
    skus = reached(bench, changed)
    if len(skus) * _WORTH_IT > len(quantities):
        return None
    rows = sorted(row for sku in skus for row in quantities.rows_of(sku))
    return rows if len(rows) * _WORTH_IT <= len(quantities) else None


def reached(bench: Workbench, changed: Iterable[str]) -> set[str]:
    """Give the products whose quantities may change with the stock of some, those included."""
    skus = _with_all_made_of(bench, changed)
    if not skus.isdisjoint(bench.ordered_with):
        # Orders that take one product's stock leave less for all that share a part with it.
        skus |= _with_all_made_of(bench, bench.ordered_with)
    return skus


def _with_all_made_of(bench: Workbench, parts: Iterable[str]) -> set[str]:
    skus = set(parts)
    ahead = list(skus)
    while ahead:
        for bundle in bench.groundwork.used_in.get(ahead.pop(), ()):
            if bundle not in skus:
                skus.add(bundle)
                ahead.append(bundle)
    return skus


def _is_plain(ground: Groundwork, level: StockLevel) -> bool:
    """Tell whether a record changes a figure only: not whether there is a record, nor whether it is known."""
    product = ground.numbers.get(level.master_sku)
    if product is None or product in ground.odd:
        return False
    place = ground.place_of(level.location_id)
    known = ground.columns.stock.recorded[place][product]
    figure = ground.figure_of(level)
    return bool(known) and figure is not None and -_LARGEST <= figure <= _LARGEST


def _told_again(bench: Workbench, before: Sequence[ListingQuantity]) -> list[ListingQuantity]:
    """Work out the rows of some listings again, in their order."""
    wanted = {row.listing_sku: row for row in before}
    narrow = bench.over(bench.groundwork.narrowed({row.master_sku for row in before}))
    listings = Listings(
        listing_skus=sorted(wanted),
        master_skus=[wanted[sku].master_sku for sku in sorted(wanted)],
        units=[wanted[sku].units for sku in sorted(wanted)],
    )
    plain = Plain(narrow, bench.cart)
    apart = set(plain.apart(listings))
    told = {
        (row.listing_sku, row.location_id): row
        for number in apart
        for row in bench.rows_of(listings.one(number))
        if not isinstance(row, Skip)
    }
    rest = listings.only([number for number in range(len(listings)) if number not in apart])
    rows, _ = plain.rows_of(rest)
    told |= {(row.listing_sku, row.location_id): row for row in map(rows.row, range(len(rows)))}
    return [told[row.listing_sku, row.location_id] for row in before]
