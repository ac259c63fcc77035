"""Whether a cart has come to show what it should: drift, and what is sent again since nobody can look."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_ports import START, Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shelf, Shell, stock

from omsync import (
    CartSettings,
    MerchantSettings,
    PerWarehouse,
    SyncReport,
    drift,
    history,
    originals,
    plan_cart,
    push_plan,
    quarantined,
    sync_cart,
)
from omsync.errors import LedgerError, SettingsError, UnreachableError, WrongTypeError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import ListingState

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))
HOUR = 3600


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger() -> DictLedger:
    return DictLedger()


def sync(cart: FakeCart, figures: dict[str, int], ledger: Any, clock: FakeClock, **more: Any) -> SyncReport:
    settings = CartSettings(name="shop", **more)
    return sync_cart(stock(figures), cart, settings, merchant=MERCHANT, ledger=ledger, clock=clock)


# Drift.


def test_a_cart_that_shows_what_it_should_has_no_drift(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 7})
    sync(cart, {"A": 5, "B": 7}, ledger, clock)
    found = shell.drift(ledger, cart, SHOP, clock=clock)
    assert (len(found), found.compared, found.basis, list(found)) == (0, 2, "cart", [])
    assert str(found) == ("default / shop: fake cart shows something else than it should for 0 of 2 listings")


def test_what_moved_since_it_was_right_differs_since_it_was_last_seen_to_be(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 7})
    sync(cart, {"A": 5, "B": 7}, ledger, clock)
    clock.pass_by(HOUR)
    sync(cart, {"A": 5, "B": 7}, ledger, clock)
    cart.put("A", 4)
    clock.pass_by(HOUR)

    (line,) = shell.drift(ledger, cart, SHOP, clock=clock)
    assert (line.listing_sku, line.desired, line.shown, line.reason) == ("A", 5, 4, "differs")
    assert line.since == START + timedelta(hours=1)
    assert line.run_id == ledger.runs("default", "shop")[0].run_id
    (again,) = shell.drift(ledger, cart, SHOP, clock=clock)
    assert again.since == START + timedelta(hours=2)
    assert (ledger.state("A").observed, ledger.state("A").observed_run) == (4, None)


def test_what_was_never_right_differs_since_it_was_wanted(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3}, rows={"A": "rejected"})
    for _ in range(3):
        sync(cart, {"A": 5}, ledger, clock)
        clock.pass_by(HOUR)
    (line,) = drift(ledger, cart, SHOP, clock=clock)
    assert (line.shown, line.since) == (3, START)
    cart.put("A", 2)
    (line,) = drift(ledger, cart, SHOP, clock=clock)
    assert (line.shown, line.since) == (2, START)


def test_looking_closes_what_a_cart_accepted_and_showed_late(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3}, rows={"A": "silent"}, completion="eventual")
    sync(cart, {"A": 5}, ledger, clock)
    assert (ledger.state("A").accepted, ledger.state("A").observed) == (5, 3)
    clock.pass_by(HOUR)
    assert len(drift(ledger, cart, SHOP, clock=clock)) == 0
    assert (ledger.state("A").observed, ledger.state("A").observed_at) == (5, clock.now())


def test_a_listing_that_is_gone_or_no_longer_counted_is_named_with_the_reason(
    ledger: DictLedger, clock: FakeClock
) -> None:
    figures = dict.fromkeys("ABCD", 5)
    cart = FakeCart({sku: 5 for sku in figures})  # noqa: C420  fromkeys would fix the type of its keys
    sync(cart, figures, ledger, clock)
    del cart.shelves["A", None]
    cart.put("B", Shelf(quantity=5, state="untracked"))
    cart.put("C", Shelf(quantity=None))
    found = drift(ledger, cart, SHOP, clock=clock)
    assert {line.listing_sku: (line.shown, line.reason) for line in found} == {
        "A": (None, "not_in_cart"),
        "B": (None, "untracked_in_cart"),
        "C": (None, "not_said"),
    }
    assert "not in cart" in str(found)
    assert ledger.state("B").observed == 5


def test_units_on_hand_are_compared_by_what_a_shopper_may_buy(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": Shelf(quantity=9, allocated=4)}, quantity_meaning="on_hand")
    sync(cart, {"A": 5}, ledger, clock)
    assert len(drift(ledger, cart, SHOP, clock=clock)) == 0
    cart.put("A", Shelf(quantity=9, allocated=6))
    assert [line.shown for line in drift(ledger, cart, SHOP, clock=clock)] == [3]
    cart.put("A", Shelf(quantity=9))
    assert [line.reason for line in drift(ledger, cart, SHOP, clock=clock)] == ["not_said"]


def test_what_no_plan_speaks_of_any_more_is_no_drift(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 5, "B": 5})
    sync(cart, {"A": 5, "B": 5}, ledger, clock)
    clock.pass_by(HOUR)
    sync(cart, {"A": 5, "B": 5}, ledger, clock, exclude={"B"})
    cart.put("B", 1)
    found = drift(ledger, cart, SHOP, clock=clock)
    assert (found.compared, len(found)) == (1, 0)


def test_the_longest_comes_first_and_a_long_list_is_cut(ledger: DictLedger, clock: FakeClock) -> None:
    figures = {f"S{number:02}": 5 for number in range(45)}
    cart = FakeCart({sku: 5 for sku in figures})  # noqa: C420  fromkeys would fix the type of its keys
    sync(cart, figures, ledger, clock)
    cart.put("S40", 4)
    drift(ledger, cart, SHOP, clock=clock)
    clock.pass_by(HOUR)
    drift(ledger, cart, SHOP, clock=clock)
    for sku in figures:
        cart.put(sku, 4)
    found = drift(ledger, cart, SHOP, clock=clock)
    assert found.lines[0].listing_sku == "S40"
    assert "for 45 of 45 listings" in str(found)
    assert "... and 5 more" in str(found)
    assert "2026-03-02 08:00Z" in str(found)
    assert repr(found) == "<Drift of default / shop: 45 of 45>"


def test_of_a_cart_that_cannot_be_read_only_what_it_did_not_accept_is_known(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart(readable=False, rows={"B": "rejected"})
    sync(cart, {"A": 5, "B": 6}, ledger, clock)
    clock.pass_by(HOUR)
    found = shell.drift(ledger, cart, SHOP, clock=clock)
    assert [(line.listing_sku, line.shown, line.reason, line.since) for line in found] == [
        ("B", None, "not_accepted", START)
    ]
    assert found.basis == "ledger"
    assert "cannot be read" in str(found)
    assert cart.reads == []
    assert ledger.state("A").observed_at == START


def test_figures_of_a_ledger_that_keeps_no_times_differ_since_nobody_knows_when(
    ledger: DictLedger, clock: FakeClock
) -> None:
    ledger.record_states("default", "shop", [ListingState(listing_sku="A", location_id="york", desired=5)])
    found = drift(ledger, FakeCart({("A", "york"): 4}, locations="optional"), SHOP, clock=clock)
    assert [(line.location_id, line.shown, line.since) for line in found] == [("york", 4, None)]
    assert "york" in str(found)


def test_a_cart_that_never_ran_is_not_even_read(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3})
    found = drift(ledger, cart, "shop", merchant="acme", clock=clock)
    assert (found.compared, cart.reads, found.merchant) == (0, [], "acme")


def test_drift_without_a_ledger_a_cart_or_an_answer_is_a_clear_error(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart: Any = FakeCart({"A": 3})
    with pytest.raises(LedgerError) as caught:
        shell.drift(None, cart, SHOP)
    assert caught.value.code == "no_ledger"
    with pytest.raises(WrongTypeError, match="no capabilities"):
        shell.drift(ledger, SHOP, cart)
    sync(cart, {"A": 5}, ledger, clock)
    cart.read_errors = [UnreachableError("down")]
    with pytest.raises(UnreachableError):
        shell.drift(ledger, cart, SHOP)


# Accepted closes nothing.


def pushed(cart: FakeCart) -> list[tuple[str, int]]:
    sent = cart.sent
    cart.pushes = []
    return sent


def test_a_cart_that_cannot_be_read_is_told_again_what_it_accepted_long_ago_and_zeros_sooner(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart(readable=False)
    figures = {"A": 5, "B": 0}

    def run(**passing: float) -> list[tuple[str, int]]:
        clock.pass_by(timedelta(**passing).total_seconds())
        report = shell.sync_cart(stock(figures), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
        assert report.status == "success"
        return pushed(cart)

    assert run() == [("B", 0), ("A", 5)]
    assert run(hours=24) == []
    assert run(seconds=1) == [("B", 0)]
    assert run(hours=24) == []
    assert run(days=4, hours=23) == [("B", 0)]
    assert run(hours=1) == [("A", 5)]
    assert run(hours=1) == []


def test_how_long_accepted_is_taken_for_granted_can_be_set_and_lifted(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart(readable=False)
    figures = {"A": 5, "B": 0}
    sync(cart, figures, ledger, clock)
    clock.pass_by(365 * 24 * HOUR)
    pushed(cart)
    sync(cart, figures, ledger, clock, reassert_after=0, reassert_zeros_after=0)
    assert pushed(cart) == []
    sync(cart, figures, ledger, clock, reassert_after=0)
    assert pushed(cart) == [("B", 0)]
    sync(cart, figures, ledger, clock, reassert_zeros_after=0)
    assert pushed(cart) == [("A", 5)]
    clock.pass_by(2 * HOUR)
    sync(cart, figures, ledger, clock, reassert_after=1)
    assert pushed(cart) == [("A", 5)]


def test_what_was_accepted_by_a_clock_that_ran_ahead_is_told_again(ledger: DictLedger) -> None:
    cart = FakeCart({"A": 9}, readable=False)
    sync(cart, {"A": 0}, ledger, FakeClock(START + timedelta(days=30)))
    cart.put("A", 9)  # it was lost

    sync(cart, {"A": 0}, ledger, FakeClock())

    assert cart.shows("A") == 0


def test_a_cart_that_can_be_read_is_not_told_again_what_it_shows(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 5, "B": 0})
    sync(cart, {"A": 5, "B": 0}, ledger, clock)
    clock.pass_by(365 * 24 * HOUR)
    sync(cart, {"A": 5, "B": 0}, ledger, clock)
    assert pushed(cart) == []


def test_a_cart_that_is_sent_everything_has_it_told_anyway(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart(readable=False, contents="full", max_rows=None)
    sync(cart, {"A": 5}, ledger, clock)
    clock.pass_by(365 * 24 * HOUR)
    report = sync(cart, {"A": 5}, ledger, clock)
    assert [one.outcome for one in report.outcomes] == ["unchanged"]
    assert pushed(cart) == [("A", 5), ("A", 5)]


def test_a_whole_catalogue_that_is_told_again_is_no_upheaval(ledger: DictLedger, clock: FakeClock) -> None:
    figures = {f"S{number:02}": 5 for number in range(60)} | {f"Z{number:02}": 0 for number in range(60)}
    cart = FakeCart(readable=False, max_rows=None)
    sync(cart, figures, ledger, clock)
    pushed(cart)
    clock.pass_by(30 * 24 * HOUR)
    plan = plan_cart(stock(figures), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert {line.reason for line in plan.changes} == {"reasserted"}
    assert (len(plan.changes), plan.held) == (120, ())


def test_a_plan_that_tells_again_is_pushed_unless_something_else_was_accepted_meanwhile(
    ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart(readable=False)
    sync(cart, {"A": 5, "B": 5}, ledger, clock)
    clock.pass_by(30 * 24 * HOUR)
    plan = plan_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    sync(cart, {"B": 6}, ledger, clock)
    pushed(cart)
    report = push_plan(plan, cart, ledger=ledger, clock=clock)
    assert pushed(cart) == [("A", 5)]
    assert [(one.outcome, one.reason) for one in report.outcomes] == [
        ("applied", ""),
        ("conflict", "moved_since_plan"),
    ]


def test_figures_without_a_time_are_told_again_since_nobody_knows_how_old_they_are(
    ledger: DictLedger, clock: FakeClock
) -> None:
    ledger.record_states("default", "shop", [ListingState(listing_sku="A", accepted=5)])
    cart = FakeCart(readable=False)
    sync(cart, {"A": 5}, ledger, clock)
    assert pushed(cart) == [("A", 5)]


@pytest.mark.parametrize("readable", [True, False])
def test_trusting_for_ever_what_a_cart_accepted_shows_in_the_report_of_one_that_cannot_be_read(
    ledger: DictLedger, clock: FakeClock, *, readable: bool
) -> None:
    cart = FakeCart({"A": 3} if readable else None, readable=readable)
    settings = CartSettings(name="shop", reassert_after=0)
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": clock}
    report = sync_cart(stock({"A": 5}), cart, settings, **more)
    assert [one.entries for one in report.notices if one.reason == "reassert_off"] == (
        [] if readable else [("reassert_after",)]
    )


@pytest.mark.parametrize("name", ["reassert_after", "reassert_zeros_after"])
@pytest.mark.parametrize("hours", [-1, 1.5, True, None, "24"])
def test_ages_are_whole_hours(name: str, hours: Any) -> None:
    with pytest.raises((SettingsError, ValueError), match=name):
        CartSettings(name="shop", **{name: hours})


# A name that nobody knows.


@pytest.mark.parametrize(
    ("owner", "name", "words"),
    [
        ("default", "shpo", "The ledger knows no cart 'shpo' of 'default'; it knows shop"),
        ("defualt", "shop", "The ledger knows no cart of 'defualt'; it knows default"),
    ],
)
def test_a_misspelt_name_is_warned_of_since_nothing_is_found_under_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, owner: str, name: str, words: str
) -> None:
    clock = FakeClock()
    with SqliteLedger(tmp_path / "omsync.db", now=clock.now) as ledger:
        sync(FakeCart({"A": 3}), {"A": 5}, ledger, clock)
        caplog.clear()
        history(ledger, "shop")
        originals(ledger, "shop")
        quarantined(ledger, "shop")
        assert caplog.messages == []
        for look in (history, originals, quarantined):
            assert len(list(look(ledger, name, merchant=owner))) == 0
        assert caplog.messages == [words] * 3


def test_a_ledger_that_knows_nothing_yet_warns_of_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        assert len(list(history(ledger, "shop"))) == 0
    assert caplog.messages == []
