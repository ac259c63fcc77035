"""Checks of what a ledger says about runs."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from omsync.testing._ledger_bench import NOW, LedgerBench, a_merchant, a_run
from omsync.testing._sink_trial import want

__all__ = ["RUNS"]

_FIELDS = ("status", "started_at", "finished_at", "last_seen_at", "counts", "message", "code")


def a_run_is_in_progress_until_it_ends(bench: LedgerBench) -> None:
    """A run that has begun is listed from its beginning on, and as it ended once it has."""
    run = a_run(a_merchant())
    ended = evolve(
        run,
        status="partial",
        finished_at=NOW + timedelta(minutes=3),
        last_seen_at=NOW + timedelta(minutes=3),
        counts={"applied": 7, "rejected": 1},
        message="1 rejected; see 'CUP, 50% off'",
        code="refused",
    )
    with bench.opened() as ledger:
        ledger.begin_run(run)
        (found,) = ledger.runs(run.merchant, "shop")
        want(found.run_id == run.run_id, f"the run is listed as {found.run_id!r}")
        want(found.started_at == NOW, f"its beginning {NOW} is kept as {found.started_at}")
        # Which process it is, and whether that lives, is the ledger's own affair.
        want(found.status in {"in_progress", "died"}, f"a run that has begun is {found.status!r}")
        ledger.finish_run(ended)
        (found,) = ledger.runs(run.merchant, "shop")
        for name in _FIELDS:
            given, kept = getattr(ended, name), getattr(found, name)
            want(given == kept, f"a run that ended with {name}={given!r} is listed with {kept!r}")


def a_sign_of_life_is_kept(bench: LedgerBench) -> None:
    """``touch_run`` moves the last sign of life, and nothing else."""
    run, later = a_run(a_merchant()), NOW + timedelta(seconds=90)
    with bench.opened() as ledger:
        ledger.begin_run(run)
        ledger.touch_run(run.run_id, later)
        (found,) = ledger.runs(run.merchant, "shop")
        want(found.last_seen_at == later, f"touched at {later}, it was last seen at {found.last_seen_at}")
        want(found.started_at == NOW, f"touched, it began at {found.started_at}")


def runs_come_newest_first(bench: LedgerBench) -> None:
    """``runs`` gives the newest run first."""
    merchant = a_merchant()
    runs = [a_run(merchant, minutes=minutes) for minutes in range(3)]
    with bench.opened() as ledger:
        for run in runs:
            ledger.begin_run(run)
            ledger.finish_run(evolve(run, status="success", finished_at=run.started_at))
        found = [one.run_id for one in ledger.runs(merchant, "shop")]
    want(found == [run.run_id for run in reversed(runs)], "the runs do not come newest first")


def runs_are_kept_apart(bench: LedgerBench) -> None:
    """Runs of another cart, another merchant, or of reading the order manager are not mixed in."""
    merchant, other = a_merchant(), a_merchant("another")
    with bench.opened() as ledger:
        for run in (a_run(merchant), a_run(merchant, "SHOP"), a_run(merchant, None), a_run(other)):
            ledger.begin_run(run)
        for asked, cart in ((merchant, "shop"), (merchant, "SHOP"), (merchant, None), (other, "shop")):
            found = {(one.merchant, one.cart) for one in ledger.runs(asked, cart)}
            want(found == {(asked, cart)}, f"asked for the runs of {cart!r}, it gives those of {found}")
        want(not ledger.runs(other, None), "reads are listed for a merchant who had none")
        want(not ledger.runs(a_merchant("unheard of"), "shop"), "runs are listed for an unknown merchant")


RUNS = (
    a_run_is_in_progress_until_it_ends,
    a_sign_of_life_is_kept,
    runs_come_newest_first,
    runs_are_kept_apart,
)
