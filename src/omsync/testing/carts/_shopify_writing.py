"""The fake shop's mutations, each under its idempotency key, with what Shopify refuses of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from omsync.testing.carts._shopify_language import Selection
from omsync.testing.carts._shopify_stock import Item, Level, Refusal, Site

__all__ = ["Writing"]

HIGHEST = 1_000_000_000
GROUP_QUANTITIES = ("available", "on_hand")


class Writing:
    """Carries mutations out on the shop's items.

    Args:
        sites: The locations, by id.
        items: The inventory items, by id.
    """

    def __init__(self, sites: Mapping[str, Site], items: Mapping[str, Item]) -> None:
        self.sites = sites
        self.items = items
        self.history: list[dict[str, Any]] = []
        self.names_rows = True
        self._answers: dict[str, tuple[str, dict[str, Any] | None]] = {}

    def set_quantities(self, asked: Selection) -> dict[str, Any]:
        given = asked.arguments["input"]
        for at, row in enumerate(given["quantities"]):
            if "changeFromQuantity" not in row:
                said = f"changeFromQuantity must be given for quantities.{at}, null where it is unknown"
                raise Refusal("INVALID_FIELD_ARGUMENTS", said, [asked.alias])
        return self._once(
            asked,
            lambda: self._set(given),
            lambda code: {"inventoryAdjustmentGroup": None, "userErrors": [_call_error(code)]},
        )

    def _set(self, given: Mapping[str, Any]) -> dict[str, Any]:
        errors = [*_call_errors(given), *self._row_errors(given)]
        if errors:
            return {"inventoryAdjustmentGroup": None, "userErrors": errors}
        changes: list[dict[str, Any]] = []
        for row in given["quantities"]:
            item = self.items[row["inventoryItemId"]]
            level = item.levels.setdefault(
                row["locationId"], Level(self.sites[row["locationId"]], active=False)
            )
            delta = row["quantity"] - level.units(given["name"])
            level.available += delta
            if delta:
                changes += [
                    {
                        "name": name,
                        "delta": delta,
                        "quantityAfterChange": level.units(name),
                        "item": {"id": item.id, "sku": item.sku},
                        "location": {"id": level.site.id, "name": level.site.name},
                    }
                    for name in GROUP_QUANTITIES
                ]
        if not changes:
            return {"inventoryAdjustmentGroup": None, "userErrors": []}
        group = {
            "id": f"gid://shopify/InventoryAdjustmentGroup/{len(self.history) + 1}",
            "reason": given["reason"],
            "referenceDocumentUri": given.get("referenceDocumentUri"),
            "changes": changes,
        }
        self.history.append(group)
        return {"inventoryAdjustmentGroup": group, "userErrors": []}

    def _row_errors(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = []
        seen: set[tuple[str, str]] = set()
        for at, row in enumerate(given["quantities"]):
            code, last = self._row_error(given["name"], row, seen)
            seen.add((row["inventoryItemId"], row["locationId"]))
            if code:
                path = ["input", "quantities", str(at), last] if self.names_rows else None
                errors.append({"code": code, "field": path, "message": code.replace("_", " ").lower()})
        return errors

    def _row_error(self, name: str, row: Mapping[str, Any], seen: set[tuple[str, str]]) -> tuple[str, str]:
        item, place = self.items.get(row["inventoryItemId"]), row["locationId"]
        level = item.levels.get(place) if item else None
        stands = level.units(name) if level and name in GROUP_QUANTITIES else 0
        checks = {
            ("INVALID_INVENTORY_ITEM", "inventoryItemId"): item is None,
            ("INVALID_LOCATION", "locationId"): place not in self.sites or not self.sites[place].active,
            ("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "locationId"): (
                row["inventoryItemId"],
                place,
            )
            in seen,
            ("NON_MUTABLE_INVENTORY_ITEM", "inventoryItemId"): item is not None and item.bundle,
            ("INVALID_QUANTITY_NEGATIVE", "quantity"): row["quantity"] < 0,
            ("INVALID_QUANTITY_TOO_HIGH", "quantity"): row["quantity"] > HIGHEST,
            ("CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity"): row["changeFromQuantity"]
            not in {None, stands},
        }
        return next((where for where, wrong in checks.items() if wrong), ("", ""))

    def activate(self, asked: Selection) -> dict[str, Any]:
        def work() -> dict[str, Any]:
            item = self.items.get(asked.arguments["inventoryItemId"])
            site = self.sites.get(asked.arguments["locationId"])
            if item is None or site is None or not site.active or site.service:
                said = "The item cannot be stocked at this location"
                return {"inventoryLevel": None, "userErrors": [{"field": ["locationId"], "message": said}]}
            level = item.levels.setdefault(site.id, Level(site))
            level.active = True
            return {"inventoryLevel": level.shown(), "userErrors": []}

        return self._once(
            asked,
            work,
            lambda code: {"inventoryLevel": None, "userErrors": [{"field": None, "message": code}]},
        )

    def update_item(self, asked: Selection) -> dict[str, Any]:
        item = self.items.get(asked.arguments["id"])
        if item is None or item.bundle:
            said = "The inventory item could not be changed"
            return {"inventoryItem": None, "userErrors": [{"field": ["id"], "message": said}]}
        item.tracked = asked.arguments["input"].get("tracked", item.tracked)
        return {"inventoryItem": item.shown(0), "userErrors": []}

    def _once(
        self,
        asked: Selection,
        work: Callable[[], dict[str, Any]],
        refuse: Callable[[str], dict[str, Any]],
    ) -> dict[str, Any]:
        """Do work under an idempotency key: the same call again gets the same answer."""
        key = asked.directives.get("idempotent", {}).get("key")
        if not isinstance(key, str) or not key.strip():
            said = f"The @idempotent directive is required for {asked.name} but was not provided"
            raise Refusal("BAD_REQUEST", said, [asked.alias])
        arguments = json.dumps(asked.arguments, sort_keys=True)
        if key in self._answers:
            before, answer = self._answers[key]
            if before != arguments:
                return refuse("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
            return refuse("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED") if answer is None else answer
        answer = work()
        self._answers[key] = (arguments, None if answer["userErrors"] else answer)
        return answer


def _call_error(code: str, path: list[str] | None = None) -> dict[str, Any]:
    return {"code": code, "field": path, "message": code.replace("_", " ").lower()}


def _call_errors(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the errors that are not about a row."""
    reference = given.get("referenceDocumentUri")
    checks = {
        ("INVALID_NAME", "name"): given["name"] not in GROUP_QUANTITIES,
        ("INVALID_REASON", "reason"): given["reason"] != "correction",
        ("INVALID_REFERENCE_DOCUMENT", "referenceDocumentUri"): reference is not None
        and not re.fullmatch(r"gid://[^/]+/[^/]+/\S+|https?://\S+", reference),
    }
    return [
        {"code": code, "field": ["input", name], "message": code.replace("_", " ").lower()}
        for (code, name), wrong in checks.items()
        if wrong
    ]
