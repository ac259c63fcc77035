"""The order manager sandbox over real HTTP on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from omsync.errors import LostAnswerError, UnreachableError
from omsync.http.client import Http
from omsync.http.messages import Request
from omsync.testing import Fault, OrderManagerSandbox, Throttle, demo_merchant

TOKEN = {"Authorization": "Bearer sandbox-token"}


@pytest.fixture
def sandbox() -> OrderManagerSandbox:
    return OrderManagerSandbox()


@pytest.fixture
def client(sandbox: OrderManagerSandbox) -> Iterator[httpx.Client]:
    with sandbox.serve() as server, httpx.Client(base_url=server.base_url, headers=TOKEN) as client:
        yield client


def test_it_listens_on_loopback_only(sandbox: OrderManagerSandbox) -> None:
    with sandbox.serve() as server:
        assert server.base_url.startswith("http://127.0.0.1:")
        assert server.base_url in repr(server)


def test_it_answers_what_the_sandbox_answers_in_the_process(
    sandbox: OrderManagerSandbox, client: httpx.Client
) -> None:
    query = (("sku", "MUG-01"), ("sku", "TEA"), ("stockLocationName", ""), ("limit", "3"), ("page", "2"))
    over_http = client.get("/v1/inventory", params=list(query))
    in_process = sandbox.handle(
        Request(method="GET", url="https://any.invalid/v1/inventory", query=query, headers=TOKEN)
    )
    assert over_http.status_code == in_process.status == 200
    assert over_http.content == in_process.content
    assert over_http.headers["content-type"] == "application/json"
    assert [request.query for request in sandbox.requests] == [query, query]


def test_codes_with_spaces_signs_and_accents_survive_the_address(
    sandbox: OrderManagerSandbox, client: httpx.Client
) -> None:
    code = "A+B & C/é,100%"
    sandbox.rename_listing(44, "woo-candle", to=code)
    rows = client.get("/v1/listings", params={"listingSku": code}).json()
    assert [row["listingSku"] for row in rows] == [code]


def test_a_connection_is_kept_for_many_calls(client: httpx.Client) -> None:
    streams = set()
    for _ in range(5):
        with client.stream("GET", "/v1/warehouses") as answer:
            streams.add(id(answer.extensions["network_stream"]))
            answer.read()
    assert len(streams) == 1
    assert answer.http_version == "HTTP/1.1"


def test_acknowledge_is_a_post_with_or_without_a_body(client: httpx.Client) -> None:
    channel = {"salesChannelId": "44"}
    first = client.post("/v1.2/inventory/acknowledge", params=channel).json()
    second = client.post("/v1.2/inventory/acknowledge", params=channel, json={}).json()
    assert len(first[0]["productAggregatedQuantities"]) == 26
    assert second == [{"pagesRemaining": False, "productAggregatedQuantities": []}]


def test_refusals_have_their_status(client: httpx.Client) -> None:
    assert client.get("/v1/warehouses", headers={"Authorization": "Bearer no"}).status_code == 401
    assert client.get("/v1/nothing").status_code == 404
    assert client.put("/v1/warehouses", json=[]).status_code == 405
    assert client.get("/v1.1/products?page=0").status_code == 422


def test_a_throttled_call_says_how_many_milliseconds_to_wait() -> None:
    sandbox = OrderManagerSandbox(throttle=Throttle(bucket=1, per_second=0.5), monotonic=lambda: 0.0)
    with sandbox.serve() as server, httpx.Client(base_url=server.base_url, headers=TOKEN) as client:
        assert client.get("/v1/warehouses").status_code == 200
        refused = client.get("/v1/warehouses")
        assert (refused.status_code, refused.headers["x-skubana-quota-retryAfter"]) == (429, "2000")


def test_many_clients_at_once_tell_each_change_once(sandbox: OrderManagerSandbox) -> None:
    def page(number: int) -> list[Any]:
        params = {"salesChannelId": "44", "limit": "2"}
        answer = httpx.post(f"{url}/v1.2/inventory/acknowledge", params=params, headers=TOKEN)
        rows: list[Any] = answer.json()[0]["productAggregatedQuantities"]
        return [(number, row["product"]["masterSku"]) for row in rows]

    with sandbox.serve() as server, ThreadPoolExecutor(8) as pool:
        url = server.base_url
        heard = [sku for rows in pool.map(page, range(20)) for _, sku in rows]
    assert len(heard) == len(set(heard)) == 26


@pytest.mark.parametrize("kind", ["cut_connection", "refuse_connection_after_processing"])
def test_a_broken_connection_is_a_lost_answer_and_the_call_was_carried_out(
    sandbox: OrderManagerSandbox, kind: str
) -> None:
    sandbox.add_faults(Fault(on="POST /v1.2/inventory/acknowledge", kind=kind))
    http = Http()
    with sandbox.serve() as server:
        request = Request(
            method="POST",
            url=f"{server.base_url}/v1.2/inventory/acknowledge",
            query=(("salesChannelId", "44"),),
            headers=TOKEN,
        )
        with pytest.raises(LostAnswerError):
            http.send(request)
        assert http.send(request).json()[0]["productAggregatedQuantities"] == []
        http.close()


def test_a_connection_cut_in_the_middle_has_sent_half_of_the_body(
    sandbox: OrderManagerSandbox, client: httpx.Client
) -> None:
    sandbox.add_faults(Fault(on="GET /v1/warehouses", kind="cut_connection"))
    with client.stream("GET", "/v1/warehouses") as answer:
        pieces = answer.iter_raw()
        assert 0 < len(next(pieces)) < int(answer.headers["content-length"])
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


def test_truncated_json_arrives_as_if_it_were_whole(
    sandbox: OrderManagerSandbox, client: httpx.Client
) -> None:
    sandbox.add_faults(Fault(on="GET /v1/warehouses", kind="truncated_json"))
    answer = client.get("/v1/warehouses")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    assert len(client.get("/v1/warehouses").json()) == 4


def test_an_edit_that_breaks_is_answered_with_500_and_its_reason(
    sandbox: OrderManagerSandbox, client: httpx.Client
) -> None:
    sandbox.add_faults(Fault(on="GET /v1/warehouses", kind="replace", edit=lambda rows: rows["nothing"]))
    answer = client.get("/v1/warehouses")
    assert answer.status_code == 500
    assert "TypeError" in answer.text
    assert client.get("/v1/warehouses").status_code == 200


def test_stopping_closes_connections_that_clients_keep_open_and_all_threads_end(
    sandbox: OrderManagerSandbox,
) -> None:
    before = set(threading.enumerate())
    server = sandbox.serve()
    with httpx.Client(headers=TOKEN) as client:
        assert client.get(f"{server.base_url}/v1/companyinfo").status_code == 200
        began = set(threading.enumerate()) - before
        server.stop()
        server.stop()
        with pytest.raises(httpx.TransportError):
            client.get(f"{server.base_url}/v1/companyinfo")
    for thread in began:
        thread.join(5)
    assert not any(thread.is_alive() for thread in began)
    with pytest.raises(UnreachableError):
        Http().send(Request(method="GET", url=f"{server.base_url}/v1/companyinfo"))


def test_the_sandbox_may_start_and_stop_its_own_server(sandbox: OrderManagerSandbox) -> None:
    server = sandbox.start()
    assert sandbox.start() is server
    assert httpx.get(f"{server.base_url}/v1/companyinfo", headers=TOKEN).status_code == 200
    sandbox.stop()
    sandbox.stop()
    again = sandbox.start()
    assert httpx.get(f"{again.base_url}/v1/companyinfo", headers=TOKEN).status_code == 200
    sandbox.stop()


def test_two_servers_of_one_sandbox_share_its_state() -> None:
    sandbox = OrderManagerSandbox(demo_merchant())
    with sandbox.serve() as one, sandbox.serve() as other:
        sandbox.set_stock("TRAY-OAK", 701, on_hand=41)
        for server in (one, other):
            rows = httpx.get(
                f"{server.base_url}/v1/productstocks/total", params={"sku": "TRAY-OAK"}, headers=TOKEN
            ).json()
            assert rows[0]["onHandQuantity"] == 41
