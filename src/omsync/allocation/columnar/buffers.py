"""Columns of whole numbers: what is taken for one, and how large its numbers are."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from attrs import fields

from omsync.errors import InvalidValueError, WrongTypeError

__all__ = ["Columns", "Flags", "Numbers", "as_flags", "as_numbers", "copied", "packed", "taker"]

Numbers = memoryview
"""A read-only view of signed whole numbers of four or eight bytes: ``"i"``, ``"q"`` (or ``"l"``)."""

Flags = bytes
"""One byte for each product: 1 for yes."""


def as_numbers(value: object) -> Numbers:
    """View a buffer of signed whole numbers, without a copy.

    Raises:
        WrongTypeError: It is no buffer, or its numbers are not signed and of four or eight bytes.
    """
    try:
        view = memoryview(value)  # type: ignore[arg-type]  # what is no buffer is refused below
    except TypeError as error:
        raise WrongTypeError(
            f"A column is a buffer of whole numbers, not {type(value).__name__}",
            remedy="Give array('i', ...), array('q', ...), or a numpy array of int32 or int64.",
        ) from error
    if view.format not in {"i", "l", "q"} or view.itemsize not in {4, 8} or view.ndim != 1:
        raise WrongTypeError(
            f"A column holds signed whole numbers of 4 or 8 bytes, one after another, not {view.format!r}",
            remedy="Give array('i', ...), array('q', ...), or a numpy array of int32 or int64.",
        )
    return view.toreadonly()


def as_flags(value: bytes | bytearray | memoryview) -> Flags:
    """Take one byte for each product; copied only if it could change."""
    flags = bytes(value)
    if flags.translate(None, b"\x00\x01"):
        raise InvalidValueError("A column of flags holds bytes of 0 and 1 only")
    return flags


def packed(numbers: Iterable[int]) -> array[int]:
    """Keep whole numbers in four bytes each where they fit, else in eight.

    Raises:
        OverflowError: One does not fit into eight bytes.
    """
    kept = numbers if isinstance(numbers, list) else list(numbers)
    try:
        return array("i", kept)
    except OverflowError:
        return array("q", kept)


def taker(places: Sequence[int]) -> Callable[[Sequence[int]], Sequence[int]]:
    """Give what takes the entries at these places out of a column, all of them in one call."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda column: [column[place] for place in places]


def copied(column: Numbers) -> array[int]:
    """Copy a column into an array, which can be sent to another process; a view cannot."""
    kept = array("i" if column.itemsize == array("i").itemsize else "q")
    kept.frombytes(column.tobytes())
    return kept


class Columns:
    """What has columns among its fields can be sent to another process: they go as arrays."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        kind: Any = type(self)
        return _made_again, (kind, {one.name: _sendable(getattr(self, one.name)) for one in fields(kind)})


def _sendable(value: object) -> object:
    if isinstance(value, memoryview):
        return copied(value)
    return tuple(map(_sendable, value)) if type(value) is tuple else value


def _made_again(kind: Callable[..., Any], parts: dict[str, Any]) -> Any:
    return kind(**{name: _viewed(part) for name, part in parts.items()})


def _viewed(value: object) -> object:
    if isinstance(value, array):
        return as_numbers(value)
    return tuple(map(_viewed, value)) if type(value) is tuple else value
