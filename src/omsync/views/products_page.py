"""The page of a product view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from omsync.allocation.explanation import OUT
from omsync.checks import counted
from omsync.views.page import Branch, Cell, Chart, Column, Fact, Page, Part, Series, Table, Tree
from omsync.views.products_table import columns_of, names_of
from omsync.views.wording import aged

if TYPE_CHECKING:  # the view lays itself out with this module
    from omsync.views.products import ProductRow, ProductView, StockFigure

__all__ = ["page_of_products"]

_TOTALS = ("total_on_hand", "total_available", "counted_on_hand", "counted_available")


def page_of_products(view: ProductView) -> Page:
    """Lay out every product with its figures and details, and the stock by location drawn."""
    age = "" if view.age is None else f" ({aged(view.age)} ago)"
    mode = "by warehouse" if view.scope == "warehouse" else "by sales channel"
    return Page(
        title="Products",
        summary=f"{counted(len(view), 'product')} {mode}.",
        facts=[
            Fact(name="Read", value=f"{view.taken_at:%Y-%m-%d %H:%M}Z{age}"),
            Fact(name="Locations", value=f"{len(view.locations):,}"),
        ],
        parts=[_table(view), *_chart(view)],
        notes=[
            *([view.note] if view.note else []),
            *(
                f"{choice} is not counted when combining: {OUT.get(choice.reason, choice.reason)}."
                for choice in view.locations
                if not choice.counted
            ),
        ],
        at=view.at or view.taken_at,
    )


def _table(view: ProductView) -> Table:
    places = [
        Column(title=f"{name} {figure}", kind="number")
        for name in columns_of(view.locations)
        for figure in ("on hand", "available")
    ]
    names = names_of(view.locations)
    totals = [] if view.note else [Column(title=name.replace("_", " "), kind="number") for name in _TOTALS]
    return Table(
        title="Products",
        columns=[
            Column(title="master SKU", kind="code", is_key=True),
            Column(title="name", is_key=True),
            Column(title="active", kind="flag"),
            Column(title="bundle", kind="flag"),
            *totals,
            *places,
            Column(title="listings", hint="by alias", is_key=True),
        ],
        rows=[_cells(view, row) for row in view],
        tones=["" if row.sku.active else "quiet" for row in view],
        tone_words={"": "active", "quiet": "inactive"},
        details=[_details(row, names) for row in view],
        note="What is not reported is no 0, nor is a stock record that is not there. A bundle has the order "
        "manager's own figures, without units that its parts would make.",
        empty="The reading has no products.",
    )


def _cells(view: ProductView, row: ProductRow) -> tuple[Cell, ...]:
    figures = {figure.location_id: figure for figure in row.figures}
    cells: list[Cell] = [row.master_sku, row.sku.name, row.sku.active, row.is_bundle]
    if not view.note:
        cells += [getattr(row, name) for name in _TOTALS]
    for choice in view.locations:
        figure = figures.get(choice.id)
        cells += [None, None] if figure is None else [figure.on_hand, figure.available]
    return (*cells, ", ".join(f"{alias.name}: {alias.listing_sku}" for alias in row.aliases))


def _details(row: ProductRow, names: Mapping[str, str]) -> Tree:
    sku = row.sku
    facts = {
        "description": sku.description,
        "weight": "" if sku.weight_oz is None else f"{sku.weight_oz:g} oz",
        "size": " x ".join(
            f"{size:g}" for size in (sku.length_in, sku.width_in, sku.height_in) if size is not None
        ),
        "UPC": sku.upc or "",
        "MPN": sku.mpn or "",
        "brand": sku.brand or "",
    }
    aliases = [
        Branch(
            label=alias.listing_sku,
            detail=alias.name + (f", {alias.units:,} units in one piece" if alias.units > 1 else ""),
            tone="" if alias.active else "quiet",
        )
        for alias in row.aliases
    ]
    return Tree(
        title=f"{row.master_sku}: {sku.name}" if sku.name else row.master_sku,
        root=Branch(
            label=row.master_sku,
            detail=sku.name,
            branches=[
                *(Branch(label=name, detail=value) for name, value in facts.items() if value),
                *(_figure(figure, names[figure.location_id]) for figure in row.figures),
                *([Branch(label="listings", branches=aliases)] if aliases else []),
            ],
        ),
    )


def _figure(figure: StockFigure, name: str) -> Branch:
    on_hand = "on hand not reported" if figure.on_hand is None else f"{figure.on_hand:,} on hand"
    why = f"; not counted: {OUT.get(figure.note, figure.note)}" if figure.note else ""
    available = ", available not reported" if figure.available is None else ""
    return Branch(
        label=name,
        figure=figure.available,
        detail=on_hand + available + why,
        tone="" if figure.counted else "quiet",
    )


def _chart(view: ProductView) -> Iterator[Part]:
    sums: dict[str, dict[str, int]] = {choice.id: {} for choice in view.locations}
    for row in view:
        for figure in row.figures:
            for what in ("on_hand", "available"):
                units = getattr(figure, what)
                if units is not None:
                    here = sums[figure.location_id]
                    here[what] = here.get(what, 0) + units
    if view.locations:
        yield Chart(
            title="Stock by location",
            labels=[str(choice) for choice in view.locations],
            series=[
                Series(
                    name=what.replace("_", " "),
                    figures=[sums[choice.id].get(what) for choice in view.locations],
                )
                for what in ("on_hand", "available")
            ],
            unit="units",
            note="Units of all products together, as far as they are reported."
            + (" Channels show the same stock, each its own share." if view.note else ""),
        )
