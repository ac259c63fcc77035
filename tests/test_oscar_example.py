"""The worked example of a sink, ``examples/django_oscar_sink.py``, and the public names it is made of."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from omsync.errors import (
    DeadlineError,
    DecodeError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    SettingsError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.http.blocking import Runner
from omsync.ports import CartSink, PushResult, QuantityChange
from omsync.sinks import writing
from omsync.sinks.writing import (
    Conversation,
    Line,
    Request,
    Response,
    RetryPolicy,
    accepted,
    basic,
    one_by_one,
    refused,
    result_of_error,
)
from omsync.testing import SINK_CHECKS, SinkBench, assert_conforms, losing_answers

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "django_oscar_sink.py"
SCRIPT = runpy.run_path(str(EXAMPLE))
DjangoOscar = SCRIPT["DjangoOscar"]
API = "https://shop.test/api"
AT_ONCE = RetryPolicy(attempts=2, first_wait=0.0, max_wait=0.0)


class FakeOscar:
    """Answers as django-oscar-api does; what is laid in ``instead`` answers first, by path or verb."""

    def __init__(self) -> None:
        self.partners = {"west": f"{API}/admin/partners/1/", "east": f"{API}/admin/partners/2/"}
        self.classes = {"goods": True, "downloads": False}
        self.products: list[dict[str, Any]] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.instead: dict[str, Callable[[Request], Response]] = {}
        self.asked: list[str] = []

    def add(self, sku: str, units: int | None = 3, *, partner: str = "west", **product: Any) -> None:
        number = len(self.products) + 1
        self.products.append({"id": number, "product_class": "goods", "parent": None, "stockrecords": []})
        self.products[-1] |= product
        key = str(100 + number)
        self.records[key] = {
            "url": f"{API}/admin/stockrecords/{key}/",
            "partner": self.partners[partner],
            "partner_sku": sku,
            "num_in_stock": units,
            "num_allocated": None,
        }
        self.products[-1]["stockrecords"].append(self.records[key])

    def __call__(self, request: Request) -> Response:
        path = request.url.removeprefix(f"{API}/admin/")
        self.asked.append(f"{request.method} {path}")
        if request.headers["authorization"] != basic("stock", "right"):
            return answer({"detail": "Invalid username/password."}, 401)
        for key in (path, request.method):
            if key in self.instead:
                return self.instead[key](request)
        if path == "partners/":
            return answer([{"code": code, "url": url} for code, url in self.partners.items()])
        if path == "productclasses/":
            return answer([{"slug": slug, "track_stock": counts} for slug, counts in self.classes.items()])
        if path == "products/":
            return answer(self.products)
        record = self.records[path.split("/")[1]]
        record |= request.body
        return answer(record)

    def shown(self) -> dict[tuple[str, str | None], int]:
        return {(one["partner_sku"], None): one["num_in_stock"] or 0 for one in self.records.values()}


def answer(body: Any, status: int = 200) -> Response:
    return Response(status=status, content=json.dumps(body).encode(), place="GET shop")


def saying(body: Any, status: int = 200) -> Callable[[Request], Response]:
    return lambda _: answer(body, status)


def raising(error: OmsyncError) -> Callable[[Request], Response]:
    def fail(_: Request) -> Response:
        raise error

    return fail


def sink(shop: Callable[[Request], Response], password: str = "right", partner: str = "west") -> Any:
    line = Line(account="oscar", retry=AT_ONCE, handler=shop)
    return DjangoOscar(API, username="stock", password=password, partner=partner, line=line)


def change(sku: str, quantity: int = 5) -> QuantityChange:
    return QuantityChange(listing_sku=sku, quantity=quantity, available=quantity)


def outcomes(results: Iterable[PushResult]) -> list[tuple[str, str, int | None]]:
    return [(one.status, one.reason, one.echo) for one in results]


@pytest.fixture
def shop() -> FakeOscar:
    shop = FakeOscar()
    for sku in ("MUG", "CUP", "JUG"):
        shop.add(sku)
    return shop


# --- the example --------------------------------------------------------------------------------------


def test_the_example_is_short_enough_to_be_read_in_one_go_and_uses_public_names_only() -> None:
    text = EXAMPLE.read_text()
    assert text.count("\n") < 150
    imported = [line.split()[1] for line in text.splitlines() if line.startswith("from omsync")]
    assert imported == ["omsync", "omsync.errors", "omsync.sinks.writing"]


def test_the_documentation_goes_through_the_example_as_it_is_and_leaves_nothing_out() -> None:
    page = (ROOT / "docs" / "writing-adapters.md").read_text()
    section = page.partition("## Write your own sink: django-oscar")[2].partition("**Try it without")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    _, imports, code = EXAMPLE.read_text().partition("from collections.abc import")
    assert "\n\n".join(blocks).split() == (imports + code).split()
    assert all(block.strip("\n") in EXAMPLE.read_text() for block in blocks)


@pytest.mark.parametrize("check", SINK_CHECKS)
def test_the_example_conforms(check: str) -> None:
    shop = FakeOscar()
    for number in range(200):
        shop.add(f"S{number}")
    shop.add("CODE", product_class="downloads")
    for _ in range(2):
        shop.add("TWIN")
    bench = SinkBench(
        sink=sink(shop),
        shown=shop.shown,
        listings=[f"S{number}" for number in range(200)],
        duplicate="TWIN",
        untracked="CODE",
        unauthorized=sink(shop, password="not-this-one"),
        unreachable=sink(raising(UnreachableError("no connection"))),
        losing=sink(losing_answers(shop, of=lambda request: request.method == "PATCH")),
        secrets=["right", "not-this-one", basic("stock", "right")],
    )
    report = assert_conforms(bench, checks=[check])
    assert set(report.named("not_applicable")) <= {
        "names_of_one_place_agree",
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


def test_it_is_a_cart_sink_whose_repr_shows_no_password(shop: FakeOscar) -> None:
    cart = DjangoOscar(f"{API}/", username="stock", password="right", partner="west")
    assert repr(cart) == f"DjangoOscar(url='{API}/', username='stock', partner='west')"
    assert cart.line.account == f"django-oscar at {API}/, partner west"
    assert sink(shop).capabilities.destination == f"django-oscar at {API}, partner west"
    assert isinstance(sink(shop), CartSink)
    assert "secret" not in repr(SCRIPT["Shop"](api=API, headers={"authorization": "secret"}))


def test_what_it_promises_is_what_oscar_keeps(shop: FakeOscar) -> None:
    said = sink(shop).capabilities
    # PostgreSQL keeps a PositiveIntegerField in 32 bits; SQLite, where this is tried, keeps more.
    assert (said.max_quantity, said.atomicity, said.locations) == (2147483647, "row", "none")


def test_a_user_without_the_rights_is_unauthorized(shop: FakeOscar) -> None:
    shop.instead["products/"] = saying({"detail": "You do not have permission"}, 403)
    with pytest.raises(UnauthorizedError, match=r"HTTP 403.*You do not have permission"):
        sink(shop).read([])


def test_an_unknown_partner_is_named_with_those_that_there_are(shop: FakeOscar) -> None:
    with pytest.raises(SettingsError, match="no partner 'north'; it has west, east"):
        sink(shop, partner="north").read([])
    shop.partners.clear()
    with pytest.raises(SettingsError, match="no partner 'west'; it has none"):
        sink(shop).read([])


def test_a_code_that_stands_twice_or_not_at_all_is_not_written(shop: FakeOscar) -> None:
    shop.add("MUG")
    results = sink(shop).push([change("MUG"), change("POT")])
    assert outcomes(results) == [("rejected", "duplicate_in_cart", None), ("rejected", "not_in_cart", None)]
    assert [one.message for one in results] == [
        "2 stock records have this SKU",
        "0 stock records have this SKU",
    ]
    assert not any(one.startswith("PATCH") for one in shop.asked)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"url": "shop.test"}, "DjangoOscar.url must be an address"), ({"password": "right\n"}, "password")],
)
def test_an_address_or_a_password_that_cannot_be_one_is_refused_at_once(
    options: dict[str, str], says: str
) -> None:
    given = {"url": API, "username": "stock", "password": "right", "partner": "west"} | options
    with pytest.raises(SettingsError, match=says):
        DjangoOscar(given.pop("url"), **given)


def test_null_is_0_and_what_orders_hold_is_told(shop: FakeOscar) -> None:
    shop.add("NEW", None)
    shop.records["101"]["num_allocated"] = 2
    figures = {one.listing_sku: (one.quantity, one.allocated) for one in sink(shop).read([])}
    assert figures == {"MUG": (3, 2), "CUP": (3, 0), "JUG": (3, 0), "NEW": (0, 0)}


def test_a_variant_counts_stock_as_its_parents_class_says(shop: FakeOscar) -> None:
    shop.products.append({"id": 50, "product_class": "downloads", "parent": None, "stockrecords": []})
    shop.add("EPUB", product_class=None, parent=50)
    cart = sink(shop)
    assert {one.listing_sku: one.state for one in cart.read([])}["EPUB"] == "untracked"
    assert outcomes(cart.push([change("EPUB")])) == [("skipped", "untracked_in_cart", None)]


def test_other_partners_and_records_without_a_code_are_left_out(shop: FakeOscar) -> None:
    shop.add("ELSEWHERE", partner="east")
    shop.add("")
    assert {one.listing_sku for one in sink(shop).read([])} == {"MUG", "CUP", "JUG"}
    assert [one.listing_sku for one in sink(shop, partner="east").read([])] == ["ELSEWHERE"]


def test_credentials_go_to_the_address_that_was_given_whatever_an_answer_names(shop: FakeOscar) -> None:
    shop.records["102"]["url"] = "https://elsewhere.test/api/admin/stockrecords/102/"
    assert outcomes(sink(shop).push([change("CUP", 9)])) == [("accepted", "", 9)]
    assert shop.asked[-1] == "PATCH stockrecords/102/"


def test_a_quantity_that_the_shop_cut_is_not_taken_for_applied(shop: FakeOscar) -> None:
    shop.instead["PATCH"] = saying({"num_in_stock": 4})
    (result,) = sink(shop).push([change("MUG", 5)])
    assert (result.status, result.echo) == ("accepted", 4)
    assert result.message == "the cart shows 4 after the write"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"count": 3, "next": None, "results": []}, r"answer must be a list"),
        ([{"id": "1"}], r"answer\[0\].id must be a whole number, not '1'"),
        ([{"id": 1, "parent": None}], r"answer\[0\].stockrecords is missing"),
    ],
)
def test_a_list_that_is_not_what_was_agreed_is_no_reading(shop: FakeOscar, body: Any, says: str) -> None:
    shop.instead["products/"] = saying(body)
    with pytest.raises(DecodeError, match=says):
        sink(shop).read([])


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("num_in_stock", "3", "num_in_stock must be a whole number, not '3'"),
        ("num_in_stock", 2.5, "num_in_stock must be a whole number, not 2.5"),
        ("num_allocated", True, "num_allocated must be a whole number, not True"),
        ("partner_sku", 77, "partner_sku must be text, not 77"),
    ],
)
def test_a_figure_that_is_no_whole_number_is_named(
    shop: FakeOscar, field: str, value: object, says: str
) -> None:
    shop.records["101"][field] = value
    with pytest.raises(DecodeError, match=says):
        sink(shop).read([])


def test_a_product_of_no_known_class_is_named(shop: FakeOscar) -> None:
    shop.add("ORPHAN", product_class=None, parent=999)
    with pytest.raises(DecodeError, match=r"answer\[3\].product_class must be goods or downloads, not None"):
        sink(shop).read([])


def test_a_row_that_the_shop_refuses_costs_only_itself(shop: FakeOscar) -> None:
    def picky(request: Request) -> Response:
        good = request.body != {"num_in_stock": 2}
        return answer(request.body) if good else answer({"num_in_stock": ["Not 2."]}, 400)

    shop.instead["PATCH"] = picky
    results = sink(shop).push([change("MUG", 1), change("CUP", 2), change("JUG", 3)])
    assert outcomes(results) == [("accepted", "", 1), ("rejected", "refused", None), ("accepted", "", 3)]
    assert "Not 2." in results[1].message


def test_after_a_server_fault_nothing_more_is_sent_and_the_row_is_in_doubt(shop: FakeOscar) -> None:
    shop.instead["stockrecords/102/"] = saying({}, 500)
    results = sink(shop).push([change("MUG"), change("CUP"), change("JUG")])
    assert outcomes(results) == [
        ("accepted", "", 5),
        ("pending", "answer_unknown", None),
        ("skipped", "not_sent", None),
    ]
    assert "since a row before it came to nothing: " in results[2].message
    assert shop.asked.count("PATCH stockrecords/102/") == 2  # a quantity is absolute, so it may be sent again
    assert "PATCH stockrecords/103/" not in shop.asked


def test_an_html_page_instead_of_an_answer_leaves_the_row_in_doubt(shop: FakeOscar) -> None:
    shop.instead["PATCH"] = lambda _: Response(status=200, content=b"<html>", place="PATCH shop")
    (result,) = sink(shop).push([change("MUG")])
    assert (result.status, result.reason) == ("pending", "answer_unknown")


# --- the public door ----------------------------------------------------------------------------------


def test_every_public_name_is_there_and_sorted() -> None:
    assert all(hasattr(writing, name) for name in writing.__all__)
    assert list(writing.__all__) == sorted(writing.__all__)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RefusedError("no", code="too_many"), ("rejected", "too_many", None)),
        (UnauthorizedError("who?"), ("skipped", "not_sent", None)),
        (UnreachableError("no connection"), ("skipped", "not_sent", None)),
        (ThrottledError("slowly"), ("skipped", "not_sent", None)),
        (SettingsError("a line break"), ("skipped", "not_sent", None)),
        (DeadlineError("too late"), ("skipped", "deadline", None)),
        (LostAnswerError("gone"), ("pending", "answer_unknown", None)),
        (ServerFaultError("HTTP 500"), ("pending", "answer_unknown", None)),
        (DecodeError("HTML"), ("pending", "answer_unknown", None)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_an_error_means_one_thing_for_its_row(
    error: OmsyncError, expected: tuple[str, str, int | None]
) -> None:
    assert outcomes([result_of_error(change("MUG"), error)]) == [expected]


def written(*said: PushResult | OmsyncError) -> list[PushResult]:
    """Write one row for each thing said."""
    left = iter(said)

    def write(_: QuantityChange) -> Conversation[PushResult]:
        yield Request(method="PUT", url=API)
        one = next(left)
        if isinstance(one, OmsyncError):
            raise one
        return one

    with Runner() as runner:
        rows = [change(f"S{number}") for number in range(len(said))]
        return runner.run(one_by_one(Line(account="by hand", handler=saying({})), rows, write))


GOOD, BAD = accepted(change("MUG"), echo=5), refused(change("CUP"), "not_in_cart", "there is none")


@pytest.mark.parametrize("error", [UnauthorizedError("who?"), UnreachableError("no"), DeadlineError("late")])
@pytest.mark.parametrize("before", [[], [BAD], [RefusedError("no"), BAD]], ids=len)
def test_rows_of_which_none_was_written_fail_as_a_whole(
    error: OmsyncError, before: list[PushResult | OmsyncError]
) -> None:
    with pytest.raises(type(error)):
        written(*before, error, GOOD)


def test_rows_that_were_written_before_keep_their_answer() -> None:
    results = written(GOOD, UnauthorizedError("who?"), GOOD)
    assert [one.status for one in results] == ["accepted", "skipped", "skipped"]
    results = written(LostAnswerError("gone"), UnreachableError("no"))
    assert outcomes(results) == [("pending", "answer_unknown", None), ("skipped", "not_sent", None)]


def test_rows_that_a_cart_took_in_hand_count_as_written() -> None:
    results = written(refused(change("MUG"), "", "a job", status="pending"), UnreachableError("no"), GOOD)
    assert [one.status for one in results] == ["pending", "skipped", "skipped"]


def test_no_rows_are_no_results() -> None:
    assert written() == []
