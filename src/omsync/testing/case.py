"""A case: everything that one allocation is made from, and what can be said and changed about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from omsync import checks
from omsync.model import InventorySnapshot, StockLevel
from omsync.settings import CartSettings, MerchantSettings, PerWarehouse, QuantityRules, SkuOverride

__all__ = ["FEATURES", "Case", "features"]

T = TypeVar("T")


@frozen(kw_only=True)
class Case:
    """Everything that one allocation is made from.

    Args:
        snapshot: What was read.
        merchant: The merchant's settings; they fit the snapshot.
        cart: The cart's settings; they fit both.
        orders: Units by master SKU in orders that the snapshot has not seen.
    """

    snapshot: InventorySnapshot
    merchant: MerchantSettings
    cart: CartSettings
    orders: Mapping[str, int] = field(factory=dict, converter=checks.as_mapping)

    def allocated_by(
        self, engine: Callable[[InventorySnapshot, MerchantSettings, CartSettings, Mapping[str, int]], T]
    ) -> T:
        """Give what an engine with ``allocate``'s signature makes of this case."""
        return engine(self.snapshot, self.merchant, self.cart, self.orders)

    @property
    def mode(self) -> PerWarehouse:
        """The warehouse mode; in sales-channel mode one that changes nothing."""
        mode = self.merchant.mode
        return mode if isinstance(mode, PerWarehouse) else PerWarehouse()

    @property
    def parts(self) -> dict[str, Counter[str]]:
        """For every bundle: units of each part in one."""
        parts: dict[str, Counter[str]] = {}
        for bundle in self.snapshot.bundles:
            own = parts.setdefault(bundle.master_sku, Counter())
            for component in bundle.components:
                own[component.master_sku] += component.quantity
        return parts

    def counted(self, master_sku: str) -> set[str]:
        """Give the ids of the locations that count for a product's own quantity."""
        mode, wanted = self.mode, self.cart.location
        names = {wanted} if isinstance(wanted, str) else None if wanted is None else set(wanted)
        left_out = self.cart.overrides.get(master_sku, SkuOverride()).leave_out
        counted = set()
        for place in self.snapshot.places:
            called = {place.id, place.name}
            if names is not None:
                counts = not called.isdisjoint(names)
            elif mode.counted is not None:
                counts = not called.isdisjoint(mode.counted)
            else:
                counts = called.isdisjoint(mode.disabled)
            if counts and place.active and called.isdisjoint(left_out):
                counted.add(place.id)
        return counted

    def held(self, master_sku: str) -> int:
        """Give the units of a product at the counted locations, netted, as far as they are reported."""
        counted = self.counted(master_sku)
        held = 0
        for level in self.snapshot.levels.of(master_sku):
            if level.location_id in counted:
                figure = level.available
                if figure is None:
                    figure = (level.on_hand or 0) - level.committed
                    figure -= level.locked if self.merchant.subtract_locked else 0
                held += max(0, figure) if self.mode.clamp_each else figure
        return held

    def written_out(self, master_sku: str, path: tuple[str, ...] = ()) -> Counter[str]:
        """Give the single parts of a bundle, through all inner kits; of a plain product itself."""
        parts = self.parts.get(master_sku)
        if parts is None or master_sku in path:
            return Counter({master_sku: 1})
        written: Counter[str] = Counter()
        for part, need in parts.items():
            for single, each in self.written_out(part, (*path, master_sku)).items():
                written[single] += need * each
        return written

    def is_recorded(self, master_skus: Iterable[str], locations: set[str]) -> bool:
        """Tell whether each of the products has a stock record at one of the locations."""
        levels = self.snapshot.levels
        return all(any(one.location_id in locations for one in levels.of(sku)) for sku in master_skus)

    def rules_of(self, master_sku: str) -> QuantityRules:
        """Give the rules of a product's quantity."""
        return self.cart.overrides.get(master_sku, SkuOverride()).rules or self.cart.rules

    def with_levels(self, change: Callable[[StockLevel], StockLevel]) -> Case:
        """Change stock records."""
        return evolve(self, snapshot=evolve(self.snapshot, levels=map(change, self.snapshot.levels)))

    def with_cart(self, **changes: Any) -> Case:
        """Change the cart's settings."""
        return evolve(self, cart=evolve(self.cart, **changes))

    def with_mode(self, **changes: Any) -> Case:
        """Change the warehouse mode."""
        return evolve(self, merchant=evolve(self.merchant, mode=evolve(self.mode, **changes)))

    def with_rules(self, change: Callable[[QuantityRules], QuantityRules]) -> Case:
        """Change the rules of the cart and of its overrides."""
        return self.with_cart(
            rules=change(self.cart.rules),
            overrides={
                sku: evolve(override, rules=None if override.rules is None else change(override.rules))
                for sku, override in self.cart.overrides.items()
            },
        )

    def without(self, location_id: str) -> Case:
        """Delete a warehouse, its stock records, and all that the settings say of it."""
        gone = next(place for place in self.snapshot.places if place.id == location_id)
        called, mode = {gone.id, gone.name}, self.mode
        snapshot = evolve(
            self.snapshot,
            warehouses=[place for place in self.snapshot.warehouses if place is not gone],
            levels=[level for level in self.snapshot.levels if level.location_id != location_id],
        )
        case = self.with_mode(
            disabled=mode.disabled - called, preassembled_only=mode.preassembled_only - called
        ).with_cart(
            overrides={
                sku: evolve(override, leave_out=override.leave_out - called)
                for sku, override in self.cart.overrides.items()
            }
        )
        return evolve(case, snapshot=snapshot)


def _is_debt(level: StockLevel) -> bool:
    if level.available is not None:
        return level.available < 0
    return level.on_hand is not None and level.on_hand < level.committed


def _shares_parts(case: Case) -> bool:
    parts = [set(parts) for parts in case.parts.values()]
    return any(one & other for number, one in enumerate(parts) for other in parts[:number])


def _is_preassembled(case: Case) -> bool:
    bundles = case.parts
    return any(level.master_sku in bundles and (level.available or 0) > 0 for level in case.snapshot.levels)


def _is_nested(case: Case) -> bool:
    bundles = case.parts
    return any(part in bundles for parts in bundles.values() for part in parts)


FEATURES: Mapping[str, Callable[[Case], bool]] = {
    "debt": lambda case: any(map(_is_debt, case.snapshot.levels)),
    "missing record": lambda case: any(
        sku.master_sku not in case.snapshot.levels for sku in case.snapshot.skus
    ),
    "missing record of a part": lambda case: any(
        part not in case.snapshot.levels for parts in case.parts.values() for part in parts
    ),
    "unreported figure": lambda case: any(
        level.available is None and level.on_hand is None for level in case.snapshot.levels
    ),
    "shared part": _shares_parts,
    "nested kit": _is_nested,
    "pre-assembled bundle": _is_preassembled,
    "pack": lambda case: any(alias.units > 1 for alias in case.snapshot.aliases) or bool(case.cart.units),
    "clamp_each": lambda case: case.mode.clamp_each,
    "pooled_assembly": lambda case: case.mode.pooled_assembly,
    "preassembled_only": lambda case: bool(case.mode.preassembled_only),
    "disabled warehouse": lambda case: bool(case.mode.disabled),
    "inactive warehouse": lambda case: any(not place.active for place in case.snapshot.places),
    "leave_out": lambda case: any(one.leave_out for one in case.cart.overrides.values()),
    "named location": lambda case: case.snapshot.scope == "warehouse" and case.cart.location is not None,
    "breakdown": lambda case: case.cart.breakdown,
    "location_map": lambda case: bool(case.cart.location_map),
    "channel mode": lambda case: case.snapshot.scope == "channel",
    "alias": lambda case: case.cart.alias is not None,
    "orders in flight": lambda case: any(case.orders.values()),
}
"""What a case may contain, by name."""


def features(case: Case) -> frozenset[str]:
    """Name what a case contains; for Hypothesis' ``event``, and to prove that a strategy reaches it."""
    return frozenset(name for name, applies in FEATURES.items() if applies(case))
