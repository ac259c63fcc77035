"""The fake Shopify shop enforces by itself what Shopify enforces at run time."""

from __future__ import annotations

from typing import Any

import pytest

from omsync.http.messages import Request, Response
from omsync.sinks import _shopify as api
from omsync.testing.carts._shopify_language import NotReadableError, matches, parse
from omsync.testing.carts.shopify import ShopifyShop

URL = "https://acme.myshopify.com/admin/api/2026-07/graphql.json"
MUG, MAIN = "gid://shopify/InventoryItem/1", "gid://shopify/Location/1"


def ask(shop: ShopifyShop, query: str, **variables: Any) -> Any:
    body = {"query": query, "operationName": "x", "variables": variables}
    headers = {"x-shopify-access-token": "shpat_test"}
    return shop.handle(Request(method="POST", url=URL, headers=headers, body=body)).json()


def row(**more: Any) -> dict[str, Any]:
    return {"inventoryItemId": MUG, "locationId": MAIN, "quantity": 5, "changeFromQuantity": None, **more}


def write(shop: ShopifyShop, *rows: dict[str, Any], key: str = "k", **more: Any) -> Any:
    given = {"name": "available", "reason": "correction", "quantities": list(rows), **more}
    answer = ask(shop, api.WRITE, input=given, key=key)
    return answer.get("errors") or answer["data"]["inventorySetQuantities"]["userErrors"]


def stocked() -> ShopifyShop:
    shop = ShopifyShop()
    shop.add("MUG", 3)
    return shop


def code_of(said: Any) -> str:
    (error,) = said
    return str(error.get("code") or error["extensions"]["code"])


def test_an_idempotency_key_is_wanted_although_the_schema_does_not_say_so() -> None:
    shop = stocked()
    bare = api.WRITE.replace(" @idempotent(key: $key)", "")
    answer = ask(shop, bare, input={"name": "available", "reason": "correction", "quantities": [row()]})
    assert code_of(answer["errors"]) == "BAD_REQUEST"
    assert code_of(write(shop, row(), key=" ")) == "BAD_REQUEST"
    assert shop.quantity("MUG") == 3


def test_the_expected_quantity_has_to_be_said_even_if_it_is_null() -> None:
    bare = row()
    del bare["changeFromQuantity"]
    assert code_of(write(stocked(), bare)) == "INVALID_FIELD_ARGUMENTS"


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"inventoryItemId": "gid://shopify/InventoryItem/9"}, "INVALID_INVENTORY_ITEM", "inventoryItemId"),
        ({"locationId": "gid://shopify/Location/9"}, "INVALID_LOCATION", "locationId"),
        ({"quantity": -1}, "INVALID_QUANTITY_NEGATIVE", "quantity"),
        ({"quantity": 1_000_000_001}, "INVALID_QUANTITY_TOO_HIGH", "quantity"),
        ({"changeFromQuantity": 4}, "CHANGE_FROM_QUANTITY_STALE", "changeFromQuantity"),
    ],
)
def test_a_bad_row_is_named_by_its_index_and_nothing_is_written(
    wrong: dict[str, Any], code: str, field: str
) -> None:
    shop = stocked()
    cup = shop.add("CUP", 1)
    (error,) = write(shop, row(inventoryItemId=cup), row(**wrong))
    assert (error["code"], error["field"]) == (code, ["input", "quantities", "1", field])
    assert (shop.quantity("CUP"), shop.history) == (1, [])


def test_a_place_that_is_named_twice_is_refused() -> None:
    assert code_of(write(stocked(), row(), row())) == "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "committed"}, "INVALID_NAME"),
        ({"reason": "because"}, "INVALID_REASON"),
        ({"referenceDocumentUri": "run 7"}, "INVALID_REFERENCE_DOCUMENT"),
    ],
)
def test_what_is_wrong_with_the_call_is_no_rows_fault(wrong: dict[str, Any], code: str) -> None:
    (error,) = write(stocked(), row(), **wrong)
    assert (error["code"], error["field"]) == (code, ["input", next(iter(wrong))])


def test_no_list_is_longer_than_250() -> None:
    shop = stocked()
    assert code_of(write(shop, *[row()] * 251)) == "MAX_INPUT_SIZE_EXCEEDED"
    answer = ask(shop, api.ITEMS, ids=[MUG] * 251, levels=1, levelsAfter=None, names=["available"])
    assert code_of(answer["errors"]) in {"MAX_INPUT_SIZE_EXCEEDED", "MAX_COST_EXCEEDED"}
    answer = ask(shop, api.NAMES, first=251, after=None)
    assert code_of(answer["errors"]) == "BAD_REQUEST"


def test_a_key_replays_its_answer_and_takes_no_other_arguments() -> None:
    shop = stocked()
    assert write(shop, row(), key="a") == []
    shop.sell("MUG", 1)
    assert write(shop, row(), key="a") == []
    assert shop.quantity("MUG") == 4
    assert code_of(write(shop, row(quantity=6), key="a")) == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    write(shop, row(quantity=-1), key="b")
    assert code_of(write(shop, row(quantity=-1), key="b")) == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


def test_a_write_to_a_place_that_is_not_stocked_leaves_an_inactive_level() -> None:
    shop = ShopifyShop(locations=("Main street", "East"))
    shop.add("MUG", 3)
    assert write(shop, row(locationId="gid://shopify/Location/2")) == []
    assert shop.quantity("MUG", "East") == 5
    assert not shop.items[MUG].levels["gid://shopify/Location/2"].active


def test_stocking_an_item_keeps_the_units_that_it_had() -> None:
    shop = ShopifyShop()
    shop.add("MUG", 3, stocked=False)
    for key in ("a", "a", "b"):
        ask(shop, api.ACTIVATE, item=MUG, location=MAIN, key=key)
    assert (shop.items[MUG].levels[MAIN].active, shop.quantity("MUG")) == (True, 3)
    answer = ask(shop, api.ACTIVATE, item="gid://shopify/InventoryItem/9", location=MAIN, key="a")
    (error,) = answer["data"]["inventoryActivate"]["userErrors"]
    assert error["message"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


def test_an_order_takes_units_from_sale_and_shipping_takes_them_off_the_shelf() -> None:
    shop = stocked()
    shop.sell("MUG", 2)
    assert (shop.quantity("MUG"), shop.quantity("MUG", name="on_hand")) == (1, 3)
    shop.ship("MUG", 2)
    assert (shop.quantity("MUG"), shop.quantity("MUG", name="on_hand")) == (1, 1)


def test_inactive_levels_and_services_locations_are_left_out_unless_asked_for() -> None:
    shop = ShopifyShop()
    shop.add_location("Fulfil Ltd", service=True)
    shop.add_location("Closed", active=False)
    shop.add("MUG", 3, stocked=False)
    places = "query q { locations(first: 9) { nodes { name } } }"
    assert ask(shop, places)["data"]["locations"]["nodes"] == [{"name": "Main street"}]
    levels = """query q { nodes(ids: ["gid://shopify/InventoryItem/1"]) {
      ... on InventoryItem { here: inventoryLevels(first: 9) { nodes { isActive } } } } }"""
    assert ask(shop, levels)["data"]["nodes"] == [{"here": {"nodes": []}}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("query q { shoes(first: 1) { id } }", "Field 'shoes' doesn't exist on type 'QueryRoot'"),
        ("mutation m { eat(id: 1) { id } }", "Field 'eat' doesn't exist on type 'Mutation'"),
        (
            "query q { locations(first: 1) { nodes { shoes } } }",
            "Field 'shoes' doesn't exist on type 'Location'",
        ),
        ("query q { locations(first: 1) { shoes } }", "Field 'shoes' doesn't exist on type 'the type'"),
        ("query q { locations(first: 1) { nodes { id }", "Unexpected end of document"),
        ("query q { locations(first: ~) }", "Unexpected character '~'"),
        ("query q { locations(first: 1) { ...lost } }", "Fragment lost was used, but not defined"),
        ("subscription s { a }", "Expected query or mutation, not subscription"),
        ("query q ! { a }", "Expected {, not !"),
        ("query q { ! }", "Expected a name, not !"),
    ],
)
def test_a_document_that_shopify_could_not_read_is_refused_in_words(query: str, message: str) -> None:
    (error,) = ask(stocked(), query)["errors"]
    assert error["message"] == message


def test_quantities_have_shopifys_names() -> None:
    answer = ask(stocked(), api.ITEMS, ids=[MUG], levels=1, levelsAfter=None, names=["sold"])
    assert code_of(answer["errors"]) == "INVALID_FIELD_ARGUMENTS"


def test_a_search_that_cannot_be_read_and_a_page_too_deep_are_refused() -> None:
    shop = stocked()
    page = 'query q { inventoryItems(first: 1, query: "title:x") { nodes { id } } }'
    assert "search at" in ask(shop, page)["errors"][0]["message"]
    deep = 'query q { inventoryItems(first: 1, after: "25000") { nodes { id } } }'
    assert code_of(ask(shop, deep)["errors"]) == "BAD_REQUEST"


def test_values_in_a_document_are_read_as_graphql_has_them() -> None:
    text = """# a remark
    query q { a(n: -5, t: true, none: null, e: WORD, s: "say \\"x\\"", l: [1, [2]], v: $v, lost: $lost) }"""
    (field,) = parse(text, {"v": 7}).fields
    assert field.arguments == {
        "n": -5,
        "t": True,
        "none": None,
        "e": "WORD",
        "s": 'say "x"',
        "l": [1, [2]],
        "v": 7,
    }


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("sku:MUG", ["MUG", "mug", "MUG-RED"]),
        ("sku:MUG*", ["MUG", "mug", "MUG-RED", "MUGS"]),
        ("sku:'MUG RED'", ["MUG-RED"]),
        ('sku:"MUG*"', ["MUG", "mug", "MUG-RED"]),
        (r"sku:A\:B", ["A:B"]),
        ('sku:"A:B" OR sku:MUGS', ["MUGS", "A:B"]),
        ('sku:"***"', []),
    ],
)
def test_the_search_compares_words_and_not_codes(search: str, found: list[str]) -> None:
    assert list(filter(matches(search), ["MUG", "mug", "MUG-RED", "MUGS", "A:B"])) == found


def test_a_search_with_an_open_quote_is_no_search() -> None:
    with pytest.raises(NotReadableError):
        matches('sku:"MUG')


@pytest.mark.parametrize(
    ("method", "path"), [("GET", URL), ("POST", "https://acme.myshopify.com/admin/api/2026-08/graphql.json")]
)
def test_an_unknown_address_is_not_found(method: str, path: str) -> None:
    assert shop_answer(stocked(), method, path).status == 404


def shop_answer(shop: ShopifyShop, method: str, path: str) -> Response:
    return shop.handle(Request(method=method, url=path))


def levels_of(items: int, levels: int) -> str:
    inside = f"inventoryLevels(first: {levels}) {{ nodes {{ isActive }} }}"
    return f"query q {{ inventoryItems(first: {items}) {{ nodes {{ {inside} }} }} }}"


def test_points_come_back_with_time_and_an_empty_bucket_throttles() -> None:
    seconds = [0.0]
    shop = ShopifyShop(now=lambda: seconds[0])
    dear = levels_of(200, 1)
    answers = [ask(shop, dear) for _ in range(5)]
    assert [("errors" in answer) for answer in answers] == [False, False, False, True, True]
    assert code_of(answers[-1]["errors"]) == "THROTTLED"
    assert answers[-1]["extensions"]["cost"]["actualQueryCost"] is None
    seconds[0] += 10
    assert "errors" not in ask(shop, dear)
    assert shop.throttled == 2


def test_a_single_query_has_a_price_limit() -> None:
    dear = levels_of(250, 9)
    assert code_of(ask(stocked(), dear)["errors"]) == "MAX_COST_EXCEEDED"


def test_only_two_ways_to_a_token_are_known() -> None:
    form = b"grant_type=password&client_id=client-id&client_secret=client-secret"
    request = Request(method="POST", url="https://acme.myshopify.com/admin/oauth/access_token", raw=form)
    assert stocked().handle(request).json() == {"error": "unsupported_grant_type"}


def test_a_used_refresh_token_is_good_until_its_successor_is_used() -> None:
    shop = stocked()

    def renew(token: str) -> Any:
        form = (
            f"grant_type=refresh_token&client_id=client-id&client_secret=client-secret&refresh_token={token}"
        )
        url = "https://acme.myshopify.com/admin/oauth/access_token"
        return shop.handle(Request(method="POST", url=url, raw=form.encode())).json()

    assert renew("refresh-0")["refresh_token"] == "refresh-1"
    assert renew("refresh-0")["refresh_token"] == "refresh-1"
    assert renew("refresh-1")["refresh_token"] == "refresh-2"
    assert renew("refresh-0")["error"] == "invalid_request"
