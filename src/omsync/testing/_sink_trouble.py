"""Checks of what a sink says when something goes wrong: that nothing is taken for an answer that is none."""

from __future__ import annotations

from collections.abc import Sequence

from omsync.errors import (
    DecodeError,
    OmsyncError,
    ThrottledError,
    TransientError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.flows import Sink
from omsync.testing._sink_bench import Key
from omsync.testing._sink_trial import Trial, named, want


def wrong_credentials_are_unauthorized(trial: Trial) -> None:
    """With wrong credentials both read and push raise ``UnauthorizedError``, and nothing is written."""
    sink = trial.need_sink(trial.bench.unauthorized, "with wrong credentials")
    _want_raised(trial, sink, "with wrong credentials", UnauthorizedError)


def an_unreachable_cart_is_no_empty_cart(trial: Trial) -> None:
    """Where nobody answers, read and push raise ``UnreachableError``; no cart is taken for an empty one."""
    sink = trial.need_sink(trial.bench.unreachable, "that reaches nobody")
    _want_raised(trial, sink, "where nobody answers", UnreachableError)


def a_lost_answer_is_no_refusal(trial: Trial) -> None:
    """A write whose answer is lost is told as unknown, never as written or refused; once more, it arrives.

    Of a batch that takes several calls, rows that were not sent may be told as such.
    """
    sink = trial.need_sink(trial.bench.losing, "that loses answers")
    keys = [key for key in trial.rows() if key[1] == trial.bench.locations[0]]
    for some in (keys[:1], keys[: trial.capabilities.rows_per_push]):
        _lose(trial, sink, some)


def _lose(trial: Trial, sink: Sink, keys: Sequence[Key]) -> None:
    before, wanted = trial.shown(), trial.other_numbers(keys)
    changes = trial.changes(wanted)
    try:
        results = trial.push(changes, sink)
    except (TransientError, DecodeError) as error:
        not_sent = isinstance(error, UnreachableError | ThrottledError)
        want(not not_sent, f"{type(error).__name__} says that nothing was sent; it was, and the answer lost")
    except OmsyncError as error:
        want(False, f"a lost answer is raised as {type(error).__name__} ({error.code})")
    else:
        shown = trial.shown()
        for one in results:
            key = (one.listing_sku, one.location_id)
            unsent = shown.get(key) == before.get(key)
            want(
                one.status in ({"pending", "skipped"} if unsent else {"pending"}),
                f"after a lost answer {named(key)} is {one.status}, {'not ' if unsent else ''}written",
            )
    first = keys[0]
    trial.want_shown({first: wanted[first]}, "after a write whose answer was lost")
    trial.push_all(trial.changes(wanted))
    trial.want_shown(wanted, "after sending it again")


def _want_raised(trial: Trial, sink: Sink, when: str, kind: type[OmsyncError]) -> None:
    before = trial.shown()
    key = trial.rows(1)[0]
    changes = trial.changes(trial.other_numbers([key]))
    if trial.capabilities.readable:
        try:
            read = trial.read([key[0]], sink)
        except OmsyncError as error:
            want(isinstance(error, kind), f"{when} read raises {type(error).__name__}: {error.message}")
        else:
            want(False, f"{when} read gives {len(read)} rows")
    try:
        results = trial.push(changes, sink)
    except OmsyncError as error:
        want(isinstance(error, kind), f"{when} push raises {type(error).__name__}: {error.message}")
    else:
        want(False, f"{when} push gives {[one.status for one in results]}")
    trial.want_unchanged(before, f"{when},")


TROUBLE = (
    wrong_credentials_are_unauthorized,
    an_unreachable_cart_is_no_empty_cart,
    a_lost_answer_is_no_refusal,
)
