"""What once showed stock and has no quantity any more: named, and left, held or sent to 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shelf, Shell, capabilities, stock
from hypothesis import given, settings
from hypothesis import strategies as st

from omsync import (
    Alias,
    CartListing,
    CartSettings,
    InventorySnapshot,
    ListingState,
    MerchantSettings,
    Notice,
    PerWarehouse,
    SinkCapabilities,
    StockLevel,
    SyncPlan,
    SyncReport,
    allocate,
    approve,
    history,
    load_plan,
    push_plan,
    read_approvals,
)
from omsync.config import parse_settings
from omsync.errors import InvalidValueError, NoExplanationError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning import accepted_figures, make_plan
from omsync.planning.gone import CAUSES, INACTIVE, gone_listings
from omsync.planning.plan import Key

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True))
OTHERS = {f"CALM-{number:02}": 5 for number in range(30)}
"""Listings that stay as they are, so that one more or less is no large share."""


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


def reading(figures: Mapping[str, int], *, inactive: Iterable[str] = (), **more: Any) -> InventorySnapshot:
    snapshot = stock(figures, **more)
    off = set(inactive)
    skus = [attrs.evolve(sku, active=sku.master_sku not in off) for sku in snapshot.skus]
    return attrs.evolve(snapshot, skus=skus)


class Desk:
    """A shop and its ledger; days go by between its runs."""

    def __init__(
        self,
        shell: Shell | None = None,
        *,
        settings: CartSettings = SHOP,
        ledger: DictLedger | SqliteLedger | None = None,
        shelves: Mapping[str | Key, int | Shelf] | None = None,
        **given: Any,
    ) -> None:
        self.shell = shell or Blocking()
        self.settings = settings
        self.ledger = ledger if ledger is not None else DictLedger()
        self.cart = FakeCart(dict.fromkeys(["A", *OTHERS], 0) if shelves is None else shelves, **given)
        self.day = 0

    def sync(self, snapshot: InventorySnapshot, **options: Any) -> SyncReport:
        self.day += 1
        report: SyncReport = self.shell.sync_cart(
            snapshot,
            self.cart,
            self.settings,
            **{"merchant": MERCHANT, "ledger": self.ledger, "clock": self.clock, **options},
        )
        return report

    def plan(self, snapshot: InventorySnapshot, **options: Any) -> SyncPlan:
        self.day += 1
        plan: SyncPlan = self.shell.plan_cart(
            snapshot,
            self.cart,
            self.settings,
            **{"merchant": MERCHANT, "ledger": self.ledger, "clock": self.clock, **options},
        )
        return plan

    @property
    def clock(self) -> FakeClock:
        return FakeClock(NOW + timedelta(days=self.day))

    def approve(self, digest: str, **options: Any) -> None:
        clock, span = self.clock, timedelta(days=9)
        approve(self.ledger, "shop", digest, by="Ann", reason="sold out", until=span, clock=clock, **options)


def end(report: SyncReport, sku: str = "A") -> tuple[str, str]:
    (outcome,) = [one for one in report.outcomes if one.listing_sku == sku]
    return outcome.outcome, outcome.reason


def said(told: SyncPlan | SyncReport) -> dict[str, str]:
    return {notice.reason: notice.message for notice in told.notices if notice.reason.startswith("gone")}


def notice(told: SyncPlan | SyncReport, reason: str) -> Notice:
    (found,) = [one for one in told.notices if one.reason == reason]
    return found


BEFORE = reading({"A": 7, **OTHERS})
SWITCHED_OFF = reading({"A": 7, **OTHERS}, inactive="A")
VANISHED = reading(OTHERS)


# By cause, as long as nothing else is said.


def test_zero_waits_for_approval_where_the_order_manager_says_inactive(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync(BEFORE)

    report = desk.sync(SWITCHED_OFF)

    assert end(report) == ("held", "gone_inactive")
    assert (report.status, desk.cart.shows("A")) == ("partial", 7)
    assert said(report) == {
        "gone_held": "1 listing gone and shall show 0 once that is approved: A shows 7, told 24 hours "
        "ago (inactive product)"
    }
    (held,) = report.of("held")
    assert (held.quantity, held.shown) == (0, 7)
    assert held.message == (
        "It shows 7, told 24 hours ago, and has no quantity any more. 'A' is switched off in the order "
        "manager; switch it on there, or set ignore_inactive=False. If it shall no longer be sold, approve "
        "the plan by its digest, and it is told 0."
    )


def test_once_approved_it_is_told_zero_and_the_matter_is_closed(shell: Shell, tmp_path: Path) -> None:
    desk = Desk(shell, ledger=SqliteLedger(tmp_path / "omsync.db"))
    desk.sync(BEFORE)
    desk.approve(desk.sync(SWITCHED_OFF).digest)

    approved = desk.sync(SWITCHED_OFF)
    after = desk.sync(SWITCHED_OFF)

    assert (end(approved), approved.status, desk.cart.shows("A")) == (("applied", ""), "success", 0)
    assert (end(after), after.status, said(after)) == (("skipped", "inactive_product"), "success", {})
    sent = history(desk.ledger, SHOP, "A").entries[-1]
    assert (sent.quantity, sent.approved_by) == (0, "Ann")
    assert (sent.summary, sent.explanation) == ("0 because it is gone: inactive product", "")


def test_a_person_may_approve_it_in_the_exported_plan() -> None:
    desk = Desk()
    desk.sync(BEFORE)
    plan = desk.plan(SWITCHED_OFF)
    sheet = plan.to_csv()
    assert sheet.splitlines()[1:] == [f"{plan.digest},A,,A,7,0,hold,gone_inactive,no"]
    assert "held: gone inactive" in str(plan)

    rows = read_approvals(sheet.replace(",no\n", ",yes\n"), plan)
    desk.approve(plan.digest, rows=rows)

    assert end(desk.sync(SWITCHED_OFF)) == ("applied", "")


def test_what_is_merely_absent_is_left_and_named(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync(BEFORE)
    desk.day += 5

    report = desk.sync(VANISHED)

    assert (report.status, desk.cart.shows("A")) == ("success", 7)
    assert said(report) == {
        "gone_left": "1 listing gone and left as it is; end it in the cart, or let 0 be proposed with "
        "when_gone='hold_zero': A shows 7, told 6 days ago (unknown product)"
    }
    assert "A shows 7, told 6 days ago" in str(report)
    assert all(outcome.listing_sku != "A" for outcome in report.outcomes)


def test_it_is_named_with_what_it_shows_now_and_as_long_as_it_shows_something() -> None:
    desk = Desk()
    desk.sync(BEFORE)
    desk.cart.put("A", 3)
    assert notice(desk.sync(VANISHED), "gone_left").entries == (
        "A shows 3, told 24 hours ago (unknown product)",
    )

    desk.cart.put("A", 0)
    assert said(desk.sync(VANISHED)) == {}

    del desk.cart.shelves["A", None]
    assert said(desk.sync(VANISHED)) == {}


def test_what_comes_back_is_synced_as_before() -> None:
    desk = Desk()
    desk.sync(BEFORE)
    desk.sync(SWITCHED_OFF)

    report = desk.sync(reading({"A": 6, **OTHERS}))

    assert (end(report), said(report), desk.cart.shows("A")) == (("applied", ""), {}, 6)


ALIASED = CartSettings(name="shop", alias="Shop")


def aliases(*skus: str, **changed: Any) -> list[Alias]:
    return [
        attrs.evolve(Alias(name="Shop", listing_sku=sku, master_sku=sku), **(changed if sku == "A" else {}))
        for sku in skus
    ]


def without_records(sku: str) -> InventorySnapshot:
    levels = [StockLevel(master_sku=other, location_id="W1", available=5) for other in OTHERS]
    return attrs.evolve(reading({sku: 1, **OTHERS}), levels=levels)


def changed_sku(**changed: Any) -> InventorySnapshot:
    skus = [attrs.evolve(one, **changed) if one.master_sku == "A" else one for one in BEFORE.skus]
    return attrs.evolve(BEFORE, skus=skus)


@pytest.mark.parametrize(
    ("snapshot", "settings", "cause"),
    [
        (without_records("A"), SHOP, "no stock record"),
        (changed_sku(kind="bundle"), SHOP, ""),
        (changed_sku(tracked=False), SHOP, "untracked product"),
        (changed_sku(kind="virtual"), SHOP, "virtual product"),
        (changed_sku(digital=True), SHOP, "digital product"),
        (BEFORE, attrs.evolve(SHOP, exclude={"A"}), "excluded"),
        (BEFORE, attrs.evolve(SHOP, only=set(OTHERS)), "not among only"),
        (attrs.evolve(BEFORE, aliases=aliases(*OTHERS)), ALIASED, "no alias"),
        (
            attrs.evolve(BEFORE, aliases=aliases("A", *OTHERS, push_inventory=False)),
            attrs.evolve(ALIASED, respect_push_inventory=True),
            "push inventory off",
        ),
    ],
    ids=lambda value: value.replace(" ", "_") if isinstance(value, str) else "",
)
def test_each_way_of_being_absent_is_named_and_leaves_the_cart_alone(
    snapshot: InventorySnapshot, settings: CartSettings, cause: str
) -> None:
    desk = Desk()
    desk.sync(BEFORE)
    desk.settings = settings

    report = desk.sync(snapshot)

    # A product that turned into a bundle without parts is a mistake to correct, and not gone.
    assert [name.partition("(")[2].rstrip(")") for name in said(report).values()] == (
        [cause] if cause else []
    )
    assert (report.status, desk.cart.shows("A")) == ("success", 7)
    assert sum(outcome.listing_sku == "A" for outcome in report.outcomes) <= 1


def test_a_listing_that_is_switched_off_is_as_gone_as_its_product() -> None:
    desk = Desk(settings=ALIASED)
    desk.sync(attrs.evolve(BEFORE, aliases=aliases("A", *OTHERS)))

    report = desk.sync(attrs.evolve(BEFORE, aliases=aliases("A", *OTHERS, active=False)))

    assert end(report) == ("held", "gone_inactive")


def test_a_record_only_at_a_warehouse_that_a_breakdown_does_not_count_is_none() -> None:
    merchant = MerchantSettings(mode=PerWarehouse(disabled={"W2"}))
    desk = Desk(settings=attrs.evolve(SHOP, breakdown=True), shelves={("A", "W1"): 0}, locations="required")
    desk.sync(reading({"A": 7}, places=["W1", "W2"]), merchant=merchant)
    moved = attrs.evolve(
        reading({"A": 7}, places=["W1", "W2"]),
        levels=[StockLevel(master_sku="A", location_id="W2", available=7)],
    )

    report = desk.sync(moved, merchant=merchant)

    assert notice(report, "gone_left").entries == (
        "A at W1 shows 7, told 24 hours ago (recorded only elsewhere)",
    )


# As the setting says.


def settled(when_gone: str) -> CartSettings:
    return attrs.evolve(SHOP, when_gone=when_gone)


@pytest.mark.parametrize("snapshot", [SWITCHED_OFF, VANISHED], ids=["inactive", "absent"])
def test_left_means_that_nothing_changes_and_it_is_named(shell: Shell, snapshot: InventorySnapshot) -> None:
    desk = Desk(shell, settings=settled("leave"))
    desk.sync(BEFORE)

    report = desk.sync(snapshot)

    assert (report.status, list(said(report)), desk.cart.shows("A")) == ("success", ["gone_left"], 7)
    assert all(outcome.outcome in {"unchanged", "skipped"} for outcome in report.outcomes)


def test_absent_or_not_zero_may_wait_for_approval(shell: Shell) -> None:
    desk = Desk(shell, settings=settled("hold_zero"))
    desk.sync(BEFORE)

    report = desk.sync(VANISHED)

    assert (end(report), desk.cart.shows("A")) == (("held", "gone"), 7)
    assert report.of("held")[0].message == (
        "It shows 7, told 24 hours ago, and has no quantity any more. The order manager lists nothing for "
        "this cart under this code any more. If it shall no longer be sold, approve the plan by its digest, "
        "and it is told 0."
    )
    desk.approve(report.digest)
    assert (end(desk.sync(VANISHED)), desk.cart.shows("A")) == (("applied", ""), 0)


@pytest.mark.parametrize(
    ("snapshot", "cause"), [(SWITCHED_OFF, "inactive product"), (VANISHED, "unknown product")]
)
def test_zero_means_zero_and_is_said(shell: Shell, snapshot: InventorySnapshot, cause: str) -> None:
    desk = Desk(shell, settings=settled("zero"))
    desk.sync(BEFORE)

    report = desk.sync(snapshot)

    assert (end(report), report.status, desk.cart.shows("A")) == (("applied", ""), "success", 0)
    assert said(report) == {
        "gone_zeroed": f"1 listing gone and shall show 0 (when_gone='zero'): A shows 7, told 24 hours ago "
        f"({cause})"
    }
    assert said(desk.sync(snapshot)) == {}


def test_zeros_of_what_is_gone_are_counted_by_the_guardrails() -> None:
    gone = {f"GONE-{number}": 5 for number in range(4)}
    desk = Desk(settings=settled("zero"), shelves=dict.fromkeys([*gone, *OTHERS], 0))
    desk.sync(reading({**gone, **OTHERS}))

    report = desk.sync(reading({**gone, **OTHERS}, inactive=gone))

    assert {outcome.reason for outcome in report.of("held")} == {"too_many_zeros"}
    assert len(report.of("held")) == 4


def test_a_shrunken_reading_sends_nothing_to_zero() -> None:
    desk = Desk(settings=settled("zero"))
    desk.sync(BEFORE)

    report = desk.sync(reading(dict(list(OTHERS.items())[:10])))

    assert {outcome.reason for outcome in report.of("held")} == {"shrunken_snapshot"}
    assert (len(report.of("held")), desk.cart.shows("A")) == (21, 7)


def test_many_are_counted_and_all_are_among_the_entries() -> None:
    gone = {f"GONE-{number}": 5 for number in range(7)}
    desk = Desk(shelves=dict.fromkeys([*gone, *OTHERS], 0))
    desk.sync(reading({**gone, **OTHERS}))

    told = notice(desk.sync(VANISHED), "gone_left")

    assert told.message.startswith("7 listings gone and left as it is")
    assert told.message.endswith("GONE-4 shows 5, told 24 hours ago (unknown product); and 2 more")
    assert len(told.entries) == 7


def test_the_setting_is_written_in_a_file_as_in_python() -> None:
    text = '[merchant]\nmode = {{ per = "warehouse" }}\n[[cart]]\nname = "shop"\nwhen_gone = "{}"\n'

    assert parse_settings(text.format("hold_zero")).cart("shop").when_gone == "hold_zero"
    assert SHOP.when_gone == "by_cause"
    with pytest.raises(InvalidValueError, match="by_cause"):
        CartSettings(name="shop", when_gone="perhaps")


# What is no trouble.


def test_what_never_showed_anything_by_us_is_not_gone() -> None:
    desk = Desk(shelves={"A": 0, "B": 4, "C": 0}, lists_all=True)
    desk.sync(reading({"A": 0, "C": 2}))

    report = desk.sync(reading({"C": 2}))

    assert said(report) == {}
    assert report.cart_only == ("A", "B")


def test_without_a_ledger_nobody_knows_what_was_shown() -> None:
    desk = Desk()
    desk.sync(BEFORE, ledger=None)

    assert said(desk.sync(SWITCHED_OFF, ledger=None)) == {}


def test_a_mistake_that_somebody_will_correct_is_skipped_and_not_gone() -> None:
    both = [*aliases("A", *OTHERS), Alias(name="Shop", listing_sku="A", master_sku="CALM-00")]
    desk = Desk(settings=attrs.evolve(ALIASED, when_gone="zero"))
    desk.sync(attrs.evolve(BEFORE, aliases=aliases("A", *OTHERS)))

    report = desk.sync(attrs.evolve(BEFORE, aliases=both))

    assert (said(report), desk.cart.shows("A")) == ({}, 7)


def test_only_the_cart_is_asked_for_what_may_be_gone() -> None:
    desk = Desk(shelves={"A": 0, "B": 0})
    desk.sync(reading({"A": 7, "B": 2}))
    desk.sync(reading({"B": 2}))
    assert desk.cart.reads[-1] == ("A", "B")

    desk.cart.put("A", 0)
    plan = desk.plan(reading({"B": 2}))
    assert (said(plan), [line.listing_sku for line in plan.lines]) == ({}, ["B"])


# One listing, one outcome.


def test_where_two_products_claim_the_listing_one_that_is_off_does_not_speak_for_the_other() -> None:
    both = [*aliases("A", *OTHERS), Alias(name="Shop", listing_sku="A", master_sku="Z")]
    figures = {"A": 7, "Z": 1, **OTHERS}
    desk = Desk(settings=ALIASED)
    desk.sync(reading(figures, aliases=aliases("A", *OTHERS)))

    levels = [StockLevel(master_sku=sku, location_id="W1", available=5) for sku in ("A", *OTHERS)]
    one_off = desk.sync(attrs.evolve(reading(figures, inactive="A", aliases=both), levels=levels))
    assert notice(one_off, "gone_left").entries == ("A shows 7, told 24 hours ago (no stock record)",)

    both_off = desk.sync(reading(figures, inactive="AZ", aliases=both))
    assert end(both_off) == ("held", "gone_inactive")
    assert [(one.listing_sku, one.reason) for one in both_off.outcomes if one.master_sku == "Z"] == [
        (None, "inactive_product")
    ]


def test_each_known_row_of_a_breakdown_is_gone_by_itself() -> None:
    desk = Desk(
        settings=attrs.evolve(SHOP, breakdown=True),
        shelves={("A", "W1"): 0, ("A", "W2"): 0, ("B", "W1"): 3, ("B", "W2"): 3},
        locations="required",
    )
    desk.sync(reading({"A": 7, "B": 3}, places=["W1", "W2"]))
    desk.cart.put(("A", "W3"), 4)

    report = desk.sync(reading({"A": 7, "B": 3}, inactive="A", places=["W1", "W2"]))

    assert [
        (one.location_id, one.outcome, one.reason) for one in report.outcomes if one.master_sku == "A"
    ] == [
        ("W1", "held", "gone_inactive"),
        ("W2", "held", "gone_inactive"),
    ]
    assert notice(report, "rows_only_in_cart").entries == ("A at W3",)


def test_a_location_that_is_no_longer_told_is_not_gone() -> None:
    desk = Desk(
        settings=attrs.evolve(SHOP, breakdown=True, when_gone="zero"),
        shelves={("A", "W1"): 0, ("A", "W2"): 0},
        locations="required",
    )
    figures = reading({"A": 7}, places=["W1", "W2"])
    desk.sync(figures)

    report = desk.sync(figures, merchant=MerchantSettings(mode=PerWarehouse(disabled={"W2"})))

    assert (said(report), desk.cart.shows("A", "W2")) == ({}, 7)
    assert notice(report, "rows_only_in_cart").entries == ("A at W2",)


# Carts of other kinds.


def test_a_cart_that_cannot_be_read_is_taken_to_show_what_it_accepted(shell: Shell) -> None:
    desk = Desk(shell, readable=False)
    desk.sync(BEFORE)

    held = desk.sync(SWITCHED_OFF)
    assert (end(held), held.of("held")[0].shown) == (("held", "gone_inactive"), 7)
    desk.approve(held.digest)
    assert end(desk.sync(SWITCHED_OFF))[0] in {"applied", "pending"}

    assert (desk.cart.sent[-1], said(desk.sync(SWITCHED_OFF))) == (("A", 0), {})


def test_what_was_sent_and_never_answered_may_show(shell: Shell) -> None:
    desk = Desk(shell, readable=False, rows={"A": "no_answer"}, settings=settled("zero"))
    desk.sync(BEFORE)

    report = desk.sync(VANISHED)

    assert notice(report, "gone_zeroed").entries == ("A shows 7, told 24 hours ago (unknown product)",)
    assert (desk.cart.sent[-1], end(report)) == (("A", 0), ("pending", "no_answer_for_row"))
    again = desk.plan(VANISHED)
    assert again.changes[0].key == ("A", None)
    assert notice(again, "gone_zeroed").entries == (
        "A may still show something, told 24 hours ago (unknown product)",
    )


def test_a_zero_that_does_not_show_yet_is_not_taken_for_done() -> None:
    desk = Desk(shelves={"A": 7}, rows={"A": "ignored"}, settings=settled("zero"))
    desk.sync(reading({"A": 7, "B": 1}))
    assert end(desk.sync(reading({"B": 1}))) == ("pending", "accepted_not_applied")

    assert list(said(desk.plan(reading({"B": 1})))) == ["gone_zeroed"]


def test_units_that_the_cart_has_promised_are_added_to_the_zero() -> None:
    desk = Desk(
        settings=settled("zero"),
        shelves={"A": Shelf(quantity=9, allocated=2), "B": Shelf(quantity=9, allocated=9)},
        quantity_meaning="on_hand",
    )
    desk.sync(reading({"A": 7, "B": 5}))
    desk.cart.put("B", Shelf(quantity=3, allocated=5))

    report = desk.sync(reading({"A": 7, "B": 5}, inactive="AB"))

    # What shows less than nothing is not raised to it.
    assert (desk.cart.sent[-1], desk.cart.shows("A"), end(report, "B")) == (
        ("A", 2),
        0,
        ("skipped", "inactive_product"),
    )


def test_a_cart_that_takes_no_zero_keeps_it_and_it_is_named(shell: Shell) -> None:
    desk = Desk(shell, accepts_zero=False, settings=settled("zero"))
    desk.sync(BEFORE)

    report = desk.sync(SWITCHED_OFF)

    assert (end(report), list(said(report))) == (("skipped", "inactive_product"), ["gone_left"])
    assert desk.cart.shows("A") == 7


def test_a_cart_that_is_told_everything_is_told_what_is_left_as_last_told(shell: Shell) -> None:
    desk = Desk(shell, contents="full", readable=False, settings=settled("leave"))
    desk.sync(BEFORE)
    desk.sync(SWITCHED_OFF)
    assert ("A", 7) in [(row.listing_sku, row.quantity) for row in desk.cart.pushes[-1]]

    desk.settings = settled("hold_zero")
    desk.sync(SWITCHED_OFF)
    assert [row.quantity for row in desk.cart.pushes[-1] if row.listing_sku == "A"] == [7]

    desk.settings = settled("zero")
    plan = desk.plan(VANISHED)
    assert notice(plan, "told_everything").message.endswith("30 rows")
    assert all(told.reason != "cart_only_repeated" for told in plan.notices)
    desk.sync(VANISHED)
    assert [row.quantity for row in desk.cart.pushes[-1] if row.listing_sku == "A"] == [0]


def test_a_cart_without_a_figure_may_show_what_the_ledger_knows() -> None:
    desk = Desk(settings=settled("hold_zero"))
    desk.sync(BEFORE)
    desk.cart.put("A", Shelf(quantity=None))

    plan = desk.plan(VANISHED)

    assert [(line.shown, line.quantity) for line in plan.held] == [(None, 0)]
    assert notice(plan, "gone_held").entries == ("A shows 7, told 24 hours ago (unknown product)",)


def test_a_cart_that_makes_listings_is_not_made_to_make_one_that_shows_zero() -> None:
    desk = Desk(settings=settled("zero"), creates_listings=True)
    desk.sync(BEFORE)
    del desk.cart.shelves["A", None]

    assert said(desk.plan(VANISHED)) == {}


def test_a_listing_that_the_cart_no_longer_counts_is_not_told_zero() -> None:
    desk = Desk(settings=settled("zero"))
    desk.sync(BEFORE)
    desk.cart.put("A", Shelf(quantity=7, state="untracked"))

    report = desk.sync(SWITCHED_OFF)

    assert (end(report), said(report)) == (("skipped", "inactive_product"), {})


# Explained, saved, pushed later.


def test_it_has_no_derivation_and_says_why() -> None:
    desk = Desk()
    desk.sync(BEFORE)
    plan = desk.plan(SWITCHED_OFF)

    for one in (plan, load_plan(plan.to_json())):
        with pytest.raises(NoExplanationError) as refused:
            one.explain("A")
        assert (refused.value.code, refused.value.message) == (
            "gone",
            "'A' shall show 0 because it is gone: inactive product",
        )
        assert "approve the plan by its digest" in refused.value.remedy
    assert plan.explain("CALM-00").quantity == 5
    (line,) = plan.held
    assert (line.gone, attrs.evolve(line, gone="").why_gone) == ("inactive_product", "")


def test_an_unknown_listing_is_still_unknown() -> None:
    desk = Desk()
    desk.sync(BEFORE)

    with pytest.raises(NoExplanationError) as refused:
        desk.plan(SWITCHED_OFF).explain("NONE")
    assert refused.value.code == "no_such_listing"


def test_a_saved_plan_tells_it_zero_when_its_digest_is_given(shell: Shell) -> None:
    desk = Desk(shell)
    desk.sync(BEFORE)
    plan = load_plan(desk.plan(SWITCHED_OFF).to_json())

    report = shell.push_plan(plan, desk.cart, ledger=desk.ledger, approve=plan.digest, clock=desk.clock)

    assert (end(report), desk.cart.shows("A")) == (("applied", ""), 0)


def test_a_saved_plan_does_nothing_where_it_sold_out_meanwhile() -> None:
    desk = Desk(settings=settled("zero"))
    desk.sync(BEFORE)
    plan = desk.plan(VANISHED)
    desk.cart.put("A", 0)

    report = push_plan(plan, desk.cart, ledger=desk.ledger, clock=desk.clock)

    assert (end(report), desk.cart.sent[-1][0]) == (("unchanged", ""), "CALM-29")


# How long ago.


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"accepted": 7, "accepted_at": NOW - timedelta(minutes=59)}, "less than an hour ago"),
        ({"accepted": 7, "accepted_at": NOW - timedelta(hours=1)}, "1 hour ago"),
        ({"accepted": 7, "accepted_at": NOW - timedelta(hours=47)}, "47 hours ago"),
        ({"accepted": 7, "accepted_at": NOW - timedelta(days=2)}, "2 days ago"),
        ({"sent": 7, "sent_at": NOW - timedelta(days=3)}, "3 days ago"),
        ({"sent": 0, "sent_at": NOW, "accepted": 7, "accepted_at": NOW - timedelta(days=3)}, "3 days ago"),
        ({"observed": 7, "observed_at": NOW - timedelta(days=4)}, "4 days ago"),
        (
            {"observed": 7, "observed_at": NOW, "observed_since": NOW - timedelta(days=5)},
            "5 days ago",
        ),
        ({"accepted": 7}, "nobody knows when"),
    ],
)
def test_its_age_is_that_of_what_it_was_last_told(state: Mapping[str, Any], told: str) -> None:
    (one,) = gone_listings(
        allocate(VANISHED, MERCHANT, SHOP),
        [ListingState(listing_sku="A", **state)],
        SHOP,
        capabilities(),
        NOW,
    )

    assert (one.last, one.quantity) == (f"shows 7, told {told}", 7)


@pytest.mark.parametrize(
    ("locations", "found"), [("none", [None]), ("required", ["W1"]), ("optional", [None, "W1"])]
)
def test_a_place_that_the_cart_cannot_be_told_of_is_left_out(locations: str, found: list[str | None]) -> None:
    known = [ListingState(listing_sku="A", location_id=place, accepted=7) for place in (None, "W1")]
    gone = gone_listings(
        allocate(VANISHED, MERCHANT, SHOP), known, SHOP, capabilities(locations=locations), NOW
    )

    assert [one.location_id for one in gone] == found


def test_every_cause_is_either_told_by_the_order_manager_or_an_absence() -> None:
    assert {"inactive_product", "inactive_listing"} == INACTIVE
    assert INACTIVE < CAUSES


# The law.

SKUS = [*"ABCD"]
figures = st.integers(-2, 9)


@st.composite
def stories(
    draw: st.DrawFn,
) -> tuple[InventorySnapshot, list[ListingState], list[CartListing], SinkCapabilities]:
    there = draw(st.sets(st.sampled_from(SKUS)))
    snapshot = reading(
        {sku: draw(st.integers(0, 9)) for sku in sorted(there)},
        inactive=draw(st.sets(st.sampled_from(SKUS))),
    )
    states = [
        ListingState(
            listing_sku=sku,
            sent=draw(st.none() | figures),
            accepted=draw(st.none() | figures),
            observed=draw(st.none() | figures),
        )
        for sku in sorted(draw(st.sets(st.sampled_from(SKUS))))
    ]
    shown = [
        CartListing(listing_sku=sku, quantity=draw(st.none() | figures))
        for sku in sorted(draw(st.sets(st.sampled_from(SKUS))))
    ]
    can = capabilities(
        readable=draw(st.booleans()),
        accepts_zero=draw(st.booleans()),
        contents=draw(st.sampled_from(["changes", "full"])),
    )
    return snapshot, states, shown if can.readable else [], can


@settings(deadline=None)
@given(
    story=stories(),
    when_gone=st.sampled_from(["by_cause", "leave", "hold_zero", "zero"]),
    excluded=st.sets(st.sampled_from(SKUS)),
)
def test_whatever_is_gone_nothing_with_a_quantity_is_touched_and_left_is_left(
    story: tuple[InventorySnapshot, list[ListingState], list[CartListing], SinkCapabilities],
    when_gone: str,
    excluded: set[str],
) -> None:
    snapshot, states, shown, can = story
    cart = attrs.evolve(SHOP, when_gone=when_gone, exclude=excluded)
    allocation = allocate(snapshot, MERCHANT, cart)
    accepted = {} if can.readable else accepted_figures(states)
    gone = gone_listings(allocation, states, cart, can, NOW)

    plain = make_plan(allocation, shown, can, accepted)
    plan = make_plan(allocation, shown, can, accepted, (), gone)

    own = {row.listing_sku for row in allocation.quantities}
    assert [line for line in plan.lines if line.listing_sku in own] == list(plain.lines)
    more = [line for line in plan.lines if line.listing_sku not in own]
    assert all((line.quantity, bool(line.gone)) == (0, True) for line in more)
    assert all(line.shown is None or line.shown > 0 for line in more)
    assert when_gone != "leave" or not more
    assert when_gone == "zero" or all(line.action == "hold" for line in more)
    assert when_gone != "by_cause" or all(line.gone in INACTIVE for line in more)
    assert {line.listing_sku for line in more}.isdisjoint(one.listing_sku for one in plan.skipped)
    assert len({line.key for line in plan.lines}) == len(plan.lines)
    assert {line.key for line in plan.lines}.isdisjoint(
        (row.listing_sku, row.location_id) for row in plan.known
    )
    named = [entry for told in plan.notices if told.reason.startswith("gone") for entry in told.entries]
    assert len(named) == len({entry.split()[0] for entry in named}) >= len(more)
