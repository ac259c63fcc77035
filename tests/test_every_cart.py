"""One merchant, every cart: what shoppers may buy in the end is what ``allocate`` says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve
from cart_benches import BENCHES, Bench
from fake_memory import FakeClock
from small_merchant import reading

from omsync import (
    Alias,
    CartSettings,
    MerchantSettings,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
    SyncReport,
    aio,
    allocate,
    sync_cart,
)
from omsync.errors import SettingsError
from omsync.ledgers.sqlite import SqliteLedger

MERCHANT = MerchantSettings(mode=PerWarehouse(disabled={"Amazon FBA US"}))
SNAPSHOT = evolve(
    reading(
        {
            "MUG": {"1": 10, "3": 7, "2": 99},
            "SPOON": {"1": 13, "3": 2},
            "PLATE": {"1": 0, "3": 0},
            "GIFT-SET": {"1": 3},
            "CASE": {"1": 25, "3": 0},
            "OWED": {"1": -4, "3": 1},
            "UNRECORDED": {},
        },
        bundles={"GIFT-SET": {"MUG": 1, "SPOON": 2}},
    ),
    aliases=[
        Alias(master_sku="MUG", name="Shop", listing_sku="mug-red"),
        Alias(master_sku="SPOON", name="Shop", listing_sku="0017"),
        Alias(master_sku="PLATE", name="Shop", listing_sku="plate & bowl, 24 cm"),
        Alias(master_sku="GIFT-SET", name="Shop", listing_sku="GIFT/SET"),
        Alias(master_sku="CASE", name="Shop", listing_sku="CASE-12", units=12),
        Alias(master_sku="OWED", name="Shop", listing_sku="OWED"),
        Alias(master_sku="UNRECORDED", name="Shop", listing_sku="UNRECORDED"),
    ],
)
LISTINGS = [alias.listing_sku for alias in SNAPSHOT.aliases]
COMBINED = CartSettings(
    name="shop",
    alias="Shop",
    rules=QuantityRules(percent=90, zero_below=2),
    overrides={"SPOON": SkuOverride(rules=QuantityRules(max_quantity=5))},
)


def sync(bench: Bench, cart: CartSettings, ledger: SqliteLedger, *, awaiting: bool = False) -> SyncReport:
    if awaiting:
        return asyncio.run(
            aio.sync_cart(SNAPSHOT, bench.sink, cart, merchant=MERCHANT, ledger=ledger, clock=FakeClock())
        )
    return sync_cart(SNAPSHOT, bench.sink, cart, merchant=MERCHANT, ledger=ledger, clock=FakeClock())


def wanted(cart: CartSettings) -> Mapping[tuple[str, str | None], int]:
    quantities = allocate(SNAPSHOT, MERCHANT, cart).quantities
    return {(row.listing_sku, row.location_id): row.quantity for row in quantities}


def shown(bench: Bench, desired: Mapping[tuple[str, str | None], int]) -> dict[tuple[str, str | None], int]:
    """Look into the cart; where it keeps no level at a location, nobody can buy there."""
    return {key: units or 0 for key, units in bench.shown(desired).items()}


@pytest.mark.parametrize("awaiting", [False, True], ids=["blocking", "awaiting"])
@pytest.mark.parametrize("name", BENCHES)
def test_the_cart_shows_what_was_allocated_and_a_second_run_finds_nothing_to_do(
    name: str, awaiting: bool, tmp_path: Path
) -> None:
    bench = BENCHES[name](LISTINGS, tmp_path)
    if not bench.combines:
        with SqliteLedger(":memory:") as ledger, pytest.raises(SettingsError, match="wants a location"):
            sync(bench, COMBINED, ledger)
        return
    bench.order("mug-red")
    desired = wanted(COMBINED)
    assert set(desired.values()) >= {0, 5, 8}
    with SqliteLedger(":memory:") as ledger:
        report = sync(bench, COMBINED, ledger, awaiting=awaiting)
        bench.settle()
        assert report.status == "success", report.outcomes
        assert shown(bench, desired) == desired
        again = sync(bench, COMBINED, ledger, awaiting=awaiting)
        bench.settle()
        third = sync(bench, COMBINED, ledger, awaiting=awaiting)
    assert {one.outcome for one in again.outcomes} <= {"unchanged", "skipped"}
    assert {one.outcome for one in third.outcomes} <= {"unchanged", "skipped"}
    assert shown(bench, desired) == desired
    assert {one.reason for one in report.outcomes if one.outcome == "skipped"} == {"no_stock_record"}


@pytest.mark.parametrize("name", BENCHES)
def test_a_breakdown_goes_to_the_carts_own_locations(name: str, tmp_path: Path) -> None:
    bench = BENCHES[name](LISTINGS, tmp_path)
    if not bench.places:
        cart = evolve(COMBINED, breakdown=True)
        with SqliteLedger(":memory:") as ledger, pytest.raises(SettingsError, match="no locations"):
            sync(bench, cart, ledger)
        return
    here, there = bench.places
    cart = evolve(COMBINED, breakdown=True, location_map={"Reno DC": here, "Harbor 3PL": there})
    desired = wanted(cart)
    assert {place for _, place in desired} == {here, there}
    with SqliteLedger(":memory:") as ledger:
        report = sync(bench, cart, ledger)
        bench.settle()
        assert shown(bench, desired) == desired
        again = sync(bench, cart, ledger)
    assert report.status == "success", report.outcomes
    assert {one.outcome for one in again.outcomes} <= {"unchanged", "skipped"}


@pytest.mark.parametrize("name", BENCHES)
def test_capabilities_are_known_before_anything_is_called_and_hold_no_secret(
    name: str, tmp_path: Path
) -> None:
    bench = BENCHES[name](LISTINGS, tmp_path)
    assert bench.sink.capabilities == bench.sink.capabilities
    assert "secret" not in f"{bench.sink!r}{bench.sink.capabilities!r}"
    assert "-test-token" not in repr(bench.sink)
