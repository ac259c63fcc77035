"""The check list for "the shop shows the wrong quantity": every question is answered, nothing is changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_ports import (
    START,
    TAKEN_AT,
    AsyncFakeCart,
    AsyncFakeSource,
    DictLedger,
    FakeCart,
    FakeClock,
    FakeSource,
    Shelf,
    stock,
)

from omsync import (
    Alias,
    Bundle,
    CartSettings,
    Component,
    Diagnosis,
    Frequency,
    InventorySnapshot,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    RunRecord,
    SalesChannel,
    Sku,
    SkuOverride,
    StockLevel,
    Warehouse,
    aio,
    diagnose,
    sync_cart,
)
from omsync.errors import LedgerError, UnauthorizedError, WrongTypeError
from omsync.sinks.files import CsvCart

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
QUESTIONS = [
    *(
        "order_manager",
        "reading_age",
        "locations",
        "clock",
        "alias",
        "bundles",
        "exclusions",
        "stock_records",
    ),
    *("cart_upload", "ledger", "cart", "cart_match", "cart_tracking", "rules", "guardrails"),
    *("quarantine", "cart_writes"),
]


class DamagedLedger(DictLedger):
    """A ledger that cannot be looked into everywhere."""

    def __init__(self, *damaged: str) -> None:
        super().__init__()
        self._damaged = damaged

    def __getattribute__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "__dict__").get("_damaged", ()):

            def refuse(*_: object) -> None:
                raise LedgerError(f"The {name} are damaged", code="damaged")

            return refuse
        return super().__getattribute__(name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def ask(
    source: Any, cart: FakeCart, settings: CartSettings = SHOP, *, clock: FakeClock | None = None, **more: Any
) -> Diagnosis:
    """Diagnose with both shells, which must say the same."""
    options: dict[str, Any] = {"merchant": MERCHANT, "clock": clock or FakeClock(), **more}
    found = diagnose(source, cart, settings, **options)
    sources = AsyncFakeSource(source) if isinstance(source, FakeSource) else source
    again = asyncio.run(aio.diagnose(sources, AsyncFakeCart(cart), settings, **options))
    assert again == found
    return found


def test_a_healthy_cart_answers_every_question_well(clock: FakeClock) -> None:
    ledger, cart, source = DictLedger(), FakeCart({"A": 3}), FakeSource(stock({"A": 3}))
    sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    found = ask(source, cart, ledger=ledger, clock=clock)
    assert [check.key for check in found] == QUESTIONS
    assert (found.is_well, found.summary, len(found.of("ok"))) == (True, "17 ok", 17)
    assert "read just now: 1 product, 1 stock record" in str(found)


def test_a_diagnosis_pushes_nothing_and_notes_nothing(clock: FakeClock) -> None:
    ledger, cart = DictLedger(), FakeCart({"A": 3})
    sync_cart(FakeSource(stock({"A": 3})), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    before = (list(ledger.runs("default", "shop")), list(ledger.states("default", "shop")))
    memory = {
        name: dict(ledger.memory("default").recall(name)) for name in ("guardrails of shop", "falls of shop")
    }
    cart.put("A", 1)
    clock.pass_by(600)
    ask(FakeSource(stock({"A": 90, "B": 4})), cart, ledger=ledger, clock=clock)
    after = (list(ledger.runs("default", "shop")), list(ledger.states("default", "shop")))
    assert (before, memory) == (
        after,
        {name: dict(ledger.memory("default").recall(name)) for name in memory},
    )
    assert cart.sent == []
    assert ledger.last_snapshot("default") == stock({"A": 3})


def test_a_refused_token_is_an_answer_and_the_last_reading_stands_in(clock: FakeClock) -> None:
    ledger, cart = DictLedger(), FakeCart({"A": 3})
    sync_cart(FakeSource(stock({"A": 3})), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    refused = FakeSource(UnauthorizedError("The token was refused", remedy="Check the token."))
    found = ask(refused, cart, ledger=ledger, clock=clock)
    check = found["order_manager"]
    assert (check.status, check.answer, check.remedy) == (
        "wrong",
        "The token was refused",
        "Check the token.",
    )
    assert check.code == "unauthorized"
    assert found["cart_match"].answer == "1 of 1 listing"
    assert not found.is_well


def test_without_any_reading_the_cart_cannot_be_judged() -> None:
    refused = FakeSource(UnauthorizedError("The token was refused"))
    found = ask(refused, FakeCart())
    assert [check.key for check in found] == QUESTIONS
    assert found["clock"].answer == "nothing to compare it with yet"
    assert found["cart_match"].answer == "not asked: there is no reading"
    assert len(found.of("unknown")) == 13
    with pytest.raises(KeyError, match="'typo' is none of order_manager, "):
        found["typo"]


def test_sales_channels_are_not_read_anew_since_that_acknowledges_figures(clock: FakeClock) -> None:
    merchant = MerchantSettings(mode=PerSalesChannel())
    settings = CartSettings(name="shop", location="Woo")
    source = FakeSource(UnauthorizedError("must not be asked"))
    ledger = DictLedger()
    found = ask(source, FakeCart({"A": 3}), settings, merchant=merchant, ledger=ledger, clock=clock)
    assert source.requests == []
    assert found["order_manager"].status == "unknown"
    ledger.save_snapshot("default", by_channel({"A": 3}))
    found = ask(source, FakeCart({"A": 3}), settings, merchant=merchant, ledger=ledger, clock=clock)
    assert found["order_manager"].answer == "the last complete reading: 1 product, 1 stock record"
    assert found["locations"].answer == "per sales channel: Woo (9)"


def by_channel(figures: dict[str, int]) -> InventorySnapshot:
    return InventorySnapshot(
        taken_at=TAKEN_AT,
        skus=[Sku(master_sku=sku) for sku in figures],
        sales_channels=[SalesChannel(id="9", name="Woo")],
        levels=[
            StockLevel(master_sku=sku, location_id="9", available=units) for sku, units in figures.items()
        ],
        scope="channel",
    )


def test_a_mode_that_does_not_fit_the_cart_is_named() -> None:
    merchant = MerchantSettings(mode=PerSalesChannel())
    found = ask(by_channel({"A": 3}), FakeCart({"A": 3}), merchant=merchant)
    assert found["locations"].code == "choose_one_channel"
    assert found["cart"].code == "choose_one_channel"
    found = ask(FakeSource(by_channel({"A": 3})), FakeCart({"A": 3}), merchant=merchant)
    assert found["order_manager"].code == "choose_one_channel"


@pytest.mark.parametrize(
    ("late", "status", "words"),
    [(2, "ok", "2 hours ago"), (7, "warning", "nothing rises"), (31, "wrong", "nothing changes")],
)
def test_old_figures_are_told_by_what_they_stop(late: int, status: str, words: str) -> None:
    clock = FakeClock(TAKEN_AT + timedelta(hours=late))
    check = ask(stock({"A": 3}), FakeCart({"A": 3}), clock=clock)["reading_age"]
    assert check.status == status
    assert words in check.answer


def test_a_read_that_is_due_is_a_warning(clock: FakeClock) -> None:
    merchant = MerchantSettings(mode=PerWarehouse(), frequency=Frequency.every(hours=1))
    clock.pass_by(3600)
    check = ask(stock({"A": 3}), FakeCart({"A": 3}), merchant=merchant, clock=clock)["reading_age"]
    assert (check.status, check.answer.split("; ")[1]) == ("warning", "a read is due every hour")


def test_a_failed_newest_reading_is_told_beside_the_last_good_one(clock: FakeClock) -> None:
    ledger = DictLedger()
    ledger.save_snapshot("default", stock({"A": 3}))
    ledger.begin_run(
        RunRecord(run_id="r", merchant="default", status="failed", message="it was down", finished_at=START)
    )
    check = ask(None, FakeCart({"A": 3}), ledger=ledger, clock=clock)["order_manager"]
    assert (check.status, check.answer) == (
        "wrong",
        "the last complete reading: 1 product, 1 stock record; the newest try failed: it was down",
    )


def test_an_order_manager_without_any_stock_is_wrong() -> None:
    check = ask(stock({}), FakeCart())["order_manager"]
    answer = "the last complete reading: 0 products, 0 stock records"
    assert (check.status, check.answer) == ("wrong", answer)


def test_the_counted_locations_are_named_and_the_others_with_the_reason() -> None:
    merchant = MerchantSettings(mode=PerWarehouse(disabled={"W2"}))
    places = ["W1", "W2", *(f"X{number}" for number in range(6))]
    snapshot = InventorySnapshot(
        taken_at=TAKEN_AT,
        skus=[Sku(master_sku="A")],
        warehouses=[Warehouse(id=place, active=not place.startswith("X")) for place in places],
        levels=[StockLevel(master_sku="A", location_id="W1", available=3)],
    )
    check = ask(snapshot, FakeCart({"A": 3}), merchant=merchant)["locations"]
    assert check.answer.startswith("per warehouse: W1; not W2 (disabled), ")
    assert check.answer.endswith("and 2 more")
    assert check.entries == ("W1",)


def test_no_counted_location_is_wrong() -> None:
    merchant = MerchantSettings(mode=PerWarehouse(disabled={"W1"}))
    check = ask(stock({"A": 3}), FakeCart({"A": 3}), merchant=merchant)["locations"]
    answer = "per warehouse: none; not Warehouse W1 (W1) (disabled)"
    assert (check.status, check.answer) == ("wrong", answer)


def test_a_clock_that_is_behind_is_noticed() -> None:
    clock = FakeClock(TAKEN_AT - timedelta(hours=3))
    check = ask(stock({"A": 3}), FakeCart({"A": 3}), clock=clock)["clock"]
    assert (check.status, check.answer) == ("wrong", "the newest run or reading lies 3 hours in the future")


def aliases(*codes: str) -> list[Alias]:
    return [Alias(name="Woo", listing_sku=code.lower(), master_sku=code) for code in codes]


@pytest.mark.parametrize(
    ("named", "status", "answer"),
    [
        ("A B C", "ok", "3 of 4 products have a listing under 'Woo'"),
        ("A", "warning", "1 of 4 products have a listing under 'Woo'"),
    ],
)
def test_the_alias_is_counted_over_the_products(named: str, status: str, answer: str) -> None:
    snapshot = stock(dict.fromkeys("ABCD", 3), aliases=aliases(*named.split()))
    cart = FakeCart(dict.fromkeys(map(str.lower, "ABCD"), 3))
    check = ask(snapshot, cart, CartSettings(name="shop", alias="Woo"))["alias"]
    assert (check.status, check.answer) == (status, answer)
    assert check.entries == tuple(sorted(set("ABCD") - set(named.split())))


def test_an_alias_that_no_product_has_is_wrong() -> None:
    snapshot = stock({"A": 3}, aliases=[Alias(name="Woo", listing_sku="z", master_sku="Z")])
    found = ask(snapshot, FakeCart({"a": 3}), CartSettings(name="shop", alias="Woo"))
    assert found["alias"].status == "wrong"
    found = ask(snapshot, FakeCart({"a": 3}), CartSettings(name="shop", alias="wo"))
    assert found["cart"].code == "unknown_alias"
    assert (found["alias"].status, found["alias"].answer) == ("unknown", "not asked: see 'cart'")
    found = ask(snapshot, FakeCart({"a": 3}), CartSettings(name="shop", alias="wo"), listing_sku="a")
    assert found["listing"].answer == "not asked: see 'cart'"


def test_bundles_that_get_nothing_are_named_with_what_to_do() -> None:
    snapshot = InventorySnapshot(
        taken_at=TAKEN_AT,
        skus=[Sku(master_sku="KIT", kind="bundle"), Sku(master_sku="PART"), Sku(master_sku="BARE")],
        warehouses=[Warehouse(id="W1")],
        bundles=[Bundle(master_sku="KIT", components=[Component(master_sku="PART")])],
        levels=[StockLevel(master_sku="PART", location_id="W1", available=3)],
    )
    found = ask(snapshot, FakeCart({"PART": 3}))
    check = found["bundles"]
    assert (check.status, check.entries) == ("wrong", ("KIT",))
    assert check.answer == "no quantity for 1 bundle, 1 of them for want of a stock record: 'KIT'"
    assert "Create a stock record for 'KIT'" in check.remedy
    assert found["stock_records"].answer == "none for 1 product: 'BARE'"


def test_what_is_left_out_on_purpose_is_counted() -> None:
    check = ask(stock({"A": 3, "B": 3}), FakeCart({"A": 3}), CartSettings(name="shop", exclude={"B"}))
    assert (check["exclusions"].answer, check["exclusions"].entries) == ("1 excluded", ("B",))


def test_a_cart_that_is_switched_off_says_so() -> None:
    found = ask(stock({"A": 3}), FakeCart({"A": 3}), CartSettings(name="shop", enabled=False))
    assert (found["cart_upload"].status, found["cart_match"].answer) == (
        "wrong",
        "not asked: the cart is switched off",
    )


def test_of_a_cart_that_is_switched_off_nobody_claims_to_know_its_products() -> None:
    settings = CartSettings(name="shop", alias="Woo", enabled=False)
    found = ask(stock({"A": 3}, aliases=aliases("A")), FakeCart({"a": 3}), settings, listing_sku="a")

    asked = ("alias", "bundles", "exclusions", "stock_records", "listing")
    assert {(found[key].status, found[key].answer) for key in asked} == {
        ("unknown", "not asked: the cart is switched off")
    }


def test_a_ledger_that_is_damaged_is_an_answer_and_the_rest_is_answered_without_it() -> None:
    for place, broken in {
        "runs": ("runs", "memory", "states"),
        "memory": ("memory",),
        "states": ("states",),
    }.items():
        found = ask(stock({"A": 3}), FakeCart({"A": 7}), ledger=DamagedLedger(*broken))

        assert (found["ledger"].status, found["ledger"].answer) == ("wrong", f"The {place} are damaged")
        assert found["quarantine"].answer == "without a ledger nobody knows"
        assert (found["cart"].status, found["cart_match"].status) == ("ok", "ok")


def test_a_reading_that_the_ledger_cannot_give_is_an_answer() -> None:
    found = ask(None, FakeCart({"A": 7}), ledger=DamagedLedger("last_snapshot"))
    assert (found["order_manager"].status, found["order_manager"].answer) == (
        "wrong",
        "The last_snapshot are damaged",
    )


@pytest.mark.parametrize(
    ("status", "judged", "words"),
    [
        ("failed", "wrong", "the last run: failed 0 minutes ago: it was down"),
        ("died", "wrong", "died"),
        ("partial", "warning", "partial"),
        ("in_progress", "ok", "in progress"),
    ],
)
def test_the_last_run_is_judged(status: str, judged: str, words: str, clock: FakeClock) -> None:
    ledger = DictLedger()
    ledger.begin_run(
        RunRecord(
            run_id="r",
            merchant="default",
            cart="shop",
            status=status,
            message="it was down",
            finished_at=START,
        )
    )
    check = ask(stock({"A": 3}), FakeCart({"A": 3}), ledger=ledger, clock=clock)["cart_upload"]
    assert check.status == judged
    assert words in check.answer


def test_a_run_that_is_due_is_a_warning(clock: FakeClock) -> None:
    ledger, cart = DictLedger(), FakeCart({"A": 3})
    settings = CartSettings(name="shop", frequency=Frequency.every(hours=1))
    sync_cart(stock({"A": 3}), cart, settings, merchant=MERCHANT, ledger=ledger, clock=clock)
    clock.pass_by(3600)
    check = ask(stock({"A": 3}), cart, settings, ledger=ledger, clock=clock)["cart_upload"]
    assert (check.status, check.answer.split("; ")[-1]) == ("warning", "a run is due every hour")


def test_a_cart_that_refuses_to_be_read_is_an_answer() -> None:
    cart = FakeCart({"A": 3})
    cart.read_errors = [
        UnauthorizedError("The key lacks read_inventory"),
        UnauthorizedError("The key lacks read_inventory"),
    ]
    found = ask(stock({"A": 3}), cart)
    assert (found["cart"].status, found["cart"].answer) == ("wrong", "The key lacks read_inventory")


def test_a_cart_that_cannot_be_read_says_what_stands_in() -> None:
    check = ask(stock({"A": 3}), FakeCart(readable=False))["cart"]
    assert (check.status, check.answer) == ("ok", "fake cart cannot be read; what it was last told stands in")


def test_listings_that_the_cart_does_not_have_are_counted() -> None:
    check = ask(stock({"A": 3, "B": 3}), FakeCart({"A": 3}))["cart_match"]
    assert (check.status, check.answer, check.entries) == ("warning", "1 of 2 listings; not 'B'", ("B",))
    check = ask(stock({"A": 3}), FakeCart())["cart_match"]
    assert check.status == "wrong"


def test_a_listing_that_is_only_written_otherwise_is_found() -> None:
    cart = FakeCart({"A": 3, "ab-1": 3}, lists_all=True)
    check = ask(stock({"A": 3, "AB-1": 3}), cart)["cart_match"]
    assert check.status == "wrong"
    assert "'AB-1' (it has 'ab-1')" in check.answer


def test_listings_that_the_cart_does_not_count_are_wrong() -> None:
    check = ask(stock({"A": 3}), FakeCart({"A": Shelf(quantity=3, state="untracked")}))["cart_tracking"]
    assert (check.status, check.answer) == ("wrong", "1 untracked in cart")


def test_stock_that_a_rule_hides_is_a_warning() -> None:
    settings = CartSettings(name="shop", rules=QuantityRules(zero_below=5))
    check = ask(stock({"A": 3, "B": 9}), FakeCart({"A": 0, "B": 9}), settings)["rules"]
    assert (check.status, check.answer) == ("warning", "at 0 because of the rules: 1 listing, 'A'")
    assert "zero_below=5" in check.remedy
    override = SkuOverride(rules=QuantityRules(percent=0))
    settings = CartSettings(name="shop", overrides={"B": override})
    check = ask(stock({"A": 3, "B": 9}), FakeCart({"A": 3, "B": 0}), settings)["rules"]
    assert (check.entries, "the rules and overrides" in check.remedy) == (("B",), True)


def test_what_is_held_back_is_told_with_the_reason() -> None:
    check = ask(stock({"A": 5000}), FakeCart({"A": 3}))["guardrails"]
    assert (check.status, check.answer, check.entries) == ("warning", "1 sharp rise", ("A",))
    assert check.remedy


def test_rows_in_quarantine_are_counted(clock: FakeClock) -> None:
    ledger = DictLedger()
    cart = FakeCart({"A": 1, "B": 1}, rows={"A": "rejected"})
    for number in range(3):
        sync_cart(stock({"A": 5, "B": 2 + number}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
        clock.pass_by(60)
    found = ask(stock({"A": 5, "B": 4}), cart, ledger=ledger, clock=clock)
    assert found["quarantine"].answer == "in quarantine: 1 row"
    assert found["guardrails"].answer == "nothing"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"compare_and_set": "cas"}, "compares the quantity"),
        ({"compare_and_set": "version"}, "compares a version"),
        ({"zero_ends_listing": True}, "takes the listing down"),
    ],
)
def test_how_the_cart_is_written_to_is_told(given: dict[str, Any], words: str) -> None:
    assert words in ask(stock({"A": 3}), FakeCart({"A": 3}, **given))["cart_writes"].answer


def test_a_listing_that_was_asked_about_is_explained() -> None:
    check = ask(stock({"A": 3}), FakeCart({"A": 7}), listing_sku="A")["listing"]
    assert (check.status, check.entries) == ("ok", ("A",))
    assert check.answer.startswith("it shows 7 and shall show 3 (3 = 3 available in Warehouse W1")


def test_a_product_that_was_asked_about_tells_of_its_listings() -> None:
    snapshot = stock({"A": 3}, aliases=aliases("A"))
    cart = FakeCart({"a": 7})
    check = ask(snapshot, cart, CartSettings(name="shop", alias="Woo"), listing_sku="A")["listing"]
    assert check.answer.startswith("a shows 7 and shall show 3 (3 = ")


def test_a_listing_that_is_held_or_skipped_says_why() -> None:
    check = ask(stock({"A": 5000}), FakeCart({"A": 3}), listing_sku="A")["listing"]
    assert (check.status, check.answer.endswith("; sharp rise")) == ("warning", True)
    check = ask(stock({"A": 3, "B": 3}), FakeCart({"A": 3}), listing_sku="B")["listing"]
    assert (check.status, "shows not known" in check.answer) == ("warning", True)
    check = ask(stock({"A": 3}), FakeCart(), CartSettings(name="shop", exclude={"A"}), listing_sku="A")[
        "listing"
    ]
    assert (check.status, check.answer) == ("wrong", "excluded")


def test_a_listing_that_nobody_knows_is_looked_for_by_how_it_is_written() -> None:
    found = ask(stock({"AB": 3}), FakeCart({"AB": 3}), listing_sku="ab ")
    assert found["listing"].answer == "nothing is told of it; there is 'AB'"
    found = ask(
        stock({"AB": 3, "C": 1}),
        FakeCart({"AB": 3}),
        CartSettings(name="shop", exclude={"C"}),
        listing_sku="zz",
    )
    assert (len(found), found["listing"].answer) == (18, "no such listing is known")


def test_a_listing_that_only_the_cart_has_is_not_taken_for_a_typing_error(
    tmp_path: Path, clock: FakeClock
) -> None:
    shop: dict[str, Any] = {"merchant": MERCHANT, "clock": clock}
    sink = CsvCart(tmp_path / "stock.csv")
    sync_cart(stock({"A": 3, "OLD": 4}), sink, SHOP, **shop)
    found = diagnose(stock({"A": 3}), sink, SHOP, listing_sku="OLD", **shop)

    assert found["listing"].answer.startswith("only the cart has it, and keeps what it shows")
    assert diagnose(stock({"A": 3}), sink, SHOP, listing_sku="old", **shop)["listing"].answer == (
        "nothing is told of it; there is 'OLD'"
    )


def test_a_listing_that_is_gone_has_no_derivation_and_says_so(clock: FakeClock) -> None:
    ledger, cart = DictLedger(), FakeCart({"A": 3, "B": 3})
    settings = CartSettings(name="shop", when_gone="zero")
    sync_cart(stock({"A": 3, "B": 3}), cart, settings, merchant=MERCHANT, ledger=ledger, clock=clock)
    found = ask(stock({"A": 3}), cart, settings, ledger=ledger, clock=clock, listing_sku="B")
    assert "shall show 0 (" in found["listing"].answer


def test_mixed_up_arguments_are_refused_before_anything_is_read() -> None:
    with pytest.raises(WrongTypeError):
        diagnose(stock({}), SHOP, FakeCart(), merchant=MERCHANT)  # type: ignore[arg-type]  # mixed up


def test_a_diagnosis_is_plain_data_too() -> None:
    found = ask(stock({"A": 3}), FakeCart({"A": 3}))
    assert found.to_data()["checks"][0]["key"] == "order_manager"
    assert '"status": "ok"' in found.to_json()
    assert repr(found) == "<Diagnosis of default / shop: 1 warning, 2 unknown, 14 ok>"
