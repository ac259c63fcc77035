"""Strict CSV: every cell is what its column says, or a finding names the file, the row and the column.

Rows are counted as a spreadsheet counts them: the header is row 1.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from omsync.hints import suggestion

__all__ = [
    "CellError",
    "Column",
    "any_text",
    "code",
    "flag",
    "moment",
    "number",
    "read_table",
    "records",
    "row_at",
    "text",
    "whole",
]

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
_SPREADSHEET_NUMBER = re.compile(r"-?[0-9]+[.,][0-9]+E[+-][0-9]+|-?[0-9]E[+-][0-9]{2,}")
"""As spreadsheets show long numbers, 1.23E+05 or 1E+11; a code such as 1E5 is none of theirs."""


class CellError(Exception):
    """What is wrong with one cell."""


@frozen(kw_only=True)
class Column:
    """One column of a table.

    Args:
        name: Its header.
        read: Turns the cell's text into a value, or raises ``CellError``.
        required: Whether the table must have the column.
    """

    name: str
    read: Callable[[str], Any] = field(repr=False)
    required: bool = True


def any_text(cell: str) -> str:
    """Take any text, exactly."""
    return cell


def text(cell: str) -> str:
    """Take text that is not empty, exactly."""
    if not cell:
        raise CellError("must not be empty")
    return cell


def code(cell: str) -> str:
    """Take a SKU or an id, exactly, unless a spreadsheet has made a number of it."""
    if _SPREADSHEET_NUMBER.fullmatch(cell):
        raise CellError(
            f"{cell!r} is what a spreadsheet makes of a long number, and the code itself is lost; "
            "write the code again, with the column formatted as text"
        )
    return text(cell)


def whole(cell: str) -> int:
    """Take a whole number in plain digits."""
    if not _WHOLE.fullmatch(cell):
        raise CellError(f"must be a whole number in plain digits, not {cell!r}")
    return int(cell)


def number(cell: str) -> float:
    """Take a number with a decimal point, or a whole one."""
    if not _NUMBER.fullmatch(cell):
        raise CellError(f"must be a number such as 12.5, not {cell!r}")
    return float(cell) if {".", "e"} & set(cell) else whole(cell)


def flag(cell: str) -> bool:
    """Take exactly true or false."""
    if cell not in {"true", "false"}:
        raise CellError(f"must be true or false, not {cell!r}")
    return cell == "true"


def moment(cell: str) -> datetime:
    """Take a time that names its zone, as UTC."""
    try:
        written = datetime.fromisoformat(cell)
        if written.tzinfo is not None:
            return written.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CellError(f"must be a time such as 2026-01-31T06:00:00+00:00, not {cell!r}") from error
    raise CellError(f"must have its zone, such as 2026-01-31T06:00:00+00:00, not {cell!r}")


def read_table(
    data: bytes,
    columns: Sequence[Column],
    *,
    file: str,
    problems: list[str],
    unique: Sequence[str] = (),
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the sound rows of a CSV file, and add what is wrong with the others to ``problems``.

    Args:
        data: The file's bytes: UTF-8, with or without a byte order mark, separated by commas.
        columns: The columns that it may have.
        file: What messages call it.
        problems: Takes one line for each finding, as ``file:row:column: what is wrong``.
        unique: Columns whose values together may come once only.

    Returns:
        The number of each row and its values by column; a column that the file lacks is left out.
    """
    content = _decoded(data, file, problems)
    if content is None:
        return
    if content and not content.endswith(("\n", "\r")):
        problems.append(f"{file}: the last row does not end with a line break, so the file may be cut off")
    lines = records(content, file=file, problems=problems)
    header = next(lines, (1, []))[1]
    chosen = _chosen(header, columns, file, problems)
    if chosen is None:
        return
    first_seen: dict[tuple[Any, ...], int] = {}
    for row, cells in lines:
        values = _values(cells, chosen, f"{file}:{row}", problems)
        if values is None:
            continue
        key = tuple(values[name] for name in unique)
        if unique and first_seen.setdefault(key, row) != row:
            named = ", ".join(f"{name} {values[name]!r}" for name in unique)
            problems.append(f"{file}:{row}: {named} is given in row {first_seen[key]} already")
            continue
        yield row, values


def records(
    content: str, *, file: str, problems: list[str], delimiter: str = ",", quote: str | None = '"'
) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of a CSV text that are not blank, each with its number, until one is broken.

    Args:
        content: The text.
        file: What messages call it.
        problems: Takes the finding about a broken row.
        delimiter: What stands between two cells.
        quote: What stands around a cell; None when the file quotes nothing.
    """
    row = 0
    try:
        for row, cells in enumerate(_reader(content, delimiter, quote, strict=True), start=1):
            if cells:
                yield row, cells
    except csv.Error as error:
        problems.append(f"{file}:{row + 1}: the row is broken or cut off ({error})")


def row_at(before: str, *, delimiter: str = ",", quote: str | None = '"') -> int:
    """Give the number of the row that a text has come to where it stops.

    Args:
        before: The text up to there.
        delimiter: As for ``records``.
        quote: As for ``records``.
    """
    row = 0
    try:
        # One letter more, so that a row which begins just there counts too.
        for _ in _reader(before + "x", delimiter, quote, strict=False):
            row += 1
    except csv.Error:
        row += 1
    return row


def _reader(content: str, delimiter: str, quote: str | None, *, strict: bool) -> Iterator[list[str]]:
    return csv.reader(
        io.StringIO(content, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=strict,
    )


def _decoded(data: bytes, file: str, problems: list[str]) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = row_at(data[: error.start].decode("utf-8-sig"))
        problems.append(f"{file}:{row}: is not UTF-8; save the file as 'CSV UTF-8'")
        return None


def _chosen(
    header: list[str], columns: Sequence[Column], file: str, problems: list[str]
) -> list[Column] | None:
    known = {column.name: column for column in columns}
    found = len(problems)
    if not header:
        problems.append(f"{file}:1: there is no header; it is: {','.join(known)}")
    elif len(header) == 1 and re.search(r"[;\t]", header[0]):
        problems.append(f"{file}:1: the columns must be separated by commas, not as in {header[0]!r}")
    else:
        for index, name in enumerate(header):
            if name not in known:
                problems.append(f"{file}:1: unknown column {name!r}; {suggestion(name, known)}")
            elif name in header[:index]:
                problems.append(f"{file}:1: the column {name!r} is there twice")
        problems.extend(
            f"{file}:1: the column {column.name!r} is missing"
            for column in columns
            if column.required and column.name not in header
        )
    return None if len(problems) > found else [known[name] for name in header]


def _values(
    cells: list[str], columns: Sequence[Column], place: str, problems: list[str]
) -> dict[str, Any] | None:
    if len(cells) != len(columns):
        problems.append(f"{place}: the row has {len(cells)} cells and the header {len(columns)}")
        return None
    values: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=True):
        try:
            values[column.name] = column.read(cell)
        except CellError as error:
            problems.append(f"{place}:{column.name}: {error}")
    return values if len(values) == len(columns) else None
