"""A table's rows as the compact JSON that the page's script reads; it can hold no tag."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import datetime
from typing import Any

from omsync.views._markup import Html, element, ready
from omsync.views.cells import SIGNS, as_utc, is_known, visible, worded
from omsync.views.page import Branch, Cell, Column, Table

__all__ = ["data_script", "key_columns"]

_READABLE = 500_000
"""Longer JSON is packed: what is mailed stays small, and what is small stays readable in the file."""

_EXACT = 2**53
"""Beyond it a browser's numbers are no longer whole: such figures are given as they are written."""


def data_script(table: Table, number: int) -> Html:
    """Give a table's rows, tones and explanations as a script element of data.

    Args:
        table: The table.
        number: Which of the page it is.
    """
    keys = set(key_columns(table))
    text = json.dumps(
        {
            "columns": [[column.kind, int(place in keys)] for place, column in enumerate(table.columns)],
            "rows": [
                [_compact(cell, column) for cell, column in zip(row, table.columns, strict=True)]
                for row in table.rows
            ],
            "tones": table.tones,
            "trees": [None if tree is None else _branch(tree.root) for tree in table.details],
            "notes": [None if tree is None else visible(tree.note) for tree in table.details],
            "titles": [None if tree is None else visible(tree.title) for tree in table.details],
            "signs": SIGNS,
            "words": {tone: visible(word) for tone, word in table.tone_words.items()},
        },
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )
    name = f"data-{number}"
    if len(text) <= _READABLE:
        return element("script", ready(text.replace("<", "\\u003c")), type="application/json", id=name)
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    return element("script", packed, type="text/plain", id=name, data_packed="deflate")


def key_columns(table: Table) -> list[int]:
    """Say which columns name a row, and are searched; all, where none is said to be."""
    keys = [place for place, column in enumerate(table.columns) if column.is_key]
    return keys or list(range(len(table.columns)))


def _compact(cell: Cell, column: Column) -> str | int | float | bool | None:
    if not is_known(cell):
        return None
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, datetime):
        return int(as_utc(cell).timestamp()) if column.kind == "time" else worded(cell)
    if isinstance(cell, str):
        return visible(cell)
    # A bare number in a column of moments would be taken for one.
    return worded(cell) if column.kind == "time" or abs(cell or 0) >= _EXACT else cell


def _branch(branch: Branch) -> list[Any]:
    """Give [label, figure, detail, tone, branches], without what is empty at its end."""
    told: list[Any] = [
        visible(branch.label),
        branch.figure if branch.figure is None or abs(branch.figure) < _EXACT else f"{branch.figure:,}",
        visible(branch.detail),
        branch.tone,
        [_branch(one) for one in branch.branches],
    ]
    while told[-1] in (None, "", []):
        told.pop()
    return told
