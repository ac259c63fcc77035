"""What is said of a run: exactly one outcome for every (listing, location), and a sentence."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from fake_ports import capabilities, stock
from hypothesis import given
from hypothesis import strategies as st

from omsync import (
    Alias,
    CartSettings,
    MerchantSettings,
    Notice,
    Outcome,
    PerWarehouse,
    PlanLine,
    QuantityRules,
    Skip,
    SyncPlan,
    SyncReport,
    allocate,
)
from omsync.errors import NoExplanationError
from omsync.planning import make_plan
from omsync.report import OUTCOMES, Outcomes, outcomes_of_plan, status_of
from omsync.testing.case import Case
from omsync.testing.strategies import cases

MERCHANT = MerchantSettings(mode=PerWarehouse())
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def outcome(how: str, reason: str = "", sku: str = "A", message: str = "") -> Outcome:
    return Outcome(listing_sku=sku, master_sku=sku, outcome=how, reason=reason, message=message)


def report(*outcomes: Outcome, status: str = "success", **more: Any) -> SyncReport:
    return SyncReport(
        merchant="acme",
        cart="shop",
        run_id="r1",
        status=status,
        started_at=NOW,
        finished_at=NOW,
        outcomes=outcomes,
        **more,
    )


def skip(listing_sku: str | None, master_sku: str, reason: str, location_id: str | None = None) -> Skip:
    return Skip(
        listing_sku=listing_sku, master_sku=master_sku, reason=reason, hint="do it", location_id=location_id
    )


def line(sku: str, action: str = "unchanged", **more: Any) -> PlanLine:
    return PlanLine(listing_sku=sku, master_sku=sku, quantity=5, action=action, **more)


def told(plan: SyncPlan) -> list[tuple[str | None, str, str, str]]:
    return [
        (one.listing_sku, one.master_sku, one.outcome, one.reason)
        for one in outcomes_of_plan(plan, approved=False)
    ]


def test_what_a_plan_settles_by_itself_has_its_outcome_before_anything_is_pushed() -> None:
    plan = SyncPlan(
        merchant="acme",
        cart="shop",
        lines=[
            line("A", reason="stock"),
            line("B", "skip", reason="not_in_cart"),
            line("C", "hold", reason="cart_refuses_zero"),
            line("D", "skip", reason="moved_since_plan"),
            line("E", "change"),
        ],
        skipped=[skip(None, "F", "no_alias")],
    )

    assert told(plan) == [
        ("A", "A", "unchanged", ""),
        ("B", "B", "skipped", "not_in_cart"),
        ("C", "C", "held", "cart_refuses_zero"),
        ("D", "D", "conflict", "moved_since_plan"),
        (None, "F", "skipped", "no_alias"),
    ]
    assert "C" not in {one.listing_sku for one in outcomes_of_plan(plan, approved=True)}


def test_a_listing_claimed_by_two_products_has_one_outcome_and_the_other_product_one_of_its_own() -> None:
    aliases = [
        Alias(name="Shop", listing_sku="l-1", master_sku="A"),
        Alias(name="Shop", listing_sku="l-1", master_sku="B"),
    ]
    allocation = allocate(
        stock({"A": 5, "B": 6}, aliases=aliases), MERCHANT, CartSettings(name="s", alias="Shop")
    )

    assert told(make_plan(allocation, [], capabilities())) == [
        ("l-1", "A", "skipped", "listing_of_two_products"),
        (None, "B", "skipped", "listing_of_two_products"),
    ]


def test_a_listing_that_one_product_may_have_and_an_excluded_one_claims_has_one_outcome() -> None:
    aliases = [
        Alias(name="Shop", listing_sku="l-1", master_sku="A"),
        Alias(name="Shop", listing_sku="l-1", master_sku="B"),
    ]
    cart = CartSettings(name="s", alias="Shop", exclude={"A"})
    allocation = allocate(stock({"A": 5, "B": 6}, aliases=aliases), MERCHANT, cart)

    assert told(make_plan(allocation, [], capabilities())) == [
        ("l-1", "B", "skipped", "not_in_cart"),
        (None, "A", "skipped", "excluded"),
    ]


def test_a_listing_that_is_listed_twice_has_one_outcome_and_the_plan_says_twice() -> None:
    twice = [Alias(name="Shop", listing_sku="l-1", master_sku="A")] * 2
    cart = CartSettings(name="s", alias="Shop")

    plan = make_plan(allocate(stock({"A": 5}, aliases=twice), MERCHANT, cart), [], capabilities())
    without_stock = make_plan(allocate(stock({}, aliases=twice), MERCHANT, cart), [], capabilities())

    assert told(plan) == [("l-1", "A", "skipped", "not_in_cart")]
    assert [one.reason for one in plan.skipped] == ["duplicate_listing_sku"]
    assert told(without_stock) == [("l-1", "A", "skipped", "unknown_product")]


def test_skips_of_single_rows_of_a_breakdown_stand_beside_its_other_rows() -> None:
    plan = SyncPlan(
        merchant="acme",
        cart="shop",
        lines=[line("A", location_id="w1")],
        skipped=[skip("A", "A", "warehouse_not_mapped", "w2"), skip("A", "B", "excluded")],
    )

    assert told(plan) == [
        ("A", "A", "unchanged", ""),
        ("A", "A", "skipped", "warehouse_not_mapped"),
        (None, "B", "skipped", "excluded"),
    ]


@given(cases(), st.booleans())
def test_every_listing_of_any_merchant_has_exactly_one_outcome(case: Case, unlisted: bool) -> None:
    allocation = case.allocated_by(allocate)
    can = capabilities(creates_listings=not unlisted, locations="optional")
    plan = make_plan(allocation, [], can)

    outcomes = outcomes_of_plan(plan)
    keys = Counter((one.listing_sku, one.location_id) for one in outcomes if one.listing_sku is not None)
    keys.update(line.key for line in plan.changes)

    assert set(keys.values()) <= {1}
    listed = {skipped.listing_sku for skipped in allocation.skipped if skipped.listing_sku}
    listed |= {quantity.listing_sku for quantity in allocation.quantities}
    assert {listing for listing, _ in keys} == listed
    named = {one.master_sku for one in outcomes} | {line.master_sku for line in plan.changes}
    assert named >= {skipped.master_sku for skipped in allocation.skipped}


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([], "success"),
        ([outcome("applied"), outcome("unchanged"), outcome("skipped", "no_alias")], "success"),
        ([outcome("applied"), outcome("held")], "partial"),
        ([outcome("held")], "partial"),
        ([outcome("conflict")], "partial"),
        ([outcome("pending", "not_yet_seen")], "partial"),
        ([outcome("pending", "accepted"), outcome("pending", "job_pending")], "success"),
        ([outcome("pending", "awaiting_acknowledgement")], "success"),
        ([outcome("rejected", "accepted")], "failed"),
        ([outcome("applied"), outcome("rejected")], "partial"),
        ([outcome("pending"), outcome("skipped", "deadline")], "partial"),
        ([outcome("unchanged"), outcome("rejected")], "failed"),
        ([outcome("skipped", "deadline")], "failed"),
        ([outcome("skipped", "not_sent"), outcome("conflict")], "failed"),
        ([outcome("skipped", "cancelled")], "failed"),
    ],
)
def test_a_run_is_a_success_partly_done_or_failed(outcomes: list[Outcome], status: str) -> None:
    assert status_of(outcomes) == status


def notice(reason: str, message: str = "m") -> Notice:
    return Notice(reason=reason, message=message)


def test_a_run_on_figures_that_were_lost_on_their_way_is_no_success() -> None:
    assert status_of([outcome("unchanged")], [notice("source_answer_lost")]) == "partial"
    assert status_of([], [notice("source_answer_lost")]) == "partial"
    assert status_of([outcome("rejected")], [notice("source_answer_lost")]) == "failed"
    assert status_of([outcome("applied")], [notice("rows_only_in_cart")]) == "success"


@pytest.mark.parametrize(
    ("outcomes", "status", "why"),
    [
        ([outcome("applied"), outcome("skipped", "no_alias")], "success", ("", "")),
        ([], "disabled", ("", "")),
        (
            [outcome("skipped", "deadline", sku=sku, message="late") for sku in "ABC"]
            + [outcome("rejected", "bad", message="no"), outcome("skipped", "no_alias", message="x")],
            "failed",
            ("deadline", "3 listings skipped: late"),
        ),
        ([outcome("applied"), outcome("held")], "partial", ("held", "1 listing held")),
        (
            # The most frequent reason speaks, and with its own words: "conflict" is an outcome and a reason.
            [outcome("conflict", "moved_since_plan", message="it moved")]
            + [outcome("conflict", "conflict", message="the cart says no")] * 2,
            "partial",
            ("conflict", "2 listings conflict: the cart says no"),
        ),
        ([outcome("unchanged")], "partial", ("", "")),
    ],
)
def test_a_run_that_was_no_success_says_why_in_a_code_and_a_sentence(
    outcomes: list[Outcome], status: str, why: tuple[str, str]
) -> None:
    assert report(*outcomes, status=status).why == why


def test_an_error_that_ended_a_run_is_why_and_else_what_is_in_doubt() -> None:
    doubt = [notice("rows_only_in_cart"), notice("source_answer_lost", "lost")]
    ended = report(outcome("held"), status="partial", code="ledger", message="full", notices=doubt)

    assert ended.why == ("ledger", "full")
    assert report(outcome("applied"), status="partial", notices=doubt).why == ("source_answer_lost", "lost")
    assert report(outcome("held"), status="partial", notices=doubt).why == ("held", "1 listing held")


def test_a_report_counts_in_the_order_of_the_outcomes_and_gives_them_by_name() -> None:
    one = report(outcome("skipped", "no_alias"), outcome("applied"), outcome("applied", sku="B"))

    assert list(one.counts.items()) == [("applied", 2), ("skipped", 1)]
    assert [each.listing_sku for each in one.of("applied")] == ["A", "B"]
    assert set(one.counts) <= set(OUTCOMES)


def test_a_report_prints_as_one_sentence_with_the_reasons() -> None:
    some = (
        [outcome("applied")] * 1200
        + [outcome("skipped", "no_alias")] * 2
        + [outcome("skipped", "digital_product")]
    )

    assert str(report(*some)) == "1,203 listings: 1,200 applied, 3 skipped (2 no alias, 1 digital product)"
    assert str(report(outcome("held"))) == "1 listing: 1 held; nothing was pushed"


def test_a_run_that_pushed_nothing_says_so() -> None:
    assert str(report()) == "0 listings: nothing to sync; nothing was pushed"
    assert str(report(outcome("unchanged"))).endswith("1 unchanged; nothing was pushed")
    assert str(report(outcome("conflict", "moved_since_plan"))).endswith("nothing was pushed")
    assert "nothing was pushed" not in str(report(outcome("conflict", "moved")))


def test_listings_that_only_the_cart_has_are_part_of_the_sentence() -> None:
    assert str(report(outcome("applied"), cart_only=["X", "Y"])).endswith("1 applied; 2 only in the cart")


def test_a_cart_that_is_switched_off_and_a_run_that_failed_say_so() -> None:
    assert str(report(status="disabled")) == "acme / shop: switched off; nothing was pushed."
    failed = report(status="failed", code="unreachable", message="no connection")
    assert str(failed) == "acme / shop: failed (unreachable), nothing was pushed: no connection"


def test_a_run_that_ended_early_says_what_was_done_and_why_it_ended() -> None:
    ended = report(
        outcome("applied"), outcome("skipped", "not_sent"), status="partial", code="ledger", message="full"
    )

    assert str(ended) == "2 listings: 1 applied, 1 skipped (1 not sent); ended early (ledger): full"


def test_a_run_that_ended_without_a_sentence_names_its_code() -> None:
    ended = report(outcome("applied"), status="partial", code="KeyboardInterrupt")

    assert str(ended) == "1 listing: 1 applied; ended early (KeyboardInterrupt)"


def test_what_is_not_routine_is_noted_below_the_sentence() -> None:
    routine = ("bundles_computed", "bundles_reported", "push_inventory_off", "blind_cart")
    odd = [notice("unmatched_only", "only names 'x'"), notice("rows_only_in_cart", "1 row")]

    text = str(report(outcome("applied"), notices=[*map(notice, routine), *odd]))

    assert text == "1 listing: 1 applied\n  note: only names 'x'\n  note: 1 row"


def test_a_report_is_one_line_for_a_debugger() -> None:
    one = report(outcome("applied"), outcome("held", sku="B"), status="partial", notices=[notice("odd")])

    assert repr(one) == "<SyncReport of acme / shop: partial, 1 applied, 1 held>"
    assert repr(report(status="disabled")) == "<SyncReport of acme / shop: disabled, nothing to sync>"


def test_a_report_as_json_has_everything_but_the_plan() -> None:
    notice = Notice(reason="blind_cart", message="m")
    plan = SyncPlan(merchant="acme", cart="shop")

    data = json.loads(report(outcome("applied"), notices=[notice], plan=plan).to_json(indent=1))

    assert "plan" not in data
    assert data["started_at"] == "2026-03-02T08:00:00+00:00"
    assert data["outcomes"][0]["outcome"] == "applied"
    assert data["notices"][0]["reason"] == "blind_cart"


def test_a_report_explains_from_the_snapshot_of_its_run_and_elsewhere_is_a_named_error() -> None:
    cart = CartSettings(name="shop", rules=QuantityRules(safety_stock=1))
    plan = make_plan(allocate(stock({"A": 5}), MERCHANT, cart), [], capabilities())

    assert report(plan=plan).explain("A").evaluate() == 4
    with pytest.raises(NoExplanationError) as caught:
        report().explain("A")
    assert caught.value.code == "not_carried"


def test_what_was_repeated_is_marked_and_said() -> None:
    plan = SyncPlan(
        merchant="acme",
        cart="shop",
        lines=[line("A"), line("B", "skip", location_id="W")],
        skipped=[skip("C", "C", "excluded"), skip(None, "D", "no_alias"), skip("E", "E", "excluded")],
    )
    repeated = {("A", None): 5, ("B", "W"): 2, ("C", "W"): 3, ("C", "V"): 4}

    outcomes = outcomes_of_plan(plan, repeated=repeated)

    assert {one.listing_sku or "": one.repeated for one in outcomes} == {
        "A": 5,
        "B": 2,
        "C": 7,
        "": None,
        "E": None,
    }
    assert str(report(*outcomes)).endswith("; 3 repeated as last told")
    assert json.loads(report(*outcomes).to_json())["outcomes"][0]["repeated"] == 5


def test_a_run_that_only_repeated_pushed_something() -> None:
    again = Outcome(listing_sku="A", master_sku="A", outcome="unchanged", repeated=5)

    assert str(report(again)) == "1 listing: 1 unchanged; 1 repeated as last told"


def test_a_repetition_that_did_not_go_out_is_why_a_run_was_no_success() -> None:
    notice = Notice(reason="not_repeated", message="1 row could not be repeated")

    assert status_of([outcome("skipped", "excluded")], [notice]) == "failed"
    assert status_of([outcome("pending")], [notice]) == "partial"
    assert report(outcome("skipped", "excluded"), status="failed", notices=[notice]).why == (
        "not_repeated",
        "1 row could not be repeated",
    )


# What is unchanged is kept as its line of the plan.


def unchanged(sku: str) -> tuple[PlanLine, Outcome]:
    line = PlanLine(
        listing_sku=sku,
        master_sku=sku.lower(),
        location_id="W",
        quantity=5,
        shown=5,
        basis="cart",
        action="unchanged",
        reason="stock",
        hint="why",
    )
    return line, Outcome(
        listing_sku=sku,
        master_sku=sku.lower(),
        location_id="W",
        outcome="unchanged",
        quantity=5,
        shown=5,
        message="why",
    )


def test_outcomes_that_are_made_when_looked_at_are_to_everybody_the_tuple_of_them() -> None:
    (a, one), (b, two), wrong = unchanged("A"), unchanged("B"), outcome("rejected", "no")
    outcomes, plain = Outcomes([a, b, wrong]), (one, two, wrong)

    assert outcomes == plain == outcomes
    assert plain == Outcomes(plain)
    assert outcomes != plain[:2]
    assert outcomes != list(plain)
    assert (len(outcomes), repr(outcomes), hash(outcomes)) == (3, repr(plain), hash(plain))
    assert (outcomes[0], outcomes[-1], outcomes[1:]) == (one, wrong, plain[1:])
    assert (list(outcomes), list(reversed(outcomes))) == (list(plain), [wrong, two, one])
    assert two in outcomes
    assert outcomes.index(two) == 1
    assert pickle.loads(pickle.dumps(outcomes)) == plain  # noqa: S301  our own
    with pytest.raises(IndexError):
        outcomes[3]
    assert not Outcomes()


def test_a_report_tells_unchanged_listings_like_any_other() -> None:
    (a, one), wrong = unchanged("A"), outcome("rejected", "no", sku="R")
    kept, plain = report(), report(one, wrong)
    kept = attrs.evolve(kept, outcomes=Outcomes([a, wrong]))

    assert kept == plain
    assert (kept.counts, kept.of("unchanged"), kept.of("rejected")) == (plain.counts, (one,), (wrong,))
    assert kept.to_json() == plain.to_json()
    assert json.loads(kept.to_json())["outcomes"][0]["message"] == "why"
    assert str(kept) == str(plain)
    assert status_of(kept.outcomes) == status_of(plain.outcomes) == status_of([one, wrong]) == "failed"


def test_outcomes_in_order_go_by_listing_place_product_and_reason() -> None:
    (b, _), (a, _) = unchanged("B"), unchanged("A")
    without = [
        Outcome(listing_sku=None, master_sku=sku, outcome="skipped", reason=why)
        for sku, why in [("P", "z"), ("P", "a"), ("O", "z")]
    ]
    elsewhere = Outcome(listing_sku="A", location_id="V", master_sku="a", outcome="held")

    ordered = Outcomes([b, *without, a, elsewhere]).in_order()

    assert [(one.listing_sku, one.location_id, one.master_sku, one.reason) for one in ordered] == [
        (None, None, "O", "z"),
        (None, None, "P", "a"),
        (None, None, "P", "z"),
        ("A", "V", "a", ""),
        ("A", "W", "a", ""),
        ("B", "W", "b", ""),
    ]


def test_a_line_that_moved_since_the_plan_is_a_conflict_whatever_its_action_says() -> None:
    line, _ = unchanged("A")
    plan = SyncPlan(merchant="m", cart="c", lines=[attrs.evolve(line, reason="moved_since_plan")])

    assert [(one.outcome, one.reason) for one in outcomes_of_plan(plan)] == [("conflict", "")]
