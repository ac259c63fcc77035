"""The product view: the founding document's "Products section", as data, a table, CSV and JSON.

Every master SKU with its aliases, its on-hand and available figures per location, product details and when
they were read; in warehouse mode totals too. In sales-channel mode there is no total over channels, since
each channel shows the same stock and adding them up would count it several times.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
from attrs import frozen

from omsync.allocation.availability import available
from omsync.allocation.locations import LocationChoice, choose_locations
from omsync.checks import shown
from omsync.errors import InvalidValueError, SnapshotError
from omsync.model import Alias, InventorySnapshot, Sku, StockLevel
from omsync.ports import Ledger
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel, PerWarehouse
from omsync.views.page import Page
from omsync.views.products_table import products_csv, products_table
from omsync.views.rendered import Rendered, written
from omsync.views.wording import known_zone

__all__ = ["ProductRow", "ProductView", "StockFigure", "product_view"]


@frozen(kw_only=True)
class StockFigure:
    """What a product has at one location; None: not reported.

    Args:
        location_id: The location.
        location: Its name.
        on_hand: Units physically there.
        available: Units that may be sold there.
        counted: Whether a combining cart counts the location.
        note: Why not, when it does not.
    """

    location_id: str
    location: str
    on_hand: int | None
    available: int | None
    counted: bool
    note: str = ""


@frozen(kw_only=True)
class ProductRow:
    """One product.

    Args:
        sku: The product with its details.
        aliases: Its aliases.
        figures: Its stock records, by location; a location without a record is not there.
        total_on_hand: Units on hand in all warehouses; None in sales-channel mode, or when unknown.
        total_available: Units available in all warehouses; likewise.
        counted_on_hand: Units on hand in the warehouses that combining carts count; likewise.
        counted_available: Units available there; likewise.
        is_bundle: Whether it is made of parts. Its figures are the order manager's own, without built units.
    """

    sku: Sku
    aliases: tuple[Alias, ...]
    figures: tuple[StockFigure, ...]
    total_on_hand: int | None
    total_available: int | None
    counted_on_hand: int | None
    counted_available: int | None
    is_bundle: bool = False

    @property
    def master_sku(self) -> str:
        """The product's master SKU."""
        return self.sku.master_sku


@frozen(kw_only=True, repr=False)
class ProductView(Rendered):
    """Every product of a snapshot; iterate it, print it, or take it as CSV or JSON.

    Args:
        rows: The products, sorted by master SKU.
        taken_at: When the figures were read.
        scope: ``"warehouse"`` or ``"channel"``.
        locations: Every location, with whether it is counted.
        note: Why there is no total, where there is none.
        at: When it was looked at; None where nobody said.
    """

    rows: tuple[ProductRow, ...]
    taken_at: datetime
    scope: str
    locations: tuple[LocationChoice, ...]
    note: str = ""
    at: datetime | None = None

    @property
    def age(self) -> timedelta | None:
        """How old the figures are; None where nobody said when it is."""
        return None if self.at is None else self.at - self.taken_at

    def __repr__(self) -> str:
        return f"<ProductView of {len(self.rows):,} products, read {self.taken_at:%Y-%m-%d %H:%M:%S}Z>"

    def __iter__(self) -> Iterator[ProductRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, text: str) -> tuple[ProductRow, ...]:
        """Give the products whose SKU, name or listing SKU contains the text, letter case ignored."""
        wanted = text.casefold()
        return tuple(
            row
            for row in self.rows
            if any(
                wanted in known.casefold()
                for known in (row.master_sku, row.sku.name, *(alias.listing_sku for alias in row.aliases))
            )
        )

    def matching(self, text: str) -> ProductView:
        """Give the view of the products that ``find`` gives."""
        return attrs.evolve(self, rows=self.find(text))

    def sorted_by(self, what: str, *, descending: bool = False) -> ProductView:
        """Give the view in another order; products without that figure come last in either direction.

        Args:
            what: ``"master_sku"``, ``"name"``, ``"on_hand"`` or ``"available"``: the total over all
                warehouses, in sales-channel mode the largest figure of any channel.
            descending: The largest first.

        Raises:
            InvalidValueError: Products cannot be sorted by that.
        """
        if what in {"master_sku", "name"}:
            by_text = sorted(
                self.rows, key=lambda row: row.master_sku if what == "master_sku" else row.sku.name.casefold()
            )
            return attrs.evolve(self, rows=tuple(reversed(by_text) if descending else by_text))
        if what not in {"on_hand", "available"}:
            raise InvalidValueError(
                f"Products are sorted by master_sku, name, on_hand or available, not by {shown(what)}"
            )
        known, unknown = [], []
        for row in self.rows:
            figure = self._largest(row, what) if self.note else getattr(row, f"total_{what}")
            if figure is None:
                unknown.append(row)
            else:
                known.append((figure, row))
        known.sort(key=lambda one: one[0], reverse=descending)
        return attrs.evolve(self, rows=(*(row for _, row in known), *unknown))

    @staticmethod
    def _largest(row: ProductRow, what: str) -> int | None:
        figures = [getattr(figure, what) for figure in row.figures]
        return max((figure for figure in figures if figure is not None), default=None)

    def page(self) -> Page:
        """Lay out every product with its figures and details, and the stock by location drawn."""
        from omsync.views.products_page import page_of_products

        return page_of_products(self)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Give one line for each product, with on hand and available for each location.

        Args:
            path: Where to write it as well, as UTF-8; what stands there is replaced.
        """
        return written(products_csv(self), path)

    def to_data(self) -> dict[str, Any]:
        """Give the view as plain data."""
        return {
            "taken_at": self.taken_at.isoformat(),
            "scope": self.scope,
            "note": self.note,
            "locations": [attrs.asdict(choice) for choice in self.locations],
            "products": [attrs.asdict(row) for row in self.rows],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Give ``to_data()`` as JSON."""
        return json.dumps(self.to_data(), indent=indent)

    def __str__(self) -> str:
        return products_table(self)


def product_view(
    snapshot_or_ledger: InventorySnapshot | Ledger,
    merchant: MerchantSettings | None = None,
    *,
    now: datetime | None = None,
) -> ProductView:
    """Show every product with its stock: the founding document's "How to view inventory sync data".

    Args:
        snapshot_or_ledger: A snapshot, or a ledger whose last complete read is shown.
        merchant: Says which warehouses count, and whose read the ledger shall show. Without it all active
            warehouses count, and the merchant named ``"default"`` is shown.
        now: What the age of the figures is counted to, aware; None: their age is not said.

    Raises:
        SnapshotError: The ledger has no complete read of this merchant.
        InvalidValueError: ``now`` has no time zone.
    """
    snapshot = _snapshot(snapshot_or_ledger, merchant)
    is_channel = snapshot.scope == "channel"
    if merchant is None:
        merchant = MerchantSettings(mode=PerSalesChannel() if is_channel else PerWarehouse())
    choices = _choices(snapshot, merchant)
    aliases: defaultdict[str, list[Alias]] = defaultdict(list)
    for alias in sorted(snapshot.aliases, key=lambda one: (one.name, one.listing_sku)):
        aliases[alias.master_sku].append(alias)
    bundles = {bundle.master_sku for bundle in snapshot.bundles}
    products = {sku.master_sku: sku for sku in snapshot.skus}
    for master_sku in snapshot.levels.master_skus:
        products.setdefault(master_sku, Sku(master_sku=master_sku))
    note = "No total over sales channels: they share the same stock, and a sum would count it several times."
    return ProductView(
        rows=tuple(
            _row(
                sku,
                tuple(aliases[sku.master_sku]),
                snapshot.levels.of(sku.master_sku),
                choices,
                merchant,
                is_bundle=sku.kind == "bundle" or sku.master_sku in bundles,
                totals=not is_channel,
            )
            for _, sku in sorted(products.items())
        ),
        taken_at=snapshot.taken_at,
        scope=snapshot.scope,
        locations=tuple(choices.values()),
        note=note if is_channel else "",
        at=None if now is None else known_zone(now, "product_view"),
    )


def _snapshot(
    snapshot_or_ledger: InventorySnapshot | Ledger, merchant: MerchantSettings | None
) -> InventorySnapshot:
    if isinstance(snapshot_or_ledger, InventorySnapshot):
        return snapshot_or_ledger
    name = "default" if merchant is None else merchant.name
    snapshot = snapshot_or_ledger.last_snapshot(name)
    if snapshot is None:
        raise SnapshotError(
            f"The ledger has no complete read of the merchant {name!r}",
            code="no_complete_read",
            remedy="Give merchant=, or run read_inventory() with this ledger first.",
        )
    return snapshot


def _choices(snapshot: InventorySnapshot, merchant: MerchantSettings) -> Mapping[str, LocationChoice]:
    if snapshot.scope == "channel":
        return {
            place.id: LocationChoice(
                id=place.id,
                name=place.name,
                counted=place.active,
                reason="named" if place.active else "inactive",
            )
            for place in sorted(snapshot.places, key=lambda place: place.id)
        }
    return {choice.id: choice for choice in choose_locations(snapshot, merchant, CartSettings(name="view"))}


def _row(
    sku: Sku,
    aliases: tuple[Alias, ...],
    levels: Sequence[StockLevel],
    choices: Mapping[str, LocationChoice],
    merchant: MerchantSettings,
    *,
    is_bundle: bool,
    totals: bool,
) -> ProductRow:
    figures = tuple(
        StockFigure(
            location_id=level.location_id,
            location=choices[level.location_id].name,
            on_hand=level.on_hand,
            available=available(level, subtract_locked=merchant.subtract_locked),
            counted=choices[level.location_id].counted,
            note="" if choices[level.location_id].counted else choices[level.location_id].reason,
        )
        for level in levels
    )
    counted = [figure for figure in figures if figure.counted]
    return ProductRow(
        sku=sku,
        aliases=aliases,
        figures=figures,
        total_on_hand=_sum([figure.on_hand for figure in figures]) if totals else None,
        total_available=_sum([figure.available for figure in figures]) if totals else None,
        counted_on_hand=_sum([figure.on_hand for figure in counted]) if totals else None,
        counted_available=_sum([figure.available for figure in counted]) if totals else None,
        is_bundle=is_bundle,
    )


def _sum(figures: Sequence[int | None]) -> int | None:
    """Add up; no record, or one that is not reported, makes the sum unknown, never smaller."""
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known and len(known) == len(figures) else None
