"""Vendure's answers are read strictly; conversations by hand."""

from __future__ import annotations

from typing import Any

import pytest
from vendure_shop import MAIN, URL, answer, edited, fault, shop_of, sink

from omsync.errors import DecodeError
from omsync.sinks import _vendure as api
from omsync.sinks._http import Wire
from omsync.sinks._vendure_answers import judge
from omsync.sinks.vendure import Vendure


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("stockOnHand", "5", r"stockLevels\[0\].stockOnHand must be a whole number, not '5' \(str\)"),
        ("stockOnHand", 5.0, "stockOnHand must be a whole number"),
        ("stockOnHand", None, "stockOnHand must be a whole number"),
        ("stockAllocated", True, "stockAllocated must be a whole number"),
        ("stockLocationId", 1, "stockLocationId must be text"),
    ],
)
def test_a_stock_level_of_another_shape_is_refused_by_name(name: str, value: object, says: str) -> None:
    shop = shop_of("TEE")

    def spoil(data: dict[str, Any]) -> None:
        data["productVariants"]["items"][0]["stockLevels"][0][name] = value

    with pytest.raises(DecodeError, match=says):
        sink(shop, location=MAIN, handler=edited(shop, "omsyncFind", spoil)).read(["TEE"])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("id", 10, r"answer.data.productVariants.items\[0\].id must be text, not 10 \(int\)"),
        ("sku", None, "sku must be text"),
        ("enabled", "true", "enabled must be true or false"),
        ("trackInventory", "MAYBE", "trackInventory must be TRUE or FALSE or INHERIT"),
        ("trackInventory", ["TRUE"], "trackInventory must be TRUE or FALSE or INHERIT"),
        ("stockLevels", {}, "stockLevels must be a list"),
    ],
)
def test_a_variant_of_another_shape_is_refused_by_name(name: str, value: object, says: str) -> None:
    shop = shop_of("TEE")

    def spoil(data: dict[str, Any]) -> None:
        data["productVariants"]["items"][0][name] = value

    with pytest.raises(DecodeError, match=says):
        sink(shop, location=MAIN, handler=edited(shop, "omsyncFind", spoil)).read(["TEE"])


@pytest.mark.parametrize("body", [{"data": None}, {"data": []}, {}, [], {"data": {"activeChannel": {}}}])
def test_an_answer_without_its_parts_is_refused(body: object) -> None:
    with pytest.raises(DecodeError):
        Vendure(URL, api_key="k", handler=lambda _: answer(body)).read([])


@pytest.mark.parametrize("query", ["omsyncLookAround", "omsyncNames"])
def test_a_shop_that_counts_more_than_it_gives_does_not_keep_us_asking(query: str) -> None:
    shop = shop_of("TEE")

    def miscount(data: dict[str, Any]) -> None:
        page = data.get("stockLocations") or data["productVariants"]
        page["totalItems"] += 1
        if query == "omsyncNames":
            page["items"] = []

    shown = sink(shop, location=MAIN, handler=edited(shop, query, miscount)).read(["TEE"])
    assert {one.listing_sku for one in shown} == {"TEE"}
    assert len(shop.requests) < 6


def test_optional_fields_may_be_missing_or_null_but_not_asked_of_a_list() -> None:
    wire = Wire(value={"a": None, "b": 1}, path="answer", place="POST shop")
    found = wire.get("b")
    assert (wire.get("a"), wire.get("c"), found and found.whole()) == (None, None, 1)
    with pytest.raises(DecodeError, match="answer must be an object"):
        Wire(value=[], path="answer", place="POST shop").get("a")


def test_a_write_is_one_request_and_its_answer() -> None:
    talking = api.write(api.Access(url="u"), [api.Entry(variant_id="10", on_hand={MAIN: 3})])
    request = next(talking)
    assert request.repeatable
    assert request.body["variables"]["input"][0]["id"] == "10"
    level = {"stockLocationId": MAIN, "stockOnHand": 3, "stockAllocated": 1}
    with pytest.raises(StopIteration) as finished:
        talking.send(answer({"data": {"updateProductVariants": [{"id": "10", "stockLevels": [level]}]}}))
    assert finished.value.value.levels == {("10", MAIN): api.Level(on_hand=3, allocated=1)}


def test_the_judge_hands_ordinary_answers_to_the_conversation() -> None:
    request = api.Access(url="u").ask(api.NAMES, skip=0)
    assert judge(request, answer({"data": {}})) is None
    assert judge(request, fault("no", "FORBIDDEN")) is None
