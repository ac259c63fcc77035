"""Writing to WooCommerce: batches by parent, of a size that the shop can bear, two at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import define, field, frozen

from omsync.errors import OmsyncError, RefusedError, SettingsError
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, talk_all
from omsync.sinks._granted import NOT_DONE
from omsync.sinks._http import Wire
from omsync.sinks._woocommerce_access import Access
from omsync.sinks._woocommerce_answers import data_of
from omsync.sinks._woocommerce_items import Target, managed_by

__all__ = ["Answer", "CallSize", "Entry", "Written", "write"]

_ENOUGH = 4
"""After so many single rows in a row that came to nothing, the shop is given up for this push."""

_CONCERNS_ALL = (*NOT_DONE, SettingsError)


@frozen(kw_only=True)
class Entry:
    """A quantity to write.

    Args:
        target: What it is written to.
        quantity: Units.
        backorders: Given when stock management is switched on, so that this setting stays as it is.
        switch_on: Whether to switch stock management on.
    """

    target: Target
    quantity: int
    switch_on: bool = False
    backorders: str | None = None

    @property
    def wire(self) -> dict[str, Any]:
        """The entry as a row of a batch."""
        row: dict[str, Any] = {"id": self.target[1], "stock_quantity": self.quantity}
        if self.switch_on:
            row["manage_stock"] = True
            if self.backorders is not None:
                row["backorders"] = self.backorders
        return row


@frozen(kw_only=True)
class Answer:
    """What the shop said of one row: what it shows, under which SKU, or a fault's code and words."""

    sku: str | None = None
    managed: str = ""
    quantity: int | None = None
    code: str = ""
    message: str = ""


class CallSize:
    """How many rows a call holds: halved when calls come to nothing, and grown back slowly.

    Args:
        first: Rows to begin with.
        most: Rows at most.
    """

    def __init__(self, first: int, most: int) -> None:
        self.rows = min(first, most)
        self._most = most

    def shrink(self, tried: int) -> None:
        """Note that a call with so many rows came to nothing."""
        self.rows = max(1, min(self.rows, tried // 2))

    def grow(self, sent: int) -> None:
        """Note that a call with so many rows went through; only a full one says anything."""
        if sent >= self.rows:
            self.rows = min(self._most, self.rows + max(1, self._most // 20))

    def __repr__(self) -> str:
        return f"CallSize({self.rows} rows)"


@define(kw_only=True)
class Written:
    """What came of the entries.

    Args:
        answers: By target what the shop said, or the error in which the row's own call ended.
        doubtful: What was sent in a call whose answer is lost, and may be written.
        stopped: Why the rest was not sent; None when nothing is left.
    """

    answers: dict[Target, Answer | OmsyncError] = field(factory=dict)
    doubtful: set[Target] = field(factory=set)
    stopped: OmsyncError | None = None

    @property
    def anything(self) -> bool:
        """Whether something is written, or may be."""
        return bool(self.answers or self.doubtful)


class _Left:
    """What is left to send, by parent, in the order in which it came."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        groups: dict[int, list[Entry]] = {}
        for entry in entries:
            groups.setdefault(entry.target[0], []).append(entry)
        self._queue = deque(groups.values())

    def take(self, most: int, calls: int) -> list[list[Entry]]:
        """Take the rows of the next calls."""
        batches: list[list[Entry]] = []
        while self._queue and len(batches) < calls:
            group = self._queue.popleft()
            batches.append(group[:most])
            if group[most:]:
                self._queue.appendleft(group[most:])
        return batches

    def give_back(self, batch: list[Entry]) -> None:
        """Take rows back, to be sent before all others."""
        self._queue.appendleft(batch)


def write(line: Line, access: Access, entries: Sequence[Entry], size: CallSize) -> Steps[Written]:
    """Write the entries; never raises what a call ended in, but says how far it came.

    A call that came to nothing (a time-out, a server fault, too many rows, an answer that cannot be read) is
    cut in half and sent again, which is harmless, since quantities are absolute; so a row that breaks the
    shop ends alone, and the others go through.
    """
    written, left = Written(), _Left(entries)
    vain = 0
    while batches := left.take(size.rows, line.max_in_flight):
        if vain >= _ENOUGH or written.stopped:
            break
        outcomes = yield from talk_all(line, [_send(access, batch) for batch in batches])
        for batch, outcome in reversed(list(zip(batches, outcomes, strict=True))):
            if not isinstance(outcome, OmsyncError):
                written.answers.update(outcome)
                size.grow(len(batch))
                vain = 0
                continue
            if isinstance(outcome, _CONCERNS_ALL):
                written.stopped = outcome
                continue
            if not isinstance(outcome, RefusedError):
                written.doubtful.update(entry.target for entry in batch)
            if len(batch) > 1:
                size.shrink(len(batch))
                left.give_back(batch)
            else:
                written.answers[batch[0].target] = last = outcome
                vain += 1
    if batches and not written.stopped:
        written.stopped = last
    return written


def _send(access: Access, batch: Sequence[Entry]) -> Conversation[dict[Target, Answer]]:
    """Write one batch, all of one parent or all products; give by target what the shop said."""
    parent_id = batch[0].target[0]
    path = f"/products/{parent_id}/variations/batch" if parent_id else "/products/batch"
    response = yield access.update(path, [entry.wire for entry in batch])
    rows = data_of(access, response).field("update").rows()
    said = {row.field("id").whole(): _answer(row) for row in rows}
    silent = Answer(code="not_echoed", message="the shop's answer does not name this row")
    return {entry.target: said.get(entry.target[1], silent) for entry in batch}


def _answer(row: Wire) -> Answer:
    error = row.get("error")
    if error is not None:
        return Answer(code=error.field("code").text(), message=error.field("message").text())
    managed, quantity = managed_by(row)
    sku = row.get("sku")
    return Answer(sku=sku.text() if sku else None, managed=managed, quantity=quantity)
