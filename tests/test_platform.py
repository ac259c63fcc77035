"""What all fake carts share: the log, the troubles, and the door over HTTP."""

from __future__ import annotations

import pytest
from two_runners import run_blocking

from omsync.errors import LostAnswerError, OmsyncError, UnreachableError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, talk
from omsync.testing.carts.platform import Asked, Platform, json_answer

ONCE = RetryPolicy(attempts=1)


class Echo(Platform):
    """Answers with what it was asked, and counts how often it did something."""

    done = 0

    def answer(self, asked: Asked) -> Response:
        self.done += 1
        return json_answer(
            {
                "path": asked.path,
                "query": asked.query,
                "first": asked.first("sku"),
                "all": asked.all("sku"),
                "none": asked.first("none", "nothing"),
                "body": asked.json() if asked.content else None,
                "kind": asked.headers.get("content-type", ""),
            },
            headers={"x-mark": "1"},
        )


REQUEST = Request(
    method="PATCH",
    url="https://cart.example/v1/items",
    query=(("sku", "Ä B"), ("sku", "C")),
    body={"quantity": None},
)


def send(echo: Echo, base_url: str | None = None, request: Request = REQUEST) -> Response:
    def once() -> Conversation[Response]:
        url = request.url if base_url is None else f"{base_url}/v1/items"
        return (
            yield Request(
                method=request.method, url=url, query=request.query, body=request.body, raw=request.raw
            )
        )

    line = Line(account="cart", retry=ONCE, handler=echo.handle if base_url is None else None)
    return run_blocking(talk(line, once()))


def test_a_platform_answers_alike_in_the_process_and_over_http() -> None:
    echo = Echo()
    here = send(echo)
    with echo.serve() as server:
        there = send(echo, server.base_url)
    assert here.json() == there.json()
    assert here.json()["all"] == ["Ä B", "C"]
    assert here.json()["none"] == "nothing"
    assert here.json()["body"] == {"quantity": None}
    assert there.headers["x-mark"] == "1"
    assert [asked.path for asked in echo.requests] == ["/v1/items", "/v1/items"]


def test_a_body_that_is_no_json_comes_through_byte_by_byte() -> None:
    echo = Echo()
    send(echo, request=Request(method="POST", url="https://cart.example/v1/items", raw=b"[1]"))
    assert echo.requests[0].content == b"[1]"


@pytest.mark.parametrize("over_http", [False, True])
def test_an_answer_is_lost_after_the_work_was_done(over_http: bool) -> None:
    echo = Echo()
    echo.trouble("lost")
    with echo.serve() as server:
        with pytest.raises(LostAnswerError):
            send(echo, server.base_url if over_http else None)
        assert echo.done == 1
        assert send(echo, server.base_url if over_http else None).status == 200


@pytest.mark.parametrize(("over_http", "error"), [(False, UnreachableError), (True, OmsyncError)])
def test_an_unreachable_platform_does_nothing(over_http: bool, error: type[OmsyncError]) -> None:
    echo = Echo()
    echo.trouble("unreachable", times=2)
    with echo.serve() as server:
        for _ in range(2):
            with pytest.raises(error):
                send(echo, server.base_url if over_http else None)
    assert echo.done == 0


def test_a_scripted_response_comes_instead_of_the_work_for_requests_that_match() -> None:
    echo = Echo()
    echo.trouble(Response(status=503), when=lambda asked: asked.method == "PATCH")
    get = Request(method="GET", url="https://cart.example/v1/items")
    assert send(echo, request=get).status == 200
    with pytest.raises(OmsyncError, match="503"):
        send(echo)
    assert echo.done == 1
