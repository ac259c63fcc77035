"""Fill a fresh Vendure shop through its Admin API, with the standard library only.

What it makes: a US zone without taxes, a second stock location, a tee in three sizes, 150 parts, variants
with every trap (untracked, shared SKUs), a way to order and pay, two roles with API keys, and a second
channel that sells the parts from 20 stock locations. (The default channel has everything, also those.)
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

PARTS = 150
OUTLET_LOCATIONS = 20
SYNC = ["ReadCatalog", "UpdateCatalog", "ReadStockLocation"]


class Graph:
    """Speaks GraphQL to one API of the shop and keeps the session's token."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self.url = url
        self.headers = headers or {}

    def __call__(self, query: str, **variables: Any) -> Any:
        """Carry out one operation; an error ends the program."""
        request = urllib.request.Request(
            self.url,
            json.dumps({"query": query, "variables": variables}).encode(),
            {"content-type": "application/json", **self.headers},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            token = response.headers.get("vendure-auth-token")
            if token:
                self.headers["authorization"] = f"Bearer {token}"
            body = json.load(response)
        if body.get("errors"):
            raise SystemExit(json.dumps(body["errors"], indent=1)[:2000])
        return body["data"]

    def make(self, operation: str, kind: str, value: Any, answer: str = "{ id }") -> Any:
        """Carry out a mutation with one input."""
        return self(f"mutation($input: {kind}!) {{ {operation}(input: $input) {answer} }}", input=value)[
            operation
        ]


def seed(url: str) -> dict[str, Any]:
    """Fill the shop; give what the tests need to know of it."""
    admin = Graph(f"{url}/admin-api")
    admin('mutation { login(username: "superadmin", password: "superadmin") { __typename } }')
    zone = prepare_selling(admin)
    main = admin("{ stockLocations { items { id name } } }")["stockLocations"]["items"][0]
    east = admin.make("createStockLocation", "CreateStockLocationInput", {"name": "East warehouse"})["id"]
    variants = stock_the_shelves(admin, main["id"], east)
    keys = {
        "api_key": api_key(admin, "stock-sync", SYNC),
        "key_that_only_reads": api_key(admin, "stock-reader", ["ReadCatalog", "ReadStockLocation"]),
    }
    stranger = Graph(admin.url, {**admin.headers, "vendure-token": "no-such-channel"})
    answering = stranger("{ activeChannel { code } }")["activeChannel"]["code"]
    outlet = open_outlet(admin, zone, [variants[f"PART-{n:03d}"] for n in range(1, PARTS + 1)])
    return {
        "url": url,
        "main": main,
        "east": {"id": east, "name": "East warehouse"},
        "variants": variants,
        "outlet_token": outlet,
        "channel_that_answered_for_an_unknown_token": answering,
        **keys,
    }


def prepare_selling(admin: Graph) -> str:
    """Make what a channel needs before anything can be priced, ordered and paid; give the zone's id."""
    zone = str(admin.make("createZone", "CreateZoneInput", {"name": "US"})["id"])
    country = admin.make(
        "createCountry", "CreateCountryInput", {"code": "US", "enabled": True, **named("United States")}
    )["id"]
    admin(
        "mutation($z: ID!, $c: ID!) { addMembersToZone(zoneId: $z, memberIds: [$c]) { id } }",
        z=zone,
        c=country,
    )
    tax = {"name": "Standard", "isDefault": True}
    category = admin.make("createTaxCategory", "CreateTaxCategoryInput", tax)["id"]
    rate = {"name": "none", "enabled": True, "value": 0, "categoryId": category, "zoneId": zone}
    admin.make("createTaxRate", "CreateTaxRateInput", rate)
    channel = admin("{ activeChannel { id } }")["activeChannel"]["id"]
    zones = {"id": channel, "defaultTaxZoneId": zone, "defaultShippingZoneId": zone}
    admin.make("updateChannel", "UpdateChannelInput", zones, "{ __typename }")
    tracking = {"trackInventory": True, "outOfStockThreshold": 0}
    admin.make("updateGlobalSettings", "UpdateGlobalSettingsInput", tracking, "{ __typename }")
    admin.make(
        "createShippingMethod",
        "CreateShippingMethodInput",
        {
            "code": "flat",
            "fulfillmentHandler": "manual-fulfillment",
            "checker": configured("default-shipping-eligibility-checker", orderMinimum="0"),
            "calculator": configured(
                "default-shipping-calculator", rate="0", includesTax="auto", taxRate="0"
            ),
            **named("Flat", description=""),
        },
    )
    payment = {
        "code": "dummy",
        "enabled": True,
        "handler": configured("dummy-payment-handler", automaticSettle="true"),
        **named("Dummy", description=""),
    }
    admin.make("createPaymentMethod", "CreatePaymentMethodInput", payment)
    return zone


def named(name: str, **more: str) -> dict[str, Any]:
    """Give the translations of something that has an English name only."""
    return {"translations": [{"languageCode": "en", "name": name, **more}]}


def configured(code: str, **arguments: str) -> dict[str, Any]:
    """Give a configurable operation."""
    return {"code": code, "arguments": [{"name": name, "value": value} for name, value in arguments.items()]}


def stock_the_shelves(admin: Graph, main: str, east: str) -> dict[str, str]:
    """Make the products; give variant ids by SKU, with #1 and #2 where a SKU is shared."""
    ids: dict[str, str] = {}

    def product(name: str) -> str:
        words = named(name, slug=name.lower().replace(" ", "-"), description=name)
        return str(admin.make("createProduct", "CreateProductInput", {"enabled": True, **words})["id"])

    def variants(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
        found: list[dict[str, str]] = admin.make(
            "createProductVariants", "[CreateProductVariantInput!]", rows, "{ id sku }"
        )
        return found

    def single(name: str, sku: str, key: str = "", **more: Any) -> None:
        row = {"productId": product(name), "sku": sku, "price": 500, **named(name), **more}
        ids[key or sku] = variants([row])[0]["id"]

    tee = product("Tee")
    sizes = admin.make(
        "createProductOptionGroup",
        "CreateProductOptionGroupInput",
        {"code": "size", **named("Size"), "options": [{"code": one, **named(one)} for one in "SML"]},
        "{ id options { id code } }",
    )
    admin(
        "mutation($p: ID!, $g: ID!) { addOptionGroupToProduct(productId: $p, optionGroupId: $g) { id } }",
        p=tee,
        g=sizes["id"],
    )
    levels = [{"stockLocationId": main, "stockOnHand": 10}, {"stockLocationId": east, "stockOnHand": 5}]
    rows = [
        {
            "productId": tee,
            "sku": f"TEE-{option['code'].upper()}",
            "price": 1999,
            "optionIds": [option["id"]],
            "stockLevels": levels,
            **named(f"Tee {option['code']}"),
        }
        for option in sizes["options"]
    ]
    ids.update({row["sku"]: row["id"] for row in variants(rows)})
    for number in range(1, PARTS + 1):
        single(f"Part {number:03d}", f"PART-{number:03d}", stockOnHand=number)
    single("Mug", "MUG-1", stockOnHand=20)
    single("Soon gone", "SOON-GONE", stockOnHand=1)
    single("Gift note", "NOTE-1", trackInventory="FALSE")
    single("Gift card", "NOTE-2", trackInventory="FALSE")
    for number in (1, 2):
        single(f"Twin {number}", "TWIN-1", f"TWIN-1#{number}", stockOnHand=number)
        single(f"Old and new {number}", "TWIN-2", f"TWIN-2#{number}", stockOnHand=number)
    old = [{"id": ids["TWIN-2#1"], "enabled": False}]
    admin.make("updateProductVariants", "[UpdateProductVariantInput!]", old)
    return ids


def api_key(admin: Graph, name: str, permissions: list[str]) -> str:
    """Make a role and an API key that has it."""
    role = admin.make(
        "createRole", "CreateRoleInput", {"code": name, "description": name, "permissions": permissions}
    )
    key = admin.make(
        "createApiKey", "CreateApiKeyInput", {"roleIds": [role["id"]], **named(name)}, "{ apiKey }"
    )
    return str(key["apiKey"])


def open_outlet(admin: Graph, zone: str, variant_ids: list[str]) -> str:
    """Make a second channel that sells these variants from locations of its own; give its token."""
    channel = admin.make(
        "createChannel",
        "CreateChannelInput",
        {
            "code": "outlet",
            "token": "outlet-token",
            "defaultLanguageCode": "en",
            "availableLanguageCodes": ["en"],
            "pricesIncludeTax": False,
            "defaultCurrencyCode": "USD",
            "availableCurrencyCodes": ["USD"],
            "defaultTaxZoneId": zone,
            "defaultShippingZoneId": zone,
        },
        "{ ... on Channel { id } ... on ErrorResult { message } }",
    )["id"]
    places = [
        admin.make("createStockLocation", "CreateStockLocationInput", {"name": f"Outlet {number:02d}"})["id"]
        for number in range(1, OUTLET_LOCATIONS + 1)
    ]
    move = {"stockLocationIds": places, "channelId": channel}
    admin.make("assignStockLocationsToChannel", "AssignStockLocationsToChannelInput", move)
    sell = {"productVariantIds": variant_ids, "channelId": channel}
    admin.make("assignProductVariantsToChannel", "AssignProductVariantsToChannelInput", sell)
    return "outlet-token"
