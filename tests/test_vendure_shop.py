"""The fake Vendure shop: what it answers to the letter, and what it offers to tests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from vendure_bench import change, figures, outcomes
from vendure_shop import asked_for, shop_of, sink

from omsync.http.messages import Request, Response
from omsync.sinks.vendure import Vendure
from omsync.testing.carts.vendure import VendureShop

WRITE = """mutation($i:[UpdateProductVariantInput!]!){ updateProductVariants(input:$i){
  id sku stockLevels{ stockLocationId stockOnHand stockAllocated } } }"""
LOG_IN = """mutation{ login(username:"superadmin",password:"%s"){
  __typename ... on CurrentUser{ id } ... on ErrorResult{ errorCode message } } }"""
DENIED = {
    "errors": [
        {
            "message": "You are not currently authorized to perform this action",
            "path": ["productVariants"],
            "extensions": {"code": "FORBIDDEN"},
        }
    ],
    "data": None,
}


@pytest.fixture
def shop() -> VendureShop:
    """The shop of the exchanges: three sizes, a part, and a SKU that two variants share."""
    shop = VendureShop(locations=["Default Stock Location", "East warehouse"])
    for size in "SML":
        shop.add(f"TEE-{size}", {"Default Stock Location": 10, "East warehouse": 5})
    shop.add("PART-010")
    shop.add("DUP-1")
    shop.add("DUP-1")
    return shop


def post(
    shop: VendureShop,
    query: object,
    variables: object = None,
    headers: Mapping[str, str] | None = None,
    path: str = "/admin-api",
) -> Response:
    """Ask with the shop's key unless headers are given."""
    headers = {"vendure-api-key": shop.api_key} if headers is None else headers
    body = {"query": query, "variables": variables or {}}
    return shop.handle(Request(method="POST", url=f"https://shop.example{path}", headers=headers, body=body))


def level(place: str, units: Any, allocated: int = 0) -> dict[str, Any]:
    return {"stockLocationId": place, "stockOnHand": units, "stockAllocated": allocated}


def row(key: str, place: str, units: Any) -> dict[str, Any]:
    return {"id": key, "stockLevels": [{"stockLocationId": place, "stockOnHand": units}]}


# --- exchanges with a running Vendure, and what the fake answers --------------------------------------


def test_a_login_gives_its_token_in_a_header(shop: VendureShop) -> None:
    answer = post(shop, LOG_IN % shop.password, headers={})
    assert answer.json() == {"data": {"login": {"__typename": "CurrentUser", "id": "1"}}}
    bearer = {"authorization": f"Bearer {answer.headers['vendure-auth-token']}"}
    assert "data" in post(shop, "{ activeChannel { code } }", headers=bearer).json()


def test_a_wrong_password_is_a_result_with_http_200(shop: VendureShop) -> None:
    answer = post(shop, LOG_IN % "wrong", headers={})
    assert answer.status == 200
    assert "vendure-auth-token" not in answer.headers
    assert answer.json() == {
        "data": {
            "login": {
                "__typename": "InvalidCredentialsError",
                "errorCode": "INVALID_CREDENTIALS_ERROR",
                "message": "The provided credentials are invalid",
            }
        }
    }


@pytest.mark.parametrize(
    "headers",
    [{}, {"vendure-api-key": "wrong"}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}],
)
def test_no_credentials_and_wrong_ones_are_answered_alike_with_http_200(
    shop: VendureShop, headers: dict[str, str]
) -> None:
    answer = post(shop, "{ productVariants { totalItems } }", headers=headers)
    assert (answer.status, answer.json()) == (200, DENIED)


def test_a_role_without_the_permission_is_answered_like_wrong_credentials(shop: VendureShop) -> None:
    shop.add_api_key("places", permissions=["ReadStockLocation"])
    assert post(shop, "{ productVariants { totalItems } }", headers={"vendure-api-key": "places"}).json() == (
        DENIED
    )


def test_several_variants_are_found_under_one_sku(shop: VendureShop) -> None:
    query = """query($s:[String!]!){ productVariants(options:{take:1000, filter:{sku:{in:$s}}}){
      totalItems items{ id sku trackInventory enabled
        stockLevels{ stockLocationId stockOnHand stockAllocated } } } }"""
    found = post(shop, query, {"s": ["TEE-S", "DUP-1", "NO-SUCH"]}).json()["data"]["productVariants"]
    assert found["totalItems"] == 3
    assert found["items"][0] == {
        "id": "1",
        "sku": "TEE-S",
        "trackInventory": "INHERIT",
        "enabled": True,
        "stockLevels": [level("1", 10), level("2", 5)],
    }
    assert [one["id"] for one in found["items"][1:]] == ["5", "6"]


def test_a_page_of_more_than_1000_is_refused(shop: VendureShop) -> None:
    answer = post(shop, "{ productVariants(options: {take: 1001}) { totalItems } }")
    said = answer.json()["errors"][0]
    assert said["message"] == "Cannot take more than 1000 results from a list query"
    assert said["extensions"] == {"code": "USER_INPUT_ERROR"}


def test_a_batch_shows_what_it_wrote_and_locations_that_were_not_named_keep_theirs(shop: VendureShop) -> None:
    answer = post(shop, WRITE, {"i": [row("2", "1", 7), row("3", "2", 3)]})
    assert answer.json()["data"]["updateProductVariants"] == [
        {"id": "2", "sku": "TEE-M", "stockLevels": [level("1", 7), level("2", 5)]},
        {"id": "3", "sku": "TEE-L", "stockLevels": [level("1", 10), level("2", 3)]},
    ]


def test_an_unknown_variant_alone_or_in_a_batch_undoes_all(shop: VendureShop) -> None:
    answer = post(shop, WRITE, {"i": [row("1", "1", 99), row("999999", "1", 5)]})
    assert answer.json() == {
        "errors": [
            {
                "message": 'No ProductVariant with the id "999999" could be found',
                "path": ["updateProductVariants"],
                "extensions": {"code": "ENTITY_NOT_FOUND"},
            }
        ],
        "data": None,
    }
    assert shop.quantity("TEE-S") == 10
    said = post(shop, WRITE, {"i": [row("abc", "1", 5)]}).json()["errors"][0]
    assert said["message"] == 'No ProductVariant with the id "-1" could be found'


def test_an_unknown_location_is_an_error_without_a_code(shop: VendureShop) -> None:
    answer = post(shop, WRITE, {"i": [row("1", "777", 5)]})
    message = "SqliteError: FOREIGN KEY constraint failed"
    assert answer.json() == {
        "errors": [{"message": message, "path": ["updateProductVariants"]}],
        "data": None,
    }


def test_a_database_without_foreign_keys_takes_an_unknown_location_in_silence(shop: VendureShop) -> None:
    shop.foreign_keys = False
    (shown,) = post(shop, WRITE, {"i": [row("4", "777", 5)]}).json()["data"]["updateProductVariants"]
    assert shown["stockLevels"] == [level("1", 0), level("2", 0)]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (1.5, "Int cannot represent non-integer value: 1.5"),
        ("5", 'Int cannot represent non-integer value: "5"'),
        (True, "Int cannot represent non-integer value: true"),
        (2**31, "Int cannot represent non 32-bit signed integer value: 2147483648"),
        (None, 'Expected non-nullable type "Int!" not to be null.'),
    ],
)
def test_what_is_no_whole_number_of_32_bits_is_bad_user_input(
    shop: VendureShop, value: object, what: str
) -> None:
    answer = post(shop, WRITE, {"i": [row("1", "1", value)]})
    place = '"i[0].stockLevels[0].stockOnHand"'
    said = f'Variable "$i" got invalid value {json.dumps(value)} at {place}; {what}'
    assert (answer.status, answer.json()) == (
        200,
        {"errors": [{"message": said, "extensions": {"code": "BAD_USER_INPUT"}}]},
    )


def test_negatives_are_taken_by_location_and_refused_in_the_old_way(shop: VendureShop) -> None:
    (shown,) = post(shop, WRITE, {"i": [row("4", "1", -1)]}).json()["data"]["updateProductVariants"]
    assert shown == {"id": "4", "sku": "PART-010", "stockLevels": [level("1", -1), level("2", 0)]}
    said = post(shop, WRITE, {"i": [{"id": "4", "stockOnHand": -1}]}).json()["errors"][0]
    assert said["message"] == "stockOnHand cannot be a negative value"


def test_a_quantity_without_a_location_goes_to_the_first_one(shop: VendureShop) -> None:
    query = (
        "mutation { updateProductVariants(input: {id: 4, stockOnHand: 3}) { stockOnHand stockAllocated } }"
    )
    shown = post(shop, query).json()["data"]["updateProductVariants"]
    assert (shown, shop.quantity("PART-010")) == ([{"stockOnHand": 3, "stockAllocated": 0}], 3)


def test_a_body_over_100_kb_is_a_500_with_an_empty_message(shop: VendureShop) -> None:
    answer = post(shop, WRITE, {"i": [row("1", "1", 5)] * 2000})
    assert answer.status == 500
    assert answer.json() == {"statusCode": 500, "message": "", "path": "/admin-api"}


def test_an_order_allocates_and_its_shipment_takes_both_down(shop: VendureShop) -> None:
    post(shop, WRITE, {"i": [row("2", "1", 7)]})
    shop.sell("TEE-M", 4)
    (shown,) = post(shop, WRITE, {"i": [row("2", "1", 2)]}).json()["data"]["updateProductVariants"]
    assert shown["stockLevels"] == [level("1", 2, 4), level("2", 5)]
    assert (shop.allocated("TEE-M"), shop.buyable("TEE-M")) == (4, 3)  # 2 - 4 here, 5 in the east
    shop.ship("TEE-M", 2)
    assert (shop.quantity("TEE-M"), shop.allocated("TEE-M")) == (0, 2)


def test_an_unknown_channel_is_ignored_by_a_shop_of_one_and_named_by_a_shop_of_two(shop: VendureShop) -> None:
    headers = {"vendure-api-key": shop.api_key, "vendure-token": "mistyped"}
    query = "{ activeChannel { code } }"
    assert post(shop, query, headers=headers).json()["data"]["activeChannel"]["code"] == "__default_channel__"
    shop.add_channel("outlet")
    said = post(shop, query, headers=headers).json()["errors"][0]
    assert said["message"] == 'No Channel with the token "mistyped" could be found'
    assert said["extensions"] == {"code": "CHANNEL_NOT_FOUND"}


# --- what is wrong with a request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "Expected Name, found <EOF>"),
        ("{ productVariants(", "Expected Name, found <EOF>"),
        ("{ a(b: ) }", "Unexpected )"),
        ("{ a } { b }", "Expected one operation, found {"),
        ("{ a(b: [1 }", "Unexpected }"),
        ("{ ... F }", 'Expected "on", found F'),
        ("query($x Int) { a }", 'Expected ":", found Int'),
        ("query($x: [Int) { a }", 'Expected "]", found )'),
        ("subscription { a }", 'Unexpected Name "subscription"'),
        ("{ a % }", 'Unexpected character: "%"'),
    ],
)
def test_a_query_that_is_not_graphql_is_a_syntax_error(shop: VendureShop, query: str, says: str) -> None:
    answer = post(shop, query)
    (said,) = answer.json()["errors"]
    assert (answer.status, said["extensions"]["code"]) == (400, "GRAPHQL_PARSE_FAILED")
    assert said["message"] == f"Syntax Error: {says}."


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("{ nope }", 'Cannot query field "nope" on type "Query".'),
        ("{ activeChannel { code nope } }", 'Cannot query field "nope" on type "Channel".'),
        ("{ activeChannel }", 'Field "activeChannel" of type "Channel" must have a selection'),
        ("{ activeChannel { code { x } } }", 'Field "code" must not have a selection'),
        ("{ activeChannel { ... on Nope { id } } }", 'Unknown type "Nope".'),
        ("{ productVariants(foo: 1) { totalItems } }", 'Unknown argument "foo" on field "Query.productV'),
        ("{ productVariants(options: {skip: $x}) { totalItems } }", 'Variable "$x" is not defined.'),
        ("query($x: Int!) { activeChannel { code } }", 'Variable "$x" is never used.'),
        ("query($x: Nope!) { activeChannel { code } }", 'Unknown type "Nope".'),
        ("mutation { updateProductVariants { id } }", 'argument "input" of type "[UpdateProductVariantIn'),
        ("{ productVariants(options: {filter: {name: {eq: 1}}}) { totalItems } }", 'Field "name" is not def'),
        ("{ productVariants(options: {take: 1.5}) { totalItems } }", "non-integer value: 1.5"),
        ("{ productVariants(options: 5) { totalItems } }", "to be an object"),
        ("mutation { updateProductVariants(input: [{}]) { id } }", '"id" of required type "ID!" was not'),
        (
            'mutation { updateProductVariants(input: [{id: "1", trackInventory: MAYBE}]) { id } }',
            'Value "MAYBE" does not exist in "GlobalFlag" enum.',
        ),
        ("mutation { updateProductVariants(input: [{id: 1.5}]) { id } }", "ID cannot represent value: 1.5"),
        ('mutation { updateProductVariants(input: [{id: "1", sku: 5}]) { id } }', "a non string value: 5"),
        ('mutation { updateProductVariants(input: [{id: "1", enabled: 1}]) { id } }', "non boolean value: 1"),
        ("query($x: Int) { productVariants(options: {nope: $x}) { totalItems } }", '"nope" is not defined'),
    ],
)
def test_a_query_that_does_not_fit_the_schema_is_named_and_nothing_done(
    shop: VendureShop, query: str, says: str
) -> None:
    answer = post(shop, query)
    (said,) = answer.json()["errors"]
    assert (answer.status, said["extensions"]["code"]) == (400, "GRAPHQL_VALIDATION_FAILED")
    assert says in said["message"]


def test_variables_are_wanted_where_their_type_says_so(shop: VendureShop) -> None:
    query = """query($skip: Int!, $take: Int, $sort: SortOrder) {
      productVariants(options: {skip: $skip, take: $take, sort: {sku: $sort}}) { items { sku } } }"""
    (said,) = post(shop, query).json()["errors"]
    assert said["message"] == 'Variable "$skip" of required type "Int!" was not provided.'
    shown = post(shop, query, {"skip": 4.0, "sort": "DESC"}).json()["data"]["productVariants"]["items"]
    assert [one["sku"] for one in shown] == ["DUP-1", "DUP-1"]
    (said,) = post(shop, query, {"skip": "x"}).json()["errors"]
    assert said["message"] == (
        'Variable "$skip" got invalid value "x"; Int cannot represent non-integer value: "x"'
    )


def test_null_is_as_good_as_left_out(shop: VendureShop) -> None:
    empty = {"id": "4", "sku": None, "stockOnHand": None, "stockLevels": None, "trackInventory": None}
    (shown,) = post(shop, WRITE, {"i": [empty]}).json()["data"]["updateProductVariants"]
    assert shown == {"id": "4", "sku": "PART-010", "stockLevels": [level("1", 0), level("2", 0)]}
    query = """query($sku: StringOperators, $take: Int) {
      productVariants(options: {take: $take, filter: {sku: $sku}}) { totalItems } }"""
    found = post(shop, query, {"sku": None, "take": None}).json()
    assert found["data"]["productVariants"]["totalItems"] == 6


def test_aliases_comments_and_other_names_are_understood(shop: VendureShop) -> None:
    query = """query Named { # a comment
      first: productVariants(options: {take: 1, filter: {sku: {eq: "TEE-M"}, id: {in: ["2", "3"]}}}) {
        n: totalItems items { key: id __typename }
      }
      none: productVariants(options: {filter: null}) { totalItems }
    }"""
    assert post(shop, query).json()["data"] == {
        "first": {"n": 1, "items": [{"key": "2", "__typename": "ProductVariant"}]},
        "none": {"totalItems": 6},
    }


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"query": 5}', b'{"query": "{ a }", "variables": [1]}'])
def test_a_body_without_a_query_is_a_bad_request(shop: VendureShop, content: bytes) -> None:
    answer = shop.handle(Request(method="POST", url="https://shop.example/admin-api", raw=content))
    assert (answer.status, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


def test_what_comes_before_graphql_answers_in_its_own_way(shop: VendureShop) -> None:
    broken = shop.handle(Request(method="POST", url="https://shop.example/admin-api", raw=b"{"))
    assert (broken.status, broken.json()["statusCode"]) == (400, 400)
    elsewhere = post(shop, "{ activeChannel { code } }", path="/elsewhere")
    assert (elsewhere.status, elsewhere.json()["message"]) == (404, "Cannot POST /elsewhere")


# --- what it offers to tests --------------------------------------------------------------------------


def test_a_channel_sees_its_own_and_a_key_is_good_where_its_role_is(shop: VendureShop) -> None:
    shop.add_location("Outlet")
    assert shop.quantity("TEE-S", "Outlet") is None
    shop.add_channel("outlet", skus=["TEE-S"], locations=["Outlet"])
    shop.add_api_key("outlet-key", channel="outlet")
    cart = sink(shop, api_key="outlet-key", channel="outlet")
    assert figures(cart.read(["TEE-S", "TEE-M"])) == {
        ("TEE-S", None): (0, 0),
        ("TEE-S", "3"): (0, 0),
        ("TEE-S", "Outlet"): (0, 0),
    }
    assert outcomes(cart.push([change("TEE-S", 4)])) == [("accepted", "", 4)]
    assert (shop.quantity("TEE-S", "Outlet"), shop.quantity("TEE-S")) == (4, 10)


def test_a_variant_may_be_removed_and_one_of_several_is_named_by_its_id(shop: VendureShop) -> None:
    with pytest.raises(LookupError, match="several variants have the SKU 'DUP-1'; name one by its id: 5, 6"):
        shop.quantity("DUP-1")
    shop.remove("5")
    assert shop.variant_id("DUP-1") == "6"


@pytest.mark.parametrize("ask", ["quantity", "allocated", "buyable", "tracks", "variant_id", "location"])
def test_what_the_fake_does_not_have_is_a_lookup_error(shop: VendureShop, ask: str) -> None:
    with pytest.raises(LookupError, match="NO-SUCH"):
        getattr(shop, ask)("NO-SUCH")


def test_a_shop_may_take_no_keys_or_no_sessions() -> None:
    shop = shop_of(token_methods=["bearer"])
    assert "errors" in post(shop, "{ activeChannel { code } }").json()
    logged_in = post(shop, LOG_IN % shop.password, headers={})
    shop.token_methods = frozenset({"api-key"})
    bearer = {"authorization": f"Bearer {logged_in.headers['vendure-auth-token']}"}
    assert "errors" in post(shop, "{ activeChannel { code } }", headers=bearer).json()
    assert "vendure-auth-token" not in post(shop, LOG_IN % shop.password, headers={}).headers


def test_the_global_setting_may_be_changed_through_the_api() -> None:
    shop = shop_of("TEE")
    query = """mutation { updateGlobalSettings(input: {trackInventory: false}) {
      ... on GlobalSettings { trackInventory } } }"""
    assert "errors" in post(shop, query).json()  # a key of the catalogue may not
    token = post(shop, LOG_IN % shop.password, headers={}).headers["vendure-auth-token"]
    answer = post(shop, query, headers={"authorization": f"Bearer {token}"})
    assert answer.json()["data"] == {"updateGlobalSettings": {"trackInventory": False}}
    assert (shop.tracks_by_default, shop.tracks("TEE")) == (False, False)


def test_the_sink_and_the_fake_speak_over_http() -> None:
    shop = shop_of("TEE")
    with shop.serve() as server:
        cart = Vendure(server.base_url, username=shop.username, password=shop.password, location="East")
        assert outcomes(cart.push([change("TEE", 5)])) == [("accepted", "", 5)]
        assert figures(cart.read(["TEE"]))["TEE", None] == (5, 0)
    assert len(asked_for(shop, "omsyncLogIn")) == 1


# --- the page about the sink --------------------------------------------------------------------------


def test_every_trap_on_the_page_names_a_test_that_exists_and_where_it_runs() -> None:
    root = Path(__file__).parent.parent

    def tests_in(*files: Path) -> set[str]:
        pattern = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
        return {name for file in files for name in pattern.findall(file.read_text())}

    both = tests_in(root / "tests/support/vendure_cases.py")
    without = tests_in(*(root / "tests").glob("test_vendure*.py"))
    named = re.findall(r"(\*?)`(test_\w+)`", (root / "docs/carts/vendure.md").read_text())
    assert len(named) > 20
    assert [name for star, name in named if name not in (both if star else without)] == []
