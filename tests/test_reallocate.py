"""Allocating again after a few records changed gives what allocating everything would give."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omsync import (
    Bundle,
    CartSettings,
    Component,
    InventorySnapshot,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    SalesChannel,
    Sku,
    StockLevel,
    Warehouse,
    allocate,
)
from omsync.allocation import Allocation, again, allocate_by_reference, reallocate
from omsync.errors import SnapshotError
from omsync.testing.case import Case
from omsync.testing.strategies import cases

_MANY = settings(max_examples=150, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")


def in_full(previous: Allocation, changed: list[StockLevel]) -> Allocation:
    """Allocate over the changed reading from the beginning, by the reference engine."""
    bench = previous.workbench
    return allocate_by_reference(
        bench.snapshot.with_levels(changed),
        bench.merchant,
        bench.cart,
        bench.given_orders,
        orders_when=bench.orders_when,
    )


def assert_equal(one: Allocation, other: Allocation) -> None:
    """Compare what is told and why."""
    assert one == other
    for row in other.quantities:
        assert one.explain(row.listing_sku, row.location_id) == other.explain(
            row.listing_sku, row.location_id
        )


def _place(one: StockLevel) -> tuple[str, str]:
    return one.master_sku, one.location_id


@_MANY
@given(cases(), st.data(), st.booleans())
def test_whatever_changes_it_equals_allocating_everything(case: Case, data: st.DataObject, few: bool) -> None:
    levels = list(case.snapshot.levels)
    allocation = case.allocated_by(allocate)
    with pytest.MonkeyPatch.context() as patch:
        if few:
            # So that small merchants take the way of large ones.
            patch.setattr(again, "_WORTH_IT", 0)
        for _ in range(2 if levels else 0):
            chosen = data.draw(
                st.lists(
                    st.sampled_from(levels),
                    max_size=3,
                    unique_by=lambda one: (one.master_sku, one.location_id),
                )
            )
            figures = st.none() | st.integers(-5, 60) | st.just(2**40)
            changed = [evolve(level, available=data.draw(figures)) for level in chosen]
            full = in_full(allocation, changed)
            allocation = reallocate(allocation, changed)
            assert_equal(allocation, full)


def merchant(products: int = 40) -> InventorySnapshot:
    """Make a reading of mugs, of which the first three make a set and that a hamper."""
    skus = [f"MUG-{number:02}" for number in range(products)]
    return InventorySnapshot(
        taken_at=datetime(2026, 11, 25, tzinfo=UTC),
        skus=[Sku(master_sku=sku) for sku in (*skus, "SET", "HAMPER")],
        warehouses=[Warehouse(id="1"), Warehouse(id="2")],
        bundles=[
            Bundle(master_sku="SET", components=[Component(master_sku=sku) for sku in skus[:3]]),
            Bundle(master_sku="HAMPER", components=[Component(master_sku="SET", quantity=2)]),
        ],
        levels=[
            StockLevel(master_sku=sku, location_id="1", available=0 if sku in {"SET", "HAMPER"} else 10)
            for sku in (*skus, "SET", "HAMPER")
        ],
    )


def level(sku: str, figure: int, location_id: str = "1") -> StockLevel:
    """Make a record."""
    return StockLevel(master_sku=sku, location_id=location_id, available=figure)


def told(allocation: Allocation) -> dict[str, int]:
    """Give what each listing is told."""
    return {row.listing_sku: row.quantity for row in allocation.quantities}


def test_a_part_that_runs_out_lowers_the_bundles_made_of_it_and_the_kits_of_those() -> None:
    before = allocate(merchant(), MERCHANT, SHOP)
    assert (told(before)["SET"], told(before)["HAMPER"]) == (10, 5)
    after = reallocate(before, [level("MUG-01", 4)])
    assert (told(after)["MUG-01"], told(after)["SET"], told(after)["HAMPER"]) == (4, 4, 2)
    assert_equal(after, in_full(before, [level("MUG-01", 4)]))
    assert told(before)["SET"] == 10


def test_orders_in_flight_are_spread_anew() -> None:
    before = allocate(merchant(), MERCHANT, SHOP, {"SET": 6, "MUG-07": 1})
    changed = [level("SET", 5)]
    assert_equal(reallocate(before, changed), in_full(before, changed))


def test_what_an_ordered_bundle_takes_from_a_part_reaches_kits_within_kits_of_it() -> None:
    given = merchant(60)
    gift = Bundle(master_sku="GIFT", components=[Component(master_sku="MUG-00")])
    levels = [*given.levels, level("GIFT", 2)]
    snapshot = evolve(
        given, skus=[*given.skus, Sku(master_sku="GIFT")], bundles=[*given.bundles, gift], levels=levels
    )
    before = allocate(snapshot, MERCHANT, SHOP, {"GIFT": 5})
    after = reallocate(before, [level("GIFT", 5)])  # what is on the shelf leaves the mugs alone

    assert (told(before)["HAMPER"], told(after)["HAMPER"]) == (3, 5)
    assert_equal(after, in_full(before, [level("GIFT", 5)]))


def test_a_record_that_was_not_there_is_added() -> None:
    before = allocate(merchant(), MERCHANT, SHOP)
    after = reallocate(before, [level("MUG-05", 7, "2")])
    assert told(after)["MUG-05"] == 17
    assert_equal(after, in_full(before, [level("MUG-05", 7, "2")]))


def test_a_quantity_that_outgrows_four_bytes_is_told_exactly() -> None:
    many = [level("MUG-05", 2**31 - 1), level("MUG-05", 2**31 - 1, "2")]
    before = allocate(merchant().with_levels([level("MUG-05", 1, "2")]), MERCHANT, SHOP)
    assert told(reallocate(before, many))["MUG-05"] == 2 * (2**31 - 1)


def test_another_channels_figure_changes_nothing() -> None:
    snapshot = InventorySnapshot(
        taken_at=datetime(2026, 11, 25, tzinfo=UTC),
        scope="channel",
        skus=[Sku(master_sku="MUG")],
        sales_channels=[SalesChannel(id="1"), SalesChannel(id="2")],
        levels=[level("MUG", 3), level("MUG", 4, "2")],
    )
    channel = MerchantSettings(mode=PerSalesChannel())
    before = allocate(snapshot, channel, CartSettings(name="shop", location="1"))
    assert told(reallocate(before, [level("MUG", 9, "2")])) == {"MUG": 3}


def test_an_allocation_of_the_reference_engine_can_be_gone_on_with() -> None:
    before = allocate_by_reference(merchant(), MERCHANT, SHOP)
    assert told(reallocate(before, [level("MUG-01", 4)]))["SET"] == 4


def test_a_place_that_nobody_knows_and_a_record_given_twice_are_refused() -> None:
    before = allocate(merchant(), MERCHANT, SHOP)
    with pytest.raises(SnapshotError, match="not among the snapshot's warehouses: '9'"):
        reallocate(before, [level("MUG-01", 4, "9")])
    with pytest.raises(SnapshotError, match="given twice"):
        reallocate(before, [level("MUG-01", 4), level("MUG-01", 5)])
