"""A secret hides itself wherever values are shown, copied out or written down."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from typing import Any

import attrs
import pytest

from omsync.errors import DecodeError, InvalidValueError, OmsyncError, SettingsError, WrongTypeError
from omsync.http.driving import advance
from omsync.http.messages import Conversation, Request, Response, hush, scrubbed
from omsync.http.tokens import Token
from omsync.secrets import Secret, as_optional_secret, as_secret
from omsync.serial import values
from omsync.sinks.saleor import Saleor
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.sources.integration_manager import IntegrationManager

HUSH = "hush-7f3a91c2"


def saleor(token: Any) -> Saleor:
    return Saleor("https://shop.example/graphql/", token=token, warehouse="main")


def test_a_secret_is_revealed_when_asked_and_in_no_other_way(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(HUSH)
    logging.getLogger("mine").warning("with %s and %r", secret, secret)

    assert secret.reveal() == HUSH
    assert (str(secret), repr(secret), f"{secret}", f"{secret:>5}", f"{secret!r}") == (
        "***",
        "Secret(***)",
        "***",
        "  ***",
        "Secret(***)",
    )
    assert HUSH not in caplog.text
    assert HUSH not in str(attrs.asdict(saleor(HUSH)))


@pytest.mark.parametrize("thing", [Secret(HUSH), saleor(HUSH), [saleor(HUSH)], Token(value=HUSH)])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_neither_a_secret_nor_what_holds_one_is_pickled(thing: Any, protocol: int) -> None:
    with pytest.raises(SettingsError) as caught:
        pickle.dumps(thing, protocol)

    assert caught.value.code == "secret_pickled"
    assert "where it is used" in caught.value.remedy
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize("write", [json.dumps, values.to_json])
def test_a_secret_is_not_written_as_json(write: Any) -> None:
    with pytest.raises(TypeError) as caught:
        write({"token": Secret(HUSH)})
    assert HUSH not in str(caught.value)


def test_secrets_are_equal_by_their_texts_and_to_nothing_else() -> None:
    assert Secret(HUSH) == Secret(HUSH)
    assert len({Secret(HUSH), Secret(HUSH), Secret("other")}) == 2
    assert Secret(HUSH) != HUSH
    assert Secret(HUSH) != Secret("other")


def test_a_copy_of_a_sink_has_its_secret() -> None:
    assert copy.copy(Secret(HUSH)) == copy.deepcopy(Secret(HUSH)) == Secret(HUSH)
    assert copy.deepcopy(saleor(HUSH)).token.reveal() == HUSH
    assert attrs.evolve(saleor(HUSH), warehouse="east").token.reveal() == HUSH


def test_sources_and_sinks_take_text_or_a_secret() -> None:
    assert saleor(HUSH) == saleor(Secret(HUSH))
    assert ExtensivOrderManager(HUSH) == ExtensivOrderManager(Secret(HUSH))
    assert ExtensivOrderManager(HUSH).account != ExtensivOrderManager("another").account
    assert as_secret(HUSH) == as_optional_secret(HUSH) == Secret(HUSH)
    assert as_optional_secret(None) is None


@pytest.mark.parametrize("value", [None, b"hush-7f3a91c2", 7, [HUSH]])
def test_what_is_no_text_is_no_secret_and_is_not_shown(value: Any) -> None:
    for make in (
        lambda: Secret(value),
        lambda: saleor(value),
        lambda: ExtensivOrderManager(value),
        lambda: IntegrationManager(api_user="u", api_key=value),
        lambda: Token(value=value),
    ):
        with pytest.raises(OmsyncError) as caught:
            make()
        assert HUSH not in str(caught.value)


def test_a_secret_that_is_empty_is_none() -> None:
    with pytest.raises(InvalidValueError, match="must not be empty"):
        Token(value="")
    with pytest.raises(WrongTypeError):
        Token(value=None)  # type: ignore[arg-type]  # what is tried
    with pytest.raises(SettingsError, match="empty"):
        saleor(Secret(""))


def test_a_token_that_is_given_back_is_data_and_an_echo_of_what_was_sent_is_none() -> None:
    body = {"refresh_token": "refresh-token-1", "variables": {"password": "password-1"}}
    headers = {"authorization": f"Bearer {HUSH}", "vendure-token": "channel-token-1", "x-api-key": "short"}
    request = Request(method="POST", url="u", headers=headers, body=body)
    said = json.dumps([HUSH, "password-1", "refresh-token-1", "channel-token-1", "short"]).encode()

    success = scrubbed(request, Response(status=200, content=said))
    failure = scrubbed(request, Response(status=400, content=said))

    assert success.json() == ["***", "***", "refresh-token-1", "channel-token-1", "short"]
    assert failure.json() == ["***", "***", "***", "***", "***"]


def test_an_error_about_an_answer_that_tells_of_success_quotes_none_of_what_was_sent() -> None:
    headers = {"authorization": f"Bearer {HUSH}", "x-api-key": "short", "vendure-token": "main"}
    body = {"refresh_token": "refresh-token-1", "password": "pass/word-1"}
    request = Request(method="POST", url="u", headers=headers, body=body)
    echo = ["short", "refresh-token-1", "main"]

    def question() -> Conversation[None]:
        answer = (yield request).json()
        findings = (f"{answer[1]} is none", f"not {answer[1][:9]}...")
        raise DecodeError(f"u: must be a number, not {answer}", remedy=f"Ask {answer[0]}", problems=findings)

    talk = question()
    advance(talk, None, None)
    with pytest.raises(DecodeError) as caught:
        advance(talk, scrubbed(request, Response(status=200, content=json.dumps(echo).encode())), None)

    assert caught.value.message == "u: must be a number, not ['***', '***', 'main']" == caught.value.args[0]
    assert caught.value.remedy == "Ask ***"
    assert caught.value.problems == ("*** is none", "not ***...")
    assert "short" not in str(vars(caught.value))


def test_a_secret_that_a_server_writes_in_its_own_way_is_found() -> None:
    request = Request(method="POST", url="u", body={"password": 'pass/"word"-1'})
    said = rb'["pass\/\"word\"-1", "pass/\"word\"-1", "pass%2F%22word%22-1"]'

    assert scrubbed(request, Response(status=200, content=said)).json() == ["***", "***", "***"]


def test_a_secret_of_a_letter_or_three_leaves_the_words_of_an_error_alone() -> None:
    error = OmsyncError("a message about a key")
    hush(error, {"a", "key", ""})

    assert error.message == "a message about a key"


def test_the_secrets_that_an_answer_may_repeat_are_not_shown_by_it() -> None:
    request = Request(method="GET", url="u", headers={"x-api-key": HUSH})
    response = scrubbed(request, Response(status=200, content=b"[]"))

    assert response.secrets == {HUSH}
    assert HUSH not in repr(response)
