"""The tables of a folder of inventory files: which columns each has, and how its cells are read and written.

The columns come from the values' own fields, so a field added to a value is a column here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, get_type_hints

from attrs import NOTHING, Attribute, field, fields, frozen

from omsync.errors import InvalidValueError
from omsync.model import Alias, SalesChannel, Sku, StockLevel, Warehouse
from omsync.textfiles.tables import CellError, Column, any_text, code, flag, number, whole

__all__ = ["Table", "table_bytes", "tables"]

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


def tables() -> Mapping[str, Table]:
    """Give the tables by the name of what they hold."""
    return {
        "skus": _table_of(Sku, "skus.csv", "master_sku"),
        "aliases": _table_of(Alias, "aliases.csv"),
        "warehouses": _table_of(Warehouse, "warehouses.csv", "id"),
        "sales_channels": _table_of(SalesChannel, "sales_channels.csv", "id"),
        "bundles": Table(
            name="bundles.csv",
            columns=(
                Column(name="bundle", read=code),
                Column(name="component", read=_or_none(code)),
                Column(name="quantity", read=_or_none(whole)),
            ),
        ),
        "levels": _table_of(StockLevel, "levels.csv", "master_sku", "location_id"),
        "doubtful": Table(
            name="doubtful.csv",
            columns=(Column(name="master_sku", read=code), Column(name="location_id", read=code)),
        ),
        "reading": Table(
            name="reading.csv",
            columns=(
                Column(name="taken_at", read=_or_none(_moment), required=False),
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


def _table_of(value: type, name: str, *unique: str) -> Table:
    hints = get_type_hints(value)
    return Table(
        name=name,
        columns=tuple(
            Column(
                name=attribute.name,
                read=_reader(attribute, hints[attribute.name]),
                required=attribute.default is NOTHING,
            )
            for attribute in fields(value)
        ),
        unique=unique,
        make=value,
    )


def _reader(attribute: Attribute[Any], hint: Any) -> Callable[[str], Any]:
    letters = any_text if attribute.name in _PROSE else code
    readers: dict[Any, Callable[[str], Any]] = {
        str: letters,
        str | None: _or_none(letters),
        bool: flag,
        int: _or_zero if attribute.default == 0 else whole,
        int | None: _or_none(whole),
        float | None: _or_none(number),
    }
    return readers[hint]


def _or_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda cell: read(cell) if cell else None


def _or_zero(cell: str) -> int:
    return whole(cell) if cell else 0


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell not in choices:
            raise CellError(f"must be {' or '.join(choices)}, not {cell!r}")
        return cell

    return read


def _moment(cell: str) -> datetime:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError as error:
        raise CellError(f"must be a time such as 2026-01-31T06:00:00+00:00, not {cell!r}") from error
    if moment.tzinfo is None:
        raise CellError(f"must have its zone, such as 2026-01-31T06:00:00+00:00, not {cell!r}")
    return moment


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
