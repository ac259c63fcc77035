"""What the fake Medusa does with writes: checked as a whole first, then written as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omsync.testing.carts._medusa_state import Item, Level, State
from omsync.testing.carts.platform import Asked

__all__ = ["Refusal", "batch", "body_of", "levels_of", "new_level", "reserve", "set_level"]

Target = tuple[str, str]


class Refusal(Exception):  # noqa: N818  no error of ours: an answer on its way out
    """An answer that says no.

    Args:
        status: The HTTP status.
        kind: Medusa's word for it.
        message: What is wrong.
        more: Other fields.
    """

    def __init__(self, status: int, kind: str | None, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {**more, **({"type": kind} if kind else {}), "message": message}


def body_of(asked: Asked) -> dict[str, Any]:
    """Give the body, which has to be an object."""
    try:
        body = asked.json()
    except ValueError as error:
        raise Refusal(400, "invalid_data", f"Expected property name or '}}' in JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refusal(400, "invalid_data", "Invalid request: Expected type: 'object'")
    return body


def levels_of(item: Item) -> list[dict[str, Any]]:
    """Give an item's levels as they are."""
    return [
        {
            "location_id": key,
            "stocked_quantity": level.stocked,
            "reserved_quantity": level.reserved,
            "available_quantity": level.stocked - level.reserved,
        }
        for key, level in item.levels.items()
    ]


def batch(state: State, asked: Asked) -> dict[str, Any]:
    """Create and update levels of any items, all of them or none."""
    body = body_of(asked)
    parts: dict[str, list[Any]] = {name: body.get(name) or [] for name in ("create", "update")}
    strange = sorted(set(body) - {"create", "update", "delete", "force"})
    complaints = [f"Unrecognized fields: '{', '.join(strange)}'"] if strange else []
    for name, rows in parts.items():
        for index, row in enumerate(rows):
            complaints += _complaints(row, f"{name}, {index}, ", "inventory_item_id", "location_id")
    _refuse(complaints)
    return _write(state, parts["create"], parts["update"])


def new_level(state: State, asked: Asked, item_id: str) -> dict[str, Any]:
    """Create one level."""
    body = body_of(asked)
    _refuse(_complaints(body, "", "location_id"))
    _write(state, [{**body, "inventory_item_id": item_id}], [])
    return _shown(state, item_id)


def set_level(state: State, asked: Asked, item_id: str, location_id: str) -> dict[str, Any]:
    """Update one level."""
    body = body_of(asked)
    _refuse(_complaints(body, ""))
    _write(state, [], [{**body, "inventory_item_id": item_id, "location_id": location_id}])
    return _shown(state, item_id)


def reserve(state: State, asked: Asked) -> dict[str, Any]:
    """Reserve units for an order."""
    body = body_of(asked)
    item_id, location_id, units = body["inventory_item_id"], body["location_id"], body["quantity"]
    level = _existing(state, (item_id, location_id))
    if level is None:
        raise Refusal(404, "not_found", f"Item {item_id} is not stocked at location {location_id}")
    if level.stocked - level.reserved < units:
        raise Refusal(
            400, "not_allowed", f"Not enough stock available for item {item_id} at location {location_id}"
        )
    level.reserved += units
    return {"reservation": {"id": state.new_id("resitem"), "quantity": units}}


def _shown(state: State, item_id: str) -> dict[str, Any]:
    return {"inventory_item": {"id": item_id, "location_levels": levels_of(state.items[item_id])}}


def _complaints(row: Any, place: str, *needed: str) -> Iterable[str]:
    for name in needed:
        if type(row.get(name)) is not str:
            yield f"Field '{place}{name}' is required"
    units = row.get("stocked_quantity", 0)
    if type(units) not in {int, float}:
        yield f"Field '{place}stocked_quantity' is required"
    elif units < 0:
        yield f"Value for field '{place}stocked_quantity' too small, expected at least: '0'"


def _refuse(complaints: Iterable[str]) -> None:
    said = "; ".join(complaints)
    if said:
        raise Refusal(400, "invalid_data", f"Invalid request: {said}")


def _existing(state: State, target: Target) -> Level | None:
    item = state.items.get(target[0])
    return None if item is None else item.levels.get(target[1])


def _target(row: dict[str, Any]) -> Target:
    return row["inventory_item_id"], row["location_id"]


def _write(state: State, create: list[dict[str, Any]], update: list[dict[str, Any]]) -> dict[str, Any]:
    missing = [target for target in map(_target, update) if _existing(state, target) is None]
    if missing:
        said = ", ".join(f"Item {item} is not stocked at location {place}" for item, place in missing)
        raise Refusal(404, "not_found", said)
    for item, place in map(_target, create):
        # A deleted item is still an item here, and any text is taken for a location.
        if item not in state.items:
            said = f"You tried to set relationship inventory_item_id: {item}, but such entity does not exist"
            raise Refusal(404, "not_found", said)
        if _existing(state, (item, place)) is not None:
            said = f"Inventory level with inventory_item_id: {item}, location_id: {place}, already exists."
            raise Refusal(400, "invalid_data", said)
    before = {_target(row): _existing(state, _target(row)) for row in update}
    stale = {target: level.stocked - level.reserved for target, level in before.items() if level}
    for row in create:
        state.items[row["inventory_item_id"]].levels[row["location_id"]] = Level(
            stocked=row.get("stocked_quantity", 0)
        )
    for row in update:
        level = before[_target(row)]
        if level is not None and "stocked_quantity" in row:
            level.stocked = row["stocked_quantity"]
    # Rows come in another order than sent, each level once; what is available is told as it was before.
    return {
        "created": [_row(state, _target(row)) for row in reversed(create)],
        "updated": [
            {**_row(state, target), "available_quantity": units} for target, units in reversed(stale.items())
        ],
    }


def _row(state: State, target: Target) -> dict[str, Any]:
    item, place = target
    level = state.items[item].levels[place]
    return {
        "inventory_item_id": item,
        "location_id": place,
        "stocked_quantity": level.stocked,
        "raw_stocked_quantity": {"value": str(level.stocked), "precision": 20},
        "reserved_quantity": level.reserved,
    }
