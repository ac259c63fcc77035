"""Which rows can go into a document, as which items; and why the others cannot. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import frozen

from omsync.ports import PushResult, QuantityChange
from omsync.sinks.edi846.document import Item
from omsync.sinks.edi846.profile import LISTING_SKU, PartnerProfile, unwritable
from omsync.sinks.edi846.records import Key

__all__ = ["LARGEST_QUANTITY", "Assortment", "Problem", "key_of", "result_of"]

LARGEST_QUANTITY = 10**15 - 1
"""A quantity has at most 15 digits."""

LONGEST_CODE = 48
"""Characters of a product's code in a LIN segment."""

Problem = tuple[str, str, str]
"""A status, a reason and a sentence."""


@frozen(kw_only=True)
class Assortment:
    """What a partner may be told of: how its items are named, and which are out of the assortment."""

    profile: PartnerProfile
    codes: Mapping[str, Mapping[str, str]]
    discontinued: frozenset[str]
    retired: frozenset[str]

    @property
    def further(self) -> tuple[str, ...]:
        """The names of the codes beside the cart's own that decide how an item is told."""
        names = [name for _, name in self.profile.item_codes]
        names += [] if self.profile.skip_without is None else [self.profile.skip_without]
        return tuple(name for name in dict.fromkeys(names) if name != LISTING_SKU)

    @property
    def largest(self) -> int:
        """Let the total over all facilities stay within 15 digits too."""
        return LARGEST_QUANTITY // max(1, len(self.profile.facilities))

    def refused(
        self, changes: Sequence[QuantityChange], items: Mapping[str, Problem]
    ) -> dict[Key, PushResult]:
        """Give the rows that go into no document as they are, each with its reason.

        Args:
            changes: The rows.
            items: The problems of their items.
        """
        wanted: dict[Key, set[int]] = {}
        for row in changes:
            wanted.setdefault(key_of(row), set()).add(row.quantity)
        refused = {}
        for row in changes:
            problem = self.row_problem(row) or items.get(row.listing_sku)
            if len(wanted[key_of(row)]) > 1:
                problem = ("rejected", "contradiction", "The same row is given two quantities.")
            if problem is not None:
                refused[key_of(row)] = result_of(row, *problem)
        return refused

    def item_problems(self, skus: Collection[str]) -> dict[str, Problem]:
        """Give the items that have no codes to go out under, each with the reason."""
        # One product under two listing SKUs would be told twice, with two quantities.
        named = Counter(map(self.named, {*skus, *self.codes}))
        problems = {}
        for sku in skus:
            problem = self.item_problem(sku)
            if problem is None and named[self.named(sku)] > 1:
                codes = ", ".join(code for _, code in self.named(sku))
                problem = ("rejected", "code_of_two_items", f"Another listing has the same codes: {codes}.")
            if problem is not None:
                problems[sku] = problem
        return problems

    def items(self, rows: Mapping[Key, int]) -> list[Item]:
        """Gather rows into items, sorted by listing SKU and location."""
        places: dict[str, list[tuple[str | None, int]]] = {}
        for sku, place in sorted(rows, key=lambda key: (key[0], key[1] or "")):
            places.setdefault(sku, []).append((place, rows[sku, place]))
        return [
            Item(
                listing_sku=sku,
                codes=self.named(sku),
                quantities=tuple(quantities),
                discontinued=sku in self.discontinued,
            )
            for sku, quantities in places.items()
        ]

    def row_problem(self, row: QuantityChange) -> Problem | None:
        """Say why a row cannot go out, whatever the codes of its item are."""
        profile, sku = self.profile, row.listing_sku
        if sku in self.retired:
            return "skipped", "retired", "It is among the sink's retired."
        if row.location_id not in (profile.facilities if profile.names_locations else {None}):
            known = ", ".join(map(repr, sorted(profile.facilities))) or "none"
            return (
                "rejected",
                "unknown_location",
                f"The partner's profile has no facility for {row.location_id!r}; it has {known}.",
            )
        if not sku.isprintable():
            # It may go out under other codes only, and is kept as a cell of a line all the same.
            return "rejected", "not_printable", f"The listing SKU {sku!r} holds a control character."
        if row.quantity > self.largest:
            return "rejected", "out_of_range", f"{row.quantity} is more than a document can tell."
        return None

    def item_problem(self, sku: str) -> Problem | None:
        """Say why an item cannot go out under its codes, for themselves."""
        profile = self.profile
        if profile.skip_without is not None and not self._code(sku, profile.skip_without):
            return "skipped", "no_alias", f"{sku!r} has no code {profile.skip_without!r}."
        problems = (self._code_problem(sku, name) for _, name in profile.item_codes)
        return next((problem for problem in problems if problem is not None), None)

    def _code_problem(self, sku: str, name: str) -> Problem | None:
        code = self._code(sku, name)
        problem = unwritable(code, self.profile)
        if problem is None and len(code) > LONGEST_CODE:
            problem = ("code_too_long", f"it has more than {LONGEST_CODE} characters")
        if problem is None and code != code.strip():
            problem = ("space_around", "it begins or ends with a space, which X12 does not keep")
        if problem is None:
            return None
        return "rejected", problem[0], f"The {name} {code!r} of {sku!r} cannot be written: {problem[1]}."

    def named(self, sku: str) -> tuple[tuple[str, str], ...]:
        """Give an item's pairs of qualifier and code, as LIN wants them."""
        named = ((qualifier, self._code(sku, name)) for qualifier, name in self.profile.item_codes)
        return tuple((qualifier, code) for qualifier, code in named if code)

    def kept_codes(self, skus: Iterable[str]) -> dict[str, dict[str, str]]:
        """Give what is to be remembered of the codes that items go out under."""
        if not self.further:
            return {}
        given = {sku: {name: str(self._code(sku, name)) for name in self.further} for sku in skus}
        # A code that only decides whether an item is sent was never looked at, and may be anything.
        return {
            sku: {name: code for name, code in codes.items() if code and code.isprintable()}
            for sku, codes in given.items()
        }

    def _code(self, sku: str, name: str) -> str:
        return sku if name == LISTING_SKU else self.codes.get(sku, {}).get(name, "")


def key_of(row: QuantityChange) -> Key:
    """Give what a row is about."""
    return (row.listing_sku, row.location_id)


def result_of(row: QuantityChange, status: str, reason: str, message: str, *, job: str = "") -> PushResult:
    """Give a row's answer."""
    return PushResult(
        listing_sku=row.listing_sku,
        location_id=row.location_id,
        status=status,
        reason=reason,
        message=message,
        job=job,
    )
