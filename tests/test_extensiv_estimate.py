"""What reads cost, against a table worked by hand and against real reads of the sandbox."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from extensiv_desk import by_channel, order_manager, read, wanted
from fake_memory import START, DictMemory, FakeClock
from fake_ports import Awaiting, Blocking, DictLedger, Shell

from omsync import MerchantSettings, PerWarehouse
from omsync.errors import InvalidValueError, SettingsError
from omsync.http.pacing import Pace
from omsync.ports import RunRecord
from omsync.sources.extensiv import ExtensivOrderManager, estimate_from_snapshot, estimate_read
from omsync.sources.extensiv.estimate import ReadCost
from omsync.testing import Fault, OrderManagerSandbox, generated_merchant

SLOW, FAST = Pace(per_second=0.2, burst=1), Pace(per_second=5, burst=1)
HOUR = timedelta(hours=1)
DOCS = Path(__file__).parents[1] / "docs"


def minutes(cost: ReadCost) -> float:
    """Give a duration in minutes."""
    return cost.duration / timedelta(minutes=1)


def test_a_table_worked_by_hand() -> None:
    slow, fast = (estimate_read(20_000, 5, 3, pace) for pace in (SLOW, FAST))
    assert (slow.warehouse_usual.stock_calls, slow.warehouse_usual.empty_pages) == (501, 5)
    assert minutes(slow.warehouse_usual) == pytest.approx(42, abs=0.5)
    assert fast.warehouse_usual.duration.total_seconds() == pytest.approx(100, abs=2)
    half = estimate_read(20_000, 5, 3, SLOW, page_sizes={"totals": 100})
    assert half.warehouse_usual.stock_calls == 1001
    assert minutes(half.warehouse_usual) == pytest.approx(83, abs=1.5)
    rows = estimate_read(20_000, 5, 3, SLOW, stock="rows")
    assert (rows.warehouse_usual.stock_calls, rows.warehouse_usual.empty_pages) == (1001, 1)
    assert slow.channel_first.stock_calls == 121
    assert slow.channel_usual.stock_calls == 4
    assert slow.channel_usual.duration < timedelta(minutes=1)


def test_the_founding_documents_remarks_become_numbers() -> None:
    large, small = estimate_read(20_000, 5, 3, SLOW), estimate_read(500, 2, 1, SLOW)
    assert large.warehouse_interval == 2 * HOUR, "thousands of SKUs by warehouse: less often than hourly"
    assert large.channel_interval == HOUR
    assert small.warehouse_interval == HOUR
    assert str(large) == (
        "At 1 call of each kind every 5 seconds:\n"
        "  per warehouse:     first 1,310 calls, about 84 min; usually 518 calls, about 42 min; "
        "every 2 hours is sensible\n"
        "  per sales channel: first 924 calls, about 60 min; usually 15 calls, about 45 s; "
        "every hour is sensible"
    )
    assert str(large) in (DOCS / "order-manager.md").read_text()
    assert "first 240,025 calls, about 11.7 h" in str(estimate_read(2_000_000, 20, 1, FAST))


@pytest.mark.parametrize("stock", ["totals", "rows"])
def test_the_estimate_is_what_a_read_of_as_many_products_really_costs(stock: str) -> None:
    catalog = generated_merchant(products=700, warehouses=3, channels=2, seed=1)
    sandbox, clock = OrderManagerSandbox(catalog), FakeClock()
    pace = Pace(per_second=0.5, burst=1)
    source = order_manager(sandbox, stock=stock, pace=pace, ask_limits=False, page_sizes={})
    snapshot = read(source, wanted(), clock=clock)
    estimate = estimate_read(700, 3, 2, pace, listings=len(snapshot.aliases), stock=stock).warehouse_first
    # The estimate takes it that every product is kept everywhere, and counts the limits, not asked for here.
    assert 0 <= estimate.calls - 1 - len(sandbox.requests) <= 8
    assert clock.waited <= estimate.duration.total_seconds() <= clock.waited * 1.5


def test_the_estimate_of_channel_reads_is_what_they_cost() -> None:
    catalog = generated_merchant(products=700, channels=2, seed=1)
    sandbox, memory, clock = OrderManagerSandbox(catalog), DictMemory(), FakeClock()
    pace = Pace(per_second=0.5, burst=1)
    source = order_manager(sandbox, pace=pace, page_sizes={}, ask_limits=False)
    first = read(source, by_channel(memory), clock=clock)
    estimate = estimate_from_snapshot(first, pace)
    assert estimate.channel_first.calls - 1 == len(sandbox.requests)
    assert estimate.channel_first.duration.total_seconds() == pytest.approx(clock.waited, rel=0.25)
    before = len(sandbox.requests)
    read(source, by_channel(memory, now=START + HOUR, previous=first))
    # Nothing changed, so there are no pages of changed products and listings to read, only their ends.
    assert estimate.channel_usual.calls - 1 - (len(sandbox.requests) - before) == 2


def test_a_run_that_was_slower_than_the_pace_sets_the_pace() -> None:
    snapshot = read(order_manager(OrderManagerSandbox()))
    run = RunRecord(
        merchant="m",
        status="success",
        started_at=START,
        finished_at=START + timedelta(seconds=100),
        counts={"calls": 10},
    )
    assert estimate_from_snapshot(snapshot, FAST, run=run).pace.per_second == 0.1
    assert estimate_from_snapshot(snapshot, Pace(per_second=0.05, burst=1), run=run).pace.per_second == 0.05
    assert estimate_from_snapshot(snapshot, FAST).pace == FAST


@pytest.mark.parametrize(
    "wrong",
    [
        {"products": "5"},
        {"products": True},
        {"warehouses": -1},
        {"channels": 1.5},
        {"changed": 2},
        {"listings": 2.5},
        {"locations": -1},
        {"stock": "all"},
    ],
    ids=str,
)
def test_impossible_questions_are_errors(wrong: dict[str, Any]) -> None:
    question: dict[str, Any] = {"products": 5, "warehouses": 1, "channels": 1, "pace": FAST, **wrong}
    with pytest.raises(InvalidValueError):
        estimate_read(**question)


def test_nothing_to_read_costs_a_few_calls() -> None:
    nothing = estimate_read(0, 0, 0, FAST)
    assert nothing.warehouse_first.calls == 5
    assert nothing.warehouse_first.stock_calls == 1


def test_a_misspelt_page_size_is_an_error() -> None:
    with pytest.raises(SettingsError, match="did you mean 'totals'"):
        estimate_read(5, 1, 1, FAST, page_sizes={"total": 5})


@pytest.mark.parametrize("shell", [Blocking(), Awaiting(twins=False)], ids=lambda shell: shell.name)
def test_a_read_over_http_counts_its_calls_in_the_ledger_those_tried_again_too(shell: Shell) -> None:
    sandbox, ledger = OrderManagerSandbox(), DictLedger()
    sandbox.add_faults(Fault(on="GET /v1.1/products", kind="status", status=500, times=1))
    took = []
    for _ in range(2):
        asked = len(sandbox.requests)
        shell.read_inventory(
            ExtensivOrderManager(sandbox.token, handler=sandbox.handle),
            MerchantSettings(mode=PerWarehouse()),
            ledger=ledger,
            clock=FakeClock(),
        )
        took.append(len(sandbox.requests) - asked)

    newest, oldest = ledger.runs("default")
    assert [oldest.counts["calls"], newest.counts["calls"]] == took
    assert took[0] > took[1] > 1
