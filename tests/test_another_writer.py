"""A listing that turns back after our write, twice running: another system writes the cart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shelf, Shell, stock

from omsync import (
    Alias,
    CartSettings,
    Guardrails,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
    SyncPlan,
    SyncReport,
    approve,
    drift,
    plan_cart,
)
from omsync.errors import LedgerError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning.turning import SHOWS_WITHIN

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


class Desk:
    """A shop that is synced every hour from a reading of that moment, and what happens in between."""

    def __init__(
        self, shell: Shell | None = None, *, shows: int | Shelf = 0, cart: CartSettings = SHOP, **given: Any
    ) -> None:
        self.shell = shell or Blocking()
        self.cart = FakeCart({"A": shows}, **given)
        self.ledger: Any = DictLedger()
        self.settings = cart
        self.hour = 8
        self.given: InventorySnapshot | None = None

    @property
    def now(self) -> datetime:
        return MIDNIGHT + timedelta(hours=self.hour)

    def reading(self, figure: int) -> InventorySnapshot:
        if self.given is not None:
            return self.given
        return attrs.evolve(stock({"A": figure}), taken_at=self.now)

    def sync(self, figure: int, *, then: int | None = None) -> SyncReport:
        """Sync; afterwards the cart shows something else, if ``then`` says so, and an hour passes."""
        clock = FakeClock(self.now)
        report: SyncReport = self.shell.sync_cart(
            self.reading(figure), self.cart, self.settings, merchant=MERCHANT, ledger=self.ledger, clock=clock
        )
        if then is not None:
            self.cart.put("A", then)
        self.hour += 1
        return report

    def plan(self, figure: int) -> SyncPlan:
        return plan_cart(
            self.reading(figure),
            self.cart,
            self.settings,
            merchant=MERCHANT,
            ledger=self.ledger,
            clock=FakeClock(self.now),
        )

    def approve(self, report: SyncReport) -> None:
        approve(
            self.ledger,
            self.settings,
            report.digest,
            by="Ann",
            reason="the old upload is off",
            until=timedelta(days=30),
            merchant=MERCHANT,
            clock=FakeClock(self.now),
        )


def end(report: SyncReport) -> tuple[str, str]:
    (outcome,) = report.outcomes
    return outcome.outcome, outcome.reason


def said(report: SyncReport | SyncPlan) -> list[str]:
    return [notice.message for notice in report.notices if notice.reason == "another_writer"]


def with_an_old_upload(shell: Shell | None = None, *, times: int = 2, **given: Any) -> Desk:
    """A shop in which something writes 9 after each of our writes of 5."""
    desk = Desk(shell, shows=9, **given)
    for _ in range(times):
        assert end(desk.sync(5, then=9)) == ("applied", "")
    return desk


def test_a_fall_that_is_undone_twice_running_is_another_system(shell: Shell) -> None:
    desk = with_an_old_upload(shell, times=1)
    once = desk.sync(5, then=9)
    assert said(once) == []

    twice = desk.sync(12)

    assert end(twice) == ("held", "another_writer")
    assert twice.status == "partial"
    assert desk.cart.shows("A") == 9
    (message,) = said(twice)
    assert message == (
        "another system writes this cart, or it does not keep what it accepts: 1 listing turned back and is "
        "not raised: 'A' was left with 5 and showed 9 again, 2 times running since 2026-03-02 09:00Z. Look "
        "for an old upload, the cart's own stock app, or a second sync of the same cart, and switch it off"
    )
    (outcome,) = twice.outcomes
    assert outcome.message == (
        "Another system writes it: it was left with 5 and showed 9 again, 2 times running since 2026-03-02 "
        "09:00Z. Switch that off, then approve by the plan's digest; a write that stays frees it too."
    )


def test_falls_are_still_sent_and_counted_on() -> None:
    desk = with_an_old_upload()

    report = desk.sync(4, then=9)

    assert end(report) == ("applied", "")
    assert "2 times running" in said(report)[0]
    assert report.status == "success"
    assert (
        "was left with 4 and showed 9 again, 3 times running since 2026-03-02 09:00Z" in said(desk.sync(4))[0]
    )


def test_a_write_that_stays_frees_it() -> None:
    desk = with_an_old_upload()
    desk.sync(4)

    report = desk.sync(12)

    assert end(report) == ("applied", "")
    assert said(report) == []


def test_one_that_stays_in_between_means_not_twice_running() -> None:
    desk = with_an_old_upload(times=1)
    desk.sync(5)
    desk.sync(3, then=9)

    assert end(desk.sync(12)) == ("applied", "")


def test_a_figure_above_what_we_left_is_no_sale_whatever_it_was_before() -> None:
    desk = Desk(shows=3)
    desk.sync(5, then=6)
    desk.sync(5, then=30)

    report = desk.sync(40)

    assert end(report) == ("held", "another_writer")
    assert "'A' was left with 5 and showed 30 again" in said(report)[0]


def test_looking_more_often_counts_nothing_more() -> None:
    desk = with_an_old_upload(times=1)
    for _ in range(3):
        assert said(desk.plan(12)) == []
    desk.sync(5, then=9)
    desk.plan(5)
    drift(desk.ledger, desk.cart, desk.settings, clock=FakeClock(desk.now), merchant=MERCHANT)

    assert "2 times running" in said(desk.plan(5))[0]


def test_a_look_by_drift_in_between_hides_nothing() -> None:
    desk = with_an_old_upload(times=1)
    drift(desk.ledger, desk.cart, desk.settings, clock=FakeClock(desk.now), merchant=MERCHANT)
    desk.sync(5, then=9)
    drift(desk.ledger, desk.cart, desk.settings, clock=FakeClock(desk.now), merchant=MERCHANT)

    assert end(desk.sync(12)) == ("held", "another_writer")


def test_a_person_lets_the_rise_through_and_it_is_over_when_it_stays(shell: Shell) -> None:
    desk = with_an_old_upload(shell)
    desk.approve(desk.sync(12))

    assert end(desk.sync(12)) == ("applied", "")
    report = desk.sync(14)

    assert end(report) == ("applied", "")
    assert said(report) == []


def test_it_is_kept_in_a_ledger_file_between_processes(tmp_path: Any) -> None:
    desk = Desk(shows=9)
    for _ in range(2):
        with SqliteLedger(tmp_path / "ledger.db") as desk.ledger:
            desk.sync(5, then=9)
    with SqliteLedger(tmp_path / "ledger.db") as desk.ledger:
        assert end(desk.sync(12)) == ("held", "another_writer")


# Rises that go back: they may have sold.


def test_a_rise_that_goes_back_without_a_sale_in_the_order_manager_is_another_system(shell: Shell) -> None:
    desk = Desk(shell, shows=2)
    desk.sync(7, then=2)
    assert end(desk.sync(7)) == ("held", "maybe_sold")
    assert end(desk.sync(7, then=2)) == ("applied", "")
    assert end(desk.sync(7)) == ("held", "maybe_sold")

    report = desk.sync(7)

    assert end(report) == ("held", "another_writer")
    assert (
        "'A' was left with 7 and showed 2 again, 2 times running since 2026-03-02 10:00Z" in said(report)[0]
    )


def test_a_listing_at_its_maximum_that_sells_one_again_and_again_is_an_ordinary_day() -> None:
    desk = Desk(shows=4, cart=CartSettings(name="shop", rules=QuantityRules(max_quantity=5)))
    desk.sync(100, then=4)
    for stock_left in range(99, 90, -1):
        waits = desk.sync(stock_left)
        assert end(waits) == ("held", "maybe_sold")
        report = desk.sync(stock_left, then=4)
        assert end(report) == ("applied", "")
        assert said(report) == []


def test_a_pack_that_sold_is_known_by_its_units() -> None:
    cart = CartSettings(name="shop", alias="Shop", rules=QuantityRules(max_quantity=5))
    desk = Desk(shows=4, cart=cart)

    def run(figure: int, then: int | None = None) -> SyncReport:
        packs = [Alias(name="Shop", master_sku="M", listing_sku="A", units=6)]
        reading = attrs.evolve(stock({"M": figure}, aliases=packs), taken_at=desk.now)
        desk.given = reading
        return desk.sync(figure, then=then)

    run(600, then=4)
    for left in (594, 588, 582):
        run(left)
        assert end(run(left, then=4)) == ("applied", "")
    # One unit of the product went elsewhere, and that is no pack.
    run(582)
    assert end(run(581, then=4)) == ("applied", "")
    run(581)
    assert end(run(580)) == ("held", "another_writer")


def test_a_fall_below_what_stood_before_says_nothing_either_way() -> None:
    desk = Desk(shows=9)
    desk.sync(5, then=9)  # turns back: once
    desk.sync(12, then=7)  # sold, or turned back and sold
    assert end(desk.sync(12)) == ("held", "maybe_sold")

    desk.sync(6, then=9)  # turns back: twice, since nothing of ours was seen to stay

    assert end(desk.sync(12)) == ("held", "another_writer")


def test_some_of_a_rise_that_sold_means_that_it_stayed() -> None:
    desk = Desk(shows=9)
    desk.sync(5, then=9)
    desk.sync(12, then=11)
    desk.sync(6, then=9)

    assert end(desk.sync(12)) == ("applied", "")


def test_what_moves_while_a_rise_is_waiting_to_be_explained_counts_for_nothing() -> None:
    desk = Desk(shows=2)
    desk.sync(7, then=2)
    desk.sync(7, then=1)
    desk.sync(7, then=1)
    assert said(desk.sync(7)) == []


# What is no evidence.


def test_a_cart_that_did_not_apply_is_no_other_system() -> None:
    desk = Desk(shows=9, rows={"A": "ignored"})
    for _ in range(4):
        assert end(desk.sync(5)) == ("pending", "accepted_not_applied")
    assert said(desk.sync(5)) == []


def test_a_refused_write_is_none() -> None:
    desk = Desk(shows=9, rows={"A": "rejected"})
    for _ in range(4):
        desk.sync(5)
    assert said(desk.sync(5)) == []


def test_a_listing_that_is_out_of_the_cart_for_a_while_is_judged_when_it_is_back() -> None:
    desk = with_an_old_upload()
    del desk.cart.shelves["A", None]
    assert end(desk.sync(5)) == ("skipped", "not_in_cart")
    desk.cart.put("A", 9)

    assert end(desk.sync(12)) == ("held", "another_writer")


def test_one_that_is_left_out_by_the_settings_is_forgotten() -> None:
    desk = with_an_old_upload()
    desk.settings = attrs.evolve(SHOP, exclude={"A"})
    desk.sync(5)
    desk.settings = SHOP

    assert end(desk.sync(12)) == ("applied", "")


def test_a_place_is_named() -> None:
    cart = CartSettings(name="shop", breakdown=True)
    desk = Desk(cart=cart, locations="optional")
    for _ in range(3):
        desk.cart.put(("A", "W1"), 9)
        report = desk.sync(5)
    assert "'A' at W1 was left with 5" in said(report)[0]


def test_of_many_the_worst_are_named_and_the_others_counted() -> None:
    skus = ["A", "B", "C", "D", "E"]
    ledger, cart = DictLedger(), FakeCart(dict.fromkeys(skus, 9))
    for hour in range(3):
        now = MIDNIGHT + timedelta(hours=hour)
        reading = attrs.evolve(stock(dict.fromkeys(skus, 5)), taken_at=now)
        plan = plan_cart(reading, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=FakeClock(now))
        Blocking().push_plan(plan, cart, ledger=ledger, clock=FakeClock(now))
        for sku in skus[:4]:
            cart.put(sku, 9)

    (notice,) = [one for one in plan.notices if one.reason == "another_writer"]
    assert notice.entries == ("A", "B", "C", "D")
    assert "4 listings turned back" in notice.message
    assert "'C' was left with 5" in notice.message
    assert "and 1 more" in notice.message
    assert "'D'" not in notice.message


# Carts that show later.


@pytest.mark.parametrize("completion", ["eventual", "job"])
def test_a_cart_that_applies_later_has_time_to_do_so(completion: str) -> None:
    desk = Desk(shows=9, rows={"A": "silent"}, completion=completion)
    hours = SHOWS_WITHIN // timedelta(hours=1)
    for _ in range(2 * hours + 2):
        report = desk.sync(5, then=9)
        assert said(report) == []

    report = desk.sync(5, then=9)

    assert (
        "'A' was left with 5 and showed 9 again, 2 times running since 2026-03-02 15:00Z" in said(report)[0]
    )
    assert end(desk.sync(12)) == ("held", "another_writer")


def test_one_that_shows_anything_of_ours_in_time_is_left_alone() -> None:
    desk = Desk(shows=9, rows={"A": "silent"}, completion="eventual")
    for hour in range(30):
        assert said(desk.sync(5, then=9 if hour % 5 else 5)) == []


def test_a_rise_that_a_cart_never_shows_is_judged_by_the_order_managers_figures() -> None:
    desk = Desk(shows=2, rows={"A": "silent"}, completion="eventual")
    reports = [desk.sync(7, then=2) for _ in range(20)]
    assert ("held", "another_writer") in [end(report) for report in reports]


# Switching off.


def test_it_is_switched_off_by_name_and_the_report_says_so() -> None:
    desk = with_an_old_upload(cart=attrs.evolve(SHOP, guardrails=Guardrails(off={"another_writer"})))

    report = desk.sync(12)

    assert end(report) == ("applied", "")
    assert said(report) == []
    assert "guardrails switched off: another_writer" in str(report)


def test_without_a_ledger_nothing_is_known() -> None:
    desk = Desk(shows=9)
    desk.ledger = None
    for _ in range(3):
        desk.sync(5, then=9)
    assert end(desk.sync(12)) == ("applied", "")


def test_a_cart_that_cannot_be_read_cannot_be_watched() -> None:
    desk = Desk(readable=False)
    for figure in (5, 4, 7):
        assert said(desk.sync(figure, then=9)) == []


def test_an_ordinary_day_leaves_nothing_behind() -> None:
    desk = Desk(shows=9)
    desk.sync(5)
    desk.sync(5)

    assert desk.ledger.memory("default").recall("writes of shop") in ({}, {"last look": ""})


def test_an_override_changes_nothing_of_it() -> None:
    cart = attrs.evolve(SHOP, overrides={"A": SkuOverride(rules=QuantityRules(percent=50))})
    desk = Desk(shows=9, cart=cart)
    for _ in range(2):
        desk.sync(10, then=9)
    assert end(desk.sync(30)) == ("held", "another_writer")


@pytest.mark.parametrize("text", ["[", "[[]]", '[["A", null, "9", 9, null, null, 0, null, null]]', "[5]"])
def test_a_ledger_that_somebody_edited_is_refused_by_name(text: str) -> None:
    desk = Desk(shows=9)
    desk.ledger.memory("default").remember("writes of shop", {"last look": text})

    with pytest.raises(LedgerError, match="What the ledger keeps in 'writes of shop' cannot be read"):
        desk.sync(5)
