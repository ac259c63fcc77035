"""An oracle for allocations, written from the published rules and by counting, not by calculating.

It shares no code with the engine: bundles are built one by one out of a heap of units until a part is
missing, orders in flight are taken one unit at a time, thresholds are applied as sentences. It is slow, and
plain enough to be believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import floor

from attrs import frozen

from omsync.model import Alias, InventorySnapshot, StockLevel
from omsync.settings import CartSettings, MerchantSettings, PerWarehouse, QuantityRules, SkuOverride

__all__ = ["Expected", "expect"]

Recipes = Mapping[str, Mapping[str, int]]
Listing = tuple[str, str, int]
"""A listing, its product, and units in a piece."""
Skipped = tuple[str | None, str, str | None]
"""A listing, its product, and a location."""
Answered = tuple[dict[tuple[str, str | None], tuple[int, str]], list[tuple[Skipped, set[str]]]]


@frozen(kw_only=True)
class Expected:
    """What the rules say.

    Args:
        quantities: By (listing, location): the pieces told and the reason.
        skips: By (listing, product, location): the reasons that are true, one set for each skip.
    """

    quantities: Mapping[tuple[str, str | None], tuple[int, str]]
    skips: Mapping[Skipped, list[frozenset[str]]]


def expect(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, orders: Mapping[str, int]
) -> Expected:
    """Say what every listing is to be told."""
    return _Oracle(snapshot, merchant, cart, orders).everything()


class _Heap:
    """Units of everything at hand; bundles are built out of it one at a time."""

    def __init__(self, units: Mapping[str, int], recipes: Recipes) -> None:
        self.units = Counter(units)
        self.recipes = recipes

    def builds(self, bundle: str) -> int:
        """Build until a part is missing; the bundle's own shelf units are left alone."""
        number = 0
        while self._build(bundle):
            number += 1
        return number

    def _build(self, bundle: str) -> bool:
        return all(self._take(part) for part, need in self.recipes[bundle].items() for _ in range(need))

    def _take(self, sku: str) -> bool:
        # What is owed of a kit has to be built before one can be had.
        while sku in self.recipes and self.units[sku] < 0:
            if not self._build(sku):
                return False
            self.units[sku] += 1
        if self.units[sku] > 0:
            self.units[sku] -= 1
            return True
        return sku in self.recipes and self._build(sku)


class _Oracle:
    def __init__(
        self,
        snapshot: InventorySnapshot,
        merchant: MerchantSettings,
        cart: CartSettings,
        orders: Mapping[str, int],
    ) -> None:
        self.snapshot, self.merchant, self.cart = snapshot, merchant, cart
        self.mode = merchant.mode if isinstance(merchant.mode, PerWarehouse) else PerWarehouse()
        self.channel_mode = snapshot.scope == "channel"
        self.skus = {sku.master_sku: sku for sku in snapshot.skus}
        self.bundles = {bundle.master_sku: bundle for bundle in snapshot.bundles}
        self.counted = {place.id for place in snapshot.places if self._counts(place.id, place.name)}
        self.levels: dict[str, dict[str, StockLevel]] = {}
        for level in snapshot.levels:
            if level.location_id in self.counted or not self.channel_mode:
                self.levels.setdefault(level.master_sku, {})[level.location_id] = level
        include = snapshot.bundles_include_buildable
        self.computed = {"auto": include == "no", "computed": True, "reported": False}[
            merchant.bundle_quantities
        ]
        needs: dict[str, dict[str, int]] = {}
        for sku, bundle in self.bundles.items():
            needs[sku] = Counter()
            for component in bundle.components:
                if component.quantity > 0 or not self._troubles(sku):
                    needs[sku][component.master_sku] += component.quantity
        healthy = {sku for sku in self.bundles if not self._troubles(sku)}
        self.recipes: Recipes = {sku: needs[sku] for sku in healthy} if self.computed else {}
        self.orders = Counter(orders)
        # Nobody knows which orders of a bundle that is not computed took parts, so they lower the parts too.
        uncomputed = {
            sku: parts
            for sku, parts in needs.items()
            if sku not in self.recipes and "component_in_cycle" not in self._troubles(sku)
        }
        for sku, units in orders.items():
            self._order_parts_too(sku, units, uncomputed)

    def _order_parts_too(self, sku: str, units: int, needs: Recipes) -> None:
        for part, need in needs.get(sku, {}).items():
            self.orders[part] += units * need
            self._order_parts_too(part, units * need, needs)

    # Locations

    def _counts(self, place_id: str, name: str) -> bool:
        place = next(place for place in self.snapshot.places if place.id == place_id)
        called = {place_id, name}
        wanted = self.cart.location
        if not place.active:
            return False
        if wanted is not None:
            return bool(called & ({wanted} if isinstance(wanted, str) else set(wanted)))
        if self.mode.counted is not None:
            return bool(called & self.mode.counted)
        return not called & self.mode.disabled

    def _named(self, names: Iterable[str]) -> set[str]:
        wanted = set(names)
        return {place.id for place in self.snapshot.places if wanted & {place.id, place.name}}

    # Products

    def _product_reason(self, sku: str) -> str | None:
        product = self.skus.get(sku)
        reason = None
        # What is said first is what stands last here.
        if self.cart.only is not None and sku not in self.cart.only:
            reason = "not_in_only"
        if sku in self.cart.exclude:
            reason = "excluded"
        if product is None:
            return "unknown_product"
        if self.merchant.ignore_inactive and not product.active:
            reason = "inactive_product"
        if not product.tracked:
            reason = "untracked_product"
        if product.digital:
            reason = "digital_product"
        if product.kind == "virtual":
            reason = "virtual_product"
        return reason

    def _is_bundle(self, sku: str) -> bool:
        return sku in self.bundles or self.skus[sku].kind == "bundle"

    def _troubles(self, sku: str, above: tuple[str, ...] = ()) -> set[str]:
        """Everything that is wrong with a bundle and what it is made of."""
        if sku not in self.bundles or not self.bundles[sku].components:
            return {"bundle_without_components"}
        found = set()
        for component in self.bundles[sku].components:
            part = component.master_sku
            if component.quantity < 1:
                found.add("component_need_below_one")
            if part in (*above, sku):
                found.add("component_in_cycle")
                continue
            product = self.skus.get(part)
            if product is None:
                found.add("component_missing")
            elif self.merchant.ignore_inactive and not product.active:
                found.add("component_inactive")
            elif product.kind == "virtual" or product.digital or not product.tracked:
                found.add("component_not_stocked")
            if part in self.bundles:
                found |= self._troubles(part, (*above, sku))
            elif part not in self.levels:
                found.add("component_without_stock_record")
        return found

    def _inside(self, sku: str) -> set[str]:
        return {sku}.union(*(self._inside(part) for part in self.recipes.get(sku, {})))

    # Rule 1

    def _available(self, sku: str, place_id: str) -> int | None:
        level = self.levels[sku][place_id]
        figure = level.available
        if figure is None and level.on_hand is not None:
            figure = level.on_hand - level.committed
            if self.merchant.subtract_locked:
                figure -= level.locked
        if figure is not None and self.mode.clamp_each and figure < 0:
            return 0
        return figure

    def _here(self, sku: str, place_id: str) -> int:
        if place_id not in self.levels.get(sku, {}):
            return 0
        return self._available(sku, place_id) or 0

    def _is_unreported(self, sku: str, places: set[str]) -> bool:
        """Whether a figure that matters for the product is not known."""
        inside = self._inside(sku)
        matters = set(inside)
        for ordered, units in self.orders.items():
            if units:
                matters |= {one for one in self._inside(ordered) if self._inside(one) & inside}
        return any(
            self._available(one, place) is None
            for one in matters
            for place in self.levels.get(one, {})
            if place in places
        )

    # Rules 2 and 3

    def _debts(self, places: set[str]) -> Counter[str]:
        """Orders in flight, one unit at a time: a bundle's come from its shelf, then from its parts."""
        shelf = {sku: max(0, sum(self._here(sku, place) for place in places)) for sku in self.recipes}
        debts: Counter[str] = Counter()

        def order(sku: str) -> None:
            if sku not in self.recipes:
                debts[sku] += 1
            elif shelf[sku] > 0:
                shelf[sku] -= 1
                debts[sku] += 1
            else:
                for part, need in self.recipes[sku].items():
                    for _ in range(need):
                        order(part)

        for ordered, units in self.orders.items():
            for _ in range(units):
                order(ordered)
        return debts

    def _total(self, sku: str, places: set[str]) -> int:
        debts = self._debts(places)
        own = sum(self._here(sku, place) for place in places) - debts[sku]
        if sku not in self.recipes:
            return own
        recorded = {place for place in places if place in self.levels.get(sku, {})}
        lending = places - self._named(self.mode.preassembled_only)
        each = sum(
            _Heap({one: self._here(one, place) for one in self._inside(sku)}, self.recipes).builds(sku)
            for place in recorded & lending
        )
        netted = {
            one: min(
                sum(self._here(one, place) for place in places) - debts[one],
                sum(max(0, self._here(one, place)) for place in lending),
            )
            for one in self._inside(sku)
        }
        together = _Heap(netted, self.recipes).builds(sku)
        if self.mode.pooled_assembly:
            return own + (together if recorded else 0)
        return own + min(each, together)

    # Rules 4 to 10

    @staticmethod
    def _told(total: int, units: int, rules: QuantityRules) -> int:
        pieces = floor(Fraction(total, units))
        pieces = floor(Fraction(pieces) * Fraction(rules.percent, 100))
        pieces += rules.backorder_room - rules.safety_stock
        if rules.zero_below and pieces < rules.zero_below:
            pieces = 0
        if rules.show_at_least and pieces < rules.show_at_least:
            pieces = rules.show_at_least
        if rules.max_quantity is not None and pieces > rules.max_quantity:
            pieces = rules.max_quantity
        return max(0, pieces)

    # Listings

    def everything(self) -> Expected:
        skus = {*self.skus, *self.bundles, *(level.master_sku for level in self.snapshot.levels)}
        listings: list[Listing] = []
        skips: list[tuple[Skipped, set[str]]] = []
        if self.cart.alias is None:
            for sku in skus:
                reason = self._product_reason(sku)
                if reason is None:
                    listings.append((sku, sku, self.cart.units.get(sku, 1)))
                else:
                    skips.append(((sku, sku, None), {reason}))
        else:
            listings, skips = self._listed(skus)
        quantities: dict[tuple[str, str | None], tuple[int, str]] = {}
        for listing, sku, units in listings:
            told, left = self._quantities(listing, sku, units)
            quantities |= told
            skips += left
        gathered: dict[Skipped, list[frozenset[str]]] = {}
        for key, reasons in skips:
            gathered.setdefault(key, []).append(frozenset(reasons))
        return Expected(quantities=quantities, skips=gathered)

    def _listed(self, skus: set[str]) -> tuple[list[Listing], list[tuple[Skipped, set[str]]]]:
        aliases = [one for one in self.snapshot.aliases if self.cart.alias in {one.name, one.channel_id}]
        skips: list[tuple[Skipped, set[str]]] = []
        no_listing: set[str | None] = {None}
        for sku in skus | {alias.master_sku for alias in aliases}:
            listings = {alias.listing_sku for alias in aliases if alias.master_sku == sku}
            reason = self._product_reason(sku)
            if reason is None and not listings:
                skips.append(((None, sku, None), {"no_alias"}))
            elif reason is not None:
                skips += [((listing, sku, None), {reason}) for listing in listings or no_listing]
        wanted, others = self._sorted_out(
            [one for one in aliases if self._product_reason(one.master_sku) is None]
        )
        return wanted, [*skips, *others]

    def _sorted_out(self, aliases: list[Alias]) -> tuple[list[Listing], list[tuple[Skipped, set[str]]]]:
        skips: list[tuple[Skipped, set[str]]] = []
        live = []
        for alias in aliases:
            key = (alias.listing_sku, alias.master_sku, None)
            if not alias.active:
                skips.append((key, {"inactive_listing"}))
            elif self.cart.respect_push_inventory and not alias.push_inventory:
                skips.append((key, {"push_inventory_off"}))
            else:
                units = self.cart.units.get(alias.listing_sku, alias.units)
                live.append((alias.listing_sku, alias.master_sku, units))
        wanted = []
        for listing in {one[0] for one in live}:
            claims = [one for one in live if one[0] == listing]
            products = {one[1] for one in claims}
            if len(products) > 1:
                skips += [((listing, sku, None), {"listing_of_two_products"}) for sku in products]
            elif len({one[2] for one in claims}) > 1:
                skips.append(((listing, claims[0][1], None), {"listing_units_differ"}))
            else:
                wanted.append(claims[0])
                skips += [((listing, claims[0][1], None), {"duplicate_listing_sku"})] * (len(claims) - 1)
        return wanted, skips

    def _quantities(self, listing: str, sku: str, units: int) -> Answered:
        reason = "stock"
        key = (listing, sku, None)
        computed_bundle = self._is_bundle(sku) and self.computed
        if sku not in self.levels:
            return {}, [(key, {"bundle_without_stock_record" if self._is_bundle(sku) else "no_stock_record"})]
        if computed_bundle:
            troubles = self._troubles(sku)
            if troubles:
                return {}, [(key, troubles)]
            reason = "bundle_computed"
        elif self._is_bundle(sku):
            reason = "bundle_reported"
        return self._rows(listing, sku, units, reason)

    def _rows(self, listing: str, sku: str, units: int, reason: str) -> Answered:
        key = (listing, sku, None)
        override = self.cart.overrides.get(sku, SkuOverride())
        rules = override.rules or self.cart.rules
        stays = self.counted - self._named(override.leave_out)
        rows: dict[str | None, set[str]] = {None: stays}
        if self.cart.breakdown:
            rows = {place: {place} & stays for place in sorted(self.counted & set(self.levels[sku]))}
        if not rows:
            return {}, [(key, {"not_at_counted_location"})]
        if any(self._is_unreported(sku, places) for places in rows.values()):
            return {}, [(key, {"quantity_not_reported"})]
        told: dict[tuple[str, str | None], tuple[int, str]] = {}
        skips: list[tuple[Skipped, set[str]]] = []
        for row, places in rows.items():
            target = self._target(row)
            if row is not None and target is None:
                skips.append(((listing, sku, row), {"warehouse_not_mapped"}))
                continue
            quantity, why = 0, "not_at_counted_location" if row is None else "left_out"
            if places & set(self.levels[sku]):
                quantity, why = self._told(self._total(sku, places), units, rules), reason
            before, first = told.get((listing, target), (0, why))
            # Of the rows that are added up, one that counts gives the reason.
            told[listing, target] = before + quantity, why if first == "left_out" else first
        return told, skips

    def _target(self, row: str | None) -> str | None:
        """Where a row goes; None where there is no location, and for a warehouse that is not mapped."""
        if not self.cart.location_map or row is None:
            return row
        return next(
            (target for name, target in self.cart.location_map.items() if row in self._named([name])), None
        )
