"""The state of one push: batches, halving, answers, errors, and one outcome for every row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from fake_ports import FakeCart, capabilities, stock
from hypothesis import given
from hypothesis import strategies as st

from omsync import (
    CartListing,
    CartSettings,
    MerchantSettings,
    Outcome,
    PerWarehouse,
    PlanLine,
    PushResult,
    QuantityChange,
    SyncPlan,
    allocate,
)
from omsync.errors import (
    DeadlineError,
    DecodeError,
    InvalidValueError,
    LostAnswerError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    ThrottledError,
    TransientError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.planning import KnownRow, make_plan
from omsync.pushing import Push

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def line(sku: str, quantity: int = 5, shown: int | None = 1, **more: Any) -> PlanLine:
    basis = "none" if shown is None else "cart"
    given: dict[str, Any] = {"action": "change", "basis": basis, **more}
    return PlanLine(listing_sku=sku, master_sku=sku, quantity=quantity, shown=shown, **given)


def push_of(*lines: PlanLine, approved: bool = False, **can: Any) -> Push:
    plan = SyncPlan(merchant="default", cart="shop", lines=lines)
    return Push(plan=plan, capabilities=capabilities(**can), run_id="r", approved=approved)


def accepted(batch: Sequence[QuantityChange], **more: Any) -> list[PushResult]:
    return [PushResult(listing_sku=row.listing_sku, status="accepted", **more) for row in batch]


def ends(push: Push) -> dict[str, tuple[str, str]]:
    return {one.listing_sku or "": (one.outcome, one.reason) for one in push.outcomes()}


def send(push: Push) -> tuple[QuantityChange, ...]:
    batch = push.next_batch()
    push.goes_out(batch)
    return batch


def test_accepted_with_the_same_quantity_shown_is_applied_and_known_as_accepted_and_observed() -> None:
    push = push_of(line("A"))
    batch = send(push)

    push.batch_answered(batch, accepted(batch, echo=5))

    assert ends(push) == {"A": ("applied", "")}
    assert push.status() == "success"
    (news,) = push.learned(NOW)
    assert (news.accepted, news.accepted_at, news.observed, news.observed_at) == (5, NOW, 5, NOW)
    assert push.learned(NOW) == []


def test_accepted_without_an_echo_waits_for_a_look_that_shows_it() -> None:
    push = push_of(line("A"), line("B"), line("C"))
    batch = send(push)
    push.batch_answered(batch, accepted(batch))
    (first, _, _) = push.learned(NOW)

    assert (first.accepted, first.observed, first.observed_at) == (5, None, None)
    assert push.unseen_listings() == ["A", "B", "C"]
    push.seen(
        [
            CartListing(listing_sku="A", quantity=5),
            CartListing(listing_sku="B", quantity=4),
            CartListing(listing_sku="C", quantity=None),
            CartListing(listing_sku="Z", quantity=4),
        ]
    )

    assert ends(push) == {
        "A": ("applied", ""),
        "B": ("pending", "not_yet_seen"),
        "C": ("pending", "not_yet_seen"),
    }
    assert [(one.listing_sku, one.observed) for one in push.learned(NOW)] == [("A", 5)]
    assert push.status() == "partial"


@pytest.mark.parametrize("can", [{"readable": False}, {"completion": "eventual"}, {"completion": "job"}])
def test_a_cart_that_shows_it_later_or_never_is_not_asked_at_once(can: dict[str, Any]) -> None:
    push = push_of(line("A"), **can)
    batch = send(push)
    push.batch_answered(batch, accepted(batch))

    assert push.unseen_listings() == []
    assert ends(push)["A"] == ("pending", "accepted")
    assert push.status() == "success"


def test_accepted_with_another_quantity_shown_is_pending_and_says_both() -> None:
    push = push_of(line("A"))
    batch = send(push)

    push.batch_answered(batch, accepted(batch, echo=3))

    assert ends(push) == {"A": ("pending", "accepted_not_applied")}
    assert push.outcomes()[0].message == "The cart accepted 5 and shows 3."
    assert push.unseen_listings() == []


def test_what_a_cart_on_hand_shows_is_noted_as_available() -> None:
    push = push_of(line("A", allocated=4), quantity_meaning="on_hand")
    batch = send(push)

    push.batch_answered(batch, accepted(batch, echo=9))

    assert ends(push) == {"A": ("applied", "")}
    assert push.learned(NOW)[0].observed == 5


@pytest.mark.parametrize("status", ["rejected", "conflict", "pending", "skipped"])
def test_the_cart_s_own_word_for_a_row_is_its_outcome(status: str) -> None:
    push = push_of(line("A"), line("B"))
    batch = send(push)
    results = [
        PushResult(listing_sku="A", status=status, reason="why", message="said"),
        PushResult(listing_sku="B", status=status),
    ]

    push.batch_answered(batch, results)

    assert ends(push) == {"A": (status, "why"), "B": (status, status)}
    assert push.outcomes()[0].message == "said"
    assert push.learned(NOW) == []


def test_a_row_that_the_cart_passes_over_is_pending() -> None:
    push = push_of(line("A"), line("B"))
    batch = send(push)

    push.batch_answered(batch, accepted(batch[:1], echo=5))

    assert ends(push) == {"A": ("applied", ""), "B": ("pending", "no_answer_for_row")}


@pytest.mark.parametrize(
    "error",
    [
        LostAnswerError("lost"),
        ServerFaultError("broke"),
        DecodeError("html"),
        TransientError("a sink of our users that knows no better"),
    ],
)
def test_after_an_unknown_answer_the_rows_may_be_done_and_the_others_go_on(error: OmsyncError) -> None:
    push = push_of(line("A"), line("B"), max_rows=1)

    push.batch_failed(send(push), error)
    batch = send(push)
    push.batch_answered(batch, accepted(batch, echo=5))

    assert ends(push) == {"A": ("pending", "answer_unknown"), "B": ("applied", "")}
    assert push.sent_any


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (UnreachableError("no connection"), "not_sent"),
        (ThrottledError("too many calls"), "not_sent"),
        (UnauthorizedError("no permission"), "not_sent"),
        (InvalidValueError("a sink's own mistake"), "not_sent"),
        (DeadlineError("no time"), "deadline"),
    ],
)
def test_where_nothing_gets_through_the_rest_is_not_sent(error: OmsyncError, reason: str) -> None:
    push = push_of(line("A"), line("B"), max_rows=1)

    push.batch_failed(send(push), error)

    assert push.rows_left == 0
    assert ends(push) == {"A": ("skipped", reason), "B": ("skipped", reason)}
    assert push.status() == "failed"
    assert not push.sent_any


def test_a_cart_that_fails_after_some_rows_is_partly_done() -> None:
    push = push_of(line("A"), line("B"), max_rows=1)
    batch = send(push)
    push.batch_answered(batch, accepted(batch, echo=5))

    push.batch_failed(send(push), UnreachableError("gone"))

    assert (push.status(), push.sent_any) == ("partial", True)


def test_a_refused_batch_is_halved_until_the_bad_row_stands_alone() -> None:
    push = push_of(*(line(sku) for sku in "ABCDEFG"))
    sizes: list[int] = []
    while push.rows_left:
        batch = send(push)
        sizes.append(len(batch))
        if any(row.listing_sku == "E" for row in batch):
            push.batch_failed(batch, RefusedError("E is bad", code="bad_row"))
        else:
            push.batch_answered(batch, accepted(batch, echo=5))

    assert sizes == [7, 3, 4, 2, 1, 1, 2]
    assert ends(push) == {
        sku: (("rejected", "bad_row") if sku == "E" else ("applied", "")) for sku in "ABCDEFG"
    }
    assert push.status() == "partial"


def test_a_cart_that_refuses_every_row_has_failed() -> None:
    push = push_of(line("A"), line("B"))
    while push.rows_left:
        push.batch_failed(send(push), RefusedError("no"))

    assert ends(push) == {"A": ("rejected", "refused"), "B": ("rejected", "refused")}
    assert push.status() == "failed"


def test_stopping_in_the_middle_leaves_rows_under_way_pending_and_the_rest_not_sent() -> None:
    push = push_of(*(line(sku) for sku in "ABC"), max_rows=1)
    batch = send(push)
    push.batch_answered(batch, accepted(batch, echo=5))
    send(push)

    push.stop("cancelled", "interrupted")

    assert ends(push) == {
        "A": ("applied", ""),
        "B": ("pending", "answer_unknown"),
        "C": ("skipped", "cancelled"),
    }
    push.stop("not_sent", "again changes nothing")
    assert ends(push)["C"] == ("skipped", "cancelled")


def test_rows_that_were_taken_but_not_handed_over_were_not_sent() -> None:
    push = push_of(line("A"), line("B"), max_rows=1)
    push.next_batch()

    push.stop("not_sent", "the ledger failed")

    assert ends(push) == {"A": ("skipped", "not_sent"), "B": ("skipped", "not_sent")}
    assert not push.sent_any


def test_answers_that_make_no_sense_leave_their_rows_pending() -> None:
    push = push_of(line("A"), line("B"))
    batch = send(push)

    with pytest.raises(AttributeError):
        push.batch_answered(batch, [None])  # type: ignore[list-item]  # what a user's sink may really give
    push.stop("not_sent", "broken sink")

    assert ends(push) == {"A": ("pending", "answer_unknown"), "B": ("pending", "answer_unknown")}


def test_what_is_wanted_shown_and_sent_is_noted_for_the_ledger() -> None:
    push = push_of(line("A", 5, 1), line("B", 5, 3, basis="ledger"), line("C", 5, 5, action="unchanged"))

    desired = [(one.listing_sku, one.desired, one.observed, one.observed_at) for one in push.desired(NOW)]
    sent = [(one.listing_sku, one.sent, one.sent_at) for one in push.sent(push.next_batch(), NOW)]

    assert desired == [("A", 5, 1, NOW), ("B", 5, None, None), ("C", 5, 5, NOW)]
    assert sent == [("A", 5, NOW), ("B", 5, NOW)]


def test_what_is_wanted_stays_as_it_was_when_it_was_asked_for() -> None:
    push = push_of(line("A"), line("B"))

    desired = push.desired(NOW)
    before = tuple(desired)
    push.refresh([CartListing(listing_sku="A", quantity=2), CartListing(listing_sku="B", quantity=1)])

    assert len(desired) == 2
    assert desired == before
    assert push.desired(NOW) != before


def test_looking_again_takes_the_lines_that_moved_out_of_the_push() -> None:
    push = push_of(line("A"), line("B"))

    push.refresh([CartListing(listing_sku="A", quantity=2), CartListing(listing_sku="B", quantity=1)])

    assert [row.listing_sku for row in push.next_batch()] == ["B"]
    push.stop("deadline", "")
    assert ends(push) == {"A": ("conflict", "moved_since_plan"), "B": ("skipped", "deadline")}
    assert not push.sent_any


def test_held_lines_stay_held_unless_approved() -> None:
    held = push_of(line("A", action="hold", reason="source_answer_lost"))
    approved = push_of(line("A", action="hold", reason="source_answer_lost"), approved=True)

    assert held.rows_left == 0
    assert ends(held) == {"A": ("held", "source_answer_lost")}
    batch = send(approved)
    approved.batch_answered(batch, accepted(batch, echo=5))
    assert ends(approved) == {"A": ("applied", "")}


# Laws: whatever a cart answers, every (listing, location) ends in exactly one outcome.

SKUS = ("A", "B", "C", "D", "E", "F", "G")
ROWS = ("accepted", "silent", "ignored", "rejected", "conflict", "pending", "skipped", "no_answer")
ERRORS: tuple[OmsyncError, ...] = (
    UnreachableError("unreachable"),
    ThrottledError("throttled"),
    LostAnswerError("lost"),
    ServerFaultError("broke"),
    TransientError("who knows"),
    DecodeError("html"),
    RefusedError("refused"),
    UnauthorizedError("unauthorized"),
    DeadlineError("deadline"),
    InvalidValueError("invalid"),
)
figures = st.dictionaries(st.sampled_from(SKUS), st.integers(0, 6))
scripts = st.dictionaries(st.integers(1, 6), st.tuples(st.sampled_from(ERRORS), st.booleans()))
carts = st.builds(
    FakeCart,
    st.dictionaries(st.sampled_from(SKUS), st.integers(0, 6)),
    rows=st.dictionaries(st.sampled_from(SKUS), st.sampled_from(ROWS)),
    calls=scripts,
    max_rows=st.none() | st.integers(1, 4),
    creates_listings=st.booleans(),
    readable=st.booleans(),
    accepts_zero=st.booleans(),
    completion=st.sampled_from(("immediate", "eventual")),
)


def pushed(push: Push, cart: FakeCart, *, stop_at: int | None) -> Sequence[Outcome]:
    """Do what the shells do, without them."""
    while push.rows_left:
        batch = send(push)
        if len(cart.pushes) == stop_at:
            push.stop("cancelled", "interrupted")
            return push.outcomes()
        try:
            results = cart.push(batch)
        except OmsyncError as error:
            push.batch_failed(batch, error)
        else:
            push.batch_answered(batch, results)
    push.seen(cart.read(push.unseen_listings()))
    return push.outcomes()


@given(figures, carts, st.booleans(), st.none() | st.integers(0, 4))
def test_every_listing_ends_in_exactly_one_outcome_whatever_the_cart_answers(
    wanted: dict[str, int], cart: FakeCart, approved: bool, stop_at: int | None
) -> None:
    can = cart.capabilities
    settings = CartSettings(name="shop")
    allocation = allocate(stock(wanted), MerchantSettings(mode=PerWarehouse()), settings)
    plan = make_plan(allocation, cart.read(SKUS) if can.readable else (), can)
    push = Push(plan=plan, capabilities=can, run_id="r", approved=approved)

    outcomes = pushed(push, cart, stop_at=stop_at)

    assert sorted(one.listing_sku or "" for one in outcomes) == sorted(wanted)
    assert push.status() in {"success", "partial", "failed"}
    for one in outcomes:
        if one.outcome == "applied" and can.readable:
            assert cart.shows(one.master_sku) == wanted[one.master_sku]
    written = {row.listing_sku for push_ in cart.pushes for row in push_}
    assert all(one.listing_sku in written for one in outcomes if one.outcome in {"applied", "rejected"})


# A cart that is sent everything each time.


def full_push(*lines: PlanLine, known: Sequence[KnownRow] = (), **more: Any) -> Push:
    plan = SyncPlan(merchant="default", cart="shop", lines=lines, known=known)
    can = capabilities(contents="full", **more)
    return Push(plan=plan, capabilities=can, run_id="r", approved=False)


def repeats(push: Push) -> dict[str, int | None]:
    return {one.listing_sku or "": one.repeated for one in push.outcomes()}


UNCHANGED = line("SAME", 5, 5, action="unchanged")
HELD = line("HELD", 9, 2, action="hold", reason="source_answer_lost")
SKIPPED = line("SKIP", 9, 3, action="skip", reason="location_named_twice")


def test_repetitions_leave_the_outcomes_as_they_are_and_mark_them() -> None:
    push = full_push(UNCHANGED, HELD, SKIPPED, line("NEW"), known=[KnownRow(listing_sku="OLD", quantity=4)])
    batch = send(push)

    assert {row.listing_sku: row.quantity for row in batch} == {
        "NEW": 5,
        "SAME": 5,
        "HELD": 2,
        "SKIP": 3,
        "OLD": 4,
    }
    push.batch_answered(batch, accepted(batch))

    assert ends(push) == {
        "SAME": ("unchanged", ""),
        "HELD": ("held", "source_answer_lost"),
        "SKIP": ("skipped", "location_named_twice"),
        "NEW": ("pending", "not_yet_seen"),
    }
    assert repeats(push) == {"SAME": 5, "HELD": 2, "SKIP": 3, "NEW": None}
    assert push.rows_left == 0
    assert [one.listing_sku for one in push.learned(NOW)] == ["NEW"]
    assert [one.listing_sku for one in push.sent(batch, NOW)] == ["NEW"]


def test_a_repetition_that_waits_for_its_answer_was_told_too() -> None:
    push = full_push(UNCHANGED)
    push.batch_answered(send(push), [PushResult(listing_sku="SAME", status="pending")])

    assert repeats(push) == {"SAME": 5}
    assert push.sent_any


@pytest.mark.parametrize("status", ["rejected", "skipped", "conflict"])
def test_a_repetition_that_the_cart_does_not_take_is_said_of_an_unchanged_line(status: str) -> None:
    push = full_push(UNCHANGED, HELD)
    batch = send(push)
    push.batch_answered(
        batch, [PushResult(listing_sku=row.listing_sku, status=status, reason="why") for row in batch]
    )

    assert ends(push) == {"SAME": (status, "why"), "HELD": ("held", "source_answer_lost")}
    assert repeats(push) == {"SAME": None, "HELD": None}


def test_a_cart_that_says_nothing_about_a_repetition_leaves_it_open() -> None:
    push = full_push(UNCHANGED)
    push.batch_answered(send(push), [])

    assert ends(push) == {"SAME": ("pending", "no_answer_for_row")}


def test_what_is_sent_as_a_whole_and_refused_is_not_halved() -> None:
    push = full_push(UNCHANGED, HELD, line("NEW"))
    push.batch_failed(send(push), RefusedError("no", code="bad_document"))

    assert push.rows_left == 0
    assert ends(push) == {
        "SAME": ("rejected", "bad_document"),
        "HELD": ("held", "source_answer_lost"),
        "NEW": ("rejected", "bad_document"),
    }
    assert push.status() == "failed"


def test_a_whole_whose_answer_was_lost_is_pending_also_where_nothing_changed() -> None:
    push = full_push(UNCHANGED)
    push.batch_failed(send(push), LostAnswerError("gone"))

    assert ends(push) == {"SAME": ("pending", "answer_unknown")}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UnreachableError("no network"), "2 rows could not be repeated (not sent): no network"),
        (LostAnswerError("gone"), "2 rows could not be repeated (answer unknown): gone"),
    ],
)
def test_a_whole_that_only_repeats_what_is_skipped_and_does_not_go_out_is_no_success(
    error: OmsyncError, said: str
) -> None:
    push = full_push(SKIPPED, known=[KnownRow(listing_sku="OLD", quantity=4)])
    push.batch_failed(send(push), error)

    assert [(one.reason, one.message) for one in push.plan.notices] == [("not_repeated", said)]
    assert ends(push) == {"SKIP": ("skipped", "location_named_twice")}
    assert push.status() == "failed"
    assert not push.sent_any


def test_an_interrupt_after_everything_was_told_leaves_what_was_told() -> None:
    push = full_push(UNCHANGED, HELD)
    batch = send(push)
    push.batch_answered(batch, accepted(batch))
    push.stop("not_sent", "the ledger broke")

    assert ends(push) == {"SAME": ("unchanged", ""), "HELD": ("held", "source_answer_lost")}
    assert push.plan.notices == ()


def test_an_interrupt_while_everything_is_under_way_leaves_it_open() -> None:
    push = full_push(UNCHANGED, line("NEW"))
    send(push)
    push.stop("cancelled", "Ctrl-C")

    assert ends(push) == {"SAME": ("pending", "answer_unknown"), "NEW": ("pending", "answer_unknown")}
