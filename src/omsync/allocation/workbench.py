"""The workbench of one allocation: looks everything up once, derives each product's rows, explains later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from copy import copy
from functools import lru_cache
from typing import Any

from attrs import evolve, frozen

from omsync.allocation.building import parts_of, recipe_of
from omsync.allocation.derivation import Derivation, Orders
from omsync.allocation.explanation import Explanation
from omsync.allocation.groundwork import Groundwork
from omsync.allocation.listings import Wanted, aliases_of, sort_out
from omsync.allocation.locations import (
    LocationChoice,
    choose_locations,
    leave_out,
    map_locations,
    only_row,
    visible_to,
)
from omsync.allocation.notices import bundle_notices, doubt_notices, notices_of
from omsync.allocation.reasons import Notice, Skip, skip
from omsync.allocation.rules import apply_rules
from omsync.model import InventorySnapshot, StockLevel
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel, PerWarehouse, SkuOverride

__all__ = ["ListingQuantity", "Workbench"]

_NO_OVERRIDE = SkuOverride()


@frozen(kw_only=True)
class ListingQuantity:
    """What one listing is told.

    Args:
        listing_sku: The cart's code.
        master_sku: The product.
        location_id: None for a quantity without a location; else the row's warehouse, or the cart's own
            location where the cart maps warehouses.
        quantity: Pieces of the listing, from 0.
        units: Units of the product in one piece.
        reason: ``"stock"``, ``"bundle_computed"``, ``"bundle_reported"``, ``"not_at_counted_location"`` (0:
            recorded only where this cart does not count) or ``"left_out"`` (0: an override leaves it out).
        withheld: Units at the counted locations that rules and rounding keep back.
        doubtful: Whether a figure behind it was lost on its way; then it is never raised.
    """

    listing_sku: str
    master_sku: str
    location_id: str | None
    quantity: int
    units: int = 1
    reason: str = "stock"
    withheld: int = 0
    doubtful: bool = False


@frozen(kw_only=True)
class _Row:
    """One quantity of a product before it is divided into listings: where it goes and how it comes about."""

    location_id: str | None
    derivation: Derivation
    reason: str
    doubtful: bool


class Workbench:
    """Everything looked up once for one allocation; explanations are made from it later."""

    def __init__(
        self,
        snapshot: InventorySnapshot,
        merchant: MerchantSettings,
        cart: CartSettings,
        orders: Mapping[str, int],
        orders_when: str = "",
        groundwork: Groundwork | None = None,
    ) -> None:
        self.orders_when = orders_when
        self.snapshot = snapshot
        self.merchant = merchant
        self.cart = cart
        self.given_orders = orders
        self._mode = merchant.mode if isinstance(merchant.mode, PerWarehouse) else PerWarehouse()
        self.choices = choose_locations(snapshot, merchant, cart)
        self.map = map_locations(cart, snapshot.places)
        visible = visible_to(self.choices, merchant)
        if groundwork is None or groundwork.visible != visible:
            groundwork = Groundwork(snapshot, merchant, visible)
        self.groundwork = groundwork
        self.catalogue = groundwork.catalogue
        self.parts = groundwork.parts
        # A product's records are wanted for each row of a breakdown and for each bundle that it is in.
        self._levels = lru_cache(maxsize=65_536)(self._find_levels)
        self._single_rows = {
            choice.id: only_row(self.choices, choice.id) for choice in self.choices if cart.breakdown
        }
        self._orders = self._with_parts_of_uncomputed(orders)
        self.ordered_with = self._index_orders()
        self._rows: dict[str, list[_Row] | Skip] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_levels"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._levels = lru_cache(maxsize=65_536)(self._find_levels)

    def over(self, groundwork: Groundwork) -> Workbench:
        """Give the same over another reading of the same products, places and bundles."""
        other = copy(self)
        other.snapshot = groundwork.snapshot
        other.groundwork = groundwork
        other._rows = {}  # noqa: SLF001  one of our own kind
        return other

    def listings(self) -> tuple[list[Wanted], list[Skip]]:
        """Give the listings of eligible products, and what is skipped before quantities are looked at."""
        cart, catalogue = self.cart, self.catalogue
        skus = {*catalogue.skus, *self.snapshot.levels.master_skus, *catalogue.bundles}
        if cart.alias is None:
            reasons = {sku: catalogue.product_problem(sku, cart) for sku in sorted(skus)}
            return (
                [
                    Wanted(listing_sku=sku, master_sku=sku, units=cart.units.get(sku, 1))
                    for sku, reason in reasons.items()
                    if reason is None
                ],
                [skip(reason, sku, sku) for sku, reason in reasons.items() if reason is not None],
            )
        aliases = aliases_of(self.snapshot, cart)
        reasons = {
            sku: catalogue.product_problem(sku, cart)
            for sku in sorted({*skus, *(alias.master_sku for alias in aliases)})
        }
        wanted, skips = sort_out((alias for alias in aliases if reasons[alias.master_sku] is None), cart)
        aliased: defaultdict[str, set[str]] = defaultdict(set)
        for alias in aliases:
            aliased[alias.master_sku].add(alias.listing_sku)
        for sku, reason in reasons.items():
            if reason is not None:
                skips += [skip(reason, sku, listing) for listing in sorted(aliased[sku])] or [
                    skip(reason, sku)
                ]
            elif not aliased[sku]:
                skips.append(skip("no_alias", sku, about=repr(cart.alias)))
        return wanted, skips

    def rows_of(self, listing: Wanted) -> Iterator[ListingQuantity | Skip]:
        """Give the quantities of one listing, or why it has none."""
        rows = self._product_rows(listing.master_sku)
        if isinstance(rows, Skip):
            yield evolve(rows, listing_sku=listing.listing_sku)
            return
        targets: defaultdict[str | None, list[_Row]] = defaultdict(list)
        for row in rows:
            if self.map and row.location_id is not None and row.location_id not in self.map:
                yield skip(
                    "warehouse_not_mapped",
                    listing.master_sku,
                    listing.listing_sku,
                    about=f"The warehouse {row.location_id!r}",
                    location_id=row.location_id,
                )
            else:
                targets[self._target(row)].append(row)
        for target, together in targets.items():
            yield self._quantity(listing, target, together)

    def place_named(self, name: str | None) -> str | None:
        """Give the id of the one location of this exact name; what names none is given back."""
        named = [choice.id for choice in self.choices if choice.name == name]
        return named[0] if len(named) == 1 else name

    def explain(self, quantity: ListingQuantity) -> Explanation:
        """Derive a quantity again, with every figure."""
        rows = self._product_rows(quantity.master_sku)
        return Explanation(
            listing_sku=quantity.listing_sku,
            location_id=quantity.location_id,
            quantity=quantity.quantity,
            rows=tuple(
                evolve(row.derivation, units=quantity.units)
                for row in (() if isinstance(rows, Skip) else rows)
                if self._target(row) == quantity.location_id
            ),
            taken_at=self.snapshot.taken_at.isoformat(),
        )

    def notices(self, told: Iterable[str], doubtful: Collection[str]) -> list[Notice]:
        """Tell what a person should know that changes no single quantity.

        Args:
            told: The products that have a quantity.
            doubtful: The listings whose quantity rests on a figure that was lost on its way.
        """
        bundles = set(filter(self.catalogue.is_bundle, told))
        return [
            *notices_of(self.snapshot, self.cart, self.catalogue, self.given_orders),
            *bundle_notices(self.snapshot, self.catalogue, bundles),
            *doubt_notices(doubtful),
        ]

    def _target(self, row: _Row) -> str | None:
        return None if row.location_id is None else self.map.get(row.location_id, row.location_id)

    def _quantity(self, listing: Wanted, target: str | None, rows: list[_Row]) -> ListingQuantity:
        quantity = withheld = 0
        for row in rows:
            if row.derivation.is_recorded:
                total = row.derivation.work_out().total
                told = apply_rules(total, listing.units, row.derivation.rules)[-1].after
                quantity += told
                withheld += max(0, total - told * listing.units)
        return ListingQuantity(
            listing_sku=listing.listing_sku,
            master_sku=listing.master_sku,
            location_id=target,
            quantity=quantity,
            units=listing.units,
            reason=next((row.reason for row in rows if row.derivation.is_recorded), rows[0].reason),
            withheld=withheld,
            doubtful=any(row.doubtful for row in rows),
        )

    def _product_rows(self, master_sku: str) -> list[_Row] | Skip:
        if master_sku not in self._rows:
            self._rows[master_sku] = self._derive(master_sku)
        return self._rows[master_sku]

    def _derive(self, master_sku: str) -> list[_Row] | Skip:
        catalogue = self.catalogue
        is_bundle = catalogue.is_bundle(master_sku)
        if not self._levels(master_sku):
            if is_bundle:
                return skip("bundle_without_stock_record", master_sku)
            channel = isinstance(self.merchant.mode, PerSalesChannel)
            return skip(
                "no_stock_record", master_sku, about="in this channel" if channel else "in any warehouse"
            )
        how = "stock"
        if is_bundle and catalogue.computed:
            problem = catalogue.bundle_problem(master_sku)
            if problem is not None:
                return skip(problem[0], master_sku, about=problem[1])
            how = "bundle_computed"
        elif is_bundle:
            how = "bundle_reported"
        rows: list[_Row] = []
        for location_id, choices in self._rows_wanted(master_sku):
            derivation = self._derivation(master_sku, choices, how)
            unreported = derivation.unreported
            if unreported:
                about = f"{unreported[0].master_sku!r} at {unreported[0].location_id!r}"
                return skip("quantity_not_reported", master_sku, about=about)
            rows.append(
                _Row(
                    location_id=location_id,
                    derivation=derivation,
                    reason=self._reason(derivation, location_id),
                    doubtful=derivation.doubtful,
                )
            )
        if not rows:
            return skip("not_at_counted_location", master_sku)
        return rows

    def _rows_wanted(self, master_sku: str) -> Iterator[tuple[str | None, tuple[LocationChoice, ...]]]:
        override = self.cart.overrides.get(master_sku, _NO_OVERRIDE)
        choices = leave_out(self.choices, self.snapshot.places, override.leave_out, master_sku)
        if not self.cart.breakdown:
            yield None, choices
            return
        recorded = {level.location_id for level in self._levels(master_sku)}
        for choice in self.choices:
            if choice.counted and choice.id in recorded:
                yield (
                    choice.id,
                    only_row(choices, choice.id) if override.leave_out else self._single_rows[choice.id],
                )

    def _derivation(self, master_sku: str, choices: tuple[LocationChoice, ...], how: str) -> Derivation:
        bundles, order = self._involved(master_sku)
        counted = {choice.id for choice in choices if choice.counted}
        override = self.cart.overrides.get(master_sku, _NO_OVERRIDE)
        levels = [
            level
            for sku in order
            for level in self._levels(sku)
            if sku == master_sku or level.location_id in counted
        ]
        return Derivation(
            master_sku=master_sku,
            recipes=tuple(self.catalogue.bundles[sku] for sku in bundles),
            locations=choices,
            levels=tuple(levels),
            orders=tuple(
                Orders(master_sku=sku, units=self._orders[sku], when=self.orders_when)
                for sku in order
                if sku in self._orders
            ),
            subtract_locked=self.merchant.subtract_locked,
            clamp_each=self._mode.clamp_each,
            pooled_assembly=self._mode.pooled_assembly,
            rules=override.rules or self.cart.rules,
            how=how,
            meaning=self.snapshot.bundles_include_buildable,
            doubtful=self._is_doubtful(levels, counted),
        )

    def _involved(self, master_sku: str) -> tuple[list[str], list[str]]:
        """Give the bundles and products behind a quantity: its parts, and orders that take the same parts."""
        if master_sku not in self.parts and not self._orders:
            return [], [master_sku]
        inside = recipe_of([master_sku], self.parts).order
        beginnings = {master_sku}.union(*(self.ordered_with.get(sku, set()) for sku in inside))
        concerned = set(inside)
        everything = recipe_of(beginnings, self.parts).order
        for sku in reversed(everything):
            # Of an ordered bundle's other parts nothing matters here, not even that a figure is missing.
            if not concerned.isdisjoint(self.parts.get(sku, {})):
                concerned.add(sku)
        order = [sku for sku in everything if sku in concerned]
        return [sku for sku in order if sku in self.parts], order

    def _index_orders(self) -> dict[str, set[str]]:
        """For every product: the ordered products that take it, directly or through kits."""
        index: defaultdict[str, set[str]] = defaultdict(set)
        for ordered in self._orders:
            for sku in recipe_of([ordered], self.parts).order:
                index[sku].add(ordered)
        return dict(index)

    def _with_parts_of_uncomputed(self, orders: Mapping[str, int]) -> dict[str, int]:
        """Lower the parts of ordered bundles that are not computed: taken as reported, or made wrongly.

        Nobody knows which of their orders took parts, so all of them are assumed to have.
        """
        uncomputed = {
            sku: {part: each for part, each in parts_of(bundle).items() if each > 0}
            for sku, bundle in self.catalogue.bundles.items()
            if sku not in self.parts and self.catalogue.comes_to_an_end(sku)
        }
        pending: defaultdict[str, int] = defaultdict(int, orders)
        for sku in recipe_of(orders, uncomputed).order:
            for part, each in uncomputed.get(sku, {}).items():
                pending[part] += pending[sku] * each
        return dict(pending)

    def _is_doubtful(self, levels: Iterable[StockLevel], counted: Container[str]) -> bool:
        doubtful = self.snapshot.doubtful
        return bool(doubtful) and any(
            level.location_id in counted and (level.master_sku, level.location_id) in doubtful
            for level in levels
        )

    def _find_levels(self, master_sku: str) -> tuple[StockLevel, ...]:
        return tuple(
            level
            for level in self.snapshot.levels.of(master_sku)
            if level.location_id in self.groundwork.visible
        )

    @staticmethod
    def _reason(derivation: Derivation, location_id: str | None) -> str:
        if derivation.is_recorded:
            return derivation.how
        return "not_at_counted_location" if location_id is None else "left_out"
