"""The part of Vendure's Admin API that the fake shop has: its types, and what is said to a wrong request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from omsync.testing.carts._vendure_language import Operation, Selection, UnreadableError, parse
from omsync.testing.carts._vendure_values import (
    BAD_REQUEST,
    TYPES_OF_VALUES,
    Refusal,
    coerced,
    filled,
    invalid,
    tell_of_literal,
    tell_of_variable,
    variables_in,
)

__all__ = ["Refusal", "arguments_of", "read", "selected"]

_TYPES: Mapping[str, Mapping[str, str]] = {
    "Query": {
        "activeChannel": "Channel",
        "globalSettings": "GlobalSettings",
        "stockLocations": "StockLocationList",
        "productVariants": "ProductVariantList",
    },
    "Mutation": {
        "login": "NativeAuthenticationResult",
        "logout": "Success",
        "updateProductVariants": "ProductVariant",
        "deleteProductVariant": "DeletionResponse",
        "updateGlobalSettings": "UpdateGlobalSettingsResult",
    },
    "Channel": {"id": "", "code": "", "token": ""},
    "GlobalSettings": {"id": "", "trackInventory": ""},
    "UpdateGlobalSettingsResult": {},
    "StockLocationList": {"totalItems": "", "items": "StockLocation"},
    "StockLocation": {"id": "", "name": ""},
    "ProductVariantList": {"totalItems": "", "items": "ProductVariant"},
    "ProductVariant": {
        "id": "",
        "sku": "",
        "enabled": "",
        "trackInventory": "",
        "stockOnHand": "",
        "stockAllocated": "",
        "stockLevels": "StockLevel",
    },
    "StockLevel": {"stockLocationId": "", "stockOnHand": "", "stockAllocated": ""},
    "NativeAuthenticationResult": {},
    "CurrentUser": {"id": "", "identifier": ""},
    "ErrorResult": {"errorCode": "", "message": ""},
    "InvalidCredentialsError": {"errorCode": "", "message": ""},
    "Success": {"success": ""},
    "DeletionResponse": {"result": "", "message": ""},
}
"""The fields of each type, and the type of what they give; none for a plain value."""

_ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "login": {"username": "String!", "password": "String!", "rememberMe": "Boolean"},
    "stockLocations": {"options": "StockLocationListOptions"},
    "productVariants": {"options": "ProductVariantListOptions"},
    "updateProductVariants": {"input": "[UpdateProductVariantInput!]!"},
    "deleteProductVariant": {"id": "ID!"},
    "updateGlobalSettings": {"input": "UpdateGlobalSettingsInput!"},
}
_INTERFACES = {"InvalidCredentialsError": "ErrorResult"}


def read(body: Any) -> tuple[Operation, dict[str, Any]]:
    """Read a request's body: its operation, held against the schema, and its variables.

    Raises:
        Refusal: What the server says to it, before anything is carried out.
    """
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Refusal("GraphQL operations must contain a non-empty `query`.", "BAD_REQUEST", BAD_REQUEST)
    given = body.get("variables") or {}
    if not isinstance(given, dict):
        raise Refusal("`variables` in a POST body must be an object if provided.", "BAD_REQUEST", BAD_REQUEST)
    try:
        operation = parse(body["query"])
    except UnreadableError as error:
        raise Refusal(f"Syntax Error: {error}.", "GRAPHQL_PARSE_FAILED", BAD_REQUEST) from error
    _check(operation)
    return operation, _given(operation, given)


def arguments_of(field: Selection, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Give a field's arguments with the variables put in; what was not given is left out."""
    taken = _ARGUMENTS.get(field.name, {})
    return {
        name: coerced(value, taken[name], name, tell_of_literal)
        for name, value in filled(field.arguments, variables).items()
    }


def selected(value: Mapping[str, Any], fields: Iterable[Selection], kind: str) -> dict[str, Any]:
    """Give what was asked of a value, under the names that were asked for.

    Args:
        value: All that the shop knows; with ``__typename`` where its type may be one of several.
        fields: What was asked.
        kind: The value's type otherwise.
    """
    named: str = value.get("__typename", kind)
    shown: dict[str, Any] = {}
    for field in fields:
        if field.on not in {"", named, _INTERFACES.get(named)}:
            continue
        part: Any = named if field.name == "__typename" else value[field.name]
        of = _TYPES[named].get(field.name, "")
        if of:
            part = (
                [selected(one, field.fields, of) for one in part]
                if isinstance(part, list)
                else selected(part, field.fields, of)
            )
        shown[field.alias] = part
    return shown


def _check(operation: Operation) -> None:
    for written in operation.variables.values():
        name = written.strip("[]!")
        if name not in TYPES_OF_VALUES:
            raise invalid(f'Unknown type "{name}".')
    root = operation.kind.capitalize()
    used: set[str] = set()
    for field in operation.fields:
        _check_field(field, root)
        _check_arguments(field, root)
        used |= {variable.name for variable in variables_in(field.arguments)}
    for name in sorted(used ^ operation.variables.keys()):
        raise invalid(f'Variable "${name}" is {"not defined" if name in used else "never used"}.')


def _given(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Take the request's variables as their types want them."""
    taken: dict[str, Any] = {}
    for name, written in operation.variables.items():
        if name in given:
            taken[name] = coerced(given[name], written, name, partial(tell_of_variable, name))
        elif written.endswith("!"):
            raise Refusal(
                f'Variable "${name}" of required type "{written}" was not provided.', "BAD_USER_INPUT"
            )
    return taken


def _check_field(field: Selection, kind: str) -> None:
    kind = field.on or kind
    if kind not in _TYPES:
        raise invalid(f'Unknown type "{kind}".')
    if field.name == "__typename":
        return
    if field.name not in _TYPES[kind]:
        raise invalid(f'Cannot query field "{field.name}" on type "{kind}".')
    of = _TYPES[kind][field.name]
    if of and not field.fields:
        raise invalid(f'Field "{field.name}" of type "{of}" must have a selection of subfields.')
    if field.fields and not of:
        raise invalid(f'Field "{field.name}" must not have a selection since it has no subfields.')
    for inner in field.fields:
        _check_field(inner, of)


def _check_arguments(field: Selection, root: str) -> None:
    taken = _ARGUMENTS.get(field.name, {})
    for name, value in field.arguments.items():
        if name not in taken:
            raise invalid(f'Unknown argument "{name}" on field "{root}.{field.name}".')
        coerced(value, taken[name], name, tell_of_literal)
    for name, written in taken.items():
        if written.endswith("!") and name not in field.arguments:
            raise invalid(
                f'Field "{field.name}" argument "{name}" of type "{written}" is required, '
                "but it was not provided."
            )
