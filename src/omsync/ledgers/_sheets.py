"""What is known of listings as a sheet: JSON that SQLite reads too, in which what repeats stands once.

A sheet has a row for each listing: listing SKU, location, the four figures, and the number of its stamp. A
stamp has the figures' times and runs, and since when the lasting ones are so, as numbers of texts. The first
text is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from operator import attrgetter
from typing import Any

from attrs import frozen

from omsync.exchange import ListingState
from omsync.ledgers._rows import FIGURES, LASTING, text_or_none, time_or_none

__all__ = ["ACCEPTED", "Row", "Sheet", "as_json", "merged", "sheets_of_states"]

Stamp = tuple[str | None, ...]
"""Time and run of each figure, then since when the lasting ones are so; times are text."""

Row = tuple[Any, ...]
"""Listing SKU, location or ``""``, the four figures, and their stamp."""

_HEAD = ("listing_sku", "location_id", *FIGURES)
_STAMP = (
    *(f"{figure}_{part}" for figure in FIGURES for part in ("at", "run")),
    *(f"{figure}_since" for figure in LASTING),
)
_TIMES = frozenset(place for place, name in enumerate(_STAMP) if not name.endswith("_run"))
_SINCE = {FIGURES.index(figure): _STAMP.index(f"{figure}_since") for figure in LASTING}
ACCEPTED = _HEAD.index("accepted")

_head_of = attrgetter(*_HEAD)
# All that is told of a lasting figure is that it is so at its time.
_stamp_of = attrgetter(*_STAMP[: -len(LASTING)], *(f"{figure}_at" for figure in LASTING))
_NOTHING: Stamp = (None,) * len(_STAMP)
_MOST = 16_384
"""Rows of a sheet at most, so that none grows beyond what SQLite keeps in one place."""

as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


@frozen
class Sheet:
    """A sheet as it is kept.

    Args:
        size: How many rows it has.
        texts: JSON: null, then each time and run once.
        stamps: JSON: each stamp once.
        listings: JSON: the rows.
    """

    size: int
    texts: str
    stamps: str
    listings: str

    @classmethod
    def of_rows(cls, rows: Sequence[Row]) -> Sheet:
        """Write rows, of which there is at least one."""
        *heads, stamps = zip(*rows, strict=True)
        numbers: dict[Stamp, int] = {}
        column = [numbers.setdefault(stamp, len(numbers)) for stamp in stamps]
        return cls._of_columns(heads, column, numbers)

    @classmethod
    def of_states(cls, states: Sequence[ListingState]) -> Sheet:
        """Write what was told of listings, of which there is at least one."""
        heads: list[Sequence[Any]] = list(zip(*map(_head_of, states), strict=True))
        heads[1] = [location_id or "" for location_id in heads[1]]
        numbers: dict[tuple[Any, ...], int] = {}
        column = [numbers.setdefault(stamp, len(numbers)) for stamp in map(_stamp_of, states)]
        return cls._of_columns(heads, column, map(_written, numbers))

    @classmethod
    def _of_columns(
        cls, heads: Sequence[Sequence[Any]], column: Sequence[int], stamps: Iterable[Stamp]
    ) -> Sheet:
        numbers: dict[str | None, int] = {None: 0}
        as_numbers = [[numbers.setdefault(text, len(numbers)) for text in stamp] for stamp in stamps]
        texts, listings = as_json(list(numbers)), as_json(list(zip(*heads, column, strict=True)))
        try:
            (texts + listings).encode()
        except UnicodeEncodeError:
            for text in chain(heads[0], heads[1], list(numbers)[1:]):
                text.encode()  # To name the one that is broken, not all.
        return cls(len(column), texts, as_json(as_numbers), listings)

    def rows(self) -> Iterator[Row]:
        """Read the rows.

        Raises:
            ValueError, TypeError, LookupError: It is not as it was written.
        """
        texts = json.loads(self.texts)
        stamps = [tuple(texts[number] for number in stamp) for stamp in json.loads(self.stamps)]
        for sku, location, desired, sent, accepted, observed, stamp in json.loads(self.listings):
            yield sku, location, desired, sent, accepted, observed, stamps[stamp]

    def states(self) -> Iterator[ListingState]:
        """Read the rows as what is known of listings."""
        texts = json.loads(self.texts)
        times: dict[str | None, datetime | None] = {}
        stamps = []
        for stamp in json.loads(self.stamps):
            known = [texts[number] for number in stamp]
            for place in _TIMES:
                text = known[place]
                if text not in times:
                    times[text] = time_or_none(text)
                known[place] = times[text]
            stamps.append(dict(zip(_STAMP, known, strict=True)))
        for sku, location, desired, sent, accepted, observed, number in json.loads(self.listings):
            yield ListingState(
                listing_sku=sku,
                location_id=location or None,
                desired=desired,
                sent=sent,
                accepted=accepted,
                observed=observed,
                **stamps[number],
            )


def sheets_of_states(states: Iterable[ListingState]) -> Iterator[Sheet]:
    """Write what was told of listings.

    Raises:
        InvalidValueError: A time does not know its zone.
        UnicodeEncodeError: A text is broken.
    """
    told = iter(states)
    while some := list(islice(told, _MOST)):
        yield Sheet.of_states(some)


def merged(known: Row | None, news: Row) -> Row:
    """Merge news into what is known of a listing, if anything.

    A figure that is None leaves figure, time and run as they are; one that is given replaces all three, so
    that a new figure is never dated by an old time. One that stays the same is so since it first was.
    """
    sku, location, *told, told_stamp = news
    figures: list[Any] = [None] * len(FIGURES) if known is None else list(known[2:-1])
    stamp = list(_NOTHING if known is None else known[-1])
    for place, figure in enumerate(told):
        if figure is None:
            continue
        since = _SINCE.get(place)
        if since is not None and not (figure == figures[place] and stamp[since] is not None):
            stamp[since] = told_stamp[since]
        figures[place] = figure
        stamp[2 * place : 2 * place + 2] = told_stamp[2 * place : 2 * place + 2]
    return (sku, location, *figures, tuple(stamp))


def _written(stamp: tuple[Any, ...]) -> Stamp:
    return tuple(text_or_none(one) if place in _TIMES else one for place, one in enumerate(stamp))
