"""Values to JSON and back, strictly: what comes back equals what went in, or there is an error.

Nothing is coerced: "5" is no number, true is not 1, null is no text. Every field is written, and a key that
no field has is refused.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any, TypeVar

from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

from omsync.errors import DecodeError, OmsyncError
from omsync.model import InventorySnapshot
from omsync.serial.strict import field_names, name_of, strict_converter

__all__ = ["from_data", "from_json", "snapshot_from_json", "snapshot_to_json", "to_data", "to_json"]

T = TypeVar("T")

_MOST_PROBLEMS = 100
"""More findings than this are counted, not listed."""


def to_data(value: Any) -> Any:
    """Turn a value into what JSON knows: dictionaries, lists, text, numbers, true, false and null.

    Raises:
        WrongTypeError: The value holds something that has no place in JSON.
    """
    return strict_converter().unstructure(value)


def from_data(data: Any, type_: type[T]) -> T:
    """Turn what JSON gave into a value of the wanted type; a field that has a default may be left out.

    Args:
        data: What ``json.loads`` gives.
        type_: An attrs class, or a type made of them: ``tuple[X, ...]``, ``Mapping[str, X]``.

    Raises:
        DecodeError: Something is missing, unknown or not of its type; ``problems`` names places and values.
    """
    name = name_of(type_)
    try:
        return strict_converter().structure(data, type_)
    except Exception as error:
        problems = tuple(_problems(error, name))
        if len(problems) > _MOST_PROBLEMS:
            rest = len(problems) - _MOST_PROBLEMS
            problems = (*problems[:_MOST_PROBLEMS], f"and {rest:,} more")
        raise DecodeError(
            f"The data do not describe {name}",
            problems=problems,
            remedy="Correct the places named, or write the data anew with this version of omsync.",
        ) from error


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON text; ``indent`` makes it pleasant to read.

    Raises:
        WrongTypeError: The value holds something that has no place in JSON.
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(to_data(value), ensure_ascii=False, indent=indent, separators=separators)


def from_json(text: str | bytes, type_: type[T]) -> T:
    """Read JSON text that ``to_json`` wrote, as ``from_data`` does.

    Raises:
        DecodeError: The text is no JSON (``code="not_json"``), or ``from_data`` refuses it.
    """
    try:
        data = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_such_number)
    except (ValueError, RecursionError) as error:
        raise DecodeError(
            f"The text is not JSON: {error}",
            code="not_json",
            remedy="It may have been cut off or edited; write it anew with omsync.",
        ) from error
    return from_data(data, type_)


def snapshot_to_json(snapshot: InventorySnapshot) -> str:
    """Write a snapshot as JSON text; its levels as columns, so that a million stay quick."""
    return to_json(snapshot)


def snapshot_from_json(text: str | bytes) -> InventorySnapshot:
    """Read a snapshot that ``snapshot_to_json`` wrote; it equals the one written.

    Raises:
        DecodeError: As for ``from_json``.
    """
    return from_json(text, InventorySnapshot)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return data


def _no_such_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


def _problems(error: Exception, place: str) -> Iterator[str]:
    if isinstance(error, ClassValidationError):
        with_place, others = error.group_exceptions()
        for inner, note in with_place:
            yield from _problems(inner, f"{place}.{note.name}")
        for inner in others:
            yield from _problems(inner, place)
    elif isinstance(error, IterableValidationError):
        for inner, index in error.group_exceptions()[0]:
            yield from _problems(inner, f"{place}[{index.index!r}]")
    elif isinstance(error, ForbiddenExtraKeysError):
        known = field_names(error.cl)
        for key in sorted(error.extra_fields):
            near = difflib.get_close_matches(key, known, n=1)
            yield f"{place}: unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    elif isinstance(error, KeyError):
        yield f"{place}: is missing"
    elif isinstance(error, RecursionError):
        yield f"{place[:40]}...: is nested too deeply"
    else:
        yield f"{place}: {error.message if isinstance(error, OmsyncError) else error}"
