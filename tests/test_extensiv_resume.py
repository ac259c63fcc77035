"""What the order manager source keeps in the memory: unfinished reads, and where lists of changes begin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from extensiv_desk import (
    LISTINGS,
    OHIO,
    PRODUCTS,
    RENO,
    ROWS,
    TOTALS,
    available,
    by_channel,
    calls,
    order_manager,
    parts,
    read,
    read_awaiting,
    wanted,
)
from fake_memory import START, Crash, DictMemory, FakeClock

from omsync.errors import DeadlineError, DecodeError, OmsyncError, ServerFaultError
from omsync.http.pacing import Pace
from omsync.model import Component
from omsync.sources.extensiv.journal import Journal
from omsync.testing import CatalogListing, CatalogProduct, Fault, OrderManagerSandbox

HOUR = timedelta(hours=1)


def sandbox_at(moment: datetime = START - timedelta(days=30)) -> OrderManagerSandbox:
    """Make a sandbox whose later changes are dated by its own clock, from this moment on."""
    sandbox = OrderManagerSandbox()
    sandbox.set_clock(moment)
    return sandbox


@pytest.mark.parametrize("stock", ["totals", "rows"])
def test_a_first_read_goes_on_after_a_crash_at_any_write_and_asks_no_kept_page_again(stock: str) -> None:
    whole_sandbox, whole_memory = sandbox_at(), DictMemory()
    whole = read(order_manager(whole_sandbox, stock=stock), wanted(memory=whole_memory))
    assert whole_memory.writes > 6
    for k in range(1, whole_memory.writes + 1):
        sandbox, memory = sandbox_at(), DictMemory()
        source = order_manager(sandbox, stock=stock)
        memory.die_at_write = k
        with pytest.raises(Crash):
            read(source, wanted(memory=memory))
        kept = sum(name != "head" for name in memory.namespaces.get("extensiv/read", {}))
        before = sum(map(len, (calls(sandbox, lane) for lane in (PRODUCTS, LISTINGS, TOTALS, ROWS))))
        snapshot = read(source, wanted(now=START + HOUR, memory=memory))
        after = sum(map(len, (calls(sandbox, lane) for lane in (PRODUCTS, LISTINGS, TOTALS, ROWS))))
        whole_calls = sum(
            map(len, (calls(whole_sandbox, lane) for lane in (PRODUCTS, LISTINGS, TOTALS, ROWS)))
        )
        assert after - before == whole_calls - kept, k
        nothing_kept = k == 1
        assert snapshot.taken_at == (START + HOUR if nothing_kept else START), "the unfinished read's start"
        assert parts(snapshot)[1:] == parts(whole)[1:], k
        assert "extensiv/read" not in memory.namespaces


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_read_that_stopped_in_the_catalogue_gives_no_snapshot_and_goes_on_later(call: int) -> None:
    fault = Fault(on=PRODUCTS, kind="status", query={"page": str(call)}, times=6)
    sandbox, memory = OrderManagerSandbox(faults=[fault]), DictMemory()
    with pytest.raises(ServerFaultError):
        read(order_manager(sandbox), wanted(memory=memory))
    asked = len(calls(sandbox, LISTINGS))
    assert asked == call, "the pages that came in the failing round are kept"
    told: list[tuple[str, int, int | None]] = []
    again = wanted(now=START + HOUR, memory=memory, on_progress=lambda *step: told.append(step))
    snapshot = read(order_manager(sandbox), again)
    assert next(step for step in told if step[0] == "listings") == ("listings", 9 * call, None)
    assert [query["page"] for query in calls(sandbox, LISTINGS)] == ["1", "2", "3", "4", "5"]
    assert snapshot.taken_at == START


def test_a_read_stops_at_its_deadline_and_goes_on_in_the_next_run() -> None:
    sandbox, memory = OrderManagerSandbox(), DictMemory()
    slow = order_manager(sandbox, ask_limits=False, pace=Pace(per_second=1, burst=1))
    with pytest.raises(DeadlineError):
        read(slow, wanted(memory=memory), clock=FakeClock(), deadline=START + timedelta(seconds=9))
    assert read(slow, wanted(now=START + HOUR, memory=memory)).taken_at == START


@pytest.mark.parametrize(
    "other",
    [
        {"page_sizes": {"products": 8}},
        {"stock": "rows"},
        {"base_url": "https://api.demo.skubana.com"},
        {"missing_available": "on_hand_minus_locked"},
    ],
    ids=str,
)
def test_an_unfinished_read_with_other_settings_is_begun_anew(other: dict[str, Any]) -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    memory.die_at_write = 4
    with pytest.raises(Crash):
        read(order_manager(sandbox), wanted(memory=memory))
    snapshot = read(order_manager(sandbox, **other), wanted(now=START + HOUR, memory=memory))
    assert snapshot.taken_at == START + HOUR
    assert parts(snapshot)[1:] == parts(read(order_manager(sandbox_at())))[1:]


@pytest.mark.parametrize(("minutes", "resumed"), [(60, True), (90, True), (91, False)])
def test_an_unfinished_read_is_gone_on_with_by_the_next_hourly_run_and_no_later(
    minutes: int, *, resumed: bool
) -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    memory.die_at_write = 4
    with pytest.raises(Crash):
        read(order_manager(sandbox), wanted(memory=memory))
    later = START + timedelta(minutes=minutes)
    snapshot = read(order_manager(sandbox), wanted(now=later, memory=memory))
    assert snapshot.taken_at == (START if resumed else later)


def test_an_unfinished_read_that_is_too_old_is_begun_anew() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    memory.die_at_write = 4
    with pytest.raises(Crash):
        read(order_manager(sandbox), wanted(memory=memory))
    sandbox.set_stock("MUG-02", 701, on_hand=1)
    snapshot = read(order_manager(sandbox), wanted(now=START + 2 * HOUR, memory=memory))
    assert snapshot.taken_at == START + 2 * HOUR
    assert available(snapshot, RENO)["MUG-02"] == -2


def test_without_a_memory_nothing_is_kept_and_everything_is_read_whole() -> None:
    sandbox = OrderManagerSandbox()
    first = read(order_manager(sandbox))
    read(order_manager(sandbox), wanted(now=START + HOUR, previous=first))
    assert all("modifiedDateFrom" not in query for query in calls(sandbox, PRODUCTS))


def test_later_reads_ask_for_what_changed_since_the_start_of_the_last_one_with_an_overlap() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    first = read(order_manager(sandbox), wanted(memory=memory))
    asked = len(calls(sandbox, PRODUCTS))
    sandbox.set_clock(START - timedelta(minutes=5))
    sandbox.change_product("MUG-02", name="Mug, slate grey")
    sandbox.deactivate_product("MUG-03")
    sandbox.change_product(
        "GIFT-SET", components=(Component(master_sku="MUG-02"), Component(master_sku="SPOON-03", quantity=3))
    )
    sandbox.add_product(CatalogProduct(master_sku="MUG-04", name="Mug, plum"))
    sandbox.add_listing(CatalogListing(channel_id=44, listing_sku="woo-mug-plum", master_sku="MUG-04"))
    sandbox.rename_listing(44, "woo-mug-oat", to="woo-mug-oats")
    second = read(order_manager(sandbox), wanted(now=START + HOUR, memory=memory, previous=first))
    later = calls(sandbox, PRODUCTS)[asked:]
    assert {query["modifiedDateFrom"] for query in later} == {"2026-03-02T07:50:00Z"}
    assert [query["page"] for query in later] == ["1", "2"]
    assert parts(second)[1:] == parts(read(order_manager(sandbox)))[1:]
    assert "woo-mug-oat" not in {alias.listing_sku for alias in second.aliases}


def test_incremental_reads_are_equal_blocking_and_awaiting() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    first = read(order_manager(sandbox), wanted(memory=memory))
    twin = DictMemory()
    assert parts(read_awaiting(order_manager(sandbox), wanted(memory=twin))) == parts(first)
    assert twin.namespaces == memory.namespaces
    sandbox.set_clock(START)
    sandbox.deactivate_product("MUG-03")
    request: dict[str, Any] = {"now": START + HOUR, "previous": first}
    assert parts(read_awaiting(order_manager(sandbox), wanted(memory=twin, **request))) == parts(
        read(order_manager(sandbox), wanted(memory=memory, **request))
    )


def test_deletions_show_at_the_next_full_pass_and_not_before() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    snapshot = read(order_manager(sandbox), wanted(memory=memory))
    sandbox.set_clock(START)
    sandbox.remove_listing(44, "woo-candle")
    shown = []
    for hours in (1, 23, 24, 25):
        snapshot = read(
            order_manager(sandbox), wanted(now=START + hours * HOUR, memory=memory, previous=snapshot)
        )
        shown.append("woo-candle" in {alias.listing_sku for alias in snapshot.aliases})
    assert shown == [True, True, False, False]
    whole = [query for query in calls(sandbox, LISTINGS) if query["page"] == "1"]
    assert ["modifiedDateFrom" in query for query in whole] == [False, True, True, False, True]


@pytest.mark.parametrize(
    "other", [{"base_url": "https://api.demo.skubana.com"}, {"full_pass_every": HOUR}], ids=str
)
def test_another_account_or_a_due_full_pass_reads_everything(other: dict[str, Any]) -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    first = read(order_manager(sandbox), wanted(memory=memory))
    asked = len(calls(sandbox, PRODUCTS))
    read(order_manager(sandbox, **other), wanted(now=START + HOUR, memory=memory, previous=first))
    assert all("modifiedDateFrom" not in query for query in calls(sandbox, PRODUCTS)[asked:])


def test_a_previous_snapshot_that_the_memory_does_not_vouch_for_is_not_built_upon() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    strange = read(order_manager(sandbox), wanted(now=START - HOUR))
    read(order_manager(sandbox), wanted(memory=memory))
    read(order_manager(sandbox), wanted(now=START + HOUR, memory=memory, previous=strange))
    assert all("modifiedDateFrom" not in query for query in calls(sandbox, PRODUCTS))


def test_the_watermark_does_not_move_on_with_a_snapshot_that_was_never_saved() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    first = read(order_manager(sandbox), wanted(memory=memory))
    sandbox.set_clock(START + HOUR)
    sandbox.change_product("MUG-02", name="renamed between the first and the second read")
    read(order_manager(sandbox), wanted(now=START + 2 * HOUR, memory=memory, previous=first))
    # The process dies before the second snapshot is saved: the third read builds upon the first one.
    third = read(order_manager(sandbox), wanted(now=START + 3 * HOUR, memory=memory, previous=first))
    assert [sku.name for sku in third.skus if sku.master_sku == "MUG-02"] == [
        "renamed between the first and the second read"
    ]
    assert [
        query["modifiedDateFrom"] for query in calls(sandbox, PRODUCTS) if "modifiedDateFrom" in query
    ] == ["2026-03-02T07:50:00Z"] * 4


@pytest.mark.parametrize("k", range(1, 10))
def test_an_incremental_read_that_crashed_at_any_write_goes_on_or_begins_anew(k: int) -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    first = read(order_manager(sandbox), wanted(memory=memory))
    sandbox.set_clock(START)
    sandbox.deactivate_product("MUG-03")
    memory.die_at_write = memory.writes + k
    request: dict[str, Any] = {"memory": memory, "previous": first}
    with pytest.raises(Crash):
        read(order_manager(sandbox), wanted(now=START + HOUR, **request))
    snapshot = read(order_manager(sandbox), wanted(now=START + 2 * HOUR, **request))
    assert parts(snapshot)[1:] == parts(read(order_manager(sandbox)))[1:]


def test_a_bad_row_fails_the_read_and_the_next_run_goes_on_at_its_page_once_it_is_corrected() -> None:
    def as_text(rows: Any) -> Any:
        rows[0]["availableQuantity"] = "5"
        return rows

    fault = Fault(on=TOTALS, kind="replace", edit=as_text, query={"page": "3", "warehouseId": RENO})
    sandbox, memory = OrderManagerSandbox(faults=[fault]), DictMemory()
    with pytest.raises(DecodeError):
        read(order_manager(sandbox), wanted(memory=memory))
    read(order_manager(sandbox), wanted(now=START + HOUR, memory=memory))
    pages = [query["page"] for query in calls(sandbox, TOTALS) if query["warehouseId"] == RENO]
    assert pages == ["1", "2", "3", "3", "4", "5", "6"]


def test_a_warehouse_that_is_switched_off_before_the_read_goes_on_is_left_out() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    memory.die_at_write = 5
    with pytest.raises(Crash):
        read(order_manager(sandbox), wanted(memory=memory))
    sandbox.change_warehouse(702, active=False)
    snapshot = read(order_manager(sandbox), wanted(now=START + HOUR, memory=memory))
    assert OHIO not in snapshot.levels.location_ids


def test_channel_mode_goes_on_with_its_catalogue_too() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    memory.die_at_write = 3
    with pytest.raises(Crash):
        read(order_manager(sandbox), by_channel(memory))
    snapshot = read(order_manager(sandbox), by_channel(memory, now=START + HOUR))
    assert [query["page"] for query in calls(sandbox, PRODUCTS)].count("1") == 1
    assert snapshot.taken_at == START


def test_going_from_one_mode_to_the_other_keeps_the_catalogue() -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    first = read(order_manager(sandbox), wanted(memory=memory))
    second = read(order_manager(sandbox), by_channel(memory, now=START + HOUR, previous=first))
    assert frozenset(second.skus) == frozenset(first.skus)
    assert "modifiedDateFrom" in calls(sandbox, PRODUCTS)[-1]


def every_kind_of_failure() -> list[Callable[[OrderManagerSandbox], None]]:
    """List failures in the middle of each stream."""
    return [
        lambda sandbox, lane=lane: sandbox.add_faults(  # type: ignore[misc]  # the default binds the loop's lane
            Fault(on=lane, kind="truncated_json", query={"page": "2"})
        )
        for lane in (PRODUCTS, LISTINGS, TOTALS)
    ]


@pytest.mark.parametrize("fail", every_kind_of_failure())
def test_a_read_that_did_not_finish_never_gives_a_snapshot(
    fail: Callable[[OrderManagerSandbox], None],
) -> None:
    sandbox, memory = sandbox_at(), DictMemory()
    fail(sandbox)
    with pytest.raises(OmsyncError):
        read(order_manager(sandbox), wanted(memory=memory))
    assert "extensiv/watermark" not in memory.namespaces


def test_a_kept_page_is_let_go_when_it_was_given_since_the_read_may_take_hours() -> None:
    entries = {f"{stream}/{number:07d}": f"{stream}{number}" for stream in "ab" for number in (1, 2, 4)}
    journal = Journal(memory=None, started_at=START, since=None, kept=entries)
    assert list(journal.pages("a")) == ["a1", "a2"], "a gap ends what can be gone on with"
    assert list(journal.pages("a")) == []
    assert list(journal.pages("b")) == ["b1", "b2"]
