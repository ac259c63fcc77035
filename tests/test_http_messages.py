"""Requests, responses and conversations: small values that show no secret."""

from __future__ import annotations

import pytest

from omsync.errors import DecodeError, OmsyncError
from omsync.http.driving import advance, kept
from omsync.http.messages import Conversation, Request, Response, scrubbed
from omsync.http.pacing import Pace
from omsync.http.steps import Line

SECRET = "tok-81-secret"


def response(content: bytes) -> Response:
    return Response(status=200, content=content, place="GET https://om.example/v1/products")


def test_a_request_shows_neither_its_headers_nor_its_body() -> None:
    request = Request(
        method="POST",
        url="https://shop.example/api",
        headers={"authorization": f"Bearer {SECRET}"},
        body={"password": SECRET},
    )

    assert SECRET not in repr(request)
    assert SECRET not in request.place
    assert SECRET in (request.content or b"").decode()


def test_a_response_does_not_show_its_headers() -> None:
    assert SECRET not in repr(Response(status=200, headers={"vendure-auth-token": SECRET}))


def test_the_place_of_a_request_is_its_verb_address_and_query() -> None:
    request = Request(method="GET", url="https://om.example/v1", query=(("sku", "A & B"), ("page", "2")))

    assert request.place == "GET https://om.example/v1?sku=A+%26+B&page=2"
    assert Request(method="GET", url="https://om.example/v1").place == "GET https://om.example/v1"


def test_no_body_is_something_else_than_null() -> None:
    assert Request(method="GET", url="u").content is None
    assert Request(method="POST", url="u", body=None).content == b"null"
    assert Request(method="POST", url="u", body={"name": "Tasse für Tee"}).content == (
        '{"name":"Tasse für Tee"}'.encode()
    )


def test_json_is_decoded() -> None:
    assert response(b'[{"sku": "A"}]').json() == [{"sku": "A"}]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "it is empty"),
        (b"  \n ", "it is empty"),
        (b"<!DOCTYPE html><html>", "it is HTML or XML"),
        (b"\n<html>", "it is HTML or XML"),
        (b"<?xml version='1.0'?>", "it is HTML or XML"),
        (b'[{"sku": "A"', "it begins like JSON and is broken or cut off after 12 bytes"),
        (b"Service unavailable", "it begins b'Service unavailable'"),
        (b"[" * 100_000, "it begins like JSON and is broken or cut off after 100000 bytes"),
    ],
)
def test_an_answer_that_is_no_json_says_what_it_is_instead(content: bytes, what: str) -> None:
    with pytest.raises(DecodeError) as caught:
        response(content).json()

    assert caught.value.code == "not_json"
    assert what in caught.value.message
    assert "GET https://om.example/v1/products" in caught.value.message
    assert "proxy" in caught.value.remedy


def test_the_excerpt_of_an_answer_is_one_short_line() -> None:
    assert response(b"no\nway").excerpt == r"'no\nway'"
    assert len(response(b"x" * 5000).excerpt) < 100
    assert "\ufffd" in response(b"\xff").excerpt


def question(path: str) -> Conversation[str]:
    """Ask twice at most: the second time when the first failed."""
    try:
        answer = yield Request(method="GET", url=path)
    except OmsyncError:
        answer = yield Request(method="GET", url=f"{path}/again")
    return answer.content.decode()


def test_a_conversation_is_tested_without_a_network() -> None:
    talk = question("u")

    assert advance(talk, None, None) == (Request(method="GET", url="u"), None)
    assert advance(talk, None, OmsyncError("gone")) == (Request(method="GET", url="u/again"), None)
    assert advance(talk, response(b"hello"), None) == (None, "hello")


def test_an_error_that_is_kept_as_a_result_lets_go_of_the_frames_it_came_through() -> None:
    with pytest.raises(OmsyncError) as caught:
        raise OmsyncError("kept")

    assert kept(caught.value).__traceback__ is None


def test_a_line_shows_no_handler_and_knows_the_pace_of_each_lane() -> None:
    slow = Pace(per_second=1)
    line = Line(account="a", lanes={"GET /v1/inventory": slow}, handler=lambda _: response(b""))

    assert "handler" not in repr(line)
    assert line.pace_of("GET /v1/inventory") is slow
    assert line.pace_of("GET /v1/other") == Pace()


def test_secrets_of_a_signed_query_are_taken_out_of_an_answer_that_echoes_them() -> None:
    request = Request(
        method="GET",
        url="http://shop.example/x",
        query=(("consumer_secret", "cs_very/secret+1"), ("oauth_version", "1.0"), ("sku", "MUG-RED-0017")),
    )
    echoed = Response(status=401, content=b"1.0 MUG-RED-0017 cs_very/secret+1 cs_very%2Fsecret%2B1")
    assert scrubbed(request, echoed).content == b"1.0 MUG-RED-0017 *** ***"
