"""The product view as a table of text, and as CSV with a column for each location and figure."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from omsync.allocation.locations import LocationChoice
from omsync.checks import counted as how_many
from omsync.checks import printable
from omsync.planning.spreadsheet import harmless
from omsync.planning.table import aligned

if TYPE_CHECKING:  # the view prints itself with this module
    from omsync.views.products import ProductRow, ProductView, StockFigure

__all__ = ["columns_of", "names_of", "products_csv", "products_table"]


def products_csv(view: ProductView) -> str:
    """Give one line for each product, with on hand and available for each location."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    places = [
        f"{name} {figure}" for name in columns_of(view.locations) for figure in ("on hand", "available")
    ]
    totals = ["total on hand", "total available", "counted on hand", "counted available"]
    details = ["weight_oz", "upc", "mpn", "description", "read_at"]
    writer.writerow(
        harmless(cell)
        for cell in [
            "master_sku",
            "name",
            "active",
            "aliases",
            *places,
            *(() if view.note else totals),
            *details,
        ]
    )
    for row in view.rows:
        figures = {figure.location_id: figure for figure in row.figures}
        cells: list[object] = [row.master_sku, row.sku.name, str(row.sku.active).lower(), _aliases(row)]
        for choice in view.locations:
            figure = figures.get(choice.id)
            cells += ["", ""] if figure is None else [_cell(figure.on_hand), _cell(figure.available)]
        if not view.note:
            cells += map(
                _cell,
                (row.total_on_hand, row.total_available, row.counted_on_hand, row.counted_available),
            )
        cells += [_cell(row.sku.weight_oz), row.sku.upc or "", row.sku.mpn or "", row.sku.description]
        cells.append(view.taken_at.isoformat())
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()


def products_table(view: ProductView) -> str:
    """Give the view as lines of text: on hand and available for each location, then aliases."""
    head = ["master SKU", "name"]
    names = names_of(view.locations)
    head += [names[choice.id] + ("" if choice.counted else " *") for choice in view.locations]
    if not view.note:
        head += ["all", "counted"]
    table: list[Sequence[str]] = [(*head, "aliases")]
    for row in view.rows:
        figures = {figure.location_id: figure for figure in row.figures}
        cells = [row.master_sku + ("" if row.sku.active else " (inactive)"), row.sku.name[:28]]
        cells += [_pair(figures.get(choice.id)) for choice in view.locations]
        if not view.note:
            cells += [
                _two(row.total_on_hand, row.total_available) if row.figures else "-",
                _two(row.counted_on_hand, row.counted_available)
                if any(figure.counted for figure in row.figures)
                else "-",
            ]
        table.append((*cells, _aliases(row)))
    read_at = f"read {view.taken_at:%Y-%m-%d %H:%M:%S}Z"
    lines = [f"{how_many(len(view.rows), 'product')}, {read_at}; on hand / available"]
    lines += aligned(table)
    apart = [f"{names[choice.id]}: {choice.reason}" for choice in view.locations if not choice.counted]
    if apart:
        lines.append(f"  * not counted when combining ({'; '.join(apart)})")
    if view.note:
        lines.append(f"  {view.note}")
    return "\n".join(map(printable, lines))


def _aliases(row: ProductRow) -> str:
    return ", ".join(f"{alias.name}: {alias.listing_sku}" for alias in row.aliases)


def _name(choice: LocationChoice) -> str:
    return choice.name or choice.id


def columns_of(locations: Sequence[LocationChoice]) -> Iterator[str]:
    """Name each location's columns, so that no two are alike and those not counted are marked."""
    names = names_of(locations)
    for choice in locations:
        yield names[choice.id] if choice.counted else f"{names[choice.id]} [{choice.reason}]"


def names_of(locations: Sequence[LocationChoice]) -> dict[str, str]:
    """Give the name of each location, by its id; where two are named alike the id stands beside it."""
    names = Counter(_name(choice) for choice in locations)
    return {
        choice.id: _name(choice) if names[_name(choice)] == 1 else f"{_name(choice)} ({choice.id})"
        for choice in locations
    }


def _pair(figure: StockFigure | None) -> str:
    return "-" if figure is None else _two(figure.on_hand, figure.available)


def _two(on_hand: int | None, may_be_sold: int | None) -> str:
    return f"{'?' if on_hand is None else on_hand} / {'?' if may_be_sold is None else may_be_sold}"


def _cell(figure: float | None) -> object:
    return "" if figure is None else figure
