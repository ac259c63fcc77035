"""One run at a time: who holds a cart, what a second run is told, and what a run does that lost its lease."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import fake_ports
import pytest
from fake_ports import (
    START,
    AsyncFakeCart,
    Awaiting,
    Blocking,
    DictLedger,
    FakeCart,
    FakeClock,
    FakeSource,
    Shell,
    stock,
)

from omsync import (
    CartSettings,
    InventorySnapshot,
    Lease,
    LeaseHeldError,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    ReadRequest,
    SalesChannel,
    SyncReport,
    aio,
    plan_cart,
    push_plan,
    read_inventory,
    sync_cart,
)
from omsync.errors import InvalidValueError, LedgerError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import SourceMemory

MERCHANT = MerchantSettings(mode=PerWarehouse())
CHANNELS = MerchantSettings(mode=PerSalesChannel())
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))


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


def held_by_another(ledger: DictLedger, cart: str | None = "shop", *, minutes: int = 15) -> Lease:
    lease = Lease(
        run_id="other", holder="nas, process 7", since=START, until=START + timedelta(minutes=minutes)
    )
    ledger.leases["default", cart] = lease
    return lease


def report_with(error: BaseException) -> SyncReport:
    report: SyncReport = error.omsync_report  # type: ignore[attr-defined]  # travels with errors of the shells
    return report


def channels_read() -> InventorySnapshot:
    return InventorySnapshot(
        taken_at=START, scope="channel", sales_channels=[SalesChannel(id="1", name="Shop")]
    )


class BareLedger:
    """A ledger of somebody else, from before leases and history were asked of one."""

    METHODS = (
        *("begin_run", "touch_run", "finish_run", "runs", "save_snapshot", "last_snapshot"),
        *("record_states", "states", "memory"),
    )

    def __init__(self, ledger: DictLedger) -> None:
        for name in self.METHODS:
            setattr(self, name, getattr(ledger, name))


# A cart in use.


def test_a_second_run_is_told_who_works_on_the_cart_and_touches_nothing(
    shell: Shell, ledger: DictLedger, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    lease = held_by_another(ledger)
    source, cart = FakeSource(stock({"A": 5})), FakeCart({"A": 3})

    with pytest.raises(LeaseHeldError, match="The cart 'shop' of 'default' is in use by run other") as caught:
        shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)

    error = caught.value
    assert (error.code, error.holder) == ("cart_in_use", "nas, process 7")
    assert (error.since, error.until) == (lease.since, lease.until)
    assert "nas, process 7" in error.message
    assert error.remedy
    assert (source.requests, cart.reads, cart.pushes) == ([], [], [])
    assert ledger.runs("default", "shop") == []
    assert ledger.leases == {("default", "shop"): lease}
    assert (report_with(error).status, report_with(error).code) == ("failed", "cart_in_use")
    assert "in use by run other" in caplog.text


def test_a_plan_is_not_pushed_into_a_cart_in_use(shell: Shell, ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3})
    plan = shell.plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    held_by_another(ledger)
    cart.reads.clear()

    with pytest.raises(LeaseHeldError):
        shell.push_plan(plan, cart, ledger=ledger, clock=clock)

    assert (cart.reads, cart.pushes) == ([], [])


def test_a_plan_only_looks_so_it_needs_no_lease(shell: Shell, ledger: DictLedger, clock: FakeClock) -> None:
    held_by_another(ledger)
    plan = shell.plan_cart(
        stock({"A": 5}), FakeCart({"A": 3}), SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
    )
    assert len(plan.changes) == 1


def test_among_many_carts_the_one_in_use_has_a_report_and_the_others_are_synced(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    held_by_another(ledger)
    shop, edi = FakeCart({"A": 3}), FakeCart({"A": 3})

    busy, done = shell.sync_carts(
        FakeSource(stock({"A": 5})),
        [(shop, SHOP), (edi, CartSettings(name="edi"))],
        merchant=MERCHANT,
        ledger=ledger,
        clock=clock,
    )

    assert (busy.status, busy.code) == ("failed", "cart_in_use")
    assert "nas, process 7" in str(busy)
    assert (done.status, edi.shows("A"), shop.shows("A")) == ("success", 5, 3)


def test_a_lease_is_given_back_when_the_run_ends_and_also_when_it_fails(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    seen: list[Mapping[Any, Lease]] = []
    source, cart = FakeSource(stock({"A": 5})), FakeCart({"A": 3})
    cart.before_push = lambda _: seen.append(dict(ledger.leases))
    shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    (during,) = seen
    (run,) = ledger.runs("default", "shop")
    assert during["default", "shop"].run_id == run.run_id
    assert "process" in during["default", "shop"].holder
    assert ledger.leases == {}

    cart.read_errors = [ValueError("broken")]
    with pytest.raises(ValueError, match="broken"):
        shell.sync_cart(source, cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert ledger.leases == {}


def test_a_lease_that_ran_out_is_taken_over(shell: Shell, ledger: DictLedger, clock: FakeClock) -> None:
    held_by_another(ledger)
    clock.pass_by(15 * 60)
    cart = FakeCart({"A": 3})
    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert (report.status, cart.shows("A")) == ("success", 5)


def test_a_ledger_that_cannot_give_a_lease_stops_the_run_before_anything_is_read(
    shell: Shell, ledger: DictLedger
) -> None:
    ledger.errors["take_lease"] = LedgerError("full")
    cart = FakeCart({"A": 3})
    with pytest.raises(LedgerError, match="full") as caught:
        shell.sync_cart(FakeSource(stock({"A": 5})), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    assert (report_with(caught.value).status, cart.reads) == ("failed", [])


def test_a_lease_that_cannot_be_given_back_runs_out_and_the_run_is_no_failure(
    shell: Shell, ledger: DictLedger, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.errors["release_lease"] = LedgerError("full")
    report = shell.sync_cart(stock({"A": 5}), FakeCart({"A": 3}), SHOP, merchant=MERCHANT, ledger=ledger)
    assert report.status == "success"
    assert "could not be given back" in caplog.text


def test_a_ledger_without_leases_and_history_is_used_and_the_report_says_what_is_missing(
    shell: Shell, ledger: DictLedger
) -> None:
    bare: Any = BareLedger(ledger)
    cart = FakeCart({"A": 3})
    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=bare)
    assert (report.status, cart.shows("A")) == ("success", 5)
    assert {notice.reason for notice in report.notices} >= {"no_lease", "no_history"}
    assert "keeps no leases" in str(report)
    whole = shell.sync_cart(FakeSource(stock({"A": 5})), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    none = shell.sync_cart(FakeSource(stock({"A": 5})), cart, SHOP, merchant=MERCHANT)
    for report in (whole, none):
        assert not {notice.reason for notice in report.notices} & {"no_lease", "no_history"}


# Signs of life.


def test_a_long_push_renews_its_lease_and_nobody_takes_its_place(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 3, "C": 3}, max_rows=1)
    ends: list[Any] = []

    def ten_minutes(_: int) -> None:
        ends.append(ledger.leases["default", "shop"].until)
        clock.pass_by(600)

    cart.before_push = ten_minutes
    report = shell.sync_cart(
        stock({"A": 5, "B": 5, "C": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
    )
    assert report.status == "success"
    assert ledger.renewals == 2
    assert len(cart.pushes) == 3


def test_a_quick_push_does_not_bother_the_ledger_with_renewals(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 3}, max_rows=1)
    shell.sync_cart(stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert (len(cart.pushes), ledger.renewals) == (2, 0)


# A lease that was lost.


def taken_over(ledger: DictLedger, clock: FakeClock, cart: str | None = "shop") -> Callable[..., None]:
    """Let the run be silent for long, while another takes its place."""

    def act(*_: object) -> None:
        clock.pass_by(20 * 60)
        held_by_another(ledger, cart, minutes=40)

    return act


def test_a_run_that_lost_its_lease_stops_before_its_next_batch_and_names_what_was_not_sent(
    shell: Shell, ledger: DictLedger, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    cart = FakeCart({"A": 3, "B": 3, "C": 3}, max_rows=1)
    cart.before_push = taken_over(ledger, clock)

    report = shell.sync_cart(
        stock({"A": 5, "B": 5, "C": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
    )

    ends = [(one.listing_sku, one.outcome, one.reason) for one in report.outcomes]
    assert ends == [("A", "applied", ""), ("B", "skipped", "lease_lost"), ("C", "skipped", "lease_lost")]
    assert (report.status, report.why[0]) == ("partial", "lease_lost")
    assert "nas, process 7" in report.outcomes[1].message
    assert [run.code for run in ledger.runs("default", "shop")] == ["lease_lost"]
    assert ledger.leases["default", "shop"].run_id == "other"
    assert "lost its lease" in caplog.text


def test_a_lease_that_was_taken_and_given_back_meanwhile_is_lost_too(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3, "B": 3}, max_rows=1)

    def come_and_gone(_: int) -> None:
        clock.pass_by(20 * 60)
        ledger.leases.clear()

    cart.before_push = come_and_gone
    report = shell.sync_cart(
        stock({"A": 5, "B": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
    )
    assert [one.reason for one in report.outcomes] == ["", "lease_lost"]
    assert "free again" in report.outcomes[1].message
    assert ledger.leases == {}


def test_a_cart_that_was_read_for_too_long_is_not_pushed_to(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = FakeCart({"A": 3})
    cart.read_errors = [None]
    read = cart.read

    def slowly(skus: Any, /) -> Any:
        taken_over(ledger, clock)()
        return read(skus)

    cart.read = slowly  # type: ignore[method-assign]  # the fake's own answer, late
    report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert (report.status, cart.pushes, cart.shows("A")) == ("failed", [], 3)


def test_what_a_run_notes_late_never_passes_for_settled(ledger: DictLedger, clock: FakeClock) -> None:
    cart = FakeCart({"A": 3}, readable=False)
    another = FakeCart(readable=False)

    def meanwhile(_: int) -> None:
        clock.pass_by(20 * 60)
        ledger.leases.clear()
        sync_cart(stock({"A": 9}), another, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)

    cart.before_push = meanwhile
    sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert another.sent == [("A", 9)]

    plan = plan_cart(stock({"A": 9}), another, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
    assert [(line.listing_sku, line.quantity) for line in plan.changes] == [("A", 9)]


class RememberingCart(FakeCart):
    """A cart that keeps its jobs in the ledger: notes one with each push, and drops all when it is done."""

    memory: SourceMemory

    def remembering(self, memory: SourceMemory | None, /) -> RememberingCart:
        assert memory is not None
        self.memory = memory
        return self

    def push(self, changes: Any, /) -> Any:
        results = super().push(changes)
        self.memory.remember("jobs", {"mine": "under way"})
        self.memory.forget("jobs")
        return results


own_port = pytest.mark.parametrize("shell", SHELLS[::2], ids=lambda shell: shell.name)
"""The twin of a fake cart has none of what a test adds to it."""


@own_port
@pytest.mark.parametrize("pushing_only", [False, True])
def test_a_run_that_lost_its_lease_drops_nothing_that_another_runs_cart_remembers(
    shell: Shell, ledger: DictLedger, clock: FakeClock, *, pushing_only: bool
) -> None:
    cart = RememberingCart({"A": 3})
    take_over = taken_over(ledger, clock)

    def meanwhile(_: int) -> None:
        take_over()
        ledger.memory("default").remember("jobs", {"theirs": "under way"})

    cart.before_push = meanwhile
    if pushing_only:
        plan = shell.plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
        report = shell.push_plan(plan, cart, ledger=ledger, clock=clock)
    else:
        report = shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)

    # What it handed in is known to the next run as well, which asks about both.
    assert cart.memory.recall("jobs") == {"mine": "under way", "theirs": "under way"}
    assert report.counts == {"applied": 1}


@own_port
def test_a_cart_may_forget_what_it_remembered_as_long_as_its_run_holds_the_lease(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    cart = RememberingCart({"A": 3})
    shell.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)

    assert ledger.memory("default").recall("jobs") == {}


# Reading.


def test_a_second_read_of_channels_is_refused_since_reading_uses_changes_up(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    held_by_another(ledger, None)
    source = FakeSource(channels_read())
    with pytest.raises(LeaseHeldError, match="is being read by run other") as caught:
        shell.read_inventory(source, CHANNELS, ledger=ledger, clock=clock)
    assert caught.value.code == "read_in_use"
    assert source.requests == []
    assert ledger.runs("default") == []


def test_a_second_read_of_warehouses_goes_its_own_way_without_the_first_ones_memory(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    lease = held_by_another(ledger, None)
    source = FakeSource(stock({"A": 5}))
    shell.read_inventory(source, MERCHANT, ledger=ledger, clock=clock)
    (request,) = source.requests
    assert request.memory is None
    assert ledger.leases["default", None] == lease
    assert ledger.last_snapshot("default") == stock({"A": 5})


def test_a_read_whose_lease_was_lost_writes_nothing_more_to_its_memory(
    shell: Shell, ledger: DictLedger, clock: FakeClock
) -> None:
    source = FakeSource(channels_read())
    tried: list[str] = []

    def lose_it(request: ReadRequest) -> None:
        memory: SourceMemory = request.memory  # type: ignore[assignment]  # there is a ledger, so there is one
        memory.remember("channel", {"page": "1"})
        taken_over(ledger, clock, None)()
        with pytest.raises(LeaseHeldError) as caught:
            memory.remember("channel", {"page": "2"})
        tried.append(caught.value.code)
        with pytest.raises(LeaseHeldError) as caught:
            memory.forget("channel")
        tried.append(caught.value.code)
        assert memory.recall("channel") == {"page": "1"}

    source.during = lose_it
    with pytest.raises(LeaseHeldError) as caught:
        shell.read_inventory(source, CHANNELS, ledger=ledger, clock=clock)
    assert tried == ["lease_lost", "lease_lost"]
    assert (caught.value.code, caught.value.holder) == ("lease_lost", "nas, process 7")
    assert ledger.memory("default").recall("channel") == {"page": "1"}
    assert ledger.last_snapshot("default") is None
    assert ledger.runs("default")[0].code == "lease_lost"


def test_a_read_may_forget_what_it_remembered_as_long_as_it_holds_its_lease(ledger: DictLedger) -> None:
    source = FakeSource(stock({"A": 5}))

    def work(request: ReadRequest) -> None:
        memory: SourceMemory = request.memory  # type: ignore[assignment]  # there is a ledger, so there is one
        memory.remember("pages", {"1": "x"})
        memory.forget("pages")

    source.during = work
    read_inventory(source, MERCHANT, ledger=ledger)
    assert ledger.memory("default").recall("pages") == {}


# With a real ledger.


def test_two_threads_that_sync_one_cart_at_once_push_once(tmp_path: Path) -> None:
    cart = FakeCart({"A": 3})
    inside, go_on = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        inside.set()
        assert go_on.wait(30)

    cart.before_push = wait
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        first: list[SyncReport] = []
        thread = threading.Thread(
            target=lambda: first.append(
                sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
            )
        )
        thread.start()
        assert inside.wait(30)
        with pytest.raises(LeaseHeldError, match="process") as caught:
            sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
        assert caught.value.until is not None
        assert ledger.status("default", "shop").status == "in_progress"
        go_on.set()
        thread.join(30)
        assert [report.status for report in first] == ["success"]
        again = sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
    assert (again.status, len(cart.pushes)) == ("success", 1)


def test_a_cancelled_run_gives_its_lease_back(tmp_path: Path) -> None:
    async def cancel_it(ledger: SqliteLedger) -> None:
        cart = AsyncFakeCart(FakeCart({"A": 3}))
        cart.hang_at_push = 1
        task = asyncio.create_task(
            aio.sync_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
        )
        await cart.hangs.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        asyncio.run(cancel_it(ledger))
        again = sync_cart(stock({"A": 5}), FakeCart({"A": 3}), SHOP, merchant=MERCHANT, ledger=ledger)
    assert again.status == "success"


def test_pushing_a_plan_with_a_real_ledger_takes_and_gives_back_the_lease(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    cart = FakeCart({"A": 3})
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        plan = plan_cart(stock({"A": 5}), cart, SHOP, merchant=MERCHANT, ledger=ledger)
        assert push_plan(plan, cart, ledger=ledger).status == "success"
        assert push_plan(plan, cart, ledger=ledger).status == "success"
    assert caplog.text == ""


def test_a_lease_has_a_length() -> None:
    with pytest.raises(InvalidValueError, match="ends after it begins"):
        Lease(run_id="r", holder="h", since=START, until=START)


DIES_IN_THE_THIRD_BATCH = """
import os, sys
from fake_ports import FakeCart, stock
from omsync import CartSettings, MerchantSettings, PerWarehouse, sync_cart
from omsync.ledgers.sqlite import SqliteLedger

cart = FakeCart({"A": 9, "B": 9, "C": 9, "D": 9}, max_rows=1)
cart.before_push = lambda number: os.kill(os.getpid(), 9) if number == 3 else None
merchant = MerchantSettings(mode=PerWarehouse())
figures = stock({"A": 5, "B": 5, "C": 5, "D": 5})
sync_cart(figures, cart, CartSettings(name="shop"), merchant=merchant, ledger=SqliteLedger(sys.argv[1]))
"""


def test_a_killed_run_leaves_what_each_batch_came_to_and_its_cart_free(tmp_path: Path) -> None:
    path = tmp_path / "omsync.db"
    done = subprocess.run(
        [sys.executable, "-c", DIES_IN_THE_THIRD_BATCH, str(path)],
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(fake_ports.__file__).parent)},
    )
    assert done.returncode == -9
    with SqliteLedger(path) as ledger:
        states = {one.listing_sku: (one.sent, one.accepted) for one in ledger.states("default", "shop")}
        assert states == {"A": (5, 5), "B": (5, 5), "C": (5, None), "D": (None, None)}
        told = {one.listing_sku: one.status for one in ledger.history("default", "shop")}
        assert told == {"A": "accepted", "B": "accepted", "C": "sent"}
        assert ledger.status("default", "shop").status == "died"
        cart = FakeCart({"A": 5, "B": 5, "C": 9, "D": 9})
        report = sync_cart(stock(dict.fromkeys("ABCD", 5)), cart, SHOP, merchant=MERCHANT, ledger=ledger)
        assert (report.status, cart.sent) == ("success", [("C", 5), ("D", 5)])
