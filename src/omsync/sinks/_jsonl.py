"""One line of a cart file in JSON: read exactly, or what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omsync import checks
from omsync.hints import suggestion
from omsync.sinks._audit import semantics, version
from omsync.textfiles.tables import CellError, moment

__all__ = ["checked", "object_of"]


def object_of(line: str) -> dict[str, Any]:
    """Read a line as one JSON object whose keys come once.

    Raises:
        CellError: It is none.
    """
    try:
        row = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise CellError(f"is not a JSON object ({error})") from error
    if type(row) is not dict:
        raise CellError(f"is not a JSON object, but {checks.shown(row)}")
    return row


def checked(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Give the row's values, each as its column wants it.

    Raises:
        CellError: A key is unknown or missing, or a value is not what its column holds.
    """
    for key in row:
        if key not in columns:
            raise CellError(f"unknown key {key!r}; {suggestion(key, columns)}")
    for key in columns:
        if key not in row:
            raise CellError(f"the key {key!r} is missing")
    values = {}
    for key in columns:
        read: Callable[[Any], Any] = _READERS.get(key, _text)
        try:
            values[key] = read(row[key])
        except CellError as error:
            raise CellError(f"{key} {error}") from error
    return values


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise CellError("a key is given twice")
    return row


def _text(value: Any) -> str:
    if type(value) is not str or not value:
        raise CellError(f"must be text and not empty, not {checks.shown(value)}")
    return value


def _any_text(value: Any) -> str:
    if type(value) is not str:
        raise CellError(f"must be text, not {checks.shown(value)}")
    return value


def _location(value: Any) -> str | None:
    if value is not None and (type(value) is not str or not value):
        raise CellError(f"must be null, or text and not empty, not {checks.shown(value)}")
    return value


def _quantity(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= checks.LARGEST:
        raise CellError(f"must be a whole number from 0 to {checks.LARGEST}, not {checks.shown(value)}")
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "location": _location,
    "quantity": _quantity,
    "run_id": _any_text,
    "as_of": lambda value: moment(_text(value)),
    "semantics": lambda value: semantics(_text(value)),
    "version": lambda value: version(_quantity(value)),
}
