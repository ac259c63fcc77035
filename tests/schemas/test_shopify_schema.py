"""Everything that the Shopify sink can send, and all that the fake shop answers, against Shopify's schema.

The schema does not say what is enforced at run time only, such as the idempotency key; the fake shop does.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from omsync.http.retrying import RetryPolicy
from omsync.ports import QuantityChange
from omsync.sinks import _shopify as api
from omsync.sinks.shopify import Shopify, StaticToken
from omsync.testing.carts.platform import Asked
from omsync.testing.carts.shopify import ShopifyShop

if TYPE_CHECKING:  # only the session that runs these tests installs it
    from graphql import GraphQLSchema

pytestmark = pytest.mark.schemas

PACKAGE = "@shopify/dev-mcp"
VERSION = "1.16.0"
INTEGRITY = "sha512-tqgRnK7sQhjew+htxtleTH23nXB5fZcsrhWgEkomsorGXvLOB2mh2upwZm8uzuTDNTZnqtLMe64yIwh6s2awtw=="
PINNED = Shopify("acme", access=StaticToken("t")).version
SPOKEN = ("2026-04", "2026-07", "2026-10")
AT_ONCE = RetryPolicy(attempts=2, first_wait=0.0, max_wait=0.0)

Schemas = Callable[[str], "GraphQLSchema"]


@pytest.fixture(scope="session")
def schemas(npm_package: Callable[[str, str, str], Path]) -> Schemas:
    """Give a function that loads the Admin schema of a version, once."""
    from graphql import build_client_schema

    folder = npm_package(PACKAGE, VERSION, INTEGRITY) / "dist" / "data"
    loaded: dict[str, GraphQLSchema] = {}

    def load(version: str) -> GraphQLSchema:
        if version not in loaded:
            with gzip.open(folder / f"admin_{version}.json.gz") as packed:
                introspection = json.load(packed)
            introspection = introspection.get("data", introspection)
            # Shopify's own schema breaks a rule of GraphQL here and there, which is not our affair.
            loaded[version] = build_client_schema(introspection, assume_valid=True)
        return loaded[version]

    return load


def faults(schema: GraphQLSchema, document: str) -> list[str]:
    from graphql import NoDeprecatedCustomRule, parse, specified_rules, validate

    rules = [*specified_rules, NoDeprecatedCustomRule]
    return [error.message for error in validate(schema, parse(document), rules)]


def conversations() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Give what a sink and the fake shop say to each other in a life full of incidents: (body, answer)."""
    said: list[tuple[dict[str, Any], dict[str, Any]]] = []
    shop = ShopifyShop(locations=("Main street", "East"))

    def handle(request: Any) -> Any:
        response = shop.handle(request)
        said.append((Asked.of(request).json(), response.json()))
        return response

    for sku in ("MUG", "CUP", "TWIN", "TWIN"):
        shop.add(sku, 3)
    shop.add("KIT", 3, bundle=True)
    shop.add("DIGITAL", 3, tracked=False)
    shop.add("MOVED", 3)
    shop.add("SAME", 5)
    service = shop.add_location("Fulfil Ltd", service=True)
    for options in ({}, {"quantity_name": "on_hand", "lists_all": True}):
        sink = Shopify(
            "acme",
            access=StaticToken("shpat_test"),
            location="Main street",
            untracked_policy="track",
            activate=True,
            service_locations="write",
            handler=handle,
            retry=AT_ONCE,
            **options,  # type: ignore[arg-type]  # options by name
        )
        skus = ["MUG", "CUP", "TWIN", "KIT", "DIGITAL", "MOVED", "SAME"]
        sink.read(skus)
        places = [(sku, None) for sku in skus] + [("CUP", "East"), ("MUG", service)]
        rows = [
            QuantityChange(
                listing_sku=sku,
                location_id=place,
                quantity=5,
                available=5,
                shown=99 if sku == "MOVED" else None,
                key=f"run:{sku}:{place or ''}",
            )
            for sku, place in places
        ]
        sink.push(rows)
        sink.push(rows)  # with keys that were used before
    return said


@pytest.mark.parametrize("version", SPOKEN)
@pytest.mark.parametrize("document", api.DOCUMENTS, ids=lambda text: text.split("(", 1)[0].split()[-1])
def test_every_document_is_one_that_shopify_knows_and_asks_for_nothing_deprecated(
    schemas: Schemas, version: str, document: str
) -> None:
    assert faults(schemas(version), document) == []


def test_the_default_version_is_the_one_that_shopify_calls_the_latest(
    npm_package: Callable[[str, str, str], Path],
) -> None:
    folder = npm_package(PACKAGE, VERSION, INTEGRITY)
    versions = json.loads((folder / "dist/data/supported-versions-schema.json").read_text())["admin"]
    assert [one["name"] for one in versions if one.get("latestVersion")] == [PINNED]


def test_every_document_is_really_sent_in_the_conversations_below() -> None:
    assert {body["query"] for body, _ in conversations()} == set(api.DOCUMENTS)


@pytest.mark.parametrize("version", SPOKEN)
def test_the_variables_that_are_sent_fit_the_schemas_input_types(schemas: Schemas, version: str) -> None:
    for body, _ in conversations():
        assert unfit(schemas(version), body["query"], body["variables"]) == []


def unfit(schema: GraphQLSchema, document: str, variables: dict[str, Any]) -> list[str]:
    from graphql import OperationDefinitionNode, parse
    from graphql.execution.values import get_variable_values

    (operation,) = [one for one in parse(document).definitions if isinstance(one, OperationDefinitionNode)]
    coerced = get_variable_values(schema, operation.variable_definitions or (), variables)
    return [error.message for error in coerced] if isinstance(coerced, list) else []


@pytest.mark.parametrize("version", SPOKEN)
def test_what_the_fake_shop_answers_is_what_the_schema_promises(schemas: Schemas, version: str) -> None:
    from graphql import execute_sync, parse

    for body, answer in conversations():
        assert "errors" not in answer
        result = execute_sync(
            schemas(version),
            parse(body["query"]),
            root_value=answer["data"],
            variable_values=body["variables"],
            type_resolver=lambda *_: "InventoryItem",
        )
        assert result.errors is None
        assert result.data == answer["data"]


# --- that these tests would notice ------------------------------------------------------------------------


def test_a_field_that_shopify_does_not_have_is_noticed(schemas: Schemas) -> None:
    (said,) = faults(schemas(PINNED), api.NAMES.replace("tracked", "isTracked"))
    assert "isTracked" in said


def test_a_version_without_idempotency_keys_is_noticed(schemas: Schemas) -> None:
    assert any("idempotent" in said for said in faults(schemas("2025-10"), api.WRITE))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"compareQuantity": 3}, "compareQuantity"),
        ({"quantity": "5"}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"changeFromQuantity": 5.7}, "changeFromQuantity"),
    ],
)
def test_variables_that_do_not_fit_are_noticed(schemas: Schemas, wrong: dict[str, Any], word: str) -> None:
    row: dict[str, Any] = {"inventoryItemId": "gid://shopify/InventoryItem/1"}
    row["locationId"] = "gid://shopify/Location/1"
    row |= {"quantity": 5, "changeFromQuantity": None, **wrong}
    variables = {"input": {"name": "available", "reason": "correction", "quantities": [row]}, "key": "k"}
    assert any(word in said for said in unfit(schemas(PINNED), api.WRITE, variables))
