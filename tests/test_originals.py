"""What a cart showed before omsync: kept before the first change goes out, and put back by a plan."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import attrs
import pytest
from fake_ports import START, AsyncFakeCart, DictLedger, FakeCart, FakeClock, Shelf, stock

import omsync
from omsync import CartSettings, Guardrails, MerchantSettings, Original, PerWarehouse, aio
from omsync.errors import (
    LedgerError,
    NoExplanationError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    WrongTypeError,
)
from omsync.ledgers.sqlite import SqliteLedger

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
PLACE = "originals of shop at fake cart"


class Shell:
    """Calls a function of omsync by its name: blocking, or awaiting with an async cart."""

    def __init__(self, *, awaiting: bool) -> None:
        self.name = "awaiting" if awaiting else "blocking"
        self._awaiting = awaiting

    def __call__(self, name: str, *args: Any, **options: Any) -> Any:
        if not self._awaiting:
            return getattr(omsync, name)(*args, **options)
        twins = [AsyncFakeCart(one) if isinstance(one, FakeCart) else one for one in args]
        return asyncio.run(getattr(aio, name)(*twins, **options))


@pytest.fixture(params=[Shell(awaiting=False), Shell(awaiting=True)], ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger() -> DictLedger:
    return DictLedger()


def sync(cart: FakeCart, figures: dict[str, int], ledger: Any, clock: FakeClock, **more: Any) -> Any:
    settings = more.pop("settings", SHOP)
    more = {"merchant": MERCHANT, "ledger": ledger, "clock": clock, **more}
    return omsync.sync_cart(stock(figures), cart, settings, **more)


def figures(ledger: Any) -> dict[str, int | None]:
    return {one.listing_sku: one.quantity for one in omsync.originals(ledger, SHOP)}


# Keeping.


def test_what_a_listing_showed_before_the_first_change_is_kept_and_never_overwritten(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 7})
    shell("sync_cart", stock({"A": 5, "B": 7}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    run = ledger.runs("default", "shop")[0]
    clock.pass_by(60)
    sync(cart, {"A": 6, "B": 8}, ledger, clock)

    kept = shell("originals", ledger, SHOP)

    first: dict[str, Any] = {
        "listing_sku": "A",
        "master_sku": "A",
        "quantity": 3,
        "seen_at": START,
        "run_id": run.run_id,
    }
    assert kept.entries[0] == Original(**first)
    assert [(one.listing_sku, one.quantity) for one in kept] == [("A", 3), ("B", 7)]
    assert (len(kept), kept.destination) == (2, "fake cart")
    assert str(kept) == (
        "default / shop (fake cart): what 2 listings showed before omsync, seen from 2026-03-02 08:00Z to "
        "2026-03-02 08:01Z"
    )
    assert repr(kept) == "<Originals of default / shop: 2 listings>"


def test_it_is_kept_before_the_change_goes_out(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3, "B": 7}, max_rows=1)
    kept: list[set[str]] = []
    cart.before_push = lambda _: kept.append(set(ledger.memory("default").recall(PLACE)))
    sync(cart, {"A": 5, "B": 9}, ledger, clock)
    assert kept == [{'["A", null]'}, {'["A", null]', '["B", null]'}]


@pytest.mark.parametrize(("shows", "end"), [(2, "held"), (5, "unchanged")])
def test_a_row_that_was_refused_since_it_moved_and_then_not_sent_has_no_original_yet(
    shell: Shell, ledger: DictLedger, clock: FakeClock, shows: int, end: str
) -> None:
    cart = FakeCart({"A": 3}, compare_and_set="cas")
    cart.before_push = lambda _: cart.put("A", shows)
    more: Any = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}

    report = shell("sync_cart", stock({"A": 5}), cart, SHOP, **more)

    assert ([one.outcome for one in report.outcomes], figures(ledger)) == ([end], {})
    cart.before_push = lambda _: None
    clock.pass_by(3600)
    sync(cart, {"A": 1}, ledger, clock)
    assert figures(ledger) == {"A": shows}


def test_units_on_hand_are_kept_beside_what_shoppers_could_buy(ledger: DictLedger, clock: FakeClock) -> None:
    shelves: Any = {"A": Shelf(quantity=10, allocated=2), "B": Shelf(quantity=1, allocated=4)}
    cart = FakeCart(shelves, quantity_meaning="on_hand")
    sync(cart, {"A": 5, "B": 5}, ledger, clock)
    kept = omsync.originals(ledger, "shop")
    assert [(one.quantity, one.on_hand) for one in kept] == [(8, 10), (-3, 1)]
    csv = kept.to_csv().splitlines()
    assert csv[0] == "listing_sku,location_id,master_sku,quantity,on_hand,seen_at,run_id"
    assert csv[1].startswith("A,,A,8,10,2026-03-02T08:00:00+00:00,")


def test_listings_are_kept_by_location_and_a_formula_is_no_formula_in_the_csv(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({("=A", "W1"): 1, ("=A", "W2"): 2}, locations="optional", max_rows=9)
    settings = CartSettings(name="shop", breakdown=True)
    report = omsync.sync_cart(
        stock({"=A": 5}, places=("W1", "W2")), cart, settings, merchant=MERCHANT, ledger=ledger, clock=clock
    )
    assert report.counts == {"applied": 2}
    kept = omsync.originals(ledger, "shop")
    assert [(one.location_id, one.quantity) for one in kept] == [("W1", 1), ("W2", 2)]
    assert kept.to_csv().splitlines()[1].startswith("'=A,W1,'=A,1,,")


def test_a_listing_that_was_not_there_or_showed_nothing_is_kept_as_that(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": Shelf(quantity=None)}, creates_listings=True)
    for wanted in (5, 6):
        sync(cart, {"A": wanted, "B": wanted}, ledger, clock)
    assert figures(ledger) == {"A": None, "B": None}
    assert omsync.originals(ledger, "shop").to_csv().count(",,,2026") == 2


def test_a_row_that_the_cart_did_not_take_is_kept_when_it_does_change(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 7}, rows={"A": "rejected", "B": "conflict"})
    sync(cart, {"A": 5, "B": 9}, ledger, clock)
    assert figures(ledger) == {}
    clock.pass_by(3600)
    cart = FakeCart({"A": 2, "B": 6})
    sync(cart, {"A": 5, "B": 9}, ledger, clock, settings=CartSettings(name="shop", order_lag=0))
    assert figures(ledger) == {"A": 2, "B": 6}


def test_of_a_batch_that_is_cut_to_find_its_bad_row_the_others_are_kept(
    ledger: DictLedger, clock: FakeClock
) -> None:
    bad = {number: (RefusedError("no"), False) for number in (1, 2)}
    cart = FakeCart({"A": 3, "B": 7}, calls=bad)
    report = sync(cart, {"A": 5, "B": 9}, ledger, clock)
    assert report.counts == {"applied": 1, "rejected": 1}
    assert figures(ledger) == {"B": 7}


def test_a_row_that_is_decided_anew_in_the_same_run_is_kept_as_it_shows_then(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 9}, compare_and_set="cas")

    def a_sale_comes_first(number: int) -> None:
        if number == 1:
            cart.put("A", 8)

    cart.before_push = a_sale_comes_first
    report = sync(cart, {"A": 5}, ledger, clock)
    assert (report.counts, cart.sent) == ({"applied": 1}, [("A", 5), ("A", 5)])
    assert figures(ledger) == {"A": 8}


def test_what_may_have_been_written_is_kept(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3}, calls={1: (ServerFaultError("no answer"), True)})
    sync(cart, {"A": 5}, ledger, clock)
    assert figures(ledger) == {"A": 3}


def test_what_did_not_go_out_is_not_kept(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3}, calls={1: (SettingsError("no such place"), False)})
    with pytest.raises(SettingsError):
        sync(cart, {"A": 5}, ledger, clock)
    assert figures(ledger) == {}


def test_of_a_ledger_from_before_originals_were_kept_ours_are_not_taken_for_them(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 3})
    sync(cart, {"A": 5}, ledger, clock)
    ledger.memory("default").forget(PLACE)
    sync(cart, {"A": 6, "B": 6}, ledger, clock)
    assert figures(ledger) == {"B": 3}


def test_a_cart_that_cannot_be_read_or_a_run_without_a_ledger_keeps_nothing(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3}, readable=False)
    sync(cart, {"A": 5}, ledger, clock)
    sync(FakeCart({"A": 3}), {"A": 5}, None, clock)
    assert str(omsync.originals(ledger, "shop")) == (
        "default / shop (fake cart): nothing is kept of what it showed before omsync"
    )
    unheard = shell("originals", ledger, "unheard of")
    assert str(unheard) == "default / unheard of: nothing is kept of what it showed before omsync"
    with pytest.raises(SettingsError, match="cannot say what it shows, so nothing is known") as caught:
        shell("plan_put_back", ledger, cart, SHOP, clock=clock)
    assert caught.value.code == "nothing_to_put_back"


def test_rows_that_are_only_repeated_are_no_changes(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3, "ODD": 7}, contents="full", max_rows=None, lists_all=True)
    sync(cart, {"A": 5}, ledger, clock)
    assert figures(ledger) == {"A": 3}


def test_another_cart_of_the_same_name_has_originals_of_its_own(ledger: DictLedger, clock: FakeClock) -> None:
    old, new = FakeCart({"A": 3}, destination="old"), FakeCart({"A": 4}, destination="new")
    who: dict[str, Any] = {"by": "Ann", "reason": "moved", "clock": clock}
    sync(old, {"A": 5}, ledger, clock)
    omsync.confirm_cart(ledger, new, "shop", **who)
    clock.pass_by(1)
    sync(new, {"A": 5}, ledger, clock)
    assert figures(ledger) == {"A": 4}
    omsync.confirm_cart(ledger, old, "shop", **who)
    assert figures(ledger) == {"A": 3}
    omsync.confirm_cart(ledger, FakeCart({}, destination="old"), "shop", **who)  # set up anew
    assert figures(ledger) == {}


# Putting back.


def test_a_plan_puts_back_what_the_cart_showed_and_is_pushed_like_others(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 7, "C": 9})
    sync(cart, {"A": 5, "B": 1, "C": 9}, ledger, clock)
    clock.pass_by(60)
    cart.put("B", 7)  # somebody did it by hand
    off = attrs.evolve(SHOP, enabled=False)

    plan = shell("plan_put_back", ledger, cart, off, clock=clock)

    assert [(one.listing_sku, one.shown, one.quantity) for one in plan.changes] == [("A", 5, 3)]
    assert [(one.listing_sku, one.action) for one in plan.lines] == [("A", "change"), ("B", "unchanged")]
    assert plan.lines[0].hint == "It showed 3 on 2026-03-02 08:00Z, before omsync changed it."
    assert plan.notices[0].message == (
        "2 listings shall show again what was seen on 2026-03-02 08:00Z; what was sold or came in since is "
        "not in these figures"
    )
    assert cart.shows("A") == 5
    report = shell("push_plan", plan, cart, ledger=ledger, clock=clock)
    assert (report.status, report.counts) == ("success", {"applied": 1, "unchanged": 1})
    assert [cart.shows(sku) for sku in "ABC"] == [3, 7, 9]
    assert figures(ledger) == {"A": 3, "B": 7}
    sent = list(omsync.history(ledger, "shop", "A", clock=clock))
    assert [(one.quantity, one.summary) for one in sent][1:] == [
        (3, "'A' is put back to what it showed before omsync; no figure of the order manager is behind that")
    ]


def test_a_line_that_is_put_back_has_no_explanation_and_says_why(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3})
    sync(cart, {"A": 5}, ledger, clock)
    plan = omsync.plan_put_back(ledger, cart, SHOP, clock=clock)
    with pytest.raises(NoExplanationError, match="'A' is put back to what it showed before omsync") as caught:
        plan.explain("A")
    assert caught.value.code == "put_back"
    assert omsync.load_plan(plan.to_json()).lines == plan.lines


def test_units_on_hand_are_put_back_so_that_shoppers_may_buy_as_many_as_then(
    ledger: DictLedger, clock: FakeClock
) -> None:
    shelves: Any = {"A": Shelf(quantity=10, allocated=2), "B": Shelf(quantity=1, allocated=4)}
    cart = FakeCart(shelves, quantity_meaning="on_hand")
    sync(cart, {"A": 5, "B": 5}, ledger, clock)
    cart.shelves["A", None].allocated = 3
    plan = omsync.plan_put_back(ledger, cart, SHOP, clock=clock)
    omsync.push_plan(plan, cart, ledger=ledger, clock=clock)
    assert (cart.shows("A"), cart.shows("B")) == (8, 0)
    assert cart.shelves["A", None].quantity == 11


def test_what_had_no_figure_stays_and_is_named(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3}, creates_listings=True)
    sync(cart, {"A": 5, "B": 5}, ledger, clock)
    plan = omsync.plan_put_back(ledger, cart, SHOP, clock=clock)
    assert [one.listing_sku for one in plan.lines] == ["A"]
    assert plan.notices[1].message == "1 listing had no figure before omsync, and stay as they are"
    assert plan.notices[1].entries == ("B",)


def test_a_listing_that_is_gone_from_the_cart_is_skipped(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3})
    sync(cart, {"A": 5}, ledger, clock)
    del cart.shelves["A", None]
    (line,) = omsync.plan_put_back(ledger, cart, SHOP, clock=clock).lines
    assert (line.action, line.reason) == ("skip", "not_in_cart")


def test_a_put_back_is_held_to_the_guardrails_and_can_be_approved(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    strict = CartSettings(name="shop", guardrails=Guardrails(max_zeros=0))
    cart = FakeCart({"A": 0, "B": 3})
    sync(cart, {"A": 5, "B": 5}, ledger, clock)
    plan = shell("plan_put_back", ledger, cart, strict, clock=clock)
    assert [(one.listing_sku, one.reason) for one in plan.held] == [("A", "too_many_zeros")]
    until: dict[str, Any] = {"until": timedelta(days=1), "clock": clock}
    omsync.approve(ledger, "shop", plan.digest, by="Ann", reason="we leave", **until)
    plan = shell("plan_put_back", ledger, cart, strict, clock=clock)
    assert plan.held == ()
    omsync.push_plan(plan, cart, ledger=ledger, clock=clock)
    assert (cart.shows("A"), cart.shows("B")) == (0, 3)


def test_of_a_cart_that_was_never_changed_nothing_is_put_back(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3})
    plan = shell("plan_put_back", ledger, cart, SHOP, clock=clock)
    assert (plan.lines, cart.reads) == ((), [])
    assert plan.notices[0].reason == "nothing_to_put_back"
    assert shell("push_plan", plan, cart, ledger=ledger, clock=clock).counts == {}


def test_what_a_cart_is_sent_each_time_is_repeated_with_what_is_put_back(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "ODD": 7}, contents="full", max_rows=None, lists_all=True)
    sync(cart, {"A": 5}, ledger, clock)
    plan = omsync.plan_put_back(ledger, cart, SHOP, clock=clock)
    omsync.push_plan(plan, cart, ledger=ledger, clock=clock)
    assert cart.sent[-2:] == [("A", 3), ("ODD", 7)]


def test_another_cart_is_not_put_back(ledger: DictLedger, clock: FakeClock) -> None:
    sync(FakeCart({"A": 3}), {"A": 5}, ledger, clock)
    other = FakeCart({"A": 5}, destination="another")
    with pytest.raises(SettingsError, match="and this sink is another"):
        omsync.plan_put_back(ledger, other, SHOP, clock=clock)
    assert other.reads == []


def test_arguments_that_were_mixed_up_are_refused(shell: Shell, ledger: DictLedger) -> None:
    with pytest.raises(WrongTypeError, match="cart must be CartSettings, not 'shop'"):
        shell("plan_put_back", ledger, FakeCart(), "shop")
    with pytest.raises(WrongTypeError, match="The sink has no capabilities"):
        shell("plan_put_back", ledger, SHOP, SHOP)
    with pytest.raises(LedgerError):
        shell("plan_put_back", None, FakeCart(), SHOP)
    with pytest.raises(LedgerError):
        shell("originals", None, SHOP)
    with pytest.raises(WrongTypeError, match="is named by its settings or its name"):
        shell("originals", ledger, 7)


def test_it_is_all_there_in_another_process(clock: FakeClock, tmp_path: Any) -> None:
    cart = FakeCart({"A": 3, "B": 7}, rows={"B": "rejected"})
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        sync(cart, {"A": 5, "B": 9}, ledger, clock)
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        assert figures(ledger) == {"A": 3}
        plan = omsync.plan_put_back(ledger, cart, SHOP, clock=clock)
        assert omsync.push_plan(plan, cart, ledger=ledger, clock=clock).status == "success"
    assert cart.shows("A") == 3
