"""How one product's total comes about at the counted locations: rules 1 to 3, on figures that are all named.

A ``Derivation`` holds every figure it needs and nothing else, so it can be kept, sent and evaluated again
anywhere. The engine computes with the same value that explains.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from omsync.allocation.availability import available
from omsync.allocation.building import (
    Recipe,
    Shortage,
    buildable,
    parts_of,
    recipe_of,
    shortage,
    spread_orders,
)
from omsync.allocation.locations import LocationChoice
from omsync.allocation.rules import RuleStep, apply_rules
from omsync.model import Bundle, StockLevel
from omsync.settings import QuantityRules

__all__ = ["Derivation", "LocationWork", "Orders", "Worked"]


@frozen(kw_only=True)
class Orders:
    """Units of one product in orders that the snapshot has not seen.

    Args:
        master_sku: The product.
        units: How many.
        when: From when to when such orders were looked for, in words; empty where nobody said.
    """

    master_sku: str
    units: int
    when: str = ""


@frozen(kw_only=True)
class LocationWork:
    """What one counted location contributes.

    Args:
        location: The location.
        shelf: Units of the product itself there, signed; None when it has no stock record there.
        built: Bundles that the parts there make.
        shortage: The part that is missing there for one more; None when nothing is built there.
    """

    location: LocationChoice
    shelf: int | None
    built: int = 0
    shortage: Shortage | None = None


@frozen(kw_only=True)
class Worked:
    """The total of one product over the counted locations, with its parts.

    Args:
        locations: What each counted location contributes.
        shelf: Units of the product itself, signed, netted over the locations.
        ordered: Units that orders in flight take of the product itself.
        built: Bundles built from parts, in all.
        limit: Bundles that the parts make when netted over all counted locations; None for a plain product.
        shortage: The part that is missing in that netted view.
        total: Units in all, signed.
    """

    locations: tuple[LocationWork, ...]
    shelf: int
    ordered: int
    built: int
    limit: int | None
    shortage: Shortage | None
    total: int


@frozen(kw_only=True)
class Derivation:
    """Everything that one row of one listing is derived from.

    Args:
        master_sku: The product.
        recipes: The bundles to take apart: the product itself and inner kits, and bundles whose orders in
            flight take the same parts. Empty for a plain product and for a bundle taken as reported.
        locations: Every location with whether it counts.
        levels: The stock records of everything involved.
        orders: Orders in flight of everything involved.
        subtract_locked: As in the merchant's settings.
        clamp_each: As in the mode.
        pooled_assembly: As in the mode.
        units: Units of the product in one piece of the listing.
        rules: The rules of this quantity.
        how: ``"stock"``, ``"bundle_computed"`` or ``"bundle_reported"``.
        meaning: Of a figure taken as reported: whether it includes what the parts would make: ``"no"``,
            ``"yes"`` or ``"unknown"``.
        doubtful: Whether the newest answer about one of the figures was lost on its way.
    """

    master_sku: str
    recipes: tuple[Bundle, ...] = ()
    locations: tuple[LocationChoice, ...]
    levels: tuple[StockLevel, ...]
    orders: tuple[Orders, ...] = ()
    subtract_locked: bool = True
    clamp_each: bool = False
    pooled_assembly: bool = False
    units: int = 1
    rules: QuantityRules = QuantityRules()  # noqa: RUF009  a frozen value, safe to share
    how: str = "stock"
    meaning: str = "no"
    doubtful: bool = False

    @property
    def counted(self) -> tuple[LocationChoice, ...]:
        """The locations that count."""
        return tuple(location for location in self.locations if location.counted)

    @property
    def is_recorded(self) -> bool:
        """Whether the product has a stock record at a counted location."""
        counted = {location.id for location in self.counted}
        return any(
            level.master_sku == self.master_sku and level.location_id in counted for level in self.levels
        )

    @property
    def unreported(self) -> tuple[StockLevel, ...]:
        """The records at counted locations whose figures are too few to know what is available."""
        counted = {location.id for location in self.counted}
        return tuple(
            level
            for level in self.levels
            if level.location_id in counted and available(level, subtract_locked=self.subtract_locked) is None
        )

    def evaluate(self) -> int:
        """Compute the quantity from the figures held here alone."""
        return self.steps()[-1].after if self.is_recorded else 0

    def steps(self) -> tuple[RuleStep, ...]:
        """Take the total through the rules."""
        return apply_rules(self.work_out().total, self.units, self.rules)

    def work_out(self) -> Worked:
        """Compute the total over the counted locations, with how it comes about."""
        amounts = self._amounts()
        bundles = {bundle.master_sku: parts_of(bundle) for bundle in self.recipes}
        debts = self._debts(amounts, bundles)
        own = [amounts[location.id].get(self.master_sku) for location in self.counted]
        shelf = sum(units for units in own if units is not None)
        ordered = debts.get(self.master_sku, 0)
        if self.master_sku not in bundles:
            rows = [
                LocationWork(location=location, shelf=units)
                for location, units in zip(self.counted, own, strict=True)
            ]
            return Worked(
                locations=tuple(rows),
                shelf=shelf,
                ordered=ordered,
                built=0,
                limit=None,
                shortage=None,
                total=shelf - ordered,
            )
        recipe = recipe_of([self.master_sku], bundles)
        rows = [self._build_at(location, amounts[location.id], recipe) for location in self.counted]
        netted = self._netted(amounts, debts, recipe)
        limit = buildable(recipe, netted)
        recorded = any(row.shelf is not None for row in rows)
        if self.pooled_assembly:
            built = limit if recorded else 0
        else:
            built = min(sum(row.built for row in rows), limit)
        return Worked(
            locations=tuple(rows),
            shelf=shelf,
            ordered=ordered,
            built=built,
            limit=limit,
            shortage=shortage(recipe, netted, limit + 1),
            total=shelf - ordered + built,
        )

    def _amounts(self) -> dict[str, dict[str, int]]:
        """Rule 1: what is available of everything at each counted location."""
        amounts: dict[str, dict[str, int]] = {location.id: {} for location in self.counted}
        for level in self.levels:
            if level.location_id in amounts:
                units = available(level, subtract_locked=self.subtract_locked) or 0
                amounts[level.location_id][level.master_sku] = max(units, 0) if self.clamp_each else units
        return amounts

    def _debts(
        self, amounts: Mapping[str, Mapping[str, int]], bundles: Mapping[str, Mapping[str, int]]
    ) -> dict[str, int]:
        if not self.orders:
            return {}
        ordered = {orders.master_sku: orders.units for orders in self.orders}
        shelf = {sku: sum(here.get(sku, 0) for here in amounts.values()) for sku in bundles}
        order = recipe_of([*bundles, *ordered], bundles).order
        return spread_orders(ordered, order, bundles, shelf)

    @staticmethod
    def _build_at(location: LocationChoice, here: Mapping[str, int], recipe: Recipe) -> LocationWork:
        shelf = here.get(recipe.master_sku)
        if shelf is None or not location.builds:
            return LocationWork(location=location, shelf=shelf)
        built = buildable(recipe, here)
        return LocationWork(
            location=location, shelf=shelf, built=built, shortage=shortage(recipe, here, built + 1)
        )

    def _netted(
        self, amounts: Mapping[str, Mapping[str, int]], debts: Mapping[str, int], recipe: Recipe
    ) -> dict[str, int]:
        """Net everything over the counted locations; what is not lent is not counted on top of debts."""
        lending = [location.id for location in self.counted if location.builds]
        netted: dict[str, int] = {}
        for sku in recipe.order:
            everywhere = sum(here.get(sku, 0) for here in amounts.values()) - debts.get(sku, 0)
            lent = sum(max(0, amounts[location_id].get(sku, 0)) for location_id in lending)
            netted[sku] = min(everywhere, lent)
        return netted
