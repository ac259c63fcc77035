"""Many carts at once: none waits for another, all keep to their account's pace, an interrupt stops all."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fake_ports import DictLedger, FakeCart, FakeClock, FakeSource, capabilities, stock

from omsync import (
    CartListing,
    CartSettings,
    Lease,
    MerchantSettings,
    PerWarehouse,
    PushResult,
    QuantityChange,
    QuantityRules,
    SinkCapabilities,
    SyncReport,
    aio,
    sync_carts,
)
from omsync.errors import InvalidValueError, OmsyncError
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk_all
from omsync.http.tokens import TokenKeeper
from omsync.ledgers.sqlite import SqliteLedger
from omsync.sinks.amazon import Amazon
from omsync.testing.carts._limits import CallLimits
from omsync.testing.carts.amazon import AmazonMarketplace

MERCHANT = MerchantSettings(mode=PerWarehouse())
PATIENCE = 60.0
"""Seconds until a test that would wait for ever gives up; one that passes never waits so long."""
TURNS = 1_000_000
Sync = Callable[..., tuple[SyncReport, ...]]


class Held(FakeCart):
    """A cart whose pushes each tell that they were reached, and end when they may."""

    def __init__(self, *, may: Callable[[], bool] = lambda: True, **given: Any) -> None:
        super().__init__({"A": 1}, **given)
        self.reached = threading.Event()
        self.done = threading.Event()
        self.may = may
        self.thread = 0
        self.raises: BaseException | None = None

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        self.thread = threading.get_ident()
        self.reached.set()
        turn = threading.Event()
        for _ in range(int(PATIENCE * 1000)):
            if self.may():
                break
            turn.wait(0.001)
        return self.end(changes)

    def end(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        assert self.may(), "it waited for ever"
        if self.raises is not None:
            raise self.raises
        results = super().push(changes)
        self.done.set()
        return results


class AsyncHeld:
    """The async twin of ``Held``."""

    def __init__(self, twin: Held) -> None:
        self._twin = twin

    @property
    def capabilities(self) -> SinkCapabilities:
        return self._twin.capabilities

    async def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        return self._twin.read(listing_skus)

    async def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        self._twin.reached.set()
        for _ in range(TURNS):
            if self._twin.may():
                break
            await asyncio.sleep(0)
        return self._twin.end(changes)


def awaiting(source: Any, carts: Any, **options: Any) -> tuple[SyncReport, ...]:
    return asyncio.run(aio.sync_carts(source, carts, **options))


def awaiting_async_ports(source: Any, carts: Any, **options: Any) -> tuple[SyncReport, ...]:
    twins = [(AsyncHeld(sink) if isinstance(sink, Held) else sink, cart) for sink, cart in carts]
    return awaiting(source, twins, **options)


SHELLS: dict[str, Sync] = {
    "blocking": sync_carts,
    "awaiting, blocking ports": awaiting,
    "awaiting, async ports": awaiting_async_ports,
}


@pytest.fixture(params=SHELLS)
def sync(request: pytest.FixtureRequest) -> Sync:
    return SHELLS[request.param]


@pytest.fixture
def ledger() -> DictLedger:
    return DictLedger()


def named(*carts: Any) -> list[tuple[Any, CartSettings]]:
    return [(cart, CartSettings(name=f"cart-{number}")) for number, cart in enumerate(carts, start=1)]


def told(reports: Sequence[SyncReport]) -> list[tuple[str, str, str]]:
    return [(report.cart, report.status, report.code) for report in reports]


# None waits for another.


def test_a_slow_cart_does_not_keep_the_others_waiting_and_reports_come_in_the_order_given(sync: Sync) -> None:
    others = [Held() for _ in range(7)]
    slow = Held(may=lambda: all(other.done.is_set() for other in others))
    source = FakeSource(stock({"A": 5}))

    reports = sync(source, named(slow, *others), merchant=MERCHANT, clock=FakeClock())

    assert told(reports) == [(f"cart-{number}", "success", "") for number in range(1, 9)]
    assert [cart.shows("A") for cart in (slow, *others)] == [5] * 8
    assert len(source.requests) == 1


def test_a_slow_cart_does_not_keep_back_those_whose_turn_comes_later(sync: Sync) -> None:
    others = [Held() for _ in range(5)]
    slow = Held(may=lambda: all(other.done.is_set() for other in others))

    reports = sync(stock({"A": 5}), named(slow, *others), merchant=MERCHANT, at_once=2)

    assert {report.status for report in reports} == {"success"}


def test_no_more_carts_than_asked_for_are_worked_on_at_once(sync: Sync) -> None:
    carts: list[Held] = []

    def under_way() -> int:
        return sum(cart.reached.is_set() and not cart.done.is_set() for cart in carts)

    seen: list[int] = []

    def may() -> bool:
        seen.append(under_way())
        # Each waits for company, but for the last, whose company may have left.
        return seen[-1] == 2 or sum(cart.done.is_set() for cart in carts) >= 1

    carts += [Held(may=may) for _ in range(4)]
    sync(stock({"A": 5}), named(*carts), merchant=MERCHANT, at_once=2)

    assert max(seen) == 2
    assert all(cart.done.is_set() for cart in carts)


def test_one_after_another_is_all_in_the_caller_s_thread() -> None:
    carts = [Held() for _ in range(3)]
    for before, after in itertools.pairwise(carts):
        after.before_push = lambda _, before=before: before.done.wait(0) or pytest.fail("not in turn")  # type: ignore[misc]

    reports = sync_carts(stock({"A": 5}), named(*carts), merchant=MERCHANT, at_once=1)

    assert {report.status for report in reports} == {"success"}
    assert {cart.thread for cart in carts} == {threading.get_ident()}


@pytest.mark.parametrize("wrong", [0, -1, True, 2.0, "8", None])
def test_a_number_of_carts_at_once_that_is_none_is_refused_before_anything_is_read(
    sync: Sync, wrong: Any
) -> None:
    source = FakeSource(stock({"A": 5}))

    with pytest.raises(InvalidValueError, match="at_once is a whole number from 1 on") as caught:
        sync(source, named(Held()), merchant=MERCHANT, at_once=wrong)

    assert caught.value.remedy
    assert source.requests == []


def test_no_carts_make_no_reports(sync: Sync) -> None:
    assert sync(stock({"A": 5}), [], merchant=MERCHANT) == ()


# What they share.


def test_many_carts_share_a_ledger_and_end_as_they_would_one_after_another(
    sync: Sync, tmp_path: Path
) -> None:
    figures = {f"SKU-{number}": number for number in range(40)}

    def outcomes(at_once: int) -> list[Any]:
        rules = [QuantityRules(percent=100 - number) for number in range(12)]
        carts = [
            (FakeCart(dict.fromkeys(figures, 3)), CartSettings(name=f"cart-{number}", rules=rule))
            for number, rule in enumerate(rules)
        ]
        with SqliteLedger(tmp_path / f"{at_once}.db") as ledger:
            reports = sync(stock(figures), carts, merchant=MERCHANT, ledger=ledger, at_once=at_once)
            told = [(run.cart, run.status) for run in ledger.statuses("default") if run.cart is not None]
            states = [
                [(one.listing_sku, one.accepted) for one in ledger.states("default", cart)]
                for cart, _ in told
            ]
        assert {status for _, status in told} == {"success"}
        return [[report.outcomes for report in reports], states, [cart.shelves for cart, _ in carts]]

    assert outcomes(8) == outcomes(1)


def test_progress_names_the_cart_and_is_told_by_one_thread_at_a_time(sync: Sync) -> None:
    steps: list[tuple[str, int, int | None]] = []
    inside: list[str] = []
    met: list[list[str]] = []
    pause = threading.Event()

    def on_progress(stage: str, done: int, total: int | None) -> None:
        inside.append(stage)
        pause.wait(0.001)
        met.append(list(inside))
        inside.remove(stage)
        steps.append((stage, done, total))

    sync(
        FakeSource(stock({"A": 5})),
        named(*(Held() for _ in range(8))),
        merchant=MERCHANT,
        on_progress=on_progress,
        clock=FakeClock(),
    )

    assert steps[:2] == [("stock", 1, 2), ("stock", 2, 2)]
    for number in range(1, 9):
        of_cart = [(stage, done) for stage, done, _ in steps if stage.startswith(f"cart-{number}: ")]
        name = f"cart-{number}"
        assert of_cart == [
            (f"{name}: allocate", 0),
            (f"{name}: allocate", 1),
            (f"{name}: read cart", 0),
            (f"{name}: read cart", 1),
            (f"{name}: push", 1),
        ]
    assert {len(one) for one in met} == {1}


def test_a_progress_callback_that_fails_is_that_cart_s_failure(sync: Sync) -> None:
    def on_progress(stage: str, *_: object) -> None:
        if stage == "cart-1: push":
            raise ZeroDivisionError

    reports = sync(stock({"A": 5}), named(Held(), Held()), merchant=MERCHANT, on_progress=on_progress)

    assert told(reports) == [("cart-1", "partial", "ZeroDivisionError"), ("cart-2", "success", "")]


def test_a_sink_whose_own_work_was_cancelled_fails_alone() -> None:
    broken = Held()
    broken.raises = CancelledError()

    reports = sync_carts(stock({"A": 5}), named(broken, Held()), merchant=MERCHANT)

    assert told(reports) == [("cart-1", "partial", "CancelledError"), ("cart-2", "success", "")]


# An interrupt.


class Stepped:
    """A cart behind a line; every row is a request of its own."""

    def __init__(self, line: Line, *, url: str = "https://cart.example/stock", **given: Any) -> None:
        self.line = line
        self.url = url
        self.capabilities = capabilities(readable=False, **given)

    def read_steps(self, _: Sequence[str], /) -> Steps[list[CartListing]]:
        raise AssertionError

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        results = yield from talk_all(self.line, [self._one(change) for change in changes])
        for result in results:
            if isinstance(result, OmsyncError):
                raise result
        return [result for result in results if isinstance(result, PushResult)]

    def _one(self, change: QuantityChange) -> Conversation[PushResult]:
        yield Request(method="PUT", url=self.url, body=change.quantity, timeout=10 * PATIENCE, lane="write")
        return PushResult(listing_sku=change.listing_sku, status="accepted", echo=change.quantity)

    read: Any = None
    push: Any = None


def interrupted(sync: Sync, ledger: DictLedger, *carts: Any, **options: Any) -> tuple[SyncReport, ...]:
    with pytest.raises(KeyboardInterrupt) as caught:
        sync(stock({"A": 5}), named(*carts), merchant=MERCHANT, ledger=ledger, **options)
    reports: tuple[SyncReport, ...] = caught.value.omsync_reports  # type: ignore[attr-defined]  # see docs/errors.md
    assert ledger.leases == {}
    assert [ledger.runs("default", one.cart)[0].status for one in reports] == [one.status for one in reports]
    return reports


def interrupting(when: Callable[[], bool]) -> Held:
    cart = Held(may=when)
    cart.raises = KeyboardInterrupt()
    return cart


def test_an_interrupt_wakes_carts_that_wait_and_each_has_its_report(sync: Sync, ledger: DictLedger) -> None:
    asked = threading.Event()

    def busy(_: Request) -> Response:
        asked.set()
        return Response(status=503, headers={"retry-after": str(5 * PATIENCE)})

    waiting = Stepped(Line(account="a", handler=busy, retry=RetryPolicy(total_seconds=20 * PATIENCE)))

    def is_done() -> bool:
        return any(run.status == "success" for run in ledger.runs("default", "cart-3")) and (
            ("default", "cart-3") not in ledger.leases
        )

    reports = interrupted(sync, ledger, interrupting(lambda: asked.is_set() and is_done()), waiting, Held())

    assert [(one.cart, one.status) for one in reports] == [
        ("cart-1", "partial"),
        ("cart-2", "partial"),
        ("cart-3", "success"),
    ]
    assert reports[0].code == "KeyboardInterrupt"
    assert reports[1].code in {"KeyboardInterrupt", "CancelledError"}
    assert [one.reason for one in reports[1].outcomes] == ["answer_unknown"]


def test_carts_whose_turn_has_not_come_are_left_alone_by_an_interrupt(sync: Sync, ledger: DictLedger) -> None:
    asked = threading.Event()

    def busy(_: Request) -> Response:
        asked.set()
        return Response(status=503, headers={"retry-after": str(5 * PATIENCE)})

    late = [Held() for _ in range(3)]
    waiting = Stepped(Line(account="a", handler=busy, retry=RetryPolicy(total_seconds=20 * PATIENCE)))

    reports = interrupted(sync, ledger, interrupting(asked.is_set), waiting, *late, at_once=2)

    assert [one.cart for one in reports] == ["cart-1", "cart-2"]
    assert [cart.pushes for cart in late] == [[], [], []]


@pytest.fixture
def silent() -> Iterator[tuple[str, threading.Event]]:
    """Give the address of a cart that takes requests and does not answer, and when it took one."""
    took, end = threading.Event(), threading.Event()
    waited: list[bool] = []

    class Silent(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            took.set()
            waited.append(end.wait(PATIENCE))
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/stock", took
        end.set()
        server.shutdown()
        thread.join()
    assert waited == [True], "the request was not broken off"


def test_an_interrupt_breaks_off_a_request_that_is_under_way(
    sync: Sync, ledger: DictLedger, silent: tuple[str, threading.Event]
) -> None:
    url, took = silent

    reports = interrupted(sync, ledger, interrupting(took.is_set), Stepped(Line(account="a"), url=url))

    assert [one.reason for one in reports[1].outcomes] == ["answer_unknown"]
    assert reports[1].code in {"KeyboardInterrupt", "CancelledError"}


def test_a_cart_between_two_calls_stops_before_the_next() -> None:
    """Its first batch is under way at the interrupt: it is not taken for done, and the rest is not sent."""
    interrupters: list[threading.Thread] = []

    class Watching(DictLedger):
        def release_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> None:
            super().release_lease(merchant, cart, lease)
            if cart == "cart-1":
                interrupters.append(threading.current_thread())

    # The thread of the cart that interrupts ends only after all others have been told.
    second = Held(may=lambda: bool(interrupters) and not interrupters[0].is_alive(), max_rows=1)
    second.put("B", 1)
    first = interrupting(second.reached.is_set)

    with pytest.raises(KeyboardInterrupt) as caught:
        sync_carts(stock({"A": 5, "B": 5}), named(first, second), merchant=MERCHANT, ledger=Watching())

    reports: tuple[SyncReport, ...] = caught.value.omsync_reports  # type: ignore[attr-defined]  # see docs/errors.md
    assert len(second.sent) == 1
    assert sorted((one.outcome, one.reason) for one in reports[1].outcomes) == [
        ("pending", "answer_unknown"),
        ("skipped", "cancelled"),
    ]


@pytest.mark.parametrize("twins", [False, True], ids=["blocking ports", "async ports"])
def test_a_cancelled_task_stops_all_its_carts_and_each_has_its_report(
    ledger: DictLedger, twins: bool
) -> None:
    free: list[bool] = []
    carts = [Held(may=lambda: bool(free)) for _ in range(10)]
    given = [(AsyncHeld(cart) if twins else cart, settings) for cart, settings in named(*carts)]

    async def cancelled() -> BaseException:
        work = asyncio.create_task(aio.sync_carts(stock({"A": 5}), given, merchant=MERCHANT, ledger=ledger))
        for cart in carts[:8]:
            await asyncio.to_thread(cart.reached.wait)
        work.cancel()
        await asyncio.sleep(0)
        free.append(True)
        try:
            await work
        except asyncio.CancelledError as error:
            return error
        raise AssertionError

    error = asyncio.run(cancelled())

    assert told(error.omsync_reports) == [  # type: ignore[attr-defined]  # see docs/errors.md
        (f"cart-{number}", "partial", "CancelledError") for number in range(1, 9)
    ]
    assert ledger.leases == {}
    assert [cart.reads for cart in carts[8:]] == [[], []]


# One account's pace.


def _virtual_time() -> Any:
    path = Path(__file__).parents[1] / "benchmarks" / "_pushing_time.py"
    spec = importlib.util.spec_from_file_location("_pushing_time", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_virtual_time(work: Callable[[Any], Any]) -> tuple[Any, float]:
    """Run in a loop whose time leaps; give the result and the seconds that passed."""
    times = _virtual_time()
    loop = times.VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work(times.VirtualClock(loop))), loop.time()


class Strict:
    """A platform that counts an account's calls, whoever makes them, and refuses what comes too early."""

    def __init__(self, clock: Any, *, per_second: float, bucket: int) -> None:
        self._limits = CallLimits({"any": (per_second, bucket)}, clock.monotonic)
        self.calls = self.refused = 0

    def before(self, handler: Handler, counts: Callable[[Request], bool] = lambda _: True) -> Handler:
        def handle(request: Request) -> Response:
            if counts(request):
                self.calls += 1
                if self._limits.take("any"):
                    self.refused += 1
                    return Response(status=429, headers={"retry-after": "1"})
            return handler(request)

        return handle


@pytest.mark.parametrize("at_once", [1, 8, 30])
def test_thirty_carts_of_one_account_never_call_too_early(at_once: int) -> None:
    figures = {f"SKU-{number}": 5 for number in range(20)}

    async def work(clock: Any) -> Strict:
        platform = Strict(clock, per_second=5, bucket=10)
        handler = platform.before(lambda _: Response(status=200))
        line = Line(account="acme", pace=Pace.within(bucket=10, per_second=5), handler=handler)
        carts = named(*(Stepped(line) for _ in range(30)))
        reports = await aio.sync_carts(stock(figures), carts, merchant=MERCHANT, clock=clock, at_once=at_once)
        assert {report.status for report in reports} == {"success"}
        return platform

    platform, _ = in_virtual_time(work)

    assert (platform.calls, platform.refused) == (600, 0)


def test_marketplaces_of_one_amazon_seller_share_its_pace() -> None:
    skus = [f"SKU-{number}" for number in range(19)]

    async def work(clock: Any) -> Strict:
        seller = Strict(clock, per_second=5, bucket=5)
        carts = []
        for marketplace in ("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1AM78C64UM0Y8"):
            there = AmazonMarketplace(marketplace_id=marketplace)
            for sku in skus:
                there.add(sku, 1)
            sink = Amazon(
                there.seller_id,
                marketplace_id=marketplace,
                client_id="client-1",
                client_secret="secret-1",
                refresh_token="refresh-1",
                keeper=TokenKeeper(clock),
                handler=seller.before(there.handle, lambda request: request.method == "PATCH"),
            )
            carts.append((sink, CartSettings(name=marketplace)))
        figures = dict.fromkeys(skus, 5)
        reports = await aio.sync_carts(stock(figures), carts, merchant=MERCHANT, clock=clock)
        assert {report.status for report in reports} == {"success"}, reports
        return seller

    seller, _ = in_virtual_time(work)

    assert (seller.calls, seller.refused) == (57, 0)


def test_carts_of_one_account_have_no_more_requests_under_way_than_one_may_have() -> None:
    now: list[int] = []
    seen: list[int] = []
    lock = threading.Lock()
    pause = threading.Event()

    def handler(_: Request) -> Response:
        with lock:
            now.append(1)
            seen.append(len(now))
        pause.wait(0.001)
        with lock:
            now.pop()
        return Response(status=200)

    line = Line(account="acme", handler=handler, max_in_flight=1)
    for sync in (sync_carts, awaiting):
        sync(stock({"A": 5, "B": 5}), named(*(Stepped(line) for _ in range(6))), merchant=MERCHANT)

    assert set(seen) == {1}
    assert len(seen) == 24
