"""Values of a GraphQL request as their types want them, and what is said to those that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Protocol

from attrs import frozen

from omsync.testing.carts._vendure_language import Variable

__all__ = [
    "BAD_REQUEST",
    "TYPES_OF_VALUES",
    "Refusal",
    "coerced",
    "filled",
    "invalid",
    "tell_of_literal",
    "tell_of_variable",
    "variables_in",
]

BAD_REQUEST = 400
_INPUTS: Mapping[str, Mapping[str, str]] = {
    "StockLocationListOptions": {"take": "Int", "skip": "Int", "sort": "StockLocationSortParameter"},
    "StockLocationSortParameter": {"id": "SortOrder", "name": "SortOrder"},
    "ProductVariantListOptions": {
        "take": "Int",
        "skip": "Int",
        "sort": "ProductVariantSortParameter",
        "filter": "ProductVariantFilterParameter",
    },
    "ProductVariantSortParameter": {"id": "SortOrder", "sku": "SortOrder"},
    "ProductVariantFilterParameter": {"id": "IDOperators", "sku": "StringOperators"},
    "IDOperators": {"eq": "String", "in": "[String!]"},
    "StringOperators": {"eq": "String", "in": "[String!]"},
    "UpdateProductVariantInput": {
        "id": "ID!",
        "sku": "String",
        "enabled": "Boolean",
        "trackInventory": "GlobalFlag",
        "stockOnHand": "Int",
        "stockLevels": "[StockLevelInput!]",
    },
    "StockLevelInput": {"stockLocationId": "ID!", "stockOnHand": "Int!"},
    "UpdateGlobalSettingsInput": {"trackInventory": "Boolean"},
}
_ENUMS = {"SortOrder": ("ASC", "DESC"), "GlobalFlag": ("TRUE", "FALSE", "INHERIT")}
_SCALARS = ("Int", "String", "ID", "Boolean")
TYPES_OF_VALUES = frozenset({*_INPUTS, *_ENUMS, *_SCALARS})
_INT = 2**31


@frozen
class Refusal(Exception):  # noqa: N818  an answer of the shop, no fault of the fake
    """The shop's no.

    Args:
        message: What it says.
        code: Its code, if it has one.
        status: The HTTP status.
        field: The field that was reached, by its name in the answer.
    """

    message: str
    code: str | None = None
    status: int = 200
    field: str = ""


class _Told(Protocol):
    def __call__(self, value: Any, path: str, what: str) -> NoReturn: ...


def invalid(message: str) -> Refusal:
    """Say that a request does not fit the schema."""
    return Refusal(message, "GRAPHQL_VALIDATION_FAILED", BAD_REQUEST)


def coerced(value: Any, written: str, path: str, tell: _Told) -> Any:
    """Give a value as its type wants it; variables inside stay, since they have types of their own."""
    if isinstance(value, Variable):
        return value
    if value is None:
        if written.endswith("!"):
            tell(value, path, f'Expected non-nullable type "{written}" not to be null.')
        return None
    kind = written.removesuffix("!")
    if kind.startswith("["):
        members = value if isinstance(value, list) else [value]
        return [coerced(one, kind[1:-1], f"{path}[{at}]", tell) for at, one in enumerate(members)]
    if kind in _INPUTS:
        return _coerced_object(value, kind, path, tell)
    if kind in _ENUMS:
        if value not in _ENUMS[kind]:
            tell(value, path, f'Value {_written(value)} does not exist in "{kind}" enum.')
        return value
    return _coerced_scalar(value, kind, path, tell)


def _coerced_object(value: Any, kind: str, path: str, tell: _Told) -> dict[str, Any]:
    if not isinstance(value, dict):
        tell(value, path, f'Expected type "{kind}" to be an object.')
    for name, written in _INPUTS[kind].items():
        if written.endswith("!") and name not in value:
            tell(value, path, f'Field "{name}" of required type "{written}" was not provided.')
    for name in value:
        if name not in _INPUTS[kind]:
            tell(value, path, f'Field "{name}" is not defined by type "{kind}".')
    taken = {
        name: coerced(inner, _INPUTS[kind][name], f"{path}.{name}", tell) for name, inner in value.items()
    }
    # To all that the shop does with its inputs, null is as good as left out.
    return {name: inner for name, inner in taken.items() if inner is not None}


def _coerced_scalar(value: Any, kind: str, path: str, tell: _Told) -> Any:
    shown = _written(value)
    if kind == "Int":
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            tell(value, path, f"Int cannot represent non-integer value: {shown}")
        if not -_INT <= value < _INT:
            tell(value, path, f"Int cannot represent non 32-bit signed integer value: {shown}")
        return int(value)
    if kind == "ID" and type(value) is int:
        return str(value)
    if kind == "Boolean" and not isinstance(value, bool):
        tell(value, path, f"Boolean cannot represent a non boolean value: {shown}")
    if kind in {"ID", "String"} and not isinstance(value, str):
        what = "value" if kind == "ID" else "a non string value"
        tell(value, path, f"{kind} cannot represent {what}: {shown}")
    return value


def tell_of_variable(name: str, value: Any, path: str, what: str) -> NoReturn:
    """Refuse a value that came in a variable."""
    where = "" if path == name else f' at "{path}"'
    raise Refusal(f'Variable "${name}" got invalid value {_written(value)}{where}; {what}', "BAD_USER_INPUT")


def tell_of_literal(value: Any, path: str, what: str) -> NoReturn:  # noqa: ARG001  as of variables
    """Refuse a value that stands in the query."""
    raise invalid(what)


def _written(value: Any) -> str:
    """Write a value as the server quotes it; a variable inside by its name."""
    return json.dumps(value, default=lambda variable: f"${variable.name}")


def variables_in(value: Any) -> Iterator[Variable]:
    """Give the variables that stand in an argument."""
    if isinstance(value, Variable):
        yield value
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for member in members:
        yield from variables_in(member)


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """Put variables in; a field whose variable was not given is left out."""
    if isinstance(value, Mapping):
        return {
            name: filled(inner, variables)
            for name, inner in value.items()
            if not isinstance(inner, Variable) or inner.name in variables
        }
    if isinstance(value, list):
        return [filled(inner, variables) for inner in value]
    return variables[value.name] if isinstance(value, Variable) else value
