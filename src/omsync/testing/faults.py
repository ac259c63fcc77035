"""Faults by script: which call goes wrong, and how. Nothing here happens by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError
from omsync.testing.sandbox_queries import Query

__all__ = ["Fault", "FaultPlan"]

_SHIFTING = ("short_page", "shifted_rows")
KINDS = (
    "status",
    "html",
    "truncated_json",
    "cut_connection",
    "refuse_connection_before_processing",
    "refuse_connection_after_processing",
    "status_after_processing",
    "hang_before_processing",
    "hang_after_processing",
    "reset_connection",
    "slow_drip",
    "reordered",
    "replace",
    *_SHIFTING,
)


@frozen(kw_only=True)
class Fault:
    """One thing that goes wrong.

    Kinds: ``"status"`` and ``"html"`` answer instead of the endpoint, which does nothing.
    ``"truncated_json"`` answers half of the JSON as if it were whole. ``"cut_connection"`` carries the call
    out and breaks the connection in the middle of the answer.
    ``"refuse_connection_after_processing"`` carries it out and answers nothing;
    ``"refuse_connection_before_processing"`` does neither. ``"status_after_processing"`` carries it out and
    answers an error. The two that hang never answer, until the client gives up. ``"reset_connection"``
    carries it out and resets the connection in the middle of the answer. ``"slow_drip"`` answers byte by
    byte, ``"reordered"`` the last row first, and ``"replace"`` edits the answer.
    ``"short_page"`` answers ``rows`` rows less than asked, which then begin the next page.
    ``"shifted_rows"`` repeats the last ``rows`` rows of the page before, as if rows had come in meanwhile.

    Args:
        on: The endpoint, such as ``"GET /v1/inventory"`` or ``"GET /v1/warehouse/{id}"``.
        kind: What goes wrong.
        query: Only calls whose query has these values, such as ``{"page": "2"}``; they make it independent
            of the order in which a client asks for pages.
        nth: Which of the matching calls is the first to go wrong, from 1.
        times: How many matching calls go wrong; None for all from then on.
        status: For a status and ``"html"``: the HTTP status; 500 and 200 when left out.
        body: For a status: the body; for ``"html"``: the page.
        headers: For a status and ``"html"``: further headers.
        rows: For pages: how many rows.
        edit: For ``"replace"``: is given the decoded JSON, which it may change, and gives what is sent.
    """

    on: str = field(validator=checks.text)
    kind: str = field(validator=checks.one_of(*KINDS))
    query: Mapping[str, str] = field(
        factory=dict,
        converter=checks.as_mapping,
        validator=checks.mapping(checks.text, checks.any_text),
    )
    nth: int = field(default=1, validator=checks.whole(minimum=1))
    times: int | None = field(default=1, validator=checks.optional(checks.whole(minimum=1)))
    status: int | None = field(
        default=None, validator=checks.optional(checks.whole(minimum=200, maximum=599))
    )
    body: str = field(default="", validator=checks.any_text)
    headers: Mapping[str, str] = field(
        factory=dict,
        converter=checks.as_mapping,
        validator=checks.mapping(checks.text, checks.any_text),
    )
    rows: int = field(default=1, validator=checks.whole(minimum=1))
    edit: Callable[[Any], Any] | None = None

    def __attrs_post_init__(self) -> None:
        if (self.edit is None) == (self.kind == "replace"):
            raise InvalidValueError(
                f"A fault of kind {self.kind!r} {'needs' if self.edit is None else 'takes no'} edit=",
                code="fault_edit",
                remedy='Give edit=lambda answer: ... together with kind="replace", and only then.',
            )
        if not self.query.get("page", "1").isdecimal():
            raise InvalidValueError(
                f"A fault names the page {checks.shown(self.query['page'])}", remedy='Write {"page": "2"}.'
            )


@define
class _Scripted:
    fault: Fault
    matched: int = 0
    fired: int = 0

    @property
    def fires_next(self) -> bool:
        over = self.fault.times is not None and self.fired >= self.fault.times
        return self.matched + 1 >= self.fault.nth and not over

    def fires(self) -> bool:
        fires = self.fires_next
        self.matched += 1
        self.fired += fires
        return fires


class FaultPlan:
    """Counts calls and says which faults each of them meets.

    Args:
        lanes: The endpoints that exist.
        paged: Those of them that answer pages.
    """

    def __init__(self, lanes: Iterable[str], paged: Iterable[str]) -> None:
        self._lanes = frozenset(lanes)
        self._paged = frozenset(paged)
        self._scripted: list[_Scripted] = []
        # For each reading (lane and filters): by page that went wrong, how far it moved the later ones.
        self._moves: dict[object, dict[int, int]] = {}

    def add(self, faults: Iterable[Fault]) -> None:
        """Add faults; each begins to count now."""
        for fault in faults:
            known = self._paged if fault.kind in _SHIFTING else self._lanes
            if fault.on not in known:
                raise InvalidValueError(
                    f"A fault of kind {fault.kind!r} names the endpoint {fault.on!r}, which cannot have it",
                    code="fault_endpoint",
                    remedy=f"Name one of: {', '.join(sorted(known))}.",
                )
            self._scripted.append(_Scripted(fault))

    def clear(self) -> None:
        """Drop all faults and what they moved."""
        self._scripted.clear()
        self._moves.clear()

    def meet(self, lane: str, query: Iterable[tuple[str, str]]) -> tuple[Fault, ...]:
        """Give the faults of this call."""
        pairs = frozenset(query)
        matching = [
            one
            for one in self._scripted
            if one.fault.on == lane and pairs >= frozenset(one.fault.query.items())
        ]
        return tuple(one.fault for one in matching if one.fires())

    def rows(self, met: Iterable[Fault], lane: str, query: Query) -> slice:
        """Give the rows of a page, as the faults of this reading of pages have moved them."""
        reading, page, limit = (lane, query.without("page", "limit")), query.page, query.limit
        if page == 1:
            self._moves.pop(reading, None)
        moves = self._moves.setdefault(reading, {})
        cut = sum(fault.rows for fault in met if fault.kind == "short_page")
        repeated = sum(fault.rows for fault in met if fault.kind == "shifted_rows")
        if cut or repeated:
            moves[page] = cut + repeated
        before = sum(rows for at, rows in moves.items() if at < page)
        before += sum(self._announced(lane, query, moves))
        start = (page - 1) * limit - before - repeated
        return slice(max(0, start), max(0, start + limit - cut))

    def _announced(self, lane: str, query: Query, moves: Mapping[int, int]) -> Iterator[int]:
        """Give what faults that name an earlier page will still move, if a client asks for this one first."""
        pairs = frozenset(query.pairs)
        for one in self._scripted:
            fault = one.fault
            at = int(fault.query.get("page", query.page))
            others = frozenset(pair for pair in fault.query.items() if pair[0] != "page")
            if (
                fault.on == lane
                and fault.kind in _SHIFTING
                and others <= pairs
                and one.fires_next
                and at < query.page
                and at not in moves
            ):
                yield fault.rows
