"""Files as a cart: the cart is the file itself, as CSV or as one JSON object a line.

Both hold listing_sku, location and quantity, or with ``audit=`` also where each quantity came from; sorted,
so that two runs compare line by line. A file is replaced whole or not at all. One that omsync cannot read
exactly is never overwritten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.sinks._audit import Audit, row_of, semantics, version
from omsync.sinks._file_cart import FileCart, Rows, in_order
from omsync.sinks._jsonl import checked, object_of
from omsync.sinks._manifest import Manifest, check_manifest
from omsync.textfiles.tables import CellError, Column, moment, read_table, records, text, whole

__all__ = ["Audit", "CsvCart", "JsonlCart", "Manifest", "check_manifest"]

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""How a code begins that a spreadsheet would take for a formula, or that looks like an escaped one."""


@frozen
class CsvCart(FileCart):
    r"""A cart that is a CSV file: ``listing_sku,location,quantity``.

    Codes are always quoted, so that an import as text keeps ``"00123"``. No location is an empty cell.

    Args:
        path: The file; it need not be there yet, its folder must.
        audit: Write the audit columns instead. Keep to one choice for one file.
        line_ending: ``"\n"`` or ``"\r\n"``; either is read.
        manifest: Write ``NAME.manifest.json`` after the file, for ``check_manifest``.
        escape_formulas: Put an apostrophe before a code that a spreadsheet would take for a formula (it
            begins with ``= + - @``, a tab or a line break), and before one where apostrophes come before such
            a beginning. Reading takes it away again, so codes stay exact. Keep to one choice for one file.
        byte_order_mark: Begin the file with the mark by which Excel knows UTF-8; it is read with or without.
    """

    escape_formulas: bool = field(default=True, validator=checks.flag, kw_only=True)
    byte_order_mark: bool = field(default=False, validator=checks.flag, kw_only=True)

    def _decoded(self, data: bytes, problems: list[str]) -> Rows:
        name = self.path.name
        _, header = next(records(data.decode("utf-8-sig", "replace"), file=name, problems=[]), (1, []))
        self._refuse_other_columns(header)
        readers: Mapping[str, Callable[[str], Any]] = {
            "location": lambda cell: self._plain(cell) or None,
            "quantity": _pieces,
            "run_id": self._plain,
            "as_of": moment,
            "semantics": semantics,
            "version": lambda cell: version(whole(cell)),
        }
        rows = read_table(
            data,
            [Column(name=column, read=readers.get(column, self._code)) for column in self._columns],
            file=name,
            problems=problems,
            unique=("sku" if self.audit else "listing_sku", "location"),
        )
        return dict(row_of(values) for _, values in rows)

    def _encoded(self, rows: Rows) -> bytes:
        lines = [",".join(self._columns)]
        for key, row in in_order(rows):
            lines.append(",".join(self._cell(name, value) for name, value in row.values(key).items()))
        mark = "\ufeff" if self.byte_order_mark else ""
        return (mark + "".join(line + self.line_ending for line in lines)).encode()

    def _cell(self, name: str, value: Any) -> str:
        if value is None or name in {"as_of", "semantics"} or type(value) is int:
            return "" if value is None else str(value)
        escaped = f"'{value}" if self.escape_formulas and _FORMULA.match(value) else value
        return '"' + escaped.replace('"', '""') + '"'

    def _plain(self, cell: str) -> str:
        escaped = self.escape_formulas and cell.startswith("'") and _FORMULA.match(cell)
        return cell[1:] if escaped else cell

    def _code(self, cell: str) -> str:
        return text(self._plain(cell))


@frozen
class JsonlCart(FileCart):
    r"""A cart that is a file of JSON objects, one a line, with listing_sku, location and quantity.

    No location is null. The keys always come in the same order.

    Args:
        path: The file; it need not be there yet, its folder must.
        audit: Write the audit columns instead. Keep to one choice for one file.
        line_ending: ``"\n"`` or ``"\r\n"``; either is read.
        manifest: Write ``NAME.manifest.json`` after the file, for ``check_manifest``.
    """

    def _decoded(self, data: bytes, problems: list[str]) -> Rows:
        name = self.path.name
        try:
            lines = data.decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            problems.append(f"{name}:{data.count(10, 0, error.start) + 1}: is not UTF-8")
            return {}
        if lines.pop():
            problems.append(
                f"{name}: the last row does not end with a line break, so the file may be cut off"
            )
        rows: Rows = {}
        for number, line in enumerate(lines, start=1):
            try:
                values = object_of(line)
                if number == 1:
                    self._refuse_other_columns(values)
                key, row = row_of(checked(values, self._columns))
            except CellError as error:
                problems.append(f"{name}:{number}: {error}")
                continue
            if key in rows:
                sku = "sku" if self.audit else "listing_sku"
                problems.append(f"{name}:{number}: {sku} {key[0]!r}, location {key[1]!r} is given twice")
            rows[key] = row
        return rows

    def _encoded(self, rows: Rows) -> bytes:
        lines = [json.dumps(row.values(key), ensure_ascii=False) for key, row in in_order(rows)]
        return "".join(line + self.line_ending for line in lines).encode()


def _pieces(cell: str) -> int:
    quantity = whole(cell)
    if not 0 <= quantity <= checks.LARGEST:
        raise CellError(f"must be from 0 to {checks.LARGEST}, not {cell}")
    return quantity
