"""Read, plan, push, report: one suite over the blocking and the awaiting functions."""

from __future__ import annotations

import asyncio
import copy
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from fake_ports import (
    AsyncFakeCart,
    AsyncFakeSource,
    Awaiting,
    Blocking,
    DictLedger,
    FakeCart,
    FakeClock,
    FakeSource,
    Shelf,
    Shell,
    stock,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync import (
    Alias,
    CartListing,
    CartSettings,
    CartSink,
    InventorySnapshot,
    MerchantSettings,
    Notice,
    OrderManagerSource,
    PerSalesChannel,
    PerWarehouse,
    PushResult,
    QuantityChange,
    RunRecord,
    SalesChannel,
    SinkCapabilities,
    SyncReport,
    aio,
    plan_cart,
    read_inventory,
    sync_cart,
)
from omsync.errors import (
    DeadlineError,
    DecodeError,
    InvalidValueError,
    LedgerError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    SnapshotError,
    UnreachableError,
    WrongTypeError,
)

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))

pytestmark = pytest.mark.filterwarnings("error")


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


def ends(report: SyncReport) -> dict[str, tuple[str, str]]:
    return {one.listing_sku or one.master_sku: (one.outcome, one.reason) for one in report.outcomes}


def the_run(ledger: DictLedger, cart: str | None = "shop") -> RunRecord:
    return ledger.runs("default", cart)[0]


def report_with(error: BaseException) -> SyncReport:
    report: SyncReport = error.omsync_report  # type: ignore[attr-defined]  # travels with errors of the shells
    return report


def on_push(number: int, action: Callable[[], None]) -> Callable[[int], None]:
    def before_push(push: int) -> None:
        if push == number:
            action()

    return before_push


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


# The main job.


def test_a_sync_pushes_what_differs_and_a_second_one_pushes_nothing_and_says_so(
    shell: Shell, clock: FakeClock, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 3, "B": 7, "ODD": 1}, lists_all=True)
    source = FakeSource(stock({"A": 5, "B": 7, "C": 2}))

    first = shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    second = shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)

    assert ends(first) == {"A": ("applied", ""), "B": ("unchanged", ""), "C": ("skipped", "not_in_cart")}
    assert (first.status, first.cart_only, first.destination) == ("success", ("ODD",), "fake cart")
    assert cart.shows("A") == 5
    assert len(cart.pushes) == 1
    assert "nothing was pushed" in str(second)
    assert [run.status for run in ledger.runs("default", "shop")] == ["success", "success"]
    assert [run.status for run in ledger.runs("default")] == ["success", "success"]
    assert dict(the_run(ledger, None).counts) == {
        "products": 3,
        "aliases": 0,
        "locations": 1,
        "stock_records": 3,
    }
    assert dict(the_run(ledger).counts) == {"unchanged": 2, "skipped": 1}


def test_zeros_are_on_the_wire_first_then_falls_then_rises(shell: Shell) -> None:
    cart = FakeCart({"RISE": 1, "FALL": 9, "ZERO": 9}, max_rows=1)

    shell.sync_cart(stock({"RISE": 5, "FALL": 5, "ZERO": 0}), cart, SHOP, merchant=MERCHANT)

    assert cart.sent == [("ZERO", 0), ("FALL", 5), ("RISE", 5)]


def test_the_ledger_knows_what_was_wanted_sent_accepted_and_observed_each_with_its_time(
    shell: Shell, clock: FakeClock, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 3})
    cart.before_push = lambda _: clock.pass_by(60)

    shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)

    state = ledger.state("A")
    assert (state.desired, state.sent, state.accepted, state.observed) == (5, 5, 5, 5)
    assert state.accepted_at is not None
    assert state.sent_at is not None
    assert state.accepted_at - state.sent_at == timedelta(minutes=1)
    assert the_run(ledger).duration == timedelta(minutes=1)
    assert ledger.signs_of_life == 1


def test_a_cart_that_is_switched_off_is_neither_read_nor_pushed_and_the_run_says_so(
    shell: Shell, ledger: DictLedger
) -> None:
    cart, source = FakeCart({"A": 1}), FakeSource(stock({"A": 5}))
    off = CartSettings(name="shop", enabled=False)

    report = shell.sync_cart(source, cart, off, merchant=MERCHANT, ledger=ledger)
    plan = shell.plan_cart(source, cart, off, merchant=MERCHANT)
    pushed = shell.push_plan(plan, cart, ledger=ledger)

    assert (report.status, pushed.status) == ("disabled", "disabled")
    assert not plan.enabled
    assert (source.requests, cart.reads, cart.pushes) == ([], [], [])
    assert [run.status for run in ledger.runs("default", "shop")] == ["disabled", "disabled"]


def test_orders_that_the_snapshot_has_not_seen_are_taken_off(shell: Shell) -> None:
    cart = FakeCart({"A": 5})

    shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, orders_in_flight={"A": 2})

    assert cart.shows("A") == 3


def test_a_report_explains_its_quantities(shell: Shell) -> None:
    report = shell.sync_cart(stock({"A": 5}), FakeCart({"A": 1}), SHOP, merchant=MERCHANT)

    assert report.explain("A").evaluate() == 5


def test_progress_is_told_in_order(shell: Shell) -> None:
    told: list[tuple[str, int, int | None]] = []
    cart = FakeCart({"A": 1, "B": 1, "C": 1}, max_rows=2)

    shell.sync_cart(
        FakeSource(stock({"A": 5, "B": 5, "C": 5})),
        cart,
        SHOP,
        merchant=MERCHANT,
        clock=FakeClock(),
        on_progress=lambda *step: told.append(step),
    )

    assert told == [
        ("stock", 1, 2),
        ("stock", 2, 2),
        ("allocate", 0, None),
        ("allocate", 3, 3),
        ("read cart", 0, 3),
        ("read cart", 3, 3),
        ("push", 2, 3),
        ("push", 3, 3),
    ]


def test_a_sink_may_give_its_answers_one_by_one_and_never_works_on_the_event_loop() -> None:
    threads: list[int] = []

    class Lazy:
        capabilities = SinkCapabilities(destination="lazy")

        def read(self, listing_skus: Sequence[str], /) -> Iterator[CartListing]:
            for sku in listing_skus:
                threads.append(threading.get_ident())
                yield CartListing(listing_sku=sku, quantity=1)

        def push(self, changes: Sequence[QuantityChange], /) -> Iterator[PushResult]:
            for change in changes:
                threads.append(threading.get_ident())
                yield PushResult(listing_sku=change.listing_sku, status="accepted", echo=change.quantity)

    blocking = sync_cart(stock({"A": 5}), Lazy(), SHOP, merchant=MERCHANT)
    awaiting = asyncio.run(aio.sync_cart(stock({"A": 5}), Lazy(), SHOP, merchant=MERCHANT))

    assert ends(blocking) == ends(awaiting) == {"A": ("applied", "")}
    assert [thread == threading.get_ident() for thread in threads] == [True, True, False, False]


# What carts answer.


def test_a_refused_batch_is_halved_until_the_bad_row_stands_alone(shell: Shell, ledger: DictLedger) -> None:
    figures = dict.fromkeys("ABCDEFGH", 5)
    cart = FakeCart(dict.fromkeys(figures, 1), atomicity="call")

    def refuse_c(_: int) -> None:
        if any(row.listing_sku == "C" for row in cart.pushes[-1]):
            raise RefusedError("C is bad", code="bad_row")

    cart.before_push = refuse_c
    report = shell.sync_cart(stock(figures), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert report.status == "partial"
    assert ends(report) == {
        sku: ("rejected", "bad_row") if sku == "C" else ("applied", "") for sku in figures
    }
    assert [len(push) for push in cart.pushes] == [8, 4, 2, 2, 1, 1, 4]


def test_an_unreachable_cart_fails_the_run_and_the_rest_is_not_sent(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart({"A": 1, "B": 1}, max_rows=1, calls={1: (UnreachableError("down"), False)})

    report = shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert report.status == the_run(ledger).status == "failed"
    assert ends(report) == {"A": ("skipped", "not_sent"), "B": ("skipped", "not_sent")}
    assert len(cart.pushes) == 1
    assert "nothing was pushed" in str(report)


def test_after_a_lost_answer_the_row_is_pending_and_the_next_run_sees_it(shell: Shell) -> None:
    cart = FakeCart({"A": 1, "B": 1}, max_rows=1, calls={1: (LostAnswerError("lost"), True)})
    snapshot = stock({"A": 5, "B": 5})

    first = shell.sync_cart(snapshot, cart, SHOP, merchant=MERCHANT)
    second = shell.sync_cart(snapshot, cart, SHOP, merchant=MERCHANT)

    assert ends(first) == {"A": ("pending", "answer_unknown"), "B": ("applied", "")}
    assert ends(second) == {"A": ("unchanged", ""), "B": ("unchanged", "")}


def test_accepted_without_an_echo_is_read_back_and_applied(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart({"A": 1, "B": 1}, rows={"A": "silent"})

    report = shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report) == {"A": ("applied", ""), "B": ("applied", "")}
    assert cart.reads[1:] == [("A",)]
    assert ledger.state("A").observed == 5


def test_a_cart_that_shows_it_later_is_not_read_back_and_the_run_is_a_success(shell: Shell) -> None:
    cart = FakeCart({"A": 1}, rows={"A": "silent"}, completion="eventual")

    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT)

    assert ends(report) == {"A": ("pending", "accepted")}
    assert report.status == "success"
    assert len(cart.reads) == 1


@pytest.mark.parametrize("error", [UnreachableError("down"), DeadlineError("late")])
def test_a_read_back_that_fails_leaves_the_rows_pending_and_the_run_goes_on(
    shell: Shell, ledger: DictLedger, error: OmsyncError, caplog: pytest.LogCaptureFixture
) -> None:
    cart = FakeCart({"A": 1}, rows={"A": "silent"})
    cart.read_errors = [None, error]

    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report) == {"A": ("pending", "not_yet_seen")}
    assert the_run(ledger).status == "partial"
    assert "could not be read back" in caplog.text


def test_accepted_and_another_quantity_shown_is_pending(shell: Shell) -> None:
    report = shell.sync_cart(
        stock({"A": 5}), FakeCart({"A": 1}, rows={"A": "ignored"}), SHOP, merchant=MERCHANT
    )

    assert ends(report) == {"A": ("pending", "accepted_not_applied")}


def test_a_sale_between_reading_and_writing_is_not_overwritten_where_the_cart_compares(shell: Shell) -> None:
    cart = FakeCart({"A": 3}, compare_and_set="cas")
    cart.before_push = lambda _: cart.put("A", 2)

    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT)

    assert ends(report) == {"A": ("held", "maybe_sold")}
    assert cart.shows("A") == 2


def test_a_cart_that_keeps_units_on_hand_gets_those_of_its_orders_added(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart(
        {"A": Shelf(quantity=10, allocated=4), "B": Shelf(quantity=10)}, quantity_meaning="on_hand"
    )

    report = shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report) == {"A": ("applied", ""), "B": ("skipped", "allocated_unknown")}
    assert cart.sent == [("A", 9)]
    assert cart.shows("A") == 5
    assert ledger.state("A").observed == 5


def test_a_cart_that_cannot_be_read_is_compared_with_what_it_accepted(
    shell: Shell, clock: FakeClock, ledger: DictLedger
) -> None:
    cart = FakeCart(readable=False)

    def run() -> SyncReport:
        report: SyncReport = shell.sync_cart(
            stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
        )
        return report

    assert ends(run()) == {"A": ("applied", "")}
    assert ends(run()) == {"A": ("unchanged", "")}
    assert cart.reads == []
    assert len(cart.pushes) == 1


def test_a_cart_that_cannot_be_read_is_told_again_after_an_answer_was_lost(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart(readable=False, calls={2: (LostAnswerError("lost"), True)})

    for figure in (5, 3):
        shell.sync_cart(stock({"A": figure}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    back = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert cart.sent == [("A", 5), ("A", 3), ("A", 5)]
    assert ends(back) == {"A": ("applied", "")}


def test_without_a_ledger_a_cart_that_cannot_be_read_is_told_every_time(shell: Shell) -> None:
    cart = FakeCart(readable=False)

    for _ in range(2):
        shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT)
    shell.push_plan(shell.plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT), cart)

    assert cart.sent == [("A", 5)] * 3


def test_settings_that_are_wrong_for_the_cart_end_the_push_and_the_rest_is_not_sent(
    shell: Shell, ledger: DictLedger
) -> None:
    wrong = SettingsError("no such location", code="unknown_cart_location", remedy="choose one")
    cart = FakeCart({"A": 1, "B": 1, "C": 1}, max_rows=1, calls={2: (wrong, False)})

    with pytest.raises(SettingsError) as caught:
        shell.sync_cart(stock({"A": 5, "B": 5, "C": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert caught.value is wrong
    assert ends(report_with(wrong)) == {
        "A": ("applied", ""),
        "B": ("skipped", "not_sent"),
        "C": ("skipped", "not_sent"),
    }
    assert len(cart.pushes) == 2
    assert (the_run(ledger).status, the_run(ledger).code) == ("partial", "unknown_cart_location")


# The clock runs out, somebody interrupts, something breaks.


def test_a_deadline_before_the_first_batch_sends_nothing(
    shell: Shell, clock: FakeClock, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 1})

    report = shell.sync_cart(
        stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock, deadline=clock.now()
    )

    assert ends(report) == {"A": ("skipped", "deadline")}
    assert report.status == the_run(ledger).status == "failed"
    assert the_run(ledger).code == "deadline"
    assert the_run(ledger).message == (
        "1 listing skipped: The deadline 2026-03-02 08:00:00Z came first; run again."
    )
    assert cart.pushes == []


def test_a_deadline_between_batches_keeps_what_was_done_and_says_what_was_not(
    shell: Shell, clock: FakeClock, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 1, "B": 1, "C": 1}, max_rows=1)
    cart.before_push = lambda _: clock.pass_by(40)

    report = shell.sync_cart(
        stock({"A": 5, "B": 5, "C": 5}),
        cart,
        SHOP,
        merchant=MERCHANT,
        ledger=ledger,
        clock=clock,
        deadline=timedelta(minutes=1),
    )

    assert ends(report) == {"A": ("applied", ""), "B": ("applied", ""), "C": ("skipped", "deadline")}
    assert report.status == the_run(ledger).status == "partial"
    assert "2026-03-02 08:01:00Z" in report.of("skipped")[0].message
    assert (the_run(ledger).code, report.code) == ("deadline", "")


def test_a_deadline_of_another_zone_is_the_same_moment_in_universal_time(
    shell: Shell, clock: FakeClock
) -> None:
    cart, source = FakeCart({"A": 1}), FakeSource(stock({"A": 5}))
    ago = (clock.now() - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=9)))

    report = shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, clock=clock, deadline=ago)

    assert "2026-03-02 07:59:59Z" in report.outcomes[0].message
    assert source.requests[0].deadline == ago
    assert source.requests[0].deadline.tzinfo is UTC


def test_a_deadline_in_the_middle_of_a_read_ends_it_without_a_snapshot(
    shell: Shell, clock: FakeClock, ledger: DictLedger
) -> None:
    source, cart = FakeSource(stock({"A": 5})), FakeCart({"A": 1})

    def work(request: Any) -> None:
        clock.pass_by(600)
        if clock.now() >= request.deadline:
            raise DeadlineError("the read took too long")

    source.during = work
    with pytest.raises(DeadlineError) as caught:
        shell.sync_cart(
            source,
            cart,
            SHOP,
            merchant=MERCHANT,
            ledger=ledger,
            clock=clock,
            deadline=timedelta(minutes=5),
        )

    assert [the_run(ledger, None).code, the_run(ledger).code] == ["deadline", "deadline"]
    assert ledger.last_snapshot("default") is None
    assert cart.pushes == []
    assert str(report_with(caught.value)).startswith("default / shop: failed (deadline), nothing was pushed")


def test_a_deadline_without_a_zone_is_refused(shell: Shell) -> None:
    naive = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001  that is the point
    with pytest.raises(InvalidValueError, match="must know its time zone"):
        shell.read_inventory(FakeSource(stock({"A": 1})), MERCHANT, deadline=naive)


def test_an_interrupt_in_the_middle_of_a_batch_leaves_a_finished_run_and_a_report(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 1, "B": 1, "C": 1}, max_rows=1)
    cart.before_push = on_push(2, raising(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt) as caught:
        shell.sync_cart(stock({"A": 5, "B": 5, "C": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    report, run = report_with(caught.value), the_run(ledger)
    assert ends(report) == {
        "A": ("applied", ""),
        "B": ("pending", "answer_unknown"),
        "C": ("skipped", "cancelled"),
    }
    assert (run.status, run.code, report.status) == ("partial", "KeyboardInterrupt", "partial")
    assert dict(run.counts) == {"applied": 1, "pending": 1, "skipped": 1}
    assert "ended early (KeyboardInterrupt)" in str(report)


def test_an_interrupt_before_anything_was_sent_is_a_failed_run(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart({"A": 1})
    cart.read_errors = [None, KeyboardInterrupt()]
    plan = shell.plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT)

    with pytest.raises(KeyboardInterrupt) as caught:
        shell.push_plan(plan, cart, ledger=ledger)

    assert ends(report_with(caught.value)) == {"A": ("skipped", "cancelled")}
    assert the_run(ledger).status == "failed"


def test_a_cancelled_task_leaves_a_finished_run_and_a_report(ledger: DictLedger) -> None:
    cart = FakeCart({"A": 1, "B": 1, "C": 1}, max_rows=1)
    hanging = AsyncFakeCart(cart)
    hanging.hang_at_push = 2

    async def cancel_in_the_middle() -> BaseException:
        task = asyncio.create_task(
            aio.sync_cart(stock({"A": 5, "B": 5, "C": 5}), hanging, SHOP, merchant=MERCHANT, ledger=ledger)
        )
        await hanging.hangs.wait()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return error
        raise AssertionError

    report, run = report_with(asyncio.run(cancel_in_the_middle())), the_run(ledger)

    assert ends(report) == {
        "A": ("applied", ""),
        "B": ("pending", "answer_unknown"),
        "C": ("skipped", "cancelled"),
    }
    assert (run.status, run.code) == ("partial", "CancelledError")


def test_a_plain_error_of_a_user_s_sink_passes_with_a_report_of_what_was_done(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 1, "B": 1, "C": 1}, max_rows=1, calls={2: (ValueError("oops"), True)})

    with pytest.raises(ValueError, match="oops") as caught:
        shell.sync_cart(stock({"A": 5, "B": 5, "C": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report_with(caught.value)) == {
        "A": ("applied", ""),
        "B": ("pending", "answer_unknown"),
        "C": ("skipped", "not_sent"),
    }
    assert (the_run(ledger).status, the_run(ledger).code) == ("partial", "ValueError")
    assert the_run(ledger).message == "oops"


def test_a_ledger_that_cannot_note_what_is_sent_stops_the_push_before_it_is_sent(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 1, "B": 1}, max_rows=1)

    def fill_the_disk() -> None:
        ledger.errors["record_states"] = LedgerError("the disk is full")

    cart.before_push = on_push(1, fill_the_disk)
    with pytest.raises(LedgerError) as caught:
        shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report_with(caught.value)) == {"A": ("applied", ""), "B": ("skipped", "not_sent")}
    assert len(cart.pushes) == 1
    assert the_run(ledger).status == "partial"


@pytest.mark.parametrize("method", ["begin_run", "record_states"])
def test_a_ledger_that_cannot_be_used_from_the_start_sends_nothing(
    shell: Shell, ledger: DictLedger, method: str
) -> None:
    cart = FakeCart({"A": 1})
    ledger.errors[method] = LedgerError("read-only")

    with pytest.raises(LedgerError) as caught:
        shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert cart.pushes == []
    assert report_with(caught.value).status == "failed"


def test_a_ledger_that_cannot_note_the_end_says_so_and_the_report_is_not_lost(
    shell: Shell, ledger: DictLedger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.errors["finish_run"] = OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone") as caught:
        shell.sync_cart(stock({"A": 5}), FakeCart({"A": 1}), SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report_with(caught.value)) == {"A": ("applied", "")}
    assert "could not note the end of run" in caplog.text


def test_a_ledger_that_fails_as_well_does_not_hide_the_first_error(shell: Shell, ledger: DictLedger) -> None:
    ledger.errors["finish_run"] = LedgerError("the disk is gone")

    with pytest.raises(DecodeError, match="HTML"):
        shell.read_inventory(FakeSource(DecodeError("HTML")), MERCHANT, ledger=ledger)


# Reading.


def test_a_read_is_kept_with_its_counts_and_the_next_one_is_given_it(
    shell: Shell, clock: FakeClock, ledger: DictLedger
) -> None:
    source = FakeSource(stock({"A": 5}))

    first = shell.read_inventory(source, MERCHANT, ledger=ledger, clock=clock)
    shell.read_inventory(source, MERCHANT, ledger=ledger, clock=clock, deadline=timedelta(hours=1))

    assert ledger.last_snapshot(MERCHANT) == first
    assert [request.previous for request in source.requests] == [None, first]
    assert source.requests[0].memory is not None
    assert source.requests[1].deadline == clock.now() + timedelta(hours=1)
    assert source.requests[0].now == clock.now()


def test_a_read_without_a_ledger_leaves_no_trace(shell: Shell) -> None:
    source = FakeSource(stock({"A": 5}))

    assert shell.read_inventory(source, MERCHANT) == stock({"A": 5})
    assert source.requests[0].memory is None


def test_a_failed_read_is_noted_as_failed_and_keeps_the_last_snapshot(
    shell: Shell, ledger: DictLedger
) -> None:
    broken = ServerFaultError("HTTP 500", remedy="wait")
    source = FakeSource(stock({"A": 5}), broken)
    shell.read_inventory(source, MERCHANT, ledger=ledger)

    with pytest.raises(ServerFaultError):
        shell.read_inventory(source, MERCHANT, ledger=ledger)

    run = the_run(ledger, None)
    assert (run.status, run.code, run.message) == ("failed", "server_fault", "HTTP 500")
    assert ledger.last_snapshot(MERCHANT) == stock({"A": 5})


def test_a_ledger_whose_last_snapshot_cannot_be_read_fails_the_run(shell: Shell, ledger: DictLedger) -> None:
    ledger.errors["last_snapshot"] = LedgerError("broken file")

    with pytest.raises(LedgerError):
        shell.read_inventory(FakeSource(stock({"A": 5})), MERCHANT, ledger=ledger)

    assert the_run(ledger, None).status == "failed"


def test_a_long_read_gives_signs_of_life(shell: Shell, clock: FakeClock, ledger: DictLedger) -> None:
    source = FakeSource(stock({"A": 5}))
    source.during = lambda _: clock.pass_by(31)

    shell.read_inventory(source, MERCHANT, ledger=ledger, clock=clock)

    assert ledger.signs_of_life == 1


def test_a_source_that_gives_no_snapshot_is_told_what_it_should_give(
    shell: Shell, ledger: DictLedger
) -> None:
    source: Any = FakeSource({"A": 5})  # type: ignore[arg-type]  # what a user's source may really give

    with pytest.raises(SettingsError) as caught:
        shell.read_inventory(source, MERCHANT, ledger=ledger)

    assert caught.value.code == "not_a_snapshot"
    assert "dict instead of an InventorySnapshot" in str(caught.value)


@pytest.mark.parametrize("mode", [PerWarehouse(), PerSalesChannel()])
def test_a_source_that_reads_another_mode_than_the_merchant_s_is_refused(
    shell: Shell, mode: PerWarehouse | PerSalesChannel
) -> None:
    scope = "channel" if isinstance(mode, PerWarehouse) else "warehouse"
    snapshot = attrs.evolve(stock({}), scope=scope)

    with pytest.raises(SettingsError) as caught:
        shell.read_inventory(FakeSource(snapshot), MerchantSettings(mode=mode))

    assert caught.value.code == "mode_mismatch"


def test_without_a_source_the_last_complete_read_is_used(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart({"A": 1})
    shell.read_inventory(FakeSource(stock({"A": 5})), MERCHANT, ledger=ledger)

    report = shell.sync_cart(None, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=FakeClock())

    assert ends(report) == {"A": ("applied", "")}
    assert len(ledger.runs("default")) == 1


@pytest.mark.parametrize("with_ledger", [True, False])
def test_without_a_complete_read_nothing_is_pushed_and_the_error_says_so(
    shell: Shell, ledger: DictLedger, with_ledger: bool
) -> None:
    cart = FakeCart({"A": 1})

    with pytest.raises(SnapshotError) as caught:
        shell.sync_cart(None, cart, SHOP, merchant=MERCHANT, ledger=ledger if with_ledger else None)

    assert caught.value.code == "no_complete_read"
    assert "read_inventory()" in str(caught.value)
    assert cart.pushes == []
    assert not with_ledger or the_run(ledger).code == "no_complete_read"


def test_a_cart_that_cannot_be_read_when_it_should_be_fails_the_run_before_anything_is_pushed(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 1})
    cart.read_errors = [UnreachableError("down")]

    with pytest.raises(UnreachableError) as caught:
        shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert cart.pushes == []
    assert the_run(ledger).code == "unreachable"
    report = report_with(caught.value)
    assert (report.status, report.code, report.run_id) == ("failed", "unreachable", the_run(ledger).run_id)


# A plan that is pushed later.


def test_a_plan_pushes_nothing_and_pushing_it_reads_the_cart_again(shell: Shell, ledger: DictLedger) -> None:
    cart = FakeCart({"GONE": 1, "MOVED": 1, "RIGHT": 1, "SAME": 1, "DONE": 5})
    plan = shell.plan_cart(
        stock(dict.fromkeys(("GONE", "MOVED", "RIGHT", "SAME", "DONE"), 5)), cart, SHOP, merchant=MERCHANT
    )
    assert cart.pushes == []
    del cart.shelves["GONE", None]
    cart.put("MOVED", 2)
    cart.put("RIGHT", 5)

    report = shell.push_plan(plan, cart, ledger=ledger)

    assert ends(report) == {
        "GONE": ("skipped", "not_in_cart"),
        "MOVED": ("conflict", "moved_since_plan"),
        "RIGHT": ("unchanged", ""),
        "SAME": ("applied", ""),
        "DONE": ("unchanged", ""),
    }
    assert cart.reads[1:] == [("GONE", "MOVED", "RIGHT", "SAME")]
    assert cart.sent == [("SAME", 5)]
    assert report.digest == plan.digest
    assert the_run(ledger).status == "partial"


def test_a_plan_without_changes_reads_nothing_again(shell: Shell) -> None:
    cart = FakeCart({"A": 5})
    plan = shell.plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT)

    report = shell.push_plan(plan, cart)

    assert (report.status, len(cart.reads), cart.pushes) == ("success", 1, [])


def test_a_plan_for_a_cart_that_cannot_be_read_is_checked_against_what_was_accepted_meanwhile(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart(readable=False)
    shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    old = shell.plan_cart(stock({"A": 9, "B": 9}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    shell.sync_cart(stock({"A": 2, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    report = shell.push_plan(old, cart, ledger=ledger)

    assert ends(report) == {"A": ("conflict", "moved_since_plan"), "B": ("conflict", "moved_since_plan")}


def test_an_approval_of_another_plan_is_refused_before_anything_happens(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 1})
    plan = shell.plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT)

    with pytest.raises(SettingsError) as caught:
        shell.push_plan(plan, cart, ledger=ledger, approve="0123456789abcdef")

    assert caught.value.code == "digest_mismatch"
    assert plan.digest in str(caught.value)
    assert (cart.pushes, ledger.runs("default", "shop")) == ([], [])


def test_a_doubtful_rise_is_held_until_the_plan_is_approved_by_its_digest(shell: Shell) -> None:
    cart = FakeCart({"A": 1, "B": 9})
    snapshot = stock({"A": 5, "B": 5}, doubtful={("A", "W1"), ("B", "W1")})

    held = shell.sync_cart(snapshot, cart, SHOP, merchant=MERCHANT)
    plan = shell.plan_cart(snapshot, cart, SHOP, merchant=MERCHANT)
    approved = shell.push_plan(plan, cart, approve=plan.digest)

    assert ends(held) == {"A": ("held", "source_answer_lost"), "B": ("applied", "")}
    assert held.status == "partial"
    assert ends(approved) == {"A": ("applied", ""), "B": ("unchanged", "")}
    assert cart.shows("A") == 5


def test_a_run_on_a_figure_that_was_lost_on_its_way_is_partial_and_the_ledger_says_why(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = FakeCart({"A": 5, "B": 7})
    snapshot = stock({"A": 5, "B": 7}, doubtful={("A", "W1")})

    report = shell.sync_cart(snapshot, cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert ends(report) == {"A": ("unchanged", ""), "B": ("unchanged", "")}
    assert report.status == the_run(ledger).status == "partial"
    assert (the_run(ledger).code, report.code) == ("source_answer_lost", "")
    assert the_run(ledger).message.startswith("1 listing on figures whose newest answer was lost")
    assert "\n  note: 1 listing on figures" in str(report)
    assert "too high" in str(report.explain("A"))


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [
        ({"A": "rejected"}, "rejected", "1 listing rejected: the cart says rejected"),
        ({"A": "conflict"}, "conflict", "1 listing conflict: the cart says conflict"),
        ({}, "", ""),
    ],
)
def test_the_ledger_says_why_a_run_that_no_error_ended_was_no_success(
    shell: Shell, ledger: DictLedger, rows: dict[str, str], code: str, message: str
) -> None:
    cart = FakeCart({"A": 1}, rows=rows)

    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert (the_run(ledger).code, the_run(ledger).message) == report.why == (code, message)


# Many carts.


def test_one_cart_s_failure_stops_no_other_and_each_has_its_report(
    shell: Shell, ledger: DictLedger, caplog: pytest.LogCaptureFixture
) -> None:
    source = FakeSource(stock({"A": 5}))
    down, broken, misled, well = FakeCart(), FakeCart({"A": 1}), FakeCart(), FakeCart({"A": 1})
    down.read_errors = [UnreachableError("no connection", remedy="look")]
    broken.before_push = on_push(1, raising(ZeroDivisionError("a bug of the user's sink")))
    carts = [
        (down, CartSettings(name="down")),
        (broken, CartSettings(name="broken")),
        (misled, CartSettings(name="misled", alias="No such alias")),
        (FakeCart(), CartSettings(name="off", enabled=False)),
        (well, CartSettings(name="well")),
    ]

    reports = shell.sync_carts(source, carts, merchant=MERCHANT, ledger=ledger, clock=FakeClock())

    assert [(one.cart, one.status, one.code) for one in reports] == [
        ("down", "failed", "unreachable"),
        ("broken", "partial", "ZeroDivisionError"),
        ("misled", "failed", "unknown_alias"),
        ("off", "disabled", ""),
        ("well", "success", ""),
    ]
    assert ends(reports[1]) == {"A": ("pending", "answer_unknown")}
    assert "What to do: look" in reports[0].message
    assert len(source.requests) == 1
    assert [the_run(ledger, one.cart).status for one in reports] == [one.status for one in reports]
    assert "The cart 'broken' failed" in caplog.text


def test_an_interrupt_stops_all_carts(shell: Shell) -> None:
    first, second = FakeCart({"A": 1}), FakeCart({"A": 1})
    first.before_push = on_push(1, raising(KeyboardInterrupt()))

    with pytest.raises(KeyboardInterrupt):
        shell.sync_carts(
            stock({"A": 5}),
            [(first, CartSettings(name="a")), (second, CartSettings(name="b"))],
            merchant=MERCHANT,
            at_once=1,
        )

    assert second.reads == []


def test_carts_named_alike_are_refused_before_anything_is_read(shell: Shell) -> None:
    source = FakeSource(stock({"A": 5}))

    with pytest.raises(SettingsError) as caught:
        shell.sync_carts(source, [(FakeCart(), SHOP), (FakeCart(), SHOP)], merchant=MERCHANT)

    assert caught.value.code == "carts_named_alike"
    assert "'shop'" in str(caught.value)
    assert source.requests == []


def test_an_order_manager_that_cannot_be_read_touches_no_cart(shell: Shell) -> None:
    cart = FakeCart({"A": 1})

    with pytest.raises(ServerFaultError):
        shell.sync_carts(FakeSource(ServerFaultError("500")), [(cart, SHOP)], merchant=MERCHANT)

    assert cart.reads == []


# What is wrong with the arguments alone is said before anything is read.


BY_CHANNEL = MerchantSettings(mode=PerSalesChannel())


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "choose_one_channel"),
        ({"location": ("Woo", "Amazon")}, "choose_one_channel"),
        ({"location": "Woo", "breakdown": True}, "breakdown_in_channel_mode"),
    ],
)
def test_a_location_that_sales_channel_mode_cannot_serve_is_refused_before_anything_is_read(
    shell: Shell, ledger: DictLedger, given: dict[str, Any], code: str
) -> None:
    source, cart = FakeSource(stock({"A": 5})), FakeCart({"A": 1})
    wrong = CartSettings(name="shop", **given)

    for act in (shell.plan_cart, shell.sync_cart):
        with pytest.raises(SettingsError) as caught:
            act(source, cart, wrong, merchant=BY_CHANNEL, ledger=ledger)
        assert caught.value.code == code
        assert caught.value.remedy

    assert (source.requests, cart.reads) == ([], [])
    assert [run.code for run in ledger.runs("default", "shop")] == [code]
    assert ledger.runs("default") == []


def test_among_many_carts_a_wrong_location_is_that_cart_s_failed_report(shell: Shell) -> None:
    channels = [SalesChannel(id="44", name="Woo")]
    snapshot = attrs.evolve(stock({}), warehouses=(), sales_channels=channels, scope="channel")
    carts = [(FakeCart(), SHOP), (FakeCart(), CartSettings(name="woo", location="Woo"))]

    reports = shell.sync_carts(FakeSource(snapshot), carts, merchant=BY_CHANNEL)

    assert [(one.status, one.code) for one in reports] == [("failed", "choose_one_channel"), ("success", "")]


SOURCE, SINK = FakeSource(stock({"A": 5})), FakeCart({"A": 1})


@pytest.mark.parametrize(
    ("mixed_up", "says", "remedy"),
    [
        (
            {"merchant": PerWarehouse()},
            "merchant must be MerchantSettings, not PerWarehouse",
            "MerchantSettings(",
        ),
        ({"cart": "x"}, "cart must be CartSettings, not 'x' (str)", "CartSettings(name="),
        ({"sink": SHOP, "cart": SINK}, "cart must be CartSettings, not ", "the order is source, sink, cart"),
        ({"sink": "x"}, "The sink has no capabilities: 'x' (str)", "the order is source, sink, cart"),
        (
            {"source": "x"},
            "The source can neither be read nor is it a snapshot: 'x' (str)",
            "InventorySnapshot",
        ),
        ({"ledger": "x.db"}, "The ledger is none: 'x.db' (str)", "SqliteLedger("),
        ({"deadline": 5}, "A deadline is a datetime or a timedelta, not 5 (int)", "timedelta(minutes=5)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_arguments_that_were_mixed_up_are_refused_with_what_to_write(
    shell: Shell, ledger: DictLedger, mixed_up: dict[str, Any], says: str, remedy: str
) -> None:
    cart = FakeCart({"A": 1})
    given = {"source": FakeSource(stock({"A": 5})), "sink": cart, "cart": SHOP, "merchant": MERCHANT}
    given |= {"ledger": ledger, **mixed_up}
    source, sink, settings = given.pop("source"), given.pop("sink"), given.pop("cart")

    for act, ports in (
        (shell.sync_cart, (source, sink, settings)),
        (shell.plan_cart, (source, sink, settings)),
        (shell.sync_carts, (source, [(sink, settings)])),
    ):
        with pytest.raises(WrongTypeError) as caught:
            act(*ports, **given)
        assert says in caught.value.message
        assert remedy in caught.value.remedy
    assert (cart.reads, cart.pushes) == ([], [])
    assert [*ledger.runs("default", "shop"), *ledger.runs("default")] == []


@pytest.mark.parametrize(("source", "merchant"), [("x", MERCHANT), (SOURCE, PerWarehouse())])
def test_a_read_of_something_that_cannot_be_read_is_refused(
    shell: Shell, ledger: DictLedger, source: Any, merchant: Any
) -> None:
    with pytest.raises(WrongTypeError):
        shell.read_inventory(source, merchant, ledger=ledger)

    assert ledger.runs("default") == []


# Async ports where they cannot be used.


@pytest.mark.parametrize("which", ["source", "sink"])
def test_an_async_port_given_to_a_blocking_function_is_a_clear_error(which: str) -> None:
    source: Any = FakeSource(stock({"A": 5}))
    sink: Any = FakeCart({"A": 1})
    if which == "source":
        source = AsyncFakeSource(source)
    else:
        sink = AsyncFakeCart(sink)

    with pytest.raises(SettingsError) as caught:
        sync_cart(source, sink, SHOP, merchant=MERCHANT)

    assert caught.value.code == "async_port"
    assert "omsync.aio" in str(caught.value)


def test_nothing_is_printed_and_every_run_is_one_line_of_the_log(
    shell: Shell, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, logger="omsync")

    source, cart = FakeSource(stock({"A": 5})), FakeCart({"A": 1})
    shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, clock=FakeClock())

    messages = [record.getMessage() for record in caplog.records if record.name == "omsync"]
    assert len(messages) == 2
    assert messages[0].startswith("default (order manager): success")
    assert messages[1].startswith("default / shop: success")
    assert capsys.readouterr() == ("", "")


# Laws.

SKUS = ("A", "B", "C", "D", "E", "F")
ROWS = ("accepted", "silent", "ignored", "rejected", "conflict", "pending", "skipped", "no_answer")
CALL_ERRORS: tuple[Exception, ...] = (
    UnreachableError("unreachable"),
    LostAnswerError("lost"),
    DecodeError("html"),
    RefusedError("refused"),
    ValueError("a user's own"),
)


def carts(rows: Sequence[str], errors: Sequence[BaseException] = ()) -> st.SearchStrategy[FakeCart]:
    abilities: dict[str, st.SearchStrategy[Any]] = {
        "max_rows": st.none() | st.integers(1, 4),
        "creates_listings": st.booleans(),
        "lists_all": st.booleans(),
        "readable": st.booleans(),
        "completion": st.sampled_from(("immediate", "eventual")),
        "max_quantity": st.none() | st.integers(3, 5),
        "quantity_meaning": st.sampled_from(("available", "on_hand")),
        "untracked_policy": st.sampled_from(("skip", "track")),
    }
    shelf = st.builds(
        Shelf,
        quantity=st.integers(0, 6),
        allocated=st.none() | st.integers(0, 3),
        state=st.sampled_from(("listed", "listed", "listed", "untracked", "duplicate")),
    )
    shelves = st.dictionaries(st.sampled_from((*SKUS, "ODD")), shelf)
    return st.builds(
        FakeCart,
        shelves,
        rows=st.dictionaries(st.sampled_from(SKUS), st.sampled_from(rows)),
        calls=st.dictionaries(
            st.integers(1, 5), st.tuples(st.sampled_from(errors), st.booleans()) if errors else st.nothing()
        ),
        **abilities,
    )


figures = st.dictionaries(st.sampled_from(SKUS), st.integers(0, 6))
snapshots = st.builds(
    lambda figures, lost: stock(figures, doubtful={(sku, "W1") for sku in lost}),
    figures,
    st.frozensets(st.sampled_from(SKUS), max_size=2),
)


@given(snapshots, carts(("accepted", "silent")))
@settings(max_examples=60)
def test_plan_then_push_then_plan_leaves_no_changes(snapshot: InventorySnapshot, cart: FakeCart) -> None:
    ledger = DictLedger()
    shell = Blocking()

    plan = shell.plan_cart(snapshot, cart, SHOP, merchant=MERCHANT, ledger=ledger)
    report = shell.push_plan(plan, cart, ledger=ledger, approve=plan.digest)
    again = shell.plan_cart(snapshot, cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert (again.changes, again.held) == ((), ())
    assert report.status in {"success", "partial"}


@pytest.mark.parametrize("shell", SHELLS[1:], ids=lambda shell: shell.name)
@given(snapshot=snapshots, cart=carts(ROWS, CALL_ERRORS), minutes=st.none() | st.integers(0, 3))
@settings(max_examples=60)
def test_blocking_and_awaiting_give_equal_reports_and_leave_equal_traces(
    shell: Shell, snapshot: InventorySnapshot, cart: FakeCart, minutes: int | None
) -> None:
    deadline = None if minutes is None else timedelta(minutes=minutes)

    def run(this: Shell) -> tuple[list[SyncReport], Any]:
        mine, ledger, clock = copy.deepcopy(cart), DictLedger(), FakeClock()
        mine.before_push = lambda _: clock.pass_by(60)
        reports = []
        for _ in range(2):
            try:
                report = this.sync_cart(
                    FakeSource(snapshot),
                    mine,
                    SHOP,
                    merchant=MERCHANT,
                    ledger=ledger,
                    clock=clock,
                    deadline=deadline,
                )
            except ValueError as error:
                report = report_with(error)
            reports.append(attrs.evolve(report, run_id=""))
        runs = [attrs.evolve(one, run_id="") for one in ledger.runs("default", "shop")]
        sent = [[attrs.evolve(row, key="") for row in push] for push in mine.pushes]
        names = {run.run_id: str(number) for number, run in enumerate(ledger.runs("default", "shop"))}
        states = [
            attrs.evolve(
                one,
                **{
                    name: names.get(run_id, run_id)
                    for name, run_id in attrs.asdict(one).items()
                    if name.endswith("_run")
                },
            )
            for one in ledger.states("default", "shop")
        ]
        told = [attrs.evolve(one, run_id=names[one.run_id]) for one in ledger.history("default", "shop")]
        return reports, (mine.shelves, mine.reads, sent, runs, states, told, ledger.leases)

    assert run(Blocking()) == run(shell)


@given(snapshots, carts(ROWS, CALL_ERRORS))
@settings(max_examples=60)
def test_every_listing_ends_in_exactly_one_outcome(snapshot: InventorySnapshot, cart: FakeCart) -> None:
    try:
        report = Blocking().sync_cart(snapshot, cart, SHOP, merchant=MERCHANT)
    except ValueError as error:
        report = report_with(error)

    keys = [(one.listing_sku, one.location_id) for one in report.outcomes]
    assert sorted(keys, key=str) == sorted(((sku.master_sku, None) for sku in snapshot.skus), key=str)


# The functions' own types, as a user's editor sees them.


def test_ports_need_no_base_class() -> None:
    source: OrderManagerSource = FakeSource(stock({"A": 5}))
    sink: CartSink = FakeCart({"A": 1})

    assert isinstance(read_inventory(source, MERCHANT), InventorySnapshot)
    assert plan_cart(source, sink, SHOP, merchant=MERCHANT, clock=FakeClock()).changes


def test_an_alias_cart_reports_products_without_a_listing(shell: Shell) -> None:
    aliases = [Alias(name="Shop US", listing_sku="us-a", master_sku="A")]
    cart = CartSettings(name="shop", alias="Shop US")

    report = shell.sync_cart(
        stock({"A": 5, "B": 1}, aliases=aliases), FakeCart({"us-a": 1}), cart, merchant=MERCHANT
    )

    assert ends(report) == {"us-a": ("applied", ""), "B": ("skipped", "no_alias")}


# A cart that is sent everything each time.


def whole_cart(shown: dict[str | tuple[str, str | None], int | Shelf], **more: Any) -> FakeCart:
    can = {"contents": "full", "lists_all": True, "creates_listings": True, **more}
    return FakeCart(shown, **can)


def test_a_cart_that_is_sent_everything_is_told_also_when_nothing_changed(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = whole_cart({"A": 5, "OLD": 2})

    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert cart.sent == [("A", 5), ("OLD", 2)]
    assert (report.status, ends(report)) == ("success", {"A": ("unchanged", "")})
    assert str(report).startswith("1 listing: 1 unchanged; 1 repeated as last told; 1 only in the cart")
    assert "1 listing only in the cart, repeated as last told: 'OLD'" in str(report)
    assert ledger.state("A").sent is None


def test_what_is_skipped_is_asked_about_where_everything_is_sent(shell: Shell) -> None:
    cart = whole_cart({"A": 5, "OUT": 2}, lists_all=False)
    without = CartSettings(name="shop", exclude={"OUT"})

    report = shell.sync_cart(stock({"A": 7, "OUT": 9}), cart, without, merchant=MERCHANT)

    assert cart.sent == [("A", 7), ("OUT", 2)]
    assert [(one.listing_sku, one.outcome, one.repeated) for one in report.outcomes] == [
        ("A", "applied", None),
        ("OUT", "skipped", 2),
    ]


def test_a_plan_without_changes_is_pushed_as_a_whole_at_what_the_cart_was_told_by_then(shell: Shell) -> None:
    cart = whole_cart({"A": 5, "OLD": 2})
    plan = shell.plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT)
    cart.put("OLD", 1)

    report = shell.push_plan(plan, cart)

    assert cart.sent == [("A", 5), ("OLD", 1)]
    assert report.status == "success"


def test_a_whole_that_does_not_go_out_fails_a_run_in_which_nothing_changed(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = whole_cart({"A": 5}, readable=True)
    cart.before_push = on_push(1, raising(UnreachableError("no network")))

    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)

    assert (report.status, ends(report)) == ("failed", {"A": ("skipped", "not_sent")})
    assert the_run(ledger).status == "failed"


def test_a_cart_that_cannot_be_read_is_sent_everything_from_the_ledger(
    shell: Shell, ledger: DictLedger
) -> None:
    cart = whole_cart({}, readable=False)
    shell.sync_cart(stock({"A": 5, "B": 3}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    without = CartSettings(name="shop", exclude={"B"})

    report = shell.sync_cart(stock({"A": 5, "B": 9}), cart, without, merchant=MERCHANT, ledger=ledger)

    assert [(row.listing_sku, row.quantity, row.repeated) for row in cart.pushes[1]] == [
        ("A", 5, True),
        ("B", 3, True),
    ]
    assert {one.listing_sku: one.repeated for one in report.outcomes} == {"A": 5, "B": 3}


@pytest.mark.parametrize("shell", [Blocking(), Awaiting(twins=False)], ids=lambda shell: shell.name)
def test_what_a_cart_itself_has_to_say_is_in_the_plan_and_the_report(shell: Shell, clock: FakeClock) -> None:
    class TalkingCart(FakeCart):
        def cart_notices(self, now: datetime) -> list[Notice]:
            return [Notice(reason="hour", message=f"It is {now:%H}")]

    cart = TalkingCart({"A": 5})
    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, clock=clock)

    assert [(one.reason, one.message) for one in report.notices] == [("hour", "It is 08")]
    assert report.plan.notices == report.notices
