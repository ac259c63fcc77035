"""How the reads and the carts have run: statuses, what is held and why, what is pending, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from fake_ports import DictLedger, FakeClock
from watched_shop import MERCHANT, SHOP, ChangingCart, WatchedShop

from omsync import ListingState, RunRecord, approve, run_view
from omsync.errors import InvalidValueError, LedgerError, UnreachableError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.views.page import Chart, Page, Table
from omsync.views.pending import pending_of

FULL = {f"SKU-{number}": 5 for number in range(30)}
EMPTY = dict.fromkeys(FULL, 0)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[WatchedShop]:
    shop = WatchedShop(folder=tmp_path, cart=ChangingCart(FULL))
    with shop.ledger:
        yield shop


def table(page: Page, title: str) -> list[dict[str, object]]:
    (found,) = [part for part in page.parts if isinstance(part, Table) and part.title == title]
    names = [column.title for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def test_every_status_of_the_founding_document_is_told(tmp_path: Path) -> None:
    clock = FakeClock()
    with SqliteLedger(tmp_path / "ledger.db", now=clock.now) as ledger:
        for cart, status in {"a": "success", "b": "partial", "c": "failed", "d": "disabled"}.items():
            ledger.finish_run(
                RunRecord(
                    run_id=cart,
                    merchant="acme",
                    cart=cart,
                    status=status,
                    started_at=clock.now(),
                    finished_at=clock.now() + timedelta(seconds=3),
                    counts={"applied": 2} if status == "success" else {},
                    code="throttled" if status == "failed" else "",
                    message="too many calls" if status == "failed" else "",
                )
            )
        for cart in ("e", "f"):
            run = RunRecord(
                run_id=cart, merchant="acme", cart=cart, status="in_progress", started_at=clock.now()
            )
            ledger.begin_run(run)
        clock.pass_by(1200)
        ledger.touch_run("f", clock.now())
        view = run_view(ledger, "acme", now=clock.now())

    assert [(row.cart, row.status) for row in view] == [
        ("e", "died"),
        ("c", "failed"),
        ("b", "partial"),
        (None, "never"),
        ("f", "in_progress"),
        ("a", "success"),
        ("d", "disabled"),
    ]
    standing = table(view.page(), "How things stand")
    assert [row["status"] for row in standing][-3:] == [
        "in progress since 2026-03-02 08:00Z",
        "success",
        "disabled",
    ]
    assert standing[1]["why"] == "throttled: too many calls"
    assert (standing[5]["applied"], standing[5]["seconds"], standing[5]["age"]) == (2, 3.0, "20 min")
    # What died, failed, is no cart's, or is under way has counted nothing, which is no 0.
    assert [row["applied"] for row in standing] == [None, None, None, None, None, 2, 0]
    assert view.page().summary == "4 rows of 7 to look at."
    assert {fact.name: fact.value for fact in view.page().facts}["In progress"] == "1"


def test_what_is_held_is_named_with_why_since_when_and_the_way_on(shop: WatchedShop) -> None:
    shop.sync(FULL)
    since = shop.wait(hours=1)
    digest = shop.sync(EMPTY).digest
    shop.wait(hours=1)
    shop.sync(EMPTY)
    (row,) = [row for row in run_view(shop.ledger, now=shop.now) if row.cart == "shop"]

    assert len(row.held) == 30
    one = row.held[0]
    assert (one.listing_sku, one.shown, one.quantity, one.reason) == ("SKU-0", 5, 0, "too_many_zeros")
    assert (one.since, one.digest, one.approved_by) == (since, digest, "")
    held = table(run_view(shop.ledger, now=shop.now).page(), "Held for a person")
    assert held[0]["why"] == "too many zeros"
    assert held[0]["what to do"] == f"look at the plan, approve it by its digest {digest}"


def test_what_was_approved_says_by_whom_and_what_a_later_plan_let_go_is_gone(shop: WatchedShop) -> None:
    shop.sync(FULL)
    digest = shop.sync(EMPTY).digest
    approve(
        shop.ledger,
        "shop",
        digest,
        by="Ann",
        reason="sold out",
        until=timedelta(days=1),
        merchant="acme",
        clock=shop.clock,
    )
    page = run_view(shop.ledger, now=shop.now).page()
    held = table(page, "Held for a person")
    assert {row["what to do"] for row in held} == {"approved by Ann; the next run sends it"}
    (listed,) = [part for part in page.parts if isinstance(part, Table) and part.title == "Held for a person"]
    assert {listed.tone_words[tone] for tone in listed.tones} == {"approved"}
    ended = table(run_view(shop.ledger, now=shop.wait(days=2)).page(), "Held for a person")
    assert {row["what to do"] for row in ended} == {f"look at the plan, approve it by its digest {digest}"}

    shop.sync(FULL)
    assert table(run_view(shop.ledger, now=shop.now).page(), "Held for a person") == []


def test_a_run_that_never_planned_leaves_what_is_held(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.sync(EMPTY)
    shop.wait(hours=1)
    shop.cart.breaks(UnreachableError("No connection"))
    with pytest.raises(UnreachableError):
        shop.sync(EMPTY)
    (row,) = [row for row in run_view(shop.ledger, now=shop.now) if row.cart == "shop"]

    assert (row.status, len(row.held)) == ("failed", 30)


def test_a_held_plan_of_an_earlier_version_has_no_reasons(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.sync(EMPTY)
    memory = shop.ledger.memory("acme")
    for slot, text in memory.recall("held plans of shop").items():
        plan = json.loads(text)
        del plan["reasons"]
        memory.remember("held plans of shop", {slot: json.dumps(plan)})
    held = table(run_view(shop.ledger, now=shop.now).page(), "Held for a person")

    assert {row["why"] for row in held} == {"over a guardrail"}


def test_what_was_sent_and_not_seen_is_pending_with_the_carts_words(shop: WatchedShop) -> None:
    shop.cart.says("SKU-1", "pending")
    shop.cart.says("SKU-2", "silent")
    shop.cart.says("SKU-3", "rejected")
    sent = shop.now
    shop.sync({**FULL, "SKU-1": 4, "SKU-2": 4, "SKU-3": 4, "SKU-4": 4})
    (row,) = [row for row in run_view(shop.ledger, now=shop.wait(hours=2)) if row.cart == "shop"]

    assert [(one.listing_sku, one.quantity, one.observed, one.since) for one in row.pending] == [
        ("SKU-1", 4, 5, sent)
    ]
    pending = table(run_view(shop.ledger, now=shop.now).page(), "Pending")
    assert (pending[0]["why"], pending[0]["age"]) == ("pending: the cart says pending", "2 h")
    shop.cart.says("SKU-1", "accepted")
    shop.sync({**FULL, "SKU-1": 4, "SKU-2": 4, "SKU-3": 5, "SKU-4": 4})
    assert [row.pending for row in run_view(shop.ledger, now=shop.now) if row.cart == "shop"] == [()]


def state(**more: object) -> ListingState:
    at = FakeClock().now()
    given = {"listing_sku": "MUG", "sent": 4, "sent_at": at, **more}
    return ListingState(**given)  # type: ignore[arg-type]  # a table of figures


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (state(), "answer_unknown"),
        (state(accepted=4, accepted_at=FakeClock().now()), None),  # of a cart that nobody can look into
        (state(accepted=4, accepted_at=FakeClock().now(), observed=4), None),
        (state(accepted=4, accepted_at=FakeClock().now(), observed=5), "not_yet_seen"),
        (
            state(
                accepted=4,
                accepted_at=FakeClock().now(),
                observed=5,
                observed_at=FakeClock().now() + timedelta(hours=1),
            ),
            None,  # somebody looked since: that is drift
        ),
        (state(observed=4, observed_at=FakeClock().now() + timedelta(hours=1)), None),
        (state(observed=5, observed_at=FakeClock().now() + timedelta(hours=1)), "answer_unknown"),
        (ListingState(listing_sku="MUG", desired=4), None),
    ],
)
def test_what_is_pending_follows_from_what_was_sent_accepted_and_seen(
    known: ListingState, reason: str | None
) -> None:
    found = pending_of(DictLedger(), "acme", "shop", [known])

    assert [one.reason for one in found] == ([] if reason is None else [reason])


def test_a_ledger_without_history_tells_what_is_pending_by_the_figures_alone() -> None:
    class Forgetful(DictLedger):
        record_history = history = None  # type: ignore[assignment]  # it keeps none

    found = pending_of(Forgetful(), "acme", "shop", [state(sent_run="one")])
    assert [(one.listing_sku, one.reason, one.due) for one in found] == [("MUG", "answer_unknown", None)]


def test_what_is_refused_again_and_again_is_in_quarantine(shop: WatchedShop) -> None:
    shop.cart.says("SKU-1", "rejected")
    for number in range(3):
        shop.sync({**FULL, "SKU-1": 2, "SKU-2": 6 + number})
        shop.wait(minutes=15)
    page = run_view(shop.ledger, now=shop.now).page()
    (row,) = table(page, "In quarantine")

    assert (row["listing"], row["shows"], row["refused"], row["times"]) == ("SKU-1", 5, 2, 3)
    assert row["why"] == "rejected: the cart says rejected"
    assert {fact.name: fact.value for fact in page.facts}["In quarantine"] == "1"


def test_the_history_of_runs_is_listed_newest_first_and_drawn_oldest_first(shop: WatchedShop) -> None:
    shop.read()
    shop.sync({**FULL, "SKU-1": 4})
    shop.wait(hours=1)
    shop.read()
    shop.sync(FULL)
    page = run_view(shop.ledger, now=shop.now).page()

    runs = table(page, "Runs, newest first")
    assert [str(row["began"])[11:16] for row in runs] == ["09:00", "09:00", "08:00", "08:00"]
    assert "1 applied, 29 unchanged" in [row["counts"] for row in runs]
    charts = {part.title: part for part in page.parts if isinstance(part, Chart)}
    outcomes = charts["Outcomes of the runs of acme / shop"]
    assert (outcomes.kind, outcomes.labels) == ("stacked", ("03-02 08:00", "03-02 09:00"))
    assert [(one.name, one.figures) for one in outcomes.series] == [
        ("applied", (1, 1)),
        ("unchanged", (29, 29)),
    ]
    assert "How long runs took: acme / shop" in charts
    assert "How long runs took: acme / (order manager)" in charts
    assert "Requests of the reads of acme / (order manager)" not in charts  # nothing was asked for


def test_the_requests_of_reads_are_drawn_where_they_were_counted(shop: WatchedShop) -> None:
    for hour in range(2):
        shop.ledger.finish_run(
            RunRecord(
                run_id=f"read-{hour}",
                merchant="acme",
                status="success",
                started_at=shop.now + timedelta(hours=hour),
                finished_at=shop.now + timedelta(hours=hour, minutes=1),
                counts={"products": 30, "calls": 7 + hour},
            )
        )
    page = run_view(shop.ledger, now=shop.now).page()
    (drawn,) = [part for part in page.parts if isinstance(part, Chart) and part.title.startswith("Requests")]

    assert [(one.name, one.figures) for one in drawn.series] == [("calls", (7, 8))]


def test_a_merchant_is_looked_at_alone_and_only_so_many_runs(shop: WatchedShop) -> None:
    for _ in range(3):
        shop.sync(FULL)
        shop.wait(hours=1)
    shop.ledger.finish_run(
        RunRecord(run_id="b", merchant="beta", cart="shop", status="success", started_at=shop.now)
    )
    view = run_view(shop.ledger, MERCHANT, now=shop.now, most=2)

    assert {row.merchant for row in view} == {"acme"}
    assert [len(row.runs) for row in view if row.cart == "shop"] == [2]
    assert len(run_view(shop.ledger, now=shop.now)) == 4
    assert repr(view) == "<RunView of 2 rows at 2026-03-02 11:00:00Z>"
    assert run_view(shop.ledger, now=shop.now).page().title == "Runs of 2 merchants"


def test_with_many_carts_no_history_is_drawn(shop: WatchedShop) -> None:
    for name in "abcdefg":
        shop.settings = attrs.evolve(SHOP, name=name)
        shop.sync(FULL)
        shop.wait(minutes=1)
        shop.sync(FULL)

    assert [
        part for part in run_view(shop.ledger, now=shop.now).page().parts if isinstance(part, Chart)
    ] == []


def test_looking_writes_nothing_and_a_new_ledger_says_so(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "ledger.db") as ledger:
        view = run_view(ledger, now=datetime(2026, 3, 2, tzinfo=UTC))
        assert ledger.merchants() == ()
    assert view.page().summary == "The ledger knows of no run."
    assert "There was no run." in str(view)


def test_a_ledger_that_cannot_tell_whom_it_knows_and_a_moment_without_a_zone_are_refused() -> None:
    with pytest.raises(LedgerError) as caught:
        run_view(DictLedger(), now=FakeClock().now())
    assert caught.value.code == "no_overview"
    with pytest.raises(InvalidValueError, match=r"run_view\(now=\) must know its zone"):
        run_view(DictLedger(), now=datetime(2026, 3, 2))  # noqa: DTZ001  that is what is tried


def test_damaged_sightings_name_their_place(shop: WatchedShop) -> None:
    shop.sync(FULL)
    shop.ledger.memory("acme").remember("writes of shop", {"last look": "[[1]]"})

    with pytest.raises(LedgerError) as caught:
        run_view(shop.ledger, now=shop.now)
    assert caught.value.code == "damaged_writes"
