"""The conformance kit for sinks: good sinks pass every check, and each check catches a sink that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from broken_sinks import BROKEN, Stumbles
from fake_memory import FakeClock
from market import (
    PASSWORD,
    AddsUp,
    Awaited,
    GoesByTwoNames,
    Key,
    Market,
    Promises,
    RefusesWhateverMoved,
    RefusesWhole,
    Stall,
    StumblesOverLargeNumbers,
    bench_of,
    saying,
)

from omsync.errors import LostAnswerError, RefusedError, SettingsError
from omsync.http.messages import Conversation, Request, Response
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.sinks.files import CsvCart, JsonlCart
from omsync.sinks.writing import (
    Line,
    Pace,
    RetryPolicy,
    SteppedSink,
    Steps,
    Wire,
    accepted,
    talk,
)
from omsync.testing import SINK_CHECKS, SinkBench, assert_conforms, check_sink, losing_answers

# --- good sinks ---------------------------------------------------------------------------------------


OPEN = {
    "names_of_one_place_agree": "no row is same_as another",
    "one_place_takes_one_number": "no place goes by two names",
    "both_runners_do_the_same": "the sink is not written in steps",
    "creates_what_it_says": "the cart makes no listings",
}


def test_a_good_sink_passes_every_check_that_concerns_it() -> None:
    report = assert_conforms(bench_of())
    assert {one.name: one.seen for one in report.results if one.outcome == "not_applicable"} == OPEN
    assert report.destination == "the market"
    assert str(report).startswith(f"the market: {len(SINK_CHECKS) - 4} passed, 4 not applicable\n")
    assert "not applicable: creates_what_it_says (the cart makes no listings)" in str(report)


@pytest.mark.parametrize("check", SINK_CHECKS)
def test_a_check_stands_alone_and_can_be_repeated(check: str) -> None:
    bench = bench_of()
    for _ in range(3):
        assert_conforms(bench, checks=[check])


@pytest.mark.parametrize(
    "said",
    [
        {"lists_all": False},
        {"quantity_meaning": "available"},
        {"readable": False, "compare_and_set": "blind"},
        {"compare_and_set": "version"},
        {"compare_and_set": "blind", "max_rows": None},
        {"creates_listings": True},
        {"max_rows": 1},
        {"grouping": "by_location"},
        {"completion": "eventual"},
        {"min_quantity": 5, "max_quantity": 6, "accepts_zero": False},
        {"max_quantity": None, "zero_ends_listing": True},
    ],
    ids=str,
)
def test_good_sinks_of_every_kind_pass(said: Mapping[str, Any]) -> None:
    assert_conforms(bench_of(saying(**said)))


@pytest.mark.parametrize(
    "kind",
    [RefusesWhole, RefusesWhateverMoved, Promises, GoesByTwoNames, AddsUp, StumblesOverLargeNumbers],
)
def test_good_sinks_of_other_ways_pass(kind: type[Stall]) -> None:
    assert_conforms(bench_of(kind))


def test_the_least_that_a_bench_can_have_is_enough() -> None:
    market = Market(places=[None])
    report = assert_conforms(SinkBench(sink=Stall(market), shown=market.shown, listings=["MUG", "CUP"]))
    reasons = {one.name: one.seen for one in report.results if one.outcome == "not_applicable"}
    assert reasons == OPEN | {
        "secrets_stay_out_of_sight": "the bench names no secrets",
        "strange_skus_are_taken_literally": "the bench gives no strange SKUs",
        "a_renamed_listing_keeps_its_number": "the bench gives no way to rename a listing",
        "a_listing_renamed_during_a_run_keeps_its_number": "the bench gives no way to rename a listing",
        "leaves_alone_what_it_must_not_tell": "the bench gives no duplicate, untracked or unmanaged listing",
        "states_a_duplicate": "the bench gives no duplicate",
        "states_what_is_untracked": "the bench gives no untracked listing",
        "states_what_is_unmanaged": "the bench gives no unmanaged listing",
        "keeps_locations_apart": "the bench gives one location",
        "takes_a_full_batch": "a push takes 6 rows, and the bench has 2",
        "an_unknown_location_is_refused": "the bench gives no absent location",
        "wrong_credentials_are_unauthorized": "the bench gives no sink with wrong credentials",
        "an_unreachable_cart_is_no_empty_cart": "the bench gives no sink that reaches nobody",
        "a_lost_answer_is_no_refusal": "the bench gives no sink that loses answers",
    }


def test_an_async_sink_passes_as_well() -> None:
    market = Market()
    report = assert_conforms(
        bench_of(
            sink=Awaited(Stall(market)),
            shown=market.shown,
            rename=market.rename,
            unauthorized=Awaited(Stall(market, "wrong-horse")),
            unreachable=Awaited(Stall(market, up=False)),
            losing=Awaited(Stall(market, loses=True)),
        )
    )
    assert set(report.named("not_applicable")) == set(OPEN)


# --- sinks in steps -----------------------------------------------------------------------------------


class Stepped(SteppedSink):
    """A sink in steps; the shop behind it is a handler."""

    def __init__(self, handler: Callable[[Request], Response]) -> None:
        self.line = Line(account="shop", handler=handler, retry=RetryPolicy(attempts=1))

    @property
    def capabilities(self) -> SinkCapabilities:
        return SinkCapabilities(destination="a shop in steps", lists_all=True, max_rows=2, max_quantity=10**6)

    def read_steps(self, _: Sequence[str], /) -> Steps[list[CartListing]]:
        answer = yield from talk(self.line, ask("GET", ...))
        return [CartListing(listing_sku=sku, quantity=answer.field(sku).whole()) for sku in ("MUG", "CUP")]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        for change in changes:
            if change.listing_sku not in {"MUG", "CUP"}:
                raise RefusedError("A listing is unknown")
        answer = yield from talk(self.line, ask("PUT", {row.listing_sku: row.quantity for row in changes}))
        return [accepted(row, echo=answer.field(row.listing_sku).whole()) for row in changes]


def ask(method: str, body: Any) -> Conversation[Wire]:
    response = yield Request(method=method, url="http://shop.test/stock", body=body)
    return Wire(value=response.json(), path="answer", place=response.place)


class Shop:
    """A shop of two listings, over HTTP without a network."""

    def __init__(self) -> None:
        self.shelf = {"MUG": 1, "CUP": 2}

    def __call__(self, request: Request) -> Response:
        if request.method == "PUT":
            self.shelf |= request.body
        body = str(self.shelf).replace("'", '"').encode()
        return Response(status=200, content=body, place=request.place)

    def shown(self) -> dict[Key, int]:
        return {(sku, None): quantity for sku, quantity in self.shelf.items()}


def shop_bench(kind: type[Stepped] = Stepped) -> SinkBench:
    shop = Shop()
    losing = losing_answers(shop, of=lambda request: request.method == "PUT")
    return SinkBench(sink=kind(shop), shown=shop.shown, listings=["MUG", "CUP"], losing=kind(losing))


def test_a_sink_in_steps_is_run_both_ways() -> None:
    report = assert_conforms(shop_bench())
    assert {"both_runners_do_the_same", "a_lost_answer_is_no_refusal"} <= set(report.named("passed"))


def test_a_slow_pace_is_waited_for_on_the_benchs_own_clock() -> None:
    shop, clock = Shop(), FakeClock()
    slow = Stepped(shop)
    slow.line = Line(account="shop", handler=shop, pace=Pace(per_second=0.01, burst=1))
    bench = SinkBench(sink=slow, shown=shop.shown, listings=["MUG", "CUP"], clock=clock)
    assert_conforms(bench, checks=["a_second_sync_has_nothing_to_do", "both_runners_do_the_same"])
    assert clock.waited >= 100


class ReadsOtherwiseWhenAwaited(Stepped):
    """Knows in its steps who runs it, and reads something else."""

    def read_steps(self, skus: Sequence[str], /) -> Steps[list[CartListing]]:
        listings = yield from super().read_steps(skus)
        self.reads = getattr(self, "reads", 0) + 1
        return listings[:1] if self.reads % 4 == 0 else listings


# --- our own sinks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [CsvCart, JsonlCart])
@pytest.mark.parametrize("places", [(None,), ("WEST", "EAST")])
def test_our_file_carts_conform(
    tmp_path: Path, kind: type[CsvCart | JsonlCart], places: Sequence[str | None]
) -> None:
    cart = kind(tmp_path / "stock")
    cart.push([change(sku, place, 1) for sku in ("MUG", "=CUP", "00123") for place in places])
    report = assert_conforms(
        SinkBench(
            sink=cart,
            # The file as another object reads it.
            shown=lambda: {
                (one.listing_sku, one.location_id): one.quantity or 0
                for one in kind(tmp_path / "stock").read([])
            },
            listings=["MUG", "=CUP", "00123"],
            locations=places,
        )
    )
    assert {
        "creates_what_it_says",
        "a_late_write_is_a_conflict",
        "a_sale_is_not_taken_for_the_write",
        "takes_a_full_batch",
    } <= set(report.named("passed"))


def change(sku: str, place: str | None, quantity: int) -> QuantityChange:
    return QuantityChange(listing_sku=sku, location_id=place, quantity=quantity, available=quantity)


# --- broken sinks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("check", "kind", "seen"), BROKEN, ids=lambda one: getattr(one, "__name__", ""))
def test_the_check_catches_a_sink_that_is_wrong(check: str, kind: type[Stall], seen: str) -> None:
    report = check_sink(bench_of(kind), checks=[check])
    (result,) = report.results
    assert result.outcome == "failed", result
    assert seen in result.seen
    with pytest.raises(AssertionError, match=f"FAILED {check}: "):
        assert_conforms(bench_of(kind), checks=[check])


def test_steps_that_read_otherwise_when_awaited_are_caught() -> None:
    (result,) = check_sink(shop_bench(ReadsOtherwiseWhenAwaited), checks=["both_runners_do_the_same"]).results
    assert "what is read differs in" in result.seen


def test_every_check_has_a_sink_that_it_catches_and_a_statement() -> None:
    assert {check for check, _, _ in BROKEN} | {"both_runners_do_the_same"} == set(SINK_CHECKS)
    for name, check in SINK_CHECKS.items():
        assert check.name == name
        assert check.statement[-1] in ".;"


# --- the kit itself -----------------------------------------------------------------------------------


def test_a_mistake_in_a_sink_fails_its_check_without_telling_secrets_and_the_others_go_on() -> None:
    report = check_sink(bench_of(Stumbles))
    assert not report.conforms
    assert str(report).count("KeyError: '***'") > 5
    assert PASSWORD not in str(report)
    assert "states_a_duplicate" in report.named("failed")
    assert "keeps_locations_apart" in report.named("failed")
    assert "secrets_stay_out_of_sight" not in report.named("passed")


def test_a_check_that_there_is_not_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(SettingsError, match="did you mean 'gives_each_row_once'"):
        check_sink(bench_of(), checks=["gives_each_row_one"])


def test_a_report_of_no_checks_says_so() -> None:
    assert str(check_sink(bench_of(), checks=[])) == "the market: no checks"


@pytest.mark.parametrize("listings", [[], ["MUG"], ["MUG", "MUG"], ["MUG", "CUP", "MUG"]])
def test_a_bench_needs_two_different_listings(listings: list[str]) -> None:
    with pytest.raises(ValueError, match=r"SinkBench.listings must name two listings"):
        bench_of(listings=listings)


def test_a_bench_needs_a_location() -> None:
    with pytest.raises(ValueError, match=r"SinkBench.locations must name a location"):
        bench_of(locations=[])


def test_a_listing_that_differs_by_case_only_is_one_of_its_own() -> None:
    market = Market(places=[None])
    market.shelf["mug", None] = 8
    bench = SinkBench(sink=Stall(market), shown=market.shown, listings=["MUG", "CUP"])
    assert_conforms(bench, checks=["codes_are_compared_exactly", "leaves_other_rows_alone"])
    assert market.shelf["mug", None] == 8


def test_a_place_where_a_listing_has_no_row_yet_is_no_fault() -> None:
    bench = bench_of()
    del bench.sink.market.shelf["MUG", "B"]  # type: ignore[union-attr]  # it is a stall
    assert_conforms(bench, checks=["shows_the_true_figures"])


def test_a_cart_that_makes_listings_makes_another_one_each_time() -> None:
    bench = bench_of(saying(creates_listings=True))
    for _ in range(2):
        assert_conforms(bench, checks=["creates_what_it_says"])
    assert {("NOTHING-1", "A"), ("NOTHING-2", "A")} <= set(bench.shown())


def test_something_that_is_no_sink_fails_with_its_name() -> None:
    report = check_sink(bench_of(sink=object()), checks=["gives_each_row_once"])
    assert report.destination == "object"
    assert report.named("failed") == ("gives_each_row_once",)


def test_losing_answers_carries_out_and_loses() -> None:
    shop = Shop()
    handler = losing_answers(shop, of=lambda request: request.method == "PUT")
    with pytest.raises(LostAnswerError, match="PUT http"):
        handler(Request(method="PUT", url="http://shop.test/stock", body={"MUG": 9}))
    assert shop.shelf["MUG"] == 9
    assert handler(Request(method="GET", url="http://shop.test/stock")).json() == {"MUG": 9, "CUP": 2}
