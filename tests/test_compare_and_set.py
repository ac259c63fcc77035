"""A cart that moves between our look and our write is looked at again; nothing is overwritten unseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs
import pytest
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shelf, Shell, stock
from hypothesis import given, settings
from hypothesis import strategies as st
from market import Stall, bench_of

from omsync import (
    CartListing,
    CartSettings,
    Guardrails,
    MerchantSettings,
    PerWarehouse,
    PushResult,
    QuantityChange,
    SinkCapabilities,
    SyncReport,
    load_plan,
)
from omsync.errors import LostAnswerError, RefusedError, SettingsError, UnreachableError
from omsync.planning.conflicts import TRIES, decide_again
from omsync.planning.lines import HINTS
from omsync.planning.plan import PlanLine
from omsync.ports import ALREADY_SHOWN
from omsync.settings import GUARDS
from omsync.sinks.files import CsvCart
from omsync.testing import check_sink

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop", guardrails=Guardrails(off={"sharp_rise"}))
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))
COMPARING = ("cas", "version")


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


@pytest.fixture(params=COMPARING)
def way(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


def moving(cart: FakeCart, *figures: int | Shelf, sku: str = "A") -> FakeCart:
    """Let the cart show these before its first, second ... push; then it stands still."""
    script = list(figures)

    def move(_: int) -> None:
        if script:
            put(cart, sku, script.pop(0))

    cart.before_push = move
    return cart


def put(cart: FakeCart, sku: str, figure: int | Shelf) -> None:
    """Let the cart show something else, under a version of its own."""
    before = cart.shelves[sku, None].version
    shelf = Shelf(quantity=figure) if isinstance(figure, int) else figure
    cart.put(sku, attrs.evolve(shelf, version=before + 1))


def sync(
    cart: Any, shell: Shell | None = None, settings: CartSettings = SHOP, /, **figures: int
) -> SyncReport:
    report: SyncReport = (shell or Blocking()).sync_cart(stock(figures), cart, settings, merchant=MERCHANT)
    return report


def ends(report: SyncReport) -> dict[str | None, tuple[str, str]]:
    return {one.listing_sku: (one.outcome, one.reason) for one in report.outcomes}


# Carts that compare.


def test_a_fall_goes_out_against_the_new_figure(shell: Shell, way: str) -> None:
    cart = moving(FakeCart({"A": 9}, compare_and_set=way), 8)

    report = sync(cart, shell, A=5)

    assert ends(report) == {"A": ("applied", "")}
    assert [(one.shown, one.quantity) for push in cart.pushes for one in push] == [(9, 5), (8, 5)]
    assert len(cart.reads) == 2
    assert report.outcomes[0].shown == 8


def test_a_zero_goes_out_however_the_cart_moved(way: str) -> None:
    cart = moving(FakeCart({"A": 9}, compare_and_set=way), 4, 12)

    assert ends(sync(cart, A=0)) == {"A": ("applied", "")}
    assert cart.shows("A") == 0


def test_a_rise_waits_where_the_cart_has_sold(shell: Shell, way: str) -> None:
    cart = moving(FakeCart({"A": 3}, compare_and_set=way), 2)

    report = sync(cart, shell, A=5)

    assert ends(report) == {"A": ("held", "maybe_sold")}
    assert report.status == "success"
    assert cart.shows("A") == 2
    assert report.outcomes[0].message == (
        "It showed 3 when it was planned and 2 when it was to be written, as after a sale; it is raised once "
        "the order manager's figures hold that sale."
    )


def test_the_next_run_waits_for_figures_that_hold_the_sale(way: str) -> None:
    ledger, cart = DictLedger(), moving(FakeCart({"A": 3}, compare_and_set=way), 2)

    def run(now: str, read: str, figure: int) -> SyncReport:
        reading = attrs.evolve(stock({"A": figure}), taken_at=datetime.fromisoformat(f"2026-03-02T{read}Z"))
        clock = FakeClock(datetime.fromisoformat(f"2026-03-02T{now}Z"))
        report: SyncReport = Blocking().sync_cart(
            reading, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
        )
        return report

    assert ends(run("08:00", "08:00", 5)) == {"A": ("held", "maybe_sold")}
    assert ends(run("08:10", "08:10", 5)) == {"A": ("held", "maybe_sold")}
    assert ends(run("08:50", "08:50", 4)) == {"A": ("applied", "")}
    assert ledger.state("A").observed == 4


def test_a_rise_goes_out_where_the_cart_shows_more_than_before(way: str) -> None:
    cart = moving(FakeCart({"A": 3}, compare_and_set=way), 4)

    assert ends(sync(cart, A=5)) == {"A": ("applied", "")}


def test_a_rise_that_has_become_a_fall_goes_out(way: str) -> None:
    cart = moving(FakeCart({"A": 3}, compare_and_set=way), 8)

    assert ends(sync(cart, A=5)) == {"A": ("applied", "")}


def test_a_fall_below_what_is_wanted_is_a_sale(way: str) -> None:
    cart = moving(FakeCart({"A": 9}, compare_and_set=way), 4)

    assert ends(sync(cart, A=5)) == {"A": ("held", "maybe_sold")}
    assert cart.shows("A") == 4


def test_what_is_wanted_and_shows_by_then_is_unchanged(shell: Shell) -> None:
    cart = moving(FakeCart({"A": 9}, compare_and_set="version"), 5)
    ledger = DictLedger()

    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report) == {"A": ("unchanged", "")}
    assert len(cart.pushes) == 1
    assert ledger.state("A").observed == 5


def test_a_listing_that_is_edited_without_its_quantity_is_told_with_the_new_version() -> None:
    cart = moving(FakeCart({"A": 3}, compare_and_set="version"), 3)

    assert ends(sync(cart, A=5)) == {"A": ("applied", "")}
    assert [one.version for push in cart.pushes for one in push] == ["1", "2"]


def test_each_try_has_a_key_of_its_own_and_the_last_is_the_last(way: str) -> None:
    cart = moving(FakeCart({"A": 20}, compare_and_set=way), 19, 18, 17, 16)

    report = sync(cart, A=5)

    assert ends(report) == {"A": ("conflict", "conflict")}
    keys = [one.key for push in cart.pushes for one in push]
    assert len(set(keys)) == len(keys) == TRIES
    assert keys == [f"{report.run_id}:A:", f"{report.run_id}:A::1", f"{report.run_id}:A::2"]
    assert cart.shows("A") == 17
    assert report.status == "partial"


def test_others_go_through_meanwhile_and_zeros_still_go_first(way: str) -> None:
    shelves: dict[Any, int] = {"A": 9, "B": 9, "C": 9, "D": 1}
    cart = moving(FakeCart(shelves, compare_and_set=way, max_rows=2), 8)

    report = sync(cart, A=0, B=0, C=5, D=2)

    assert set(ends(report).values()) == {("applied", "")}
    assert [[one.listing_sku for one in push] for push in cart.pushes] == [["A", "B"], ["A"], ["C", "D"]]


def test_what_did_not_move_was_refused_for_another_reason_which_stands(way: str) -> None:
    cart = FakeCart({"A": 9}, rows={"A": "conflict"}, compare_and_set=way)

    assert ends(sync(cart, A=5)) == {"A": ("conflict", "conflict")}
    assert len(cart.pushes) == 1


def test_a_listing_that_is_gone_by_then_stays_a_conflict(way: str) -> None:
    cart = FakeCart({"A": 9}, rows={"A": "conflict"}, compare_and_set=way)
    read, cart.read = cart.read, lambda skus: read(skus) if not cart.pushes else []  # type: ignore[method-assign]

    assert ends(sync(cart, A=5)) == {"A": ("conflict", "conflict")}


def test_a_listing_that_must_not_be_told_any_more_is_skipped(way: str) -> None:
    cart = moving(FakeCart({"A": 9}, compare_and_set=way), Shelf(quantity=8, state="unmanaged"))

    report = sync(cart, A=5)

    assert ends(report) == {"A": ("skipped", "unmanaged_in_cart")}
    assert report.outcomes[0].message == HINTS["unmanaged_in_cart"]


def test_a_cart_that_cannot_be_read_again_leaves_the_conflict_to_the_next_run(
    shell: Shell, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    cart = moving(FakeCart({"A": 9}, compare_and_set=way), 8)
    cart.read_errors = [None, UnreachableError("closed")]

    assert ends(sync(cart, shell, A=5)) == {"A": ("conflict", "conflict")}
    assert "could not be read after a conflict: closed" in caplog.text


def test_units_on_hand_are_worked_out_anew(way: str) -> None:
    shelf = Shelf(quantity=10, allocated=1)
    given: dict[str, Any] = {"compare_and_set": way, "quantity_meaning": "on_hand"}
    cart = moving(FakeCart({"A": shelf}, **given), Shelf(quantity=9, allocated=2))

    assert ends(sync(cart, A=4)) == {"A": ("applied", "")}
    assert cart.sent == [("A", 5), ("A", 6)]
    assert cart.shows("A") == 4


def test_a_cart_that_is_sent_everything_is_left_to_the_next_run() -> None:
    cart = moving(FakeCart({"A": 9, "B": 3}, compare_and_set="cas", contents="full"), 8)

    assert ends(sync(cart, A=5, B=3))["A"] == ("conflict", "conflict")
    assert len(cart.pushes) == 1


def test_the_deadline_ends_the_tries(way: str) -> None:
    clock = FakeClock()
    cart = FakeCart({"A": 9}, compare_and_set=way)

    def move(_: int) -> None:
        clock.pass_by(100)
        put(cart, "A", 8)

    cart.before_push = move
    report: SyncReport = Blocking().sync_cart(
        stock({"A": 5}), cart, SHOP, merchant=MERCHANT, clock=clock, deadline=timedelta(seconds=60)
    )

    assert ends(report) == {"A": ("skipped", "deadline")}


def test_an_approved_rise_waits_too_where_the_cart_has_sold(shell: Shell, way: str) -> None:
    careful = CartSettings(name="shop")
    cart = FakeCart({"A": 3, "B": 900}, compare_and_set=way)
    plan = shell.plan_cart(stock({"A": 5_000, "B": 9_500}), cart, careful, merchant=MERCHANT)
    assert {line.reason for line in plan.held} == {"sharp_rise"}
    put(cart, "B", 900)
    cart.before_push = lambda number: put(cart, "A", 2) if number == 1 else None

    report = shell.push_plan(plan, cart, approve=plan.digest)

    assert ends(report) == {"A": ("held", "maybe_sold"), "B": ("applied", "")}


def test_a_file_that_somebody_else_writes_is_decided_anew(shell: Shell, tmp_path: Any) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("listing_sku,location,quantity\nA,,9\nB,,3\n")

    class Edited(CsvCart):
        """Somebody writes the file right before we do, once."""

        edits: ClassVar[list[str]] = []

        def push(self, changes: Any) -> Any:
            if self.edits:
                path.write_text(self.edits.pop())
            return super().push(changes)

    Edited.edits = ["listing_sku,location,quantity\nA,,8\nB,,2\n"]
    report = sync(Edited(path), shell, A=5, B=6)

    assert ends(report) == {"A": ("applied", ""), "B": ("held", "maybe_sold")}


class SoldToTheVeryQuantity:
    """What a sale leaves behind when it takes the very units that a write was to take away."""

    def __init__(self, cart: Any, shell: Shell) -> None:
        self.cart, self.shell, self.ledger = cart, shell, DictLedger()

    def run(self, minute: int, figure: int) -> dict[str | None, tuple[str, str]]:
        """Sync at this minute, with a figure that was read before the sale."""
        reading = attrs.evolve(stock({"A": figure}), taken_at=datetime.fromisoformat("2026-03-02T08:00Z"))
        clock = FakeClock(datetime.fromisoformat(f"2026-03-02T08:{minute:02}Z"))
        report: SyncReport = self.shell.sync_cart(
            reading, self.cart, SHOP, merchant=MERCHANT, ledger=self.ledger, clock=clock
        )
        return ends(report)


def test_a_file_that_sold_to_what_was_to_be_written_is_not_raised_over_the_sale(
    shell: Shell, tmp_path: Any
) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("listing_sku,location,quantity\nA,,10\n")

    class Sells(CsvCart):
        """The shop behind the file notes a sale right before we write, once."""

        sales: ClassVar[list[str]] = []

        def push(self, changes: Any) -> Any:
            if self.sales:
                path.write_text(self.sales.pop())
            return super().push(changes)

    Sells.sales = ["listing_sku,location,quantity\nA,,9\n"]
    shop = SoldToTheVeryQuantity(Sells(path), shell)

    assert shop.run(1, 9) == {"A": ("applied", "")}
    assert shop.run(10, 10) == {"A": ("held", "maybe_sold")}
    assert path.read_text() == "listing_sku,location,quantity\nA,,9\n"


@pytest.mark.parametrize("echoes", [True, False])
def test_a_sale_to_the_very_quantity_is_on_record_also_where_the_answer_shows_no_quantity(
    shell: Shell, way: str, *, echoes: bool
) -> None:
    cart = moving(FakeCart({"A": 10}, compare_and_set=way), 9)

    def push(changes: Any) -> list[PushResult]:
        return [
            PushResult(
                listing_sku=one.listing_sku,
                status="accepted",
                reason=ALREADY_SHOWN,
                echo=one.quantity if echoes else None,
            )
            for one, result in zip(changes, FakeCart.push(cart, changes), strict=True)
            if result.status == "conflict"
        ]

    cart.push = push  # type: ignore[method-assign]
    shop = SoldToTheVeryQuantity(cart, shell)

    assert shop.run(1, 9) == {"A": ("applied", "")}
    assert shop.run(10, 10) == {"A": ("held", "maybe_sold")}


SALES = st.lists(st.integers(-3, 3), max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    shows=st.integers(0, 12),
    figure=st.integers(0, 12),
    moves=SALES,
    way=st.sampled_from(COMPARING),
    shell=st.sampled_from(SHELLS[:2]),
)
def test_a_sale_between_look_and_write_is_never_overwritten_by_a_rise(
    shows: int, figure: int, moves: list[int], way: str, shell: Shell
) -> None:
    cart = FakeCart({"A": shows}, compare_and_set=way)
    looks: list[int] = []
    script, read, write = list(moves), cart.read, cart.push

    def looking(skus: Any) -> Any:
        looks.append(cart.shows("A") or 0)
        return read(skus)

    def writing(changes: Any) -> Any:
        if script:
            put(cart, "A", max(0, (cart.shows("A") or 0) + script.pop(0)))
        before = cart.shows("A") or 0
        results = write(changes)
        after = cart.shows("A") or 0
        # What was written was decided about what shows; and what had fallen meanwhile did not rise.
        assert after in {before, figure}
        if after > before:
            assert looks[-1] == before
            assert min(looks) == looks[0]
        return results

    cart.read, cart.push = looking, writing  # type: ignore[method-assign]
    report = sync(cart, shell, A=figure)

    assert len(report.outcomes) == 1
    if report.outcomes[0].outcome in {"applied", "unchanged"}:
        assert cart.shows("A") == figure


# Carts that are blind: read, compare, write.


class SlowCart(FakeCart):
    """A blind cart in which each push takes two minutes."""

    def __init__(self, clock: FakeClock, shelves: Any, *, minutes: int = 2, **given: Any) -> None:
        super().__init__(shelves, **{"max_rows": 1, **given})
        self.clock = clock
        self.minutes = minutes
        self.events: dict[int, Callable[[], None]] = {}

    def push(self, changes: Any, /) -> list[PushResult]:
        results = super().push(changes)
        self.clock.pass_by(60 * self.minutes)
        self.events.get(len(self.pushes), lambda: None)()
        return results


class Warehouse:
    """A merchant with six listings, a slow blind cart, and a clock."""

    def __init__(self, shell: Shell | None = None, *, quantity: int = 5, **given: Any) -> None:
        self.shell = shell or Blocking()
        self.clock = FakeClock()
        self.skus = [f"{number}" for number in range(6)]
        self.cart = SlowCart(self.clock, dict.fromkeys(self.skus, 9), **given)
        self.figures = dict.fromkeys(self.skus, quantity)

    def sync(self, settings: CartSettings = SHOP, **given: Any) -> SyncReport:
        report: SyncReport = self.shell.sync_cart(
            stock(self.figures), self.cart, settings, merchant=MERCHANT, clock=self.clock, **given
        )
        return report


def test_a_short_push_is_compared_once() -> None:
    shop = Warehouse(minutes=1)

    report = shop.sync()

    assert len(shop.cart.reads) == 1
    assert report.status == "success"


def test_a_long_push_looks_again_before_it_writes(shell: Shell) -> None:
    shop = Warehouse(shell)

    report = shop.sync()

    # The look is six minutes old when the fourth row goes out; what waits is looked at with it.
    assert shop.cart.reads == [tuple(shop.skus), ("3", "4", "5")]
    assert report.counts == {"applied": 6}


def test_what_moved_meanwhile_is_decided_anew(shell: Shell) -> None:
    shop = Warehouse(shell)
    shop.figures |= {"5": 12, "4": 12, "3": 12, "0": 0}

    def sales() -> None:
        put(shop.cart, "3", 8)
        put(shop.cart, "4", 12)
        put(shop.cart, "5", 10)

    shop.cart.events[2] = sales
    report = shop.sync()

    assert ends(report) == {
        **dict.fromkeys(("0", "1", "2", "5"), ("applied", "")),
        "3": ("held", "maybe_sold"),
        "4": ("unchanged", ""),
    }
    assert shop.cart.shows("3") == 8
    assert [sku for sku, _ in shop.cart.sent] == ["0", "1", "2", "5"]


def test_a_listing_that_is_gone_meanwhile_is_not_told() -> None:
    shop = Warehouse()

    def ended() -> None:
        del shop.cart.shelves["4", None]

    shop.cart.events[3] = ended
    report = shop.sync()

    assert ends(report)["4"] == ("skipped", "not_in_cart")
    assert report.counts == {"applied": 5, "skipped": 1}


def test_a_listing_that_the_cart_does_not_have_yet_is_made_all_the_same() -> None:
    shop = Warehouse(creates_listings=True)
    shop.cart.shelves.pop(("5", None))

    assert shop.sync().counts == {"applied": 6}


def test_nothing_is_left_where_all_was_done_meanwhile() -> None:
    shop = Warehouse()

    def done() -> None:
        for sku in shop.skus:
            put(shop.cart, sku, 5)

    shop.cart.events[3] = done
    told: list[tuple[str, int, int | None]] = []

    report = shop.sync(on_progress=lambda *step: told.append(step))

    assert report.counts == {"applied": 3, "unchanged": 3}
    assert len(shop.cart.pushes) == 3
    assert told[-2:] == [("push", 3, 6), ("push", 6, 6)]


def test_a_cart_that_cannot_be_looked_at_is_not_written(shell: Shell) -> None:
    shop = Warehouse(shell)
    shop.cart.read_errors = [None, UnreachableError("closed")]

    report = shop.sync()

    assert report.counts == {"applied": 3, "skipped": 3}
    assert ends(report)["5"] == ("skipped", "not_sent")
    assert "could not be looked at again before the write: closed" in report.of("skipped")[0].message


def test_wrong_settings_that_show_in_that_look_are_seen_by_the_caller() -> None:
    shop = Warehouse()
    shop.cart.read_errors = [None, SettingsError("wrong")]

    with pytest.raises(SettingsError) as caught:
        shop.sync()
    report: SyncReport = caught.value.omsync_report  # type: ignore[attr-defined]  # see runs.fail
    assert report.counts == {"applied": 3, "skipped": 3}


@pytest.mark.parametrize(("max_rows", "looked_at"), [(2, [250, 100]), (120, [250, 120])])
def test_many_small_batches_are_looked_at_together_and_a_large_one_alone(
    max_rows: int, looked_at: list[int]
) -> None:
    shop = Warehouse(max_rows=max_rows, minutes=6)
    shop.skus = [f"{number:03}" for number in range(250)]
    shop.figures = dict.fromkeys(shop.skus, 5)
    for sku in shop.skus:
        shop.cart.put(sku, 9)

    report = shop.sync(attrs.evolve(SHOP, guardrails=Guardrails(off=GUARDS)))

    assert report.counts["applied"] == 250
    assert [len(read) for read in shop.cart.reads[:2]][: len(looked_at)] == looked_at


def test_the_age_is_a_setting_and_goes_with_a_saved_plan() -> None:
    shop = Warehouse()
    often = attrs.evolve(SHOP, compare_within=60)
    assert shop.sync(often).counts == {"applied": 6}
    assert len(shop.cart.reads) == 6

    again = Warehouse()
    plan = again.shell.plan_cart(
        stock(again.figures), again.cart, often, merchant=MERCHANT, clock=again.clock
    )
    again.clock.pass_by(3600)
    again.shell.push_plan(load_plan(plan.to_json()), again.cart, clock=again.clock)
    assert len(again.cart.reads) == 1 + 6


def test_it_can_be_switched_off_and_the_report_says_so() -> None:
    shop = Warehouse()

    report = shop.sync(attrs.evolve(SHOP, compare_within=0))

    assert len(shop.cart.reads) == 1
    assert "note: compare_within is switched off" in str(report)
    assert "looked at again" not in told(report)


def told(report: SyncReport) -> str:
    (notice,) = [one for one in report.notices if one.reason == "blind_cart"]
    return notice.message


def test_the_report_says_how_a_blind_cart_is_compared() -> None:
    assert told(Warehouse().sync()) == (
        "The cart cannot refuse a write that comes too late: it is read, compared, then written, and a row "
        "whose look is older than 0:05:00 is looked at again right before it goes; a sale in between is "
        "corrected by the next run"
    )


@pytest.mark.parametrize(
    "given", [{"completion": "job"}, {"readable": False}, {"contents": "full"}, {"compare_and_set": "cas"}]
)
def test_where_a_late_look_would_tell_nothing_none_is_made(given: dict[str, Any]) -> None:
    shop = Warehouse(**given)

    report = shop.sync()

    assert len(shop.cart.reads) == (0 if given.get("readable") is False else 1)
    notices = {one.reason: one.message for one in report.notices}
    assert "looked at again" not in notices.get("blind_cart", "")
    assert "compare_within_off" not in notices


def test_a_batch_that_is_halved_after_a_late_look_still_finds_its_bad_row() -> None:
    shop = Warehouse(max_rows=6, calls={1: (RefusedError("bad row"), False), 2: (RefusedError("bad"), False)})

    report = shop.sync(attrs.evolve(SHOP, compare_within=1))

    assert report.counts == {"applied": 6}


def test_a_lost_answer_before_a_late_look_stays_unknown() -> None:
    shop = Warehouse(calls={1: (LostAnswerError("lost"), True)})

    report = shop.sync()

    assert report.counts == {"applied": 5, "pending": 1}


# The decision alone.


def line(quantity: int, shown: int | None, **given: Any) -> PlanLine:
    basis = "none" if shown is None else "cart"
    return PlanLine(
        listing_sku="A", master_sku="A", quantity=quantity, shown=shown, basis=basis, action="change", **given
    )


@pytest.mark.parametrize(
    ("quantity", "then", "now", "send", "action"),
    [
        (5, 9, 8, True, "change"),
        (5, 9, 5, False, "unchanged"),
        (5, 9, 4, False, "hold"),
        (0, 9, 2, True, "change"),
        (5, 3, 3, True, "change"),
        (5, 3, 4, True, "change"),
        (5, 3, 2, False, "hold"),
        (5, 3, 7, True, "change"),
        (5, None, 4, True, "change"),
        (5, 3, None, True, "change"),
    ],
)
def test_what_is_decided(quantity: int, then: int | None, now: int | None, send: bool, action: str) -> None:
    able = SinkCapabilities(destination="d")
    decided = decide_again(line(quantity, then), CartListing(listing_sku="A", quantity=now), able)

    assert (decided.send, decided.line.action) == (send, action)
    assert decided.line.shown == now


# The conformance kit.


class StaysRefused(Stall):
    """Compares with what it first saw, and goes on refusing after it was read again."""

    late = False

    def is_late(self, change: QuantityChange) -> bool:
        self.late = self.late or super().is_late(change)
        return self.late


class OverwritesAndSaysConflict(Stall):
    """Says that it refused, and has written."""

    def write(self, change: QuantityChange) -> PushResult:
        key = (change.listing_sku, change.location_id)
        if key in self.market.shelf and self.is_late(change):
            self.market.shelf[key] = change.quantity
            return PushResult(listing_sku=key[0], location_id=key[1], status="conflict")
        return super().write(change)


class ReadsNoVersions(Stall):
    """Claims to compare by version, and gives none."""

    said: ClassVar[Mapping[str, Any]] = {"compare_and_set": "version"}

    def listing(self, key: tuple[str, str | None]) -> CartListing:
        return attrs.evolve(super().listing(key), version=None)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (StaysRefused, "after the cart was read again, a write of 'MUG' at 'A' is conflict"),
        (OverwritesAndSaysConflict, "after a late write the cart shows"),
        (ReadsNoVersions, "a late write of 'MUG' at 'A' is accepted"),
    ],
)
def test_the_kit_catches_a_cart_that_lies_about_comparing(kind: type[Stall], seen: str) -> None:
    report = check_sink(bench_of(kind), checks=["a_late_write_is_a_conflict"])

    assert seen in str(report)
