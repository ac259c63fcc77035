"""Sales-channel figures by acknowledge, which forgets what it answers.

So every channel's figures live in the memory, page by page, before the next page is asked for; a note that
a page is being asked for is made before asking. An answer that was lost, or a note that a crash left
without its answer, is never asked for again: the channel's epoch rises, and every figure of an older epoch
is doubtful until acknowledge speaks of its product again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
from attrs import define, field, frozen

from omsync.errors import DecodeError, OmsyncError, ThrottledError, TransientError, UnreachableError
from omsync.http.messages import Conversation
from omsync.http.steps import Line, Steps, call, talk_all
from omsync.model import SalesChannel, StockLevel
from omsync.ports import SourceMemory
from omsync.sources.extensiv.catalogue import Catalogue
from omsync.sources.extensiv.conversations import Api
from omsync.sources.extensiv.rows import Figure
from omsync.sources.extensiv.wire import AcknowledgePage

__all__ = [
    "AcknowledgeSettings",
    "ChannelState",
    "Drain",
    "acknowledge_channels",
    "figures_of",
    "open_drain",
]

_STATE = "state"
_FIGURE = "figure "
_MOST_PAGES = 100_000
_UNSURE = -1
_log = logging.getLogger("omsync")


@frozen(kw_only=True)
class ChannelState:
    """What is known of a channel's dealings with acknowledge.

    Args:
        account: Fingerprint of the address and the token.
        epoch: How many answers were lost so far.
        asking: The page that is being asked for; 0: none. Found set at the start, it means a crash.
        next_page: Where to go on; above 1 only while the order manager has promised more pages.
        asked_at: When a page was last asked for.
        acknowledged_at: When the last complete acknowledge began.
        baseline_from: The ``baseline_from`` that was last sent.
    """

    account: str
    epoch: int = 0
    asking: int = 0
    next_page: int = 1
    asked_at: datetime | None = None
    acknowledged_at: datetime | None = None
    baseline_from: datetime | None = None

    def pack(self) -> str:
        """Give a compact text."""
        told = attrs.asdict(self)
        return json.dumps(
            {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in told.items()
            }
        )

    @classmethod
    def unpack(cls, text: str) -> ChannelState:
        """Make the state from its text."""
        told = json.loads(text)
        for name in ("asked_at", "acknowledged_at", "baseline_from"):
            told[name] = datetime.fromisoformat(told[name]) if told[name] else None
        return cls(**told)


@frozen(kw_only=True)
class AcknowledgeSettings:
    """How a read acknowledges.

    Args:
        account: Fingerprint of the address and the token.
        now: When the read began.
        limit: Rows in a page.
        baseline_from: Sent as fromDate of the first acknowledge, and of the next one whenever it changes.
        replay: Whether to ask once more for the time of a lost answer.
        overlap: How much earlier than the last acknowledge that time begins.
        promise_within: How long a promise of more pages is trusted.
    """

    account: str
    now: datetime
    limit: int
    baseline_from: datetime | None
    replay: bool
    overlap: timedelta
    promise_within: timedelta


@define(kw_only=True)
class Drain:
    """One channel's acknowledge, page by page: what to ask, and what to make of what came.

    It goes through phases: ``"replay"`` (ask once more for the time of a lost answer), ``"continue"`` (the
    pages that an interrupted read was promised) and ``"fresh"`` (from page 1).

    Args:
        channel: The channel.
        settings: How to acknowledge.
        state: What is known of the channel.
        figures: Its figures, by product.
        phases: What is left to do.
        reported: The products that this read has heard of.
        failure: Why this channel could not be read, when nothing was lost.
    """

    channel: SalesChannel
    settings: AcknowledgeSettings
    state: ChannelState
    figures: dict[str, Figure]
    phases: list[str]
    reported: set[str] = field(factory=set)
    failure: OmsyncError | None = None
    _page: int = 1
    _before: AcknowledgePage | None = None
    _replayed: bool = False

    @property
    def namespace(self) -> str:
        """Where its figures live."""
        return _namespace(self.channel)

    def ask(self, api: Api) -> Conversation[AcknowledgePage]:
        """Make the conversation about the next page."""
        start, end = None, None
        if self.phases[0] == "replay":
            start, end = self._replay_from(), self.settings.now
        elif self.state.baseline_from != self.settings.baseline_from:
            start = self.settings.baseline_from
        return api.acknowledge(self._page, channel_id=self.channel.id, start=start, end=end)

    def note(self) -> Mapping[str, str]:
        """Give what to remember before asking."""
        return self._remembered(asking=self._page, asked_at=self.settings.now)

    def take(self, outcome: AcknowledgePage | OmsyncError) -> Mapping[str, str]:
        """Give what to remember of an answer before anything else is asked."""
        if isinstance(outcome, AcknowledgePage):
            return self._answered(outcome)
        if _nobody_knows(outcome):
            return self._lost(outcome)
        self.failure = outcome
        self.phases.clear()
        return self._remembered(asking=0)

    @property
    def news(self) -> list[Figure]:
        """What this read has heard."""
        return [self.figures[key] for key in self.reported]

    def replay_first(self) -> None:
        """Begin with the time of an answer that an earlier run lost, where the settings want that."""
        if self.settings.replay and self._replay_from() is not None:
            self.phases.insert(0, "replay")
            self._replayed = True

    def doubtful(self, figure: Figure) -> bool:
        """Whether a newer figure of this product may have been lost."""
        return figure.epoch < self.state.epoch

    def _answered(self, page: AcknowledgePage) -> Mapping[str, str]:
        if page.damage:
            _log.warning("Channel %s: rows of acknowledge are damaged: %s", self.channel.name, page.damage)
        epoch = self.state.epoch + page.unreadable
        fresh = [attrs.evolve(figure, epoch=epoch) for figure in page.figures]
        fresh += [
            attrs.evolve(self.figures[key], epoch=_UNSURE) for key in page.unsure if key in self.figures
        ]
        self.figures.update((figure.key, figure) for figure in fresh)
        self.reported.update(figure.key for figure in page.figures)
        entries = {_FIGURE + figure.key: figure.pack() for figure in fresh}
        more = len(page.figures) >= self.settings.limit if page.remaining is None else page.remaining
        if not more:
            return {**entries, **self._end_phase(page, epoch)}
        # Only promises about changes are kept; a replay that was interrupted is not gone on with.
        next_page = 1 if self.phases[0] == "replay" else self._page + 1
        self._turn_page(page)
        return {**entries, **self._remembered(asking=0, epoch=epoch, next_page=next_page)}

    def _turn_page(self, page: AcknowledgePage) -> None:
        if page == self._before or self._page >= _MOST_PAGES:
            self.failure = DecodeError(
                f"Channel {self.channel.name!r}: the server repeats page {self._page - 1} of acknowledge as "
                f"page {self._page}, and promises more",
                code="pages_repeat",
                remedy="What it told is kept. Check base_url; if it stays, tell Extensiv.",
            )
            self.phases.clear()
        self._before = page
        self._page += 1

    def _end_phase(self, page: AcknowledgePage, epoch: int) -> Mapping[str, str]:
        phase = self.phases.pop(0)
        broken_promise = phase == "continue" and self._before is None and not page.figures
        if broken_promise:
            _log.warning("Channel %s: the pages that were promised are gone", self.channel.name)
        self._page, self._before = 1, None
        done = (
            {"acknowledged_at": self.settings.now, "baseline_from": self.settings.baseline_from}
            if phase == "fresh"
            else {}
        )
        return self._remembered(asking=0, next_page=1, epoch=epoch + broken_promise, **done)

    def _lost(self, error: OmsyncError) -> Mapping[str, str]:
        _log.warning(
            "Channel %s: an answer of acknowledge was lost, and it is not asked for again: %s",
            self.channel.name,
            error.message,
        )
        self.phases.clear()
        if not self._replayed:
            self.replay_first()
        self._page, self._before = 1, None
        return self._remembered(asking=0, next_page=1, epoch=self.state.epoch + 1)

    def _replay_from(self) -> datetime | None:
        known = self.state.acknowledged_at
        return known - self.settings.overlap if known else self.settings.baseline_from

    def _remembered(self, **changes: Any) -> Mapping[str, str]:
        self.state = attrs.evolve(self.state, **changes)
        return {_STATE: self.state.pack()}


def open_drain(memory: SourceMemory, channel: SalesChannel, settings: AcknowledgeSettings) -> Steps[Drain]:
    """Recall a channel's figures and see how its last acknowledge ended."""
    kept = yield from call(memory.recall, _namespace(channel))
    figures = [Figure.unpack(text) for name, text in kept.items() if name.startswith(_FIGURE)]
    state = ChannelState.unpack(kept[_STATE]) if _STATE in kept else ChannelState(account=settings.account)
    loss = _loss(state, settings)
    if loss:
        _log.warning("Channel %s: %s; its figures are doubtful until told again", channel.name, loss)
        state = attrs.evolve(state, account=settings.account, epoch=state.epoch + 1, asking=0, next_page=1)
    drain = Drain(
        channel=channel,
        settings=settings,
        state=state,
        figures={figure.key: figure for figure in figures},
        phases=["continue", "fresh"] if state.next_page > 1 else ["fresh"],
        page=state.next_page,
    )
    if loss:
        drain.replay_first()
    return drain


def _loss(state: ChannelState, settings: AcknowledgeSettings) -> str:
    if state.account != settings.account:
        return "the token or the address is another one, and nobody knows what the order manager has told it"
    if state.asking:
        return f"the last run ended while page {state.asking} of acknowledge was under way"
    old = state.asked_at is not None and settings.now - state.asked_at > settings.promise_within
    if state.next_page > 1 and old:
        return f"the last run ended before page {state.next_page} of acknowledge, too long ago to go on"
    return ""


def acknowledge_channels(
    line: Line,
    api: Api,
    drains: Sequence[Drain],
    memory: SourceMemory,
    report: Callable[[int, int | None], None],
) -> Steps[None]:
    """Acknowledge the channels side by side, each page durable before the next one is asked for.

    A lost answer ends its own channel's turn only; whatever else fails is raised once all answers of its
    round are kept.
    """
    while live := [drain for drain in drains if drain.phases]:
        for drain in live:
            yield from call(memory.remember, drain.namespace, drain.note())
        outcomes = yield from talk_all(line, [drain.ask(api) for drain in live])
        for drain, outcome in zip(live, outcomes, strict=True):
            yield from call(memory.remember, drain.namespace, drain.take(outcome))
        for drain in live:
            if drain.failure is not None:
                raise drain.failure
        done = sum(len(drain.reported) for drain in drains)
        report(done, None if any(drain.phases for drain in drains) else done)


def figures_of(
    drains: Iterable[Drain], catalogue: Catalogue
) -> tuple[list[StockLevel], frozenset[tuple[str, str]]]:
    """Give all channels' levels, and which of them are doubtful.

    A product that a channel was never told of has no level there: absent is not zero.
    """
    name_of, ids = catalogue.namer(), {sku.source_id for sku in catalogue.skus}
    levels: list[StockLevel] = []
    doubtful: set[tuple[str, str]] = set()
    for drain in drains:
        named: dict[str, Figure] = {}
        # A product that was made anew under an old SKU goes before the one that is gone.
        for figure in sorted(drain.figures.values(), key=lambda one: one.product_id not in ids):
            named.setdefault(name_of(figure.product_id, figure.master_sku), figure)
        for master_sku, figure in named.items():
            levels.append(
                StockLevel(master_sku=master_sku, location_id=drain.channel.id, available=figure.available)
            )
            if drain.doubtful(figure):
                doubtful.add((master_sku, drain.channel.id))
    return levels, frozenset(doubtful)


def _nobody_knows(error: OmsyncError) -> bool:
    if isinstance(error, UnreachableError | ThrottledError):
        return False
    return isinstance(error, TransientError | DecodeError)


def _namespace(channel: SalesChannel) -> str:
    return f"extensiv/base/{channel.id}"
