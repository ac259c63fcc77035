"""What may go over the network and what may come back, before servers that mean no good."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hostile_server import HostileServer, hostile_server
from two_runners import RUNNERS, Script

from omsync.errors import (
    DeadlineError,
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    SettingsError,
    UnreachableError,
    WrongTypeError,
)
from omsync.http.client import Http
from omsync.http.clock import SystemClock
from omsync.http.loop_thread import LoopThread
from omsync.http.messages import Conversation, Request, Response
from omsync.http.network import LARGEST_ANSWER, Network
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, talk
from omsync.http.unpacking import gunzipped
from omsync.sinks.adobe_commerce import AdobeCommerce
from omsync.sinks.amazon import Amazon
from omsync.sinks.bigcommerce import BigCommerce
from omsync.sinks.ebay import Ebay
from omsync.sinks.medusa import Medusa
from omsync.sinks.saleor import Saleor
from omsync.sinks.shopify import Shopify
from omsync.sinks.vendure import Vendure
from omsync.sinks.walmart import Walmart
from omsync.sinks.woocommerce import WooCommerce
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.sources.integration_manager import IntegrationManager
from omsync.sources.tryton import Tryton

Run = Callable[..., Any]
ONCE = RetryPolicy(attempts=1)
SECRET = "tok-81-secret"


@pytest.fixture(params=RUNNERS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNNERS[request.param]


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as there:
        yield there


def ask(url: str, **more: Any) -> Conversation[Response]:
    headers = {"authorization": f"Bearer {SECRET}"}
    return (yield Request(**{"method": "GET", "url": url, "headers": headers, "timeout": 5.0, **more}))


def line(network: Network | None = None, **more: Any) -> Line:
    return Line(account="a", retry=ONCE, network=network or Network(), **more)


# Size.


@pytest.mark.parametrize("path", ["/gigabytes", "/packed"])
def test_an_answer_that_is_too_large_is_refused_before_it_is_here(
    run: Run, server: HostileServer, path: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        run(talk(line(Network(largest_answer=1_000_000)), ask(server.url + path)))

    assert caught.value.code == "answer_too_large"
    assert f"GET {server.url}{path}: the answer is larger than 1,000,000 bytes" in caught.value.message
    assert server.sent < 50_000_000


def test_an_answer_of_the_largest_size_is_taken_and_one_byte_more_is_not(
    run: Run, server: HostileServer
) -> None:
    most = Network(largest_answer=1000)

    assert len(run(talk(line(most), ask(f"{server.url}/exact"))).content) == 1000
    with pytest.raises(DecodeError, match="larger than 1,000 bytes"):
        run(talk(line(most), ask(f"{server.url}/one-too-many")))


def test_a_packed_answer_is_unpacked(run: Run, server: HostileServer) -> None:
    assert run(talk(line(), ask(f"{server.url}/small"))).json() == {"sku": "MUG"}
    assert b"accept-encoding: gzip\r\n" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/cut", "not_gzip", "it is cut off"),
        ("/not-gzip", "not_gzip", "cannot be unpacked"),
        ("/two-files", "not_gzip", "something follows its end"),
        ("/packed-twice", "unknown_packing", "packed as 'gzip, gzip'"),
        ("/deflated", "unknown_packing", "packed as 'deflate'"),
    ],
)
def test_an_answer_that_is_packed_in_another_way_is_named(
    run: Run, server: HostileServer, path: str, code: str, words: str
) -> None:
    with pytest.raises(DecodeError, match=words) as caught:
        run(talk(line(), ask(server.url + path)))
    assert caught.value.code == code


def test_nothing_is_unpacked_beyond_the_largest_size() -> None:
    packed = gzip.compress(bytes(20_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError, match="larger than 1,000 bytes"):
            gunzipped(packed, place="GET x", most=1000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_padding_behind_a_gzip_file_is_no_harm() -> None:
    assert gunzipped(gzip.compress(b"whole") + b"\0" * 7, place="GET x") == b"whole"


# Time.


@pytest.mark.parametrize("path", ["/dripping-body", "/dripping-headers", "/silent"])
def test_a_server_that_drips_is_left_when_the_whole_answer_has_had_its_time(
    run: Run, server: HostileServer, path: str
) -> None:
    with pytest.raises(LostAnswerError, match=r"no whole answer came back within 0\.3 seconds"):
        run(talk(line(), ask(server.url + path, timeout=0.3)))


def test_the_run_s_deadline_bounds_an_answer_too(run: Run, server: HostileServer) -> None:
    until = SystemClock().now() + timedelta(seconds=0.3)

    with pytest.raises(LostAnswerError, match="no whole answer came back"):
        run(talk(line(), ask(f"{server.url}/dripping-body")), deadline=until)


def test_after_the_deadline_an_answer_that_was_cut_off_is_not_asked_for_again(
    run: Run, server: HostileServer
) -> None:
    until = SystemClock().now() + timedelta(seconds=0.3)

    with pytest.raises(DeadlineError, match=r"until then: GET .* no whole answer came back"):
        run(talk(attrs.evolve(line(), retry=RetryPolicy()), ask(f"{server.url}/silent")), deadline=until)
    assert len(server.requests) == 1


def test_a_connection_that_is_never_made_was_never_sent_anything(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        # Who waits in the queue of a server that takes nobody fills it.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        try:
            with pytest.raises(UnreachableError, match=r"no connection within 0\.2 seconds"):
                run(talk(line(), ask(f"http://127.0.0.1:{full.getsockname()[1]}/", timeout=0.2)))
        finally:
            for one in waiting:
                one.close()


def test_closing_breaks_off_what_is_under_way(server: HostileServer) -> None:
    http, ended = Http(), threading.Event()

    def wait() -> None:
        try:
            http.send(Request(method="GET", url=f"{server.url}/silent"))
        except BaseException:  # noqa: BLE001  a cancellation, of whatever kind
            ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    while not server.requests:
        server.closing.wait(0.001)
    http.close()
    thread.join()

    assert ended.is_set()


def test_a_thread_that_never_began_has_nothing_to_end() -> None:
    async def never() -> None:
        raise AssertionError

    LoopThread().close(never)


# Where to.


@pytest.mark.parametrize("url", ["http://shop.internal/x", "http://10.0.0.7:8080/", "HTTP://Shop.Internal/"])
def test_plain_http_goes_to_this_machine_only(run: Run, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        run(talk(line(), ask(url)))

    assert caught.value.code == "plain_http"
    assert "Network(plain_http=" in caught.value.remedy
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1", "Shop.Internal"])
def test_plain_http_is_allowed_to_this_machine_and_to_hosts_by_name(host: str) -> None:
    assert Network(plain_http={"shop.internal"}).allows_plain_http(host)


@pytest.mark.parametrize(
    "host", ["localhost.example", "internal", "evil.shop.internal", "192.168.0.1", "::2", ""]
)
def test_what_only_looks_like_an_allowed_host_is_none(host: str) -> None:
    assert not Network(plain_http={"shop.internal"}).allows_plain_http(host)


def test_a_host_that_is_allowed_by_name_is_called(run: Run) -> None:
    there = Network(plain_http=["nobody.invalid"])

    with pytest.raises(UnreachableError, match="no connection"):
        run(talk(line(there), ask("http://nobody.invalid/")))


def test_a_fake_in_the_process_may_have_any_address(run: Run) -> None:
    assert run(talk(line(handler=Script(200)), ask("http://shop.internal/"))).status == 200


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"plain_http": "shop.internal"}, WrongTypeError),
        ({"plain_http": [""]}, InvalidValueError),
        ({"largest_answer": 0}, InvalidValueError),
        ({"largest_answer": True}, WrongTypeError),
    ],
)
def test_what_cannot_be_allowed_is_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Network(**options)


def test_the_usual_answer_has_at_most_64_mebibytes() -> None:
    assert Network().largest_answer == LARGEST_ANSWER == 64 * 1024 * 1024


@pytest.mark.parametrize(
    "kind",
    [
        AdobeCommerce,
        Amazon,
        BigCommerce,
        Ebay,
        ExtensivOrderManager,
        IntegrationManager,
        Medusa,
        Saleor,
        Shopify,
        Tryton,
        Vendure,
        Walmart,
        WooCommerce,
    ],
)
def test_every_source_and_sink_that_speaks_http_takes_a_network(kind: Any) -> None:
    assert "network" in attrs.fields_dict(kind)


def test_a_source_s_network_is_that_of_its_line() -> None:
    source = IntegrationManager(api_user="u", api_key="k", base_url="http://im.example", retry=ONCE)

    with pytest.raises(SettingsError, match="http:// would show") as caught:
        source.read_sku("MUG")
    assert caught.value.code == "plain_http"


# Redirections.


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://evil.example/login", "'https://evil.example/login'"),
        ("https://user:pass@evil.example/x?token=abc#y", "'https://evil.example/x'"),
        (f"https://evil.example/{SECRET}", "'https://evil.example/***'"),
        ("http://[", "''"),
        ("", "''"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_is_named_and_not_followed(run: Run, location: str, shown: str, status: int) -> None:
    there = Script(Response(status=status, headers={"location": location}))

    with pytest.raises(RefusedError) as caught:
        run(talk(line(handler=there), ask("https://om.example/v1")))

    assert caught.value.code == "redirected"
    assert caught.value.message == f"GET https://om.example/v1: HTTP {status}: it points elsewhere: {shown}"
    assert len(there.requests) == 1


def test_credentials_never_follow_a_redirection_to_another_host(run: Run, server: HostileServer) -> None:
    """Two real servers: the first points to the second, which must hear nothing."""
    answer = f"HTTP/1.1 307 Elsewhere\r\nLocation: {server.url}/small\r\nContent-Length: 0\r\n\r\n"

    with socket.create_server(("127.0.0.1", 0)) as first:

        def point() -> None:
            connection, _ = first.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer.encode())

        thread = threading.Thread(target=point)
        thread.start()
        with pytest.raises(OmsyncError) as caught:
            run(talk(line(), ask(f"http://127.0.0.1:{first.getsockname()[1]}/", method="POST", body=[])))
        thread.join()

    assert caught.value.code == "redirected"
    assert f"'{server.url}/small'" in caught.value.message
    assert server.requests == []


def test_nothing_is_sent_to_a_server_that_does_not_encrypt(run: Run, server: HostileServer) -> None:
    """The other side speaks no TLS at all here; what matters is that nothing is sent before it does."""
    with pytest.raises(UnreachableError, match=r"no connection within 0\.3 seconds"):
        run(talk(line(), ask(server.url.replace("http://", "https://") + "/small", timeout=0.3)))
    assert all(SECRET.encode() not in asked for asked in server.requests)


def test_both_connections_check_certificates() -> None:
    import ssl

    async def look() -> None:
        http = Http()._http  # noqa: SLF001  the one client of both
        with pytest.raises(OmsyncError):
            await http.send(Request(method="GET", url="http://127.0.0.1:1/", timeout=5.0))
        assert http._client is not None  # noqa: SLF001
        pool = http._client._transport._pool  # type: ignore[attr-defined]  # noqa: SLF001  the library does not tell
        assert pool._ssl_context.verify_mode == ssl.CERT_REQUIRED  # noqa: SLF001
        assert pool._ssl_context.check_hostname  # noqa: SLF001
        await http.aclose()

    asyncio.run(look())
