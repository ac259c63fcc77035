"""A page as plain text, CSV and JSON; what came from outside steers neither a terminal nor a spreadsheet."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs

from omsync.checks import counted, printable
from omsync.errors import InvalidValueError
from omsync.planning.spreadsheet import as_csv, harmless
from omsync.views.cells import as_utc, is_known
from omsync.views.page import Branch, Cell, Chart, Column, Page, Part, Table, Tree

__all__ = ["to_csv", "to_json", "to_text"]

_MOST = 40
"""Rows of a table that the text shows; CSV, JSON and HTML have all."""

_MARKS = {"decides": " <- decides", "bad": " (!)", "warning": " (!)", "quiet": "", "good": "", "": ""}
Grid = tuple[Sequence[str], Sequence[Sequence[Cell]]]


def to_text(page: Page, *, most: int = _MOST) -> str:
    """Give a page as lines of text.

    Args:
        page: The page.
        most: Rows that are shown of each table.
    """
    blocks = [[page.title]]
    if page.at is not None:
        blocks[0][0] += f" ({_words(page.at)})"
    if page.summary:
        blocks[0].append(page.summary)
    if page.facts:
        blocks.append([f"  {fact.name}: {fact.value}{_MARKS[fact.tone]}" for fact in page.facts])
    blocks += [_part(part, most) for part in page.parts]
    if page.notes:
        blocks.append([f"note: {note}" for note in page.notes])
    return "\n\n".join("\n".join(map(printable, block)) for block in blocks)


def to_csv(page: Page, title: str | None = None) -> str:
    """Give one part of a page as CSV text; a cell that a spreadsheet would run begins with an apostrophe.

    Args:
        page: The page.
        title: Which part, by its title; None for the first table, or else the first part.

    Raises:
        InvalidValueError: The page has no such part; names those that it has.
    """
    head, rows = _grid(_chosen(page, title))
    return as_csv([map(harmless, head), *([_cell(cell) for cell in row] for row in rows)])


def to_json(page: Page, *, indent: int | None = None) -> str:
    """Give a page as JSON: each part with its ``kind``, moments as ISO 8601."""
    data = attrs.asdict(attrs.evolve(page, parts=()))
    data["parts"] = [{"kind": _kind(part), **_data(part)} for part in page.parts]
    return json.dumps(data, indent=indent, default=lambda moment: moment.isoformat())


def _chosen(page: Page, title: str | None) -> Part:
    if title is None:
        tables: list[Part] = [part for part in page.parts if isinstance(part, Table)]
        if page.parts:
            return (tables or list(page.parts))[0]
        facts = [(fact.name, fact.value) for fact in page.facts]
        return Table(title=page.title, columns=[Column(title="fact"), Column(title="value")], rows=facts)
    for part in page.parts:
        if part.title == title:
            return part
    known = ", ".join(repr(part.title) for part in page.parts)
    raise InvalidValueError(f"The page {page.title!r} has no part {title!r}", remedy=f"It has: {known}.")


def _grid(part: Part) -> Grid:
    if isinstance(part, Table):
        return [column.title for column in part.columns], part.rows
    if isinstance(part, Chart):
        return ["", *(one.name for one in part.series)], [
            (label, *(one.figures[place] for one in part.series)) for place, label in enumerate(part.labels)
        ]
    return ["level", "what", "figure", "why", "tone"], [
        (level, branch.label, branch.figure, branch.detail, branch.tone)
        for level, branch in _levels(part.root)
    ]


def _levels(branch: Branch, level: int = 0) -> Iterator[tuple[int, Branch]]:
    yield level, branch
    for below in branch.branches:
        yield from _levels(below, level + 1)


def _part(part: Part, most: int) -> list[str]:
    if isinstance(part, Tree):
        return [part.title, *_drawn(part), *([f"  {part.note}"] if part.note else [])]
    if isinstance(part, Chart):
        unit = f" ({part.unit})" if part.unit else ""
        return [part.title + unit, *_lines(part, most), *([f"  {part.note}"] if part.note else [])]
    lines = [part.title, *(_lines(part, most) if part.rows else [f"  {part.empty}"])]
    return [*lines, *([f"  {part.note}"] if part.note else [])]


def _lines(part: Table | Chart, most: int) -> list[str]:
    head, rows = _grid(part)
    numbers = (
        [column.kind == "number" for column in part.columns]
        if isinstance(part, Table)
        else [False, *(True for _ in part.series)]
    )
    cells = [list(head), *([printable(_words(cell)) for cell in row] for row in rows[:most])]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "  "
        + "  ".join(
            _padded(cell, width, right=right) for cell, width, right in zip(row, widths, numbers, strict=True)
        ).rstrip()
        for row in cells
    ]
    more = len(rows) - most
    return [*lines, *([f"  ... and {counted(more, 'more row')}"] if more > 0 else [])]


def _drawn(tree: Tree) -> Iterator[str]:
    yield f"  {_branch(tree.root)}"
    yield from _below(tree.root, "  ")


def _below(branch: Branch, indent: str) -> Iterator[str]:
    for number, one in enumerate(branch.branches, 1):
        last = number == len(branch.branches)
        yield f"{indent}{'└─' if last else '├─'} {_branch(one)}"
        yield from _below(one, indent + ("   " if last else "│  "))


def _branch(branch: Branch) -> str:
    figure = "" if branch.figure is None else f": {branch.figure:,}"
    detail = f" ({branch.detail})" if branch.detail else ""
    return f"{branch.label}{figure}{detail}{_MARKS[branch.tone]}"


def _words(cell: Cell) -> str:
    if cell is None or not is_known(cell):
        return "?"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return f"{as_utc(cell):%Y-%m-%d %H:%M}Z"
    return f"{cell:,}" if isinstance(cell, int | float) else cell


def _width(text: str) -> int:
    """Give the columns that a text takes in a terminal."""
    wide = sum(unicodedata.east_asian_width(letter) in {"W", "F"} for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def _padded(cell: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if right else cell + blanks


def _cell(cell: Cell) -> object:
    if not is_known(cell):
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        return cell.isoformat()
    return harmless(cell) if isinstance(cell, str) else cell


def _known(cell: Cell) -> Cell:
    """Give None for a number that is none, which JSON has no word for."""
    return cell if is_known(cell) else None


def _kind(part: Part) -> str:
    return type(part).__name__.lower()


def _data(part: Part) -> dict[str, Any]:
    data = attrs.asdict(part)
    if isinstance(part, Chart):
        data["drawn_as"] = data.pop("kind")
        for one in data["series"]:
            one["figures"] = list(map(_known, one["figures"]))
    if isinstance(part, Table):
        data["tone_words"] = dict(part.tone_words)
        data["rows"] = [list(map(_known, row)) for row in part.rows]
    return data
