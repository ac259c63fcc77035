"""A cart that shows less than we left it with has probably sold: it waits until the sale is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shelf, Shell, capabilities, stock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omsync import (
    CartSettings,
    InventorySnapshot,
    ListingState,
    MerchantSettings,
    PerWarehouse,
    SyncPlan,
    SyncReport,
    approve,
    drift,
    plan_cart,
    push_plan,
    sync_cart,
)
from omsync.errors import InvalidValueError, LedgerError, LostAnswerError, WrongTypeError
from omsync.planning.sales import by_key, falls_seen, hold_new_rises
from omsync.sources.orders import CartOrders

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{clock}:00").replace(tzinfo=UTC)


class Desk:
    """A shop, its ledger and a clock; each ``sync`` says when the figures were read and when it runs."""

    def __init__(
        self,
        shell: Shell | None = None,
        *,
        cart: CartSettings = SHOP,
        shows: int | Shelf = 0,
        start: str = "08:00",
        **given: Any,
    ) -> None:
        self.shell = shell or Blocking()
        self.settings = cart
        self.ledger = DictLedger()
        self.cart = FakeCart({"A": shows}, **given)
        self.start = at(start)

    def sync(self, now: str, figure: int, *, read: str, **options: Any) -> SyncReport:
        report: SyncReport = self.shell.sync_cart(
            self.figures(figure, read),
            self.cart,
            self.settings,
            merchant=MERCHANT,
            ledger=self.ledger,
            clock=FakeClock(at(now)),
            **options,
        )
        return report

    @staticmethod
    def figures(figure: int, read: str) -> InventorySnapshot:
        return attrs.evolve(stock({"A": figure}), taken_at=at(read))


def end(report: SyncReport) -> tuple[str, str]:
    (outcome,) = report.outcomes
    return outcome.outcome, outcome.reason


def test_what_sold_since_the_read_is_not_offered_again(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)

    report = desk.sync("08:15", 10, read="07:30")

    assert end(report) == ("held", "maybe_sold")
    assert desk.cart.shows("A") == 7
    assert report.status == "success"
    assert report.outcomes[0].message == (
        "It was left with 10 and showed 7 on 2026-03-02 08:15:00Z, as after a sale; the figures are of "
        "2026-03-02 07:30:00Z. It is raised from figures read on 2026-03-02 08:45:00Z or later, or when "
        "orders in flight explain it."
    )


@pytest.mark.parametrize(("read", "shows"), [("08:44", 7), ("08:45", 12)])
def test_it_is_raised_from_figures_read_a_lag_after_the_fall_was_first_seen(read: str, shows: int) -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)
    desk.sync("08:15", 10, read="07:30")
    desk.sync("08:30", 10, read="07:30")

    desk.sync("09:00", 12, read=read)

    assert desk.cart.shows("A") == shows


def test_a_fall_that_the_order_manager_knows_of_needs_nothing(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)

    assert end(desk.sync("08:15", 7, read="08:10")) == ("unchanged", "")
    assert end(desk.sync("08:20", 5, read="08:16")) == ("applied", "")
    assert desk.cart.shows("A") == 5


def test_a_second_sale_begins_the_wait_anew() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)
    desk.sync("08:15", 10, read="07:30")
    desk.cart.put("A", 6)
    desk.sync("08:40", 10, read="08:30")

    assert end(desk.sync("09:05", 10, read="08:50")) == ("held", "maybe_sold")
    assert end(desk.sync("09:15", 10, read="09:10")) == ("applied", "")


def test_a_sale_before_our_first_write_counts_too() -> None:
    desk = Desk(shows=10)
    assert end(desk.sync("08:00", 10, read="07:30")) == ("unchanged", "")
    desk.cart.put("A", 9)

    assert end(desk.sync("08:15", 10, read="07:30")) == ("held", "maybe_sold")


def test_a_restock_typed_into_the_cart_and_sold_from_counts_from_what_was_seen_last() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 12)
    desk.sync("08:10", 12, read="08:05")
    desk.cart.put("A", 11)

    assert end(desk.sync("08:15", 12, read="08:05")) == ("held", "maybe_sold")


def test_a_plan_alone_notes_when_a_fall_was_first_seen() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)
    for now in ("08:15", "08:40"):
        plan = plan_cart(
            desk.figures(10, "07:30"),
            desk.cart,
            SHOP,
            merchant=MERCHANT,
            ledger=desk.ledger,
            clock=FakeClock(at(now)),
        )
        assert [line.reason for line in plan.held] == ["maybe_sold"]

    assert end(desk.sync("09:00", 10, read="08:45")) == ("applied", "")


def test_who_merely_looked_at_the_cart_has_not_made_the_sale_usual(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)
    shell.drift(desk.ledger, desk.cart, SHOP, clock=FakeClock(at("08:10")))

    assert end(desk.sync("08:15", 10, read="07:30")) == ("held", "maybe_sold")
    assert end(desk.sync("08:39", 10, read="08:39")) == ("held", "maybe_sold")
    assert end(desk.sync("08:40", 10, read="08:40")) == ("applied", "")


def test_a_look_that_began_before_our_write_says_nothing_of_what_it_was_left_with() -> None:
    desk = Desk()
    desk.sync("08:00", 3, read="07:30")
    looking = FakeClock(at("08:09"))
    looked, desk.cart.read = desk.cart.read, lambda skus: late(looked(skus))  # type: ignore[method-assign]

    def late(listings: Any) -> Any:
        desk.cart.read = looked  # type: ignore[method-assign]
        looking.pass_by(120)
        desk.sync("08:10", 10, read="08:05")
        return listings

    drift(desk.ledger, desk.cart, SHOP, clock=looking)
    desk.cart.put("A", 9)

    assert end(desk.sync("08:15", 10, read="08:05")) == ("held", "maybe_sold")


def test_what_sold_while_the_push_went_on_is_no_figure_to_go_by(shell: Shell) -> None:
    """The cart took 10 without showing it, and by the end of the push one of them was sold."""
    desk = Desk(shell, shows=3, rows={"A": "silent"})
    clock = FakeClock(at("08:00"))

    def sells(stage: str, *_: object) -> None:
        if stage == "push":
            desk.cart.put("A", 9)

    desk.cart.before_push = lambda _: clock.pass_by(1)
    options: Any = {"merchant": MERCHANT, "ledger": desk.ledger, "clock": clock, "on_progress": sells}
    report = shell.sync_cart(desk.figures(10, "07:30"), desk.cart, SHOP, **options)
    assert end(report) == ("pending", "not_yet_seen")

    assert end(desk.sync("08:15", 10, read="08:14")) == ("held", "maybe_sold")
    assert desk.cart.shows("A") == 9


def test_a_cart_that_took_a_figure_and_shows_the_one_before_it_is_simply_told_again() -> None:
    desk = Desk(shows=3, rows={"A": "silent"})
    clock = FakeClock(at("08:00"))

    def loses_it(stage: str, *_: object) -> None:
        if stage == "push":
            desk.cart.put("A", 3)

    desk.cart.before_push = lambda _: clock.pass_by(1)
    options: Any = {"merchant": MERCHANT, "ledger": desk.ledger, "clock": clock, "on_progress": loses_it}
    sync_cart(desk.figures(10, "07:30"), desk.cart, SHOP, **options)

    assert end(desk.sync("08:15", 10, read="08:14")) == ("applied", "")


def test_an_old_plan_does_not_say_what_the_cart_shows_today(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync("08:00", 8, read="07:30")
    options: Any = {"ledger": desk.ledger, "clock": FakeClock(at("08:05"))}
    old = shell.plan_cart(desk.figures(8, "07:30"), desk.cart, SHOP, merchant=MERCHANT, **options)
    desk.sync("08:10", 20, read="08:08")
    desk.cart.put("A", 15)
    options["clock"] = FakeClock(at("08:20"))

    assert end(shell.push_plan(old, desk.cart, **options)) == ("unchanged", "")

    assert end(desk.sync("08:25", 20, read="08:08")) == ("held", "maybe_sold")


def test_an_old_plan_that_moves_something_else_does_not_say_it_either() -> None:
    desk = Desk()
    desk.cart.put("B", 1)

    def figures(a: int, b: int, read: str) -> InventorySnapshot:
        return attrs.evolve(stock({"A": a, "B": b}), taken_at=at(read))

    def options(now: str) -> Any:
        return {"ledger": desk.ledger, "clock": FakeClock(at(now))}

    sync_cart(figures(8, 1, "07:30"), desk.cart, SHOP, merchant=MERCHANT, **options("08:00"))
    old = plan_cart(figures(8, 2, "07:30"), desk.cart, SHOP, merchant=MERCHANT, **options("08:05"))
    sync_cart(figures(20, 1, "08:08"), desk.cart, SHOP, merchant=MERCHANT, **options("08:10"))
    desk.cart.put("A", 15)

    push_plan(old, desk.cart, **options("08:20"))

    report = sync_cart(figures(20, 2, "08:08"), desk.cart, SHOP, merchant=MERCHANT, **options("08:25"))
    assert {one.listing_sku: one.reason for one in report.outcomes} == {"A": "maybe_sold", "B": ""}


def test_what_waited_for_a_person_and_was_approved_waits_for_a_sale_too(shell: Shell) -> None:
    """Who approved 3 -> 10 saw nothing of what sold since; the figures may not hold it yet."""
    desk = Desk(shell, shows=3)

    def lost(now: str, read: str) -> SyncReport:
        reading = attrs.evolve(desk.figures(10, read), doubtful={("A", "W1")})
        options: Any = {"ledger": desk.ledger, "clock": FakeClock(at(now))}
        report: SyncReport = shell.sync_cart(reading, desk.cart, SHOP, merchant=MERCHANT, **options)
        return report

    report = lost("08:00", "07:55")
    assert end(report) == ("held", "source_answer_lost")
    given: Any = {"by": "Ann", "reason": "counted", "until": timedelta(days=1)}
    approve(desk.ledger, SHOP, report.digest, merchant=MERCHANT, clock=FakeClock(at("08:05")), **given)
    desk.cart.put("A", 2)

    assert end(lost("08:10", "07:55")) == ("held", "maybe_sold")
    assert desk.cart.shows("A") == 2
    assert end(lost("08:45", "08:40")) == ("applied", "")


def test_a_clock_that_ran_ahead_once_keeps_no_rise_waiting_till_then() -> None:
    desk = Desk()
    desk.sync("08:00", 5, read="07:55")
    desk.sync("23:00", 10, read="22:55")  # it is 08:30 in truth, and the clock is put back after it
    desk.cart.put("A", 9)

    assert end(desk.sync("09:00", 10, read="09:00")) == ("held", "maybe_sold")
    assert end(desk.sync("09:30", 12, read="09:30")) == ("applied", "")


def test_nor_does_a_fall_that_was_first_seen_by_a_clock_that_ran_ahead() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:55")
    desk.cart.put("A", 9)
    assert end(desk.sync("23:00", 10, read="07:55")) == ("held", "maybe_sold")

    assert end(desk.sync("09:00", 10, read="09:00")) == ("held", "maybe_sold")
    assert end(desk.sync("09:30", 12, read="09:30")) == ("applied", "")


def test_whoever_knows_better_approves_the_plan() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)
    plan = plan_cart(
        desk.figures(10, "07:30"),
        desk.cart,
        SHOP,
        merchant=MERCHANT,
        ledger=desk.ledger,
        clock=FakeClock(at("08:15")),
    )

    push_plan(plan, desk.cart, ledger=desk.ledger, approve=plan.digest, clock=FakeClock(at("08:16")))

    assert desk.cart.shows("A") == 10


# Orders explain a fall.


def an_order(pieces: int, number: str = "1") -> dict[str, Any]:
    return {"order_id": number, "placed_at": at("08:05"), "lines": {"A": pieces}}


def test_orders_in_flight_that_account_for_the_fall_let_it_rise(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)

    report = desk.sync("08:15", 14, read="07:30", orders_in_flight=CartOrders("shop", [an_order(3)]))

    assert end(report) == ("applied", "")
    assert desk.cart.shows("A") == 11


def test_orders_that_account_for_less_do_not() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)

    report = desk.sync("08:15", 14, read="07:30", orders_in_flight=CartOrders("shop", [an_order(2)]))

    assert end(report) == ("held", "maybe_sold")


def test_orders_of_another_shop_explain_nothing_here() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)

    report = desk.sync("08:15", 14, read="07:30", orders_in_flight=CartOrders("outlet", [an_order(3)]))

    assert end(report) == ("held", "maybe_sold")


def test_a_mapping_explains_since_it_does_not_say_who_sold() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)

    assert end(desk.sync("08:15", 14, read="07:30", orders_in_flight={"A": 3})) == ("applied", "")


def test_one_order_does_not_explain_two_sales() -> None:
    desk = Desk()
    orders = CartOrders("shop", [an_order(1)])
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 9)
    assert end(desk.sync("08:10", 16, read="07:30", orders_in_flight=orders)) == ("applied", "")
    desk.cart.put("A", 14)

    report = desk.sync("08:20", 16, read="07:30", orders_in_flight=orders)

    assert end(report) == ("held", "maybe_sold")


def test_units_of_a_pack_are_weighed_against_units_ordered() -> None:
    desk = Desk(cart=CartSettings(name="shop", units={"A": 6}))
    desk.sync("08:00", 60, read="07:30")
    desk.cart.put("A", 9)

    assert end(desk.sync("08:10", 120, read="07:30", orders_in_flight={"A": 5})) == ("held", "maybe_sold")
    assert end(desk.sync("08:20", 120, read="07:30", orders_in_flight={"A": 6})) == ("applied", "")


# What is no sale.


def test_our_own_fall_is_no_sale() -> None:
    desk = Desk()
    desk.sync("08:00", 10, read="07:30")
    desk.sync("08:10", 4, read="08:05")

    assert end(desk.sync("08:20", 9, read="08:15")) == ("applied", "")


def test_a_write_whose_answer_was_lost_is_no_sale() -> None:
    desk = Desk(calls={2: (LostAnswerError("sent, and no answer came"), True)})
    desk.sync("08:00", 10, read="07:30")
    assert end(desk.sync("08:10", 4, read="08:05")) == ("pending", "answer_unknown")
    assert desk.cart.shows("A") == 4

    assert end(desk.sync("08:20", 9, read="08:15")) == ("applied", "")


def test_a_slow_cart_that_shows_the_old_figure_has_not_sold() -> None:
    desk = Desk(shows=6, rows={"A": "pending"}, completion="eventual")
    desk.sync("08:00", 10, read="07:30")

    assert end(desk.sync("08:10", 10, read="08:05")) == ("pending", "pending")


def test_a_slow_cart_sells_once_what_it_accepted_was_seen() -> None:
    desk = Desk(rows={"A": "silent"}, completion="eventual")
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 0)  # accepted, and not yet shown
    assert end(desk.sync("08:10", 10, read="08:05")) == ("pending", "accepted")
    assert end(desk.sync("08:20", 10, read="08:05")) == ("unchanged", "")
    desk.cart.put("A", 8)

    assert end(desk.sync("08:30", 10, read="08:05")) == ("held", "maybe_sold")


def test_a_slow_cart_has_sold_where_it_shows_neither_what_stood_before_nor_what_it_accepted() -> None:
    desk = Desk(shows=3, rows={"A": "silent"}, completion="eventual")
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 8)  # 10 came, and two of them sold

    assert end(desk.sync("08:15", 10, read="08:10")) == ("held", "maybe_sold")
    assert desk.cart.shows("A") == 8


def test_a_slow_cart_that_lowers_late_has_not_sold() -> None:
    desk = Desk(shows=10, rows={"A": "silent"}, completion="job")
    desk.sync("08:00", 4, read="07:30")
    desk.cart.put("A", 10)  # not yet applied
    desk.sync("08:10", 4, read="07:30")
    assert desk.cart.shows("A") == 4

    assert end(desk.sync("08:20", 9, read="08:15")) == ("pending", "accepted")


def test_a_slow_cart_that_was_never_seen_is_not_judged() -> None:
    desk = Desk(creates_listings=True, rows={"A": "silent"}, completion="eventual")
    desk.cart.shelves.clear()
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 3)

    assert end(desk.sync("08:10", 10, read="07:30")) == ("pending", "accepted")


def test_a_cart_of_units_on_hand_is_judged_by_what_a_shopper_may_buy() -> None:
    desk = Desk(shows=Shelf(quantity=0, allocated=0), quantity_meaning="on_hand")
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", Shelf(quantity=10, allocated=3))
    assert end(desk.sync("08:15", 10, read="07:30")) == ("held", "maybe_sold")

    shipped = Desk(shows=Shelf(quantity=0, allocated=0), quantity_meaning="on_hand")
    shipped.sync("08:00", 10, read="07:30")
    shipped.cart.put("A", Shelf(quantity=7, allocated=-3))
    assert end(shipped.sync("08:15", 12, read="07:30")) == ("applied", "")


def test_a_cart_that_cannot_be_read_and_a_run_without_a_ledger_know_nothing_of_sales() -> None:
    blind = Desk(readable=False)
    blind.sync("08:00", 10, read="07:30")
    assert end(blind.sync("08:15", 12, read="07:30")) == ("applied", "")

    cart = FakeCart({"A": 7})
    sync_cart(Desk.figures(10, "07:30"), cart, SHOP, merchant=MERCHANT, clock=FakeClock(at("08:15")))
    assert cart.shows("A") == 10


# The settings.


@pytest.mark.parametrize("off", [0, None])
def test_without_a_lag_nothing_is_held_and_the_report_says_so(shell: Shell, off: int | None) -> None:
    desk = Desk(shell, cart=CartSettings(name="shop", order_lag=off))
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)

    report = desk.sync("08:15", 10, read="07:30")

    assert desk.cart.shows("A") == 10
    assert "order_lag_off" in {one.reason for one in report.notices}
    assert "order_lag is switched off" in str(report)


def test_a_longer_lag_waits_longer() -> None:
    desk = Desk(cart=CartSettings(name="shop", order_lag=120))
    desk.sync("08:00", 10, read="07:30")
    desk.cart.put("A", 7)
    desk.sync("08:15", 10, read="07:30")

    assert end(desk.sync("10:00", 10, read="09:30")) == ("held", "maybe_sold")
    assert end(desk.sync("10:30", 10, read="10:15")) == ("applied", "")


def test_the_settings_have_exact_types() -> None:
    with pytest.raises(WrongTypeError, match=r"order_lag must be a whole number, not '30'"):
        CartSettings(name="shop", order_lag="30")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(InvalidValueError, match=r"order_lag must be at least 0, not -1"):
        CartSettings(name="shop", order_lag=-1)
    with pytest.raises(WrongTypeError, match=r"rises_seen_twice must be True or False"):
        CartSettings(name="shop", rises_seen_twice=1)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("text", ["{}", "no json", '{"seen": "?", "level": 1, "shown": 0, "lost": 1}'])
def test_a_ledger_that_somebody_edited_is_no_licence_to_raise(text: str) -> None:
    desk = Desk()
    desk.ledger.memory("default").remember("falls of shop", {'["A", null]': text})

    with pytest.raises(LedgerError, match="'falls of shop' cannot be read"):
        desk.sync("08:00", 10, read="07:30")


# A rise that is seen twice.

TWICE = CartSettings(name="shop", rises_seen_twice=True)


def test_a_rise_waits_until_another_read_wants_it_too(shell: Shell) -> None:
    desk = Desk(shell, cart=TWICE, shows=5)

    first = desk.sync("08:00", 9, read="07:30")
    again = desk.sync("08:15", 9, read="07:30")

    assert end(first) == end(again) == ("held", "rise_seen_once")
    assert end(desk.sync("08:35", 9, read="08:30")) == ("applied", "")


def test_a_spike_that_is_gone_at_the_next_read_is_never_shown() -> None:
    desk = Desk(cart=TWICE, shows=5)
    desk.sync("08:00", 500, read="07:30")

    assert end(desk.sync("08:35", 5, read="08:30")) == ("unchanged", "")
    assert desk.cart.pushes == []


def test_of_two_reads_the_later_must_not_want_more() -> None:
    desk = Desk(cart=TWICE, shows=5)
    desk.sync("08:00", 8, read="07:30")

    assert end(desk.sync("08:35", 9, read="08:30")) == ("held", "rise_seen_once")
    assert end(desk.sync("09:05", 8, read="09:00")) == ("applied", "")


def test_falls_and_unknown_figures_need_no_second_look() -> None:
    desk = Desk(cart=TWICE, shows=5)
    assert end(desk.sync("08:00", 3, read="07:30")) == ("applied", "")

    new = Desk(cart=TWICE, creates_listings=True)
    new.cart.shelves.clear()
    assert end(new.sync("08:00", 3, read="07:30")) == ("applied", "")


def test_carts_that_cannot_be_read_may_ask_for_it_too() -> None:
    desk = Desk(cart=TWICE, readable=False)
    desk.sync("08:00", 5, read="07:30")

    assert end(desk.sync("08:35", 9, read="08:30")) == ("held", "rise_seen_once")


def test_without_a_ledger_no_rise_can_be_seen_twice() -> None:
    cart = FakeCart({"A": 5})

    sync_cart(Desk.figures(9, "07:30"), cart, TWICE, merchant=MERCHANT, clock=FakeClock(at("08:00")))

    assert cart.shows("A") == 9


# The decisions alone, on what a ledger may hold besides.


def plan_of(figure: int, shown: int) -> SyncPlan:
    cart = FakeCart({"A": shown})
    return plan_cart(Desk.figures(figure, "07:30"), cart, SHOP, merchant=MERCHANT, clock=FakeClock())


@pytest.mark.parametrize(
    ("known", "lost"),
    [
        ({"accepted": 10, "accepted_at": at("08:00")}, 3),
        ({"observed": 9, "observed_at": at("08:00")}, 2),
        ({"accepted": 10, "accepted_at": at("08:00"), "observed": 8, "observed_at": at("08:05")}, 1),
        ({"accepted": 10, "accepted_at": at("08:05"), "observed": 8, "observed_at": at("08:00")}, 3),
        ({"accepted": 10, "accepted_at": at("08:00"), "sent": 8, "sent_at": at("08:05")}, 1),
        ({"accepted": 10, "accepted_at": at("08:00"), "sent": 8, "sent_at": at("07:55")}, 3),
        ({"accepted": 10, "accepted_at": at("08:00"), "sent": 10}, 3),
        ({"observed": 9, "observed_at": at("08:00"), "sent": 7, "sent_at": at("08:05")}, None),
        ({"accepted": 10}, None),
        ({"desired": 10, "desired_at": at("08:00")}, None),
    ],
)
def test_what_a_listing_was_left_with_is_what_the_ledger_knew_last(
    known: dict[str, Any], lost: int | None
) -> None:
    states = by_key([ListingState(listing_sku="A", **known)])

    falls = falls_seen(plan_of(10, 7), states, {}, capabilities(), lag=timedelta(minutes=30), now=at("08:10"))

    assert [fall.lost for fall in falls] == ([] if lost is None else [lost])


def test_a_wish_without_its_time_confirms_nothing() -> None:
    states = by_key([ListingState(listing_sku="A", desired=10)])

    (line,) = hold_new_rises(plan_of(10, 7), states).lines

    assert line.reason == "rise_seen_once"


# The law.

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["sale", "restock", "read", "run", "run", "run"]),
        st.integers(1, 4),
        st.integers(1, 25),
    ),
    min_size=3,
    max_size=25,
)


@given(EVENTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_raised_while_a_fall_is_unexplained_and_the_read_is_older_than_fall_and_lag(
    events: list[tuple[str, int, int]],
) -> None:
    """Sales reach the order manager within the lag; then the cart never offers more than there is."""
    lag, now = timedelta(minutes=30), at("08:00")
    cart, ledger = FakeCart({"A": 10}), DictLedger()
    there = 10
    sales: list[tuple[datetime, int]] = []
    read_at, figure = now, there
    first_seen: datetime | None = None
    left_with: int | None = None
    for kind, size, minutes in [("run", 1, 0), *events]:
        now += timedelta(minutes=minutes)
        shown = cart.shows("A") or 0
        if kind == "sale" and shown:
            units = min(size, shown)
            cart.put("A", shown - units)
            there -= units
            sales.append((now, units))
        elif kind == "restock":
            there += size
        elif kind == "read":
            unknown = sum(units for sold_at, units in sales if sold_at > now - lag)
            read_at, figure = now, there + unknown
        elif kind == "run":
            if left_with is not None and shown < left_with:
                first_seen = now
            sync_cart(
                attrs.evolve(stock({"A": figure}), taken_at=read_at),
                cart,
                SHOP,
                merchant=MERCHANT,
                ledger=ledger,
                clock=FakeClock(now),
            )
            left_with = cart.shows("A") or 0
            if first_seen is not None and read_at < first_seen + lag:
                assert left_with <= shown
        assert (cart.shows("A") or 0) <= max(there, 0)
