"""Files as a cart: the cart is the file itself, as CSV or as one JSON object a line.

Both hold listing_sku, location and quantity, sorted, so that two runs compare line by line. A file is
replaced whole or not at all. One that omsync cannot read exactly is never overwritten.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.errors import DecodeError, RefusedError, UnreachableError
from omsync.hints import first_few, suggestion
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.textfiles.durable import held, replace_file
from omsync.textfiles.tables import CellError, Column, read_table, text, whole

__all__ = ["CsvCart", "JsonlCart"]

Quantities = dict[tuple[str, str | None], int]
"""By listing SKU and location."""

_KEYS = ("listing_sku", "location", "quantity")

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""How a code begins that a spreadsheet would take for a formula, or that looks like an escaped one."""


class _FileCart(ABC):
    """What both kinds of file share: reading, merging and replacing, one writer at a time."""

    __slots__ = ()

    path: Path

    @property
    def capabilities(self) -> SinkCapabilities:
        """What a file can do: everything at once, and comparing before it sets, since it is ours."""
        return SinkCapabilities(
            destination=f"file {self.path.absolute().parent.name}/{self.path.name}",
            lists_all=True,
            creates_listings=True,
            locations="optional",
            max_rows=None,
            atomicity="row",
            compare_and_set="cas",
        )

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:  # noqa: ARG002  the file lists all
        """Give everything that the file holds; nothing when there is no file yet.

        Raises:
            DecodeError: The file is not what omsync writes; ``problems`` names the rows.
            RefusedError: The system does not let us read it.
        """
        return [
            CartListing(listing_sku=sku, location_id=location, quantity=quantity)
            for (sku, location), quantity in _in_order(self._quantities())
        ]

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        """Merge the rows into the file; a row whose quantity has moved since it was shown is a conflict.

        Raises:
            DecodeError: The file is not what omsync writes; it is left as it is.
            UnreachableError: The file cannot be written; nothing was.
            RefusedError: A code cannot be kept in it; nothing was written.
        """
        try:
            with held(self.path):
                before = self._quantities()
                after = dict(before)
                results = [_merged(change, after) for change in changes]
                if after != before:
                    replace_file(self.path, self._encoded(after))
        except UnicodeEncodeError as error:
            raise RefusedError(
                f"The file {self.path.name!r} cannot hold {error.object[error.start : error.end]!r}, "
                "which is not a character",
                code="not_a_character",
                remedy="Correct the listing SKU in the order manager.",
            ) from error
        except OSError as error:
            raise UnreachableError(
                f"The file {self.path.name!r} cannot be written: {error.strerror}",
                code="file_not_writable",
                remedy="Check that its folder exists, may be written to and has room.",
            ) from error
        return results

    def _quantities(self) -> Quantities:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise RefusedError(
                f"The file {self.path.name!r} cannot be read: {error.strerror}",
                code="file_not_readable",
                remedy="Name a file, and check that it may be read.",
            ) from error
        problems: list[str] = []
        quantities = self._decoded(data, problems)
        if problems:
            raise DecodeError(
                f"The file {self.path.name!r} is not what omsync writes, so it was left as it is",
                code="broken_cart_file",
                problems=first_few(problems),
                remedy="Correct the rows named; or move the file away, and the next push writes a new one.",
            )
        return quantities

    @abstractmethod
    def _decoded(self, data: bytes, problems: list[str]) -> Quantities: ...

    @abstractmethod
    def _encoded(self, quantities: Quantities) -> bytes: ...


@frozen
class CsvCart(_FileCart):
    """A cart that is a CSV file: ``listing_sku,location,quantity``.

    Codes are always quoted, so that an import as text keeps ``"00123"``. No location is an empty cell.

    Args:
        path: The file; it need not be there yet, its folder must.
        escape_formulas: Put an apostrophe before a code that a spreadsheet would take for a formula (it
            begins with ``= + - @``, a tab or a line break), and before one where apostrophes come before such
            a beginning. Reading takes it away again, so codes stay exact. Keep to one choice for one file.
    """

    path: Path = field(converter=Path)
    escape_formulas: bool = field(default=True, validator=checks.flag, kw_only=True)

    def _decoded(self, data: bytes, problems: list[str]) -> Quantities:
        columns = (
            Column(name="listing_sku", read=lambda cell: text(self._plain(cell))),
            Column(name="location", read=lambda cell: self._plain(cell) or None),
            Column(name="quantity", read=_pieces),
        )
        rows = read_table(
            data, columns, file=self.path.name, problems=problems, unique=("listing_sku", "location")
        )
        return {(row["listing_sku"], row["location"]): row["quantity"] for _, row in rows}

    def _encoded(self, quantities: Quantities) -> bytes:
        lines = ["listing_sku,location,quantity\n"]
        for (sku, location), quantity in _in_order(quantities):
            place = "" if location is None else self._quoted(location)
            lines.append(f"{self._quoted(sku)},{place},{quantity}\n")
        return "".join(lines).encode()

    def _quoted(self, code: str) -> str:
        escaped = f"'{code}" if self.escape_formulas and _FORMULA.match(code) else code
        return '"' + escaped.replace('"', '""') + '"'

    def _plain(self, cell: str) -> str:
        escaped = self.escape_formulas and cell.startswith("'") and _FORMULA.match(cell)
        return cell[1:] if escaped else cell


@frozen
class JsonlCart(_FileCart):
    """A cart that is a file of JSON objects, one a line, with listing_sku, location and quantity.

    No location is null.

    Args:
        path: The file; it need not be there yet, its folder must.
    """

    path: Path = field(converter=Path)

    def _decoded(self, data: bytes, problems: list[str]) -> Quantities:
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
        quantities: Quantities = {}
        for row, line in enumerate(lines, start=1):
            try:
                key, quantity = _row_of(line)
            except CellError as error:
                problems.append(f"{name}:{row}: {error}")
                continue
            if key in quantities:
                problems.append(f"{name}:{row}: listing_sku {key[0]!r}, location {key[1]!r} is given twice")
            quantities[key] = quantity
        return quantities

    def _encoded(self, quantities: Quantities) -> bytes:
        rows = (
            {"listing_sku": sku, "location": location, "quantity": quantity}
            for (sku, location), quantity in _in_order(quantities)
        )
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _row_of(line: str) -> tuple[tuple[str, str | None], int]:
    try:
        row = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise CellError(f"is not a JSON object ({error})") from error
    if type(row) is not dict:
        raise CellError(f"is not a JSON object, but {checks.shown(row)}")
    for key in row:
        if key not in _KEYS:
            raise CellError(f"unknown key {key!r}; {suggestion(key, _KEYS)}")
    for key in _KEYS:
        if key not in row:
            raise CellError(f"the key {key!r} is missing")
    sku, location, quantity = (row[key] for key in _KEYS)
    if type(sku) is not str or not sku:
        raise CellError(f"listing_sku must be text and not empty, not {checks.shown(sku)}")
    if location is not None and (type(location) is not str or not location):
        raise CellError(f"location must be null, or text and not empty, not {checks.shown(location)}")
    if type(quantity) is not int or not 0 <= quantity <= checks.LARGEST:
        raise CellError(
            f"quantity must be a whole number from 0 to {checks.LARGEST}, not {checks.shown(quantity)}"
        )
    return (sku, location), quantity


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise CellError("a key is given twice")
    return row


def _pieces(cell: str) -> int:
    quantity = whole(cell)
    if not 0 <= quantity <= checks.LARGEST:
        raise CellError(f"must be from 0 to {checks.LARGEST}, not {cell}")
    return quantity


def _in_order(quantities: Quantities) -> list[tuple[tuple[str, str | None], int]]:
    return sorted(quantities.items(), key=lambda item: (item[0][0], item[0][1] or ""))


def _merged(change: QuantityChange, quantities: Quantities) -> PushResult:
    key = (change.listing_sku, change.location_id)
    there = quantities.get(key)
    # A quantity that is there already is no conflict: a push whose answer was lost may be sent again.
    moved = change.shown is not None and there not in {change.shown, change.quantity}
    if not moved:
        quantities[key] = change.quantity
    return PushResult(
        listing_sku=change.listing_sku,
        location_id=change.location_id,
        status="conflict" if moved else "accepted",
        echo=there if moved else change.quantity,
        reason="moved" if moved else "",
        message=f"The file holds {there}, not {change.shown}" if moved else "",
    )
