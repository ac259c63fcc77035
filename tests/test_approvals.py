"""What a person approves goes through row by row, in one direction, no further, and nothing else with it."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from fake_ports import DictLedger, FakeCart, FakeClock, FakeSource, stock
from hypothesis import given
from hypothesis import strategies as st

from omsync import (
    Approval,
    CartSettings,
    Guardrails,
    MerchantSettings,
    PerWarehouse,
    SyncPlan,
    SyncReport,
    aio,
    approve,
    plan_cart,
    push_plan,
    read_approvals,
    sync_cart,
)
from omsync.errors import DecodeError, InvalidValueError, OmsyncError, SettingsError, WrongTypeError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning import ApprovedRow, CartHistory, PlanLine, approved_rows, guard

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TELLS: dict[str, Any] = {"by": "Ann", "reason": "season's end", "until": DAY}


def figures(count: int, each: int, **more: int) -> dict[Any, int]:
    return {**{f"P{index:02}": each for index in range(count)}, **more}


@attrs.define
class Merchant:
    """A cart, its ledger and the time; what the order manager says comes with each run."""

    cart: FakeCart = attrs.field(factory=lambda: FakeCart(figures(40, 5)))
    ledger: DictLedger = attrs.field(factory=DictLedger)
    clock: FakeClock = attrs.field(factory=FakeClock)

    def _source(self, stocked: Mapping[str, int]) -> FakeSource:
        return FakeSource(attrs.evolve(stock(stocked), taken_at=self.clock.now()))

    def plan(self, stocked: Mapping[str, int]) -> SyncPlan:
        source = self._source(stocked)
        return plan_cart(source, self.cart, SHOP, merchant=MERCHANT, ledger=self.ledger, clock=self.clock)

    def sync(self, stocked: Mapping[str, int]) -> SyncReport:
        source = self._source(stocked)
        return sync_cart(source, self.cart, SHOP, merchant=MERCHANT, ledger=self.ledger, clock=self.clock)

    def approve(self, digest: str, **more: Any) -> Approval:
        return approve(self.ledger, SHOP, digest, **{**TELLS, **more}, clock=self.clock)


@pytest.fixture
def merchant() -> Merchant:
    """A merchant whose cart is known and right."""
    ready = Merchant()
    assert ready.sync(figures(40, 5)).status == "success"
    return ready


def held(report: SyncReport) -> list[str | None]:
    return [one.listing_sku for one in report.of("held")]


def test_a_held_plan_is_approved_by_its_digest_and_then_goes_through(merchant: Merchant) -> None:
    wiped = figures(40, 5, **figures(10, 0))
    report = merchant.sync(wiped)

    approval = merchant.approve(report.digest)
    after = merchant.sync(wiped)

    assert len(held(report)) == 10
    assert (approval.by, approval.until, len(approval.rows)) == ("Ann", merchant.clock.now() + DAY, 10)
    assert after.status == "success"
    assert merchant.cart.shows("P00") == 0
    (line,) = [one for one in after.plan.lines if one.listing_sku == "P00"] if after.plan else []
    assert (line.action, line.approved_by) == ("change", "Ann")
    assert "Approved by Ann (season's end) on 2026-03-02 08:00Z" in line.hint


def test_a_report_with_held_lines_says_how_to_let_them_through_and_others_do_not(merchant: Merchant) -> None:
    report = merchant.sync(figures(40, 5, **figures(10, 0)))
    call = f"approve(ledger, 'shop', '{report.digest}', by=..., reason=..., until=...)"

    assert str(report).splitlines()[-1] == f"  to let 10 held listings through: {call}"
    assert str(attrs.evolve(report, merchant="acme")).endswith("until=..., merchant='acme')")
    assert "approve(" not in str(merchant.sync(figures(40, 5)))


def test_an_approval_holds_for_later_plans_whose_digest_is_another(merchant: Merchant) -> None:
    digest = merchant.plan(figures(40, 5, **figures(10, 0))).digest
    merchant.approve(digest)

    later = merchant.sync(figures(40, 5, **figures(10, 0), P39=6))

    assert later.digest != digest
    assert later.status == "success"


def test_a_row_that_nobody_approved_waits_on_although_others_pass(merchant: Merchant) -> None:
    digest = merchant.plan(figures(40, 5, **figures(10, 0))).digest
    merchant.approve(digest)

    later = merchant.sync(figures(40, 5, **figures(16, 0)))

    assert held(later) == [f"P{index}" for index in range(10, 16)]
    assert merchant.cart.shows("P09") == 0


def test_an_approval_ends(merchant: Merchant) -> None:
    wiped = figures(40, 5, **figures(10, 0))
    merchant.approve(merchant.plan(wiped).digest)
    merchant.clock.pass_by(DAY.total_seconds())

    assert len(held(merchant.sync(wiped))) == 10


def test_approving_a_shrunken_reading_makes_it_the_good_one(merchant: Merchant) -> None:
    half = figures(20, 5, P00=4)
    digest = merchant.plan(half).digest
    assert len(held(merchant.sync(half))) == 1

    merchant.approve(digest)

    assert merchant.sync(half).status == "success"
    assert merchant.sync(figures(20, 5, P00=4, P01=4)).status == "success"


def test_approving_single_rows_does_not_make_the_reading_the_good_one(merchant: Merchant) -> None:
    half = figures(20, 5, P00=4, P01=4)
    merchant.approve(merchant.plan(half).digest, rows=[("P00", None)])

    assert held(merchant.sync(half)) == ["P01"]
    assert merchant.cart.shows("P00") == 4


def test_approving_a_first_push_makes_the_cart_a_known_one() -> None:
    tiny = Merchant(cart=FakeCart({"A": 5, "B": 5}))
    report = tiny.sync({"A": 0, "B": 0})
    assert held(report) == ["A", "B"]

    tiny.approve(report.digest)

    assert tiny.sync({"A": 0, "B": 0}).status == "success"
    tiny.clock.pass_by(2 * DAY.total_seconds())
    assert tiny.sync({"A": 7, "B": 7}).status == "success"
    assert tiny.sync({"A": 0, "B": 0}).status == "success"


def test_only_a_plan_that_held_something_in_this_ledger_can_be_approved(merchant: Merchant) -> None:
    fine = merchant.plan(figures(40, 5, P00=4))

    for digest in (fine.digest, "0" * 16):
        with pytest.raises(SettingsError) as caught:
            merchant.approve(digest)
        assert caught.value.code == "unknown_digest"
    with pytest.raises(SettingsError) as other:
        approve(merchant.ledger, "another", fine.digest, **TELLS)
    assert "default / another" in str(other.value)
    nothing: Any = None
    with pytest.raises(SettingsError):
        approve(nothing, SHOP, fine.digest, **TELLS)


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"until": NOW}, SettingsError, "would have ended at 2026-03-02 08:00:00Z"),
        ({"until": timedelta()}, SettingsError, "would have ended"),
        ({"until": "tomorrow"}, WrongTypeError, "until is a datetime or a timedelta"),
        ({"until": datetime(2027, 1, 1)}, InvalidValueError, "time zone"),  # noqa: DTZ001  what is refused
        ({"by": ""}, InvalidValueError, "Approval.by must not be empty"),
        ({"reason": ""}, InvalidValueError, "Approval.reason must not be empty"),
        ({"rows": [("P39", None)]}, SettingsError, "does not hold ('P39', None)"),
        ({"rows": []}, SettingsError, "No row is approved"),
    ],
)
def test_an_approval_says_who_why_until_when_and_which_rows(
    merchant: Merchant, more: dict[str, Any], error: type[OmsyncError], words: str
) -> None:
    wiped = figures(40, 5, **figures(10, 0))
    digest = merchant.plan(wiped).digest

    with pytest.raises(error) as caught:
        merchant.approve(digest, **more)

    assert words in str(caught.value)
    assert len(held(merchant.sync(wiped))) == 10


def test_a_moment_to_come_is_an_end_too_and_names_may_stand_for_settings(merchant: Merchant) -> None:
    digest = merchant.plan(figures(40, 5, **figures(10, 0))).digest
    until = merchant.clock.now() + 3 * DAY

    awaited = asyncio.run(
        aio.approve(
            merchant.ledger,
            "shop",
            digest,
            by="Ann",
            reason="x",
            until=until,
            merchant=MERCHANT,
            clock=merchant.clock,
        )
    )

    assert awaited == merchant.approve(digest, reason="x", until=until)


def test_a_script_approves_by_digest_and_later_plans_are_let_through_for_a_day(merchant: Merchant) -> None:
    wiped = figures(40, 5, **figures(10, 0))
    plan = merchant.plan(wiped)

    report = push_plan(plan, merchant.cart, ledger=merchant.ledger, approve=plan.digest, clock=merchant.clock)
    merchant.cart.put("P00", 3)
    again = merchant.plan(wiped)

    assert report.status == "success"
    assert [one.reason for one in report.notices if "zero" in one.reason or one.reason == "approved"] == [
        "approved"
    ]
    assert f"10 held listings let through by the plan's digest {plan.digest}" in str(report)
    assert [(one.listing_sku, one.quantity) for one in again.changes] == [("P00", 0)]


def test_a_script_without_a_ledger_approves_this_push_only() -> None:
    cart = FakeCart(figures(40, 5))
    plan = plan_cart(stock(figures(40, 0)), cart, SHOP, merchant=MERCHANT)

    assert push_plan(plan, cart).of("held")
    assert push_plan(plan, cart, approve=plan.digest).status == "success"


def test_a_saved_plan_that_is_approved_meanwhile_goes_through_when_it_is_pushed(merchant: Merchant) -> None:
    plan = merchant.plan(figures(40, 5, **figures(10, 0)))
    merchant.approve(plan.digest)

    report = push_plan(plan, merchant.cart, ledger=merchant.ledger, clock=merchant.clock)

    assert report.status == "success"
    assert merchant.cart.shows("P00") == 0


def test_what_a_cart_refuses_is_let_through_by_no_standing_approval() -> None:
    stubborn = Merchant(cart=FakeCart(figures(40, 5), accepts_zero=False))
    plan = stubborn.plan(figures(40, 0))

    assert {one.reason for one in plan.held} == {"cart_refuses_zero"}
    with pytest.raises(SettingsError):
        stubborn.approve(plan.digest)
    push_plan(plan, stubborn.cart, ledger=stubborn.ledger, approve=plan.digest, clock=stubborn.clock)
    assert stubborn.cart.shows("P00") == 0
    assert stubborn.ledger.memory("default").recall("approvals of shop") == {}


def test_approvals_and_held_plans_survive_in_a_file_and_stay_few(tmp_path: Any) -> None:
    cart, clock = FakeCart(figures(40, 5)), FakeClock()
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        digests = []
        for run in range(55):
            plan = plan_cart(
                stock(figures(40, 0, P39=run)), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock
            )
            digests.append(plan.digest)
            clock.pass_by(60)
        memory = ledger.memory("default")
        assert len(memory.recall("held plans of shop")) == 50
        with pytest.raises(SettingsError):
            approve(ledger, SHOP, digests[3], **TELLS, clock=clock)
        for _ in range(203):
            approve(ledger, SHOP, digests[-1], **TELLS, clock=clock)
            clock.pass_by(1)
        assert len(memory.recall("approvals of shop")) == 103
    with SqliteLedger(tmp_path / "omsync.db") as ledger:
        report = sync_cart(stock(figures(40, 0)), cart, SHOP, merchant=MERCHANT, ledger=ledger, clock=clock)
        assert report.status == "success"


def test_large_held_plans_give_way_to_the_newest(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omsync.guarding._LETTERS", 2_500)
    digests = []
    for run in range(4):
        digests.append(merchant.plan(figures(40, 5, **figures(10, 0), P39=20 + run)).digest)
        merchant.clock.pass_by(60)

    kept = merchant.ledger.memory("default").recall("held plans of shop")

    assert 0 < sum(map(bool, kept.values())) < 4
    with pytest.raises(SettingsError):
        merchant.approve(digests[0])
    assert merchant.approve(digests[-1]).digest == digests[-1]


# Row by row.


def row(shown: int | None, quantity: int) -> ApprovedRow:
    return ApprovedRow(listing_sku="A", shown=shown, quantity=quantity)


def line(shown: int | None, quantity: int, sku: str = "A", place: str | None = None) -> PlanLine:
    return PlanLine(
        listing_sku=sku, master_sku="M", location_id=place, shown=shown, quantity=quantity, action="change"
    )


@pytest.mark.parametrize(
    ("approved", "later", "passes"),
    [
        (row(10, 0), line(10, 0), True),
        (row(10, 0), line(7, 3), True),
        (row(10, 2), line(10, 1), False),
        (row(10, 2), line(30, 20), False),
        (row(10, 2), line(30, 10), True),
        (row(10, 2), line(3, 5), False),
        (row(10, 50), line(10, 50), True),
        (row(10, 50), line(20, 30), True),
        (row(10, 50), line(10, 51), False),
        (row(10, 50), line(60, 50), False),
        (row(10, 50), line(0, 9), False),
        (row(None, 5), line(None, 5), True),
        (row(None, 5), line(None, 4), False),
        (row(None, 5), line(9, 5), False),
        (row(9, 5), line(None, 5), False),
        (row(10, 0), line(10, 0, sku="B"), False),
        (row(10, 0), line(10, 0, place="W1"), False),
    ],
)
def test_a_row_passes_in_the_same_direction_and_no_further_than_approved(
    approved: ApprovedRow, later: PlanLine, passes: bool
) -> None:
    assert approved.covers(later) is passes


def approval(*rows: ApprovedRow, by: str = "Ann", at: datetime = NOW) -> Approval:
    return Approval(digest="d", by=by, reason="r", at=at, until=at + DAY, rows=rows)


def test_the_newest_of_several_approvals_is_the_one_that_is_named() -> None:
    plan = SyncPlan(merchant="m", cart="c", lines=[line(10, 0), line(5, 0, sku="B")])
    old, new = approval(row(10, 0), by="Old"), approval(row(10, 0), by="New", at=NOW + timedelta(hours=1))

    found = approved_rows(plan, [new, old], NOW + timedelta(hours=2))

    assert {key: one.by for key, one in found.items()} == {("A", None): "New"}
    assert approved_rows(plan, [new, old], NOW + 2 * DAY) == {}


@given(st.none() | st.integers(-2, 9), st.integers(0, 9), st.none() | st.integers(-2, 9), st.integers(0, 9))
def test_no_approval_lets_a_row_through_the_other_way_or_beyond(
    was: int | None, approved: int, shown: int | None, quantity: int
) -> None:
    rails = Guardrails(max_changes=0, off={"too_many_zeros", "too_many_falls"})
    history = CartHistory(approvals=[approval(row(was, approved))])
    plan = guard(SyncPlan(merchant="m", cart="c", lines=[line(shown, quantity)]), rails, history, NOW)

    (judged,) = plan.lines
    if judged.action == "change" and quantity != shown:
        if was is None or shown is None:
            assert (was, approved) == (shown, quantity)
        else:
            assert (quantity < shown) == (approved < was)
            assert min(was, approved) <= quantity <= max(was, approved)


# An exported plan.


def exported() -> SyncPlan:
    places = figures(38, 5, **{"=SUM(A1)": 5, "'=SUM(A1)": 5})
    wanted = {sku: 0 if index > 25 else 5 for index, sku in enumerate(sorted(places, reverse=True))}
    return plan_cart(stock({**wanted, "P37": 6}), FakeCart(places), SHOP, merchant=MERCHANT)


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def written(rows: Sequence[Sequence[str]], **dialect: Any) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", **dialect).writerows(rows)
    return text.getvalue()


def marked(plan: SyncPlan, *skus: str) -> list[list[str]]:
    return [[*one[:-1], "yes" if one[1] in skus else one[-1]] for one in cells(plan.to_csv())]


def test_an_exported_plan_says_what_it_shows_and_what_waits() -> None:
    head, *rows = cells(exported().to_csv())

    assert ",".join(head) == (
        "plan,listing_sku,location_id,master_sku,shows,shall_show,action,reason,approve"
    )
    assert rows[0][1:] == ["P37", "", "P37", "5", "6", "change", "stock", ""]
    assert [one[1] for one in rows if one[1].startswith("'")] == ["''=SUM(A1)", "'=SUM(A1)"]
    assert rows[-1][6:] == ["hold", "too_many_zeros", "no"]


def test_rows_marked_yes_are_approved_and_no_others(merchant: Merchant) -> None:
    wiped = figures(40, 5, **figures(10, 0))
    plan = merchant.plan(wiped)

    rows = read_approvals(written(marked(plan, "P03", "P07")), plan)
    merchant.approve(plan.digest, rows=rows)

    assert rows == {("P03", None), ("P07", None)}
    merchant.sync(wiped)
    assert [merchant.cart.shows(sku) for sku in ("P02", "P03", "P07")] == [5, 0, 0]


def test_an_export_may_be_sorted_and_saved_as_a_spreadsheet_does() -> None:
    plan = exported()
    head, *rows = marked(plan, "P03")
    text = written([head, *reversed(rows)], quoting=csv.QUOTE_ALL).replace("\n", "\r\n")

    assert read_approvals(b"\xef\xbb\xbf" + text.encode(), plan) == {("P03", None)}
    assert read_approvals(plan.to_csv(), plan) == frozenset()
    assert read_approvals(written(marked(plan, "'=SUM(A1)")), plan) == {("=SUM(A1)", None)}


@pytest.mark.parametrize("column", range(8))
def test_a_change_in_any_other_column_is_refused(column: int) -> None:
    plan = exported()
    rows = marked(plan, "P03")
    rows[-1][column] += "1"

    with pytest.raises(DecodeError) as caught:
        read_approvals(written(rows), plan)

    assert caught.value.code == "export_edited"
    assert "plan:" in caught.value.problems[0]
    assert any("is missing" in problem for problem in caught.value.problems)


def test_no_row_is_added_left_out_doubled_or_approved_that_does_not_wait() -> None:
    plan = exported()
    rows = marked(plan, "P03")

    for edited, words in (
        (rows[:-1], "is missing"),
        ([*rows, rows[-1]], "there twice"),
        ([*rows, [rows[1][0], "EXTRA", *rows[1][2:]]], "is not as it was exported"),
        (marked(plan, "P37"), "this row waits for no approval"),
        ([[*one[:-1], "YES"] if one[1] == "P03" else one for one in rows], "must be yes or no, not 'YES'"),
        ([one[:-1] for one in rows], "the column 'approve' is missing"),
    ):
        with pytest.raises(DecodeError) as caught:
            read_approvals(written(edited), plan)
        assert any(words in problem for problem in caught.value.problems), caught.value.problems


def test_an_export_of_another_plan_is_refused() -> None:
    plan = exported()
    other = attrs.evolve(plan, merchant="another")

    with pytest.raises(DecodeError, match=f"not the export of the plan {other.digest}"):
        read_approvals(plan.to_csv(), other)


def test_a_row_that_the_cart_refuses_cannot_be_approved_in_an_export() -> None:
    plan = plan_cart(stock({"A": 0}), FakeCart({"A": 5}, accepts_zero=False), SHOP, merchant=MERCHANT)

    with pytest.raises(DecodeError):
        read_approvals(written(marked(plan, "A")), plan)
