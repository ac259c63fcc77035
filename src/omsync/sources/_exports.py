"""What a merchant declares about one export, and what is wrong with a declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from attrs import Attribute, AttrsInstance, field, fields_dict, frozen

from omsync import checks
from omsync.errors import OmsyncError, SettingsError
from omsync.hints import located, suggestion
from omsync.model import Alias, Component, Sku, StockLevel, Warehouse
from omsync.sources._tables import tables
from omsync.textfiles.dialect import Dialect

__all__ = ["Export", "dialect_of", "exports_of", "findings"]

T = TypeVar("T", bound=AttrsInstance)

_DEDUCTIONS = ("committed", "locked", "in_transit")
_STOCK = ("on_hand", "available")
_FIGURES = (*_STOCK, *_DEDUCTIONS)
_VALUES: Mapping[str, type[AttrsInstance]] = {
    "skus": Sku,
    "aliases": Alias,
    "warehouses": Warehouse,
    "levels": StockLevel,
}


def dialect_of(value: Dialect | Mapping[str, Any] | None) -> Dialect | None:
    """Take a dialect as a value, or as a settings file writes it."""
    return _built(Dialect, value) if isinstance(value, Mapping) else value


def _of_each(value: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    return checks.as_mapping({key: checks.as_mapping(one) for key, one in checks.as_mapping(value).items()})


_headers = checks.mapping(checks.text, checks.text)


@frozen
class Export:
    """One file: where it lies, and what its columns mean.

    Args:
        file: Its name in the folder.
        columns: The file's own header of each of our fields: ``{"master_sku": "Item No"}``. Our fields are
            those of ``Sku``, ``Alias``, ``Warehouse`` and ``StockLevel``; of bundles ``bundle``,
            ``component`` and ``quantity`` (a row for each part); and for stock also ``taken_at``.
        fixed: Fields that are the same in every row and have no column: ``{"name": "Shopify US"}``.
        by_warehouse: For stock with a column for each warehouse: the headers of its figures by location id,
            ``{"Reno DC": {"on_hand": "Reno on hand", "available": "Reno available"}}``. Where all cells of
            a warehouse are empty, the product has no stock record there.
        empty_as_zero: Which of ``committed``, ``locked`` and ``in_transit`` the file leaves empty for 0;
            otherwise an empty cell there is an error. ``on_hand`` and ``available`` are never 0 so.
        header_row: The row that holds the headers, from 1; rows above it are ignored.
        dialect: How this file is written, where it differs from the others.
    """

    file: str = field(validator=checks.text)
    columns: Mapping[str, str] = field(
        factory=dict, converter=checks.as_mapping, validator=_headers, kw_only=True
    )
    fixed: Mapping[str, Any] = field(factory=dict, converter=checks.as_mapping, kw_only=True)
    by_warehouse: Mapping[str, Mapping[str, str]] = field(
        factory=dict, converter=_of_each, validator=checks.mapping(checks.text, _headers), kw_only=True
    )
    empty_as_zero: tuple[str, ...] = field(
        default=(),
        converter=checks.as_tuple,
        validator=checks.each(checks.one_of(*_DEDUCTIONS)),
        kw_only=True,
    )
    header_row: int = field(default=1, validator=checks.whole(minimum=1), kw_only=True)
    dialect: Dialect | None = field(
        default=None,
        converter=dialect_of,
        validator=checks.optional(checks.instance_of(Dialect)),
        kw_only=True,
    )


Exports = Export | Mapping[str, Any] | Iterable[Export | Mapping[str, Any]]
"""One file or several, as values or as a settings file writes them."""


def exports_of(value: Exports) -> tuple[Export, ...]:
    """Take one export or several."""
    several = (value,) if isinstance(value, Export | Mapping) else checks.as_tuple(value)
    return tuple(_built(Export, one) if isinstance(one, Mapping) else one for one in several)


def findings(export: Export, table: str) -> Iterator[str]:
    """Give what is wrong with a declaration, each as ``argument: what is wrong``.

    Args:
        export: The declaration.
        table: What the file holds: ``"skus"``, ``"aliases"``, ``"warehouses"``, ``"bundles"``, ``"levels"``.
    """
    ours = {column.name: column.required for column in tables()[table].columns}
    yield from _field_findings(export, table, ours)
    declared = {*export.columns, *export.fixed, *(("location_id",) if export.by_warehouse else ())}
    for name, required in ours.items():
        if required and name not in declared:
            yield f"columns: {name!r} is not declared"
    with_column = {*export.columns, *(name for columns in export.by_warehouse.values() for name in columns)}
    for name in export.empty_as_zero:
        if name not in with_column:
            yield f"empty_as_zero: {name!r} has no column"
    if export.by_warehouse and table != "levels":
        yield "by_warehouse: is for stock only"
    elif export.by_warehouse:
        yield from _warehouse_findings(export)
    elif table == "levels" and not declared.intersection(_STOCK):
        yield "columns: neither 'on_hand' nor 'available' is declared"


def _field_findings(export: Export, table: str, ours: Iterable[str]) -> Iterator[str]:
    by_column = [*ours, "taken_at"] if table == "levels" else ours
    for argument, names, known in (("columns", export.columns, by_column), ("fixed", export.fixed, ours)):
        for name in names:
            if name not in known:
                yield f"{argument}: there is no field {name!r}; {suggestion(name, known)}"
    attributes = _attributes(table)
    for name, value in export.fixed.items():
        if name in export.columns:
            yield f"fixed: {name!r} has a column already"
        if name in ours:
            check: Any = attributes[name].validator
            try:
                check(export, attributes[name], value)
            except OmsyncError as error:
                yield located(f"fixed.{name}", error)


def _warehouse_findings(export: Export) -> Iterator[str]:
    for name in sorted({*export.columns, *export.fixed}.intersection({*_FIGURES, "location_id"})):
        yield f"by_warehouse: {name!r} would be the same for all warehouses; declare it for each"
    homes: dict[str, str] = {}
    for location, columns in export.by_warehouse.items():
        if not set(columns).intersection(_STOCK):
            yield f"by_warehouse.{location}: neither 'on_hand' nor 'available' is declared"
        for name, header in columns.items():
            if name not in _FIGURES:
                yield f"by_warehouse.{location}: there is no figure {name!r}; {suggestion(name, _FIGURES)}"
            if homes.setdefault(header, location) != location:
                yield f"by_warehouse.{location}: the column {header!r} is that of {homes[header]!r} already"


def _attributes(table: str) -> Mapping[str, Attribute[Any]]:
    if table != "bundles":
        return fields_dict(_VALUES[table])
    part = fields_dict(Component)
    return {"bundle": part["master_sku"], "component": part["master_sku"], "quantity": part["quantity"]}


def _built(kind: type[T], arguments: Mapping[str, Any]) -> T:
    known = fields_dict(kind)
    for name in arguments:
        if name not in known:
            raise SettingsError(
                f"{kind.__name__} has no argument {name!r}; {suggestion(name, known)}",
                code="unknown_argument",
            )
    return kind(**arguments)
