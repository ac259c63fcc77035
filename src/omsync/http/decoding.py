"""JSON of answers: what the standard library makes of it, sooner where msgspec is there (``omsync[json]``).

msgspec is asked first and ``json`` whenever msgspec refuses, so that values and errors are ``json``'s own:
msgspec refuses NaN and Infinity, figures beyond a float, half a character, a byte order mark and other
encodings than UTF-8, all of which ``json`` takes. What both take they understand alike: of a name that comes
twice the last counts, whole numbers are exact at any length, and 5.0 stays a float. orjson is not used, since
it makes floats of whole numbers beyond 64 bits.

Two things are not looked at in fields that ``columns`` passes over: whether a number has more than the 4,300
digits that Python converts, and exactly how deep something is nested, where it is some hundred levels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from operator import attrgetter, itemgetter
from types import ModuleType
from typing import Any

__all__ = ["columns", "faster", "loads"]

Path = tuple[str, ...]
"""Where a field is in a row: the objects that it is in, from the outside, and its own name."""
Entries = Callable[[Sequence[Any], str], list[Any]]
"""Gives of objects what they hold under a name."""


def loads(content: bytes) -> Any:
    """Decode JSON.

    Raises:
        ValueError: It is no JSON; it may quote the content.
        RecursionError: It is nested too deep.
    """
    msgspec = faster()
    if msgspec is not None:
        with suppress(ValueError, RecursionError):
            return msgspec.json.decode(content)
    return json.loads(content)


def columns(content: bytes, paths: tuple[Path, ...]) -> list[list[Any]] | None:
    """Take fields out of a JSON array of objects, without keeping the rows; nothing is checked.

    Args:
        content: The answer.
        paths: The fields, each an identifier in objects that every row must have.

    Returns:
        For each path a list with one entry for each row, None where the field is null or missing. None when
        it is no such array, or no JSON at all: read it in another way, which finds out what is wrong.
    """
    msgspec = faster()
    if msgspec is not None:
        with suppress(ValueError, RecursionError):
            # msgspec passes over what it does not take out, and would not see that it is no UTF-8.
            content.decode()
            rows = _picker(msgspec, paths)(content)
            return _columns(rows, paths, _attributes)
    with suppress(ValueError, RecursionError, TypeError, AttributeError):
        rows = json.loads(content)
        return _columns(rows, paths, _entries) if type(rows) is list else None
    return None


@cache
def faster() -> ModuleType | None:
    """Give msgspec where it is installed."""
    try:
        return import_module("msgspec")
    except ImportError:
        return None


@cache
def _picker(msgspec: ModuleType, paths: tuple[Path, ...]) -> Callable[[bytes], list[Any]]:
    """Give what decodes rows as objects that have these fields only."""
    row = _shape(msgspec, paths)
    decode: Callable[[bytes], list[Any]] = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
    return decode


def _shape(msgspec: ModuleType, paths: Sequence[Path]) -> Any:
    fields = [
        (name, _shape(msgspec, below)) if below else (name, Any, None) for name, below in _tree(paths).items()
    ]
    return msgspec.defstruct("Row", fields, kw_only=True, gc=False)


def _tree(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Give the fields of one object, and what is wanted of those that are objects themselves."""
    tree: dict[str, list[Path]] = {}
    for name, *rest in paths:
        tree.setdefault(name, []).extend([tuple(rest)] if rest else [])
    return tree


def _columns(objects: Sequence[Any], paths: Sequence[Path], entries: Entries) -> list[list[Any]]:
    found: dict[Path, list[Any]] = {}
    for name, below in _tree(paths).items():
        # One column after the other: a tuple for each row would set off the garbage collector.
        column = entries(objects, name)
        inner = _columns(column, below, entries) if below else [column]
        found |= {(name, *path): one for path, one in zip(below or [()], inner, strict=True)}
    return [found[path] for path in paths]


def _entries(objects: Sequence[Any], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), objects))
    except KeyError:
        return [one.get(name) for one in objects]


def _attributes(objects: Sequence[Any], name: str) -> list[Any]:
    return list(map(attrgetter(name), objects))
