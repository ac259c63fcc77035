"""What the fake Vendure shop does when it is asked: its operations, and who may ask for them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import define, evolve

from omsync.testing.carts._vendure_language import Operation
from omsync.testing.carts._vendure_schema import arguments_of, selected
from omsync.testing.carts._vendure_state import Channel, Grant, Level, Location, State, Variant
from omsync.testing.carts._vendure_values import Refusal

__all__ = ["Visit", "carry_out"]

Values = Mapping[str, Any]


@define(kw_only=True)
class Visit:
    """One request: what is asked, by whom, in which channel.

    Args:
        state: The shop's.
        channel: The active channel.
        grant: Who asks; None for a stranger.
        token: The session's token: that of the request, or the one that a login gives.
        list_limit: Rows in a page at most.
        foreign_keys: Whether the database looks after stock locations.
        ignores_case: Whether it ignores letter case when it compares.
    """

    state: State
    channel: Channel
    grant: Grant | None
    token: str
    list_limit: int
    foreign_keys: bool
    ignores_case: bool


def carry_out(visit: Visit, operation: Operation, variables: Values) -> dict[str, Any]:
    """Carry an operation out; give the answer's data.

    Raises:
        Refusal: The shop said no, and has not changed.
    """
    data: dict[str, Any] = {}
    for field in operation.fields:
        kind, needed, act = _OPERATIONS[field.name]
        try:
            _let_in(visit, needed)
            value = act(visit, arguments_of(field, variables))
        except Refusal as refusal:
            raise evolve(refusal, field=field.alias) from refusal
        if isinstance(value, list):
            data[field.alias] = [selected(one, field.fields, kind) for one in value]
        else:
            data[field.alias] = selected(value, field.fields, kind)
    return data


def _let_in(visit: Visit, needed: Iterable[str] | None) -> None:
    if needed is not None and (visit.grant is None or not visit.grant.allows(needed, visit.channel)):
        raise Refusal("You are not currently authorized to perform this action", "FORBIDDEN")


def _log_in(visit: Visit, given: Values) -> Values:
    password, grant = visit.state.passwords.get(given["username"], (None, None))
    if grant is None or password != given["password"]:
        return {
            "__typename": "InvalidCredentialsError",
            "errorCode": "INVALID_CREDENTIALS_ERROR",
            "message": "The provided credentials are invalid",
        }
    visit.token = f"session-{visit.state.number()}"
    visit.state.sessions[visit.token] = grant
    return {"__typename": "CurrentUser", "id": "1", "identifier": given["username"]}


def _log_out(visit: Visit, _: Values) -> Values:
    """End all sessions of whoever logs out, not only the one that did."""
    gone = visit.state.sessions.get(visit.token)
    kept = {token: grant for token, grant in visit.state.sessions.items() if grant is not gone}
    visit.state.sessions = kept
    return {"success": bool(visit.token)}


def _active_channel(visit: Visit, _: Values) -> Values:
    return {"code": visit.channel.code, "token": visit.channel.token}


def _global_settings(visit: Visit, _: Values) -> Values:
    return {"trackInventory": visit.state.tracks_by_default}


def _update_global_settings(visit: Visit, given: Values) -> Values:
    visit.state.tracks_by_default = given["input"].get("trackInventory", visit.state.tracks_by_default)
    return {"__typename": "GlobalSettings", **_global_settings(visit, given)}


def _stock_locations(visit: Visit, given: Values) -> Values:
    found = [one for one in visit.state.locations.values() if visit.channel.shows(one)]
    return _page(visit, given, found, lambda one: {"id": one.id, "name": one.name})


def _product_variants(visit: Visit, given: Values) -> Values:
    wanted = (given.get("options") or {}).get("filter") or {}
    found = [
        one
        for one in visit.state.variants.values()
        if visit.channel.shows(one)
        and all(_matches(visit, getattr(one, name), operators) for name, operators in wanted.items())
    ]
    return _page(visit, given, found, lambda one: _shown(visit, one))


def _update_product_variants(visit: Visit, given: Values) -> list[Values]:
    """Write row after row in one transaction: a refused row undoes all."""
    before: dict[str, Variant] = {}
    try:
        for row in given["input"]:
            variant = _variant(visit, row["id"])
            before.setdefault(variant.id, copy.deepcopy(variant))
            _update(visit, variant, row)
    except Refusal:
        visit.state.variants.update(before)
        raise
    return [_shown(visit, visit.state.variants[key]) for key in before]


def _delete_product_variant(visit: Visit, given: Values) -> Values:
    del visit.state.variants[_variant(visit, given["id"]).id]
    return {"result": "DELETED", "message": None}


def _variant(visit: Visit, key: str) -> Variant:
    variant = visit.state.variants.get(key)
    if variant is None or not visit.channel.shows(variant):
        named = key if key.isdigit() else "-1"
        raise Refusal(f'No ProductVariant with the id "{named}" could be found', "ENTITY_NOT_FOUND")
    return variant


def _update(visit: Visit, variant: Variant, row: Values) -> None:
    variant.sku = row.get("sku", variant.sku)
    variant.enabled = row.get("enabled", variant.enabled)
    variant.tracking = row.get("trackInventory", variant.tracking)
    levels = list(row.get("stockLevels") or ())
    if "stockOnHand" in row:
        if row["stockOnHand"] < 0:
            raise Refusal("stockOnHand cannot be a negative value", "USER_INPUT_ERROR")
        levels.append({"stockLocationId": visit.state.location(None).id, "stockOnHand": row["stockOnHand"]})
    for level in levels:
        place = level["stockLocationId"]
        if visit.foreign_keys and place not in visit.state.locations:
            raise Refusal("SqliteError: FOREIGN KEY constraint failed")
        variant.levels.setdefault(place, Level()).on_hand = level["stockOnHand"]


def _matches(visit: Visit, value: str, operators: Values) -> bool:
    wanted = [operators["eq"]] if "eq" in operators else operators.get("in", [value])
    if visit.ignores_case:
        return value.lower() in map(str.lower, wanted)
    return value in wanted


def _page(
    visit: Visit,
    given: Values,
    found: Sequence[Variant] | Sequence[Location],
    show: Callable[[Any], Values],
) -> Values:
    options = given.get("options") or {}
    take, skip = options.get("take", visit.list_limit), options.get("skip", 0)
    if take > visit.list_limit:
        raise Refusal(
            f"Cannot take more than {visit.list_limit} results from a list query", "USER_INPUT_ERROR"
        )
    rows: Iterable[Any] = found
    for name, order in reversed(list((options.get("sort") or {}).items())):
        rows = sorted(rows, key=lambda one: _key(one, name), reverse=order == "DESC")
    return {"totalItems": len(found), "items": [show(one) for one in list(rows)[skip : skip + take]]}


def _key(one: Any, name: str) -> Any:
    value = getattr(one, name)
    return int(value) if name == "id" else value


def _shown(visit: Visit, variant: Variant) -> Values:
    places = [one.id for one in visit.state.locations.values() if visit.channel.shows(one)]
    shown = {key: level for key, level in variant.levels.items() if key in places}
    levels = [
        {"stockLocationId": key, "stockOnHand": level.on_hand, "stockAllocated": level.allocated}
        for key, level in shown.items()
    ]
    return {
        "id": variant.id,
        "sku": variant.sku,
        "enabled": variant.enabled,
        "trackInventory": variant.tracking,
        "stockLevels": levels,
        "stockOnHand": sum(level.on_hand for level in shown.values()),
        "stockAllocated": sum(level.allocated for level in shown.values()),
    }


Act = Callable[[Visit, Values], "Values | list[Values]"]
_OPERATIONS: Mapping[str, tuple[str, tuple[str, ...] | None, Act]] = {
    "login": ("NativeAuthenticationResult", None, _log_in),
    "logout": ("Success", None, _log_out),
    "activeChannel": ("Channel", (), _active_channel),
    "globalSettings": ("GlobalSettings", (), _global_settings),
    "updateGlobalSettings": (
        "UpdateGlobalSettingsResult",
        ("UpdateGlobalSettings",),
        _update_global_settings,
    ),
    "stockLocations": ("StockLocationList", ("ReadStockLocation",), _stock_locations),
    "productVariants": ("ProductVariantList", ("ReadCatalog", "ReadProduct"), _product_variants),
    "updateProductVariants": ("ProductVariant", ("UpdateCatalog", "UpdateProduct"), _update_product_variants),
    "deleteProductVariant": (
        "DeletionResponse",
        ("DeleteCatalog", "DeleteProduct"),
        _delete_product_variant,
    ),
}
"""By name: the type of what it gives, the permissions of which one is needed (None: none), what it does."""
