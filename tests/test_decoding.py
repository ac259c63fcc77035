"""Decoding of answers: with and without the faster decoder the same values and the same errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omsync.errors import DecodeError
from omsync.http.decoding import columns, faster, loads
from omsync.http.messages import Response

PATHS = (("product", "sku"), ("product", "maker", "id"), ("units",), ("product", "id"))


@contextmanager
def without_the_faster_decoder() -> Iterator[None]:
    """Be a process in which msgspec is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "msgspec", None)
        faster.cache_clear()
        yield
    faster.cache_clear()


def outcome(decode: Callable[[bytes], Any], content: bytes) -> str:
    """Say what comes of it, so that 5, 5.0 and true differ and NaN equals itself."""
    try:
        return repr(decode(content))
    except (ValueError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
odd_tokens = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "Infinity",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "tru",
        "",
        "-0",
        "5.0",
        "1e400",
        "'a'",
    ]
)
texts = st.text(max_size=5).map(json.dumps) | st.text(max_size=5).map(
    lambda text: json.dumps(text, ensure_ascii=False)
)
odd_texts = st.sampled_from(
    [
        '"\\ud83d"',
        '"\\ud83d\\u0041"',
        '"\ud800"',
        '"\\q"',
        '"a\tb"',
        '"\\u12"',
        '"\\/"',
        '"\x00"',
        '"\\u0000"',
    ]
)
names = st.sampled_from(['"product"', '"units"', '"sku"', '"id"', '"maker"', '"\\u0069d"', '"\\ud800"', '""'])
scalars = numbers | texts | st.sampled_from(["null", "true", "false"]) | odd_tokens | odd_texts


def arrays(members: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(members, max_size=4).map(lambda those: f"[{', '.join(those)}]")


def objects(members: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(names, members).map(": ".join), max_size=4)
    return pairs.map(lambda those: "{" + ",".join(those) + "}")


documents = st.recursive(scalars, lambda inner: arrays(inner) | objects(inner), max_leaves=8)


def sound_object(**members: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    told = st.fixed_dictionaries({}, optional=dict(members))
    return told.map(lambda those: "{" + ",".join(f'"{name}":{value}' for name, value in those.items()) + "}")


makers = sound_object(id=numbers | scalars, town=documents)
products = sound_object(sku=texts, id=numbers, maker=makers, note=documents)
tables = arrays(sound_object(product=products, units=numbers | scalars, note=documents) | objects(documents))


@st.composite
def contents(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> bytes:
    """Draw an answer as it comes over the wire: mostly UTF-8, now and then damaged."""
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "latin-1"]))
    content = draw(texts).encode(encoding, errors="surrogatepass" if "utf" in encoding else "replace")
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(st.binary(max_size=2)) + content[place + draw(st.integers(0, 2)) :]
    return content


ODD = [
    b'{"a": 1, "a": 2}',
    b"18446744073709551616",
    b"-123456789012345678901234567890",
    b"[5.0, 5, true]",
    b"[NaN, Infinity, -Infinity]",
    b"1e400",
    b'"\\ud83d"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b"\xef\xbb\xbf1",
    "[1]".encode("utf-16"),
    b"1" * 5000,
    b"[" * 2000 + b"]" * 2000,
    b"",
]


@settings(max_examples=150, deadline=None)
@given(contents(documents))
def test_values_and_errors_are_those_of_the_standard_library(content: bytes) -> None:
    assert outcome(loads, content) == outcome(json.loads, content)


@pytest.mark.parametrize("content", ODD, ids=lambda content: repr(content[:20]))
def test_what_decoders_differ_about_is_decided_by_the_standard_library(content: bytes) -> None:
    wanted = outcome(json.loads, content)
    assert outcome(loads, content) == wanted
    with without_the_faster_decoder():
        assert outcome(loads, content) == wanted


@settings(max_examples=150, deadline=None)
@given(contents(tables))
@example(b'[{"product": {"maker": {}}, "note": "\xff"}]')
@example(b'[{"product": {"maker": {}}, "\xff": 1}]')
@example(b'[{"product": {"maker": {}}, "note": "\\ud83d"}]')
@example(b'[{"product": {"maker": {}}, "product": {"maker": {}, "sku": 1, "sku": 2}}]')
@example(b'[{"product": {"maker": {}}, "units": 18446744073709551616}]')
@example(b'[{"product": {"maker": {}}, "units": 5.0}, {"product": {"maker": {"id": true}}}]')
def test_columns_are_the_same_with_and_without_the_faster_decoder(content: bytes) -> None:
    found = repr(columns(content, PATHS))
    with without_the_faster_decoder():
        assert found == repr(columns(content, PATHS))


@pytest.fixture(params=["json", "msgspec"])
def _each_decoder(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "msgspec":
        assert faster() is not None
        yield
    else:
        with without_the_faster_decoder():
            yield


each_decoder = pytest.mark.usefixtures("_each_decoder")


@each_decoder
def test_a_column_has_one_entry_for_each_row_and_none_where_a_field_is_null_or_missing() -> None:
    content = b"""[
        {"product": {"sku": "A", "maker": {"id": 7}, "id": null, "colour": "red"}, "units": 5.0},
        {"product": {"maker": {"id": [1]}}, "units": "5"},
        {"units": true, "product": {"sku": "C", "maker": {}, "id": 18446744073709551616}}
    ]"""
    assert repr(columns(content, PATHS)) == repr(
        [["A", None, "C"], [7, [1], None], [5.0, "5", True], [None, None, 18446744073709551616]]
    )


@each_decoder
def test_an_empty_array_has_empty_columns() -> None:
    assert columns(b"[]", PATHS) == [[], [], [], []]


@each_decoder
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"{}",
        b"5",
        b"null",
        b'"text"',
        b"[5]",
        b"[[]]",
        b'["text"]',
        b"[{}]",
        b'[{"product": null}]',
        b'[{"product": []}]',
        b'[{"product": {"maker": "text"}}]',
        b'[{"product": {"maker": {}}}, {"product": {}}]',
        b'[{"product": {"maker": {}}}, 5]',
        b'[{"product": {"maker": {}}}] cut',
        b'[{"product": {"maker": {}}, "note": "\xff"}]',
        b"[" * 2000 + b"]" * 2000,
    ],
    ids=lambda content: repr(content[:60]),
)
def test_what_is_no_array_of_such_objects_has_no_columns(content: bytes) -> None:
    assert columns(content, PATHS) is None


@each_decoder
@pytest.mark.parametrize(
    "content",
    [
        b'[{"product": {"maker": {}, "sku": "\\ud83d"}, "units": 1}]',
        b'[{"product": {"maker": {}, "sku": "A"}, "units": NaN}]',
        b'\xef\xbb\xbf[{"product": {"maker": {}, "sku": "A"}, "units": 1}]',
    ],
    ids=["half a character", "not a number", "byte order mark"],
)
def test_what_the_faster_decoder_refuses_is_decoded_all_the_same(content: bytes) -> None:
    (row,) = json.loads(content)
    assert repr(columns(content, PATHS)) == repr([[row["product"]["sku"]], [None], [row["units"]], [None]])


@each_decoder
def test_an_answer_that_is_no_json_says_what_it_is_instead() -> None:
    assert Response(status=200, content=b'{"a": 9007199254740993}').json() == {"a": 9007199254740993}
    with pytest.raises(DecodeError, match="is not JSON: it is HTML or XML"):
        Response(status=200, content=b"<html>", place="GET /somewhere").json()
