"""What the fake shop has: locations, inventory items, their levels, and what GraphQL shows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import Factory, define

from omsync.testing.carts._shopify_language import Selection

__all__ = ["Item", "Level", "Refusal", "Site", "connection", "points", "select"]

CONNECTIONS = {"locations", "inventoryItems", "inventoryLevels"}
MUTATION_POINTS = 10


class Refusal(Exception):  # noqa: N818  it is what the shop answers, not what went wrong here
    """A top-level error, by code and message."""

    def __init__(self, code: str, message: str, path: Sequence[str] = (), **more: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.path, self.more = code, message, list(path), more


@define
class Site:
    """A location."""

    id: str
    name: str
    service: bool = False
    active: bool = True

    def shown(self) -> dict[str, Any]:
        return {
            "__typename": "Location",
            "id": self.id,
            "name": self.name,
            "isActive": self.active,
            "isFulfillmentService": self.service,
        }


@define
class Level:
    """An item's units at one location; on hand is all of them together."""

    site: Site
    active: bool = True
    available: int = 0
    committed: int = 0
    damaged: int = 0

    @property
    def on_hand(self) -> int:
        return self.available + self.committed + self.damaged

    def units(self, name: str) -> int:
        """Give a quantity by Shopify's name."""
        if name not in {"available", "on_hand", "committed", "damaged"}:
            raise Refusal("INVALID_FIELD_ARGUMENTS", f"{name} is not a quantity name")
        return int(getattr(self, name))

    def shown(self) -> dict[str, Any]:
        return {
            "__typename": "InventoryLevel",
            "isActive": self.active,
            "location": self.site.shown(),
            "quantities": lambda names: [{"name": name, "quantity": self.units(name)} for name in names],
        }


@define
class Item:
    """An inventory item."""

    id: str
    sku: str | None
    tracked: bool = True
    bundle: bool = False
    searchable: bool = True
    levels: dict[str, Level] = Factory(dict)

    def shown(self, twins: int) -> dict[str, Any]:
        def levels(**arguments: Any) -> dict[str, Any]:
            rows = [one for one in self.levels.values() if one.active or arguments.get("includeInactive")]
            return connection([row.shown() for row in rows], arguments)

        return {
            "__typename": "InventoryItem",
            "id": self.id,
            "sku": self.sku,
            "tracked": self.tracked,
            "duplicateSkuCount": twins,
            "inventoryLevels": levels,
        }


def connection(rows: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give a page of rows; a cursor is the place of a row."""
    first = arguments.get("first")
    if type(first) is not int or not 0 < first <= 250:  # noqa: PLR2004  Shopify's own limit
        raise Refusal("BAD_REQUEST", "you must provide first, a number from 1 to 250")
    begin = int(arguments.get("after") or 0)
    end = min(begin + first, len(rows))
    info = {"hasNextPage": end < len(rows), "endCursor": str(end) if end > begin else None}
    return {"nodes": list(rows[begin:end]), "pageInfo": info}


def select(value: Any, fields: Sequence[Selection]) -> Any:
    """Give of an object what was asked for; a field that it does not have is an error."""
    if isinstance(value, list):
        return [select(member, fields) for member in value]
    if value is None or not fields:
        return value
    shown: dict[str, Any] = {}
    for asked in fields:
        if asked.name not in value:
            kind = value.get("__typename", "the type")
            raise Refusal("undefinedField", f"Field '{asked.name}' doesn't exist on type '{kind}'")
        found = value[asked.name]
        if isinstance(found, Callable):  # type: ignore[arg-type]  # an ABC, which isinstance takes
            found = found(**asked.arguments)
        shown[asked.alias] = select(found, asked.fields)
    return shown


def points(fields: Sequence[Selection], *, mutation: bool = False) -> int:
    """Count what a selection may cost: an object 1, a connection by its ``first``, a mutation 10."""
    total = 0
    for asked in fields:
        if not asked.fields:
            continue
        if mutation:
            total += MUTATION_POINTS
        elif asked.name in CONNECTIONS:
            inside = points([one for one in asked.fields if one.name != "nodes"])
            rows = [one for one in asked.fields if one.name == "nodes"]
            total += 1 + inside + int(asked.arguments.get("first") or 0) * points(rows)
        elif asked.name == "nodes" and "ids" in asked.arguments:
            total += len(asked.arguments["ids"]) * (1 + points(asked.fields))
        else:
            total += 1 + points(asked.fields)
    return total
