"""Bundles' figures in one meaning: with what the parts make, where one of two snapshots has it so."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, field, frozen

from omsync.allocation import allocate
from omsync.allocation.availability import available
from omsync.model import InventorySnapshot, StockLevel
from omsync.settings import CartSettings, MerchantSettings, PerWarehouse

__all__ = ["Side", "side_of"]


@frozen(kw_only=True)
class Side:
    """One of the two snapshots, with its figures in the common meaning.

    Args:
        snapshot: The snapshot.
        merchant: How its figures are understood.
        bundles: The products that are bundles and were worked out here.
        worked_out: By (bundle, location), shelf units plus what the parts there make.
    """

    snapshot: InventorySnapshot
    merchant: MerchantSettings
    bundles: frozenset[str] = frozenset()
    worked_out: Mapping[tuple[str, str | None], int] = field(factory=dict)

    def available(self, level: StockLevel) -> int | None:
        """Give what may be sold of a record; None where it is not reported or cannot be worked out."""
        if level.master_sku in self.bundles:
            return self.worked_out.get((level.master_sku, level.location_id))
        return available(level, subtract_locked=self.merchant.subtract_locked)

    def total(self, levels: tuple[StockLevel, ...]) -> int | None:
        """Give what may be sold of these records together; None where one of them does not say."""
        figures = [self.available(level) for level in levels]
        return None if None in figures else sum(figure for figure in figures if figure is not None)


def side_of(snapshot: InventorySnapshot, other: InventorySnapshot, merchant: MerchantSettings | None) -> Side:
    """Prepare one snapshot to be compared with the other.

    Where it has bundles' shelf units alone and the other counts what parts make, its bundles are worked
    out at each location, as the engine does for a breakdown.
    """
    mode = merchant.mode if merchant and isinstance(merchant.mode, PerWarehouse) else PerWarehouse()
    reading = MerchantSettings(
        mode=evolve(mode, disabled=(), counted=None),
        subtract_locked=merchant.subtract_locked if merchant else True,
        ignore_inactive=False,
        bundle_quantities="computed" if snapshot.bundles_include_buildable == "no" else "reported",
    )
    plain = Side(snapshot=snapshot, merchant=reading)
    shelf_only = snapshot.bundles_include_buildable == "no" != other.bundles_include_buildable
    if not shelf_only or snapshot.scope != "warehouse":
        return plain
    bundles = frozenset(bundle.master_sku for bundle in snapshot.bundles)
    allocation = allocate(snapshot, reading, CartSettings(name="comparison", breakdown=True, only=bundles))
    # Not the quantity, which ends at 0: a debt is to be seen.
    worked_out = {
        (row.master_sku, row.location_id): sum(
            derivation.work_out().total
            for derivation in allocation.explain(row.listing_sku, row.location_id).rows
        )
        for row in allocation.quantities
    }
    return evolve(plain, bundles=bundles, worked_out=worked_out)
