"""Which products can have a quantity at all: products and bundles, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

from omsync.allocation.building import parts_of
from omsync.errors import SettingsError
from omsync.model import Bundle, InventorySnapshot, Sku
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Catalogue", "Problem", "bundles_are_computed"]

DEEPEST = 100
"""Kits within kits; deeper nesting is a mistake in the catalogue."""

Problem = tuple[str, str]
"""A reason code and what it is about."""


def bundles_are_computed(snapshot: InventorySnapshot, merchant: MerchantSettings) -> bool:
    """Decide whether bundles are computed from parts or taken as reported.

    Adding what parts make to a figure that includes it already would show the same units twice.

    Raises:
        SettingsError: ``"computed"`` is asked for, and the snapshot's figures include buildable units.
    """
    if merchant.bundle_quantities == "auto":
        return snapshot.bundles_include_buildable == "no"
    if merchant.bundle_quantities == "computed" and snapshot.bundles_include_buildable == "yes":
        raise SettingsError(
            "bundle_quantities='computed' over figures that include buildable units would show those twice",
            code="computed_over_buildable",
            remedy="Use bundle_quantities='auto', or read figures without buildable units.",
        )
    return merchant.bundle_quantities == "computed"


class Catalogue:
    """The snapshot's products and bundles, seen through the merchant's settings.

    Args:
        snapshot: What was read.
        merchant: Decides about inactive products and bundles.
        recorded: The products that have a stock record where this cart could see one.
    """

    def __init__(
        self, snapshot: InventorySnapshot, merchant: MerchantSettings, recorded: frozenset[str] | set[str]
    ) -> None:
        self.computed = bundles_are_computed(snapshot, merchant)
        self.skus: Mapping[str, Sku] = {sku.master_sku: sku for sku in snapshot.skus}
        # In order, here and below, so that which of several mistakes is named never depends on the reading.
        self.bundles: Mapping[str, Bundle] = {
            bundle.master_sku: bundle for bundle in sorted(snapshot.bundles, key=lambda one: one.master_sku)
        }
        self._ignore_inactive = merchant.ignore_inactive
        self._recorded = recorded
        self._problems: dict[str, Problem | None] = {}
        self._ending: set[str] = set()

    def is_bundle(self, master_sku: str) -> bool:
        """Tell whether the product is a bundle, with parts or marked as one."""
        sku = self.skus.get(master_sku)
        return master_sku in self.bundles or (sku is not None and sku.kind == "bundle")

    def product_problem(self, master_sku: str, cart: CartSettings) -> str | None:
        """Give the reason why the product gets no quantity in this cart, or None."""
        reason = self.product_problem_anywhere(master_sku)
        if reason is not None:
            return reason
        if master_sku in cart.exclude:
            return "excluded"
        return "not_in_only" if cart.only is not None and master_sku not in cart.only else None

    def product_problem_anywhere(self, master_sku: str) -> str | None:
        """Give the reason why the product gets no quantity in any cart, or None."""
        sku = self.skus.get(master_sku)
        if sku is None:
            return "unknown_product"
        if sku.kind == "virtual":
            return "virtual_product"
        if sku.digital:
            return "digital_product"
        if not sku.tracked:
            return "untracked_product"
        return "inactive_product" if self._ignore_inactive and not sku.active else None

    def bundle_problem(self, master_sku: str) -> Problem | None:
        """Give what is wrong with a bundle or with anything in it, or None."""
        if master_sku not in self._problems:
            self._problems[master_sku] = self._find_problem(master_sku, ())
        return self._problems[master_sku]

    def comes_to_an_end(self, master_sku: str, path: tuple[str, ...] = ()) -> bool:
        """Tell whether taking a bundle apart ends: nothing in it contains itself, or nests too deeply."""
        if master_sku in path or len(path) > DEEPEST:
            return False
        if master_sku in self._ending or master_sku not in self.bundles:
            return True
        way = (*path, master_sku)
        ends = all(self.comes_to_an_end(part, way) for part in parts_of(self.bundles[master_sku]))
        if ends:
            self._ending.add(master_sku)
        return ends

    def _find_problem(self, master_sku: str, path: tuple[str, ...]) -> Problem | None:
        bundle = self.bundles.get(master_sku)
        if bundle is None or not bundle.components:
            return "bundle_without_components", repr(master_sku)
        for component in sorted(bundle.components, key=lambda one: (one.master_sku, one.quantity)):
            if component.quantity < 1:
                return "component_need_below_one", f"{component.quantity} of {component.master_sku!r}"
        way = (*path, master_sku)
        for part in sorted(parts_of(bundle)):
            problem = self._part_problem(part, way)
            if problem is not None:
                return problem
        return None

    def _part_problem(self, part: str, way: tuple[str, ...]) -> Problem | None:
        if part in way:
            return "component_in_cycle", " -> ".join((*way[way.index(part) :], part))
        sku = self.skus.get(part)
        if sku is None:
            return "component_missing", repr(part)
        reasons = {
            "component_inactive": self._ignore_inactive and not sku.active,
            "component_not_stocked": sku.kind == "virtual" or sku.digital or not sku.tracked,
            "bundle_nested_too_deeply": len(way) > DEEPEST,
            "component_without_stock_record": part not in self.bundles and part not in self._recorded,
        }
        for reason, applies in reasons.items():
            if applies:
                return reason, repr(part)
        return self._kit_problem(part, way) if part in self.bundles else None

    def _kit_problem(self, kit: str, way: tuple[str, ...]) -> Problem | None:
        if kit in self._problems:
            return self._problems[kit]
        problem = self._find_problem(kit, way)
        if problem is None:
            # A problem found on the way may be a cycle through ``way``; only health is true from everywhere.
            self._problems[kit] = None
        return problem
