"""The Tryton source without a network: conversations by hand, and a small Tryton inside the process."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from two_runners import RUNNERS, Script

from omsync.errors import (
    DecodeError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    ThrottledError,
    TransientError,
    UnauthorizedError,
    WrongTypeError,
)
from omsync.http.messages import Request, Response
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.model import Alias, Bundle, Component, InventorySnapshot, StockLevel, Warehouse
from omsync.ports import OrderManagerSource, ReadRequest
from omsync.settings import MerchantSettings, PerSalesChannel, PerWarehouse
from omsync.sources import _tryton as api
from omsync.sources.tryton import Tryton

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT_ONCE = RetryPolicy(attempts=2, first_wait=0.0, max_wait=0.0)
FAST = Pace(per_second=1e6, burst=1000)
KEY = "0123456789abcdef-of-rest"
MAIN, EAST = 5, 12
UNIT = {"id": 1, "digits": 0, "factor": 1.0}
KILOGRAM = {"id": 2, "digits": 2, "factor": 1.0}
DOZEN = {"id": 3, "digits": 0, "factor": 12.0}
Row = dict[str, Any]


def product(number: int, code: str | None, **more: Any) -> Row:
    return {
        "id": number,
        "code": code,
        "name": f"Product {number}",
        "active": True,
        "type": "goods",
        "template": 100 + number,
        "template.": {"id": 100 + number, "active": True},
        "default_uom.": UNIT,
        **more,
    }


def part(number: int, kit: int, made_of: int, quantity: Any, **more: Any) -> Row:
    return {
        "id": number,
        "parent_template": 100 + kit,
        "parent_product": None,
        "product": made_of,
        "quantity": quantity,
        "unit.": UNIT,
        **more,
    }


def move(number: int, made_of: int, quantity: Any, warehouse: int = MAIN) -> Row:
    return {"id": number, "product": made_of, "internal_quantity": quantity, "leaves": warehouse}


class FakeTryton:
    """Answers as Tryton does, by either door, from lists of records; ``before`` may answer first."""

    def __init__(self, *products: Row, quantities: Mapping[tuple[int, int], Any] | None = None) -> None:
        self.warehouses: list[Row] = [
            {"id": MAIN, "name": "Main", "active": True},
            {"id": EAST, "name": "East", "active": 1},
        ]
        self.products = list(products)
        self.quantities = dict(quantities or {})
        self.parts: list[Row] = []
        self.moves: list[Row] = []
        self.company: Any = 1
        self.session = 0
        self.cap = 1000
        self.loses_context = False
        self.asked: list[tuple[str, list[Any], Mapping[str, Any]]] = []
        self.before: Callable[[str, list[Any]], Response | None] = lambda _method, _arguments: None

    def __call__(self, request: Request) -> Response:
        method, arguments, context = self.read(request)
        self.asked.append((method, arguments, context))
        early = self.before(method, arguments)
        if early is not None:
            return early
        if method == "common.db.login":
            return self.log_in(request)
        by_key = "/rest/" in request.url
        wanted = f"Bearer {KEY}" if by_key else f"Session {self.token}"
        if request.headers.get("authorization") != wanted:
            return Response(status=401, place=request.place)
        if method == "common.db.logout":
            self.session += 1
            return answer(None)
        result = self.result(method, arguments, context)
        return answer(result, bare=by_key)

    @property
    def token(self) -> str:
        return base64.b64encode(f"sync:1:session-{self.session}".encode()).decode()

    def read(self, request: Request) -> tuple[str, list[Any], Mapping[str, Any]]:
        """Tell what is asked, whichever the door."""
        if "/rest/model/" not in request.url:
            assert request.url == "https://erp.example/om/rpc/"
            method, arguments = request.body["method"], request.body["params"]
            if method.startswith("common."):
                return method, arguments, {}
            return method.removeprefix("model."), arguments[:-1], arguments[-1]
        method = request.url.removeprefix("https://erp.example/om/rest/model/").replace("/", ".")
        context = json.loads(base64.urlsafe_b64decode(request.headers["x-tryton-context"]))
        return method, list(request.body.values()), {} if self.loses_context else context

    def log_in(self, request: Request) -> Response:
        user, parameters, language = request.body["params"]
        assert (user, language) == ("sync", "en")
        assert "authorization" not in request.headers
        if parameters != {"password": "right"}:
            return Response(status=401, content=b"<!doctype html>", place=request.place)
        return answer([1, f"session-{self.session}", None])

    def result(self, method: str, arguments: list[Any], context: Mapping[str, Any]) -> Any:
        if method == "res.user.get_preferences":
            return {"company": self.company, "language": "en"}
        assert context == {} or context["company"] == self.company
        if method == "stock.move.default_get":
            return {"company": context.get("company"), "company.": {"rec_name": "Acme"}}
        model, verb = method.rsplit(".", 1)
        rows = self.records(model, arguments[0], context)
        if verb == "search_count":
            return len(rows)
        _, offset, limit, order, names = arguments
        assert (offset, order) == (0, [["id", "ASC"]])
        wanted = {"id", *names, *(f"{name.split('.')[0]}." for name in names if "." in name)}
        return [{name: row[name] for name in row if name in wanted} for row in rows[: min(limit, self.cap)]]

    def records(self, model: str, domain: list[Any], context: Mapping[str, Any]) -> list[Row]:
        after = next((value for name, _, value in map(tuple3, domain) if name == "id"), -1)
        rows = {
            "stock.location": self.warehouses,
            "product.product": self.products,
            "product.component": self.parts,
            "stock.move": self.moves,
        }[model]
        if model == "stock.move":
            (leaves,) = next(value for name, _, value in map(tuple3, domain) if name == "from_location")
            rows = [row for row in rows if row["leaves"] == leaves]
        if any(name == "type" and isinstance(value, list) for name, _, value in map(tuple3, domain)):
            (place,) = context["locations"]
            rows = [
                {**row, "quantity": self.quantities.get((row["id"], place), 0.0)}
                for row in rows
                if row["type"] in {"goods", "assets"}
            ]
        return [row for row in rows if row["id"] > after]

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]


def tuple3(clause: list[Any]) -> tuple[str, str, Any]:
    return clause[0], clause[1], clause[2]


def answer(result: Any, *, bare: bool = False) -> Response:
    body = result if bare else {"id": 1, "result": result}
    return Response(status=200, content=json.dumps(body).encode(), place="POST tryton")


def refused(*error: Any) -> Response:
    return Response(
        status=200, content=json.dumps({"id": 1, "error": list(error)}).encode(), place="POST tryton"
    )


def html(status: int = 200) -> Response:
    return Response(status=status, content=b"<!doctype html><p>maintenance", place="POST tryton")


def by_login(fake: Callable[[Request], Response], **options: Any) -> Tryton:
    known = {"user": "sync", "password": "right", "retry": AT_ONCE, "pace": FAST, "handler": fake}
    return Tryton("https://erp.example/", "om", **{**known, **options})


def by_key(fake: Callable[[Request], Response], **options: Any) -> Tryton:
    known = {"key": KEY, "retry": AT_ONCE, "pace": FAST, "handler": fake}
    return Tryton("https://erp.example/", "om", **{**known, **options})


def request(**more: Any) -> ReadRequest:
    return ReadRequest(**{"merchant": MerchantSettings(mode=PerWarehouse()), "now": NOW, **more})


def read(fake: Callable[[Request], Response], **options: Any) -> InventorySnapshot:
    return by_login(fake, **options).read(request())


def levels(snapshot: InventorySnapshot) -> dict[tuple[str, str], tuple[int | None, int]]:
    return {(one.master_sku, one.location_id): (one.on_hand, one.committed) for one in snapshot.levels}


def small(**more: Any) -> FakeTryton:
    """Give a Tryton with a mug (8 of 11 free in the main warehouse) and a spoon in the east."""
    fake = FakeTryton(product(1, "MUG"), product(2, "SPOON"), quantities={(1, MAIN): 11.0, (2, EAST): 40.0})
    fake.moves = [move(1, 1, 2.0), move(2, 1, 1.0)]
    for name, value in more.items():
        setattr(fake, name, value)
    return fake


@pytest.mark.parametrize("run", RUNNERS.values(), ids=RUNNERS)
@pytest.mark.parametrize("make", [by_login, by_key])
def test_on_hand_and_committed_come_from_each_warehouse(
    make: Callable[[FakeTryton], Tryton], run: Callable[[Any], InventorySnapshot]
) -> None:
    source = make(small())
    assert isinstance(source, OrderManagerSource)
    snapshot = run(source.read_steps(request()))

    assert levels(snapshot) == {
        ("MUG", "12"): (0, 0),
        ("MUG", "5"): (11, 3),
        ("SPOON", "12"): (40, 0),
        ("SPOON", "5"): (0, 0),
    }
    assert snapshot.taken_at == NOW
    assert (snapshot.scope, snapshot.bundles_include_buildable) == ("warehouse", "no")
    assert snapshot.warehouses == (
        Warehouse(id="5", name="Main", kind="warehouse"),
        Warehouse(id="12", name="East", kind="warehouse"),
    )
    assert [(sku.master_sku, sku.name, sku.source_id) for sku in snapshot.skus] == [
        ("MUG", "Product 1", "1"),
        ("SPOON", "Product 2", "2"),
    ]


def test_the_domain_asks_for_open_moves_of_the_company_that_leave_the_warehouse() -> None:
    fake = small()
    read(fake)
    domains = [arguments[0] for method, arguments, _ in fake.asked if method == "stock.move.search_count"]
    assert domains[0] == [
        ["state", "in", ["draft", "assigned"]],
        ["company", "=", 1],
        ["from_location", "child_of", [5], "parent"],
        ["to_location", "not child_of", [5], "parent"],
    ]


def test_moves_are_read_before_quantities_so_that_nothing_is_offered_twice() -> None:
    fake = small()

    def ship(method: str, arguments: list[Any]) -> None:
        quantities = (
            method == "product.product.search_count" and ["type", "in", ["goods", "assets"]] in arguments[0]
        )
        if quantities and fake.moves:
            fake.moves.clear()
            fake.quantities[1, MAIN] = 8.0

    fake.before = ship
    assert levels(read(fake))["MUG", "5"] == (8, 3)


def test_a_switched_off_warehouse_is_listed_and_not_read() -> None:
    fake = small()
    fake.warehouses.append({"id": 16, "name": "Closed", "active": False})
    snapshot = read(fake)
    assert [(place.name, place.active) for place in snapshot.warehouses][-1] == ("Closed", False)
    assert "16" not in snapshot.levels.location_ids
    assert [16] not in [context.get("locations") for _, _, context in fake.asked]


def test_without_an_active_warehouse_there_is_nothing_to_read() -> None:
    with pytest.raises(SettingsError, match="no active warehouse") as caught:
        read(small(warehouses=[{"id": 5, "name": "Main", "active": 0}]))
    assert caught.value.code == "no_warehouse"


def test_products_without_a_code_are_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeTryton(
        *(product(number, None) for number in range(1, 12)), product(20, ""), product(21, "MUG")
    )
    fake.moves = [move(1, 1, 2.0)]
    with caplog.at_level(logging.WARNING, "omsync"):
        snapshot = read(fake)
    assert [sku.master_sku for sku in snapshot.skus] == ["MUG"]
    assert [record.getMessage() for record in caplog.records] == [
        (
            "Tryton: 12 products left out, without a code, and nothing can be listed under it: "
            "id 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ..."
        )
    ]


def test_the_active_product_stands_for_a_code_that_was_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    gone = {"id": 101, "active": False}
    fake = FakeTryton(
        product(1, "MUG", active=0),
        product(2, "MUG"),
        product(3, "CUP", **{"template.": gone}),
        product(4, "CUP", active=False),
        product(5, "BOWL"),
        product(6, "BOWL", active=False),
        quantities={(1, MAIN): 5.0, (2, MAIN): 7.0},
    )
    with caplog.at_level(logging.WARNING, "omsync"):
        snapshot = read(fake)
    assert [(sku.master_sku, sku.source_id, sku.active) for sku in snapshot.skus] == [
        ("MUG", "2", True),
        ("CUP", "4", False),
        ("BOWL", "5", True),
    ]
    assert levels(snapshot)["MUG", "5"] == (7, 0)
    assert "another one has its code now: id 1, 3, 6" in caplog.text


def test_two_active_products_with_one_code_are_named() -> None:
    with pytest.raises(DecodeError) as caught:
        read(FakeTryton(product(1, "MUG"), product(2, "MUG")))
    assert caught.value.code == "duplicate_code"
    assert caught.value.problems == ("the code 'MUG' belongs to the active products with ids 1, 2",)


def test_services_have_no_stock_and_unknown_types_are_not_counted() -> None:
    fake = FakeTryton(
        product(1, "WORK", type="service"),
        product(2, "ODD", type="odd"),
        product(3, "VAN", type="assets", name=None),
    )
    snapshot = read(fake)
    assert {sku.master_sku: (sku.digital, sku.tracked, sku.name) for sku in snapshot.skus} == {
        "WORK": (True, True, "Product 1"),
        "ODD": (False, False, "Product 2"),
        "VAN": (False, True, ""),
    }
    assert snapshot.levels.master_skus == ("VAN",)


def test_what_was_a_service_or_was_not_there_when_products_were_read_waits_for_the_next_read() -> None:
    fake = FakeTryton(product(1, "MUG"), product(2, "WORK", type="service"))

    def change(method: str, _: list[Any]) -> None:
        if method == "stock.move.search_count" and len(fake.products) == 2:
            fake.products[1]["type"] = "goods"
            fake.products.append(product(3, "NEW"))
            fake.moves.append(move(1, 3, 1.0))

    fake.before = change
    assert read(fake).levels.master_skus == ("MUG",)
    assert read(fake).levels.master_skus == ("MUG", "NEW", "WORK")


@pytest.mark.parametrize(("written", "on_hand"), [(11.0, 11), (11, 11), (0.0, 0), (-0.0, 0), (-3.0, -3)])
def test_a_whole_float_is_trytons_way_to_write_a_whole_number(written: Any, on_hand: int) -> None:
    snapshot = read(FakeTryton(product(1, "MUG"), quantities={(1, MAIN): written}))
    assert levels(snapshot)["MUG", "5"] == (on_hand, 0)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (5.7, "quantity must be whole, since its unit has no digits, not 5.7 (float)"),
        (None, "quantity must be a number, not None (NoneType)"),
        ("11", "quantity must be a number, not '11' (str)"),
        (True, "quantity must be a number, not True (bool)"),
        (float("nan"), "quantity must be a number, not nan (float)"),
        (float("inf"), "quantity must be a number, not inf (float)"),
        (1e17, "quantity must be a number, not 1e+17 (float)"),
        ({"__class__": "Decimal", "decimal": "5"}, "quantity must be a number, not {'__class__': 'Decimal'"),
    ],
)
def test_anything_else_is_an_error_that_names_warehouse_product_and_value(written: Any, said: str) -> None:
    fake = small()
    fake.quantities[1, EAST] = written
    with pytest.raises(DecodeError) as caught:
        read(fake)
    assert caught.value.code == "bad_quantity"
    (problem,) = caught.value.problems
    assert problem.startswith(f"warehouse 'East' (id 12), product 'MUG' (id 1): {said}")


def test_all_bad_quantities_of_a_warehouse_are_named_together() -> None:
    fake = small()
    fake.quantities |= {(1, MAIN): 0.5, (2, MAIN): None}
    with pytest.raises(DecodeError) as caught:
        read(fake)
    assert len(caught.value.problems) == 2


def test_a_quantity_that_is_left_out_is_an_error() -> None:
    fake = small()

    def forget(method: str, arguments: list[Any]) -> Response | None:
        asked = method == "product.product.search_read" and arguments[4] == ["quantity"]
        return answer([{"id": 1}, {"id": 2}]) if asked else None

    fake.before = forget
    with pytest.raises(DecodeError, match=r"product.product\[0\].quantity is missing"):
        read(fake)


def test_where_the_unit_has_fractions_only_whole_units_are_offered() -> None:
    fake = FakeTryton(
        product(1, "FLOUR", **{"default_uom.": KILOGRAM}), quantities={(1, MAIN): 5.7, (1, EAST): -0.2}
    )
    fake.moves = [move(1, 1, 0.1), move(2, 1, 0.1), move(3, 1, 0.8)]
    assert levels(read(fake)) == {("FLOUR", "5"): (5, 1), ("FLOUR", "12"): (-1, 0)}
    fake.moves.append(move(4, 1, 0.01))
    assert levels(read(fake))["FLOUR", "5"] == (5, 2)


@pytest.mark.parametrize("written", [-1.0, 0.5, None, "2"])
def test_a_move_of_no_whole_quantity_is_an_error_that_names_it(written: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        read(small(moves=[move(77, 1, written, EAST)]))
    (problem,) = caught.value.problems
    assert problem.startswith(
        "stock move 77 out of warehouse 'East' (id 12), product 'MUG' (id 1): internal_quantity must be"
    )


@pytest.mark.parametrize("digits", ["0", None, 0.0])
def test_a_unit_of_unknown_digits_is_an_error(digits: Any) -> None:
    with pytest.raises(DecodeError, match=r"default_uom\.\.digits must be a whole number"):
        read(FakeTryton(product(1, "MUG", **{"default_uom.": {**UNIT, "digits": digits}})))


@pytest.mark.parametrize("factor", [0, -1.0, None, "1", True])
def test_a_unit_of_unknown_size_is_an_error(factor: Any) -> None:
    with pytest.raises(DecodeError, match=r"factor must be a number above 0"):
        read(FakeTryton(product(1, "MUG", **{"default_uom.": {**UNIT, "factor": factor}})))


@pytest.mark.parametrize("active", [2, "yes", None])
def test_a_flag_is_true_or_false_or_as_sqlite_has_it(active: Any) -> None:
    with pytest.raises(DecodeError, match=r"active must be true or false"):
        read(FakeTryton(product(1, "MUG", active=active)))


def kitchen(*parts: Row) -> FakeTryton:
    """Give a Tryton with a gift set that is made of the parts."""
    fake = FakeTryton(
        product(1, "MUG"),
        product(2, "FLOUR", **{"default_uom.": KILOGRAM}),
        product(3, None),
        product(4, "EGGS", **{"default_uom.": DOZEN}),
        product(9, "SET", type="kit"),
        quantities={(1, MAIN): 30.0},
    )
    fake.parts = list(parts)
    return fake


def test_a_kit_is_a_bundle_without_stock_of_its_own_wherever_there_is_stock() -> None:
    snapshot = read(kitchen(part(1, 9, 1, 2.0)))
    assert snapshot.bundles == (
        Bundle(master_sku="SET", components=[Component(master_sku="MUG", quantity=2)]),
    )
    assert snapshot.levels.of("SET") == tuple(
        StockLevel(master_sku="SET", location_id=place, on_hand=0) for place in ("12", "5")
    )
    assert {sku.master_sku: sku.kind for sku in snapshot.skus}["SET"] == "bundle"


@pytest.mark.parametrize(
    ("made_of", "quantity", "unit", "need"),
    [
        (1, 1.0, DOZEN, 12),
        (2, 0.25, KILOGRAM, 1),
        (2, 500.0, {"id": 4, "factor": 0.001}, 1),
        (2, 1500.0, {"id": 4, "factor": 0.001}, 2),
        (1, 1.0, {"id": 5, "factor": 0.083333333333}, 1),
        (1, 12.0, {"id": 5, "factor": 0.083333333333}, 1),
        (1, 60.0, {"id": 6, "factor": 0.016666666667}, 1),
        (4, 24.0, UNIT, 2),
        (1, 0.0, UNIT, 0),
        (1, -2.0, UNIT, -2),
    ],
)
def test_a_part_is_needed_in_units_of_the_part_rounded_up(
    made_of: int, quantity: float, unit: Row, need: int
) -> None:
    (bundle,) = read(kitchen(part(1, 9, made_of, quantity, **{"unit.": unit}))).bundles
    assert [component.quantity for component in bundle.components] == [need]


def test_parts_of_a_variant_go_before_those_of_its_product() -> None:
    own = part(2, 9, 1, 5.0, parent_product=9)
    (bundle,) = read(kitchen(part(1, 9, 1, 2.0), own)).bundles
    assert [component.quantity for component in bundle.components] == [5]


def test_a_part_without_a_code_is_named_so_that_the_kit_can_be_skipped() -> None:
    (bundle,) = read(kitchen(part(1, 9, 3, 1.0))).bundles
    assert [component.master_sku for component in bundle.components] == [
        "(product id 3, without a code of its own)"
    ]


def test_a_part_whose_quantity_is_no_number_is_an_error() -> None:
    with pytest.raises(DecodeError) as caught:
        read(kitchen(part(7, 9, 1, "2")))
    assert caught.value.problems == ("part 7 of a kit: quantity must be a number, not '2' (str)",)


def test_parts_are_asked_for_only_where_there_are_kits() -> None:
    fake = small()
    read(fake)
    assert not any("product.component" in method for method in fake.methods())


def test_kits_as_tryton_reports_them_are_refused() -> None:
    merchant = MerchantSettings(mode=PerWarehouse(), bundle_quantities="reported")
    with pytest.raises(SettingsError) as caught:
        by_login(kitchen()).read(request(merchant=merchant))
    assert caught.value.code == "kits_are_computed"
    assert by_login(small()).read(request(merchant=merchant)).bundles == ()


def test_sales_channel_mode_is_refused_before_anything_is_asked() -> None:
    fake = small()
    with pytest.raises(SettingsError, match="no quantities by sales channel") as caught:
        by_login(fake).read(request(merchant=MerchantSettings(mode=PerSalesChannel())))
    assert "PerWarehouse" in caught.value.remedy
    assert fake.asked == []


def test_aliases_are_those_that_were_given() -> None:
    listing = Alias(name="Web shop", listing_sku="mug-blue", master_sku="MUG")
    assert read(small(), aliases=[listing]).aliases == (listing,)


@pytest.mark.parametrize(("page_size", "cap"), [(1, 1000), (2, 1000), (3, 1000), (1000, 1), (1000, 2)])
def test_pages_of_any_size_and_servers_that_give_fewer_read_the_same(page_size: int, cap: int) -> None:
    assert read(small(cap=cap), page_size=page_size) == read(small())


def test_a_full_last_page_is_followed_by_an_empty_one_and_a_short_one_by_none() -> None:
    for page_size, pages in ((2, 2), (3, 1)):
        fake = small()
        read(fake, page_size=page_size)
        lasts = [
            arguments[0][-1][2]
            for method, arguments, _ in fake.asked
            if method == "stock.location.search_read"
        ]
        assert lasts == [-1, 12][:pages]


def test_a_product_made_while_the_list_is_read_moves_no_other() -> None:
    fake = small()

    def make_one(method: str, _: list[Any]) -> None:
        if method == "product.product.search_read" and len(fake.products) == 2:
            fake.products.insert(0, product(0, "NEW"))

    fake.before = make_one
    assert [sku.master_sku for sku in read(fake, page_size=1).skus] == ["NEW", "MUG", "SPOON"]


def test_a_list_that_comes_out_too_short_is_read_again() -> None:
    fake = small()
    counts = iter([3, 3])

    def miscount(method: str, arguments: list[Any]) -> Response | None:
        catalogue = method == "product.product.search_count" and len(arguments[0]) == 1
        number = next(counts, None) if catalogue else None
        return None if number is None else answer(number)

    fake.before = miscount
    assert read(fake) == read(small())
    assert [
        arguments[0] for method, arguments, _ in fake.asked if method == "stock.location.search_count"
    ] == [[["type", "=", "warehouse"], ["active", "in", [True, False]]]] * 2


def test_a_list_that_never_comes_out_whole_is_named_and_nothing_is_made_of_it() -> None:
    fake = small()
    fake.before = lambda method, _: answer(9) if method == "stock.move.search_count" else None
    with pytest.raises(TransientError, match="the list of open moves out of warehouse 5") as caught:
        read(fake)
    assert caught.value.code == "changed_while_reading"


@pytest.mark.parametrize("ids", [[1, 1], [2, 1]])
def test_a_server_that_ignores_the_order_is_noticed(ids: list[int]) -> None:
    fake = small()
    rows = [{"id": number, "name": "Main", "active": True} for number in ids]
    fake.before = lambda method, _: answer(rows) if method == "stock.location.search_read" else None
    with pytest.raises(
        DecodeError, match=rf"stock.location\[1\].id is 1, and must be above {ids[0]}"
    ) as caught:
        read(fake)
    assert caught.value.code == "pages_repeat"


def test_progress_is_told_by_what_is_read() -> None:
    told: list[tuple[str, int, int | None]] = []
    by_login(small(), page_size=1).read(request(on_progress=lambda *news: told.append(news)))
    assert told[:3] == [("warehouses", 1, None), ("products", 1, None), ("warehouses", 2, None)]
    assert ("quantities in warehouse 12", 2, None) in told
    ends = {stage: (done, total) for stage, done, total in told}
    assert ends["quantities in warehouse 12"] == (2, 2)
    assert ends == {stage: (done, done) for stage, (done, _) in ends.items()}


def test_a_login_ends_with_a_logout_and_a_key_has_neither() -> None:
    fake = small()
    read(fake)
    assert (fake.methods()[0], fake.methods()[-1]) == ("common.db.login", "common.db.logout")
    fake = small()
    by_key(fake).read(request())
    assert not any(method.startswith("common") for method in fake.methods())


def test_a_logout_that_fails_spoils_nothing() -> None:
    fake = small()
    fake.before = lambda method, _: html(500) if method == "common.db.logout" else None
    assert read(fake) == read(small())


@pytest.mark.parametrize("moment", range(1, 16))
def test_a_session_that_ends_at_any_moment_is_begun_again_once(moment: int) -> None:
    fake = small()

    def end(method: str, _: list[Any]) -> None:
        if len(fake.asked) == moment + 1 and method != "common.db.login":
            fake.session += 1

    fake.before = end
    assert read(fake) == read(small())
    ended_before_logout = fake.methods().index("common.db.logout") > moment
    assert fake.methods().count("common.db.login") == 1 + ended_before_logout


def test_a_session_that_ends_again_at_once_is_unauthorized() -> None:
    fake = small()
    fake.before = lambda method, _: html(401) if method == "stock.location.search_count" else None
    with pytest.raises(UnauthorizedError, match="does not accept the session") as caught:
        read(fake)
    assert caught.value.code == "session_ended"
    assert fake.methods().count("common.db.login") == 2


def test_a_wrong_password_is_unauthorized_and_not_shown() -> None:
    fake = small()
    with pytest.raises(UnauthorizedError, match="the login of 'sync' was refused") as caught:
        read(fake, password="wrong-secret")
    assert "wrong-secret" not in str(caught.value)
    assert fake.methods() == ["common.db.login"]


@pytest.mark.parametrize(
    "said",
    [
        refused("LoginException", ["sms_code", "SMS code wrong-secret", "char"]),
        answer(["1", "session", None]),
        answer([1]),
        answer("wrong-secret", bare=True),
    ],
)
def test_a_login_that_comes_to_no_session_is_unauthorized_and_quotes_nothing(said: Response) -> None:
    with pytest.raises(UnauthorizedError, match="came to no session") as caught:
        read(lambda _: said, password="wrong-secret")
    assert caught.value.code == "no_session"
    assert "wrong-secret" not in str(caught.value)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_an_answer_to_a_login_that_echoes_the_password_is_not_quoted(status: int) -> None:
    echo = Response(status=status, content=b"you sent wrong-secret", place="POST tryton")
    with pytest.raises(OmsyncError) as caught:
        read(lambda _: echo, password="wrong-secret")
    assert "wrong-secret" not in str(caught.value)


def test_a_key_that_is_not_accepted_is_unauthorized_and_not_shown() -> None:
    fake = small()
    with pytest.raises(UnauthorizedError, match="does not accept the user application key") as caught:
        by_key(fake, key="wrong-secret").read(request())
    assert "wrong-secret" not in str(caught.value)
    assert fake.methods() == ["res.user.get_preferences"]


@pytest.mark.parametrize("make", [by_login, by_key])
def test_a_database_that_is_not_there_is_a_settings_error(make: Callable[..., Tryton]) -> None:
    with pytest.raises(SettingsError, match="no Tryton database 'om' here") as caught:
        make(lambda _: html(404)).read(request())
    assert caught.value.code == "unknown_database"


@pytest.mark.parametrize("make", [by_login, by_key])
def test_a_page_instead_of_an_answer_is_a_decode_error(make: Callable[..., Tryton]) -> None:
    with pytest.raises(DecodeError, match="it is HTML") as caught:
        make(lambda _: html()).read(request())
    assert caught.value.code == "not_json"


def test_an_address_that_points_elsewhere_is_refused() -> None:
    with pytest.raises(RefusedError, match="points elsewhere") as caught:
        read(lambda _: html(301))
    assert caught.value.code == "redirected"


def test_a_user_without_a_company_would_see_0_everywhere_and_is_refused() -> None:
    with pytest.raises(SettingsError, match="works for no company") as caught:
        read(small(company=None))
    assert caught.value.code == "no_company"


def test_a_context_that_is_lost_on_its_way_is_noticed_before_quantities_are_read() -> None:
    fake = small(loses_context=True)
    with pytest.raises(SettingsError, match="the context does not reach Tryton") as caught:
        by_key(fake).read(request())
    assert caught.value.code == "context_lost"
    assert fake.methods() == ["res.user.get_preferences", "stock.move.default_get"]


def test_another_company_than_asked_for_is_a_lost_context_too() -> None:
    fake = small()
    fake.before = lambda method, _: answer({"company": 2}, bare=True) if "default_get" in method else None
    with pytest.raises(SettingsError, match="the context does not reach Tryton"):
        by_key(fake).read(request())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (["UserError", ['You are not allowed to access "Stock Move".', "", None]], "Stock Move"),
        (["UserError", "plain words"], "plain words"),
        (["UserError", []], "refused"),
        (["UserError"], "refused"),
    ],
)
def test_what_tryton_refuses_is_refused_in_its_words(error: list[Any], words: str) -> None:
    fake = small()
    fake.before = lambda method, _: refused(*error) if method == "stock.move.search_count" else None
    with pytest.raises(RefusedError, match=words) as caught:
        read(fake)
    assert "the group Stock" in caught.value.remedy


@pytest.mark.parametrize("error", [["'stock.move'", ""], "no words", [], ["x" * 5000, ""]])
def test_what_fails_inside_tryton_is_a_server_fault(error: Any) -> None:
    said = Response(status=200, content=json.dumps({"id": 1, "error": error}).encode(), place="POST tryton")
    fake = small()
    fake.before = lambda method, _: said if method == "stock.move.search_count" else None
    with pytest.raises(ServerFaultError, match="Tryton failed") as caught:
        read(fake)
    assert len(str(caught.value)) < 700


def test_other_refusals_quote_the_answer() -> None:
    fake = small()
    fake.before = lambda method, _: html(403) if method == "stock.move.search_count" else None
    with pytest.raises(RefusedError, match=r"HTTP 403: .*maintenance"):
        read(fake)


def test_too_many_logins_are_waited_for_and_then_throttled() -> None:
    script = Script(429, 429)
    with pytest.raises(ThrottledError):
        read(script)
    assert len(script.requests) == 2


def test_requests_carry_the_time_out_and_the_database_is_quoted_in_the_address() -> None:
    script = Script(404)
    with pytest.raises(SettingsError):
        Tryton("https://erp.example", "o m/1", key=KEY, handler=script, timeout=7.0).read(request())
    assert script.requests[0].url == "https://erp.example/o%20m%2F1/rest/model/res.user/get_preferences"
    assert script.requests[0].timeout == 7.0


def test_only_the_records_of_a_conversation_are_needed_to_hold_it_by_hand() -> None:
    access = api.Access(url="https://erp.example", database="om", authorization="Session x")
    records = api.Records(what="places", model="stock.location", domain=[], fields=("name",))
    conversation = api.page(access, records, after=7, limit=2)
    asked = next(conversation)
    assert asked.body == {
        "id": 1,
        "method": "model.stock.location.search_read",
        "params": [[["id", ">", 7]], 0, 2, [["id", "ASC"]], ["name"], {}],
    }
    with pytest.raises(StopIteration) as finished:
        conversation.send(answer([{"id": 8, "name": "Shed"}]))
    ((number, row),) = finished.value.value
    assert (number, row.field("name").text()) == (8, "Shed")


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"user": "sync"},
        {"password": "x"},
        {"key": KEY, "user": "sync"},
        {"key": KEY, "password": "x", "user": "sync"},
    ],
)
def test_exactly_one_kind_of_credential_is_wanted(credentials: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="one kind of credential") as caught:
        Tryton("https://erp.example", "om", **credentials)  # type: ignore[arg-type]  # names by a test
    assert caught.value.code == "credentials"


@pytest.mark.parametrize("url", ["erp.example", "https://sync:pw@erp.example", "https://erp.example/?a=b"])
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        Tryton(url, "om", key=KEY)


def test_aliases_are_alias_values() -> None:
    with pytest.raises(WrongTypeError):
        Tryton("https://erp.example", "om", key=KEY, aliases=["mug"])


def test_secrets_are_in_no_repr_and_no_name() -> None:
    sources: Iterable[Tryton] = (by_login(small(), password="my-secret"), by_key(small(), key="my-secret"))
    for source in sources:
        assert "my-secret" not in f"{source!r} {source.name} {source.account}"
    assert by_key(small()).name == "Tryton at erp.example, database om"
    assert by_key(small()).account != by_key(small(), key="another").account
