"""How somebody else's program writes CSV: declared once, never guessed.

A file alone does not say whether ``1.234`` is a thousand or a bit more than one, or in which zone its clock
ran. Whatever a file holds that the declaration does not cover is an error.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, lookup
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import Attribute, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.textfiles.tables import CellError, records, row_at

__all__ = ["Dialect"]

_DIGITS = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_MARKS = {BOM_UTF8: ("utf-8",), BOM_UTF16_LE: ("utf-16", "utf-32"), BOM_UTF16_BE: ("utf-16",)}
"""The byte order marks, and the encodings whose files may begin so."""
_STRANGE = {
    "\x00": "a NUL, as a file of another encoding or a broken one does",
    "\ufeff": "a byte order mark in the middle, as two files in one do",
}


def _one_letter(instance: object, attribute: Attribute[Any], value: object) -> None:
    checks.text(instance, attribute, value)
    if len(str(value)) != 1 or str(value) in "\r\n\x00":
        raise InvalidValueError(
            f"Dialect.{attribute.name} must be one letter, not {checks.shown(value)}",
            remedy=r'Write "\t" for a tab.' if attribute.name == "delimiter" else "",
        )


def _mark(instance: object, attribute: Attribute[Any], value: object) -> None:
    _one_letter(instance, attribute, value)
    if str(value).isdigit() or value in {"-", "+"}:
        raise InvalidValueError(
            f"Dialect.{attribute.name} must not be a digit or a sign, and is {checks.shown(value)}"
        )


def _encoding(instance: object, attribute: Attribute[Any], value: object) -> None:
    checks.text(instance, attribute, value)
    try:
        # Only a name that means no encoding matters here, not whether this letter can be read in it.
        with suppress(UnicodeError):
            b"a".decode(str(value))
    except (LookupError, ValueError) as error:
        raise InvalidValueError(
            f"Dialect.encoding must name an encoding of text, not {checks.shown(value)}",
            remedy='Common ones: "utf-8", "cp1252" (Windows, Western Europe), "utf-16", "shift_jis".',
        ) from error


def _zone(instance: object, attribute: Attribute[Any], value: object) -> None:
    checks.text(instance, attribute, value)
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValueError(
            f"Dialect.zone must name a time zone, not {checks.shown(value)}",
            remedy='Use a name such as "Europe/Berlin", or "UTC".',
        ) from error


def _or_none(value: Any) -> Any:
    """Take an empty text for None, which a settings file cannot write."""
    return None if value == "" else value


@frozen(kw_only=True)
class Dialect:
    """How the files are written; the defaults are plain CSV in UTF-8 without any marks in numbers.

    Args:
        delimiter: The letter between two cells.
        encoding: Python's name of the encoding. A byte order mark that contradicts it is an error.
        quote: The letter around cells; None or ``""`` when the file quotes nothing.
        decimal: The decimal mark. With it, a quantity may be ``5,00``; ``5,7`` stays an error. None: no
            number has a fraction.
        thousands: The mark between groups of three digits. None: there is none, and ``1.234`` is an error.
        zone: The time zone of times that do not name theirs, such as ``"Europe/Berlin"``.
        time_format: How times are written, as for ``datetime.strptime``. None: ISO 8601.
        true_values: The words for yes, exactly; ``""`` among them is an empty cell.
        false_values: The words for no.
        trim: Whether blanks around cells mean nothing, as in files with columns of fixed width.
        ends_with_line_break: Whether the last row ends with a line break. A file without one is an error
            then, because it may be cut off.
    """

    delimiter: str = field(default=",", validator=_one_letter)
    encoding: str = field(default="utf-8", validator=_encoding)
    quote: str | None = field(default='"', converter=_or_none, validator=checks.optional(_one_letter))
    decimal: str | None = field(default=None, converter=_or_none, validator=checks.optional(_mark))
    thousands: str | None = field(default=None, converter=_or_none, validator=checks.optional(_mark))
    zone: str | None = field(default=None, converter=_or_none, validator=checks.optional(_zone))
    time_format: str | None = field(default=None, converter=_or_none, validator=checks.optional(checks.text))
    true_values: tuple[str, ...] = field(
        default=("true",), converter=checks.as_tuple, validator=checks.each(checks.any_text)
    )
    false_values: tuple[str, ...] = field(
        default=("false",), converter=checks.as_tuple, validator=checks.each(checks.any_text)
    )
    trim: bool = field(default=False, validator=checks.flag)
    ends_with_line_break: bool = field(default=True, validator=checks.flag)

    def __attrs_post_init__(self) -> None:
        pairs = [("decimal", "thousands"), ("delimiter", "quote")]
        if self.quote is None:
            # A quoted cell may hold the delimiter; without quotes nothing tells the two apart.
            pairs += [("delimiter", "decimal"), ("delimiter", "thousands")]
        for one, other in pairs:
            if getattr(self, one) is not None and getattr(self, one) == getattr(self, other):
                raise InvalidValueError(
                    f"Dialect.{one} and Dialect.{other} are both {getattr(self, one)!r}",
                    remedy="Look into a file with a text editor, and declare what stands there.",
                )
        if both := sorted(set(self.true_values) & set(self.false_values)):
            raise InvalidValueError(f"Dialect.true_values and Dialect.false_values both have {both[0]!r}")

    def rows(self, data: bytes, *, file: str, problems: list[str]) -> Iterator[tuple[int, list[str]]]:
        """Give the rows that hold anything, each with its number as a spreadsheet counts.

        Args:
            data: The file's bytes.
            file: What messages call it.
            problems: Takes one line for each finding, as ``file:row: what is wrong``.
        """
        content = self._decoded(data, file, problems)
        if content is None:
            return
        if self.ends_with_line_break and content and not content.endswith(("\n", "\r")):
            problems.append(
                f"{file}: the last row does not end with a line break, so the file may be cut off; "
                "declare ends_with_line_break=False if it never does"
            )
        found = records(content, file=file, problems=problems, delimiter=self.delimiter, quote=self.quote)
        for row, written in found:
            cells = [cell.strip() for cell in written] if self.trim else written
            if any(cells):
                yield row, cells

    def whole(self, cell: str) -> int:
        """Read a whole number: plain digits, or with the declared marks and no fraction but zeros."""
        digits, fraction = self._split(cell, "a whole number")
        if fraction.strip("0"):
            raise CellError(f"must be a whole number, not {cell!r}")
        return int(digits)

    def number(self, cell: str) -> float:
        """Read a number with the declared marks."""
        digits, fraction = self._split(cell, "a number")
        return float(f"{digits}.{fraction}") if fraction else int(digits)

    def flag(self, cell: str) -> bool:
        """Read a yes or no, in the declared words."""
        if cell in self.true_values or cell in self.false_values:
            return cell in self.true_values
        words = " or ".join(repr(word) for word in (*self.true_values, *self.false_values))
        raise CellError(f"must be {words}, not {cell!r}; declare true_values and false_values")

    def moment(self, cell: str) -> datetime:
        """Read a time, as UTC. One that comes twice when clocks go back is taken for the earlier one."""
        try:
            if self.time_format is None:
                written = datetime.fromisoformat(cell)
            else:
                written = datetime.strptime(cell, self.time_format)  # noqa: DTZ007  the zone comes below
        except ValueError as error:
            wanted = self.time_format or "2026-01-31T06:00:00"
            raise CellError(f"must be a time such as {wanted}, not {cell!r}; declare time_format") from error
        if written.tzinfo is None and self.zone is None:
            raise CellError(f"{cell!r} does not name its time zone; declare zone")
        zone = written.tzinfo or ZoneInfo(str(self.zone))
        try:
            moment = written.replace(tzinfo=zone).astimezone(UTC)
            there = moment.astimezone(zone)
        except OverflowError as error:
            raise CellError(f"must be a time of our days, not {cell!r}") from error
        if there.replace(tzinfo=None) != written.replace(tzinfo=None):
            raise CellError(f"{cell!r} never was in {self.zone}: the clocks went forward then")
        return moment

    def _split(self, cell: str, wanted: str) -> tuple[str, str]:
        """Take a number apart into its digits, with the sign, and its fraction."""
        if _DIGITS.fullmatch(cell):
            return cell, ""
        digits, mark, fraction = cell.partition(self.decimal) if self.decimal else (cell, "", "")
        if self.thousands and self.thousands in digits:
            grouped = rf"-?[1-9][0-9]{{0,2}}({re.escape(self.thousands)}[0-9]{{3}})+"
            if re.fullmatch(grouped, digits):
                digits = digits.replace(self.thousands, "")
        if not _DIGITS.fullmatch(digits) or (mark and not re.fullmatch("[0-9]+", fraction)):
            marks = [("decimal", self.decimal), ("thousands", self.thousands)]
            said = ", ".join(f"{name} mark {letter!r}" for name, letter in marks if letter)
            raise CellError(f"must be {wanted}, not {cell!r} (declared: {said or 'plain digits, no marks'})")
        return digits, fraction

    def _decoded(self, data: bytes, file: str, problems: list[str]) -> str | None:
        name = lookup(self.encoding).name
        for mark, encodings in _MARKS.items():
            if data.startswith(mark) and not name.startswith(encodings):
                problems.append(
                    f"{file}:1: begins with the byte order mark of {encodings[0]}, "
                    f"and the encoding declared is {self.encoding}"
                )
                return None
        try:
            content = data.decode(self.encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            row = self._row_at(data[: error.start].decode(self.encoding, "ignore"))
            problems.append(f"{file}:{row}: is not {self.encoding}; declare the encoding that the file has")
            return None
        for letter, what in _STRANGE.items():
            if letter in content:
                row = self._row_at(content[: content.index(letter)])
                problems.append(f"{file}:{row}: holds {what}")
                return None
        return content

    def _row_at(self, before: str) -> int:
        return row_at(before, delimiter=self.delimiter, quote=self.quote)
