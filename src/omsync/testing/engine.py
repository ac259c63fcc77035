"""What an engine is, for the laws: anything that can be called as ``allocate`` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from omsync.allocation import Explanation, ListingQuantity, Skip
from omsync.model import InventorySnapshot
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Allocated", "Engine"]


class Allocated(Protocol):
    """What an engine gives; ``omsync.allocation.Allocation`` is one."""

    @property
    def quantities(self) -> Sequence[ListingQuantity]:
        """What is told."""
        ...

    @property
    def skipped(self) -> Sequence[Skip]:
        """What is not told, and why."""
        ...

    def explain(self, listing_sku: str, location_id: str | None = None) -> Explanation:
        """Say why."""
        ...


class Engine(Protocol):
    """Anything that can be called as ``allocate`` is."""

    def __call__(
        self,
        snapshot: InventorySnapshot,
        merchant: MerchantSettings,
        cart: CartSettings,
        orders_in_flight: Mapping[str, int],
        /,
    ) -> Allocated:
        """Decide what every listing is told."""
        ...
