"""The founding document, sentence by sentence, end to end: an order manager, a ledger, and files as carts.

``docs/founding-document.md`` says which sentence each test shows. Everything runs the way a user's script
does: through the public functions, against the sandbox, looking at the carts' files and at the ledger.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
from fake_memory import START, FakeClock

from omsync import (
    CartSettings,
    Frequency,
    InventorySnapshot,
    MerchantSettings,
    OmsyncError,
    PerSalesChannel,
    PerWarehouse,
    SkuOverride,
    SyncReport,
    allocate,
    load_settings,
    product_view,
    read_inventory,
    sync_cart,
    sync_carts,
)
from omsync.http.messages import Request
from omsync.http.pacing import Pace
from omsync.ledgers.sqlite import SqliteLedger
from omsync.sinks.files import CsvCart, JsonlCart
from omsync.sources.extensiv import ExtensivOrderManager, estimate_read
from omsync.testing import (
    Catalog,
    CatalogListing,
    CatalogProduct,
    Fault,
    OrderManagerSandbox,
    Throttle,
    demo_merchant,
    generated_merchant,
)

RENO, OHIO, FBA, TEXAS = 701, 702, 703, 704
WOO, WHOLESALE = 44, 45
BY_WAREHOUSE = MerchantSettings(name="juniper", mode=PerWarehouse(disabled={"Amazon FBA US"}))
EVERYWHERE = MerchantSettings(
    name="juniper", mode=PerWarehouse(counted={"Reno DC", "Ohio DC", "Amazon FBA US", "Texas 3PL"})
)
"""The marketplace's warehouse counts only where it is named."""
BY_CHANNEL = MerchantSettings(name="juniper-channels", mode=PerSalesChannel())
SHOP = CartSettings(name="shop")
WOO_CART = CartSettings(name="woo", alias="Woo store", location="Woo store")
SLOW = Pace(per_second=0.2)
"""One call in five seconds: what accounts of the order manager are known to be given."""


class Merchant:
    """A merchant's order manager, ledger and folder of carts, at a clock that never waits."""

    def __init__(
        self, folder: Path, catalog: Catalog | None = None, *, throttle: Throttle | None = None
    ) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.sandbox = OrderManagerSandbox(
            catalog, throttle=throttle, clock=self.clock.now, monotonic=self.clock.monotonic
        )
        self.source = ExtensivOrderManager(
            self.sandbox.token, handler=self.sandbox.handle, acknowledge="exclusive"
        )
        self.ledger = SqliteLedger(folder / "omsync.db", now=self.clock.now)

    def read(self, merchant: MerchantSettings = BY_WAREHOUSE) -> InventorySnapshot:
        """Run the first leg."""
        return read_inventory(self.source, merchant, ledger=self.ledger, clock=self.clock)

    def push(self, cart: CartSettings, merchant: MerchantSettings = BY_WAREHOUSE) -> SyncReport:
        """Run the second leg, from the last read."""
        return sync_cart(None, self.file(cart), cart, merchant=merchant, ledger=self.ledger, clock=self.clock)

    def sync(self, cart: CartSettings, merchant: MerchantSettings = BY_WAREHOUSE) -> SyncReport:
        """Run both legs."""
        return sync_cart(
            self.source, self.file(cart), cart, merchant=merchant, ledger=self.ledger, clock=self.clock
        )

    def file(self, cart: CartSettings) -> CsvCart:
        """Give the file that is the cart."""
        return CsvCart(self.folder / f"{cart.name}.csv")

    def rows(self, cart: CartSettings) -> Mapping[tuple[str, str], int]:
        """Give what the cart's file holds, by listing and location, as any program would read it."""
        with (self.folder / f"{cart.name}.csv").open(newline="", encoding="utf-8") as file:
            return {
                (row["listing_sku"], row["location"]): int(row["quantity"]) for row in csv.DictReader(file)
            }

    def shown(self, cart: CartSettings) -> Mapping[str, int]:
        """Give the same for a cart without locations."""
        assert {location for _, location in self.rows(cart)} == {""}
        return {listing: quantity for (listing, _), quantity in self.rows(cart).items()}

    def calls(self) -> Counter[str]:
        """Count the calls of each kind so far."""
        return Counter(one.path for one in self.sandbox.requests)


@pytest.fixture
def juniper(tmp_path: Path) -> Iterator[Merchant]:
    """The demo merchant."""
    merchant = Merchant(tmp_path)
    with merchant.ledger:
        yield merchant


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[OmsyncError]]:
    """Expect an error of this code."""
    with pytest.raises(OmsyncError) as caught:
        yield caught
    assert caught.value.code == code


def in_warehouse(warehouse_id: int) -> Mapping[str, int]:
    """Give what the demo merchant has available in a warehouse, straight from the catalogue."""
    units: Counter[str] = Counter()
    for record in demo_merchant().stock:
        if record.warehouse_id == warehouse_id:
            units[record.master_sku] += record.available
    return units


def plain(skus: Mapping[str, int]) -> Mapping[str, int]:
    """Leave out bundles, and what is switched off."""
    odd = {one.master_sku for one in demo_merchant().products if one.components or not one.active}
    return {sku: units for sku, units in skus.items() if sku not in odd}


# How to enable inventory sync


def test_the_first_leg_reads_products_listings_warehouses_and_stock_over_http() -> None:
    sandbox = OrderManagerSandbox()
    with sandbox.serve() as server:
        snapshot = read_inventory(ExtensivOrderManager(sandbox.token, base_url=server.base_url), BY_WAREHOUSE)

    catalog = demo_merchant()
    assert {sku.master_sku for sku in snapshot.skus} == {one.master_sku for one in catalog.products}
    assert {alias.listing_sku for alias in snapshot.aliases} == {one.listing_sku for one in catalog.listings}
    assert {place.name for place in snapshot.warehouses} == {one.name for one in catalog.warehouses}
    assert {(level.master_sku, level.location_id) for level in snapshot.levels} == {
        (one.master_sku, str(one.warehouse_id)) for one in catalog.stock
    }


def test_the_merchants_frequency_is_a_line_of_the_settings_and_says_when_a_read_is_due(
    juniper: Merchant,
) -> None:
    file = juniper.folder / "omsync.toml"
    file.write_text(
        '[merchant]\nname = "juniper"\nmode = { per = "warehouse" }\nfrequency = "every 2 hours"\n'
    )
    merchant = load_settings(file).merchant
    assert merchant.frequency == Frequency.every(hours=2)

    def is_due() -> bool:
        return merchant.frequency is not None and merchant.frequency.is_due(
            juniper.ledger.status("juniper").started_at, juniper.clock.now()
        )

    assert is_due()  # it never ran
    juniper.read(merchant)
    juniper.clock.sleep(119 * 60)
    assert not is_due()
    juniper.clock.sleep(60)
    assert is_due()


def test_a_cart_waits_for_a_read_that_completed(juniper: Merchant) -> None:
    juniper.sandbox.add_faults(Fault(on="GET /v1/listings", nth=1, kind="truncated_json"))
    with refused("not_json"):
        juniper.read()
    with refused("no_complete_read"):
        juniper.push(SHOP)
    assert not juniper.file(SHOP).path.exists()

    juniper.sandbox.clear_faults()
    juniper.read()
    assert juniper.push(SHOP).counts["applied"] == 25


def test_a_read_on_demand_is_a_call_at_any_time(juniper: Merchant) -> None:
    merchant = MerchantSettings(name="juniper", mode=PerWarehouse(), frequency=Frequency.every(hours=12))
    juniper.read(merchant)
    juniper.sandbox.set_stock("CANDLE-JN", OHIO, on_hand=3, committed=0)
    juniper.clock.sleep(60)
    assert merchant.frequency is not None
    assert not merchant.frequency.is_due(juniper.ledger.status("juniper").started_at, juniper.clock.now())

    snapshot = juniper.read(merchant)
    assert [level.available for level in snapshot.levels.of("CANDLE-JN")] == [3]


def test_a_read_more_often_than_hourly_is_refused_unless_it_is_allowed_by_name() -> None:
    hourly, more_often = Frequency.every(hours=1), Frequency.every(minutes=59)
    assert MerchantSettings(mode=PerWarehouse(), frequency=hourly).frequency == hourly
    with refused("frequency_under_an_hour"):
        MerchantSettings(mode=PerWarehouse(), frequency=more_often)
    with refused("frequency_under_an_hour"):
        MerchantSettings(mode=PerWarehouse(), frequency=Frequency.daily("06:00", "06:30"))
    allowed = MerchantSettings(mode=PerWarehouse(), frequency=more_often, allow_under_an_hour=True)
    assert allowed.frequency == more_often


def test_the_first_read_takes_the_longer_the_more_products_there_are(tmp_path: Path) -> None:
    took: dict[int, timedelta] = {}
    for products in (100, 1_000):
        folder = tmp_path / str(products)
        folder.mkdir()
        merchant = Merchant(
            folder, generated_merchant(products=products), throttle=Throttle(bucket=1, per_second=0.2)
        )
        with merchant.ledger as ledger:
            merchant.read()
            took[products] = ledger.status("juniper").duration or timedelta()
    assert took[1_000] > timedelta(minutes=1)
    assert took[1_000] > 2 * took[100]


def test_a_first_read_of_hours_is_foretold() -> None:
    estimate = estimate_read(50_000, 5, 3, SLOW)
    assert timedelta(hours=3) < estimate.warehouse_first.duration < timedelta(hours=4)
    assert "first 3,260 calls, about 3.5 h" in str(estimate)
    assert estimate_read(1_000, 5, 3, SLOW).warehouse_first.duration < timedelta(minutes=10)


def test_a_read_says_how_far_it_is(juniper: Merchant) -> None:
    told: list[tuple[str, int]] = []
    read_inventory(
        juniper.source,
        BY_WAREHOUSE,
        clock=juniper.clock,
        on_progress=lambda stage, done, _: told.append((stage, done)),
    )
    assert {stage for stage, _ in told} >= {"products", "listings", "stock"}
    assert max(done for stage, done in told if stage == "products") == 30


def test_the_ledger_confirms_that_a_read_has_completed(juniper: Merchant) -> None:
    assert juniper.ledger.status("juniper").finished_at is None
    juniper.clock.sleep(30)
    juniper.read()
    run = juniper.ledger.status("juniper")
    assert run.started_at == START + timedelta(seconds=30)
    assert run.finished_at == juniper.clock.now()
    assert run.counts["products"] == 30


def test_the_last_run_of_the_merchant_and_of_every_cart_can_be_looked_up(juniper: Merchant) -> None:
    assert juniper.ledger.status("juniper").status == "never"
    juniper.read()
    juniper.push(SHOP)
    juniper.clock.sleep(3600)
    juniper.read()

    looked_up = {(run.cart, run.status) for run in juniper.ledger.statuses("juniper")}
    assert looked_up == {(None, "success"), ("shop", "success")}
    newest, oldest = juniper.ledger.runs("juniper")
    assert newest == juniper.ledger.status("juniper")
    assert newest.started_at is not None
    assert newest.started_at - timedelta(hours=1) == oldest.started_at


def test_success_is_the_status_of_a_read_that_completed_and_of_no_other(juniper: Merchant) -> None:
    juniper.read()
    assert juniper.ledger.status("juniper").status == "success"

    juniper.sandbox.add_faults(Fault(on="GET /v1/productstocks/total", nth=2, kind="status", status=401))
    with refused("unauthorized"):
        juniper.read()
    failed = juniper.ledger.status("juniper")
    assert (failed.status, failed.code) == ("failed", "unauthorized")


def test_a_read_under_way_is_in_progress_since_its_beginning(juniper: Merchant) -> None:
    seen: set[str] = set()

    def look(*_: object) -> None:
        with SqliteLedger(juniper.folder / "omsync.db", now=juniper.clock.now) as somebody_elses:
            run = somebody_elses.status("juniper")
            assert (run.status, run.finished_at) == ("in_progress", None)
            seen.add(str(run))

    read_inventory(juniper.source, BY_WAREHOUSE, ledger=juniper.ledger, clock=juniper.clock, on_progress=look)
    assert seen == {"juniper (order manager): in progress since 2026-03-02 08:00:00Z"}


def test_every_cart_has_settings_of_its_own_and_can_be_switched_off(juniper: Merchant) -> None:
    edi = CartSettings(name="edi", alias="Wholesale portal", breakdown=True)
    closed = CartSettings(name="closed", enabled=False)
    carts = [(juniper.file(cart), cart) for cart in (SHOP, edi, closed)]
    shop_run, edi_run, closed_run = sync_carts(
        juniper.source, carts, merchant=BY_WAREHOUSE, ledger=juniper.ledger, clock=juniper.clock
    )

    assert shop_run.counts["applied"] == len(juniper.shown(SHOP)) == 25
    assert edi_run.counts["applied"] == len(juniper.rows(edi))
    assert ("810012340012", str(RENO)) in juniper.rows(edi)
    assert closed_run.status == juniper.ledger.status("juniper", "closed").status == "disabled"
    assert not juniper.file(closed).path.exists()
    assert juniper.calls()["/v1/warehouses"] == 1  # one read for all of them


def test_the_two_questions_are_two_settings_that_go_with_each_other_freely(juniper: Merchant) -> None:
    juniper.read()
    told = {}
    for alias in (None, "Woo store"):
        for location in (None, "Ohio DC"):
            cart = CartSettings(name=f"{alias} {location}", alias=alias, location=location)
            juniper.push(cart)
            told[alias, location] = juniper.shown(cart)["MUG-01" if alias is None else "woo-mug-green"]
    assert told == {
        (None, None): 44 + 15,
        (None, "Ohio DC"): 15,
        ("Woo store", None): 44 + 15,
        ("Woo store", "Ohio DC"): 15,
    }


def test_a_cart_knows_products_by_master_sku_or_by_the_listing_skus_of_its_alias(juniper: Merchant) -> None:
    by_alias = CartSettings(name="by-alias", alias="Woo store")
    juniper.read()
    juniper.push(SHOP)
    juniper.push(by_alias)

    known = {
        one.listing_sku: one.master_sku
        for one in demo_merchant().listings
        if one.channel_id == WOO and one.active
    }
    listed = juniper.shown(by_alias)
    assert set(juniper.shown(SHOP)) <= {one.master_sku for one in demo_merchant().products}
    assert set(listed) <= set(known)
    assert listed["woo-kettle"] == 7
    assert {listing: juniper.shown(SHOP)[known[listing]] for listing in listed} == dict(listed)


def test_a_cart_takes_the_stock_of_all_warehouses_or_of_only_one(juniper: Merchant) -> None:
    only_ohio = CartSettings(name="ohio", location="Ohio DC")
    juniper.read(EVERYWHERE)
    juniper.push(SHOP, EVERYWHERE)
    juniper.push(only_ohio, EVERYWHERE)

    total: Counter[str] = Counter()
    for warehouse in (RENO, OHIO, FBA, TEXAS):
        total.update(in_warehouse(warehouse))
    for sku, units in plain(total).items():
        assert juniper.shown(SHOP)[sku] == units
    assert plain(juniper.shown(only_ohio)) == {
        sku: max(0, in_warehouse(OHIO).get(sku, 0)) for sku in plain(total)
    }


def test_both_answers_and_the_cart_are_written_in_the_settings_file(juniper: Merchant) -> None:
    file = juniper.folder / "omsync.toml"
    file.write_text(
        """
        [merchant]
        name = "juniper"
        mode = { per = "warehouse", disabled = ["Amazon FBA US"] }
        [[cart]]
        name = "portal"
        alias = "Wholesale portal"
        location = "Reno DC"
        """
    )
    settings = load_settings(file)
    cart = settings.cart("portal")
    juniper.sync(cart, settings.merchant)
    assert juniper.shown(cart)["810012340012"] == 44

    file.write_text(file.read_text().replace("alias =", "alais ="))
    with refused("settings_file") as caught:
        load_settings(file)
    assert "did you mean 'alias'" in str(caught.value)


def test_sync_inventory_alias_is_the_exact_name_or_id_of_an_alias(juniper: Merchant) -> None:
    juniper.read()
    by_name = CartSettings(name="by-name", alias="Wholesale portal")
    by_id = CartSettings(name="by-id", alias=str(WHOLESALE))
    juniper.push(by_name)
    juniper.push(by_id)
    assert juniper.shown(by_name) == juniper.shown(by_id)
    assert juniper.shown(by_name)["810012340203"] == in_warehouse(TEXAS)["TOWEL-LN"]

    with refused("unknown_alias") as caught:
        juniper.push(CartSettings(name="renamed", alias="Wholesale Portal"))
    assert "Wholesale portal" in str(caught.value)


def test_sync_inventory_with_warehouse_is_one_id_or_exact_name_or_several(juniper: Merchant) -> None:
    juniper.read()
    told = {}
    for location in (None, "Texas 3PL", str(TEXAS), ("Texas 3PL", "Reno DC")):
        cart = CartSettings(name=f"{location}", location=location)
        juniper.push(cart)
        told[location] = juniper.shown(cart)["MUG-02"]
    assert told == {None: 59, "Texas 3PL": 40, str(TEXAS): 40, ("Texas 3PL", "Reno DC"): 59}

    with refused("unknown_location") as caught:
        juniper.push(CartSettings(name="closed", location="Utah DC"))
    assert all(one.name in str(caught.value) for one in demo_merchant().warehouses)


def test_a_cart_is_pushed_at_its_own_frequency_from_the_last_read(juniper: Merchant) -> None:
    cart = CartSettings(name="shop", frequency=Frequency.every(minutes=15))
    assert cart.frequency is not None
    juniper.read()
    asked = len(juniper.sandbox.requests)
    juniper.push(cart)
    assert len(juniper.sandbox.requests) == asked  # the second leg asks the order manager nothing

    began = juniper.ledger.status("juniper", "shop").started_at
    assert not cart.frequency.is_due(began, juniper.clock.now() + timedelta(minutes=14))
    assert cart.frequency.is_due(began, juniper.clock.now() + timedelta(minutes=15))


def test_once_both_legs_have_their_frequency_a_change_reaches_the_cart(juniper: Merchant) -> None:
    hourly, quarterly = Frequency.every(hours=1), Frequency.every(minutes=15)

    def cron_line() -> None:
        now, ledger = juniper.clock.now(), juniper.ledger
        if hourly.is_due(ledger.status("juniper").started_at, now):
            juniper.read()
        if quarterly.is_due(ledger.status("juniper", "shop").started_at, now):
            juniper.push(SHOP)

    cron_line()
    assert juniper.shown(SHOP)["CANDLE-JN"] == 31
    juniper.sandbox.set_stock("CANDLE-JN", OHIO, committed=10)
    seen = []
    for _ in range(12):
        juniper.clock.sleep(5 * 60)
        cron_line()
        seen.append(juniper.shown(SHOP)["CANDLE-JN"])
    assert seen == [31] * 11 + [23]
    assert len(juniper.ledger.runs("juniper")) == 2
    assert len(juniper.ledger.runs("juniper", "shop")) == 5


# How to view inventory sync data


def test_the_newest_figures_can_be_viewed_without_asking_the_order_manager(juniper: Merchant) -> None:
    with refused("no_complete_read"):
        product_view(juniper.ledger, BY_WAREHOUSE)
    juniper.read()
    asked = len(juniper.sandbox.requests)
    view = product_view(juniper.ledger, BY_WAREHOUSE)
    assert view.taken_at == START
    assert len(view) == 30
    assert len(juniper.sandbox.requests) == asked


def test_the_view_follows_every_read_by_itself(juniper: Merchant) -> None:
    juniper.read()
    juniper.sandbox.set_stock("TOWEL-LN", TEXAS, on_hand=50, committed=1)
    juniper.sandbox.add_product(CatalogProduct(master_sku="NEW-01", name="Just in"))
    juniper.clock.sleep(3600)
    juniper.read()

    view = product_view(juniper.ledger, BY_WAREHOUSE)
    assert view.taken_at == START + timedelta(hours=1)
    assert [row.counted_available for row in view.find("towel-ln")] == [49]
    assert [row.sku.name for row in view.find("NEW-01")] == ["Just in"]


def test_the_view_is_rows_a_table_csv_and_json(juniper: Merchant) -> None:
    juniper.read()
    view = product_view(juniper.ledger, BY_WAREHOUSE)
    skus = [row.master_sku for row in view]
    assert skus == sorted(one.master_sku for one in demo_merchant().products)
    assert [row["master_sku"] for row in csv.DictReader(view.to_csv().splitlines())] == skus
    assert [row["sku"]["master_sku"] for row in json.loads(view.to_json())["products"]] == skus
    for line in ("MUG-OLD (inactive)", "Amazon FBA US *", "* not counted when combining"):
        assert line in str(view)


def test_the_view_lists_every_master_sku_with_all_its_listing_skus(juniper: Merchant) -> None:
    juniper.read()
    catalog = demo_merchant()
    names = {channel.channel_id: channel.name for channel in catalog.channels}
    view = product_view(juniper.ledger, BY_WAREHOUSE)
    assert {row.master_sku for row in view} == {one.master_sku for one in catalog.products}
    assert {(row.master_sku, alias.name, alias.listing_sku) for row in view for alias in row.aliases} == {
        (one.master_sku, names[one.channel_id], one.listing_sku) for one in catalog.listings
    }
    assert "Wholesale portal: 810012340012, Woo store: woo-mug-green" in str(view)


def test_the_view_has_on_hand_and_available_of_each_product_in_each_warehouse(juniper: Merchant) -> None:
    juniper.read()
    on_hand: Counter[tuple[str, str]] = Counter()
    available: Counter[tuple[str, str]] = Counter()
    for record in demo_merchant().stock:
        on_hand[record.master_sku, str(record.warehouse_id)] += record.on_hand
        available[record.master_sku, str(record.warehouse_id)] += record.available
    figures = {
        (row.master_sku, figure.location_id): figure
        for row in product_view(juniper.ledger, BY_WAREHOUSE)
        for figure in row.figures
    }
    assert {key: figure.on_hand for key, figure in figures.items()} == dict(on_hand)
    assert {key: figure.available for key, figure in figures.items()} == dict(available)
    assert {figure.location for figure in figures.values() if not figure.counted} == {"Amazon FBA US"}


def test_the_view_totals_each_product_over_all_and_over_the_counted_warehouses(juniper: Merchant) -> None:
    juniper.read()
    (mug,) = (row for row in product_view(juniper.ledger, BY_WAREHOUSE) if row.master_sku == "MUG-01")
    assert (mug.total_on_hand, mug.total_available) == (50 + 16 + 60, 44 + 15 + 52)
    assert (mug.counted_on_hand, mug.counted_available) == (50 + 16, 44 + 15)
    lines = {
        row["master_sku"]: row["total available"]
        for row in csv.DictReader(product_view(juniper.ledger, BY_WAREHOUSE).to_csv().splitlines())
    }
    assert lines["MUG-01"] == "111"
    assert lines["GRINDER-X"] == ""  # recorded nowhere, which is not 0


def test_the_view_shows_the_products_details(juniper: Merchant) -> None:
    juniper.read()
    (row,) = product_view(juniper.ledger, BY_WAREHOUSE).find("KETTLE-GN")
    assert row.sku.description == "Gooseneck kettle, by Juniper & Kettle."
    assert (row.sku.weight_oz, row.sku.length_in, row.sku.upc) == (41.5, 11.0, "810012340098")
    (line,) = (
        line
        for line in csv.DictReader(product_view(juniper.ledger, BY_WAREHOUSE).to_csv().splitlines())
        if line["master_sku"] == "KETTLE-GN"
    )
    assert (line["description"], line["weight_oz"]) == (row.sku.description, "41.5")


# Bundles


def test_a_bundle_is_synced_once_it_has_a_stock_record(juniper: Merchant) -> None:
    before = juniper.sync(SHOP)
    assert "STARTER-SET" not in juniper.shown(SHOP)  # neither a quantity nor a 0
    assert {one.reason for one in before.outcomes if one.master_sku == "STARTER-SET"} == {
        "bundle_without_stock_record"
    }

    juniper.sandbox.create_stock_record("STARTER-SET", RENO, on_hand=0)
    juniper.sync(SHOP)
    assert juniper.shown(SHOP)["STARTER-SET"] == min(18, 46)


def test_a_record_of_0_is_enough_for_a_bundle_that_is_never_pre_assembled(juniper: Merchant) -> None:
    juniper.sync(SHOP)
    assert in_warehouse(RENO)["BREW-KIT"] == in_warehouse(OHIO)["BREW-KIT"] == 0
    assert juniper.shown(SHOP)["BREW-KIT"] == min(18, 10, 46 // 2) + min(10, 3, 13 // 2)


def test_a_bundle_is_its_pre_assembled_units_plus_what_its_components_make(juniper: Merchant) -> None:
    report = juniper.sync(SHOP)
    assert juniper.shown(SHOP)["GIFT-SET"] == 3 + min(44, 13 // 2)
    assert str(report.explain("GIFT-SET")).startswith(
        "GIFT-SET: 9 = 3 on the shelf + 6 built in Reno DC (701) (bottleneck SPOON-02: 13 // 2)"
    )

    juniper.sandbox.set_stock("GIFT-SET", RENO, on_hand=5)
    juniper.sandbox.set_stock("SPOON-02", RENO, on_hand=6)
    juniper.sync(SHOP)
    assert juniper.shown(SHOP)["GIFT-SET"] == 5 + 2


def test_by_channel_components_are_not_added_to_figures_that_may_include_them(juniper: Merchant) -> None:
    report = juniper.sync(WOO_CART, BY_CHANNEL)
    assert juniper.shown(WOO_CART)["gift-set-us"] == 9  # the order manager's own 3 + 6
    assert "bundles_reported" in {notice.reason for notice in report.notices}


def test_a_bundle_without_a_record_is_told_how_to_get_one(juniper: Merchant) -> None:
    juniper.sync(SHOP)
    (outcome,) = (one for one in juniper.push(SHOP).outcomes if one.reason == "bundle_without_stock_record")
    steps = ["Inventory tab", "click the bundle", "warehouse", "New Stock", "type in 0 as On Hand"]
    places = [outcome.message.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)
    assert "'STARTER-SET'" in outcome.message


def test_a_bundle_is_built_in_the_warehouse_where_its_record_was_created(juniper: Merchant) -> None:
    juniper.sandbox.create_stock_record("STARTER-SET", OHIO, on_hand=0)
    breakdown = CartSettings(name="breakdown", breakdown=True)
    juniper.sync(SHOP)
    juniper.push(breakdown)
    assert juniper.shown(SHOP)["STARTER-SET"] == min(10, 13)  # Reno's 18 drippers are left alone
    rows = juniper.rows(breakdown)
    assert rows["STARTER-SET", str(OHIO)] == 10
    assert rows.get(("STARTER-SET", str(RENO)), 0) == 0


def test_typing_in_more_than_0_would_count_the_same_units_twice(juniper: Merchant) -> None:
    juniper.sandbox.create_stock_record("STARTER-SET", RENO, on_hand=18)  # what the parts make anyway
    juniper.sync(SHOP)
    assert juniper.shown(SHOP)["STARTER-SET"] == 18 + 18
    juniper.sandbox.set_stock("STARTER-SET", RENO, on_hand=0)
    juniper.sync(SHOP)
    assert juniper.shown(SHOP)["STARTER-SET"] == 18


# Inventory sync mode


def test_one_account_is_loaded_by_channel_and_by_warehouse(juniper: Merchant) -> None:
    by_warehouse, by_channel = juniper.read(BY_WAREHOUSE), juniper.read(BY_CHANNEL)
    assert (by_warehouse.scope, by_channel.scope) == ("warehouse", "channel")
    assert set(by_warehouse.levels.location_ids) == {str(one) for one in (RENO, OHIO, FBA, TEXAS)}
    assert set(by_channel.levels.location_ids) == {str(WOO), str(WHOLESALE)}
    with refused("mode_mismatch"):
        allocate(by_channel, BY_WAREHOUSE, SHOP)


def test_the_mode_is_a_line_of_the_merchants_settings(tmp_path: Path) -> None:
    file = tmp_path / "omsync.toml"
    for written, mode in (("warehouse", PerWarehouse()), ("sales_channel", PerSalesChannel())):
        file.write_text(f'[merchant]\nmode = {{ per = "{written}" }}\n')
        assert load_settings(file).merchant.mode == mode
    file.write_text('[merchant]\nname = "undecided"\n')
    with refused("settings_file"):
        load_settings(file)


# Inventory by sales channel


def test_by_channel_no_warehouse_is_seen(juniper: Merchant) -> None:
    snapshot = juniper.read(BY_CHANNEL)
    assert juniper.calls().keys().isdisjoint({"/v1/warehouses", "/v1/productstocks/total", "/v1/inventory"})
    assert snapshot.warehouses == ()
    assert {place.name for place in snapshot.places} == {"Amazon US", "Woo store", "Wholesale portal"}


def test_by_channel_each_channel_has_a_figure_of_its_own(juniper: Merchant) -> None:
    portal = CartSettings(name="portal", alias="Wholesale portal", location="Wholesale portal")
    juniper.read(BY_CHANNEL)
    juniper.push(WOO_CART, BY_CHANNEL)
    juniper.push(portal, BY_CHANNEL)
    assert juniper.shown(WOO_CART)["woo-mug-green"] == 59
    assert juniper.shown(portal)["810012340012"] == 59 // 2


def test_the_order_manager_alone_decides_what_a_channel_is_given(juniper: Merchant) -> None:
    juniper.sandbox.set_channel_quantity(WOO, master_sku="TOWEL-LN", percent=25, max_units=20)
    juniper.sandbox.set_channel_quantity(WOO, master_sku="MUG-02", excluded_warehouses={RENO})
    juniper.sync(WOO_CART, BY_CHANNEL)
    shown = juniper.shown(WOO_CART)
    assert (shown["woo-towel"], shown["woo-mug-slate"]) == (20, 40)

    juniper.sandbox.set_channel_quantity(WOO, master_sku="TOWEL-LN", percent=10)
    juniper.sync(WOO_CART, BY_CHANNEL)
    assert juniper.shown(WOO_CART)["woo-towel"] == 108 // 10


def test_in_the_simplest_setup_a_channel_uses_the_warehouses_that_it_is_told_to_use(
    juniper: Merchant,
) -> None:
    juniper.sandbox.set_channel_quantity(WOO, excluded_warehouses={OHIO, FBA, TEXAS})
    cart = CartSettings(name="master-skus", location="Woo store")
    juniper.sync(cart, BY_CHANNEL)
    limited = {"SPOON-03"}  # the demo merchant gives the channel at most 50 of these
    shown = juniper.shown(cart)
    assert {sku for sku in plain(shown) if shown[sku]} > {"MUG-01", "TEAPOT-1L"}
    for sku, units in plain(shown).items():
        assert sku in limited or units == in_warehouse(RENO).get(sku, 0)


def test_a_channel_is_set_up_once_for_all_its_products_and_carts(juniper: Merchant) -> None:
    juniper.sandbox.set_channel_quantity(WOO, percent=50, excluded_warehouses={FBA})
    juniper.sandbox.add_product(CatalogProduct(master_sku="NEW-01"))
    juniper.sandbox.create_stock_record("NEW-01", RENO, on_hand=11)
    juniper.sandbox.add_listing(CatalogListing(channel_id=WOO, listing_sku="woo-new", master_sku="NEW-01"))
    second = CartSettings(name="second", alias="Woo store", location=str(WOO))
    juniper.sync(WOO_CART, BY_CHANNEL)
    juniper.push(second, BY_CHANNEL)
    assert (juniper.shown(WOO_CART)["woo-candle"], juniper.shown(WOO_CART)["woo-new"]) == (31 // 2, 11 // 2)
    assert juniper.shown(second) == juniper.shown(WOO_CART)


def test_channels_stand_where_warehouses_would_in_settings_and_views(juniper: Merchant) -> None:
    juniper.read(BY_CHANNEL)
    view = product_view(juniper.ledger, BY_CHANNEL)
    assert [place.name for place in view.locations] == ["Amazon US", "Woo store", "Wholesale portal"]
    (head,) = (line for line in str(view).splitlines() if "master SKU" in line)
    assert head.index("Woo store") < head.index("Wholesale portal")
    assert view.find("CANDLE-JN")[0].figures[0].location == "Woo store"
    assert view.find("CANDLE-JN")[0].total_available is None
    assert "No total over sales channels" in str(view)


def test_by_channel_a_cart_names_its_channel_and_combining_all_is_refused(juniper: Merchant) -> None:
    juniper.read(BY_CHANNEL)
    for location in (None, ("Woo store", "Wholesale portal")):
        with refused("choose_one_channel") as caught:
            juniper.push(CartSettings(name="woo", alias="Woo store", location=location), BY_CHANNEL)
        assert "Set location= to a channel's id or exact name" in str(caught.value)
    assert not juniper.file(WOO_CART).path.exists()
    assert juniper.push(WOO_CART, BY_CHANNEL).status == "success"


def test_by_channel_stock_can_be_split_where_by_warehouse_every_cart_shows_all_of_it(
    juniper: Merchant,
) -> None:
    for channel, percent in ((WOO, 60), (WHOLESALE, 40)):
        juniper.sandbox.set_channel_quantity(channel, master_sku="BOX-GIFT", percent=percent)
    split, whole = [], []
    for name in ("Woo store", "Wholesale portal"):
        by_channel = CartSettings(name=f"{name} by channel", location=name)
        by_warehouse = CartSettings(name=f"{name} by warehouse")
        juniper.sync(by_channel, BY_CHANNEL)
        juniper.sync(by_warehouse)
        split.append(juniper.shown(by_channel)["BOX-GIFT"])
        whole.append(juniper.shown(by_warehouse)["BOX-GIFT"])
    assert split == [57, 38]
    assert whole == [95, 95]


def test_by_channel_each_product_may_merge_warehouses_of_its_own(juniper: Merchant) -> None:
    juniper.sandbox.set_channel_quantity(WOO)
    juniper.sandbox.set_channel_quantity(WOO, master_sku="MUG-01", excluded_warehouses={FBA, OHIO})
    juniper.sandbox.set_channel_quantity(WOO, master_sku="COFFEE-250", excluded_warehouses={RENO})
    juniper.sync(WOO_CART, BY_CHANNEL)
    shown = juniper.shown(WOO_CART)
    assert shown["woo-mug-green"] == in_warehouse(RENO)["MUG-01"]
    assert shown["woo-coffee"] == in_warehouse(OHIO)["COFFEE-250"] + in_warehouse(FBA)["COFFEE-250"]


def usual_read(
    folder: Path, mode: PerWarehouse | PerSalesChannel, throttle: Throttle | None = None
) -> tuple[InventorySnapshot, Counter[str], timedelta]:
    """Read 1,000 products, and again an hour later: give what the second time was read, asked and took."""
    folder.mkdir()
    merchant = Merchant(
        folder, generated_merchant(products=1_000, warehouses=4, channels=2), throttle=throttle
    )
    profile = MerchantSettings(mode=mode)
    with merchant.ledger as ledger:
        merchant.read(profile)
        merchant.clock.sleep(3600)
        before = merchant.calls()
        snapshot = merchant.read(profile)
        return snapshot, merchant.calls() - before, ledger.status("default").duration or timedelta()


def test_by_channel_a_usual_read_asks_less_since_only_changes_travel(tmp_path: Path) -> None:
    snapshot, by_warehouse, _ = usual_read(tmp_path / "by-warehouse", PerWarehouse())
    _, by_channel, _ = usual_read(tmp_path / "by-channel", PerSalesChannel())
    products = Counter(level.location_id for level in snapshot.levels)
    # All stock in pages of 200, and an empty page for each warehouse, whatever changed.
    assert by_warehouse["/v1/productstocks/total"] == sum(-(-one // 200) + 1 for one in products.values())
    assert by_channel["/v1.2/inventory/acknowledge"] == 2  # one short answer for each channel
    assert by_channel.total() * 4 < by_warehouse.total()


def test_by_channel_a_usual_read_is_faster(tmp_path: Path) -> None:
    slow = Throttle(bucket=1, per_second=0.2)
    _, _, by_warehouse = usual_read(tmp_path / "by-warehouse", PerWarehouse(), slow)
    _, _, by_channel = usual_read(tmp_path / "by-channel", PerSalesChannel(), slow)
    assert by_warehouse > timedelta(seconds=100)
    assert by_channel < timedelta(seconds=20)


def test_the_difference_matters_from_the_high_thousands_of_products() -> None:
    few, many = estimate_read(1_000, 5, 3, SLOW), estimate_read(20_000, 5, 3, SLOW)
    assert few.warehouse_usual.duration < timedelta(minutes=4)
    assert timedelta(minutes=40) < many.warehouse_usual.duration < timedelta(minutes=45)
    assert many.channel_usual.duration < timedelta(minutes=1)
    assert estimate_read(8_000, 5, 3, SLOW).warehouse_usual.duration > timedelta(minutes=15)


def test_a_cart_by_channel_shows_exactly_what_the_order_manager_gives_the_channel(juniper: Merchant) -> None:
    cart = CartSettings(name="as-if-native", location="Woo store")
    juniper.sync(cart, BY_CHANNEL)
    answer = OrderManagerSandbox(demo_merchant()).handle(
        Request(
            method="POST",
            url="https://any.example/v1.2/inventory/acknowledge",
            query=(("salesChannelId", str(WOO)), ("limit", "500"), ("page", "1")),
            headers={"Authorization": "Bearer sandbox-token"},
        )
    )
    (page,) = answer.json()
    given = {
        row["product"]["masterSku"]: row["availableQuantity"] for row in page["productAggregatedQuantities"]
    }
    del given["MUG-OLD"]  # inactive products are left alone
    assert dict(juniper.shown(cart)) == given
    assert {"GIFT-SET", "SPOON-03", "KETTLE-GN"} <= set(given)  # a bundle, a limit and a debt among them


def test_by_channel_there_is_more_to_set_up_and_each_missing_step_is_named(juniper: Merchant) -> None:
    token, handler = juniper.sandbox.token, juniper.sandbox.handle
    steps = {
        "acknowledge_not_exclusive": ExtensivOrderManager(token, handler=handler),
        "unknown_channel": ExtensivOrderManager(
            token, handler=handler, acknowledge="exclusive", channels={"My shop"}
        ),
    }
    for code, source in steps.items():
        with refused(code):
            read_inventory(source, BY_CHANNEL, ledger=juniper.ledger, clock=juniper.clock)
    with refused("ledger_required"):
        read_inventory(juniper.source, BY_CHANNEL, clock=juniper.clock)
    with refused("choose_one_channel"):
        juniper.sync(CartSettings(name="woo", alias="Woo store"), BY_CHANNEL)
    with refused("unknown_location"):
        juniper.sync(CartSettings(name="woo", alias="Woo store", location="My shop"), BY_CHANNEL)
    assert juniper.sync(WOO_CART, BY_CHANNEL).status == "success"


def test_by_channel_a_breakdown_by_warehouse_is_refused(juniper: Merchant) -> None:
    juniper.read(BY_CHANNEL)
    edi = CartSettings(name="edi", alias="Wholesale portal", location="Wholesale portal", breakdown=True)
    with refused("breakdown_in_channel_mode") as caught:
        juniper.push(edi, BY_CHANNEL)
    assert "profile in warehouse mode" in caught.value.remedy
    assert not juniper.file(edi).path.exists()


def test_few_carts_want_a_breakdown_so_it_is_off_unless_asked_for(juniper: Merchant) -> None:
    assert not SHOP.breakdown
    juniper.sync(SHOP)
    assert {location for _, location in juniper.rows(SHOP)} == {""}
    assert len(juniper.rows(SHOP)) == len(juniper.shown(SHOP))


def test_an_edi_partner_is_served_by_warehouse_beside_carts_by_channel(juniper: Merchant) -> None:
    edi = CartSettings(
        name="edi",
        alias="Wholesale portal",
        breakdown=True,
        location_map={"Reno DC": "WH-WEST", "Ohio DC": "WH-EAST", "Texas 3PL": "WH-EAST"},
    )
    file = JsonlCart(juniper.folder / "edi.jsonl")
    juniper.sync(WOO_CART, BY_CHANNEL)
    sync_cart(juniper.source, file, edi, merchant=BY_WAREHOUSE, ledger=juniper.ledger, clock=juniper.clock)

    rows = [json.loads(line) for line in file.path.read_text().splitlines()]
    told = {(row["listing_sku"], row["location"]): row["quantity"] for row in rows}
    assert told["810012340036", "WH-WEST"] == in_warehouse(RENO)["MUG-02"]
    assert told["810012340036", "WH-EAST"] == in_warehouse(TEXAS)["MUG-02"]
    assert juniper.shown(WOO_CART)["woo-mug-slate"] == 59
    assert [run.status for run in juniper.ledger.statuses("juniper")] == ["success", "success"]
    assert [run.status for run in juniper.ledger.statuses("juniper-channels")] == ["success", "success"]


# Inventory by warehouse


def test_by_warehouse_a_token_a_mode_and_a_cart_are_all_it_takes(tmp_path: Path) -> None:
    sandbox = OrderManagerSandbox()
    file = CsvCart(tmp_path / "shop.csv")
    with sandbox.serve() as server:
        report = sync_cart(
            ExtensivOrderManager(sandbox.token, base_url=server.base_url),
            file,
            CartSettings(name="shop"),
            merchant=MerchantSettings(mode=PerWarehouse(disabled={"Amazon FBA US"})),
        )
    assert report.status == "success"
    assert {row.listing_sku: row.quantity for row in file.read([])}["MUG-01"] == 44 + 15


def test_the_list_of_warehouses_is_read_and_then_the_stock_of_each(juniper: Merchant) -> None:
    juniper.sandbox.change_warehouse(TEXAS, active=False)
    snapshot = juniper.read()
    order = [one.path for one in juniper.sandbox.requests]
    assert order.index("/v1/warehouses") < order.index("/v1/productstocks/total")
    asked = {
        dict(one.query)["warehouseId"]
        for one in juniper.sandbox.requests
        if one.path == "/v1/productstocks/total"
    }
    assert asked == set(snapshot.levels.location_ids) == {str(RENO), str(OHIO), str(FBA)}
    assert {place.name: place.active for place in snapshot.warehouses}["Texas 3PL"] is False


def test_each_cart_takes_the_total_of_all_warehouses_or_a_single_one(juniper: Merchant) -> None:
    single = CartSettings(name="single", location="Reno DC")
    juniper.read()
    juniper.push(SHOP)
    juniper.push(single)
    assert juniper.shown(SHOP)["TEAPOT-1L"] == 8 + 3
    assert juniper.shown(single)["TEAPOT-1L"] == 8
    assert juniper.shown(SHOP)["KETTLE-GN"] == 12 - 5  # what Ohio owes is not sold from Reno


def test_a_disabled_warehouse_is_left_out_when_combining_and_may_still_be_named(juniper: Merchant) -> None:
    fba = CartSettings(name="fba", location="Amazon FBA US")
    juniper.read()
    juniper.push(SHOP, EVERYWHERE)
    assert juniper.shown(SHOP)["COFFEE-250"] == 42 + 26 + 75
    juniper.push(SHOP)
    assert juniper.shown(SHOP)["COFFEE-250"] == 42 + 26
    juniper.push(fba)
    assert juniper.shown(fba)["COFFEE-250"] == 75


def test_a_marketplaces_warehouse_that_nobody_named_holds_what_would_rise(juniper: Merchant) -> None:
    unnamed = MerchantSettings(name="juniper", mode=PerWarehouse())
    juniper.read()
    report = juniper.push(SHOP, unnamed)
    held = report.of("held")
    assert held
    assert {one.reason for one in held} == {"foreign_warehouse"}
    assert "PerWarehouse(disabled={'703'}) leaves it out" in str(report)
    assert juniper.push(SHOP).status == "success"


def test_the_settings_page_tells_more_about_disabled_warehouses() -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith("| Disabled warehouses |"))
    named = set(re.findall(r"PerWarehouse\((\w+)=", row))
    assert named == {"disabled", "counted"}
    assert named <= {field.name for field in attrs.fields(PerWarehouse)}


def test_by_warehouse_there_is_less_to_set_up(juniper: Merchant) -> None:
    cart = CartSettings(name="shop", alias="Woo store")
    source = ExtensivOrderManager(juniper.sandbox.token, handler=juniper.sandbox.handle)

    def run(cart: CartSettings, mode: PerWarehouse | PerSalesChannel) -> SyncReport:
        merchant = MerchantSettings(mode=mode)
        return sync_cart(source, juniper.file(cart), cart, merchant=merchant, clock=juniper.clock)

    assert run(cart, PerWarehouse(disabled={"Amazon FBA US"})).status == "success"
    with refused("choose_one_channel"):
        run(cart, PerSalesChannel())
    with refused("acknowledge_not_exclusive"):
        run(WOO_CART, PerSalesChannel())


def test_by_warehouse_an_edi_partner_gets_a_row_for_each_counted_warehouse(juniper: Merchant) -> None:
    edi = CartSettings(name="edi", alias="Wholesale portal", breakdown=True)
    juniper.sync(edi)
    rows = juniper.rows(edi)
    assert rows["810012340012", str(RENO)] == 44
    assert rows["810012340012", str(OHIO)] == 15
    assert rows["810012340036", str(TEXAS)] == 40
    assert str(FBA) not in {location for _, location in rows}  # it is disabled


def test_with_many_products_the_sensible_interval_by_warehouse_is_above_an_hour() -> None:
    few, many = estimate_read(5_000, 5, 3, SLOW), estimate_read(20_000, 5, 3, SLOW)
    assert few.warehouse_interval == timedelta(hours=1)
    assert many.warehouse_interval == timedelta(hours=2)
    assert estimate_read(50_000, 5, 3, SLOW).warehouse_interval == timedelta(hours=4)
    assert many.channel_interval == timedelta(hours=1)
    hours = many.warehouse_interval // timedelta(hours=1)
    assert MerchantSettings(mode=PerWarehouse(), frequency=Frequency.every(hours=hours)).frequency is not None


def test_by_warehouse_the_order_managers_own_shares_have_no_effect(juniper: Merchant) -> None:
    cart = CartSettings(name="shop", alias="Woo store")
    juniper.sync(cart)
    before = juniper.shown(cart)
    juniper.sandbox.set_channel_quantity(WOO, percent=10, excluded_warehouses={OHIO})
    assert juniper.sync(cart).counts.get("applied", 0) == 0
    assert juniper.shown(cart) == before

    # What omsync itself offers for that: rules and locations of single products.
    finer = CartSettings(
        name="shop", alias="Woo store", overrides={"MUG-01": SkuOverride(leave_out={"Ohio DC"})}
    )
    juniper.push(finer)
    assert before["woo-mug-green"] - juniper.shown(finer)["woo-mug-green"] == in_warehouse(OHIO)["MUG-01"]
