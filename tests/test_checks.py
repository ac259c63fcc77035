"""The checks that values share, and the errors that they raise."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

import omsync.errors
from omsync import checks
from omsync.errors import (
    InvalidValueError,
    OmsyncError,
    SettingsError,
    ThrottledError,
    TransientError,
    UnauthorizedError,
    WrongTypeError,
)

_CLASSES = [getattr(omsync.errors, name) for name in omsync.errors.__all__]


class _NoOffset(tzinfo):
    """A zone that does not know its offset, as a datetime may have."""

    def utcoffset(self, _moment: datetime | None, /) -> timedelta | None:
        return None

    dst = utcoffset

    def tzname(self, _moment: datetime | None, /) -> str | None:
        return None


# Messages


def test_a_value_is_shown_with_its_type_and_never_longer_than_a_line() -> None:
    assert checks.shown("5") == "'5' (str)"
    assert checks.shown(None) == "None (NoneType)"
    long = checks.shown("x" * 500)
    assert len(long) == 80 + len(" (str)")
    assert long.endswith("... (str)")


# Collections


def test_collections_become_tuples_and_frozensets() -> None:
    assert checks.as_tuple(iter("ab")) == ("a", "b")
    assert checks.as_names(["a", "a"]) == frozenset({"a"})
    assert checks.as_optional_names(None) is None
    assert checks.as_optional_names(("a",)) == frozenset({"a"})


@pytest.mark.parametrize("convert", [checks.as_tuple, checks.as_names, checks.as_optional_names])
@pytest.mark.parametrize("bare", ["CUP", b"CUP"])
def test_bare_text_is_refused_with_what_to_write(convert: Any, bare: Any) -> None:
    with pytest.raises(WrongTypeError, match="not the bare text") as caught:
        convert(bare)
    assert caught.value.remedy == f"Write ({bare!r},) for a collection of one."


@pytest.mark.parametrize("convert", [checks.as_tuple, checks.as_names, checks.as_optional_names])
def test_what_is_no_collection_is_refused(convert: Any) -> None:
    with pytest.raises(WrongTypeError, match=r"A collection is wanted, not 7 \(int\)"):
        convert(7)


def test_a_mapping_is_copied_into_one_that_cannot_change() -> None:
    given = {"a": 1}
    mapping = checks.as_mapping(given)
    given["a"] = 2
    assert mapping == {"a": 1}
    assert list(mapping) == ["a"]
    assert len(mapping) == 1
    assert repr(mapping) == "{'a': 1}"
    assert isinstance(mapping, Mapping)
    with pytest.raises(TypeError):
        mapping["a"] = 3  # type: ignore[index]  # on purpose
    with pytest.raises(KeyError):
        mapping["b"]


def test_a_frozen_mapping_is_hashed_and_pickled_by_what_it_holds() -> None:
    one = checks.FrozenMapping({"a": 1, "b": 2})
    other = checks.FrozenMapping([("b", 2), ("a", 1)])
    assert one == other
    assert hash(one) == hash(other)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  our own bytes
    assert checks.FrozenMapping() == {}


def test_pairs_are_no_mapping() -> None:
    pairs: Any = [("a", 1)]
    with pytest.raises(WrongTypeError, match="A mapping is wanted, not"):
        checks.as_mapping(pairs)


# Moments


def test_moments_become_utc() -> None:
    berlin = datetime(2026, 1, 5, 13, tzinfo=timezone(timedelta(hours=1)))
    assert checks.to_utc(berlin) == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert checks.to_utc(berlin).tzinfo is UTC


@pytest.mark.parametrize(
    "left",
    [
        "2026-01-05",
        None,
        datetime(2026, 1, 5),  # noqa: DTZ001  on purpose
        datetime(2026, 1, 5, tzinfo=_NoOffset()),
    ],
)
def test_what_is_no_moment_is_left_for_the_validator(left: Any) -> None:
    assert checks.to_utc(left) is left


def test_a_zone_that_knows_no_offset_is_no_zone() -> None:
    from omsync.model import InventorySnapshot

    with pytest.raises(InvalidValueError, match=r"taken_at must know its time zone"):
        InventorySnapshot(taken_at=datetime(2026, 1, 5, tzinfo=_NoOffset()))


# Errors


@pytest.mark.parametrize("kind", _CLASSES)
def test_every_error_is_ours_and_has_a_code_of_its_own(kind: type[OmsyncError]) -> None:
    error = kind("Something is wrong")
    assert isinstance(error, OmsyncError)
    assert error.code == kind.default_code
    assert [one for one in _CLASSES if one.default_code == kind.default_code] == [kind]
    assert kind.__doc__


@pytest.mark.parametrize("kind", _CLASSES)
def test_every_error_travels_between_processes(kind: type[OmsyncError]) -> None:
    error = kind("Something is wrong", code="special", remedy="Do this.", problems=("one", "two"))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert (copy.code, copy.remedy, copy.problems) == ("special", "Do this.", ("one", "two"))


def test_an_error_is_printed_with_its_findings_and_what_to_do() -> None:
    error = SettingsError("Two things are wrong", problems=("one", "two"), remedy="Mend both.")
    assert str(error) == "Two things are wrong\n  - one\n  - two\nWhat to do: Mend both."
    assert str(SettingsError("It is wrong")) == "It is wrong"


def test_errors_are_caught_as_what_python_calls_them() -> None:
    assert issubclass(InvalidValueError, ValueError)
    assert issubclass(WrongTypeError, ValueError)
    assert issubclass(WrongTypeError, TypeError)
    assert issubclass(omsync.errors.NoExplanationError, LookupError)
    assert issubclass(omsync.errors.SnapshotError, ValueError)
    assert issubclass(UnauthorizedError, omsync.errors.RefusedError)


def test_a_transient_error_keeps_how_long_it_asked_us_to_wait() -> None:
    error = ThrottledError("Too many calls", retry_after=1.5)
    assert isinstance(error, TransientError)
    assert pickle.loads(pickle.dumps(error)).retry_after == 1.5  # noqa: S301  our own bytes
    assert TransientError("Later").retry_after is None


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1204, "1,204 rows")]
)
def test_things_are_counted_in_words(number: int, words: str) -> None:
    assert checks.counted(number, "row") == words
    assert checks.counted(number, "entry", "entries") == words.replace("rows", "entries").replace(
        "row", "entry"
    )
