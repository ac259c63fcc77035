"""Rows on their way to a platform: their places, what they say together, and what was said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from omsync import checks
from omsync.errors import OmsyncError, RefusedError, SettingsError
from omsync.ports import PushResult, QuantityChange
from omsync.sinks._granted import NOT_DONE
from omsync.sinks._http import accepted, refused

__all__ = [
    "Key",
    "Places",
    "Row",
    "Verdict",
    "as_places",
    "check_location",
    "contradictions",
    "failed",
    "results_by_sku",
    "rows_by_sku",
]

Key = tuple[str, str]
"""A listing's SKU and a place's code."""


@frozen(kw_only=True)
class Row:
    """A change on its way, and its place in the platform's own code; empty where there is only one."""

    change: QuantityChange
    place: str = ""

    @property
    def key(self) -> Key:
        """What the row writes to."""
        return self.change.listing_sku, self.place


@frozen(kw_only=True)
class Places:
    """Where a seller's quantities go.

    Args:
        named: By name, the codes of the seller's places; empty where the platform keeps one number.
        target: The code for rows that name no location; None where they have to.
    """

    named: Mapping[str, str] = field(factory=dict)
    target: str | None

    @classmethod
    def of(cls, named: Mapping[str, str], location: str | None, *, otherwise: str) -> Places:
        """Find the target among the places; without any, ``otherwise`` is the one place there is."""
        if not named:
            return cls(target=otherwise)
        codes = set(named.values())
        target = named.get(location, location) if location else None
        return cls(named=named, target=target or (min(codes) if len(codes) == 1 else None))

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the named places."""
        return frozenset(self.named.values())

    @property
    def names(self) -> dict[str | None, str]:
        """The code by every way in which a row may name its location."""
        names: dict[str | None, str] = {} if self.target is None else {None: self.target}
        names.update(self.named)
        names.update((code, code) for code in self.named.values())
        return names

    def rows(self, changes: Iterable[QuantityChange]) -> list[Row]:
        """Give the rows with their places; a location that is unknown has an empty one."""
        return [Row(change=change, place=self.names.get(change.location_id, "")) for change in changes]

    @property
    def locations(self) -> str:
        """Whether rows may or must name a location, in the words of the capabilities."""
        if not self.named:
            return "none"
        return "required" if self.target is None else "optional"

    def unknown(self, row: Row) -> PushResult:
        """Give the result of a row whose location is none of these."""
        choices = ", ".join(f"{name!r}" for name in self.named) or "it has no locations"
        message = f"{row.change.location_id!r} is none of this sink's locations: {choices}"
        return refused(row.change, "unknown_location", message)


@frozen(kw_only=True)
class Verdict:
    """What a platform said of a row: ``"accepted"``, ``"rejected"``, or ``"pending"`` when it did not say."""

    status: str = "accepted"
    reason: str = ""
    message: str = ""
    echo: int | None = None

    def result(self, change: QuantityChange, job: str = "") -> PushResult:
        """Give the row's result; one that was only accepted shows nothing yet."""
        if self.status == "accepted":
            return accepted(change, self.echo, self.message)
        return refused(change, self.reason, self.message, status=self.status, job=job)


def contradictions(rows: Sequence[Row]) -> tuple[list[Row], list[PushResult]]:
    """Give the rows that agree, and the results of those that give one place different quantities."""
    wanted: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for row in rows:
        wanted[row.key].add(row.change.quantity)
    message = "several rows of this push give this listing and place different quantities"
    clear = [row for row in rows if len(wanted[row.key]) == 1]
    return clear, [refused(row.change, "contradiction", message) for row in rows if len(wanted[row.key]) > 1]


def rows_by_sku(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Gather rows by listing, in their order: each listing is one write or one message."""
    by_sku: dict[str, list[Row]] = {}
    for row in rows:
        by_sku.setdefault(row.change.listing_sku, []).append(row)
    return by_sku


def results_by_sku(
    by_sku: Mapping[str, Sequence[Row]], outcomes: Sequence[Mapping[str, Verdict] | OmsyncError]
) -> list[PushResult]:
    """Give the results of rows that were written one listing a call, by what each call said of each place.

    Raises:
        OmsyncError: No call was carried out; nothing is written, and more calls would come to nothing too.
    """
    undone = [one for one in outcomes if isinstance(one, NOT_DONE)]
    if undone and len(undone) == len(outcomes):
        raise undone[0]
    return [
        failed(row.change, outcome)
        if isinstance(outcome, OmsyncError)
        else outcome[row.place].result(row.change)
        for rows, outcome in zip(by_sku.values(), outcomes, strict=True)
        for row in rows
    ]


def failed(change: QuantityChange, error: OmsyncError) -> PushResult:
    """Give the result of a row whose own call ended in an error, while others went through."""
    if isinstance(error, NOT_DONE):
        return refused(change, "not_sent", error.message, status="skipped")
    if isinstance(error, RefusedError):
        return refused(change, error.code, error.message)
    return refused(change, "answer_unknown", error.message, status="pending")


def as_places(value: Mapping[str, str] | Iterable[str]) -> Mapping[str, str]:
    """Copy a mapping from names to codes, or a collection of codes, which are their own names."""
    named = value if isinstance(value, Mapping) else {code: code for code in checks.as_tuple(value)}
    return checks.as_mapping(named)


def check_location(owner: object, named: Mapping[str, str], location: str | None) -> None:
    """Refuse a location that is none of the places."""
    known = {*named, *named.values()}
    if location is not None and location not in known:
        raise SettingsError(
            f"{type(owner).__name__}.location {location!r} is none of its places: "
            f"{', '.join(sorted(map(repr, known))) or 'none are given'}",
            code="unknown_cart_location",
            remedy="Give as location the name or code of one of the places that are given.",
        )
