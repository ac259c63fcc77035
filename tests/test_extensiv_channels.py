"""Reading by sales channel: acknowledge forgets what it answers, so nothing of it may be lost unnoticed."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from extensiv_desk import (
    ACKNOWLEDGE,
    AMAZON,
    PRODUCTS,
    TOTALS,
    WHOLESALE,
    WOO,
    available,
    by_channel,
    calls,
    order_manager,
    parts,
    read,
    read_awaiting,
)
from fake_memory import START, Crash, DictMemory, FakeClock

from omsync.errors import (
    DeadlineError,
    DecodeError,
    LedgerError,
    RefusedError,
    SettingsError,
    ThrottledError,
    UnreachableError,
)
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.model import InventorySnapshot
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import CatalogProduct, Fault, OrderManagerSandbox

HOUR = timedelta(hours=1)
LOST = [
    Fault(on=ACKNOWLEDGE, kind="cut_connection", query={"salesChannelId": WOO, "page": "1"}),
    Fault(on=ACKNOWLEDGE, kind="refuse_connection_after_processing", query={"salesChannelId": WOO}),
    Fault(on=ACKNOWLEDGE, kind="truncated_json", query={"salesChannelId": WOO}),
    Fault(on=ACKNOWLEDGE, kind="html", query={"salesChannelId": WOO}),
    Fault(on=ACKNOWLEDGE, kind="status", status=500, query={"salesChannelId": WOO}),
    Fault(on=ACKNOWLEDGE, kind="replace", edit=lambda _: "gone", query={"salesChannelId": WOO}),
    Fault(on=ACKNOWLEDGE, kind="replace", edit=lambda _: {"message": "ok"}, query={"salesChannelId": WOO}),
    Fault(on=ACKNOWLEDGE, kind="replace", edit=lambda _: [{}], query={"salesChannelId": WOO}),
]


def told_once(memory: DictMemory, **settings: Any) -> tuple[OrderManagerSandbox, InventorySnapshot]:
    """Make a sandbox whose channels have been told everything."""
    sandbox = OrderManagerSandbox()
    return sandbox, read(order_manager(sandbox, **settings), by_channel(memory))


def pages_asked(sandbox: OrderManagerSandbox, channel_id: str) -> list[str]:
    """Give the pages that were asked of a channel."""
    return [query["page"] for query in calls(sandbox, ACKNOWLEDGE) if query["salesChannelId"] == channel_id]


def next_read(
    sandbox: OrderManagerSandbox, memory: DictMemory, hours: int = 1, **settings: Any
) -> InventorySnapshot:
    """Read again, so many hours later."""
    return read(order_manager(sandbox, **settings), by_channel(memory, now=START + hours * HOUR))


def test_each_channel_shows_its_own_share_as_the_order_manager_worked_it_out() -> None:
    _, snapshot = told_once(DictMemory())
    assert snapshot.scope == "channel"
    assert snapshot.bundles_include_buildable == "unknown"
    assert available(snapshot, WOO)["SPOON-03"] == 50, "a rule of at most 50"
    assert available(snapshot, WHOLESALE)["CANDLE-JN"] == 31 * 25 // 100
    assert set(snapshot.levels.location_ids) == {WOO, WHOLESALE}
    assert {level.on_hand for level in snapshot.levels} == {None}
    assert not snapshot.doubtful
    assert AMAZON in {channel.id for channel in snapshot.sales_channels}
    assert "woo-candle" in {alias.listing_sku for alias in snapshot.aliases}


def test_a_product_that_a_channel_was_never_told_of_has_no_level_there() -> None:
    sandbox, snapshot = told_once(DictMemory())
    assert "STARTER-SET" not in available(snapshot, WOO)
    assert "GIFT-CARD" not in available(snapshot, WOO)
    assert not calls(sandbox, TOTALS), "channel figures never come from warehouse totals"


def test_channels_are_drained_side_by_side_page_by_page_until_none_remain() -> None:
    sandbox, _ = told_once(DictMemory())
    asked = [(query["salesChannelId"], query["page"]) for query in calls(sandbox, ACKNOWLEDGE)]
    assert sorted(asked[:2]) == [(WOO, "1"), (WHOLESALE, "1")]
    assert pages_asked(sandbox, WOO) == ["1", "2", "3", "4"]
    assert {query["limit"] for query in calls(sandbox, ACKNOWLEDGE)} == {"8"}


def test_later_reads_are_told_changes_only_and_keep_the_other_figures() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    sandbox.set_stock("MUG-02", 701, on_hand=30)
    second = next_read(sandbox, memory)
    assert pages_asked(sandbox, WOO)[4:] == ["1"]
    before, after = available(first, WOO), available(second, WOO)
    assert after == {**before, "MUG-02": 67}
    assert not second.doubtful


def test_what_acknowledge_tells_is_kept_by_product_id_so_a_product_keeps_one_figure() -> None:
    memory = DictMemory()
    sandbox, _ = told_once(memory)

    def other_name(pages: Any) -> Any:
        for row in pages[0]["productAggregatedQuantities"]:
            row["product"]["masterSku"] = "MUG-02-BEFORE"
        return pages

    sandbox.set_stock("MUG-02", 701, on_hand=30)
    sandbox.add_faults(Fault(on=ACKNOWLEDGE, kind="replace", edit=other_name, query={"salesChannelId": WOO}))
    shown = available(next_read(sandbox, memory), WOO)
    assert shown["MUG-02"] == 67
    assert "MUG-02-BEFORE" not in shown


def test_a_product_made_anew_under_an_old_sku_goes_before_the_one_that_is_gone() -> None:
    memory = DictMemory()
    sandbox, _ = told_once(memory)
    namespace = memory.namespaces[f"extensiv/base/{WOO}"]
    namespace["figure 1"] = '["MUG-02", "1", 999, 0]'
    assert available(next_read(sandbox, memory), WOO)["MUG-02"] == 59


def test_a_product_made_while_we_read_is_looked_up() -> None:
    sandbox = OrderManagerSandbox()

    def handle(request: Request) -> Response:
        if request.lane == ACKNOWLEDGE and not calls(sandbox, ACKNOWLEDGE):
            sandbox.add_product(CatalogProduct(master_sku="MUG-09"))
            sandbox.create_stock_record("MUG-09", 701, on_hand=4)
        return sandbox.handle(request)

    source = order_manager(handle, channels=["Woo store"])
    snapshot = read(source, by_channel(DictMemory()))
    assert available(snapshot, WOO)["MUG-09"] == 4
    assert "MUG-09" in {sku.master_sku for sku in snapshot.skus}
    assert calls(sandbox, PRODUCTS)[-1]["sku"] == "MUG-09"


def test_acknowledge_may_answer_an_object_instead_of_an_array() -> None:
    sandbox = OrderManagerSandbox(acknowledge_as_object=True)
    snapshot = read(order_manager(sandbox), by_channel(DictMemory()))
    assert parts(snapshot) == parts(told_once(DictMemory())[1])


def test_blocking_and_awaiting_reads_by_channel_are_equal() -> None:
    snapshot = read_awaiting(order_manager(OrderManagerSandbox()), by_channel(DictMemory()))
    assert parts(snapshot) == parts(told_once(DictMemory())[1])


def test_channel_mode_needs_a_ledger_before_it_takes_anything() -> None:
    sandbox = OrderManagerSandbox()
    with pytest.raises(LedgerError, match="SqliteLedger") as raised:
        read(order_manager(sandbox), by_channel(None))
    assert raised.value.code == "ledger_required"
    assert not sandbox.requests


def test_channel_mode_needs_the_word_exclusive_and_says_what_a_trial_does_instead() -> None:
    sandbox = OrderManagerSandbox()
    with pytest.raises(SettingsError, match="an app of your own") as raised:
        read(order_manager(sandbox, acknowledge=None), by_channel(DictMemory()))
    assert raised.value.code == "acknowledge_not_exclusive"
    assert not sandbox.requests


def test_channels_are_chosen_by_name_or_id_or_by_type() -> None:
    for channels in (["Woo store"], [WOO], ["Woo store", WOO]):
        snapshot = read(order_manager(OrderManagerSandbox(), channels=channels), by_channel(DictMemory()))
        assert snapshot.levels.location_ids == (WOO,)
    sandbox = OrderManagerSandbox()
    sandbox.change_channel(45, active=False)
    assert read(order_manager(sandbox), by_channel(DictMemory())).levels.location_ids == (WOO,)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"channels": ["Woo Store"]}, "unknown_channel"),
        ({"channels": ["Amazon US"]}, "channel_not_served"),
        ({"acknowledge_types": ["MANUAL"]}, "no_channel"),
    ],
)
def test_a_channel_that_cannot_be_read_is_an_error_that_lists_the_choices(
    settings: dict[str, Any], code: str
) -> None:
    sandbox = OrderManagerSandbox()
    with pytest.raises(SettingsError, match=r"'Woo store' \(id 44, CUSTOM\)") as raised:
        read(order_manager(sandbox, **settings), by_channel(DictMemory()))
    assert raised.value.code == code
    assert not calls(sandbox, ACKNOWLEDGE)


def test_a_name_that_two_channels_bear_is_an_error() -> None:
    sandbox = OrderManagerSandbox()
    sandbox.change_channel(45, name="Woo store")
    with pytest.raises(SettingsError) as raised:
        read(order_manager(sandbox, channels=["Woo store"]), by_channel(DictMemory()))
    assert raised.value.code == "ambiguous_channel"


def test_the_order_managers_own_refusal_of_a_channel_is_told_and_takes_nothing() -> None:
    sandbox, memory = OrderManagerSandbox(), DictMemory()
    source = order_manager(sandbox, channels=["Amazon US"], acknowledge_types=["AMAZON"])
    with pytest.raises(RefusedError, match="not CUSTOM or MANUAL"):
        read(source, by_channel(memory))
    assert pages_asked(sandbox, AMAZON) == ["1"]
    snapshot = read(order_manager(sandbox), by_channel(memory, now=START + HOUR))
    assert not snapshot.doubtful


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault.kind)
def test_a_lost_answer_is_never_asked_for_again_and_its_channel_is_in_doubt(
    fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    sandbox.set_stock("MUG-02", 701, on_hand=0)
    sandbox.set_stock("MUG-02", 704, on_hand=0)
    sandbox.add_faults(fault)
    with caplog.at_level(logging.WARNING, logger="omsync"):
        second = next_read(sandbox, memory)
    assert pages_asked(sandbox, WOO)[4:] == ["1"], "asked once"
    assert second.doubtful == {(sku, WOO) for sku in available(first, WOO)}
    assert available(second, WOO) == available(first, WOO)
    assert available(second, WHOLESALE)["MUG-02"] == 0, "the other channels go on"
    assert "Woo store" in caplog.text
    assert "sandbox-token" not in caplog.text


def test_doubt_lasts_until_acknowledge_speaks_of_the_product_again() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    sandbox.set_stock("MUG-02", 701, on_hand=3)
    sandbox.add_faults(LOST[0])
    next_read(sandbox, memory)
    sandbox.set_stock("SPOON-02", 701, on_hand=40)
    third = next_read(sandbox, memory, 2)
    told_again = {"SPOON-02", "GIFT-SET", "HAMPER"}
    assert third.doubtful == {(sku, WOO) for sku in available(first, WOO)} - {
        (sku, WOO) for sku in told_again
    }
    assert available(third, WOO)["SPOON-02"] == 38
    assert next_read(sandbox, memory, 3).doubtful == third.doubtful, "doubt is durable"


def test_a_page_lost_in_the_middle_ends_only_that_channels_turn() -> None:
    sandbox, memory = OrderManagerSandbox(), DictMemory()
    sandbox.add_faults(
        Fault(on=ACKNOWLEDGE, kind="cut_connection", query={"salesChannelId": WOO, "page": "2"})
    )
    first = read(order_manager(sandbox), by_channel(memory))
    assert pages_asked(sandbox, WOO) == ["1", "2"]
    assert len(available(first, WOO)) == 8
    assert first.doubtful == {(sku, WOO) for sku in available(first, WOO)}
    second = next_read(sandbox, memory)
    whole = available(told_once(DictMemory())[1], WOO)
    assert len(available(second, WOO)) == len(whole) - 8, "the lost page stays lost, and absent is not zero"


def test_a_429_and_a_missing_connection_take_nothing_and_are_tried_again() -> None:
    faults = [
        Fault(on=ACKNOWLEDGE, kind="status", status=429, headers={"x-skubana-quota-retryAfter": "1500"})
    ]
    sandbox, memory, clock = OrderManagerSandbox(faults=faults), DictMemory(), FakeClock()
    failed_once: list[Request] = []

    def handle(request: Request) -> Response:
        if request.lane == ACKNOWLEDGE and not failed_once:
            failed_once.append(request)
            raise UnreachableError("no connection")
        return sandbox.handle(request)

    snapshot = read(order_manager(handle), by_channel(memory), clock=clock)
    assert clock.waited >= 1.5
    assert parts(snapshot) == parts(told_once(DictMemory())[1])


def test_a_429_that_stays_fails_the_read_and_the_next_one_loses_nothing() -> None:
    fault = Fault(
        on=ACKNOWLEDGE, kind="status", status=429, times=6, query={"salesChannelId": WOO, "page": "3"}
    )
    sandbox, memory = OrderManagerSandbox(faults=[fault]), DictMemory()
    with pytest.raises(ThrottledError):
        read(order_manager(sandbox), by_channel(memory))
    snapshot = next_read(sandbox, memory)
    assert parts(snapshot)[1:] == parts(told_once(DictMemory())[1])[1:]
    assert pages_asked(sandbox, WOO)[-3:] == ["3", "4", "1"], "the promised pages first, then a fresh look"


def test_a_read_that_crashed_at_any_write_loses_nothing_or_is_in_doubt() -> None:
    whole_memory = DictMemory()
    _, whole = told_once(whole_memory)
    expected = {(level.master_sku, level.location_id): level.available for level in whole.levels}
    losses = 0
    for k in range(1, whole_memory.writes + 1):
        sandbox, memory = OrderManagerSandbox(), DictMemory()
        memory.die_at_write = k
        with pytest.raises(Crash):
            read(order_manager(sandbox), by_channel(memory))
        kept = told_before(memory)
        snapshot = next_read(sandbox, memory)
        got = {(level.master_sku, level.location_id): level.available for level in snapshot.levels}
        assert got.items() <= expected.items(), k
        hurt = {channel_id for _, channel_id in expected.keys() - got.keys()}
        assert {pair for pair in kept if pair[1] in hurt} <= snapshot.doubtful, k
        losses += bool(hurt)
    assert losses, "some writes come after an answer, and dying there loses it"


def told_before(memory: DictMemory) -> set[tuple[str, str]]:
    """Give the (product, channel) pairs whose figure the memory holds."""
    return {
        (json.loads(text)[0], namespace.rpartition("/")[2])
        for namespace, entries in memory.namespaces.items()
        for key, text in entries.items()
        if namespace.startswith("extensiv/base/") and key.startswith("figure ")
    }


def test_an_answer_that_a_crash_lost_is_found_out_by_the_next_run() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    sandbox.set_stock("MUG-02", 701, on_hand=3)

    def handle(request: Request) -> Response:
        response = sandbox.handle(request)
        if request.lane == ACKNOWLEDGE:
            raise Crash
        return response

    with pytest.raises(Crash):
        read(order_manager(handle, channels=[WOO]), by_channel(memory, now=START + HOUR))
    third = next_read(sandbox, memory, 2)
    assert third.doubtful == {(sku, WOO) for sku in available(first, WOO)}


def test_a_deadline_between_two_pages_loses_nothing() -> None:
    sandbox, memory = OrderManagerSandbox(), DictMemory()
    slow = order_manager(
        sandbox,
        channels=[WOO],
        ask_limits=False,
        pace=Pace(per_second=1, burst=1),
        page_sizes={"acknowledge": 8},
    )
    with pytest.raises(DeadlineError):
        read(slow, by_channel(memory), clock=FakeClock(), deadline=START + timedelta(seconds=3))
    assert pages_asked(sandbox, WOO) == ["1", "2"]
    snapshot = read(slow, by_channel(memory, now=START + HOUR))
    assert pages_asked(sandbox, WOO)[2:] == ["3", "4", "1"]
    assert available(snapshot, WOO) == available(told_once(DictMemory())[1], WOO)
    assert not snapshot.doubtful


@pytest.mark.parametrize(("hours", "forgotten"), [(1, True), (7, False)])
def test_promised_pages_that_are_gone_or_too_old_put_the_channel_in_doubt(
    hours: int, forgotten: bool
) -> None:
    fault = Fault(
        on=ACKNOWLEDGE, kind="status", status=429, times=6, query={"salesChannelId": WOO, "page": "3"}
    )
    sandbox, memory = OrderManagerSandbox(faults=[fault]), DictMemory()
    with pytest.raises(ThrottledError):
        read(order_manager(sandbox, channels=[WOO]), by_channel(memory))
    told = {row for row in memory.namespaces[f"extensiv/base/{WOO}"] if row != "state"}
    if forgotten:
        sandbox.add_faults(
            Fault(
                on=ACKNOWLEDGE,
                kind="replace",
                edit=lambda _: [{"pagesRemaining": False, "productAggregatedQuantities": []}],
                query={"salesChannelId": WOO, "page": "3"},
            )
        )
    snapshot = next_read(sandbox, memory, hours, channels=[WOO])
    assert len(snapshot.doubtful) == len(told) == 16


def test_another_token_puts_figures_in_doubt_since_nobody_knows_what_its_app_was_told() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    sandbox.token = "token-of-an-app-installed-again"
    source = order_manager(sandbox)
    renewed = ExtensivOrderManager(
        sandbox.token,
        handler=sandbox.handle,
        acknowledge="exclusive",
        pace=Pace(),
        page_sizes=source.page_sizes,
    )
    snapshot = read(renewed, by_channel(memory, now=START + HOUR))
    assert snapshot.doubtful == {(level.master_sku, level.location_id) for level in first.levels}
    again = read(renewed, by_channel(memory, now=START + 2 * HOUR))
    assert again.doubtful == snapshot.doubtful


def test_a_bad_row_puts_its_own_product_in_doubt_and_the_good_rows_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = DictMemory()
    sandbox, _ = told_once(memory)
    sandbox.set_stock("MUG-02", 701, on_hand=30)
    sandbox.set_stock("TEA-EARL", 701, on_hand=20)

    def as_text(pages: Any) -> Any:
        for row in pages[0]["productAggregatedQuantities"]:
            if row["product"]["masterSku"] == "MUG-02":
                row["availableQuantity"] = "67"
        return pages

    sandbox.add_faults(Fault(on=ACKNOWLEDGE, kind="replace", edit=as_text, query={"salesChannelId": WOO}))
    snapshot = next_read(sandbox, memory)
    assert snapshot.doubtful == {("MUG-02", WOO)}
    assert available(snapshot, WOO)["MUG-02"] == 59
    assert available(snapshot, WOO)["TEA-EARL"] == 10
    assert "availableQuantity: must be a whole number, not '67' (str)" in caplog.text


def test_a_row_that_names_no_product_puts_the_whole_channel_in_doubt_except_what_came_with_it() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    sandbox.set_stock("TEA-EARL", 701, on_hand=20)

    def one_more(pages: Any) -> Any:
        pages[0]["productAggregatedQuantities"].append({"product": {}, "availableQuantity": 5})
        return pages

    sandbox.add_faults(Fault(on=ACKNOWLEDGE, kind="replace", edit=one_more, query={"salesChannelId": WOO}))
    snapshot = next_read(sandbox, memory)
    assert ("MUG-01", WOO) in snapshot.doubtful
    assert ("TEA-EARL", WOO) not in snapshot.doubtful
    assert len(snapshot.doubtful) == len(available(first, WOO)) - 2, "TEA-EARL and TEA-TRIO were told"


@pytest.mark.parametrize("told", [None, "yes"])
def test_where_it_is_not_said_whether_pages_remain_a_full_page_means_that_they_do(told: str | None) -> None:
    def unsaid(pages: Any) -> Any:
        return [{**pages[0], "pagesRemaining": told}]

    sandbox = OrderManagerSandbox(faults=[Fault(on=ACKNOWLEDGE, kind="replace", edit=unsaid, times=None)])
    snapshot = read(order_manager(sandbox), by_channel(DictMemory()))
    assert available(snapshot, WOO) == available(told_once(DictMemory())[1], WOO)


def test_an_empty_array_means_that_nothing_changed() -> None:
    sandbox = OrderManagerSandbox(
        faults=[Fault(on=ACKNOWLEDGE, kind="replace", edit=lambda _: [], times=None)]
    )
    snapshot = read(order_manager(sandbox), by_channel(DictMemory()))
    assert len(snapshot.levels) == 0
    assert pages_asked(sandbox, WOO) == ["1"]


def test_a_server_that_promises_the_same_page_for_ever_is_found_out_and_its_figures_kept() -> None:
    sandbox, memory = OrderManagerSandbox(), DictMemory()
    page = {
        "pagesRemaining": True,
        "productAggregatedQuantities": [{"product": {"masterSku": "MUG-01"}, "availableQuantity": 7}],
    }
    sandbox.add_faults(Fault(on=ACKNOWLEDGE, kind="replace", edit=lambda _: [page], times=None))
    with pytest.raises(DecodeError) as raised:
        read(order_manager(sandbox), by_channel(memory))
    assert raised.value.code == "pages_repeat"
    assert "figure sku MUG-01" in memory.namespaces[f"extensiv/base/{WOO}"]


def test_the_baseline_is_asked_for_once_and_again_when_it_is_changed() -> None:
    memory = DictMemory()
    since = datetime(2026, 1, 1, tzinfo=UTC)
    sandbox, _ = told_once(memory, baseline_from=since)
    assert {query["fromDate"] for query in calls(sandbox, ACKNOWLEDGE)} == {"2026-01-01T00:00:00Z"}
    asked = len(calls(sandbox, ACKNOWLEDGE))
    next_read(sandbox, memory, 1, baseline_from=since)
    assert all("fromDate" not in query for query in calls(sandbox, ACKNOWLEDGE)[asked:])
    asked = len(calls(sandbox, ACKNOWLEDGE))
    next_read(sandbox, memory, 2, baseline_from=since + timedelta(days=1))
    assert {query["fromDate"] for query in calls(sandbox, ACKNOWLEDGE)[asked:]} == {"2026-01-02T00:00:00Z"}


def replaying(sandbox: OrderManagerSandbox) -> Any:
    """Give a handler that honours the window: it tells two products again, in two pages."""

    def handle(request: Request) -> Response:
        query = dict(request.query)
        response = sandbox.handle(request)
        if "toDate" in query:
            page = (
                b'[{"pagesRemaining":%s,"productAggregatedQuantities":[{"product":{"productId":%d,'
                b'"masterSku":"%s"},"availableQuantity":1}]}]'
            )
            first = query["page"] == "1"
            products = {sku.source_id: sku.master_sku for sku in read(order_manager(sandbox)).skus}
            wanted_sku = "MUG-02" if first else "MUG-03"
            (product_id,) = [key for key, sku in products.items() if sku == wanted_sku and key]
            content = page % (b"true" if first else b"false", int(product_id), wanted_sku.encode())
            return Response(status=200, content=content, place=response.place)
        return response

    return handle


def test_a_replay_asks_once_for_the_time_of_the_lost_answer_and_unmarks_what_it_tells() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    sandbox.set_stock("MUG-02", 701, on_hand=3)
    sandbox.add_faults(LOST[0])
    source = order_manager(replaying(sandbox), channels=[WOO], replay_window=True)
    second = read(source, by_channel(memory, now=START + HOUR))
    windows = [query for query in calls(sandbox, ACKNOWLEDGE) if "toDate" in query]
    assert [(query["fromDate"], query["toDate"], query["page"]) for query in windows] == [
        ("2026-03-02T07:50:00Z", "2026-03-02T09:00:00Z", "1"),
        ("2026-03-02T07:50:00Z", "2026-03-02T09:00:00Z", "2"),
    ]
    assert available(second, WOO)["MUG-02"] == 1
    assert second.doubtful == {(sku, WOO) for sku in available(first, WOO)} - {
        ("MUG-02", WOO),
        ("MUG-03", WOO),
    }


def test_a_replay_that_is_lost_too_is_not_tried_a_second_time() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    lost_for_ever = {"salesChannelId": WOO}
    sandbox.add_faults(Fault(on=ACKNOWLEDGE, kind="cut_connection", query=lost_for_ever, times=None))
    second = next_read(sandbox, memory, replay_window=True)
    assert pages_asked(sandbox, WOO)[4:] == ["1", "1"]
    assert second.doubtful == {(sku, WOO) for sku in available(first, WOO)}


def test_without_the_setting_nothing_is_replayed_and_with_it_a_crash_is_too() -> None:
    memory = DictMemory()
    sandbox, first = told_once(memory)
    memory.namespaces[f"extensiv/base/{WOO}"]["state"] = memory.namespaces[f"extensiv/base/{WOO}"][
        "state"
    ].replace('"asking": 0', '"asking": 1')
    source = order_manager(replaying(sandbox), channels=[WOO], replay_window=True)
    snapshot = read(source, by_channel(memory, now=START + HOUR))
    assert pages_asked(sandbox, WOO)[4:] == ["1", "2", "1"], "the replay first, then what is new"
    assert len(snapshot.doubtful) == len(available(first, WOO)) - 2


def test_a_first_answer_that_was_lost_has_no_window_to_ask_for() -> None:
    sandbox, memory = OrderManagerSandbox(), DictMemory()
    sandbox.add_faults(LOST[0])
    snapshot = read(order_manager(sandbox, replay_window=True, channels=[WOO]), by_channel(memory))
    assert pages_asked(sandbox, WOO) == ["1"]
    assert len(snapshot.levels) == 0


def test_progress_counts_what_the_channels_were_told() -> None:
    seen: list[tuple[str, int, int | None]] = []
    snapshot = read(
        order_manager(OrderManagerSandbox()),
        by_channel(DictMemory(), on_progress=lambda *told: seen.append(told)),
    )
    of_channels = [(done, total) for stage, done, total in seen if stage == "channels"]
    assert of_channels[-1] == (len(snapshot.levels), len(snapshot.levels))
    assert {total for _, total in of_channels[:-1]} == {None}
