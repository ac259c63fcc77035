"""The tables of a folder of inventory files: which columns each has, and how its cells are read and written.

The columns come from the values' own fields, so a field added to a value is a column here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, get_type_hints

from attrs import NOTHING, Attribute, field, fields, frozen

from omsync.errors import InvalidValueError, OmsyncError
from omsync.hints import located
from omsync.model import Alias, Bundle, Component, SalesChannel, Sku, StockLevel, Warehouse
from omsync.textfiles.tables import CellError, Column, any_text, code, flag, moment, number, whole

__all__ = ["Cells", "Table", "bundles_of", "table_bytes", "tables"]

_PROSE = {"name", "description", "kind", "brand"}
"""Text for people, which may look like anything; all other text is a code."""


@frozen(kw_only=True)
class Table:
    """One file of the folder.

    Args:
        name: The file's name.
        columns: Its columns.
        unique: Columns whose values together come once only.
        make: Turns the values of a row into one of ours.
    """

    name: str
    columns: tuple[Column, ...]
    unique: tuple[str, ...] = ()
    make: Callable[..., Any] = field(default=dict, repr=False)


def _or_zero(cell: str) -> int:
    return whole(cell) if cell else 0


@frozen(kw_only=True)
class Cells:
    """How figures and flags are written in the cells; unless told otherwise, as omsync writes them.

    Args:
        whole: Reads a whole number.
        deduction: Reads committed, locked and in-transit units, whose cell may be empty.
        number: Reads a number that may have a fraction.
        flag: Reads a yes or no.
    """

    whole: Callable[[str], int] = whole
    deduction: Callable[[str], int] = _or_zero
    number: Callable[[str], float] = number
    flag: Callable[[str], bool] = flag


def tables(cells: Cells | None = None) -> Mapping[str, Table]:
    """Give the tables by the name of what they hold."""
    cells = cells or Cells()
    return {
        "skus": _table_of(Sku, cells, "skus.csv", "master_sku"),
        "aliases": _table_of(Alias, cells, "aliases.csv"),
        "warehouses": _table_of(Warehouse, cells, "warehouses.csv", "id"),
        "sales_channels": _table_of(SalesChannel, cells, "sales_channels.csv", "id"),
        "bundles": Table(
            name="bundles.csv",
            columns=(
                Column(name="bundle", read=code),
                Column(name="component", read=_or_none(code)),
                Column(name="quantity", read=_or_none(cells.whole)),
            ),
        ),
        "levels": _table_of(StockLevel, cells, "levels.csv", "master_sku", "location_id"),
        "doubtful": Table(
            name="doubtful.csv",
            columns=(Column(name="master_sku", read=code), Column(name="location_id", read=code)),
        ),
        "reading": Table(
            name="reading.csv",
            columns=(
                Column(name="taken_at", read=_or_none(moment), required=False),
                Column(name="scope", read=_or_none(_one_of("warehouse", "channel")), required=False),
                Column(
                    name="bundles_include_buildable",
                    read=_or_none(_one_of("no", "yes", "unknown")),
                    required=False,
                ),
            ),
        ),
    }


def table_bytes(table: Table, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write rows as the table's CSV; text is quoted, figures and absent values are not.

    Raises:
        InvalidValueError: A value would not come back from the file as it is.
    """
    lines = [",".join(column.name for column in table.columns)]
    for row in rows:
        cells = []
        for column in table.columns:
            value = row[column.name]
            cell = _cell(value)
            try:
                column.read(cell)
                cells.append(f'"{cell.replace(chr(34), chr(34) * 2)}"' if isinstance(value, str) else cell)
            except CellError as error:
                raise InvalidValueError(
                    f"{table.name} cannot hold the {column.name} of {dict(row)!r}: {error}",
                    code="not_for_csv",
                    remedy="Keep this snapshot as JSON, with omsync.serial.snapshot_to_json.",
                ) from error
        lines.append(",".join(cells))
    try:
        return ("\n".join(lines) + "\n").encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError(
            f"{table.name} cannot hold {error.object[error.start : error.end]!r}, which is not a character",
            code="not_for_csv",
            remedy="Correct the text in the order manager.",
        ) from error


def bundles_of(rows: Iterable[tuple[str, Mapping[str, Any]]], problems: list[str]) -> list[Bundle]:
    """Put rows of (bundle, component, quantity) together to bundles; a row of a bundle alone has no part.

    Args:
        rows: The rows, each with its place, ``file:row``.
        problems: Takes one line for each row that is no part and no bundle.
    """
    parts: dict[str, list[Component]] = {}
    for place, line in rows:
        own = parts.setdefault(line["bundle"], [])
        component, quantity = line["component"], line["quantity"]
        if (component is None) != (quantity is None):
            problems.append(f"{place}: a component has a quantity, and a quantity a component")
        elif component is not None:
            try:
                own.append(Component(master_sku=component, quantity=quantity))
            except OmsyncError as error:
                problems.append(located(place, error, joint=":"))
    return [Bundle(master_sku=bundle, components=components) for bundle, components in parts.items()]


def _table_of(value: type, cells: Cells, name: str, *unique: str) -> Table:
    hints = get_type_hints(value)
    return Table(
        name=name,
        columns=tuple(
            Column(
                name=attribute.name,
                read=_reader(attribute, hints[attribute.name], cells),
                required=attribute.default is NOTHING,
            )
            for attribute in fields(value)
        ),
        unique=unique,
        make=value,
    )


def _reader(attribute: Attribute[Any], hint: Any, cells: Cells) -> Callable[[str], Any]:
    letters = any_text if attribute.name in _PROSE else code
    readers: dict[Any, Callable[[str], Any]] = {
        str: letters,
        str | None: _or_none(letters),
        bool: cells.flag,
        int: cells.deduction if attribute.default == 0 else cells.whole,
        int | None: _or_none(cells.whole),
        float | None: _or_none(cells.number),
    }
    return readers[hint]


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda cell: read(cell) if cell else None


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell not in choices:
            raise CellError(f"must be {' or '.join(choices)}, not {cell!r}")
        return cell

    return read


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
