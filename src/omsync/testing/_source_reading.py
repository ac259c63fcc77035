"""Checks of what a source reads when nothing goes wrong."""

from __future__ import annotations

from typing import Any

from omsync.settings import PerSalesChannel
from omsync.testing._sink_trial import NotApplicable, want
from omsync.testing._source_bench import SourceBench
from omsync.testing._source_trial import (
    Breaking,
    a_ledger,
    changed_json,
    fresh,
    is_async,
    need_server,
    read,
    read_awaiting,
    want_same,
    want_whole,
)
from omsync.testing.conformance_report import few_words

__all__ = ["READING"]

_MORE = {"omsyncUnknown": {"nested": [1, None, "text"]}}


def the_snapshot_is_whole(bench: SourceBench) -> None:
    """A reading holds every stock record with its figure, every product and every listing, and no other."""
    with a_ledger() as ledger:
        want_whole(bench, read(bench, ledger=ledger), "read once,")


def the_snapshot_agrees_with_itself(bench: SourceBench) -> None:
    """Figures and bundles name products that are there, the scope fits the mode, the time is past."""
    with a_ledger() as ledger:
        snapshot = read(bench, ledger=ledger)
    products = {sku.master_sku for sku in snapshot.skus}
    strange = {level.master_sku for level in snapshot.levels} - products
    want(not strange, f"figures are for products that the snapshot has not: {few_words(sorted(strange))}")
    parts = {part.master_sku for bundle in snapshot.bundles for part in bundle.components}
    parts |= {bundle.master_sku for bundle in snapshot.bundles}
    want(parts <= products, f"bundles name products that it has not: {few_words(sorted(parts - products))}")
    scope = "channel" if isinstance(bench.merchant.mode, PerSalesChannel) else "warehouse"
    want(snapshot.scope == scope, f"the scope is {snapshot.scope!r}, and the mode wants {scope!r}")
    now = bench.clock.now()
    want(snapshot.taken_at <= now, f"it says that it was taken at {snapshot.taken_at}, and now is {now}")


def read_twice_is_equal(bench: SourceBench) -> None:
    """While nothing changes, a second reading gives the same, with the ledger of the first."""
    with a_ledger() as ledger:
        first = read(bench, ledger=ledger)
        second = read(bench, ledger=ledger)
    want_same(bench, second, first, "read twice,")
    want(second.taken_at >= first.taken_at, "the second reading says that it is older than the first")


def reading_changes_no_figure(bench: SourceBench) -> None:
    """The order manager has the same figures after a reading as before."""
    before = dict(bench.available())
    with a_ledger() as ledger:
        read(bench, ledger=ledger)
    want(dict(bench.available()) == before, "a reading changed the order manager's figures")


def a_change_shows_in_the_next_reading(bench: SourceBench) -> None:
    """What changed in the order manager since the last reading is in the next one."""
    if bench.change is None:
        raise NotApplicable("the bench gives no way to change a figure")
    with a_ledger() as ledger:
        read(bench, ledger=ledger)
        before = dict(bench.available())
        bench.change()
        want(dict(bench.available()) != before, "the bench's change() changes no figure")
        want_whole(bench, read(bench, ledger=ledger), "after a change,")


def unknown_fields_are_ignored(bench: SourceBench) -> None:
    """A vendor may add fields to its answers, or columns to its files, at any time."""
    if bench.extra is not None:
        with a_ledger() as ledger:
            want_whole(bench, read(bench, bench.extra, ledger), "with unknown fields,")
        return
    server, over = need_server(bench)
    wanted, _ = fresh(bench)
    found = read(bench, over(Breaking(server(), changed_json(_with_more))))
    want_same(bench, found, wanted, "with unknown fields,")


def blocking_and_awaiting_read_the_same(bench: SourceBench) -> None:
    """A source gives for ``omsync.aio`` what it gives for ``omsync``."""
    if bench.server is not None and bench.over is not None:
        awaited_from, blocking_from = bench.over(bench.server()), bench.over(bench.server())
    else:
        awaited_from = blocking_from = bench.source
    if is_async(bench.source):
        raise NotApplicable("the source has async methods, so it is for omsync.aio alone")
    with a_ledger() as one, a_ledger() as other:
        awaited = read_awaiting(bench, awaited_from, one)
        want_same(bench, awaited, read(bench, blocking_from, other), "awaited,")


def _with_more(value: Any) -> Any:
    """Add a field to the answer and to each object in a list."""
    if isinstance(value, dict):
        return {**{name: _rows_with_more(one) for name, one in value.items()}, **_MORE}
    return _rows_with_more(value)


def _rows_with_more(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_more(one) for one in value]
    return value


READING = (
    the_snapshot_is_whole,
    the_snapshot_agrees_with_itself,
    read_twice_is_equal,
    reading_changes_no_figure,
    a_change_shows_in_the_next_reading,
    unknown_fields_are_ignored,
    blocking_and_awaiting_read_the_same,
)
