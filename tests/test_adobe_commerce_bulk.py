"""Adobe Commerce's asynchronous bulk: handed in, asked about, and remembered where it is not done in time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from fake_memory import DictMemory, FakeClock
from small_merchant import BY_WAREHOUSE, cart, reading
from two_runners import RUNNERS, run_blocking

from omsync import sync_cart
from omsync.errors import RefusedError, UnreachableError
from omsync.http.retrying import RetryPolicy
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import PushResult, QuantityChange
from omsync.sinks.adobe_commerce import AdobeCommerce, BearerToken
from omsync.testing.carts.adobe_commerce import AdobeShop
from omsync.testing.carts.platform import Asked, json_answer

ONCE = RetryPolicy(attempts=1)


def shop(**options: Any) -> AdobeShop:
    there = AdobeShop(**options)
    for sku, units in {"MUG": 10, "CUP": 3, "PAN": 1}.items():
        there.add(sku, units)
    return there


def sink(there: AdobeShop, **options: Any) -> AdobeCommerce:
    given = {
        "access": BearerToken("adobe-test-access-token"),
        "mode": "async",
        "retry": ONCE,
        "calls_per_second": 1000.0,
        "poll_seconds": 5,
        "wait_seconds": 20,
        "handler": there.handle,
    }
    return AdobeCommerce("https://shop.example", **{**given, **options})


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def push(adobe: AdobeCommerce, *changes: QuantityChange) -> list[PushResult]:
    return run_blocking(adobe.push_steps(changes), clock=FakeClock())


def said(results: Iterable[PushResult]) -> dict[str, tuple[str, str]]:
    return {one.listing_sku: (one.status, one.reason) for one in results}


def handed_in(there: AdobeShop) -> list[Any]:
    return [asked.json() for asked in there.requests if "async/bulk" in asked.path]


def detailed(asked: Asked) -> bool:
    return asked.path.endswith("/detailed-status")


def test_a_bulk_completes_later_so_the_capabilities_say_job() -> None:
    assert sink(shop()).capabilities.completion == "job"


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
def test_rows_go_out_as_one_body_a_product_and_each_has_its_own_outcome(run: Callable[..., Any]) -> None:
    there = shop()
    there.add_source("reno", "Reno DC")
    adobe = sink(there, location="default")
    run(adobe.read_steps(["MUG", "CUP", "PAN"]), clock=FakeClock())
    there.remove("CUP")
    rows = [change("MUG", 7), change("CUP", 8), change("MUG", 2, "reno"), change("PAN", 9)]
    results = run(adobe.push_steps(rows), clock=FakeClock())
    assert said(results) == {
        "MUG": ("accepted", ""),
        "CUP": ("rejected", "row_refused"),
        "PAN": ("accepted", ""),
    }
    assert "Could not save Source Item" in next(one.message for one in results if one.listing_sku == "CUP")
    assert (there.quantity("MUG"), there.quantity("MUG", "reno"), there.quantity("PAN")) == (7, 2, 9)
    assert [[row["sku"] for row in body["sourceItems"]] for body in handed_in(there)[0]] == [
        ["MUG", "MUG"],
        ["CUP"],
        ["PAN"],
    ]


def test_the_shop_takes_a_bulk_in_its_own_words() -> None:
    there = shop()
    push(sink(there), change("MUG", 7))
    asked = next(one for one in there.requests if "async/bulk" in one.path)
    assert asked.path == "/rest/all/async/bulk/V1/inventory/source-items"
    assert json.loads(asked.content) == [
        {"sourceItems": [{"sku": "MUG", "source_code": "default", "quantity": 7, "status": 1}]}
    ]
    raw = there.answer(asked)
    assert raw.status == 202
    assert raw.json()["request_items"] == [{"id": 0, "data_hash": "0" * 64, "status": "accepted"}]


def test_operations_that_do_not_repeat_their_body_are_known_by_their_number() -> None:
    there = shop(bulk_repeats=False)
    adobe = sink(there)
    push(adobe, change("MUG", 1), change("CUP", 1))
    there.remove("CUP")
    results = push(adobe, change("CUP", 8), change("MUG", 7))
    assert said(results) == {"CUP": ("rejected", "row_refused"), "MUG": ("accepted", "")}


def test_a_bulk_that_is_not_done_in_time_is_pending_and_asked_about_in_the_next_run() -> None:
    there, memory = shop(bulk_looks=9), DictMemory()
    first = sink(there, wait_seconds=10).remembering(memory)
    results = push(first, change("MUG", 7))
    assert [(one.status, one.reason, one.job) for one in results] == [
        ("pending", "job_pending", "00000000-0000-4000-8000-000000000001")
    ]
    # Nothing of it is sent again while it is under way, whatever the quantity.
    second = sink(there, wait_seconds=0).remembering(memory)
    assert said(push(second, change("MUG", 7))) == {"MUG": ("pending", "job_pending")}
    assert said(push(second, change("MUG", 6))) == {"MUG": ("pending", "job_in_progress")}
    assert len(handed_in(there)) == 1
    for _ in range(4):
        last = sink(there, wait_seconds=0).remembering(memory)
        results = push(last, change("MUG", 7))
    assert said(results) == {"MUG": ("accepted", "")}
    assert there.quantity("MUG") == 7


def test_the_wait_between_two_looks_is_the_pace_of_its_lane() -> None:
    there, clock = shop(bulk_looks=3), FakeClock()
    run_blocking(sink(there).push_steps([change("MUG", 7)]), clock=clock)
    assert clock.waited == pytest.approx(10.0, rel=0.1)


def test_consumers_that_never_run_do_not_hold_rows_for_ever() -> None:
    there, memory = shop(bulk_looks=1000), DictMemory()
    for _ in range(4):
        push(sink(there, wait_seconds=0, patience_runs=2).remembering(memory), change("MUG", 7))
    assert len(handed_in(there)) == 2


def test_a_whole_run_is_accepted_and_the_next_one_sees_it() -> None:
    there = shop()
    ledger, stock = SqliteLedger(":memory:"), reading({"MUG": {"1": 12}})
    first = sync_cart(stock, sink(there), cart(), merchant=BY_WAREHOUSE, ledger=ledger)
    assert there.quantity("MUG") == 12
    second = sync_cart(stock, sink(there), cart(), merchant=BY_WAREHOUSE, ledger=ledger)
    assert first.counts != second.counts == {"unchanged": 1}


@pytest.mark.parametrize(
    ("state", "expected"),
    [(2, ("pending", "busy")), (3, ("rejected", "row_refused")), (5, ("rejected", "row_refused"))],
)
def test_each_state_of_an_operation_has_its_outcome(state: int, expected: tuple[str, str]) -> None:
    there = shop()
    operation = {"id": 0, "status": state, "result_message": "No.", "serialized_data": None}
    there.trouble(json_answer({"operations_list": [operation]}), when=detailed)
    assert said(push(sink(there), change("MUG", 7))) == {"MUG": expected}


@pytest.mark.parametrize(
    "sent", ["{", '{"meta_information": "[]"}', json.dumps({"meta_information": '{"sourceItems": []}'})]
)
def test_a_report_that_does_not_speak_of_a_product_leaves_it_in_doubt(sent: str) -> None:
    there = shop()
    one = {"id": 0, "status": 1, "result_message": None, "serialized_data": sent}
    there.trouble(json_answer({"operations_list": [one]}), when=detailed)
    results = push(sink(there), change("MUG", 7), change("CUP", 7))
    assert said(results) == {"MUG": ("pending", "job_unclear"), "CUP": ("pending", "job_unclear")}


def test_operations_that_are_not_there_yet_are_waited_for() -> None:
    there = shop()
    there.trouble(json_answer({"operations_list": []}), when=lambda asked: asked.path.endswith("/status"))
    assert said(push(sink(there), change("MUG", 7))) == {"MUG": ("accepted", "")}


def test_a_bulk_that_the_shop_has_forgotten_is_sent_again_in_the_next_run() -> None:
    there, memory = shop(bulk_looks=9), DictMemory()
    push(sink(there, wait_seconds=0).remembering(memory), change("MUG", 7))
    forgetful = shop()
    results = push(sink(forgetful).remembering(memory), change("MUG", 7))
    assert said(results) == {"MUG": ("accepted", "")}
    assert forgetful.quantity("MUG") == 7


def test_the_shops_limit_on_bodies_is_learned_before_anything_is_handed_in() -> None:
    there = shop(input_limits=(20, 2, 300))
    adobe = sink(there)
    assert {one.status for one in push(adobe, change("MUG", 7), change("CUP", 7), change("PAN", 7))} == {
        "accepted"
    }
    assert [len(bodies) for bodies in handed_in(there)] == [3, 2, 1]


def test_a_limit_that_makes_no_sense_refuses_the_push() -> None:
    there = shop()
    limit = {"message": 'Maximum items of type "%type" is %max', "parameters": {"type": "X", "max": 20}}
    there.trouble(json_answer(limit, 400), when=lambda asked: asked.method == "POST")
    with pytest.raises(RefusedError, match="is 20"):
        push(sink(there), change("MUG", 1))


def test_a_bulk_that_could_not_be_handed_in_raises() -> None:
    there = shop()
    there.trouble("unreachable", when=lambda asked: asked.method == "POST")
    with pytest.raises(UnreachableError):
        push(sink(there), change("MUG", 1))


def test_a_bulk_whose_answer_is_lost_is_handed_in_again_which_is_harmless() -> None:
    there = shop()
    there.trouble("lost", when=lambda asked: asked.method == "POST")
    again = sink(there, retry=RetryPolicy(attempts=2, first_wait=0.0, max_wait=0.0))
    assert said(push(again, change("MUG", 7))) == {"MUG": ("accepted", "")}
    assert (len(handed_in(there)), there.quantity("MUG")) == (2, 7)
