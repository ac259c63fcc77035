"""CSV that people open in a spreadsheet: nothing from outside runs there, or breaks out of its cell."""

from __future__ import annotations

import csv
from collections.abc import Iterable

__all__ = ["as_csv", "harmless"]

_SIGNS = "=+-@"
_WIDE = "\uff1d\uff0b\uff0d\uff20"
"""The same four in full width: a spreadsheet of East Asia may take them for the narrow ones."""
_FORMULA = (*_SIGNS, *_WIDE, "\t", "\r", "\n")
_ESCAPED = "'"


def harmless(text: str) -> str:
    """Give a cell that no spreadsheet takes for a formula: an apostrophe goes before what begins like one.

    One goes before an apostrophe too, so that texts that differ stay different.
    """
    return f"'{text}" if text.startswith((*_FORMULA, _ESCAPED)) else text


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    r"""Give rows as CSV text with "\n" after each; a cell with a line end of any kind stands in quotes."""
    # Some versions of Python leave a cell with "\r" bare unless that is in the ends of lines.
    writer = csv.writer(_Line(), lineterminator="\r\n")
    return "".join(writer.writerow(row).removesuffix("\r\n") + "\n" for row in rows)


class _Line:
    """Where a single line is written to: ``writerow`` gives what this gives."""

    def write(self, line: str, /) -> str:
        return line
