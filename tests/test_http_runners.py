"""Both runners: over a real socket on loopback and in the process, side by side, with errors told apart."""

from __future__ import annotations

import asyncio
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fake_ports import FakeClock, capabilities, stock
from two_runners import RUNNERS, Script, ask, asks, run_awaiting, run_blocking

from omsync import (
    CartListing,
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    PushResult,
    QuantityChange,
    ReadRequest,
    aio,
    sync_cart,
)
from omsync.errors import (
    DecodeError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    SettingsError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.awaiting import AsyncRunner
from omsync.http.blocking import Runner
from omsync.http.clock import SystemClock
from omsync.http.messages import Conversation, Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, begin, call, finish, talk, talk_all

Run = Callable[..., Any]
SECRET = "tok-81-secret"
ONCE = RetryPolicy(attempts=1)


@pytest.fixture(params=RUNNERS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNNERS[request.param]


class Desk(BaseHTTPRequestHandler):
    """Answers each path in its own way."""

    protocol_version = "HTTP/1.1"
    closing = threading.Event()

    def do_GET(self) -> None:
        match self.path.split("?")[0]:
            case "/html":
                self.answer(b"<!DOCTYPE html><html>maintenance</html>")
            case "/truncated":
                self.answer(b'[{"sku": "A"')
            case "/cut":
                self.answer(b'[{"sku"', length=500)
                self.close_connection = True
            case "/nothing":
                self.close_connection = True
            case "/garbage":
                self.wfile.write(b"this is not HTTP\r\n\r\n")
                self.close_connection = True
            case "/slow":
                self.closing.wait(10)
                self.close_connection = True
            case "/redirect":
                self.answer(b"", status=302, location="/html")
            case _:
                self.answer(b"[]")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(b"|".join([self.path.encode(), self.headers["content-type"].encode(), body]))

    def answer(
        self, content: bytes, *, status: int = 200, length: int | None = None, location: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.send_header("X-Mixed-Case", "kept")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def desk() -> Iterator[str]:
    Desk.closing.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Desk.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody() -> str:
    """Give an address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def one(url: str, **more: Any) -> Conversation[Response]:
    given: dict[str, Any] = {
        "method": "GET",
        "headers": {"authorization": f"Bearer {SECRET}"},
        "timeout": 5.0,
        **more,
    }
    return (yield Request(url=url, **given))


def json_of(url: str) -> Conversation[Any]:
    response = yield from one(url)
    return response.json()


def get(run: Run, url: str, **more: Any) -> Response:
    response: Response = run(talk(Line(account="a", retry=ONCE), one(url, **more)))
    return response


# Over a socket.


def test_an_answer_comes_back_with_its_headers_in_lower_case(run: Run, desk: str) -> None:
    response = get(run, f"{desk}/v1/products", query=(("page", "2"),))

    assert (response.status, response.json(), response.headers["x-mixed-case"]) == (200, [], "kept")
    assert response.place == f"GET {desk}/v1/products?page=2"


def test_a_body_goes_out_as_json_and_names_repeat_in_the_query(run: Run, desk: str) -> None:
    response = get(run, f"{desk}/p", method="POST", body={"a": "ü"}, query=(("id", "1"), ("id", "2")))

    assert response.content.decode() == '/p?id=1&id=2|application/json|{"a":"ü"}'


def test_a_redirect_is_not_followed_so_that_no_token_goes_elsewhere(run: Run, desk: str) -> None:
    with pytest.raises(RefusedError) as caught:
        get(run, f"{desk}/redirect")

    assert caught.value.code == "redirected"
    assert "HTTP 302: it points elsewhere: '/html'" in caught.value.message


def test_a_host_that_does_not_answer_was_never_sent_anything(run: Run, nobody: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        get(run, f"{nobody}/v1/products")

    assert f"GET {nobody}/v1/products: no connection (ConnectError" in caught.value.message
    assert "Check the address" in caught.value.remedy


@pytest.mark.parametrize("path", ["/cut", "/nothing", "/garbage"])
def test_an_answer_that_does_not_come_whole_is_lost(run: Run, desk: str, path: str) -> None:
    with pytest.raises(LostAnswerError) as caught:
        get(run, f"{desk}{path}")

    assert f"GET {desk}{path}: sent, but no whole answer came back" in caught.value.message


def test_an_answer_that_takes_too_long_is_lost(run: Run, desk: str) -> None:
    with pytest.raises(LostAnswerError, match=r"no whole answer came back within 0\.05 seconds"):
        get(run, f"{desk}/slow", timeout=0.05)


@pytest.mark.parametrize(
    ("path", "what"), [("/html", "it is HTML or XML"), ("/truncated", "broken or cut off after 12 bytes")]
)
def test_an_answer_that_is_no_json_is_an_error_of_the_conversation(
    run: Run, desk: str, path: str, what: str
) -> None:
    with pytest.raises(DecodeError, match=what):
        run(talk(Line(account="a"), json_of(f"{desk}{path}")))


@pytest.mark.parametrize("url", ["om.example/v1", "ftp://om.example", "http://[::1"])
def test_an_address_that_is_none_is_named(run: Run, url: str) -> None:
    with pytest.raises(OmsyncError) as caught:
        get(run, url)

    assert caught.value.code == "bad_address"
    assert f"{url!r} is no address that can be called" in str(caught.value)


@pytest.mark.parametrize("token", [f"{SECRET}\n", f"{SECRET}ü", f"{SECRET}\x00"])
def test_a_token_that_no_header_can_hold_is_refused_without_showing_it(
    run: Run, desk: str, token: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        get(run, desk, headers={"authorization": f"Bearer {token}"})

    assert caught.value.code == "cannot_be_sent"
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_conversations_side_by_side_share_connections_and_none_stays_open(run: Run, desk: str) -> None:
    found = run(talk_all(Line(account="a"), [json_of(f"{desk}/{page}") for page in range(20)]))

    assert found == [[]] * 20


def test_errors_and_logs_never_show_the_token(
    run: Run, desk: str, nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    shown: list[str] = []
    for url in (f"{desk}/cut", f"{desk}/html", f"{nobody}/x", "nonsense"):
        with pytest.raises(OmsyncError) as caught:
            run(talk(Line(account="a", retry=ONCE), json_of(url)))
        shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]

    assert SECRET not in "\n".join(shown)
    assert SECRET not in caplog.text


def test_a_runner_that_never_spoke_has_nothing_to_close() -> None:
    with Runner() as runner:
        assert isinstance(runner.clock, SystemClock)

    async def enter_and_leave() -> None:
        async with AsyncRunner():
            pass

    asyncio.run(enter_and_leave())


def test_waiting_is_real_with_the_machine_s_clock(run: Run) -> None:
    """The two waits of a hundredth of a second are the only real ones of this suite."""
    clock = SystemClock()
    before = clock.monotonic()

    run(talk(Line(account="a", pace=Pace(per_second=100, burst=1), handler=Script(200)), ask(times=3)))

    assert clock.monotonic() - before >= 0.02
    assert clock.now().utcoffset() is not None


# In the process.


def test_results_keep_the_order_of_the_conversations_and_one_error_loses_no_other(run: Run) -> None:
    def answer(request: Request) -> Response:
        if request.url.endswith("3"):
            raise UnauthorizedError("not this one")
        return Response(status=int(request.url[-1]) + 200)

    line = Line(account="a", handler=answer, max_in_flight=3)

    outcomes = run(talk_all(line, asks(f"/{number}" for number in range(6))))

    assert [one if isinstance(one, OmsyncError) else one[0] for one in outcomes] == [
        200,
        201,
        202,
        outcomes[3],
        204,
        205,
    ]
    assert isinstance(outcomes[3], UnauthorizedError)
    assert outcomes[3].__traceback__ is None


def test_no_conversation_is_no_work(run: Run) -> None:
    assert run(talk_all(Line(account="a"), [])) == []


def test_no_more_conversations_are_under_way_than_the_line_allows(run: Run) -> None:
    lock, both, one_too_many = threading.Lock(), threading.Barrier(2, timeout=5), threading.Event()
    under_way: list[str] = []

    def answer(request: Request) -> Response:
        with lock:
            under_way.append(request.url)
            if len(under_way) > 2:
                one_too_many.set()
        both.wait()
        one_too_many.wait(0.05)
        with lock:
            under_way.remove(request.url)
        return Response(status=200)

    run(talk_all(Line(account="a", handler=answer, max_in_flight=2), asks("abcdef")))

    assert not one_too_many.is_set()


def test_a_conversation_may_handle_an_error_itself(run: Run) -> None:
    def patient() -> Conversation[str]:
        try:
            yield Request(method="GET", url="u")
        except LostAnswerError:
            return "made the best of it"
        raise AssertionError

    line = Line(account="a", handler=Script(LostAnswerError("lost")), retry=ONCE)

    assert run(talk(line, patient())) == "made the best of it"


def test_a_conversation_that_needs_no_request_gives_its_result(run: Run) -> None:
    def known() -> Conversation[str]:
        yield from ()
        return "known"

    assert run(talk(Line(account="a"), known())) == "known"


def test_steps_call_ports_and_give_what_they_return(run: Run) -> None:
    def add(first: int, second: int = 0) -> int:
        return first + second

    def steps() -> Steps[int]:
        one = yield from call(add, 1)
        return (yield from call(add, one, second=2))

    assert run(steps()) == 3


def test_steps_may_handle_an_error_of_a_port_and_go_on(run: Run) -> None:
    def broken() -> None:
        raise ValueError("oops")

    def steps() -> Steps[str]:
        try:
            yield from call(broken)
        except ValueError as error:
            return str(error)
        raise AssertionError

    assert run(steps()) == "oops"


def test_steps_without_an_effect_give_their_result(run: Run) -> None:
    def steps() -> Steps[str]:
        yield from ()
        return "at once"

    assert run(steps()) == "at once"


def test_an_awaitable_of_a_plain_function_is_awaited_and_refused_when_blocking() -> None:
    async def later() -> int:
        await asyncio.sleep(0)
        return 7

    class Awaitable:
        def __await__(self) -> Iterator[Any]:
            return later().__await__()

    def begin_later() -> Any:
        return later()

    for function in (begin_later, Awaitable):
        assert run_awaiting(call(function)) == 7
        with pytest.raises(SettingsError) as caught:
            run_blocking(call(function))
        assert caught.value.code == "async_port"


def test_a_mistake_in_a_conversation_is_raised_and_not_hidden(run: Run) -> None:
    def mistaken() -> Conversation[None]:
        yield Request(method="GET", url="u")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(talk_all(Line(account="a", handler=Script(200)), [mistaken(), mistaken()]))


# Sources and sinks that speak HTTP, through the shells.


class SteppedCart:
    """A cart written as steps, which needs no blocking methods at the shells."""

    capabilities = capabilities()

    def __init__(self, handler: Script) -> None:
        self._line = Line(account="cart", handler=handler, pace=Pace(per_second=1, burst=1))

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        statuses = yield from talk(self._line, ask("/read"))
        return [CartListing(listing_sku=sku, quantity=statuses[0]) for sku in listing_skus]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        yield from talk(self._line, ask("/push", method="POST"))
        return [
            PushResult(listing_sku=row.listing_sku, status="accepted", echo=row.quantity) for row in changes
        ]

    def read(self, _: Sequence[str], /) -> list[CartListing]:
        raise AssertionError

    def push(self, _: Sequence[QuantityChange], /) -> list[PushResult]:
        raise AssertionError


class SteppedSource:
    """A source written as steps."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def read_steps(self, _: ReadRequest, /) -> Steps[InventorySnapshot]:
        yield from talk_all(self._line, asks(["/a", "/b"]))
        return stock({"A": 5})

    def read(self, _: ReadRequest, /) -> InventorySnapshot:
        raise AssertionError


@pytest.mark.parametrize("blocking", [True, False])
def test_sources_and_sinks_written_as_steps_share_one_pace_and_one_clock(blocking: bool) -> None:
    clock, script = FakeClock(), Script(200)
    source = SteppedSource(Line(account="om", handler=script, max_in_flight=1))
    merchant = MerchantSettings(mode=PerWarehouse())
    cart = CartSettings(name="shop")

    if blocking:
        report = sync_cart(source, SteppedCart(script), cart, merchant=merchant, clock=clock)
    else:
        report = asyncio.run(aio.sync_cart(source, SteppedCart(script), cart, merchant=merchant, clock=clock))

    assert [request.url.rsplit("/", 1)[1] for request in script.requests] == ["a", "b", "read", "push"]
    assert clock.slept == [1.0]
    assert dict(report.counts) == {"applied": 1}


# Works that go on beside what comes next.


def test_a_work_that_was_begun_goes_on_beside_what_comes_next(run: Run) -> None:
    met = threading.Event()

    def beside() -> Steps[str]:
        yield from call(met.set)
        return "done"

    def steps() -> Steps[tuple[bool, str]]:
        begun = yield from begin(beside())
        waited = yield from call(met.wait, 20.0)
        return waited, (yield from finish(begun))

    assert run(steps()) == (True, "done")


@pytest.mark.parametrize("error", [UnreachableError("gone"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_an_error_of_a_work_that_was_begun_is_raised_to_whoever_finishes_it(
    run: Run, error: BaseException
) -> None:
    def failing() -> None:
        raise error

    def steps() -> Steps[str]:
        begun = yield from begin(call(failing))
        yield from call(lambda: None)
        try:
            yield from finish(begun)
        except BaseException as raised:  # noqa: BLE001  any of them
            return repr(raised)
        return "nothing"

    assert run(steps()) == repr(error)


def test_what_nobody_finishes_is_broken_off_and_its_error_is_not_seen(run: Run) -> None:
    asked = threading.Event()
    ended: list[str] = []

    def busy(_: Request) -> Response:
        asked.set()
        return Response(status=503, headers={"retry-after": "1000"})

    def waiting() -> Steps[None]:
        try:
            yield from talk(Line(account="a", handler=busy, retry=RetryPolicy(total_seconds=5000)), one("x"))
        finally:
            ended.append("waiting")

    def failing() -> None:
        ended.append("failing")
        raise ZeroDivisionError

    def steps() -> Steps[str]:
        yield from begin(waiting())
        yield from begin(call(failing))
        yield from call(asked.wait, 20.0)
        return "the result"

    assert run(steps(), clock=SystemClock()) == "the result"
    assert sorted(ended) == ["failing", "waiting"]
