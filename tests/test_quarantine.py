"""A row that the cart refuses run after run is left out for a while, and nobody has to remember it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from fake_ports import START, Awaiting, Blocking, DictLedger, FakeCart, FakeClock, Shell, stock

import omsync
from omsync import (
    CartSettings,
    Guardrails,
    InventorySnapshot,
    MerchantSettings,
    Notice,
    Outcome,
    PerWarehouse,
    PushResult,
    QuantityChange,
    Quarantine,
    QuarantinedRow,
    SyncPlan,
    SyncReport,
    aio,
    load_plan,
)
from omsync.config import parse_settings
from omsync.errors import (
    InvalidValueError,
    LedgerError,
    RefusedError,
    SettingsError,
    ThrottledError,
    TransientError,
    UnreachableError,
    WrongTypeError,
)
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning import PlanLine
from omsync.planning.quarantine import Release, hold_quarantined
from omsync.planning.quarantine_view import noticed
from omsync.serial import from_json

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop", order_lag=0, guardrails=Guardrails(min_population=1000))
QUARTER, HOUR = 900, 3600


@pytest.fixture(params=(Blocking(), Awaiting(twins=True)), ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


class Cart(FakeCart):
    """A cart whose script may change between runs."""

    def says(self, sku: str, how: str) -> None:
        """Let this become of a listing's rows from now on."""
        self._rows[sku] = how

    def breaks_at(self, calls: Mapping[int, BaseException]) -> None:
        """Let pushes raise, by their number."""
        self._calls = {number: (error, False) for number, error in calls.items()}


@attrs.define
class Shop:
    """A cart with a bad row, a ledger and a clock; each run sells a mug, so that something goes through."""

    cart: Cart
    shell: Shell = attrs.field(factory=Blocking)
    settings: CartSettings = SHOP
    ledger: Any = attrs.field(factory=DictLedger)
    clock: FakeClock = attrs.field(factory=FakeClock)
    figures: dict[str, int] = attrs.field(factory=lambda: {"BAD": 9, "MUG": 500})
    sells: bool = True

    def reading(self) -> InventorySnapshot:
        if self.sells:
            self.figures["MUG"] -= 1
        return stock(self.figures)

    def plan(self) -> SyncPlan:
        plan: SyncPlan = self.shell.plan_cart(
            self.reading(),
            self.cart,
            self.settings,
            merchant=MERCHANT,
            ledger=self.ledger,
            clock=self.clock,
        )
        return plan

    def push(self, plan: SyncPlan, **more: Any) -> SyncReport:
        report: SyncReport = self.shell.push_plan(
            plan, self.cart, ledger=self.ledger, clock=self.clock, **more
        )
        return report

    def run(self, *, after: int = QUARTER, **more: Any) -> SyncReport:
        self.clock.pass_by(after)
        report: SyncReport = self.shell.sync_cart(
            self.reading(),
            self.cart,
            self.settings,
            merchant=MERCHANT,
            ledger=self.ledger,
            clock=self.clock,
            **more,
        )
        return report

    def refuse(self, times: int = 3) -> SyncReport:
        """Run so many times; the last report comes back."""
        return [self.run() for _ in range(times)][-1]

    def quarantined(self, cart: Any = "shop") -> Quarantine:
        if isinstance(self.shell, Awaiting):
            return asyncio.run(aio.quarantined(self.ledger, cart, clock=self.clock))
        return omsync.quarantined(self.ledger, cart, clock=self.clock)

    def release(self, skus: Any = None, by: str = "Ann", reason: str = "mended it") -> Quarantine:
        options: Any = {"by": by, "reason": reason, "clock": self.clock}
        if isinstance(self.shell, Awaiting):
            return asyncio.run(aio.release(self.ledger, "shop", skus, **options))
        return omsync.release(self.ledger, "shop", skus, **options)

    def kept(self) -> dict[str, str]:
        """Give what the ledger still keeps of refusals."""
        kept = self.ledger.memory("default").recall("quarantine of shop")
        return {key: text for key, text in kept.items() if text}


def shop_of(shown: int = 5, *, shell: Shell | None = None, **given: Any) -> Shop:
    cart = Cart({"BAD": shown, "MUG": 500}, rows={"BAD": "rejected"}, **given)
    return Shop(cart, shell or Blocking())


def mend(shop: Shop, how: str = "accepted") -> None:
    shop.cart.says("BAD", how)


def of(report: SyncReport, sku: str = "BAD") -> Outcome:
    (outcome,) = [one for one in report.outcomes if one.listing_sku == sku]
    return outcome


def ended(report: SyncReport, sku: str = "BAD") -> tuple[str, str]:
    outcome = of(report, sku)
    return outcome.outcome, outcome.reason


def said(report: SyncReport | SyncPlan, reason: str) -> list[Notice]:
    return [notice for notice in report.notices if notice.reason == reason]


HELD = ("held", "quarantined")
REFUSED = ("rejected", "rejected")
APPLIED = ("applied", "")


# Into quarantine.


def test_a_row_that_is_refused_in_three_runs_running_is_left_out_and_the_others_go_on(shell: Shell) -> None:
    shop = shop_of(shell=shell)

    ends = [ended(report) for report in (shop.run(), shop.run(), shop.run())]
    report = shop.run()

    assert ends == [REFUSED] * 3
    assert ended(report) == HELD
    assert ended(report, "MUG") == APPLIED
    assert report.status == "partial"
    assert [sku for sku, _ in shop.cart.sent].count("BAD") == 3


def test_the_outcome_says_what_the_cart_said_and_what_lets_the_row_out() -> None:
    shop = shop_of()
    shop.refuse()

    outcome = of(shop.run())

    assert (outcome.quantity, outcome.shown) == (9, 5)
    assert outcome.message == (
        "The cart refused it 3 times since 2026-03-02 08:15Z (rejected: the cart says rejected). It is tried "
        "again at 2026-03-02 09:45Z, as soon as its quantity, what the cart shows or the settings change, or "
        "after release()."
    )


def test_the_report_of_the_run_that_puts_it_in_says_so_at_once() -> None:
    shop = shop_of()

    assert said(shop.refuse(2), "quarantined") == []
    (notice,) = said(shop.refuse(1), "quarantined")

    assert notice.entries == ("BAD",)
    assert notice.message == (
        "1 row in quarantine, refused by the cart again and again, the oldest since 2026-03-02 08:15Z: "
        "'BAD' 5 -> 9 (3 times, rejected: the cart says rejected; next try 2026-03-02 09:45Z)"
    )


def test_a_plan_says_what_is_left_out_before_anything_is_pushed(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.refuse()

    plan = shop.plan()

    assert [line.listing_sku for line in plan.held] == ["BAD"]
    assert said(plan, "quarantined")[0].entries == ("BAD",)
    assert "held: quarantined" in str(plan)


def test_a_zero_or_a_fall_is_named_first_with_the_units_that_are_exposed() -> None:
    shop = shop_of()
    for sku in ("RISE", "FALL", "ZERO", "WHO"):
        shop.cart.put(sku, 4)
        shop.cart.says(sku, "rejected")
    shop.figures |= {"RISE": 90, "FALL": 1, "ZERO": 0, "WHO": 7}
    shop.refuse()

    report = shop.run()
    (notice,) = said(report, "quarantined")

    assert report.notices[0] == notice
    assert notice.message.startswith("5 rows in quarantine, refused by the cart again and again, 7 units on ")
    assert notice.message.index("'ZERO' 4 -> 0") < notice.message.index("'FALL' 4 -> 1")
    assert notice.message.endswith("; and 2 more")
    assert [row.listing_sku for row in shop.quarantined()][:2] == ["ZERO", "FALL"]
    assert "7 units on sale that are not there" in str(report)


def test_rows_that_wait_are_no_success_and_no_failure_when_nothing_else_is_to_be_done() -> None:
    shop = shop_of()
    shop.refuse()
    shop.sells = False
    shop.cart.put("MUG", shop.figures["MUG"])

    report = shop.run()

    assert (report.status, dict(report.counts)) == ("partial", {"unchanged": 1, "held": 1})
    assert report.why[0] == "quarantined"


def test_a_batch_that_is_refused_whole_is_split_and_only_the_bad_row_is_put_in(shell: Shell) -> None:
    class AllOrNothing(Cart):
        def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
            if any(change.listing_sku == "BAD" for change in changes):
                self.pushes.append(tuple(changes))
                raise RefusedError("unknown item", code="row_refused")
            return super().push(changes)

    cart = AllOrNothing({"BAD": 5, "MUG": 500, "CUP": 1, "JUG": 1}, atomicity="call")
    shop = Shop(cart, shell)
    shop.figures |= {"CUP": 3, "JUG": 4}

    ends = [ended(shop.run()) for _ in range(4)]

    assert ends == [("rejected", "row_refused")] * 3 + [HELD]
    assert [row.listing_sku for row in shop.quarantined()] == ["BAD"]
    assert (cart.shows("CUP"), cart.shows("JUG")) == (3, 4)


@pytest.mark.parametrize("after", [1, 5])
def test_how_often_is_a_setting(after: int) -> None:
    shop = shop_of()
    shop.settings = CartSettings(name="shop", guardrails=Guardrails(quarantine_after=after))

    ends = [ended(shop.run()) for _ in range(after + 1)]

    assert ends == [REFUSED] * after + [HELD]


def test_quarantine_that_is_switched_off_shows_in_the_report_and_lets_go_of_what_it_had(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.refuse()
    shop.settings = CartSettings(name="shop", guardrails=Guardrails(quarantine_after=0))

    report = shop.run()

    assert ended(report) == REFUSED
    assert said(report, "quarantined") == []
    assert said(report, "quarantine_off")[0].message.startswith("quarantine_after is switched off")
    assert (len(shop.quarantined()), shop.kept()) == (0, {})


# What does not count.


@pytest.mark.parametrize("how", ["conflict", "pending", "skipped", "no_answer"])
def test_what_is_no_refusal_does_not_count(how: str) -> None:
    shop = shop_of()
    mend(shop, how)

    shop.refuse(4)

    assert shop.kept() == {}


@pytest.mark.parametrize("error", [ThrottledError, UnreachableError, TransientError])
def test_a_cart_that_is_in_trouble_does_not_count_and_does_not_break_the_row(
    error: type[TransientError],
) -> None:
    shop = shop_of(max_rows=1)
    shop.refuse(2)
    at = len(shop.cart.pushes)
    # After a lost answer the next row is sent; after the others nothing is.
    calls = (1, 2) if error is TransientError else (1,)
    shop.cart.breaks_at({at + call: error("busy") for call in calls})

    shop.run()

    assert [row.tries for row in rows_of(shop)] == [2]
    assert shop.quarantined().rows == ()
    assert (ended(shop.run()), ended(shop.run())) == (REFUSED, HELD)


def rows_of(shop: Shop) -> Iterable[QuarantinedRow]:
    return [from_json(text, QuarantinedRow) for text in shop.kept().values()]


def test_a_run_that_came_to_its_deadline_says_nothing_of_the_row() -> None:
    shop = shop_of()
    shop.refuse(2)

    report = shop.run(deadline=timedelta(seconds=0))

    assert ended(report) == ("skipped", "deadline")
    assert [row.tries for row in rows_of(shop)] == [2]


@pytest.mark.parametrize("reason", ["job_failed", "job_cancelled"])
def test_a_job_that_failed_as_a_whole_says_nothing_of_its_rows(reason: str) -> None:
    class Jobs(Cart):
        def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
            results = super().push(changes)
            return [attrs.evolve(one, reason=reason) if one.status == "rejected" else one for one in results]

    shop = Shop(Jobs({"BAD": 5, "MUG": 500}, rows={"BAD": "rejected"}))

    shop.refuse(4)

    assert shop.kept() == {}


def test_a_run_in_which_everything_is_refused_puts_nothing_in_quarantine(shell: Shell) -> None:
    cart = Cart({"BAD": 5, "CUP": 5}, rows={"BAD": "rejected", "CUP": "rejected"})
    shop = Shop(cart, shell, figures={"BAD": 9, "CUP": 8, "MUG": 7})

    ends = [[ended(report, sku) for sku in ("BAD", "CUP")] for report in (shop.run() for _ in range(5))]

    assert ends == [[REFUSED, REFUSED]] * 5
    assert shop.kept() == {}


def test_a_single_row_that_is_refused_counts_although_nothing_else_was_to_be_done() -> None:
    shop = shop_of()
    shop.sells = False

    assert [ended(shop.run()) for _ in range(4)] == [REFUSED] * 3 + [HELD]


def test_what_is_in_quarantine_already_waits_on_when_the_whole_run_is_refused() -> None:
    shop = shop_of()
    shop.refuse()
    shop.cart.says("MUG", "rejected")

    shop.run(after=HOUR)

    assert [(row.listing_sku, row.tries) for row in rows_of(shop)] == [("BAD", 4)]
    assert ended(shop.run()) == HELD


def test_without_a_ledger_nothing_is_known_and_each_run_tries(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.ledger = None

    assert [ended(shop.run()) for _ in range(5)] == [REFUSED] * 5


def test_a_plan_that_nobody_held_to_guardrails_counts_nothing() -> None:
    shop = shop_of()
    line = PlanLine(listing_sku="BAD", master_sku="BAD", quantity=9, shown=5, basis="cart", action="change")
    plan = SyncPlan(merchant="default", cart="shop", lines=[line])

    assert ended(shop.push(plan)) == REFUSED
    assert shop.kept() == {}


# Out by time.


def test_a_rise_waits_an_hour_and_then_twice_as_long_each_time_up_to_a_day() -> None:
    shop = shop_of()
    shop.refuse()
    waited = []
    for hours in (1, 2, 4, 8, 16, 24, 24):
        early = shop.run(after=hours * HOUR - QUARTER)
        due = shop.run(after=QUARTER)
        waited.append((ended(early), ended(due)))

    assert waited == [(HELD, REFUSED)] * 7


@pytest.mark.parametrize("wanted", [0, 3])
def test_a_zero_and_a_fall_are_tried_again_every_hour(wanted: int) -> None:
    shop = shop_of()
    shop.settings = CartSettings(name="shop", guardrails=Guardrails(quarantine_hours=24))
    shop.figures["BAD"] = wanted
    shop.refuse()

    ends = [(ended(shop.run(after=HOUR // 2)), ended(shop.run(after=HOUR // 2))) for _ in range(5)]

    assert ends == [(HELD, REFUSED)] * 5
    assert said(shop.run(), "quarantined")[0].message.count(f"{5 - wanted} units on sale") == 1


def test_what_nobody_knows_to_be_safe_waits_an_hour_as_well(shell: Shell) -> None:
    cart = Cart({"BAD": 5, "MUG": 500}, rows={"BAD": "rejected"}, readable=False)
    shop = Shop(cart, shell)
    shop.refuse()
    assert [(row.shown, row.is_dangerous, row.exposed) for row in shop.quarantined()] == [(None, True, 0)]

    ends = [(ended(shop.run(after=HOUR // 2)), ended(shop.run(after=HOUR // 2))) for _ in range(4)]

    assert ends == [(HELD, REFUSED)] * 4
    assert "'BAD' ? -> 9" in said(shop.run(), "quarantined")[0].message


def test_how_long_it_waits_at_first_is_a_setting() -> None:
    shop = shop_of()
    shop.settings = CartSettings(name="shop", guardrails=Guardrails(quarantine_hours=6))
    shop.refuse()

    assert ended(shop.run(after=5 * HOUR)) == HELD
    assert ended(shop.run(after=HOUR)) == REFUSED
    assert ended(shop.run(after=11 * HOUR)) == HELD


def test_an_hourly_job_that_begins_a_little_early_tries_it() -> None:
    shop = shop_of()
    shop.refuse()

    assert ended(shop.run(after=HOUR - 301)) == HELD
    assert ended(shop.run(after=1)) == REFUSED


def test_a_clock_that_is_put_back_keeps_nothing_waiting() -> None:
    shop = shop_of()
    shop.refuse()

    assert ended(shop.run(after=-24 * HOUR)) == REFUSED


def test_a_row_that_is_taken_leaves(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.refuse()
    mend(shop)

    report = shop.run(after=HOUR)

    assert ended(report) == APPLIED
    assert (report.status, said(report, "quarantined"), shop.kept()) == ("success", [], {})


@pytest.mark.parametrize("how", ["silent", "ignored"])
def test_what_the_cart_accepts_leaves_whatever_it_shows(how: str) -> None:
    shop = shop_of()
    shop.refuse()
    mend(shop, how)

    shop.run(after=HOUR)

    assert shop.kept() == {}


def test_two_refusals_and_an_acceptance_begin_anew() -> None:
    shop = shop_of()
    shop.refuse(2)
    mend(shop)
    shop.run()
    mend(shop, "rejected")
    shop.figures["BAD"] = 30

    assert [ended(shop.run()) for _ in range(4)] == [REFUSED] * 3 + [HELD]


def test_what_the_cart_shows_by_now_leaves() -> None:
    shop = shop_of()
    shop.refuse()
    shop.cart.put("BAD", 9)

    assert ended(shop.run()) == ("unchanged", "")
    assert shop.kept() == {}


def test_what_the_cart_or_the_order_manager_has_no_more_leaves() -> None:
    shop = shop_of()
    shop.refuse()
    del shop.cart.shelves["BAD", None]
    assert ended(shop.run()) == ("skipped", "not_in_cart")
    assert shop.kept() == {}

    shop = shop_of()
    shop.refuse()
    shop.settings = CartSettings(name="shop", exclude={"BAD"})
    shop.run()
    assert shop.kept() == {}


# Out by change.


def test_another_quantity_is_tried_at_once_and_the_refusals_go_on_counting(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.refuse()
    shop.figures["BAD"] = 8

    assert ended(shop.run()) == REFUSED
    (row,) = shop.quarantined()
    assert (row.quantity, row.tries, row.since) == (8, 4, START + timedelta(seconds=QUARTER))
    assert ended(shop.run()) == HELD


def test_another_figure_in_the_cart_is_tried_at_once() -> None:
    shop = shop_of()
    shop.refuse()
    shop.cart.put("BAD", 4)

    assert ended(shop.run()) == REFUSED
    assert ended(shop.run()) == HELD


def test_other_settings_are_tried_at_once() -> None:
    shop = shop_of()
    shop.refuse()
    shop.settings = attrs.evolve(shop.settings, reassert_after=99)

    assert ended(shop.run()) == REFUSED
    assert ended(shop.run()) == HELD


def test_a_plan_that_does_not_know_its_settings_goes_by_the_rest() -> None:
    now = START + timedelta(minutes=1)
    line = PlanLine(listing_sku="BAD", master_sku="BAD", quantity=9, shown=5, basis="cart", action="change")
    plan = SyncPlan(merchant="default", cart="shop", lines=[line])
    row = row_of("BAD", settings_digest="abc")

    assert hold_quarantined(plan, {row.key: row}, now).held != ()
    other = attrs.evolve(plan, settings_digest="other")
    assert hold_quarantined(other, {row.key: row}, now) == other


def row_of(sku: str, **given: Any) -> QuarantinedRow:
    return QuarantinedRow(
        **{
            "listing_sku": sku,
            "quantity": 9,
            "shown": 5,
            "reason": "rejected",
            "since": START,
            "tries": 3,
            "tried_at": START,
            "next_try": START + timedelta(hours=1),
            **given,
        }
    )


# Out by hand.


def test_a_person_releases_a_row_and_the_next_run_tries_it_and_says_who_it_was(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.refuse()
    mend(shop)

    released = shop.release("BAD")
    report = shop.run()

    assert [row.released for row in released] == [
        Release(by="Ann", reason="mended it", at=START + timedelta(minutes=45))
    ]
    assert ended(report) == APPLIED
    (notice,) = said(report, "released")
    assert notice.message == "1 row released from quarantine by Ann (mended it): 'BAD'"
    assert said(report, "quarantined") == []
    entries = shop.shell.history(shop.ledger, "shop", "BAD", clock=shop.clock).entries
    assert [entry.approved_by for entry in entries] == ["", "", "", "Ann"]
    assert shop.kept() == {}


def test_a_release_is_kept_until_the_cart_has_answered() -> None:
    shop = shop_of()
    shop.refuse()
    shop.release(["BAD"])
    assert "the next run" in str(shop.quarantined())
    assert "(released by Ann)" in str(shop.quarantined())

    stopped = shop.run(deadline=timedelta(0))
    (row,) = shop.quarantined()

    assert ended(stopped) == ("skipped", "deadline")
    assert row.released is not None
    assert ended(shop.run()) == REFUSED
    (row,) = shop.quarantined()
    assert (row.released, row.tries) == (None, 4)
    assert ended(shop.run()) == HELD


def test_a_release_while_a_run_is_under_way_is_for_the_next_one() -> None:
    shop = shop_of()
    shop.refuse()

    def somebody_mends_it(_: int) -> None:
        shop.clock.pass_by(60)
        shop.release()

    shop.cart.before_push = somebody_mends_it
    assert ended(shop.run(after=HOUR)) == REFUSED
    shop.cart.before_push = lambda _: None
    mend(shop)
    report = shop.run()

    assert ended(report) == APPLIED
    assert said(report, "released")[0].entries == ("BAD",)


def test_all_are_released_when_none_is_named() -> None:
    shop = shop_of()
    shop.cart.put("CUP", 1)
    shop.cart.says("CUP", "rejected")
    shop.figures["CUP"] = 3
    shop.refuse()

    assert [row.listing_sku for row in shop.release()] == ["BAD", "CUP"]
    assert {ended(shop.run(), sku) for sku in ("BAD", "CUP")} <= {REFUSED, HELD}
    assert len(shop.release(["CUP"])) == 1


def test_nothing_is_released_that_is_not_in_quarantine(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    assert len(shop.release()) == 0
    shop.refuse(2)

    for skus, words in ((["MUG", "BAD"], "there is no 'BAD', 'MUG'"), ([], "No listing is released")):
        with pytest.raises(SettingsError, match=words) as caught:
            shop.release(skus)
        assert caught.value.code == "not_quarantined"
    shop.refuse(1)
    with pytest.raises(InvalidValueError, match="by"):
        shop.release("BAD", by="")
    assert [row.released for row in shop.quarantined()] == [None]


def test_only_the_bad_location_of_a_listing_is_left_out_and_released(shell: Shell) -> None:
    class OneBadPlace(Cart):
        mended = False

        def _row(self, change: QuantityChange) -> PushResult | None:
            self._rows["BAD"] = "rejected" if change.location_id == "W2" and not self.mended else "accepted"
            return super()._row(change)

    cart = OneBadPlace({("BAD", "W1"): 1, ("BAD", "W2"): 1}, locations="required")
    settings = CartSettings(name="shop", breakdown=True, order_lag=0)
    shop = Shop(cart, shell, settings)
    clock, ledger = shop.clock, shop.ledger

    def run(figure: int) -> Mapping[str | None, tuple[str, str]]:
        clock.pass_by(QUARTER)
        report = shop.shell.sync_cart(
            stock({"BAD": figure}, places=("W1", "W2")),
            cart,
            settings,
            merchant=MERCHANT,
            ledger=ledger,
            clock=clock,
        )
        return {one.location_id: (one.outcome, one.reason) for one in report.outcomes}

    run(9)
    run(9)
    run(9)
    assert run(9) == {"W1": ("unchanged", ""), "W2": HELD}
    assert "'BAD' at W2 1 -> 9" in said(shop_report(ledger, shop, settings, clock), "quarantined")[0].message
    assert " W2 " in str(shop.quarantined())
    cart.mended = True
    shop.release("BAD")
    assert run(9)["W2"] == APPLIED


def shop_report(ledger: Any, shop: Shop, settings: CartSettings, clock: FakeClock) -> SyncPlan:
    plan: SyncPlan = shop.shell.plan_cart(
        stock({"BAD": 9}, places=("W1", "W2")),
        shop.cart,
        settings,
        merchant=MERCHANT,
        ledger=ledger,
        clock=clock,
    )
    return plan


# Beside the guardrails and approvals.


def test_a_plan_approved_by_its_digest_sends_what_is_in_quarantine_too(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.refuse()
    plan = shop.plan()
    mend(shop)

    report = shop.push(plan, approve=plan.digest)

    assert ended(report) == APPLIED
    assert (said(report, "quarantined"), shop.kept()) == ([], {})


def test_an_approval_for_later_plans_is_no_way_out_of_quarantine() -> None:
    shop = shop_of()
    shop.refuse()
    plan = shop.plan()

    with pytest.raises(SettingsError) as caught:
        omsync.approve(
            shop.ledger, "shop", plan.digest, by="Ann", reason="so", until=timedelta(days=1), clock=shop.clock
        )
    assert caught.value.code == "unknown_digest"


def without_bad(shop: Shop) -> InventorySnapshot:
    reading = shop.reading()
    skus = [attrs.evolve(sku, active=sku.master_sku != "BAD") for sku in reading.skus]
    return attrs.evolve(reading, skus=skus)


def test_nor_is_an_approval_of_what_is_gone(shell: Shell) -> None:
    """The zero that somebody approved is refused by the cart: it waits like any other row."""
    shop = shop_of(shell=shell)
    mend(shop)
    shop.run()
    mend(shop, "rejected")
    options: Any = {"merchant": MERCHANT, "ledger": shop.ledger, "clock": shop.clock}

    def run(after: int = QUARTER) -> SyncReport:
        shop.clock.pass_by(after)
        report: SyncReport = shell.sync_cart(without_bad(shop), shop.cart, SHOP, **options)
        return report

    first = run()
    assert ended(first) == ("held", "gone_inactive")
    given: Any = {"by": "Ann", "reason": "no longer made", "until": timedelta(days=1), "clock": shop.clock}
    omsync.approve(shop.ledger, SHOP, first.digest, **given)

    assert [ended(run()) for _ in range(4)] == [REFUSED, REFUSED, REFUSED, HELD]
    shop.release()
    assert ended(run()) == REFUSED
    mend(shop)
    assert ended(run(HOUR)) == APPLIED


def test_what_is_in_quarantine_does_not_count_as_a_change_of_the_plan() -> None:
    shop = shop_of()
    shop.settings = CartSettings(name="shop", order_lag=0, guardrails=Guardrails(max_changes=2))
    for _ in range(3):
        shop.run()
    shop.cart.put("CUP", 1)
    shop.figures["CUP"] = 2

    report = shop.run()

    assert (ended(report), ended(report, "CUP"), ended(report, "MUG")) == (HELD, APPLIED, APPLIED)


def test_what_another_guard_holds_stays_in_quarantine_and_is_held_for_that() -> None:
    shop = shop_of()
    shop.refuse()
    shop.figures["BAD"] = 100_000

    report = shop.run()

    assert ended(report) == ("held", "sharp_rise")
    assert [row.tries for row in shop.quarantined()] == [3]


def test_a_saved_plan_keeps_what_it_left_out(shell: Shell) -> None:
    shop = shop_of(shell=shell)
    shop.refuse()
    plan = load_plan(shop.plan().to_json())

    report = shop.push(plan)

    assert ended(report) == HELD
    assert said(report, "quarantined")[0].entries == ("BAD",)


def test_a_line_that_moved_since_the_plan_stays_in_quarantine() -> None:
    shop = shop_of()
    shop.refuse()
    plan = shop.plan()
    shop.cart.put("BAD", 3)

    assert ended(shop.push(plan)) == ("conflict", "moved_since_plan")
    assert len(shop.quarantined()) == 1


def test_what_the_cart_itself_will_not_have_leaves_and_what_was_not_sent_stays() -> None:
    class Skips(Cart):
        reason = "not_in_cart"

        def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
            results = super().push(changes)
            return [
                attrs.evolve(one, reason=self.reason) if one.status == "skipped" else one for one in results
            ]

    cart = Skips({"BAD": 5, "MUG": 500}, rows={"BAD": "rejected"})
    shop = Shop(cart)
    shop.refuse(2)
    mend(shop, "skipped")

    for reason, left in (("throttled", 1), ("not_in_cart", 0)):
        cart.reason = reason
        shop.run()
        assert len(shop.kept()) == left


def test_what_a_second_look_found_in_the_cart_is_what_was_refused(shell: Shell) -> None:
    shop = shop_of(shell=shell, compare_and_set="cas")

    def moves_and_then_refuses(_: int) -> None:
        first = not any(change.listing_sku == "BAD" for change in shop.cart.pushes[-2])
        mend(shop, "accepted" if first else "rejected")
        if first:
            shop.cart.put("BAD", (shop.cart.shows("BAD") or 0) + 1)

    shop.cart.pushes.append(())
    shop.cart.before_push = moves_and_then_refuses
    for _ in range(3):
        assert ended(shop.run()) == REFUSED
        shop.cart.pushes.append(())

    assert [row.shown for row in shop.quarantined()] == [8]
    assert ended(shop.run()) == HELD


# Carts that are sent everything.


def test_a_full_push_repeats_what_a_row_in_quarantine_was_last_told(shell: Shell) -> None:
    shop = shop_of(shell=shell, contents="full")
    shop.refuse()
    mend(shop)

    report = shop.run()

    assert ended(report) == HELD
    assert of(report).repeated == 5
    assert ("BAD", 5) in [(row.listing_sku, row.quantity) for row in shop.cart.pushes[-1] if row.repeated]


def test_a_row_that_a_full_push_is_refused_alone_counts_when_the_rest_was_repeated() -> None:
    shop = shop_of(contents="full")
    shop.sells = False

    assert [ended(shop.run()) for _ in range(4)] == [REFUSED] * 3 + [HELD]


def test_a_full_push_that_is_refused_whole_blames_no_row() -> None:
    class Refuses(Cart):
        def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
            self.pushes.append(tuple(changes))
            raise RefusedError("no such file", code="refused")

    shop = Shop(Refuses({"BAD": 5}, contents="full"), figures={"BAD": 9, "MUG": 5})

    assert [ended(shop.run()) for _ in range(5)] == [("rejected", "refused")] * 5
    assert shop.kept() == {}


def test_an_unchanged_row_whose_repetition_is_refused_is_nothing_to_put_in() -> None:
    shop = shop_of(9, contents="full")

    assert [ended(shop.run()) for _ in range(4)] == [REFUSED] * 4
    assert shop.kept() == {}


# Looking.


def test_a_person_sees_what_is_in_quarantine_why_and_until_when(shell: Shell) -> None:
    shop = shop_of(6, shell=shell)
    assert str(shop.quarantined(SHOP)) == "default / shop: 0 rows in quarantine"
    shop.figures["BAD"] = 2
    shop.refuse()

    inside = shop.quarantined(SHOP)

    assert repr(inside) == "<Quarantine of default / shop: 1 row>"
    assert (len(inside), inside.exposed, [row.key for row in inside]) == (1, 4, [("BAD", None)])
    assert str(inside).splitlines() == [
        "default / shop: 1 row in quarantine, 4 units on sale that are not there",
        "  listing  location  shows  refused  times  since              next try",
        (
            "  BAD      -         6      2        3      2026-03-02 08:15Z  2026-03-02 09:45Z  "
            "rejected: the cart says rejected"
        ),
    ]


def test_what_nobody_knows_comes_before_what_waits_to_rise() -> None:
    rise, unknown = row_of("A", since=START - timedelta(days=9)), row_of("B", shown=None)

    inside = Quarantine(merchant="default", cart="shop", rows=[rise, unknown])

    assert [row.listing_sku for row in inside] == ["B", "A"]


def test_what_is_in_quarantine_without_danger_exposes_nothing() -> None:
    shop = shop_of()
    shop.refuse()

    assert str(shop.quarantined()).splitlines()[0] == "default / shop: 1 row in quarantine"


def test_arguments_that_were_mixed_up_are_refused() -> None:
    with pytest.raises(WrongTypeError, match="named by its settings or its name"):
        omsync.quarantined(DictLedger(), 5)  # type: ignore[arg-type]  # the point
    with pytest.raises(WrongTypeError, match="named by its settings or its name"):
        omsync.release(DictLedger(), SHOP, by="Ann", reason="so", merchant=None)  # type: ignore[arg-type]  # the point
    with pytest.raises(LedgerError, match="no ledger"):
        omsync.quarantined(None, "shop")  # type: ignore[arg-type]  # the point


def test_what_the_cart_said_is_kept_at_a_readable_length() -> None:
    class Talks(Cart):
        def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
            return [attrs.evolve(one, message="no " * 999) for one in super().push(changes)]

    shop = Shop(Talks({"BAD": 5, "MUG": 500}, rows={"BAD": "rejected"}))
    shop.refuse()

    (row,) = shop.quarantined()
    assert len(row.message) == 300


def test_a_refusal_without_words_is_told_by_its_code() -> None:
    row = row_of("BAD", reason="row_refused", next_try=None)

    assert (row.why, row.trying, row.is_quarantined) == ("row refused", "the next run", False)
    plan = noticed(SyncPlan(merchant="default", cart="shop"), [attrs.evolve(row, tries=1)])
    assert "(1 time, row refused; next try the next run)" in plan.notices[0].message


def test_a_ledger_file_keeps_quarantine_from_process_to_process(tmp_path: Path) -> None:
    shop = shop_of()
    ends = []
    for _ in range(4):
        with SqliteLedger(tmp_path / "omsync.db", now=shop.clock.now) as ledger:
            shop.ledger = ledger
            ends.append(ended(shop.run()))
            inside = shop.quarantined()

    assert ends == [REFUSED] * 3 + [HELD]
    assert [(row.listing_sku, row.tries) for row in inside] == [("BAD", 3)]


def test_the_policy_is_read_from_a_file_and_checked() -> None:
    text = '[merchant]\nmode = { per = "warehouse" }\n[[cart]]\nname = "shop"\n[cart.guardrails]\n'
    rails = parse_settings(text + "quarantine_after = 5\nquarantine_hours = 4\n").cart("shop").guardrails

    assert (rails.quarantine_after, rails.quarantine_hours) == (5, 4)
    assert (Guardrails().quarantine_after, Guardrails().quarantine_hours) == (3, 1)
    with pytest.raises(SettingsError, match="quarantine_hours"):
        parse_settings(text + "quarantine_hours = 0\n")


def test_times_of_a_row_are_in_utc() -> None:
    here = datetime.fromisoformat("2026-03-02T09:00:00+01:00")

    assert row_of("BAD", since=here, next_try=None).since == START
