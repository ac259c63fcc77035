"""The offers of the Amazon in memory, and what a patch does to them."""

from __future__ import annotations

from typing import Any

from attrs import define, field

__all__ = ["Issues", "Offer", "Offers"]

_PATH = "/attributes/fulfillment_availability"
_OPERATIONS = {"add", "replace", "merge", "delete"}
Issues = list[dict[str, Any]]


@define(kw_only=True)
class Offer:
    """One listing: by fulfilment channel code, what is set there."""

    sku: str
    product_type: str | None
    channels: dict[str, dict[str, Any]] = field(factory=dict)


@define(kw_only=True)
class Offers:
    """All listings of a seller.

    Args:
        enrolled: Whether the seller is in Multi-Location Inventory.
        applies_at_once: Whether what is accepted shows at once.
    """

    enrolled: bool
    applies_at_once: bool
    by_sku: dict[str, Offer] = field(factory=dict)
    accepted: list[tuple[str, dict[str, int]]] = field(factory=list)

    def patch(self, sku: str, body: Any) -> tuple[str, Issues]:
        """Carry a patch out, from a single write or a feed; give its status and its issues."""
        offer = self.by_sku.get(sku)
        if offer is None:
            return "INVALID", [_issue("13013", f"The SKU {sku!r} does not exist in the catalogue.")]
        wanted: dict[str, int] = {}
        problem = self._problem(body, wanted)
        if problem is not None:
            return "INVALID", [problem]
        if any(patch["op"] != "merge" for patch in body["patches"]):
            # Whatever else was set there, such as a lead time, is gone.
            offer.channels.update((code, {}) for code in wanted)
        warnings: Issues = []
        if any(code.startswith("AMAZON") for code in offer.channels):
            # The offer becomes one that the seller ships; what is in Amazon's warehouses is stranded.
            offer.channels = {code: kept for code, kept in offer.channels.items() if code in wanted}
            warnings = [_issue("8541", "The fulfilment channel was changed.", "WARNING")]
        self.accepted.append((sku, wanted))
        if self.applies_at_once:
            self.apply()
        return "ACCEPTED", warnings

    def apply(self) -> None:
        """Let everything that was accepted show."""
        for sku, units in self.accepted:
            if sku not in self.by_sku:
                continue
            for code, quantity in units.items():
                self.by_sku[sku].channels.setdefault(code, {})["quantity"] = quantity
        self.accepted.clear()

    def _problem(self, body: Any, wanted: dict[str, int]) -> dict[str, Any] | None:
        if not body.get("productType"):
            return _issue("4000002", "productType is missing.")
        for patch in body["patches"]:
            if patch["path"] != _PATH:
                return _issue("4000001", f"The path {patch['path']!r} is no top-level attribute.")
            if patch["op"] not in _OPERATIONS:
                return _issue("4000001", f"The operation {patch['op']!r} is unknown.")
            for value in patch["value"]:
                code, quantity = value.get("fulfillment_channel_code"), value.get("quantity")
                problem = self._wrong_value(code, quantity)
                if problem is not None:
                    return problem
                wanted[code] = quantity
        return None

    def _wrong_value(self, code: Any, quantity: Any) -> dict[str, Any] | None:
        if not code:
            return _issue("90220", "'fulfillment_channel_code' is required but missing.")
        if code != "DEFAULT" and not self.enrolled:
            return _issue("4000004", f"The supply source {code!r} is unknown for this seller.")
        if type(quantity) is not int or quantity < 0:
            return _issue("90225", f"The quantity {quantity!r} is not a whole number from 0.")
        return None


def _issue(code: str, message: str, severity: str = "ERROR") -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "severity": severity,
        "attributeNames": ["fulfillment_availability"],
        "categories": [],
    }
