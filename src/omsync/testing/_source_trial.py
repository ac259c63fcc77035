"""Reading in the source kit: as the shells read, whichever way the source is written, or broken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from omsync import aio
from omsync.allocation.availability import available
from omsync.errors import OmsyncError
from omsync.flows import Source
from omsync.http.messages import Handler, Request, Response
from omsync.ledgers.sqlite import SqliteLedger
from omsync.model import InventorySnapshot
from omsync.ports import Ledger, OrderManagerSource
from omsync.sync import read_inventory
from omsync.testing._ledger_keeping import parts_of
from omsync.testing._sink_trial import NotApplicable, want
from omsync.testing._source_bench import Figures, SourceBench
from omsync.testing.conformance_report import few_words

__all__ = [
    "Breaking",
    "a_ledger",
    "attempt",
    "changed_json",
    "fresh",
    "is_async",
    "need_server",
    "read",
    "read_awaiting",
    "some_of",
    "want_same",
    "want_whole",
]

_MOST_CALLS = 12


class Breaking:
    """A handler that counts calls and lets some of them go wrong.

    Args:
        inner: The order manager.
        answer: Gives the answer in place of the true one, or raises; None: nothing goes wrong.
        first: The first call that goes wrong, from 0.
        times: How many do.
    """

    def __init__(
        self,
        inner: Handler,
        answer: Callable[[Request, Callable[[], Response]], Response] | None = None,
        *,
        first: int = 0,
        times: int = 1_000_000,
    ) -> None:
        self._inner = inner
        self._answer = answer
        self._broken = range(first, first + times)
        self.calls = 0

    def __call__(self, request: Request) -> Response:
        number = self.calls
        self.calls += 1
        if self._answer is None or number not in self._broken:
            return self._inner(request)
        return self._answer(request, lambda: self._inner(request))


@contextmanager
def a_ledger() -> Iterator[Ledger]:
    """Lend a ledger that remembers nothing of before."""
    with SqliteLedger(":memory:") as ledger:
        yield ledger


def is_async(source: Source) -> bool:
    """Tell whether a source has to be awaited; steps are for either."""
    return not hasattr(source, "read_steps") and asyncio.iscoroutinefunction(source.read)


def read(
    bench: SourceBench,
    source: Source | None = None,
    ledger: Ledger | None = None,
    *,
    deadline: datetime | timedelta | None = None,
) -> InventorySnapshot:
    """Read as the shells do, with a fresh ledger unless one is given."""
    source = bench.source if source is None else source
    if ledger is None:
        with a_ledger() as spare:
            return read(bench, source, spare, deadline=deadline)
    if is_async(source):
        return read_awaiting(bench, source, ledger, deadline=deadline)
    blocking = cast("OrderManagerSource", source)
    return read_inventory(blocking, bench.merchant, ledger=ledger, clock=bench.clock, deadline=deadline)


def read_awaiting(
    bench: SourceBench, source: Source, ledger: Ledger, *, deadline: datetime | timedelta | None = None
) -> InventorySnapshot:
    """Read with the awaiting functions."""
    reading = aio.read_inventory(source, bench.merchant, ledger=ledger, clock=bench.clock, deadline=deadline)
    return asyncio.run(reading)


def attempt(reading: Callable[[], InventorySnapshot]) -> InventorySnapshot | OmsyncError:
    """Read, and give the snapshot or the error; only errors of omsync's may come out."""
    try:
        return reading()
    except OmsyncError as error:
        return error


def need_server(bench: SourceBench) -> tuple[Callable[[], Handler], Callable[[Handler], Source]]:
    """Give what makes a fresh order manager and a source before it, or leave the check."""
    if bench.server is None or bench.over is None:
        raise NotApplicable("the bench gives no server whose calls could be broken")
    return bench.server, bench.over


def fresh(bench: SourceBench) -> tuple[InventorySnapshot, int]:
    """Read a fresh order manager whole; give the snapshot and how many calls that took."""
    server, over = need_server(bench)
    counting = Breaking(server())
    return read(bench, over(counting)), counting.calls


def some_of(calls: int) -> list[int]:
    """Choose among the calls of a reading: all, or the first, the last and some between."""
    if calls <= _MOST_CALLS:
        return list(range(calls))
    return sorted({round(place * (calls - 1) / (_MOST_CALLS - 1)) for place in range(_MOST_CALLS)})


def want_whole(bench: SourceBench, snapshot: InventorySnapshot, when: str) -> None:
    """Want a snapshot to hold what the order manager has, all of it."""
    figures: Figures = {
        (one.master_sku, one.location_id): available(one, subtract_locked=True) for one in snapshot.levels
    }
    _want_equal(figures, bench.available(), f"{when} the figure")
    if bench.products is not None:
        there = {sku.master_sku for sku in snapshot.skus}
        missing, more = bench.products() - there, there - bench.products()
        want(not missing, f"{when} products are missing: {few_words(sorted(missing))}")
        want(not more, f"{when} there are products that it does not have: {few_words(sorted(more))}")
    if bench.listings is not None:
        aliases = {(one.name, one.listing_sku): one.master_sku for one in snapshot.aliases}
        _want_equal(aliases, bench.listings(), f"{when} the listing")


def want_same(bench: SourceBench, found: InventorySnapshot, wanted: InventorySnapshot, when: str) -> None:
    """Want two readings to be equal, but for when they were made.

    Where reading uses up what it is told, figures may be missing or doubtful; those that are there are true.
    """
    ours, theirs = parts_of(found), parts_of(wanted)
    apart = {"taken_at"}
    if bench.uses_up:
        apart |= {"levels", "doubtful"}
        want(ours["levels"] <= theirs["levels"], f"{when} the snapshot has figures that are not true")
    differing = [name for name in ours if name not in apart and ours[name] != theirs[name]]
    want(not differing, f"{when} the snapshot differs in {', '.join(differing)}")


def _want_equal(found: Any, wanted: Any, what: str) -> None:
    wrong = [key for key in sorted({*found, *wanted}, key=str) if found.get(key, "-") != wanted.get(key, "-")]
    told = [f"{what} of {key} is read as {found.get(key, '-')}, not {wanted.get(key, '-')}" for key in wrong]
    want(not wrong, few_words(told))


def changed_json(edit: Callable[[Any], Any]) -> Callable[[Request, Callable[[], Response]], Response]:
    """Make an answer that is the true one with its JSON edited."""

    def answer(_: Request, true: Callable[[], Response]) -> Response:
        response = true()
        content = json.dumps(edit(json.loads(response.content))).encode()
        return Response(
            status=response.status, headers=response.headers, content=content, place=response.place
        )

    return answer
