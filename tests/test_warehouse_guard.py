"""A combining cart is held while it counts a warehouse that nobody named: a new one, or someone else's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import attrs
import pytest
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, FakeSource, Shell

from omsync import (
    CartSettings,
    Guardrails,
    InventorySnapshot,
    MerchantSettings,
    Notice,
    PerSalesChannel,
    PerWarehouse,
    SalesChannel,
    Sku,
    StockLevel,
    SyncReport,
    Warehouse,
    approve,
)
from omsync.config import parse_settings
from omsync.planning.judges import read_figures
from omsync.planning.warehouses import FOREIGN_KINDS, Unnamed, unnamed_warehouses
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import OrderManagerSandbox

RENO = Warehouse(id="701", name="Reno DC", kind="DIRECT_FULFILLMENT")
OHIO = Warehouse(id="702", name="Ohio 3PL", kind="THIRD_PARTY_LOGISTICS")
FBA = Warehouse(id="703", name="Amazon FBA US", kind="SALES_CHANNEL")
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True))


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def merchant(**mode: Any) -> MerchantSettings:
    return MerchantSettings(mode=PerWarehouse(**mode))


def reading(
    *places: Warehouse, figures: Mapping[str, int] | None = None, silent: tuple[str, ...] = ()
) -> InventorySnapshot:
    """Make a reading in which each warehouse has the same figures; silent ones have no stock records."""
    figures = {"CUP": 4} if figures is None else figures
    return InventorySnapshot(
        taken_at=FakeClock().now(),
        skus=[Sku(master_sku=sku) for sku in figures],
        warehouses=places,
        levels=[
            StockLevel(master_sku=sku, location_id=place.id, on_hand=figure, available=figure)
            for sku, figure in figures.items()
            for place in places
            if place.id not in silent and place.active
        ],
    )


def found(*places: Warehouse, cart: CartSettings = SHOP, known: Any = None, **mode: Any) -> Unnamed:
    return unnamed_warehouses(reading(*places), merchant(**mode), cart, known)


def told(notices: tuple[Notice, ...], reason: str) -> str:
    (notice,) = [one for one in notices if one.reason == reason]
    return notice.message


# What is found.


def test_the_kinds_that_someone_else_ships_from_are_found() -> None:
    assert found(RENO, OHIO).foreign == ()
    assert found(RENO, OHIO, FBA).foreign == (FBA,)
    vendor, shop = attrs.evolve(FBA, kind="DROPSHIP_VENDOR"), attrs.evolve(FBA, kind="RETAIL_STORE")
    assert found(RENO, vendor).foreign == (vendor,)
    assert found(RENO, shop).foreign == ()
    assert found(RENO, attrs.evolve(FBA, kind="")).foreign == ()


@pytest.mark.parametrize("kind", ["sales channel", " Drop-Ship ", "fba", *sorted(FOREIGN_KINDS)])
def test_a_kind_is_understood_however_it_is_written(kind: str) -> None:
    assert len(found(RENO, attrs.evolve(FBA, kind=kind)).foreign) == 1


@pytest.mark.parametrize(
    "mode",
    [
        {"disabled": {"Amazon FBA US"}},
        {"disabled": {"703"}},
        {"counted": {"Reno DC", "703"}},
        {"counted": {"701"}},
    ],
)
def test_a_warehouse_that_a_setting_names_is_neither_new_nor_in_doubt(mode: dict[str, Any]) -> None:
    nothing = found(RENO, FBA, known={"701"}, **mode)

    assert (nothing.new, nothing.foreign, nothing.unknown) == ((), (), frozenset())


@pytest.mark.parametrize(
    "cart",
    [
        CartSettings(name="one", location="Amazon FBA US"),
        CartSettings(name="some", location=("Reno DC", "Amazon FBA US")),
        CartSettings(name="breakdown", breakdown=True),
    ],
    ids=lambda cart: cart.name,
)
def test_a_cart_that_does_not_combine_takes_no_warehouse_in_by_itself(cart: CartSettings) -> None:
    assert found(RENO, FBA, cart=cart, known={"701"}) == Unnamed()


def test_a_warehouse_is_new_when_the_last_good_reading_did_not_have_it() -> None:
    assert found(RENO, OHIO).new == (), "without an earlier reading nothing is new"
    assert found(RENO, OHIO, known={"701", "702"}).new == ()
    assert found(RENO, OHIO, known={"701"}).new == (OHIO,)
    assert found(RENO, attrs.evolve(OHIO, active=False), known={"701"}).new == ()


def test_a_warehouse_without_stock_records_adds_nothing_and_is_still_unknown() -> None:
    snapshot = reading(RENO, FBA, silent=("703",))

    empty = unnamed_warehouses(snapshot, merchant(), SHOP, {"701"})

    assert (empty.new, empty.foreign) == ((), ())
    assert empty.unknown == {"703"}


def test_sales_channels_are_not_warehouses() -> None:
    snapshot = InventorySnapshot(
        taken_at=FakeClock().now(), scope="channel", sales_channels=[SalesChannel(id="41", name="Web")]
    )
    by_channel = MerchantSettings(mode=PerSalesChannel())

    assert unnamed_warehouses(snapshot, by_channel, SHOP, {"40"}) == Unnamed()


def test_the_words_say_which_warehouses_and_what_to_write() -> None:
    disabled = Warehouse(id="700", name="Old")

    one = found(disabled, RENO, FBA, known={"701"}, disabled={"Old"})
    two = found(RENO, OHIO, known=set())

    assert one.strangers == (
        "the cart combines 1 warehouse that someone else ships from: 'Amazon FBA US' (703, SALES_CHANNEL); "
        "PerWarehouse(disabled={'703', 'Old'}) leaves it out, PerWarehouse(counted={'701', '703'}) counts it"
    )
    assert two.news == (
        "the cart combines 2 warehouses that the last good reading did not have: 'Reno DC' (701, "
        "DIRECT_FULFILLMENT), 'Ohio 3PL' (702, THIRD_PARTY_LOGISTICS); PerWarehouse(disabled={'701', '702'}) "
        "leaves them out, PerWarehouse(counted={'701', '702'}) counts them"
    )


def test_a_reading_can_be_remembered_without_some_of_its_warehouses() -> None:
    read = read_figures(reading(RENO, OHIO, FBA, silent=("702",)))

    assert read.without({"703"}) == attrs.evolve(read, locations=["701", "702"], recorded=["701"])
    assert read.without(()) == read


# In a run.


def sync(
    shell: Shell,
    cart: FakeCart,
    snapshot: InventorySnapshot,
    clock: FakeClock,
    ledger: DictLedger | None = None,
    *,
    settings: CartSettings = SHOP,
    **mode: Any,
) -> SyncReport:
    report: SyncReport = shell.sync_cart(
        FakeSource(attrs.evolve(snapshot, taken_at=clock.now())),
        cart,
        settings,
        merchant=merchant(**mode),
        ledger=ledger,
        clock=clock,
    )
    return report


def held(report: SyncReport) -> dict[str | None, str]:
    return {outcome.listing_sku: outcome.reason for outcome in report.of("held")}


def test_nothing_rises_on_the_strength_of_somebody_elses_stock_and_falls_go_through(
    shell: Shell, clock: FakeClock
) -> None:
    cart = FakeCart({"CUP": 3, "JUG": 9, "PAN": 4, "POT": 1})
    snapshot = reading(RENO, FBA, figures={"CUP": 4, "JUG": 4, "PAN": 2, "POT": 0})

    report = sync(shell, cart, snapshot, clock)

    assert held(report) == {"CUP": "foreign_warehouse"}
    assert [cart.shows(sku) for sku in ("CUP", "JUG", "PAN", "POT")] == [3, 8, 4, 0]
    assert told(report.notices, "foreign_warehouse").endswith("counts it; held: 'CUP' 3 -> 8")
    assert "Amazon FBA US" in str(report)
    (outcome,) = report.of("held")
    assert "PerWarehouse(disabled=...)" in outcome.message


def test_it_is_so_on_every_run_with_and_without_a_ledger_until_a_setting_names_it(
    shell: Shell, clock: FakeClock
) -> None:
    cart, ledger = FakeCart({"CUP": 3}), DictLedger()

    for memory in (None, ledger, ledger):
        assert held(sync(shell, cart, reading(RENO, FBA), clock, memory)) == {"CUP": "foreign_warehouse"}
    assert sync(shell, cart, reading(RENO, FBA), clock, ledger, disabled={"703"}).status == "success"
    assert cart.shows("CUP") == 4
    assert sync(shell, cart, reading(RENO, FBA), clock, ledger, counted={"701", "703"}).status == "success"
    assert cart.shows("CUP") == 8


def test_where_nobody_knows_what_a_cart_shows_anything_above_zero_may_be_a_rise(
    shell: Shell, clock: FakeClock
) -> None:
    cart = FakeCart({"CUP": 3, "POT": 2}, readable=False)

    report = sync(shell, cart, reading(RENO, FBA, figures={"CUP": 4, "POT": 0}), clock)

    assert held(report) == {"CUP": "foreign_warehouse"}
    assert cart.shows("POT") == 0


def test_a_new_warehouse_stays_new_on_every_run_until_a_setting_names_it(
    shell: Shell, clock: FakeClock
) -> None:
    cart, ledger = FakeCart({"CUP": 3}), DictLedger()
    assert sync(shell, cart, reading(RENO), clock, ledger).status == "success"

    for _ in range(3):
        clock.pass_by(3_600)
        assert held(sync(shell, cart, reading(RENO, OHIO), clock, ledger)) == {"CUP": "new_warehouse"}
    assert cart.shows("CUP") == 4
    named = sync(shell, cart, reading(RENO, OHIO), clock, ledger, counted={"Reno DC", "Ohio 3PL"})

    assert named.status == "success"
    assert cart.shows("CUP") == 8
    later = sync(shell, cart, reading(RENO, OHIO, figures={"CUP": 5}), clock, ledger)
    assert (later.status, cart.shows("CUP")) == ("success", 10), "it is known from then on"


def test_a_new_warehouse_is_not_known_by_a_run_in_which_nothing_rose(shell: Shell, clock: FakeClock) -> None:
    cart, ledger = FakeCart({"CUP": 4}), DictLedger()
    sync(shell, cart, reading(RENO), clock, ledger)

    quiet = sync(shell, cart, reading(RENO, OHIO, figures={"CUP": 2}), clock, ledger)
    empty = sync(shell, cart, reading(RENO, OHIO, silent=("702",)), clock, ledger)
    rising = sync(shell, cart, reading(RENO, OHIO), clock, ledger)

    assert (quiet.status, empty.status) == ("success", "success")
    assert held(rising) == {"CUP": "new_warehouse"}


def test_a_new_warehouse_is_known_when_the_whole_plan_is_approved_and_a_single_row_is_only_that_row(
    clock: FakeClock,
) -> None:
    shell = Blocking()
    cart, ledger = FakeCart({"CUP": 4, "JUG": 4}), DictLedger()
    both = {"CUP": 4, "JUG": 4}
    given: dict[str, Any] = {
        "by": "Ann",
        "reason": "we opened it",
        "until": timedelta(days=1),
        "clock": clock,
    }
    sync(shell, cart, reading(RENO, figures=both), clock, ledger)

    first = sync(shell, cart, reading(RENO, OHIO, figures=both), clock, ledger)
    approve(ledger, SHOP, first.digest, rows=[("CUP", None)], **given)
    second = sync(shell, cart, reading(RENO, OHIO, figures=both), clock, ledger)
    approve(ledger, SHOP, second.digest, **given)
    third = sync(shell, cart, reading(RENO, OHIO, figures={"CUP": 6, "JUG": 6}), clock, ledger)

    assert held(first) == {"CUP": "new_warehouse", "JUG": "new_warehouse"}
    assert held(second) == {"JUG": "new_warehouse"}
    assert (third.status, cart.shows("CUP"), cart.shows("JUG")) == ("success", 12, 12)


def test_switched_off_the_guards_hold_nothing_and_the_report_says_so(shell: Shell, clock: FakeClock) -> None:
    loose = attrs.evolve(SHOP, guardrails=Guardrails(off={"foreign_warehouse", "new_warehouse"}))
    cart, ledger = FakeCart({"CUP": 3}), DictLedger()
    sync(shell, cart, reading(RENO), clock, ledger, settings=loose)

    report = sync(shell, cart, reading(RENO, FBA, OHIO), clock, ledger, settings=loose)

    assert (report.status, cart.shows("CUP")) == ("success", 12)
    assert "foreign_warehouse, new_warehouse" in told(report.notices, "guardrails_off")
    more = sync(shell, cart, reading(RENO, OHIO, figures={"CUP": 9}), clock, ledger)
    assert held(more) == {}, "what was taken while the guard was off is known"


def test_another_mode_s_reading_makes_no_warehouse_new(shell: Shell, clock: FakeClock) -> None:
    cart, ledger = FakeCart({"CUP": 3}), DictLedger()
    by_channel = MerchantSettings(mode=PerSalesChannel())
    web = attrs.evolve(SHOP, location="Web")
    snapshot = InventorySnapshot(
        taken_at=clock.now(),
        scope="channel",
        skus=[Sku(master_sku="CUP")],
        sales_channels=[SalesChannel(id="41", name="Web")],
        levels=[StockLevel(master_sku="CUP", location_id="41", available=4)],
    )
    shell.sync_cart(snapshot, cart, web, merchant=by_channel, ledger=ledger, clock=clock)

    assert sync(shell, cart, reading(RENO, OHIO), clock, ledger).status == "success"


def test_an_account_with_a_marketplaces_warehouse_is_held_until_it_is_disabled() -> None:
    sandbox = OrderManagerSandbox()
    source = ExtensivOrderManager(sandbox.token, handler=sandbox.handle)
    carts = [FakeCart({"MUG-01": 0}), FakeCart({"MUG-01": 0})]

    without, with_it = (
        Blocking().sync_cart(source, cart, SHOP, merchant=settings)
        for cart, settings in zip(carts, (merchant(), merchant(disabled={"Amazon FBA US"})), strict=True)
    )

    assert set(held(without).values()) == {"foreign_warehouse"}
    assert carts[0].shows("MUG-01") == 0
    assert "foreign_warehouse" not in held(with_it).values()
    assert (carts[1].shows("MUG-01") or 0) > 0


def test_a_file_of_settings_switches_it_off_by_name() -> None:
    loose = parse_settings(
        """
        [merchant]
        mode = { per = "warehouse" }

        [[cart]]
        name = "shop"

        [cart.guardrails]
        rise_stale_hours = 12
        off = ["foreign_warehouse", "new_warehouse"]
        """
    )

    assert loose.cart("shop").guardrails == Guardrails(
        rise_stale_hours=12, off={"foreign_warehouse", "new_warehouse"}
    )
