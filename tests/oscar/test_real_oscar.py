"""The sink of ``examples/django_oscar_sink.py`` against a running django-oscar."""

from __future__ import annotations

import asyncio
import json
import runpy
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from omsync import (
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    QuantityChange,
    Sku,
    StockLevel,
    SyncReport,
    Warehouse,
    aio,
    sync_cart,
)
from omsync.errors import RefusedError, SettingsError, UnauthorizedError
from omsync.http.client import Http
from omsync.sinks.writing import Line, Request, Response, RetryPolicy, basic
from omsync.testing import SINK_CHECKS, SinkBench, SinkReport, check_sink, losing_answers

pytestmark = pytest.mark.oscar

DjangoOscar = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "django_oscar_sink.py"))[
    "DjangoOscar"
]
MERCHANT = MerchantSettings(mode=PerWarehouse())
Facts = dict[str, Any]


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def sink(oscar: Facts, user: str = "stock", **options: Any) -> Any:
    options = {"password": oscar["password"], "partner": "west", **options}
    return DjangoOscar(options.pop("url", oscar["url"]), username=user, **options)


def impatient(**options: Any) -> Line:
    return Line(account="oscar", retry=RetryPolicy(attempts=1), **options)


def stock(oscar: Facts, partner: str = "west") -> dict[str, tuple[int | None, int | None]]:
    """Look into the shop's database: units in stock and allocated, by the partner's SKU."""
    query = """SELECT partner_sku, num_in_stock, num_allocated FROM partner_stockrecord AS stock
               JOIN partner_partner AS partner ON partner.id = stock.partner_id WHERE partner.code = ?"""
    with closing(sqlite3.connect(oscar["database"], timeout=20)) as database:
        return {sku: (units, held) for sku, units, held in database.execute(query, (partner,))}


def ask(oscar: Facts, http: Http, method: str, path: str, body: Any = ..., user: str = "stock") -> Any:
    headers = {"authorization": basic(user, oscar["password"])}
    url = path if path.startswith("http") else f"{oscar['url']}/{path}"
    return http.send(Request(method=method, url=url, headers=headers, body=body))


def change(sku: str, quantity: int) -> QuantityChange:
    return QuantityChange(listing_sku=sku, quantity=quantity, available=quantity)


def snapshot(available: Mapping[str, int]) -> InventorySnapshot:
    return InventorySnapshot(
        taken_at=datetime.now(UTC),
        skus=[Sku(master_sku=sku) for sku in available],
        warehouses=[Warehouse(id="1", name="Reno DC")],
        levels=[
            StockLevel(master_sku=sku, location_id="1", available=units) for sku, units in available.items()
        ],
    )


def sync(oscar: Facts, available: Mapping[str, int]) -> SyncReport:
    return sync_cart(snapshot(available), sink(oscar), CartSettings(name="oscar"), merchant=MERCHANT)


# --- the conformance kit ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(oscar: Facts) -> Iterator[SinkReport]:
    """Hold the sink to every check, once."""
    client = Http()
    losing = losing_answers(client.send, of=lambda request: request.method == "PATCH")
    yield check_sink(
        SinkBench(
            sink=sink(oscar),
            shown=lambda: {(sku, None): units or 0 for sku, (units, _) in stock(oscar).items()},
            listings=["PART-001", "PART-002", "TEE-S"],
            untracked="GIFT-CODE",
            unauthorized=sink(oscar, password="not-this-one", line=impatient()),
            unreachable=sink(oscar, url="http://127.0.0.1:1/api", line=impatient()),
            losing=sink(oscar, line=impatient(handler=losing)),
            secrets=[oscar["password"], "not-this-one", basic("stock", oscar["password"])],
        )
    )
    client.close()


NOT_IN_OSCAR = {
    "names_of_one_place_agree",
    "states_a_duplicate",
    "states_what_is_unmanaged",
    "keeps_locations_apart",
    "an_unknown_location_is_refused",
    "a_late_write_is_a_conflict",
    "a_sale_is_not_taken_for_the_write",
    "creates_what_it_says",
    "strange_skus_are_taken_literally",
    "a_renamed_listing_keeps_its_number",
    "a_listing_renamed_during_a_run_keeps_its_number",
    "one_place_takes_one_number",
}


@pytest.mark.parametrize("check", SINK_CHECKS)
def test_the_sink_conforms(report: SinkReport, check: str) -> None:
    (result,) = (one for one in report.results if one.name == check)
    # A push takes more rows than there are products here; the fake shop has as many.
    open_here = NOT_IN_OSCAR | {"takes_a_full_batch"}
    assert result.outcome == ("not_applicable" if check in open_here else "passed"), result


# --- syncing ------------------------------------------------------------------------------------------


def test_a_sync_brings_the_shop_to_what_the_warehouses_have(oscar: Facts) -> None:
    wanted = {
        "PART-010": 0,
        "PART-011": 25,
        "TEE-M": 7,
        "MUG": 40,
        "mug": 4,
        "PART-012": stock(oscar)["PART-012"][0],
    }
    report = sync(
        oscar, {sku: units or 0 for sku, units in wanted.items()} | {"GIFT-CODE": 5, "ELSEWHERE": 1}
    )
    assert {one.listing_sku: (one.outcome, one.reason) for one in report.outcomes} == {
        **dict.fromkeys(wanted, ("applied", "")),
        "PART-012": ("unchanged", ""),
        "GIFT-CODE": ("skipped", "untracked_in_cart"),
        "ELSEWHERE": ("skipped", "not_in_cart"),
    }
    assert {sku: stock(oscar)[sku][0] for sku in wanted} == wanted
    assert "PART-013" in report.cart_only
    assert "applied" not in sync(oscar, {sku: units or 0 for sku, units in wanted.items()}).counts


def test_the_awaiting_sync_does_the_same(oscar: Facts) -> None:
    report = asyncio.run(
        aio.sync_cart(snapshot({"PART-014": 14}), sink(oscar), CartSettings(name="oscar"), merchant=MERCHANT)
    )
    assert report.counts == {"applied": 1}
    assert stock(oscar)["PART-014"][0] == 14


def test_units_of_an_open_order_are_added_back_so_that_they_are_not_sold_twice(
    oscar: Facts, http: Http
) -> None:
    buy(oscar, http, "PART-020", 3)
    assert stock(oscar)["PART-020"] == (10, 3)
    (shown,) = (one for one in sink(oscar).read(["PART-020"]) if one.listing_sku == "PART-020")
    assert (shown.quantity, shown.allocated) == (10, 3)
    assert sync(oscar, {"PART-020": 7}).counts == {"unchanged": 1}
    assert sync(oscar, {"PART-020": 20}).counts == {"applied": 1}
    assert stock(oscar)["PART-020"] == (23, 3)
    page = ask(oscar, http, "GET", f"products/{oscar['product_ids']['PART-020']}/availability/")
    assert page.json()["num_available"] == 20


def buy(oscar: Facts, http: Http, sku: str, units: int) -> None:
    """Put a product into the customer's basket and order it, as a shopper's browser would."""
    product = f"{oscar['url']}/products/{oscar['product_ids'][sku]}/"
    basket = ask(
        oscar, http, "POST", "basket/add-product/", {"url": product, "quantity": units}, user="customer"
    )
    address = {"country": f"{oscar['url']}/countries/US/", "first_name": "Ada", "last_name": "Shopper"}
    address |= {"line1": "1 Main Street", "line4": "Reno", "state": "NV", "postcode": "89501"}
    order = {"basket": basket.json()["url"], "shipping_address": address}
    answer = ask(oscar, http, "POST", "checkout/", order, user="customer")
    assert answer.status == 200, answer.content


def test_a_stock_record_without_a_figure_shows_0_and_can_be_told(oscar: Facts) -> None:
    assert stock(oscar)["NEVER-COUNTED"] == (None, None)
    assert sync(oscar, {"NEVER-COUNTED": 0}).counts == {"unchanged": 1}
    assert sync(oscar, {"NEVER-COUNTED": 6}).counts == {"applied": 1}
    assert stock(oscar)["NEVER-COUNTED"] == (6, None)


def test_a_sink_is_one_partner_and_leaves_the_other_partners_stock_alone(oscar: Facts) -> None:
    before = stock(oscar)
    (result,) = sink(oscar, partner="east").push([change("PART-003", 55)])
    assert (result.status, result.echo) == ("accepted", 55)
    assert stock(oscar, "east")["PART-003"][0] == 55
    assert stock(oscar) == before
    assert {one.listing_sku for one in sink(oscar, partner="east").read([])} == {
        "PART-001",
        "PART-002",
        "PART-003",
    }


def test_variants_have_their_class_from_their_parent(oscar: Facts) -> None:
    states = {one.listing_sku: one.state for one in sink(oscar).read([])}
    assert [states[sku] for sku in ("TEE-S", "BOOK-EPUB", "GIFT-CODE")] == [
        "listed",
        "untracked",
        "untracked",
    ]
    assert "TEE" not in states  # the parent cannot be bought, and has no stock record


# --- what the server itself says ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "says"),
    [(-1, "greater than or equal to 0"), (1.5, "A valid integer is required"), ("many", "A valid integer")],
)
def test_the_shop_itself_refuses_negatives_fractions_and_words(
    oscar: Facts, http: Http, quantity: object, says: str
) -> None:
    before = stock(oscar)
    answer = ask(oscar, http, "PATCH", record(oscar, http, "PART-006"), {"num_in_stock": quantity})
    assert answer.status == 400
    assert says in answer.json()["num_in_stock"][0]
    assert stock(oscar) == before


def record(oscar: Facts, http: Http, sku: str) -> str:
    """Give the address of the west partner's stock record."""
    product = ask(oscar, http, "GET", f"admin/products/{oscar['product_ids'][sku]}/").json()
    (found,) = product["stockrecords"]
    return str(found["url"])


def test_a_row_that_the_shop_refuses_costs_only_itself(oscar: Facts, http: Http) -> None:
    def spoiling(request: Request) -> Response:
        if request.body == {"num_in_stock": 8}:
            request = Request(
                method=request.method, url=request.url, headers=request.headers, body={"num_in_stock": -8}
            )
        return http.send(request)

    rows = [change(f"PART-00{number}", number) for number in (7, 8, 9)]
    results = sink(oscar, line=Line(account="oscar", handler=spoiling)).push(rows)
    assert [one.status for one in results] == ["accepted", "rejected", "accepted"]
    assert "greater than or equal to 0" in results[1].message
    assert [stock(oscar)[row.listing_sku][0] for row in rows] == [7, 10, 9]


def test_a_stock_record_that_was_deleted_meanwhile_costs_only_its_row(oscar: Facts, http: Http) -> None:
    def meddling(request: Request) -> Response:
        if request.body == {"num_in_stock": 21}:
            with closing(sqlite3.connect(oscar["database"], timeout=20)) as database, database:
                database.execute("DELETE FROM partner_stockrecord WHERE partner_sku = 'PART-017'")
        return http.send(request)

    results = sink(oscar, line=Line(account="oscar", handler=meddling)).push(
        [change("PART-017", 21), change("PART-018", 22)]
    )
    assert [(one.status, one.echo) for one in results] == [("rejected", None), ("accepted", 22)]
    assert "No StockRecord matches" in results[0].message


# --- getting in ---------------------------------------------------------------------------------------


def test_a_wrong_password_is_unauthorized_and_not_shown(oscar: Facts) -> None:
    with pytest.raises(UnauthorizedError, match="Invalid username/password") as caught:
        sink(oscar, password="not-this-one").read([])
    assert "not-this-one" not in str(caught.value)


def test_a_customer_is_no_staff_and_is_not_let_in(oscar: Facts) -> None:
    with pytest.raises(UnauthorizedError, match="HTTP 403"):
        sink(oscar, user="customer").read([])


def test_a_user_who_may_only_view_reads_and_is_refused_at_the_push(oscar: Facts) -> None:
    reader, before = sink(oscar, user="reader"), stock(oscar)
    assert len(reader.read([])) == len(before)
    with pytest.raises(UnauthorizedError, match="permission"):
        reader.push([change("PART-015", 1), change("PART-016", 1)])
    assert stock(oscar) == before


def test_an_unknown_partner_is_named_with_those_that_there_are(oscar: Facts) -> None:
    with pytest.raises(SettingsError, match=r"no partner 'north'; it has .*west"):
        sink(oscar, partner="north").read([])


def test_a_shop_that_keeps_its_admin_api_shut_as_oscar_does_by_default_is_one_clear_error(
    oscar: Facts,
) -> None:
    with pytest.raises(RefusedError, match="HTTP 404"):
        sink(oscar, url=oscar["blocked_url"]).read([])


def test_json_of_the_whole_list_has_no_pages(oscar: Facts, http: Http) -> None:
    listed = json.loads(ask(oscar, http, "GET", "admin/products/").content)
    assert isinstance(listed, list)
    assert len(listed) == 20 + 4 + 3 + 1 + 1 + 2
