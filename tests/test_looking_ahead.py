"""A cart that compares is looked at while the order manager is read, and nothing is oversold by that."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from fake_memory import Crash
from fake_ports import (
    START,
    Awaiting,
    Blocking,
    DictLedger,
    FakeCart,
    FakeClock,
    FakeSource,
    Shelf,
    Shell,
    capabilities,
    stock,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync import (
    Alias,
    CartListing,
    CartSettings,
    Guardrails,
    InFlightOrder,
    InventorySnapshot,
    ListingState,
    MerchantSettings,
    OrderLine,
    OrdersRequest,
    PerWarehouse,
    PushResult,
    QuantityChange,
    ReadRequest,
    SyncReport,
    aio,
    confirm_cart,
    plan_cart,
    sync_cart,
    sync_carts,
)
from omsync.errors import LostAnswerError, RefusedError, SettingsError, UnreachableError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk
from omsync.planning.ahead import Look, may_look_ahead, still_holds, worth_a_look
from omsync.planning.plan import Key
from omsync.planning.sales import Fall, by_key, falls_seen
from omsync.ports import SourceMemory
from omsync.settings import GUARDS
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.testing.carts.shopify import ShopifyShop

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop", guardrails=Guardrails(off=set(GUARDS)))
PATIENCE = 20.0
"""Seconds until a test that would wait for ever gives up; one that passes never waits so long."""
TURNS = 1_000_000
FATES: dict[str, tuple[BaseException, bool]] = {
    "answer lost": (LostAnswerError("no answer"), False),
    "written, answer lost": (LostAnswerError("no answer"), True),
    "not reached": (UnreachableError("no way in"), False),
}
"""What becomes of a whole push: what it raises, and whether it was written."""


def nothing() -> None:
    """Do nothing."""


class Reading(FakeSource):
    """An order manager whose reading ends when it may, and does something just before its end."""

    def __init__(self, *script: InventorySnapshot | BaseException) -> None:
        super().__init__(*script)
        self.until: Callable[[], bool] = lambda: True
        self.then: Callable[[], None] = nothing
        self.thread = 0

    def read(self, request: ReadRequest, /) -> InventorySnapshot:
        self.thread = threading.get_ident()
        turn = threading.Event()
        for _ in range(int(PATIENCE * 1000)):
            if self.until():
                break
            turn.wait(0.001)
        return self.end(request)

    def end(self, request: ReadRequest) -> InventorySnapshot:
        assert self.until(), "it waited for ever"
        self.then()
        return super().read(request)


class AsyncReading:
    """The async twin of ``Reading``."""

    def __init__(self, twin: Reading) -> None:
        self._twin = twin

    async def read(self, request: ReadRequest, /) -> InventorySnapshot:
        for _ in range(TURNS):
            if self._twin.until():
                break
            await asyncio.sleep(0)
        return self._twin.end(request)


class Twins(Awaiting):
    """The awaiting functions with async twins of all ports."""

    def __init__(self) -> None:
        super().__init__(twins=True)

    def _source(self, source: Any) -> Any:
        return AsyncReading(source) if isinstance(source, Reading) else source


SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=False), Twins())


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture(params=["sync_cart", "sync_carts"])
def way(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


class Cart(FakeCart):
    """A cart that compares, and tells how many looks at it have ended."""

    def __init__(self, shelves: Any, **given: Any) -> None:
        super().__init__(shelves, **{"compare_and_set": "cas", **given})
        self.looked = 0
        self.threads: set[int] = set()

    def fate(self, sku: str, fate: str) -> None:
        """Say what becomes of all pushes from now on, or of one listing's rows; ``"accepted"``: no harm."""
        self._rows = {} if fate in FATES else {sku: fate}
        self._calls = dict.fromkeys(range(99), FATES[fate]) if fate in FATES else {}

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        try:
            return super().read(listing_skus)
        finally:
            self.threads.add(threading.get_ident())
            self.looked += 1


class Desk:
    """A merchant with one cart that an earlier run has seen, and whose next reading takes its time."""

    def __init__(
        self, shelves: Any, shell: Shell | None = None, way: str = "sync_cart", **given: Any
    ) -> None:
        self.shell = shell or Blocking()
        self.way = way
        self.ledger = DictLedger()
        self.clock = FakeClock()
        self.cart = Cart(shelves, **given)
        shown = {sku: shelf.quantity for (sku, _), shelf in self.cart.shelves.items()}
        self.run(Reading(stock({sku: figure or 0 for sku, figure in shown.items()})))
        self.clock.pass_by(3600)
        self.cart.reads.clear()
        self.cart.looked = 0

    def run(self, source: Any, settings: CartSettings = SHOP, **options: Any) -> SyncReport:
        given = {"merchant": MERCHANT, "ledger": self.ledger, "clock": self.clock, **options}
        if self.way == "sync_cart":
            report: SyncReport = self.shell.sync_cart(source, self.cart, settings, **given)
            return report
        (report,) = self.shell.sync_carts(source, [(self.cart, settings)], **given)
        return report

    def overlapped(
        self,
        figures: dict[str, int] | InventorySnapshot,
        then: Callable[[], None] = nothing,
        settings: CartSettings = SHOP,
        **options: Any,
    ) -> SyncReport:
        """Sync while the cart is looked at; do something between that look and the end of the reading."""
        source = Reading(figures if isinstance(figures, InventorySnapshot) else self.figures(figures))
        before = self.cart.looked
        source.until = lambda: self.cart.looked > before
        source.then = then
        return self.run(source, settings, **options)

    def figures(self, figures: dict[str, int]) -> InventorySnapshot:
        return attrs.evolve(stock(figures), taken_at=self.clock.now())

    @property
    def falls(self) -> dict[str, tuple[int, int, int]]:
        kept = self.ledger.memory("default").recall("falls of shop")
        falls = [Fall.of_entry(key, value) for key, value in kept.items()]
        return {fall.listing_sku: (fall.level, fall.shown, fall.lost) for fall in falls}


def ends(report: SyncReport) -> dict[str | None, tuple[str, str]]:
    return {one.listing_sku: (one.outcome, one.reason) for one in report.outcomes}


# What overlaps.


def test_a_cart_that_compares_is_looked_at_while_the_order_manager_is_read(shell: Shell, way: str) -> None:
    desk = Desk({"A": 5, "B": 3}, shell, way)
    during: list[Any] = []

    report = desk.overlapped({"A": 7, "B": 3}, lambda: during.append(list(desk.cart.reads)))

    assert during == [[("A", "B")]]
    assert desk.cart.reads == [("A", "B"), ("A",)]
    assert ends(report) == {"A": ("applied", ""), "B": ("unchanged", "")}
    assert desk.cart.shows("A") == 7


def test_where_nothing_is_to_change_the_early_look_is_the_only_one(shell: Shell, way: str) -> None:
    desk = Desk({"A": 5, "B": 3}, shell, way)

    report = desk.overlapped({"A": 5, "B": 3})

    assert desk.cart.reads == [("A", "B")]
    assert (report.status, desk.cart.sent) == ("success", [])
    assert ends(report) == {"A": ("unchanged", ""), "B": ("unchanged", "")}


@pytest.mark.parametrize(
    "figures",
    [{"A": 7, "B": 3}, {"A": 2, "B": 3}, {"A": 0, "B": 3}, {"B": 3}],
    ids=["rises", "falls", "is sold out", "is gone"],
)
def test_what_is_to_change_is_read_again_when_the_order_manager_has_been_read(
    way: str, figures: dict[str, int]
) -> None:
    desk = Desk({"A": 5, "B": 3}, way=way)
    during: list[Any] = []

    desk.overlapped(figures, lambda: during.append(list(desk.cart.reads)))

    assert during == [[("A", "B")]]
    assert desk.cart.reads == [("A", "B"), ("A",)]


def test_a_listing_that_showed_no_figure_is_read_again(way: str) -> None:
    desk = Desk({"A": 5, "B": 3}, way=way)
    desk.cart.put("A", Shelf(quantity=None))

    desk.overlapped({"A": 5, "B": 3})

    assert desk.cart.reads == [("A", "B"), ("A",)]


def test_each_row_that_is_written_was_looked_at_late(way: str) -> None:
    desk = Desk({"A": 5, "B": 3, "C": 8}, way=way)

    desk.overlapped({"A": 7, "B": 3, "C": 1})

    assert desk.cart.reads == [("A", "B", "C"), ("A", "C")]
    assert desk.cart.sent == [("C", 1), ("A", 7)]


def test_only_listings_that_the_look_could_not_know_of_are_read_afterwards(shell: Shell, way: str) -> None:
    desk = Desk({"A": 5, "B": 3}, shell, way)
    desk.cart.put("NEW", 1)

    report = desk.overlapped({"A": 5, "B": 3, "NEW": 4})

    assert desk.cart.reads == [("A", "B"), ("NEW",)]
    assert ends(report)["NEW"] == ("applied", "")


def test_the_plan_is_as_old_as_its_earliest_look(shell: Shell, way: str) -> None:
    desk = Desk({"A": 5, "B": 3}, shell, way)
    began = desk.clock.now()

    report = desk.overlapped({"A": 7, "B": 3}, lambda: desk.clock.pass_by(1200))

    assert report.plan is not None
    assert report.plan.looked_at == began.isoformat()


def test_a_plan_of_which_the_early_look_settled_nothing_is_as_old_as_the_late_one(way: str) -> None:
    desk = Desk({"A": 5}, way=way)

    report = desk.overlapped({"A": 7}, lambda: desk.clock.pass_by(1200))

    assert report.plan is not None
    assert report.plan.looked_at == desk.clock.now().isoformat()


@pytest.mark.parametrize(
    "given",
    [
        {"compare_and_set": "blind"},
        {"compare_and_set": "version"},
        {"completion": "eventual"},
        {"contents": "full"},
        {"lists_all": True},
    ],
    ids=str,
)
def test_any_other_cart_is_read_after_the_order_manager(way: str, given: dict[str, Any]) -> None:
    desk = Desk({"A": 5}, way=way, **given)
    during: list[Any] = []
    source = Reading(desk.figures({"A": 7}))
    source.then = lambda: during.append(list(desk.cart.reads))

    desk.run(source)

    assert during == [[]]
    assert desk.cart.reads == [("A",)]


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ({}, True),
        ({"readable": False}, False),
        ({"quantity_meaning": "on_hand"}, False),
        ({"completion": "job"}, False),
    ],
    ids=str,
)
def test_it_is_safe_where_a_sale_surely_makes_the_write_fail(given: dict[str, Any], safe: bool) -> None:
    assert may_look_ahead(capabilities(**{"compare_and_set": "cas", **given})) is safe


@pytest.mark.parametrize("ledger_of", [lambda: None, DictLedger], ids=["no ledger", "an empty one"])
def test_nothing_is_looked_at_ahead_where_no_run_is_known(
    shell: Shell, ledger_of: Callable[[], DictLedger | None]
) -> None:
    cart = Cart({"A": 5})
    during: list[Any] = []
    source = Reading(stock({"A": 7}))
    source.then = lambda: during.append(list(cart.reads))

    shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger_of())

    assert (during, cart.reads) == ([[]], [("A",)])


@pytest.mark.parametrize("source", ["a snapshot", None])
def test_where_nothing_is_read_nothing_overlaps(shell: Shell, way: str, source: Any) -> None:
    desk = Desk({"A": 5}, shell, way)

    report = desk.run(None if source is None else desk.figures({"A": 7}))

    assert report.status == "success"
    assert desk.cart.reads == [("A",)]


def test_a_cart_that_is_switched_off_is_left_alone(way: str) -> None:
    desk = Desk({"A": 5}, way=way)

    report = desk.run(Reading(desk.figures({"A": 7})), attrs.evolve(SHOP, enabled=False))

    assert (report.status, desk.cart.reads) == ("disabled", [])


# A sale between the look and the write.


def test_a_sale_before_a_rise_is_noticed_and_the_rise_waits(shell: Shell, way: str) -> None:
    desk = Desk({"A": 5}, shell, way)

    report = desk.overlapped({"A": 8}, lambda: desk.cart.put("A", 3))

    assert ends(report) == {"A": ("held", "maybe_sold")}
    assert desk.cart.shows("A") == 3
    assert desk.falls == {"A": (5, 3, 2)}


def test_a_sale_before_a_fall_is_noticed_and_the_next_rise_waits(shell: Shell, way: str) -> None:
    desk = Desk({"A": 5}, shell, way)

    assert ends(desk.overlapped({"A": 2}, lambda: desk.cart.put("A", 3))) == {"A": ("applied", "")}
    assert (desk.cart.shows("A"), desk.falls) == (2, {"A": (5, 3, 2)})

    desk.clock.pass_by(60)
    assert ends(desk.overlapped({"A": 4})) == {"A": ("held", "maybe_sold")}
    assert desk.cart.shows("A") == 2


def test_a_sale_of_just_what_was_to_be_taken_is_noticed_too(way: str) -> None:
    desk = Desk({"A": 5}, way=way)

    assert ends(desk.overlapped({"A": 3}, lambda: desk.cart.put("A", 3))) == {"A": ("unchanged", "")}
    assert desk.falls == {"A": (5, 3, 2)}


def test_a_sale_of_what_was_not_to_be_written_is_noticed_by_the_next_run(way: str) -> None:
    desk = Desk({"A": 5}, way=way)

    assert ends(desk.overlapped({"A": 5}, lambda: desk.cart.put("A", 3))) == {"A": ("unchanged", "")}
    assert (desk.cart.shows("A"), desk.falls) == (3, {})

    desk.clock.pass_by(60)
    assert ends(desk.overlapped({"A": 5})) == {"A": ("held", "maybe_sold")}
    assert (desk.cart.shows("A"), desk.falls) == (3, {"A": (5, 3, 2)})


def test_a_hand_that_edits_what_was_not_to_be_written_is_noticed_by_the_next_run(way: str) -> None:
    desk = Desk({"A": 5}, way=way)

    report = desk.overlapped({"A": 5}, lambda: desk.cart.put("A", 50))
    assert (report.status, ends(report), desk.cart.shows("A")) == (
        "success",
        {"A": ("unchanged", "")},
        50,
    )

    desk.clock.pass_by(60)
    assert ends(desk.overlapped({"A": 5})) == {"A": ("applied", "")}
    assert desk.cart.shows("A") == 5


WANTED = pytest.mark.parametrize("wanted", [2, 3, 4], ids=["below", "just so", "above"])
"""What is wanted of a listing that showed 5 and, by the end of the reading, shows 3."""


@WANTED
@pytest.mark.parametrize("fate", [*FATES, "rejected", "pending", "no_answer"])
def test_a_sale_after_the_look_is_on_record_whatever_becomes_of_the_write(
    way: str, fate: str, wanted: int
) -> None:
    desk = Desk({"A": 5, "STEADY": 1}, way=way)
    desk.cart.fate("A", fate)

    def sold() -> None:
        desk.clock.pass_by(60)
        desk.cart.put("A", 3)

    desk.overlapped({"A": wanted, "STEADY": 1}, sold)
    assert desk.falls == {"A": (5, 3, 2)}

    desk.cart.fate("A", "accepted")
    desk.clock.pass_by(120)
    assert ends(desk.overlapped({"A": 5, "STEADY": 1}))["A"] == ("held", "maybe_sold")
    assert (desk.cart.shows("A") or 0) <= 3


@WANTED
def test_a_sale_after_the_look_is_on_record_when_the_process_is_killed_at_the_write(
    way: str, wanted: int
) -> None:
    desk = Desk({"A": 5, "B": 9, "STEADY": 1}, way=way)
    left: list[DictLedger] = []

    def dies(_: int) -> None:
        left.append(copy.deepcopy(desk.ledger))
        raise Crash

    def sold() -> None:
        desk.clock.pass_by(60)
        desk.cart.put("A", 3)

    desk.cart.before_push = dies
    with pytest.raises(Crash):
        desk.overlapped({"A": wanted, "B": 1, "STEADY": 1}, sold)
    (desk.ledger,) = left
    assert desk.falls == {"A": (5, 3, 2)}

    desk.cart.before_push = lambda _: None
    for _ in range(2):
        desk.clock.pass_by(16 * 60)
        report = desk.run(Reading(attrs.evolve(stock({"A": 5, "B": 1, "STEADY": 1}), taken_at=START)))
    assert ends(report)["A"] == ("held", "maybe_sold")
    assert (desk.cart.shows("A") or 0) <= 3


def test_what_sold_after_a_look_and_was_never_written_is_held_by_the_next_run(shell: Shell, way: str) -> None:
    desk = Desk({"A": 10}, shell, way)
    desk.cart.fate("A", "answer lost")
    desk.cart.before_push = lambda _: desk.cart.put("A", 7)
    assert ends(desk.overlapped({"A": 4})) == {"A": ("pending", "answer_unknown")}
    assert desk.falls == {}

    desk.cart.fate("A", "accepted")
    desk.clock.pass_by(60)
    assert ends(desk.run(Reading(desk.figures({"A": 12})))) == {"A": ("held", "maybe_sold")}
    assert (desk.cart.shows("A"), desk.falls) == (7, {"A": (10, 7, 3)})


@pytest.mark.parametrize(
    ("sent", "lost"),
    [(4, 3), (6, 3), (7, None), (8, 1), (11, 3)],
    ids=["far below", "below", "what it shows", "above", "above what stood"],
)
def test_a_listing_between_what_it_was_left_with_and_what_was_sent_unheard_has_sold(
    sent: int, lost: int | None
) -> None:
    known = state(observed=10, sent=sent, sent_at=START)
    shown = plan_cart(stock({"A": 10}), FakeCart({"A": 7}), SHOP, merchant=MERCHANT, clock=FakeClock())

    falls = falls_seen(shown, by_key([known]), {}, capabilities(), lag=timedelta(minutes=30), now=START)

    assert [fall.lost for fall in falls] == ([] if lost is None else [lost])


# Orders in flight.


@pytest.mark.parametrize(
    ("orders", "again"), [({}, []), ({"A": 1}, [("A", "B")])], ids=["none are told", "one is told"]
)
def test_where_orders_in_flight_are_told_nothing_of_the_early_look_is_used(
    shell: Shell, way: str, orders: dict[str, int], again: list[tuple[str, ...]]
) -> None:
    desk = Desk({"A": 5, "B": 3}, shell, way)

    report = desk.overlapped({"A": 5 + orders.get("A", 0), "B": 3}, orders_in_flight=orders)

    assert desk.cart.reads == [("A", "B"), *again]
    assert ends(report) == {"A": ("unchanged", ""), "B": ("unchanged", "")}


class Told:
    """Orders in flight, asked after the look; only those that were placed by then."""

    def __init__(self) -> None:
        self.placed: list[InFlightOrder] = []

    def orders(self, request: OrdersRequest, /) -> Sequence[InFlightOrder]:  # noqa: ARG002  it tells all
        return self.placed


def test_an_order_placed_after_the_look_does_not_explain_a_sale_before_it(way: str) -> None:
    """One product under two codes: one lost two pieces untold, of the other two are in an order."""
    by_alias = attrs.evolve(SHOP, alias="shop")

    def figures(units: int) -> InventorySnapshot:
        aliases = [Alias(master_sku="A", name="shop", listing_sku=sku) for sku in ("L1", "L2")]
        return attrs.evolve(stock({"A": units}, aliases=aliases), taken_at=desk.clock.now())

    desk = Desk({}, way=way)
    desk.cart.put("L1", 10)
    desk.cart.put("L2", 10)
    desk.run(Reading(figures(10)), by_alias)
    desk.clock.pass_by(3600)
    desk.cart.put("L1", 8)
    told = Told()

    def ordered() -> None:
        desk.clock.pass_by(60)
        desk.cart.put("L2", 8)
        line = OrderLine(listing_sku="L2", quantity=2)
        placed = desk.clock.now()
        told.placed.append(
            InFlightOrder(order_id="1", source="cart shop", channel="shop", placed_at=placed, lines=[line])
        )

    report = desk.overlapped(figures(14), ordered, by_alias, orders_in_flight=told)

    assert ends(report) == {"L1": ("held", "maybe_sold"), "L2": ("held", "maybe_sold")}
    assert (desk.cart.shows("L1"), desk.cart.shows("L2")) == (8, 8)


def test_sales_that_follow_one_another_are_added_up(way: str) -> None:
    desk = Desk({"A": 9}, way=way)
    script = [6]
    desk.cart.before_push = lambda _: desk.cart.put("A", script.pop()) if script else None

    assert ends(desk.overlapped({"A": 2}, lambda: desk.cart.put("A", 7))) == {"A": ("applied", "")}
    assert desk.falls["A"] == (7, 6, 3)


def test_a_sale_that_a_second_look_at_a_blind_cart_shows_is_on_record_too(way: str) -> None:
    desk = Desk({"A": 9, "B": 9}, way=way, compare_and_set="blind", max_rows=1)

    def sold(number: int) -> None:
        if number == 1:
            desk.clock.pass_by(400)
            desk.cart.put("B", 7)

    desk.cart.before_push = sold
    report = desk.run(Reading(desk.figures({"A": 2, "B": 2})))

    assert ends(report) == {"A": ("applied", ""), "B": ("applied", "")}
    assert desk.falls == {"B": (9, 7, 2)}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_more_than_there_is_is_never_offered_whatever_sells_while_the_order_manager_is_read(
    data: st.DataObject,
) -> None:
    """The order manager hears of a sale ten minutes later; ``order_lag`` is 15.

    A rise whose answer was lost and that is then sold back to the unit looks as if it never came, which is a
    limit that the docs name: no sale here is of that size.
    """
    desk = Desk({"A": 10, "STEADY": 1})
    there = 10
    sales: list[tuple[datetime, int]] = []
    before_lost: set[int] = set()

    def sell(units: int) -> None:
        nonlocal there
        shows = desk.cart.shows("A") or 0
        taken = min(units, shows)
        if shows - taken in before_lost:
            taken -= 1
        if taken > 0:
            desk.cart.put("A", shows - taken)
            sales.append((desk.clock.now(), taken))
            there -= taken

    some = st.integers(0, 3)
    fates = st.sampled_from(["accepted", "accepted", "rejected", *FATES])
    for _ in range(data.draw(st.integers(2, 5))):
        there += data.draw(some, "delivered")
        now = desk.clock.now()
        unheard = sum(units for when, units in sales if when > now - timedelta(minutes=10))
        source = Reading(desk.figures({"A": there + unheard, "STEADY": 1}))
        source.until = lambda before=desk.cart.looked: desk.cart.looked > before  # type: ignore[misc]  # bound now

        def then() -> None:
            desk.clock.pass_by(60)
            sell(data.draw(some, "sold while it was read"))
            desk.clock.pass_by(data.draw(st.sampled_from([1, 900]), "seconds"))

        source.then = then
        fate = data.draw(fates, "what becomes of the write")

        def before_push(_: int, fate: str = fate) -> None:
            if fate != "written, answer lost":
                before_lost.clear()
            sell(data.draw(some, "sold before the write"))
            if fate == "written, answer lost":
                before_lost.add(desk.cart.shows("A") or 0)

        desk.cart.before_push = before_push
        desk.cart.fate("A", fate)
        desk.run(source)
        assert (desk.cart.shows("A") or 0) <= there
        desk.clock.pass_by(data.draw(st.sampled_from([60, 300, 1800]), "seconds between runs"))
        sell(data.draw(some, "sold between runs"))


# What of the look still holds.


def state(sku: str = "A", location_id: str | None = None, **figures: Any) -> ListingState:
    return ListingState(
        listing_sku=sku, location_id=location_id, **{"observed": 5, "observed_at": START, **figures}
    )


def look(*states: ListingState, listings: Sequence[CartListing]) -> Look:
    return Look(began=START, known=worth_a_look(states), listings=tuple(listings))


def test_a_row_whose_answer_is_missing_is_not_looked_at_ahead() -> None:
    unanswered = state(sent=4, sent_at=START)
    never_seen = ListingState(listing_sku="B", desired=4, desired_at=START)

    assert worth_a_look([unanswered, never_seen]) == {}


@pytest.mark.parametrize(
    "showed",
    [
        [],
        [CartListing(listing_sku="A")],
        [CartListing(listing_sku="A", quantity=5, state="untracked")],
        [CartListing(listing_sku="A", location_id="East", quantity=5)],
    ],
    ids=["nothing", "no figure", "not counted", "elsewhere"],
)
@pytest.mark.parametrize("wanted", [5, None])
def test_a_row_without_a_figure_to_compare_with_is_looked_at_again(
    showed: list[CartListing], wanted: int | None
) -> None:
    assert still_holds(look(state(), listings=showed), {("A", None): wanted}, [state()]) == frozenset()


@pytest.mark.parametrize("wanted", [4, 6, None], ids=["falls", "rises", "not known yet"])
def test_a_row_that_showed_anything_but_what_it_shall_show_is_looked_at_again(wanted: int | None) -> None:
    showed = look(state(), listings=[CartListing(listing_sku="A", quantity=5)])

    assert still_holds(showed, {("A", None): wanted}, [state()]) == frozenset()
    assert still_holds(showed, {("A", None): 5}, [state()]) == {"A"}


def test_a_listing_is_looked_at_again_where_one_of_its_rows_has_to_be() -> None:
    east, west = state(location_id="East"), state(location_id="West")
    shown = [CartListing(listing_sku="A", location_id=place, quantity=5) for place in ("East", "West")]
    rows: dict[Key, int | None] = {("A", "East"): 5, ("A", "West"): 5}

    assert still_holds(look(east, west, listings=shown), rows, [east, west]) == {"A"}
    assert still_holds(look(east, listings=shown), rows, [east, west]) == frozenset()
    assert (
        still_holds(look(east, west, listings=shown), rows | {("A", "West"): 4}, [east, west]) == frozenset()
    )


def test_what_anybody_learned_of_a_row_since_the_look_makes_it_be_looked_at_again(way: str) -> None:
    desk = Desk({"A": 5, "B": 3}, way=way)

    def somebody_looks() -> None:
        desk.ledger.record_states(
            "default", "shop", [state(observed=4, observed_at=desk.clock.now() + timedelta(seconds=1))]
        )

    desk.overlapped({"A": 5, "B": 3}, somebody_looks)

    assert desk.cart.reads == [("A", "B"), ("A",)]


def test_a_run_of_another_process_in_between_makes_everything_be_looked_at_again() -> None:
    desk = Desk({"A": 5, "B": 3}, way="sync_carts")

    def another_run() -> None:
        desk.clock.pass_by(60)
        sync_cart(
            stock({"A": 9, "B": 3}), desk.cart, SHOP, merchant=MERCHANT, ledger=desk.ledger, clock=desk.clock
        )
        desk.clock.pass_by(60)
        assert desk.falls == {}

    report = desk.overlapped({"A": 9, "B": 3}, another_run)

    assert ends(report) == {"A": ("unchanged", ""), "B": ("unchanged", "")}
    assert desk.falls == {}
    assert desk.cart.reads == [("A", "B"), ("A", "B"), ("A", "B")]


# A look that fails.


@pytest.mark.parametrize(
    "error", [UnreachableError("no way in"), ZeroDivisionError()], ids=["ours", "a user's"]
)
def test_a_look_that_fails_is_dropped_and_the_cart_is_read_afterwards(
    shell: Shell, way: str, error: Exception
) -> None:
    desk = Desk({"A": 5}, shell, way)
    desk.cart.read_errors = [error]

    report = desk.overlapped({"A": 7})

    assert (report.status, desk.cart.shows("A")) == ("success", 7)
    assert desk.cart.reads == [("A",), ("A",)]


def test_a_cart_that_cannot_be_read_fails_as_it_does_without_a_look_ahead(shell: Shell) -> None:
    def failed(at_once: int) -> list[Any]:
        desk = Desk({"A": 5}, shell, "sync_carts")
        desk.cart.read_errors = [UnreachableError("no way in") for _ in range(2)]
        report = desk.run(Reading(desk.figures({"A": 7})), at_once=at_once)
        run = desk.ledger.runs("default", "shop")[0]
        return [report.status, report.code, report.message, run.status, run.code, desk.ledger.leases]

    assert failed(8) == failed(1)


class Unwilling:
    """A sink that cannot even begin afresh."""

    def __init__(self, cart: Cart) -> None:
        self._cart = cart
        self.capabilities = cart.capabilities

    def remembering(self, _: SourceMemory | None, /) -> Any:
        raise RefusedError("not today")

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        return self._cart.read(listing_skus)

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        return self._cart.push(changes)


def test_a_sink_that_cannot_begin_afresh_fails_alone() -> None:
    desk = Desk({"A": 5}, way="sync_carts")

    reports = sync_carts(
        Reading(desk.figures({"A": 7})),
        [(Unwilling(desk.cart), SHOP), (Cart({"A": 5}), attrs.evolve(SHOP, name="other"))],
        merchant=MERCHANT,
        ledger=desk.ledger,
    )

    assert [(report.status, report.message.split("\n")[0]) for report in reports] == [
        ("failed", "not today"),
        ("success", ""),
    ]


# A reading that fails.


def left_by(desk: Desk) -> list[Any]:
    memory = desk.ledger.memory("default")
    return [
        list(desk.ledger.runs("default", "shop")),
        list(desk.ledger.states("default", "shop")),
        desk.ledger.leases,
        memory.recall("falls of shop"),
        memory.recall("writes of shop"),
    ]


@pytest.mark.parametrize(
    "error", [UnreachableError("no order manager"), KeyboardInterrupt()], ids=["error", "stop"]
)
def test_a_reading_that_fails_leaves_nothing_of_the_look(shell: Shell, error: BaseException) -> None:
    desk = Desk({"A": 5}, shell, "sync_carts")
    before = left_by(desk)
    source = Reading(error)
    source.until = lambda: desk.cart.looked > 0

    with pytest.raises(type(error)):
        desk.run(source)

    assert desk.cart.looked == 1
    assert left_by(desk) == before
    assert desk.ledger.runs("default")[0].status == "failed"


class Behind:
    """A cart behind a line, which compares and is read by one call."""

    def __init__(self, line: Line, **given: Any) -> None:
        self.line = line
        self.capabilities = capabilities(compare_and_set="cas", **given)
        self.looked = 0

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        figure = yield from talk(self.line, _get("https://cart.example/stock"))
        self.looked += 1
        return [CartListing(listing_sku=sku, quantity=figure) for sku in listing_skus]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        yield from talk(self.line, _get("https://cart.example/push"))
        return [
            PushResult(listing_sku=change.listing_sku, status="accepted", echo=change.quantity)
            for change in changes
        ]

    read: Any = None
    push: Any = None


class SourceBehind:
    """An order manager behind a line, which is read by several calls."""

    def __init__(self, line: Line, figures: dict[str, int], calls: int = 1) -> None:
        self.line = line
        self.figures = figures
        self.calls = calls

    def read_steps(self, request: ReadRequest, /) -> Steps[InventorySnapshot]:  # noqa: ARG002  all are alike
        for _ in range(self.calls):
            yield from talk(self.line, _get("https://oms.example/stock"))
        return stock(self.figures)

    read: Any = None


def _get(url: str) -> Conversation[int]:
    response = yield Request(method="GET", url=url)
    return int(response.content)


def five(_: Request) -> Response:
    return Response(status=200, content=b"5")


def test_a_look_that_waits_is_broken_off_when_the_reading_fails(shell: Shell) -> None:
    ledger, ready = DictLedger(), Behind(Line(account="cart", handler=five))
    sync_cart(stock({"A": 5}), ready, SHOP, merchant=MERCHANT, ledger=ledger)
    asked = threading.Event()

    def busy(_: Request) -> Response:
        asked.set()
        return Response(status=503, headers={"retry-after": str(5 * PATIENCE)})

    waiting = Behind(Line(account="cart", handler=busy, retry=RetryPolicy(total_seconds=20 * PATIENCE)))
    source = Reading(UnreachableError("no order manager"))
    source.until = asked.is_set

    with pytest.raises(UnreachableError, match="no order manager"):
        shell.sync_carts(source, [(waiting, SHOP)], merchant=MERCHANT, ledger=ledger)

    assert waiting.looked == 0
    assert ledger.leases == {}


def test_a_cancelled_task_ends_its_looks_too() -> None:
    desk = Desk({"A": 5}, way="sync_carts")
    before = left_by(desk)
    source = Reading(desk.figures({"A": 7}))
    source.until = lambda: False

    async def cancelled() -> None:
        work = asyncio.create_task(
            aio.sync_carts(AsyncReading(source), [(desk.cart, SHOP)], merchant=MERCHANT, ledger=desk.ledger)
        )
        for _ in range(TURNS):
            if desk.cart.looked:
                break
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    asyncio.run(cancelled())

    assert left_by(desk) == before


def test_an_interrupt_that_a_look_meets_is_raised_when_the_cart_is_at_it(shell: Shell, way: str) -> None:
    desk = Desk({"A": 5}, shell, way)
    desk.cart.read_errors = [KeyboardInterrupt()]
    source = Reading(desk.figures({"A": 7}))
    source.until = lambda: desk.cart.looked > 0

    with pytest.raises(KeyboardInterrupt) as caught:
        desk.run(source)

    error: Any = caught.value
    report = error.omsync_report if way == "sync_cart" else error.omsync_reports[0]
    assert (report.status, report.code) == ("failed", "KeyboardInterrupt")
    assert desk.ledger.runs("default")[0].status == "success"
    assert desk.ledger.runs("default", "shop")[0].code == "KeyboardInterrupt"
    assert desk.ledger.leases == {}


def test_a_deadline_is_met_as_without_a_look_ahead(shell: Shell) -> None:
    def failed(at_once: int) -> list[Any]:
        desk = Desk({"A": 5}, shell, "sync_carts")
        source = Reading(desk.figures({"A": 7}))
        source.then = lambda: desk.clock.pass_by(100)
        report = desk.run(source, at_once=at_once, deadline=timedelta(seconds=50))
        return [report.status, report.code, ends(report), desk.cart.pushes, desk.ledger.leases]

    assert failed(8) == failed(1)


# Which cart, and which run.


def test_a_cart_that_is_another_one_is_not_looked_at(way: str) -> None:
    desk = Desk({"A": 5}, way=way)
    desk.cart.capabilities = attrs.evolve(desk.cart.capabilities, destination="another shop")

    if way == "sync_cart":
        with pytest.raises(SettingsError, match="another shop"):
            desk.run(Reading(desk.figures({"A": 7})))
    else:
        assert desk.run(Reading(desk.figures({"A": 7}))).status == "failed"

    assert desk.cart.reads == []


def test_what_a_look_showed_of_a_cart_that_was_another_until_then_is_not_believed() -> None:
    desk = Desk({"A": 5}, way="sync_carts")

    def confirmed() -> None:
        desk.clock.pass_by(60)
        confirm_cart(desk.ledger, desk.cart, SHOP, by="Ann", reason="moved", clock=desk.clock)

    desk.overlapped({"A": 5}, confirmed)

    assert desk.cart.reads == [("A",), ("A",)]


def test_a_dead_run_s_plan_goes_on_and_the_look_is_waited_for(shell: Shell) -> None:
    desk = Desk({"A": 5, "STEADY": 1}, shell, "sync_carts")

    left: list[DictLedger] = []

    def dies(_: int) -> None:
        left.append(copy.deepcopy(desk.ledger))
        raise Crash

    desk.cart.before_push = dies
    figures = desk.figures({"A": 7, "STEADY": 1})
    with pytest.raises(Crash):
        sync_cart(Reading(figures), desk.cart, SHOP, merchant=MERCHANT, ledger=desk.ledger, clock=desk.clock)
    desk.cart.before_push = lambda _: None
    desk.cart.looked = 0
    (desk.ledger,) = left
    desk.clock.pass_by(16 * 60)

    source = Reading(figures)
    source.until = lambda: desk.cart.looked > 0
    report = desk.run(source)

    assert (report.status, desk.cart.shows("A")) == ("success", 7)
    assert any(notice.reason == "resumed" for notice in report.notices)


# Threads, pace, and how many at once.


def test_no_more_carts_are_looked_at_than_may_be_worked_on_at_once(shell: Shell) -> None:
    ledger, carts = DictLedger(), [Cart({"A": 5}) for _ in range(4)]
    pairs = [(cart, attrs.evolve(SHOP, name=f"cart-{number}")) for number, cart in enumerate(carts)]
    sync_carts(stock({"A": 5}), pairs, merchant=MERCHANT, ledger=ledger)
    for cart in carts:
        cart.looked = 0
        cart.reads.clear()
    source = Reading(stock({"A": 5}))
    source.until = lambda: all(cart.looked for cart in carts[:2])
    during: list[Any] = []
    source.then = lambda: during.append([cart.looked for cart in carts])

    reports = shell.sync_carts(source, pairs, merchant=MERCHANT, ledger=ledger, at_once=2)

    assert {report.status for report in reports} == {"success"}
    assert during == [[1, 1, 0, 0]]
    assert [len(cart.reads) for cart in carts] == [1, 1, 1, 1]


def test_one_after_another_is_all_in_the_caller_s_thread() -> None:
    desk = Desk({"A": 5}, way="sync_carts")
    desk.cart.threads.clear()
    source = Reading(desk.figures({"A": 7}))

    desk.run(source, at_once=1)

    assert desk.cart.threads == {source.thread} == {threading.get_ident()}


def test_the_order_manager_is_read_in_the_caller_s_thread(way: str) -> None:
    desk = Desk({"A": 5}, way=way)
    source = Reading(desk.figures({"A": 7}))

    desk.run(source)

    assert source.thread == threading.get_ident()


def test_an_order_manager_and_a_cart_of_one_account_get_on(shell: Shell, way: str) -> None:
    under_way: list[int] = []
    most: list[int] = []

    def handler(request: Request) -> Response:
        under_way.append(1)
        most.append(len(under_way))
        under_way.pop()
        return five(request)

    line = Line(account="one", handler=handler, max_in_flight=1)
    desk = Desk({}, shell, way)
    desk.cart = Behind(line)  # type: ignore[assignment]  # another cart
    desk.run(stock({"A": 5}))

    report = desk.run(SourceBehind(line, {"A": 7}, calls=20))

    assert ends(report) == {"A": ("applied", "")}
    assert max(most) == 1
    assert desk.ledger.runs("default")[0].counts["calls"] == 20


# A sink that keeps something between runs.


class Keeping(Cart):
    """A sink that begins afresh for each run, and tells what looked and what pushed."""

    made: list[Any]

    def remembering(self, memory: SourceMemory | None, /) -> Any:
        mine = Mine(self, memory)
        self.made.append(mine)
        return mine


class Mine:
    """A sink for one run."""

    def __init__(self, cart: Cart, memory: SourceMemory | None) -> None:
        self._cart = cart
        self.capabilities = cart.capabilities
        self.memory = memory
        self.seen: set[str] = set()

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        self.seen |= set(listing_skus)
        return self._cart.read(listing_skus)

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        assert {change.listing_sku for change in changes} <= self.seen
        assert self.memory is not None
        self.memory.forget("jobs")
        return self._cart.push(changes)


def test_what_looked_ahead_is_what_pushes(way: str) -> None:
    desk = Desk({"A": 5}, way=way)
    keeping = Keeping({"A": 5})
    keeping.made = []
    desk.cart = keeping

    report = desk.overlapped({"A": 7})

    assert report.status == "success"
    assert [mine.seen for mine in keeping.made if mine.seen] == [{"A"}]


def test_before_its_run_has_begun_a_sink_may_clear_what_is_its_own(way: str) -> None:
    desk = Desk({"A": 5}, way=way)
    keeping = Keeping({"A": 5})
    keeping.made = []
    desk.cart = keeping
    memory = desk.ledger.memory("default")
    memory.remember("jobs", {"1": "open"})
    source = Reading(desk.figures({"A": 7}))
    source.until = lambda: desk.cart.looked > 0
    source.then = lambda: keeping.made[-1].memory.forget("jobs")

    desk.run(source)

    assert memory.recall("jobs") == {}


# Shopify, which compares.


def test_shopify_is_asked_again_for_what_changes_and_an_order_meanwhile_is_never_overwritten(
    shell: Shell, way: str
) -> None:
    shop = ShopifyShop()
    items = {sku: shop.add(sku, 5) for sku in ("RISES", "FALLS", "MEETS", "STAYS")}
    looked: list[Request] = []

    def handle(request: Request) -> Response:
        response = shop.handle(request)
        if "omsyncItems" in str(request.body) or "omsyncFind" in str(request.body):
            looked.append(request)
        return response

    desk = Desk({}, shell, way)
    desk.ledger = DictLedger()
    desk.cart = Shopify("acme", access=StaticToken(next(iter(shop.tokens))), handler=handle)  # type: ignore[assignment]  # another cart
    desk.run(stock(dict.fromkeys(items, 5)))
    desk.clock.pass_by(3600)
    looked.clear()
    source = Reading(desk.figures({"RISES": 9, "FALLS": 1, "MEETS": 3, "STAYS": 5}))
    source.until = lambda: bool(looked)

    def sold() -> None:
        for sku in items:
            shop.sell(sku, 2)

    source.then = sold
    report = desk.run(source)

    assert {sku: shop.quantity(sku) for sku in items} == {"RISES": 3, "FALLS": 1, "MEETS": 3, "STAYS": 3}
    assert ends(report) == {
        "RISES": ("held", "maybe_sold"),
        "FALLS": ("applied", ""),
        "MEETS": ("unchanged", ""),
        "STAYS": ("unchanged", ""),
    }
    early, late = (str(request.body) for request in looked)
    assert [item in early for item in items.values()] == [True, True, True, True]
    assert [item in late or sku in late for sku, item in items.items()] == [True, True, True, False]
    assert desk.falls == {"RISES": (5, 3, 2), "FALLS": (5, 3, 2), "MEETS": (5, 3, 2)}
