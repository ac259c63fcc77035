"""Checks of a ledger that several use at once: threads, openings, and leases; and of what was sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from attrs import evolve

from omsync.exchange import HistoryEntry, Lease, ListingState
from omsync.testing._ledger_bench import NOW, LedgerBench, a_merchant, a_run
from omsync.testing._ledger_keeping import states_by_key
from omsync.testing._sink_trial import NotApplicable, want

__all__ = ["SHARING"]

_THREADS, _EACH = 4, 20
_SPAN = timedelta(seconds=2)


def two_writers_lose_nothing(bench: LedgerBench) -> None:
    """What one opening of the ledger has written, another sees at once; figures of both are merged."""
    merchant = a_merchant()
    with bench.opened() as one, bench.opened() as other:
        for number in range(6):
            writer, reader = (one, other) if number % 2 else (other, one)
            run = a_run(merchant, minutes=number)
            writer.begin_run(run)
            reader.finish_run(evolve(run, status="success", finished_at=run.started_at))
            writer.record_states(merchant, "shop", [_desired("MUG", number), _desired(f"CUP-{number}", 1)])
            reader.record_states(
                merchant, "shop", [ListingState(listing_sku="MUG", sent=number, sent_at=NOW)]
            )
            writer.memory(merchant).remember("marks", {str(number): "seen"})
            want(str(number) in reader.memory(merchant).recall("marks"), "the other's memory is not seen")
        found = {state.listing_sku: state for state in one.states(merchant, "shop")}
        want((found["MUG"].desired, found["MUG"].sent) == (5, 5), f"merged from two: {found['MUG']}")
        want(len(found) == 7, f"{len(found)} of 7 listings are there")  # noqa: PLR2004  as written above
        want({run.status for run in other.runs(merchant, "shop")} == {"success"}, "a run's end is not seen")


def threads_lose_nothing(bench: LedgerBench) -> None:
    """Threads that use one ledger at once lose nothing; ``omsync.aio`` calls it in threads."""
    merchant = a_merchant()
    with bench.opened() as ledger:

        def write(thread: int) -> None:
            for number in range(_EACH):
                ledger.record_states(merchant, "shop", [_accepted(f"{thread}-{number}", number)])
                ledger.memory(merchant).remember("marks", {f"{thread}-{number}": "seen"})

        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(write, range(_THREADS)))
        states, marks = (
            states_by_key(ledger.states(merchant, "shop")),
            ledger.memory(merchant).recall("marks"),
        )
    want(len(states) == _THREADS * _EACH, f"{len(states)} of {_THREADS * _EACH} figures are there")
    want(len(marks) == _THREADS * _EACH, f"{len(marks)} of {_THREADS * _EACH} entries are there")


def a_lease_has_one_holder(bench: LedgerBench) -> None:
    """A lease that is held is not given to another run; released, it is; others' releases do nothing."""
    merchant, ours, theirs = a_merchant(), _lease("ours"), _lease("theirs")
    with bench.opened() as one, bench.opened() as other:
        _need(one, "take_lease")
        for cart in ("shop", None):
            want(one.take_lease(merchant, cart, ours).run_id == ours.run_id, "a free lease is not given")
            want(
                one.take_lease(merchant, cart, ours).run_id == ours.run_id, "our own lease is not given again"
            )
            stands = other.take_lease(merchant, cart, theirs)
            want(stands.run_id == ours.run_id, "a lease that is held is given to another run")
            want(stands.holder == ours.holder, f"the holder {ours.holder!r} is told as {stands.holder!r}")
            other.release_lease(merchant, cart, theirs)
            want(
                other.take_lease(merchant, cart, theirs).run_id == ours.run_id,
                "another run's release frees it",
            )
            one.release_lease(merchant, cart, ours)
            lost = one.renew_lease(merchant, cart, ours)
            want(lost is None or lost.run_id != ours.run_id, "a lease that was given back is renewed")
            want(
                other.take_lease(merchant, cart, theirs).run_id == theirs.run_id, "a free lease is not given"
            )
        elsewhere = one.take_lease(a_merchant("another"), "shop", ours)
        want(elsewhere.run_id == ours.run_id, "another merchant's lease is in the way")


def of_many_runs_one_gets_the_lease(bench: LedgerBench) -> None:
    """Of runs that ask for a lease at once, one gets it, and all are told which."""
    merchant = a_merchant()
    leases = [_lease(f"run {number}") for number in range(8)]

    def take(lease: Lease) -> Lease:
        with bench.opened() as ledger:
            return _need(ledger, "take_lease")(merchant, "shop", lease)  # type: ignore[no-any-return]  # by name

    with ThreadPoolExecutor(len(leases)) as pool:
        holders = {lease.run_id for lease in pool.map(take, leases)}
    want(len(holders) == 1, f"{len(holders)} runs hold one lease")


def a_lease_that_has_run_out_can_be_taken_over(bench: LedgerBench) -> None:
    """A lease that was not renewed goes to the next run, and then is no longer the first one's to renew."""
    merchant, ours = a_merchant(), _lease("ours")
    with bench.opened() as one, bench.opened() as other:
        _need(one, "take_lease")
        one.take_lease(merchant, "shop", ours)
        longer = evolve(ours, until=ours.until + _SPAN)
        renewed = one.renew_lease(merchant, "shop", longer)
        want(renewed is not None and renewed.run_id == ours.run_id, "a lease of our own is not renewed")
        if bench.wait is not None:
            bench.wait(longer.span.total_seconds() + 0.5)
        theirs = evolve(_lease("theirs"), since=longer.until + _SPAN, until=longer.until + 2 * _SPAN)
        want(other.take_lease(merchant, "shop", theirs).run_id == theirs.run_id, "a dead run keeps its lease")
        late = evolve(longer, since=theirs.since, until=theirs.until)
        stands = one.renew_lease(merchant, "shop", late)
        want(stands is None or stands.run_id == theirs.run_id, "a lease that was taken over is renewed")
        one.release_lease(merchant, "shop", late)
        want(
            other.take_lease(merchant, "shop", theirs).run_id == theirs.run_id, "it was given back by another"
        )


def history_keeps_what_was_sent(bench: LedgerBench) -> None:
    """``history`` gives each quantity that was sent with its reply, oldest first, by listing and time."""
    merchant = a_merchant()
    first, second = (_sent("MUG", quantity, hours) for quantity, hours in ((7, 0), (4, 1)))
    cup = _sent("CUP", 1, 2)
    replied = evolve(first, status="accepted", echo=7, message="50% 'ok'", explanation='{"rows": []}')
    with bench.opened() as ledger:
        _need(ledger, "record_history")
        ledger.record_history(merchant, "shop", [first])
        ledger.record_history(merchant, "shop", [second, cup])
        ledger.record_history(merchant, "shop", [replied])
        ledger.record_history(merchant, "Shop", [_sent("MUG", 99, 0)])
        found = list(ledger.history(merchant, "shop"))
        want(found == [replied, second, cup], f"the history is {found}")
        want(list(ledger.history(merchant, "shop", "MUG")) == [replied, second], "one listing's is another")
        since = list(ledger.history(merchant, "shop", "MUG", second.sent_at))
        want(since == [second], f"from {second.sent_at} on there are {len(since)} entries")
        want(not list(ledger.history(a_merchant("unheard of"), "shop")), "an unknown merchant has a history")


def _need(ledger: Any, method: str) -> Callable[..., Any]:
    found: Callable[..., Any] | None = getattr(ledger, method, None)
    if found is None:
        raise NotApplicable(f"the ledger has no {method}")
    return found


def _lease(name: str) -> Lease:
    return Lease(run_id=f"{name} {uuid.uuid4().hex}", holder=f"host, {name}", since=NOW, until=NOW + _SPAN)


def _sent(sku: str, quantity: int, hours: int) -> HistoryEntry:
    return HistoryEntry(
        run_id=uuid.uuid4().hex,
        listing_sku=sku,
        sent_at=NOW + timedelta(hours=hours),
        quantity=quantity,
        shown=2,
        settings_digest="s1",
        plan_digest="p1",
        approved_by="Ann",
        summary="7 on hand",
    )


def _desired(sku: str, number: int) -> ListingState:
    return ListingState(listing_sku=sku, desired=number, desired_at=NOW)


def _accepted(sku: str, number: int) -> ListingState:
    return ListingState(listing_sku=sku, accepted=number, accepted_at=NOW)


SHARING = (
    two_writers_lose_nothing,
    threads_lose_nothing,
    a_lease_has_one_holder,
    of_many_runs_one_gets_the_lease,
    a_lease_that_has_run_out_can_be_taken_over,
    history_keeps_what_was_sent,
)
