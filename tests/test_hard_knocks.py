"""What a hostile tester found: lost falls, overlapping reads, waits without end, credentials in echoes."""

from __future__ import annotations

import json
import pickle
import signal
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_ports import TAKEN_AT, DictLedger, FakeCart, FakeClock, capabilities, stock
from small_merchant import reading

from omsync import (
    CartListing,
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    PushResult,
    QuantityChange,
    SinkCapabilities,
    Warehouse,
    allocate,
    plan_cart,
    product_view,
    push_plan,
    read_inventory,
    sync_cart,
    sync_carts,
)
from omsync.errors import (
    InvalidValueError,
    LostAnswerError,
    SettingsError,
    ThrottledError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.blocking import Runner
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, talk, talk_all
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning import make_plan
from omsync.sinks.files import CsvCart
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import OrderManagerSandbox

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")


def test_a_fall_after_a_lost_rise_is_sent_again_until_it_is_answered() -> None:
    """5 was accepted, 7 written and its answer lost, 5 could not be sent: nobody knows that 5 shows."""
    calls = {2: (LostAnswerError("lost"), True), 3: (UnreachableError("down"), False)}
    cart = FakeCart({"A": 0}, readable=False, calls=calls)
    ledger, clock = DictLedger(), FakeClock()
    for quantity in (5, 7, 5, 5):
        clock.pass_by(60)
        sync_cart(stock({"A": quantity}), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)

    assert cart.shows("A") == 5


def test_of_two_overlapping_reads_the_one_that_began_later_stays(tmp_path: Path) -> None:
    earlier, later = stock({"A": 50}), stock({"A": 1})
    later = InventorySnapshot(
        taken_at=TAKEN_AT + timedelta(hours=2),
        skus=later.skus,
        warehouses=later.warehouses,
        levels=later.levels,
    )
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        ledger.save_snapshot("acme", later)
        ledger.save_snapshot("acme", earlier)
        assert ledger.last_snapshot("acme") == later


def asking(place: str = "https://om.example/a") -> Conversation[Response]:
    return (yield Request(method="GET", url=place, headers={"authorization": "Bearer tok-echoed"}))


def test_nobody_waits_a_day_because_a_server_says_so() -> None:
    def throttled(_: Request) -> Response:
        return Response(status=429, headers={"retry-after": "80000"})

    clock = FakeClock()
    line = Line(account="om", handler=throttled, retry=RetryPolicy(attempts=3, total_seconds=60))
    with Runner(clock=clock) as runner:
        for _ in range(2):
            with pytest.raises(ThrottledError):
                runner.run(talk(line, asking()))
    assert clock.monotonic() <= 61


def test_an_answer_that_echoes_the_token_does_not_spread_it() -> None:
    def echoing(request: Request) -> Response:
        return Response(status=503, content=json.dumps(dict(request.headers)).encode(), place=request.place)

    with Runner(clock=FakeClock()) as runner, pytest.raises(Exception, match="HTTP 503") as caught:
        runner.run(talk(Line(account="om", handler=echoing, retry=RetryPolicy(attempts=1)), asking()))
    assert "tok-echoed" not in str(caught.value)
    assert "***" in str(caught.value)


def test_an_interrupt_ends_retries_that_wait() -> None:
    """One conversation waits half a minute to try again; the interrupt comes meanwhile."""
    waiting = threading.Event()
    tried: list[str] = []

    def server(request: Request) -> Response:
        if request.url.endswith("/down"):
            tried.append(request.url)
            waiting.set()
            raise UnreachableError("down", retry_after=30)
        waiting.wait()
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        return Response(status=200)

    line = Line(account="om", handler=server)
    runner = Runner()
    # A process that was started in the background may have been told to ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            runner.run(talk_all(line, [asking("https://om.example/down"), asking("https://om.example/up")]))
    finally:
        signal.signal(signal.SIGINT, before)
    assert tried == ["https://om.example/down"]


class Fragile:
    """A cart whose capabilities fail once it was read: as the push begins."""

    def __init__(self) -> None:
        self._inside = FakeCart({"A": 1})
        self._was_read = False

    @property
    def capabilities(self) -> SinkCapabilities:
        if self._was_read:
            raise InvalidValueError("these capabilities fail")
        return self._inside.capabilities

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        self._was_read = True
        return self._inside.read(listing_skus)

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        return self._inside.push(changes)


def test_a_cart_that_fails_before_its_first_row_stops_no_other_and_leaves_no_run_open() -> None:
    ledger, other = DictLedger(), FakeCart({"A": 1})
    reports = sync_carts(
        stock({"A": 5}),
        [(Fragile(), SHOP), (other, CartSettings(name="other"))],
        merchant=MERCHANT,
        ledger=ledger,
        clock=FakeClock(),
    )
    assert [report.status for report in reports] == ["failed", "success"]
    assert other.shows("A") == 5
    assert [run.status for run in ledger.runs("default", "shop")] == ["failed"]


def test_a_report_can_be_sent_to_another_process_and_still_explains() -> None:
    report = sync_cart(stock({"A": 5}), FakeCart({"A": 1}), SHOP, merchant=MERCHANT)
    there = pickle.loads(pickle.dumps(report))  # noqa: S301  our own value
    assert there == report
    assert there.explain("A").evaluate() == 5


def test_half_an_emoji_in_a_description_stops_nobody(tmp_path: Path) -> None:
    sandbox = OrderManagerSandbox()
    sandbox.change_product("MUG-01", description="so nice \ud83d")
    source = ExtensivOrderManager(sandbox.token, handler=sandbox.handle)
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        snapshot = read_inventory(source, MERCHANT, ledger=ledger)
        assert ledger.last_snapshot(MERCHANT) == snapshot
    (mug,) = [sku for sku in snapshot.skus if sku.master_sku == "MUG-01"]
    assert mug.description == "so nice ?"


def test_an_address_with_a_password_in_it_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError) as caught:
        ExtensivOrderManager("token", base_url="https://user:PASS@om.example")
    assert caught.value.code == "bad_address"
    assert "PASS" not in str(caught.value)


def test_a_warehouse_that_calls_itself_a_formula_is_no_formula_in_the_csv() -> None:
    snapshot = InventorySnapshot(taken_at=TAKEN_AT, warehouses=[Warehouse(id="1", name="=HYPERLINK(1)")])
    assert product_view(snapshot).to_csv().splitlines()[0].count('"\'=HYPERLINK(1) on hand"') == 1


def test_a_chain_of_kits_longer_than_pythons_stack_is_no_crash() -> None:
    """Named so that each kit is looked at before the one that contains it."""
    chain = {f"KIT-{number:04d}": {f"KIT-{number - 1:04d}": 1} for number in range(1, 2_000)}
    snapshot = reading({"KIT-0000": {"1": 3}, "KIT-1999": {"1": 0}}, chain)
    quantities = {row.listing_sku: row.quantity for row in allocate(snapshot, MERCHANT, SHOP).quantities}
    assert quantities.get("KIT-1999", 3) == 3


def test_a_file_that_cannot_be_written_is_not_halved_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    cart = CsvCart(tmp_path / "folder" / "stock.csv")
    snapshot = stock({f"SKU-{number}": number for number in range(300)})

    def remove(stage: str, done: int, total: int | None) -> None:
        if stage == "read cart" and done == total:
            (tmp_path / "folder").rmdir()

    report = sync_cart(snapshot, cart, SHOP, merchant=MERCHANT, on_progress=remove)
    assert report.status == "failed"
    assert {one.reason for one in report.outcomes} == {"not_sent"}


def test_one_place_of_the_cart_under_two_names_is_not_written_to_and_fro() -> None:
    snapshot = reading({"A": {"1": 5, "3": 7}})
    cart = CartSettings(name="shop", breakdown=True, location_map={"1": "10", "3": "Main"})
    shown = [
        CartListing(listing_sku="A", location_id="10", quantity=4),
        CartListing(listing_sku="A", location_id="Main", quantity=4, same_as="10"),
    ]
    plan = make_plan(allocate(snapshot, MERCHANT, cart), shown, capabilities(locations="required"))
    assert {(line.location_id, line.action, line.reason) for line in plan.lines} == {
        ("10", "skip", "location_named_twice"),
        ("Main", "skip", "location_named_twice"),
    }


def test_what_is_no_plan_and_no_pair_of_sink_and_cart_is_named() -> None:
    wrong: Any = "plan.json"
    with pytest.raises(WrongTypeError, match=r"takes a SyncPlan, not 'plan\.json'"):
        push_plan(wrong, FakeCart())
    pair: Any = FakeCart()
    with pytest.raises(WrongTypeError, match="pairs, not"):
        sync_carts(stock({"A": 1}), [pair], merchant=MERCHANT)
    plan = plan_cart(stock({"A": 1}), FakeCart({"A": 0}), SHOP, merchant=MERCHANT)
    with pytest.raises(WrongTypeError, match="The sink has no capabilities"):
        push_plan(plan, wrong)


def test_orders_in_flight_that_are_no_mapping_are_named() -> None:
    wrong: Any = ["MUG-01"]
    with pytest.raises(WrongTypeError, match="orders_in_flight must be a mapping"):
        allocate(stock({"A": 1}), MERCHANT, SHOP, wrong)
