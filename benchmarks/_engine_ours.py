"""The job as omsync does it: with the standard library, with numpy, and by its executable specification."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain, compress, count
from operator import ne, sub

from _engine_job import (  # type: ignore[import-not-found]  # beside this file, where mypy does not look
    CARTS,
    LOCATIONS,
    Cart,
    Job,
    Pages,
    Quantities,
    rows_of,
)

from omsync import (
    Bundle,
    CartSettings,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    Sku,
    StockLevel,
    Warehouse,
)
from omsync.allocation import allocate_by_reference
from omsync.allocation.columnar import (
    BundleColumns,
    CartColumns,
    Counting,
    StockColumns,
    allocate_columns,
    stock_of,
    totals_of,
)

__all__ = ["Default", "Fast", "Reference", "cart_settings", "code", "snapshot_of"]


class Default:
    """The engine on the standard library alone."""

    with_numpy = False

    def __init__(self, job: Job) -> None:
        self.job = job

    def ingest(self, pages: Pages | None) -> tuple[StockColumns, BundleColumns]:
        """Lay records and bundles out as columns."""
        columns: Iterable[Sequence[Sequence[int]]] = [self.job.records]
        if pages is not None:
            columns = (tuple(zip(*page, strict=True)) for page in pages)
        records = chain.from_iterable(
            zip(product, location, map(sub, on_hand, committed), strict=True)
            for product, location, on_hand, committed in columns
        )
        stock = stock_of(records, products=self.job.products, locations=LOCATIONS)
        return stock, BundleColumns.of_parts(*self.job.bundles)

    def allocate(self, state: tuple[StockColumns, BundleColumns]) -> Quantities:
        """Decide every quantity of every cart."""
        totals = totals_of(*state, with_numpy=self.with_numpy)
        return [
            [row.quantities for row in allocate_columns(totals, self.cart_columns(cart, listings))]
            for cart, listings in zip(CARTS, self.job.listings, strict=True)
        ]

    @staticmethod
    def cart_columns(cart: Cart, listings: array[int]) -> CartColumns:
        """Say what a cart wants."""
        counting = [Counting(locations=row, building=row) for row in rows_of(cart)]
        return CartColumns(products=listings, counting=counting, rules=cart.rules)

    def diff(self, quantities: Quantities) -> int:
        """Find what differs from the last run."""
        return sum(
            len(array("q", compress(count(), map(ne, before, now))))
            for befores, nows in zip(self.job.previous, quantities, strict=True)
            for before, now in zip(befores, nows, strict=True)
        )


class Fast(Default):
    """The engine with numpy on the same buffers."""

    with_numpy = True

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        import numpy as np

        self.np = np

    def diff(self, quantities: Quantities) -> int:
        """Find what differs from the last run."""
        np = self.np
        return sum(
            len(np.flatnonzero(np.frombuffer(before, dtype=np.int32) != np.frombuffer(now, dtype=np.int32)))
            for befores, nows in zip(self.job.previous, quantities, strict=True)
            for before, now in zip(befores, nows, strict=True)
        )


class Reference(Default):
    """The executable specification: values and text, one listing after another."""

    def ingest(self, pages: Pages | None) -> InventorySnapshot:  # type: ignore[override]  # a reading, no columns
        """Make values of the records."""
        return snapshot_of(self.job, pages)

    def allocate(self, snapshot: InventorySnapshot) -> Quantities:  # type: ignore[override]  # as above
        """Decide every quantity of every cart."""
        merchant = MerchantSettings(mode=PerWarehouse())
        told: Quantities = []
        for cart, listings in zip(CARTS, self.job.listings, strict=True):
            allocation = allocate_by_reference(snapshot, merchant, cart_settings(cart, listings))
            by_place = {(row.listing_sku, row.location_id): row.quantity for row in allocation.quantities}
            places = [str(row[0]) for row in rows_of(cart)] if cart.breakdown else [None]
            told.append(
                [array("i", [by_place.get((code(one), place), 0) for one in listings]) for place in places]
            )
        return told


def code(product: int) -> str:
    """Give a product's master SKU."""
    return f"SKU-{product:08d}"


def cart_settings(cart: Cart, listings: array[int]) -> CartSettings:
    """Write down what a cart wants."""
    return CartSettings(
        name="shop",
        only=frozenset(map(code, listings)),
        location=None if cart.breakdown else tuple(map(str, cart.locations)),
        breakdown=cart.breakdown,
        rules=cart.rules,
    )


def snapshot_of(job: Job, pages: Pages | None = None) -> InventorySnapshot:
    """Make a reading of the job's records."""
    records = chain.from_iterable(pages) if pages is not None else zip(*job.records, strict=True)
    return InventorySnapshot(
        taken_at=datetime(2026, 11, 25, tzinfo=UTC),
        skus=[Sku(master_sku=code(product)) for product in range(job.products)],
        warehouses=[Warehouse(id=str(number)) for number in range(LOCATIONS)],
        bundles=[
            Bundle(
                master_sku=code(bundle),
                components=[Component(master_sku=code(part), quantity=need) for part, need in parts.items()],
            )
            for bundle, parts in job.recipes().items()
        ],
        levels=[
            StockLevel(
                master_sku=code(product), location_id=str(location), on_hand=on_hand, committed=committed
            )
            for product, location, on_hand, committed in records
        ],
    )
