"""A run that died is gone on with: the same plan while its inputs are fresh, else a new one."""

from __future__ import annotations

import copy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from fake_memory import Crash
from fake_ports import Awaiting, Blocking, DictLedger, FakeCart, FakeClock, FakeSource, Shell, stock

from omsync import (
    CartSettings,
    Explanation,
    Guardrails,
    InventorySnapshot,
    MerchantSettings,
    Notice,
    PerWarehouse,
    RunRecord,
    SettingsError,
    SyncReport,
    approve,
    confirm_source,
    history,
    plan_cart,
    push_plan,
    sync_cart,
)
from omsync.config import parse_settings
from omsync.errors import InvalidValueError, LedgerError, LostAnswerError
from omsync.http.messages import Request, Response
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning.resuming import UnderWay, anew_notice, why_not_fresh
from omsync.sinks.amazon import Amazon
from omsync.testing import FaultyCart
from omsync.testing.carts.amazon import AmazonMarketplace

MERCHANT = MerchantSettings(mode=PerWarehouse())
SHOP = CartSettings(name="shop")
SHELLS: tuple[Shell, ...] = (Blocking(), Awaiting(twins=True), Awaiting(twins=False))
READ_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FIGURES = {"A": 0, "B": 2, "C": 9}
SHOWN: dict[Any, int] = {"A": 5, "B": 5, "C": 5}
"""What is sent: A falls to 0, then B falls, then C rises."""
NAMESPACE = "plan under way of shop"


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    given: Shell = request.param
    return given


def figures(now: Mapping[str, int], *, read_at: datetime = READ_AT) -> InventorySnapshot:
    return attrs.evolve(stock(now), taken_at=read_at)


class Desk:
    """A shop that takes one row a push, and the ledger as the disk holds it."""

    def __init__(self, shell: Shell | None = None, *, shown: Mapping[Any, int] = SHOWN, **given: Any) -> None:
        self.shell = shell or Blocking()
        self.cart: Any = FakeCart(shown, **{"max_rows": 1, **given})
        self.ledger: Any = DictLedger()
        self.source = FakeSource(figures(FIGURES))

    def dies(
        self, at_push: int = 2, *, written: bool = False, minutes: float = 0, **options: Any
    ) -> RunRecord:
        """Let a run die in a push, with its row written or not; the ledger is left as it was then."""
        left: list[Any] = []

        def before(number: int) -> None:
            if number == at_push:
                if written:
                    change = self.cart.pushes[-1][0]
                    self.cart.put((change.listing_sku, change.location_id), change.quantity)
                left.append(copy.deepcopy(self.ledger))
                raise Crash

        self.cart.before_push = before
        with pytest.raises(Crash):
            self.sync(minutes, **options)
        self.cart.before_push = lambda _: None
        self.cart.pushes.clear()
        self.cart.reads.clear()
        self.source.requests.clear()
        (self.ledger,) = left
        dead: RunRecord = self.ledger.runs("default", "shop")[0]
        assert dead.status == "in_progress"
        return dead

    def sync(
        self,
        minutes: float,
        *,
        source: Any = "the source",
        cart: CartSettings = SHOP,
        merchant: MerchantSettings = MERCHANT,
        **options: Any,
    ) -> SyncReport:
        report: SyncReport = self.shell.sync_cart(
            self.source if source == "the source" else source,
            self.cart,
            cart,
            merchant=merchant,
            ledger=self.ledger,
            clock=FakeClock(READ_AT + timedelta(minutes=minutes)),
            **options,
        )
        return report

    @property
    def memory(self) -> dict[str, dict[str, str]]:
        namespaces: dict[str, dict[str, str]] = self.ledger.memory("default").namespaces
        return namespaces


def spoken(report: SyncReport) -> list[Notice]:
    return [one for one in report.notices if one.reason in {"resumed", "planned_anew"}]


def said(report: SyncReport, reason: str) -> str:
    (notice,) = spoken(report)
    assert notice.reason == reason
    return notice.message


def ends(report: SyncReport) -> dict[str | None, str]:
    return {one.listing_sku: one.outcome for one in report.outcomes}


# A run that died goes on.


def test_a_run_that_died_is_gone_on_with_and_the_order_manager_is_not_read_again(shell: Shell) -> None:
    desk = Desk(shell)
    dead = desk.dies()
    assert desk.cart.shows("A") == 0
    report = desk.sync(20)
    assert desk.source.requests == []
    assert desk.cart.sent == [("B", 2), ("C", 9)]
    assert ends(report) == {"A": "unchanged", "B": "applied", "C": "applied"}
    assert said(report, "resumed") == (
        f"run {dead.run_id} died after 2026-03-02 08:00:00Z; went on with its plan {report.digest}, "
        "whose figures are of 2026-03-02 08:00:00Z"
    )
    assert report.status == "success"
    assert "note: run" in str(report)


def test_the_run_that_goes_on_names_the_dead_one_in_its_record() -> None:
    desk = Desk()
    dead = desk.dies()
    desk.sync(20)
    (run, before) = desk.ledger.runs("default", "shop")
    assert before == dead
    assert run.message.startswith(f"run {dead.run_id} died after")
    assert "went on with its plan" in run.message
    assert dead.run_id in str(run)


def test_a_row_that_the_dead_run_had_written_is_not_sent_again() -> None:
    desk = Desk()
    desk.dies(2, written=True)
    report = desk.sync(20)
    assert desk.cart.sent == [("C", 9)]
    assert ends(report) == {"A": "unchanged", "B": "unchanged", "C": "applied"}


def test_what_moved_since_is_left_to_the_next_run_which_takes_a_fall_for_a_sale() -> None:
    desk = Desk()
    desk.dies(2)
    desk.cart.put("C", 4)
    report = desk.sync(20)
    assert desk.cart.sent == [("B", 2)]
    assert ends(report)["C"] == "conflict"
    assert [one.reason for one in report.outcomes if one.listing_sku == "C"] == ["moved_since_plan"]
    desk.cart.put("C", 4)
    later = desk.sync(25, source=FakeSource(figures(FIGURES, read_at=READ_AT + timedelta(minutes=24))))
    assert [one.reason for one in later.outcomes if one.listing_sku == "C"] == ["maybe_sold"]


def test_what_was_written_unheard_and_sold_since_is_not_raised_again_before_the_order_is_known() -> None:
    """C rose to 9 as the process died, and 1 was sold: no plan gives that unit back."""
    desk = Desk()
    desk.dies(3, written=True)
    desk.cart.put("C", 8)
    assert ends(desk.sync(20))["C"] == "conflict"
    early = desk.sync(25, source=FakeSource(figures(FIGURES, read_at=READ_AT + timedelta(minutes=24))))
    assert [one.reason for one in early.outcomes if one.listing_sku == "C"] == ["maybe_sold"]
    assert desk.cart.shows("C") == 8
    late = desk.sync(
        60, source=FakeSource(figures({**FIGURES, "C": 8}, read_at=READ_AT + timedelta(hours=1)))
    )
    assert ends(late)["C"] == "unchanged"


def test_a_run_that_goes_on_may_die_too_and_is_gone_on_with() -> None:
    desk = Desk()
    desk.dies(2)
    second = desk.dies(1, minutes=16)
    desk.ledger.leases.clear()
    report = desk.sync(30)
    assert said(report, "resumed").startswith(f"run {second.run_id} died")
    assert desk.cart.sent == [("B", 2), ("C", 9)]


def test_a_resumed_plan_explains_itself_also_in_the_history() -> None:
    desk = Desk()
    desk.dies(2)
    report = desk.sync(20)
    explanation = report.explain("C")
    assert explanation.evaluate() == 9
    told = history(desk.ledger, SHOP, "C")
    (entry,) = told.entries
    assert (entry.run_id, entry.status, entry.summary) == (report.run_id, "accepted", explanation.summary)
    assert isinstance(told.explain(entry), Explanation)


def test_rows_are_keyed_by_the_run_that_sends_them_and_never_by_the_quantity() -> None:
    desk = Desk()
    dead = desk.dies(2)
    report = desk.sync(20)
    (first, second) = [change.key for push in desk.cart.pushes for change in push]
    assert (first, second) == (f"{report.run_id}:B:", f"{report.run_id}:C:")
    assert dead.run_id not in first
    again = {
        change.key.replace(run.run_id, "run")
        for run, units in ((report, 9), (desk.sync(40, source=figures({**FIGURES, "C": 3})), 3))
        for push in desk.cart.pushes
        for change in push
        if (change.listing_sku, change.quantity) == ("C", units)
    }
    assert again == {"run:C:"}


def test_held_lines_stay_held_and_an_approval_given_meanwhile_counts() -> None:
    careful = CartSettings(name="shop", guardrails=Guardrails(max_zeros=0))
    desk = Desk()
    desk.dies(1, cart=careful)
    assert [line.reason for line in plan_now(desk, careful)] == ["too_many_zeros"]
    held = copy.deepcopy(desk)
    report = held.sync(20, cart=careful)
    assert (ends(report)["A"], held.cart.sent) == ("held", [("B", 2), ("C", 9)])
    until = timedelta(days=1)
    clock = FakeClock(READ_AT + timedelta(minutes=5))
    approve(desk.ledger, SHOP, report.digest, by="Ann", reason="sold out", until=until, clock=clock)
    report = desk.sync(20, cart=careful)
    assert said(report, "resumed")
    assert desk.cart.sent == [("A", 0), ("B", 2), ("C", 9)]


def plan_now(desk: Desk, cart: CartSettings) -> Iterable[Any]:
    ledger = copy.deepcopy(desk.ledger)
    clock = FakeClock(READ_AT + timedelta(minutes=1))
    return plan_cart(None, desk.cart, cart, merchant=MERCHANT, ledger=ledger, clock=clock).held


def test_the_last_reading_of_the_ledger_is_gone_on_with_too() -> None:
    desk = Desk()
    desk.dies(2)
    assert said(desk.sync(20, source=None), "resumed")


# Else it is planned anew, and the report says why.


def later(**now: int) -> FakeSource:
    return FakeSource(figures({**FIGURES, **now}, read_at=READ_AT + timedelta(minutes=19)))


def another_reading(desk: Desk) -> dict[str, Any]:
    desk.ledger.save_snapshot("default", figures(FIGURES, read_at=READ_AT + timedelta(minutes=1)))
    return {}


def no_reading(desk: Desk) -> dict[str, Any]:
    desk.ledger.last_snapshot = lambda _: None
    return {}


def half_of_it(desk: Desk) -> dict[str, Any]:
    kept = desk.memory[NAMESPACE]
    kept["part 0"] = kept["part 0"][: len(kept["part 0"]) // 8 * 4]
    return {}


def a_part_less(desk: Desk) -> dict[str, Any]:
    del desk.memory[NAMESPACE]["part 0"]
    return {}


def from_elsewhere(desk: Desk) -> dict[str, Any]:
    desk.cart.capabilities = attrs.evolve(desk.cart.capabilities, destination="another cart")
    return {}


def of_an_earlier_run(desk: Desk) -> dict[str, Any]:
    head = desk.memory[NAMESPACE]["run"]
    run_id = desk.ledger.runs("default", "shop")[0].run_id
    desk.memory[NAMESPACE]["run"] = head.replace(run_id, "earlier")
    return {}


WHYS: dict[str, tuple[Callable[[Desk], dict[str, Any]], str]] = {
    "asked for": (lambda _: {"resume": False}, "resume=False says so"),
    "handed over": (lambda _: {"source": figures(FIGURES)}, "a snapshot was handed over"),
    "settings": (
        lambda _: {"cart": attrs.evolve(SHOP, exclude={"C"})},
        "the settings were changed since",
    ),
    "merchant": (
        lambda _: {"merchant": MerchantSettings(mode=PerWarehouse(), subtract_locked=False)},
        "the settings were changed since",
    ),
    "another reading": (
        another_reading,
        "the last complete reading is of 2026-03-02 08:01:00Z, and its figures are of 2026-03-02 08:00:00Z",
    ),
    "no reading": (no_reading, "the last complete reading is gone, and its figures are of"),
    "half of it": (half_of_it, "what was kept of its plan cannot be read"),
    "a part less": (a_part_less, "what was kept of its plan cannot be read (KeyError)"),
    "of an earlier run": (of_an_earlier_run, "the plan that was kept is that of run earlier"),
}


@pytest.mark.parametrize("why", WHYS)
def test_else_it_is_planned_anew_and_the_report_says_why(why: str, shell: Shell) -> None:
    prepare, words = WHYS[why]
    desk = Desk(shell)
    dead = desk.dies(2)
    options = prepare(desk)
    report = desk.sync(20, **{"source": later(B=3), **options})
    assert words in said(report, "planned_anew")
    assert said(report, "planned_anew").startswith(f"run {dead.run_id} died after 2026-03-02 08:00:00Z; ")
    assert dict(desk.cart.sent)["B"] == (2 if why == "handed over" else 3)
    assert NAMESPACE not in desk.memory
    assert desk.ledger.runs("default", "shop")[0].message == said(report, "planned_anew")


def test_a_plan_for_another_cart_is_not_gone_on_with() -> None:
    plan = plan_cart(figures(FIGURES), FakeCart(SHOWN), SHOP, merchant=MERCHANT)
    fresh: dict[str, Any] = {"now": READ_AT, "within": 30, "settings_digest": plan.settings_digest}
    under_way = UnderWay(run_id="x", plan=plan)
    assert why_not_fresh(under_way, destination="fake cart", **fresh) == ""
    assert why_not_fresh(under_way, destination="another", **fresh) == "it was made for fake cart"


class Named(FakeSource):
    """A source that says which account it reads."""

    origin = "acme"


class Other(FakeSource):
    """Another account's."""

    origin = "bolts"


def test_the_plan_of_one_account_does_not_go_on_under_another() -> None:
    desk = Desk()
    desk.dies(2, source=Named(figures(FIGURES)))
    desk.ledger.leases.clear()
    other = Other(figures({**FIGURES, "B": 3}, read_at=READ_AT + timedelta(minutes=19)))
    with pytest.raises(SettingsError, match="and this source is bolts; nothing was read"):
        desk.sync(20, source=other)
    assert (other.requests, desk.cart.pushes) == ([], [])
    clock = FakeClock(READ_AT + timedelta(minutes=21))
    confirm_source(desk.ledger, other, by="Ann", reason="moved", clock=clock)
    assert spoken(desk.sync(22, source=other)) == []
    assert desk.cart.sent == [("B", 3), ("C", 9)]


def test_a_reading_of_the_account_before_is_not_gone_on_with() -> None:
    desk = Desk()
    desk.dies(2, source=Named(figures(FIGURES)))
    desk.ledger.leases.clear()
    other = Other(figures({**FIGURES, "B": 3}, read_at=READ_AT + timedelta(minutes=19)))
    clock = FakeClock(READ_AT + timedelta(minutes=10))
    confirm_source(desk.ledger, other, by="Ann", reason="moved", clock=clock)
    report = desk.sync(20, source=other)
    assert "the last complete reading is gone" in said(report, "planned_anew")
    assert desk.cart.sent == [("B", 3), ("C", 9)]


@pytest.mark.parametrize(
    ("within", "minutes", "resumed"),
    [(30, 30, True), (30, 31, False), (90, 60, True), (0, 20, False), (30, -1, False)],
)
def test_figures_older_than_resume_within_are_read_again(within: int, minutes: int, resumed: bool) -> None:
    cart = attrs.evolve(SHOP, resume_within=within)
    desk = Desk()
    desk.dies(2, cart=cart)
    desk.ledger.leases.clear()
    source = later(B=3)
    report = desk.sync(minutes, cart=cart, source=source)
    assert bool(source.requests) is not resumed
    words = said(report, "resumed" if resumed else "planned_anew")
    if not resumed:
        assert ("resume_within is 0" if not within else "resume_within is 30 minutes") in words


def test_orders_that_came_in_since_are_netted_in_a_new_plan_from_the_same_reading() -> None:
    desk = Desk()
    desk.dies(2)
    report = desk.sync(20, orders_in_flight={"C": 2})
    assert "with the orders in flight of now 1 of 3 quantities are others" in said(report, "planned_anew")
    assert desk.source.requests == []
    assert desk.cart.sent == [("B", 2), ("C", 7)]


def test_orders_that_change_nothing_do_not_stop_it() -> None:
    desk = Desk()
    desk.dies(2, orders_in_flight={"C": 2})
    report = desk.sync(20, orders_in_flight={"C": 2})
    assert said(report, "resumed")
    assert desk.cart.sent == [("B", 2), ("C", 7)]


def test_a_cart_that_is_switched_off_meanwhile_stays_alone() -> None:
    desk = Desk()
    desk.dies(2)
    report = desk.sync(20, cart=attrs.evolve(SHOP, enabled=False))
    assert (report.status, spoken(report), desk.cart.sent) == ("disabled", [], [])


# A plan is kept only while its run is on its way.


def test_a_run_that_ends_by_itself_leaves_no_plan_behind(shell: Shell) -> None:
    desk = Desk(shell)
    kept: list[bool] = []
    desk.cart.before_push = lambda _: kept.append(NAMESPACE in desk.memory)
    assert spoken(desk.sync(0)) == []
    assert kept == [True, True, True]
    assert NAMESPACE not in desk.memory
    assert spoken(desk.sync(20, source=later(B=3))) == []


def test_a_run_that_fails_or_is_interrupted_ends_by_itself() -> None:
    for error in (LostAnswerError("gone"), KeyboardInterrupt()):
        desk = Desk()

        def fails(_: int, error: BaseException = error) -> None:
            raise error

        desk.cart.before_push = fails
        if isinstance(error, KeyboardInterrupt):
            with pytest.raises(KeyboardInterrupt):
                desk.sync(0)
        else:
            assert desk.sync(0).status == "partial"
        assert NAMESPACE not in desk.memory
        desk.cart.before_push = lambda _: None
        assert spoken(desk.sync(20, source=later())) == []


def test_nothing_is_kept_of_a_plan_without_changes_or_from_a_snapshot_that_was_handed_over() -> None:
    desk = Desk()
    desk.sync(0)
    writes = desk.ledger.memory("default").writes
    desk.sync(1)
    desk.cart.before_push = lambda _: pytest.fail("kept") if NAMESPACE in desk.memory else None
    desk.sync(2, source=figures({**FIGURES, "C": 1}))
    assert desk.ledger.memory("default").writes > writes


def test_a_plan_that_could_not_be_dropped_is_not_taken_for_that_of_a_dead_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()

    def cannot(_: str) -> None:
        raise LedgerError("the disk is full")

    memory = desk.ledger.memory("default")
    memory.forget = cannot
    assert desk.sync(0).status == "success"
    assert "could not be dropped" in caplog.text
    del memory.forget
    assert NAMESPACE in desk.memory
    assert spoken(desk.sync(20, source=later(B=3))) == []
    assert NAMESPACE not in desk.memory


def test_a_run_that_lost_its_lease_leaves_the_plan_of_the_one_that_took_over() -> None:
    desk = Desk()
    clock = FakeClock(READ_AT)

    def silent(number: int) -> None:
        if number == 1:
            clock.pass_by(1200)
            other = attrs.evolve(desk.ledger.leases["default", "shop"], run_id="other")
            desk.ledger.leases["default", "shop"] = other
            desk.memory[NAMESPACE] = {"run": "the other's"}

    desk.cart.before_push = silent
    options: Any = {"merchant": MERCHANT, "ledger": desk.ledger, "clock": clock}
    report = sync_cart(desk.source, desk.cart, SHOP, **options)
    assert {one.reason for one in report.outcomes} == {"", "lease_lost"}
    assert desk.memory[NAMESPACE] == {"run": "the other's"}


def test_a_large_plan_is_kept_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omsync.resume_flow._LETTERS", 100)
    desk = Desk()
    desk.dies(2)
    assert len(desk.memory[NAMESPACE]) > 4
    assert said(desk.sync(20), "resumed")


def test_a_sku_that_is_no_proper_text_is_kept_as_it_is() -> None:
    strange = "C\ud800"
    desk = Desk(shown={"A": 5, strange: 5})
    desk.source = FakeSource(figures({"A": 0, strange: 9}))
    desk.dies(2)
    assert said(desk.sync(20), "resumed")
    assert desk.cart.sent == [(strange, 9)]


class Bare:
    """A ledger without leases and history."""

    def __init__(self, inner: DictLedger, *, died: bool) -> None:
        self._inner = inner
        self._died = died
        for name in ("begin_run", "touch_run", "finish_run", "save_snapshot", "last_snapshot"):
            setattr(self, name, getattr(inner, name))
        for name in ("record_states", "states", "memory"):
            setattr(self, name, getattr(inner, name))

    def runs(self, merchant: str, cart: str | None = None, /) -> list[RunRecord]:
        return [
            attrs.evolve(run, status="died") if self._died and run.status == "in_progress" else run
            for run in self._inner.runs(merchant, cart)
        ]


@pytest.mark.parametrize("died", [False, True])
def test_without_leases_only_a_run_that_the_ledger_calls_dead_is_gone_on_with(died: bool) -> None:
    desk = Desk()
    desk.dies(2)
    desk.ledger.leases.clear()
    bare: Any = Bare(desk.ledger, died=died)
    desk.ledger, inner = bare, desk.ledger
    report = desk.sync(20, source=later(B=3))
    assert [one.reason for one in spoken(report)] == ["resumed"] * died
    desk.ledger = inner


def test_a_run_that_died_before_it_had_a_plan_leaves_nothing_to_go_on_with() -> None:
    desk = Desk()
    left: list[Any] = []

    def during(_: object) -> None:
        left.append(copy.deepcopy(desk.ledger))
        raise Crash

    desk.source.during = during
    with pytest.raises(Crash):
        desk.sync(0)
    desk.source.during = lambda _: None
    (desk.ledger,) = left
    desk.ledger.leases.clear()
    assert spoken(desk.sync(20)) == []


def test_a_push_of_ones_own_in_between_makes_the_dead_plan_old() -> None:
    desk = Desk()
    desk.dies(2)
    desk.ledger.leases.clear()
    clock = FakeClock(READ_AT + timedelta(minutes=10))
    options: Any = {"ledger": desk.ledger, "clock": clock}
    plan = plan_cart(None, desk.cart, SHOP, merchant=MERCHANT, **options)
    assert push_plan(plan, desk.cart, **options).status == "success"
    assert spoken(desk.sync(20, source=later(B=3))) == []
    assert desk.cart.shows("B") == 3


# Carts that cannot be read.


def test_what_an_unreadable_cart_accepted_from_the_dead_run_is_not_sent_again() -> None:
    desk = Desk(readable=False)
    desk.dies(2)
    report = desk.sync(20)
    assert said(report, "resumed")
    assert desk.cart.sent == [("B", 2), ("C", 9)]
    assert ends(report)["A"] == "unchanged"
    assert ends(desk.sync(25, source=later())) == dict.fromkeys("ABC", "unchanged")


def test_a_cart_that_is_told_everything_is_told_everything_again() -> None:
    desk = Desk(readable=False, contents="full")
    desk.dies(1)
    report = desk.sync(20)
    assert said(report, "resumed")
    assert sorted(desk.cart.sent) == [("A", 0), ("B", 2), ("C", 9)]


# Carts that work in jobs.


def test_a_pending_job_is_asked_about_by_the_next_run_and_not_handed_in_again() -> None:
    """The process dies once its feed is handed in; the run that goes on finds it, and waits for it."""
    shop = AmazonMarketplace(feed_looks=1000)
    for sku, units in SHOWN.items():
        shop.add(sku, units)
    desk = Desk()
    left: list[Any] = []

    def handle(request: Request) -> Response:
        if request.method == "GET" and "/feeds/" in request.url and not left:
            left.append(copy.deepcopy(desk.ledger))
            raise Crash
        return shop.handle(request)

    desk.cart = Amazon(
        "A2SELLER",
        marketplace_id="ATVPDKIKX0DER",
        client_id="client-1",
        client_secret="secret-1",
        refresh_token="refresh-1",
        calls_per_second=1000.0,
        feed_from_rows=1,
        poll_seconds=1,
        wait_seconds=3,
        handler=handle,
    )

    def handed_in() -> int:
        return sum(one.method == "POST" and one.path.endswith("/feeds") for one in shop.requests)

    with pytest.raises(Crash):
        desk.sync(0)
    (desk.ledger,) = left
    assert handed_in() == 1
    shop.requests.clear()
    report = desk.sync(20)
    assert said(report, "resumed")
    assert [one.reason for one in report.outcomes] == ["job_pending"] * 3
    assert any("/feeds/" in one.path for one in shop.requests)
    assert handed_in() == 0


# Many carts.


class Market:
    """Two shops that are synced together; the second one's run dies."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.desk = Desk(shell)
        self.first = FakeCart({"C": 5}, destination="first")
        self.desk.dies(2)

    def sync(
        self, source: Any, ledger: Any, *, minutes: float = 20, **options: Any
    ) -> tuple[SyncReport, ...]:
        carts = [(self.first, CartSettings(name="first")), (self.desk.cart, SHOP)]
        clock = FakeClock(READ_AT + timedelta(minutes=minutes))
        reports: tuple[SyncReport, ...] = self.shell.sync_carts(
            source, carts, merchant=MERCHANT, ledger=ledger, clock=clock, **options
        )
        return reports


class Dead:
    """A ledger that knows that unfinished runs have died."""

    def __init__(self, inner: DictLedger) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def runs(self, merchant: str, cart: str | None = None, /) -> list[RunRecord]:
        return Bare(self._inner, died=True).runs(merchant, cart)


def test_many_carts_go_on_from_the_reading_of_the_one_that_died(shell: Shell) -> None:
    market = Market(shell)
    source = later(B=3)
    first, second = market.sync(source, Dead(market.desk.ledger))
    assert source.requests == []
    assert said(second, "resumed")
    assert (spoken(first), ends(first)["C"]) == ([], "applied")
    assert market.desk.cart.sent == [("B", 2), ("C", 9)]


@pytest.mark.parametrize("why", ["alive for all one knows", "resume=False", "another reading", "older"])
def test_many_carts_are_read_for_anew_where_no_run_died_lately(shell: Shell, why: str) -> None:
    market = Market(shell)
    ledger = market.desk.ledger
    if why == "another reading":
        another_reading(market.desk)
    source = later(B=3)
    given = ledger if why.startswith("alive") else Dead(ledger)
    minutes = 45 if why == "older" else 20
    reports = market.sync(source, given, minutes=minutes, resume=why != "resume=False")
    assert len(source.requests) == 1
    assert said(reports[1], "planned_anew")
    assert dict(market.desk.cart.sent)["B"] == 3


def test_many_carts_from_a_snapshot_are_planned_from_it(shell: Shell) -> None:
    market = Market(shell)
    reports = market.sync(figures({**FIGURES, "B": 3}), Dead(market.desk.ledger))
    assert said(reports[1], "planned_anew").endswith("a snapshot was handed over")


# Settings and words.


def test_resume_within_is_a_setting_in_minutes_also_in_a_file() -> None:
    text = '[merchant]\nmode = { per = "warehouse" }\n[[cart]]\nname = "shop"\nresume_within = 10\n'
    assert parse_settings(text).cart("shop").resume_within == 10
    with pytest.raises(InvalidValueError):
        CartSettings(name="shop", resume_within=-1)


def test_a_run_of_which_no_time_is_known_is_named_without() -> None:
    run = RunRecord(run_id="x", merchant="acme", cart="shop", status="died")
    assert anew_notice(run, "so it is").message == "run x died; planned anew, since so it is"


# A real process, killed.

CHILD = """
import os, signal, sys
from datetime import datetime
from types import SimpleNamespace
from omsync import CartSettings, InventorySnapshot, MerchantSettings, PerWarehouse, Sku, StockLevel, Warehouse
from omsync import sync_cart
from omsync.ledgers.sqlite import SqliteLedger
from omsync.testing import FaultyCart

url, ledger, taken_at, last, written = sys.argv[1:]
skus = [f"S{number:02}" for number in range(20)]


class Source:
    def read(self, request):
        return InventorySnapshot(
            taken_at=datetime.fromisoformat(taken_at),
            skus=[Sku(master_sku=sku) for sku in skus],
            warehouses=[Warehouse(id="1")],
            levels=[
                StockLevel(master_sku=sku, location_id="1", available=units) for units, sku in enumerate(skus)
            ],
        )


class Dies:
    pushes = 0
    cart = FaultyCart({}, max_rows=2)
    cart._server = SimpleNamespace(base_url=url)
    capabilities = cart.capabilities

    def read(self, skus):
        return self.cart.read(skus)

    def push(self, changes):
        self.pushes += 1
        dies = self.pushes == int(last)
        if dies and written == "no":
            os.kill(os.getpid(), signal.SIGKILL)
        results = self.cart.push(changes)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return results


with SqliteLedger(ledger) as ledger:
    settings = MerchantSettings(mode=PerWarehouse())
    sync_cart(Source(), Dies(), CartSettings(name="shop"), merchant=settings, ledger=ledger)
"""


class NeverRead:
    """A source that may not be asked."""

    def read(self, request: object, /) -> InventorySnapshot:
        raise AssertionError(request)


@pytest.mark.parametrize(("last", "written"), [(1, "no"), (5, "yes"), (9, "no")])
def test_a_process_killed_in_a_push_is_gone_on_with_and_no_row_has_its_effect_twice(
    last: int, written: str, tmp_path: Path
) -> None:
    cart = FaultyCart({f"S{number:02}": 8 for number in range(20)}, max_rows=2)
    taken_at = datetime.now(UTC).replace(microsecond=0)
    file = tmp_path / "ledger.db"
    with cart.serve() as server:
        arguments = [server.base_url, str(file), taken_at.isoformat(), str(last), written]
        child = subprocess.run(
            [sys.executable, "-c", CHILD, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
    assert child.returncode == -signal.SIGKILL, child.stderr
    with SqliteLedger(file) as ledger:
        (dead,) = ledger.runs("default", "shop")
        assert dead.status == "died"
        report = sync_cart(NeverRead(), cart, SHOP, merchant=MERCHANT, ledger=ledger)
        told = history(ledger, SHOP)
        quiet = sync_cart(None, cart, SHOP, merchant=MERCHANT, ledger=ledger)
    assert said(report, "resumed").startswith(f"run {dead.run_id} died after")
    assert cart.shown() == {(f"S{number:02}", None): number for number in range(20)}
    changed = [effect.listing_sku for effect in cart.effects]
    assert len(changed) == len(set(changed)) == 19
    assert all(entry.summary for entry in told.entries)
    assert (report.status, quiet.status, spoken(quiet)) == ("success", "success", [])
