"""The WooCommerce shop in memory answers as a running WooCommerce 9.9 was seen to answer."""

from __future__ import annotations

from typing import Any

import pytest

from omsync.http.messages import Request, Response
from omsync.http.oauth1 import OAuth1
from omsync.sinks._credentials import basic
from omsync.testing.carts.woocommerce import WooCommerceShop

ROOT = "https://shop.example/wp-json/wc/v3"


def shop() -> WooCommerceShop:
    there = WooCommerceShop()
    there.add("PART-001", 7)
    there.add("PART-002", 8)
    there.add("PART-003", 9)
    there.add_variable("TEE", {"TEE-S": 10, "TEE-M": 4})
    there.add_variable("CAP", {"CAP-RED": None}, quantity=20)
    return there


def ask(
    there: WooCommerceShop,
    method: str,
    path: str,
    body: Any = ...,
    *,
    query: tuple[tuple[str, str], ...] = (),
) -> Response:
    request = Request(
        method=method,
        url=path if path.startswith("http") else ROOT + path,
        query=query,
        headers={"authorization": basic(there.key, there.secret)},
        body=body,
    )
    return there.handle(request)


def update(there: WooCommerceShop, *rows: dict[str, Any], path: str = "/products/batch") -> list[Any]:
    answer = ask(there, "POST", path, {"update": list(rows)})
    assert answer.status == 200
    updated: list[Any] = answer.json()["update"]
    return updated


def test_a_look_up_finds_variations_too_and_only_exact_matches() -> None:
    there = shop()
    answer = ask(
        there,
        "GET",
        "/products",
        query=(
            ("sku", "PART-001,TEE-S,NO-SUCH"),
            ("per_page", "100"),
            ("_fields", "id,sku,type,parent_id,manage_stock,stock_quantity,stock_status"),
        ),
    )
    assert sorted(answer.json(), key=lambda row: str(row["sku"])) == [
        {
            "id": there.id_of("PART-001"),
            "sku": "PART-001",
            "type": "simple",
            "parent_id": 0,
            "manage_stock": True,
            "stock_quantity": 7,
            "stock_status": "instock",
        },
        {
            "id": there.id_of("TEE-S"),
            "sku": "TEE-S",
            "type": "variation",
            "parent_id": there.id_of("TEE"),
            "manage_stock": True,
            "stock_quantity": 10,
            "stock_status": "instock",
        },
    ]
    assert (answer.headers["x-wp-total"], answer.headers["x-wp-totalpages"]) == ("2", "1")


def test_case_is_ignored_and_the_trash_too() -> None:
    there = shop()
    assert len(ask(there, "GET", "/products", query=(("sku", "part-001"),)).json()) == 1
    there.trash("PART-001")
    assert ask(there, "GET", "/products", query=(("sku", "part-001"),)).json() == []


def test_a_page_has_10_rows_or_up_to_100_and_names_the_next() -> None:
    there = WooCommerceShop()
    for number in range(130):
        there.add(f"P-{number}", 1)
    skus = ",".join(f"P-{number}" for number in range(130))
    assert len(ask(there, "GET", "/products", query=(("sku", skus),)).json()) == 10
    answer = ask(there, "GET", "/products", query=(("sku", skus), ("per_page", "100")))
    assert (len(answer.json()), answer.headers["x-wp-total"]) == (100, "130")
    assert 'rel="next"' in answer.headers["link"]
    refused = ask(there, "GET", "/products", query=(("sku", skus), ("per_page", "101")))
    assert (refused.status, refused.json()["code"]) == (400, "rest_invalid_param")


def test_a_lone_0_is_no_filter_at_all() -> None:
    there = shop()
    assert len(ask(there, "GET", "/products", query=(("sku", "0"),)).json()) == 5
    assert ask(there, "GET", "/products", query=(("sku", "0,0"),)).json() == []


def test_single_routes_write_and_show_the_product() -> None:
    there = shop()
    part, tee, small = (there.id_of(sku) for sku in ("PART-001", "TEE", "TEE-S"))
    assert ask(there, "PUT", f"/products/{part}", {"stock_quantity": 42}).json()["stock_quantity"] == 42
    written = ask(there, "PUT", f"/products/{tee}/variations/{small}", {"stock_quantity": 7})
    assert written.json()["stock_quantity"] == 7
    assert ask(there, "GET", f"/products/{part}").json()["sku"] == "PART-001"


@pytest.mark.parametrize("value", ["abc", 1.5, True, ""])
def test_single_routes_check_types(value: Any) -> None:
    there = shop()
    part = there.id_of("PART-001")
    answer = ask(there, "PUT", f"/products/{part}", {"stock_quantity": value})
    assert (answer.status, answer.json()["code"]) == (400, "rest_invalid_param")
    assert there.quantity("PART-001") == 7


def test_a_write_without_a_quantity_leaves_it() -> None:
    there = shop()
    answer = ask(there, "PUT", f"/products/{there.id_of('PART-001')}", {"backorders": "yes"})
    assert (answer.status, there.quantity("PART-001"), there.backorders("PART-001")) == (200, 7, "yes")


@pytest.mark.parametrize(("value", "becomes"), [("12", 12), (None, 0), (-3, -3)])
def test_single_routes_take_digits_null_and_negatives(value: Any, becomes: int) -> None:
    there = shop()
    part = there.id_of("PART-001")
    answer = ask(there, "PUT", f"/products/{part}", {"stock_quantity": value})
    assert (answer.status, there.quantity("PART-001")) == (200, becomes)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [("abc", 0), ("", 0), (1.5, 1), (None, 7), ("12x", 12), (-3, -3), (True, 1), ([], 0)],
)
def test_batches_coerce_in_silence(value: Any, becomes: int) -> None:
    there = shop()
    update(there, {"id": there.id_of("PART-001"), "stock_quantity": value})
    assert there.quantity("PART-001") == becomes


def test_a_batch_answers_200_with_errors_in_single_rows() -> None:
    there = shop()
    first, third = there.id_of("PART-001"), there.id_of("PART-003")
    small = there.id_of("TEE-S")
    rows = update(
        there,
        {"id": first, "stock_quantity": 2},
        {"id": 999_999, "stock_quantity": 2},
        {"id": small, "stock_quantity": 3},
        {"id": third, "stock_quantity": 3},
    )
    assert (rows[0]["id"], rows[0]["stock_quantity"]) == (first, 2)
    assert rows[1] == {
        "id": 999_999,
        "error": {
            "code": "woocommerce_rest_product_invalid_id",
            "message": "Invalid ID.",
            "data": {"status": 400},
        },
    }
    assert (rows[2]["id"], rows[2]["error"]["code"]) == (small, "woocommerce_rest_invalid_product_id")
    assert rows[2]["error"]["data"] == {"status": 404}
    assert (rows[3]["id"], rows[3]["stock_quantity"]) == (third, 3)
    assert there.quantity("TEE-S") == 10


def test_a_variation_batch_is_of_one_parent() -> None:
    there = shop()
    tee, red, medium = (there.id_of(sku) for sku in ("TEE", "CAP-RED", "TEE-M"))
    rows = update(
        there,
        {"id": medium, "stock_quantity": 5},
        {"id": red, "stock_quantity": 5},
        path=f"/products/{tee}/variations/batch",
    )
    assert rows[0]["stock_quantity"] == 5
    assert rows[1]["error"]["code"] == "woocommerce_rest_product_variation_invalid_id"


def test_101_rows_are_refused_as_a_whole() -> None:
    there = shop()
    row = {"id": there.id_of("PART-001"), "stock_quantity": 1}
    answer = ask(there, "POST", "/products/batch", {"update": [row] * 101})
    assert answer.status == 413
    assert answer.json() == {
        "code": "woocommerce_rest_request_entity_too_large",
        "message": "Unable to accept more than 100 items for this request.",
        "data": {"status": 413},
    }
    assert there.quantity("PART-001") == 7


def test_without_stock_management_a_quantity_is_dropped_with_http_200() -> None:
    there = shop()
    there.add("FLYER", tracked=False)
    flyer = there.id_of("FLYER")
    (row,) = update(there, {"id": flyer, "stock_quantity": 5})
    assert (row["manage_stock"], row["stock_quantity"]) == (False, None)
    (row,) = update(there, {"id": flyer, "stock_quantity": 5, "manage_stock": True})
    assert (row["manage_stock"], row["stock_quantity"]) == (True, 5)


@pytest.mark.parametrize("kind", ["grouped", "external"])
def test_grouped_and_external_products_have_no_stock(kind: str) -> None:
    there = shop()
    there.add("SET", kind=kind)
    (row,) = update(there, {"id": there.id_of("SET"), "stock_quantity": 5, "manage_stock": True})
    assert (row["manage_stock"], row["stock_quantity"]) == (False, None)


def test_a_variation_on_its_parents_stock_ignores_a_quantity_and_shows_the_parents() -> None:
    there = shop()
    cap, red = there.id_of("CAP"), there.id_of("CAP-RED")
    (row,) = update(there, {"id": red, "stock_quantity": 5}, path=f"/products/{cap}/variations/batch")
    assert (row["manage_stock"], row["stock_quantity"]) == ("parent", 20)


def test_a_write_to_a_variation_whose_stock_nobody_counts_resets_its_backorders() -> None:
    there = shop()
    tee, small = there.id_of("TEE"), there.id_of("TEE-S")
    there.stop_tracking("TEE-S")
    there.products.by_sku("TEE-S").backorders = "yes"
    update(there, {"id": small, "stock_quantity": 5}, path=f"/products/{tee}/variations/batch")
    assert there.backorders("TEE-S") == "no"


def test_a_negative_quantity_is_taken_and_is_out_of_stock() -> None:
    there = shop()
    there.add("LATE", 1, backorders="notify")
    rows = update(
        there,
        {"id": there.id_of("PART-001"), "stock_quantity": -3},
        {"id": there.id_of("LATE"), "stock_quantity": 0},
    )
    assert [(row["stock_quantity"], row["stock_status"]) for row in rows] == [
        (-3, "outofstock"),
        (0, "onbackorder"),
    ]


def test_an_unknown_product_is_400_and_an_unknown_variation_404() -> None:
    there = shop()
    product = ask(there, "PUT", "/products/999", {"stock_quantity": 1})
    variation = ask(there, "PUT", f"/products/{there.id_of('TEE')}/variations/999", {"stock_quantity": 1})
    assert (product.status, product.json()["code"]) == (400, "woocommerce_rest_product_invalid_id")
    assert variation.status == 404
    assert variation.json()["code"] == "woocommerce_rest_product_variation_invalid_id"
    as_product = ask(there, "PUT", f"/products/{there.id_of('TEE-S')}", {"stock_quantity": 1})
    assert as_product.json()["code"] == "woocommerce_rest_invalid_product_id"


def test_fields_on_a_batch_empty_the_reply() -> None:
    there = shop()
    body = {"update": [{"id": there.id_of("PART-001"), "stock_quantity": 3}]}
    answer = ask(there, "POST", "/products/batch", body, query=(("_fields", "id"),))
    assert answer.json() == {"update": []}
    assert there.quantity("PART-001") == 3


def test_an_order_lowers_the_quantity_at_once_and_a_cancelled_one_gives_it_back() -> None:
    there = shop()
    there.order("TEE-S", 3)
    there.order("CAP-RED", 1)
    assert (there.quantity("TEE-S"), there.quantity("CAP")) == (7, 19)
    there.cancel("TEE-S", 3)
    there.order("PART-001", 9)
    assert (there.quantity("TEE-S"), there.quantity("PART-001")) == (10, -2)


def test_the_storefront_shows_what_may_be_bought() -> None:
    there = shop()
    there.add("FEW", 2)
    there.add("FLYER", tracked=False)
    url = "https://shop.example/wp-json/wc/store/v1/products"
    rows = there.handle(Request(method="GET", url=url, query=(("sku", "PART-001,FEW,FLYER"),))).json()
    assert {
        row["sku"]: (row["is_in_stock"], row["low_stock_remaining"], row["add_to_cart"]["maximum"])
        for row in rows
    } == {"PART-001": (True, None, 7), "FEW": (True, 2, 2), "FLYER": (True, None, 9999)}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders"),
        ("POST", "/products"),
        ("GET", "/products/batch"),
        ("GET", "https://shop.example/wp-json/wc/v2/products"),
    ],
)
def test_an_unknown_route_is_404_in_words_of_wordpress(method: str, path: str) -> None:
    answer = ask(shop(), method, path)
    assert (answer.status, answer.json()["code"]) == (404, "rest_no_route")


def test_a_body_that_is_no_json_is_refused() -> None:
    there = shop()
    headers = {"authorization": basic(there.key, there.secret)}
    answer = there.handle(
        Request(method="POST", url=f"{ROOT}/products/batch", headers=headers, raw=b"{update")
    )
    assert (answer.status, answer.json()["code"]) == (400, "rest_invalid_json")


def get(there: WooCommerceShop, url: str = ROOT, **more: Any) -> tuple[int, str, str]:
    request = Request(method="GET", url=f"{url}/products", **more)
    answer = there.handle(request)
    body = answer.json()
    return (answer.status, *((body["code"], body["message"]) if isinstance(body, dict) else ("", "")))


def test_keys_are_taken_over_tls_only_in_a_header_or_in_the_address() -> None:
    there = shop()
    headers = {"authorization": basic(there.key, there.secret)}
    query = (("consumer_key", there.key), ("consumer_secret", there.secret))
    plain = ROOT.replace("https", "http")
    nobody = (401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    assert get(there, headers=headers)[0] == get(there, query=query)[0] == 200
    assert get(there, plain, headers=headers) == get(there, plain, query=query) == nobody
    there.door.behind_tls = True
    assert get(there, plain, headers=headers)[0] == 200


def test_wrong_keys_are_told_apart_as_the_shop_does() -> None:
    there = shop()
    nobody = (401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    error = "woocommerce_rest_authentication_error"
    assert get(there) == nobody
    assert get(there, headers={"authorization": "Bearer x"}) == nobody
    assert get(there, headers={"authorization": basic("ck_other", there.secret)}) == nobody
    wrong = get(there, headers={"authorization": basic(there.key, "cs_other")})
    assert wrong == (401, error, "Consumer secret is invalid.")
    there.door.may_manage = False
    assert get(there, headers={"authorization": basic(there.key, there.secret)})[0] == 403
    unknown = Request(method="POST", url=f"{ROOT}/products/batch", body={})
    assert there.handle(unknown).json()["code"] == "woocommerce_rest_cannot_batch"
    unknown = Request(method="PUT", url=f"{ROOT}/products/10", body={})
    assert there.handle(unknown).json()["code"] == "woocommerce_rest_cannot_edit"


def test_a_read_only_key_may_read() -> None:
    there = shop()
    there.door.rights = "read"
    assert ask(there, "GET", "/products").status == 200
    answer = ask(there, "POST", "/products/batch", {"update": []})
    assert (answer.status, answer.json()["message"]) == (
        401,
        "The API key provided does not have write permissions.",
    )


def signed(there: WooCommerceShop, **key: str) -> Request:
    signer = OAuth1(
        consumer_key=key.get("key", there.key), consumer_secret=key.get("secret", there.secret), place="query"
    )
    request = Request(
        method="GET", url="http://shop.example/wp-json/wc/v3/products", query=(("sku", "Ä~ b,C+d"),)
    )
    return signer.sign(request)


def said(there: WooCommerceShop, request: Request) -> tuple[int, str]:
    answer = there.handle(request)
    body = answer.json()
    return answer.status, body["message"] if isinstance(body, dict) else ""


def test_a_signature_is_good_once() -> None:
    there = shop()
    request = signed(there)
    assert said(there, request) == (200, "")
    assert said(there, request) == (401, "Invalid nonce - nonce has already been used.")
    assert said(there, signed(there)) == (200, "")


def test_wrong_signatures_are_refused_in_the_shops_words() -> None:
    there = shop()
    assert said(there, signed(there, key="ck_other")) == (401, "Consumer key is invalid.")
    mismatch = (401, "Invalid signature - provided signature does not match.")
    assert said(there, signed(there, secret="cs_other")) == mismatch
    there.door.home_url = "http://elsewhere.example"
    assert said(there, signed(there)) == mismatch
    plain = [
        (name, "PLAINTEXT" if name == "oauth_signature_method" else value)
        for name, value in signed(there).query
    ]
    request = Request(method="GET", url=signed(there).url, query=tuple(plain))
    assert said(there, request) == (401, "Invalid signature - signature method is invalid.")
    request = Request(method="GET", url=signed(there).url, query=(("oauth_nonce", "1"),))
    assert "Missing OAuth parameters oauth_consumer_key" in said(there, request)[1]


def test_a_clock_may_be_15_minutes_off() -> None:
    there = shop()
    now = int(dict(signed(there).query)["oauth_timestamp"])
    for off in (-890, 890):
        there.door.clock = lambda off=off: now + off  # type: ignore[misc]  # the loop's own value
        assert said(there, signed(there)) == (200, "")
    for off in (-930, 930):
        there.door.clock = lambda off=off: now + off  # type: ignore[misc]  # likewise
        assert said(there, signed(there)) == (401, "Invalid timestamp.")


def test_without_pretty_permalinks_there_is_only_a_page() -> None:
    there = shop()
    there.pretty_permalinks = False
    answer = ask(there, "GET", "/products")
    assert answer.status == 404
    assert answer.content.startswith(b"<!DOCTYPE html>")


def test_a_shop_in_a_folder_answers_there() -> None:
    there = WooCommerceShop(home_url="https://example.com/shop")
    headers = {"authorization": basic(there.key, there.secret)}
    assert get(there, "https://example.com/shop/wp-json/wc/v3", headers=headers)[0] == 200
