"""What a comparison found, as a value, and the list that it is gathered in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
from attrs import define, field, frozen

from omsync import checks
from omsync.allocation import Notice
from omsync.allocation.reasons import words
from omsync.checks import counted, printable
from omsync.planning.table import aligned

__all__ = ["KINDS", "Comparison", "Difference", "Findings"]

Value = int | str | None

KINDS: dict[str, tuple[int, str]] = {
    "place_only_in_a": (0, "place that only the first has"),
    "place_only_in_b": (0, "place that only the second has"),
    "place_renamed": (0, "place of two names"),
    "alias_differs": (0, "listing of different products"),
    "product_only_in_a": (1, "product that only the first has"),
    "product_only_in_b": (1, "product that only the second has"),
    "quantity": (1, "quantity"),
    "no_quantity": (1, "listing that omsync leaves alone"),
    "only_in_cart": (1, "listing that only the cart has"),
    "total": (2, "total available"),
    "available": (2, "available"),
    "record_only_in_a": (2, "stock record that only the first has"),
    "record_only_in_b": (2, "stock record that only the second has"),
    "on_hand": (2, "on hand"),
    "not_in_cart": (3, "listing that the cart does not have"),
    "not_said": (3, "quantity that the cart does not say"),
    "alias_only_in_a": (4, "alias that only the first has"),
    "alias_only_in_b": (4, "alias that only the second has"),
    "bundle_differs": (4, "bundle of different parts"),
    "bundle_only_in_a": (4, "bundle that only the first knows"),
    "bundle_only_in_b": (4, "bundle that only the second knows"),
    "activity": (4, "product that is active in one only"),
}
"""The kinds of differences: how soon each is told (0 first), and its words. A listing that a plan would skip
has the plan's reason as its kind, such as ``"untracked_in_cart"``."""


@frozen(kw_only=True)
class Difference:
    """One thing in which the two differ.

    Args:
        kind: A stable word: one of ``KINDS``, or the reason why a plan would skip the listing.
        sku: The master SKU; empty where a place as a whole, or a listing that only a cart has, is concerned.
        listing_sku: The listing, where one is concerned.
        place: The location's name and id as the first has it, where one is concerned.
        a: What the first says; None: nothing.
        b: What the second says; None: nothing.
        gap: ``b`` less ``a`` in units (in a cart: pieces of the listing), where that can be said; what is
            missing counts as nothing there.
        sentence: The same for a person.
    """

    kind: str = field(validator=checks.text)
    sku: str = ""
    listing_sku: str | None = None
    place: str | None = None
    a: Value = None
    b: Value = None
    gap: int | None = None
    sentence: str = ""

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sort by this to have the worst first: what is mixed up, then the largest gaps."""
        group, _ = _about(self.kind)
        by_units = 1 if group in {1, 2} else group
        return (by_units, -abs(self.gap or 0), group, self.sku, self.listing_sku or "", self.place or "")

    def __str__(self) -> str:
        return self.sentence


@frozen(kw_only=True, repr=False)
class Comparison:
    """Two pictures of one merchant's stock, side by side.

    Args:
        names: What the two are called.
        taken_at: When each was read; None when that is not known.
        differences: What differs, the worst first.
        same: How many figures, aliases and the like were compared and agree.
        tolerated: How many figures differ by no more than the tolerance, and are not listed.
        tolerance: That many units may differ.
        units: Units that the two differ by, in all: over the products' totals, in sales-channel mode over
            each channel's figures, for a cart over its listings. Rises and falls both count.
        notices: What was left out of the comparison, or has to be known to read it.
    """

    names: tuple[str, str]
    taken_at: tuple[datetime | None, datetime | None]
    differences: tuple[Difference, ...] = ()
    same: int = 0
    tolerated: int = 0
    tolerance: int = 0
    units: int = 0
    notices: tuple[Notice, ...] = ()

    def __repr__(self) -> str:
        return f"<Comparison of {self.names[0]} and {self.names[1]}: {self._summary()}>"

    @property
    def clean(self) -> bool:
        """Whether nothing differs by more than the tolerance. The notices say what was not compared."""
        return not self.differences

    @property
    def counts(self) -> Mapping[str, int]:
        """How many differences there are of each kind, in the order of ``KINDS``."""
        found = Counter(one.kind for one in self.differences)
        return {kind: found[kind] for kind in [*KINDS, *sorted(found.keys() - KINDS)] if found[kind]}

    def of(self, kind: str) -> tuple[Difference, ...]:
        """Give the differences of one kind."""
        return tuple(one for one in self.differences if one.kind == kind)

    def rows(self) -> list[dict[str, Value]]:
        """Give the differences as plain rows, for a CSV file or a data frame."""
        return [attrs.asdict(one) for one in self.differences]

    def table(self, most: int = 40) -> str:
        """Give the differences as lines of text, at most so many; the worst first."""
        if self.clean:
            return ""
        shown = [("", "product", "listing", "place", *self.names, "gap")]
        shown += [
            (
                _about(one.kind)[1],
                one.sku or "-",
                one.listing_sku or "-",
                one.place or "-",
                "-" if one.a is None else str(one.a),
                "-" if one.b is None else str(one.b),
                "" if one.gap is None else f"{one.gap:+,}",
            )
            for one in self.differences[:most]
        ]
        more = len(self.differences) - most
        return "\n".join(aligned(shown) + ([f"  ... and {more:,} more"] if more > 0 else []))

    def to_json(self, *, indent: int | None = None) -> str:
        """Give the comparison as JSON."""
        return json.dumps(attrs.asdict(self), indent=indent, default=lambda moment: moment.isoformat())

    def __str__(self) -> str:
        head = f"{self._read(0)} and {self._read(1)}{self._age()}: {self._summary()}"
        notes = [f"  note: {notice.message}" for notice in self.notices]
        return "\n".join(filter(None, [printable(head), self.table(), *map(printable, notes)]))

    def _read(self, index: int) -> str:
        moment = self.taken_at[index]
        return self.names[index] + (f" (read {moment:%Y-%m-%d %H:%M:%S}Z)" if moment else "")

    def _age(self) -> str:
        first, second = self.taken_at
        if first is None or second is None or first == second:
            return ""
        apart = abs(second - first)
        units = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
        unit = next((name for name, long in units.items() if apart >= 2 * long), "minute")
        return f", {counted(round(apart / units[unit]), unit)} {'later' if second > first else 'earlier'}"

    def _summary(self) -> str:
        found = counted(len(self.differences), "difference") if self.differences else "no difference"
        if self.units:
            found += f" ({counted(self.units, 'unit')})"
        tolerated = f", {self.tolerated:,} within {counted(self.tolerance, 'unit')}" if self.tolerated else ""
        return f"{found}, {self.same:,} alike{tolerated}"


def _about(kind: str) -> tuple[int, str]:
    return KINDS.get(kind, (3, words(kind)))


@define(kw_only=True)
class Findings:
    """Gathers what is found.

    Args:
        names: What the two are called.
        tolerance: Figures that differ by no more units are alike enough.
    """

    names: tuple[str, str]
    tolerance: int = 0
    found: list[Difference] = field(factory=list)
    notices: list[Notice] = field(factory=list)
    same: int = 0
    tolerated: int = 0
    units: int = 0

    def agree(self, alike: bool, kind: str, a: Value, b: Value, sentence: str, **about: Any) -> None:
        """Note whether two things agree; what differs becomes a difference."""
        if alike:
            self.same += 1
        else:
            self.differ(kind, a, b, sentence, **about)

    def figure(self, kind: str, a: int | None, b: int | None, what: str, **about: Any) -> bool:
        """Note two figures; None is a figure that is not reported. Tell whether they become a difference."""
        if a == b:
            self.same += 1
            return False
        gap = None if a is None or b is None else b - a
        if gap is not None and abs(gap) <= self.tolerance:
            self.tolerated += 1
            return False
        said = ["not reported" if value is None else f"{value:,}" for value in (a, b)]
        sentence = f"{what}: {said[0]} in {self.names[0]}, {said[1]} in {self.names[1]}"
        self.differ(kind, a, b, sentence, gap=gap, **about)
        return True

    def differ(self, kind: str, a: Value, b: Value, sentence: str, **about: Any) -> None:
        """Note a difference."""
        self.found.append(Difference(kind=kind, a=a, b=b, sentence=sentence, **about))

    def one_sided(
        self, kind: str, side: int, value: int | None, sentence: str, *, units: bool = False, **about: Any
    ) -> None:
        """Note what only one of the two has; it counts as nothing in the other."""
        gap = None if value is None else (value, -value)[1 - side]
        a, b = (value, None) if side == 0 else (None, value)
        self.differ(f"{kind}_only_in_{'ab'[side]}", a, b, sentence, gap=gap, **about)
        if units:
            self.units += abs(value or 0)

    def notice(self, reason: str, message: str, entries: list[str]) -> None:
        """Note what a reader has to know, where there is anything to name."""
        if entries:
            entries = sorted(entries)
            few = ", ".join(entries[:5]) + (", ..." if len(entries) > 5 else "")  # noqa: PLR2004
            self.notices.append(Notice(reason=reason, message=f"{message}: {few}", entries=tuple(entries)))

    def result(self, taken_at: tuple[datetime | None, datetime | None]) -> Comparison:
        """Give the comparison, the worst first."""
        return Comparison(
            names=self.names,
            taken_at=taken_at,
            differences=tuple(sorted(self.found, key=lambda one: one.rank)),
            same=self.same,
            tolerated=self.tolerated,
            tolerance=self.tolerance,
            units=self.units,
            notices=tuple(self.notices),
        )
