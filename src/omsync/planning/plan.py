"""A plan as a value: what each listing shall show, what it shows, what is to be done about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs
from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Allocation, Explanation, Notice, Skip
from omsync.allocation.reasons import words
from omsync.errors import NoExplanationError
from omsync.planning.table import plan_csv, plan_table
from omsync.settings import Guardrails

__all__ = ["PUT_BACK", "Key", "KnownRow", "PlanLine", "SyncPlan", "entry_of", "key_of", "seal_of"]

Key = tuple[str, str | None]
"""A listing SKU and a location of the cart, or None."""

PUT_BACK = "put_back"
"""The notice of a plan, and the reason of its lines, that go back to what the cart showed before omsync."""

_AT_A_TIME = 1000
"""Rows that are written as text at once, since that of a whole plan is large."""


def entry_of(key: Key) -> str:
    """Write a listing and its location as the key of an entry in the ledger's memory."""
    return json.dumps(key)


def key_of(entry: str) -> Key:
    """Read what ``entry_of`` wrote."""
    listing_sku, location_id = json.loads(entry)
    return (listing_sku, location_id)


@frozen(kw_only=True)
class PlanLine:
    """One listing at one location: what it shall show, what it shows, what is to be done.

    Args:
        listing_sku: The cart's code.
        master_sku: The product.
        location_id: The cart's location, or None.
        quantity: What it shall show, as an available quantity.
        shown: What it shows, as an available quantity; None when nobody knows.
        basis: Where ``shown`` is from: ``"cart"``, ``"ledger"`` (what was last accepted) or ``"none"``.
        action: ``"change"``, ``"unchanged"``, ``"skip"`` or ``"hold"``.
        reason: A stable code for skips and holds; for the others where the quantity is from.
        hint: What to do, for skips and holds.
        allocated: Units that the cart's own open orders hold, for a cart that keeps units on hand.
        version: The version that the cart gave with ``shown``.
        approved_by: Who let it through, where it was held.
        approved_until: When that approval ends, as ISO 8601; empty: no approval lets it through.
        gone: Why it has no quantity any more, as a code, where that is why it goes to 0.
    """

    listing_sku: str = field(validator=checks.text)
    master_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    quantity: int = field(validator=checks.whole(minimum=0))
    shown: int | None = field(default=None, validator=checks.optional(checks.whole()))
    basis: str = field(default="none", validator=checks.one_of("cart", "ledger", "none"))
    action: str = field(validator=checks.one_of("change", "unchanged", "skip", "hold"))
    reason: str = field(default="", validator=checks.any_text)
    hint: str = field(default="", validator=checks.any_text)
    allocated: int | None = field(default=None, validator=checks.optional(checks.whole()))
    version: str | None = field(default=None, validator=checks.optional(checks.text))
    approved_by: str = field(default="", validator=checks.any_text)
    approved_until: str = field(default="", validator=checks.any_text)
    gone: str = field(default="", validator=checks.any_text)

    @property
    def key(self) -> Key:
        """What the line is about."""
        return (self.listing_sku, self.location_id)

    @property
    def danger(self) -> int:
        """The order of pushing: 0 for zeros, 1 for falls, 2 where nothing is known, 3 for rises."""
        if self.quantity == 0:
            return 0
        if self.shown is None:
            return 2
        return 1 if self.quantity < self.shown else 3

    @property
    def why_gone(self) -> str:
        """Why it goes to 0 although nothing was computed, in words; empty where it is not gone."""
        return f"0 because it is gone: {words(self.gone)}" if self.gone else ""


@frozen(kw_only=True)
class KnownRow:
    """What a cart that is sent everything was last told about something that the plan has no quantity for.

    Args:
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        quantity: What it was last told.
    """

    listing_sku: str = field(validator=checks.text)
    location_id: str | None = field(default=None, validator=checks.optional(checks.text))
    quantity: int = field(validator=checks.whole())


@frozen(kw_only=True, repr=False)
class SyncPlan:
    """What a cart is to be told, compared with what it shows.

    Args:
        merchant: The merchant's name.
        cart: The cart's name.
        destination: Which cart was read, in the sink's own words.
        taken_at: When the figures were read from the order manager, as ISO 8601.
        lines: One for each (listing, location) that has a quantity, sorted.
        skipped: What has no quantity at all.
        notices: What else a person should know.
        cart_only: Listings that only the cart has, sorted.
        known: For a cart that is sent everything: what is repeated besides the lines, sorted.
        withheld: Units that rules and rounding keep back, in all.
        guardrails: The limits that it was held to; None when nothing was looked at.
        fresh_until: From when on its reading is too old for anything to change, as ISO 8601.
        settings_digest: Names the merchant's and the cart's settings by their content; empty: not known.
        looked_at: When reading the cart began, as ISO 8601; empty: not known.
        compare_within: As in the cart's settings: seconds after which a cart that cannot refuse a late write
            is looked at again before it.
        explanations: Carried along when the plan leaves its process: those of its changed lines.
        enabled: False when the cart is switched off; then the plan is empty.
    """

    merchant: str = field(validator=checks.text)
    cart: str = field(validator=checks.text)
    destination: str = field(default="", validator=checks.any_text)
    taken_at: str = field(default="", validator=checks.any_text)
    lines: tuple[PlanLine, ...] = field(default=(), converter=checks.as_tuple)
    skipped: tuple[Skip, ...] = field(default=(), converter=checks.as_tuple)
    notices: tuple[Notice, ...] = field(default=(), converter=checks.as_tuple)
    cart_only: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    known: tuple[KnownRow, ...] = field(default=(), converter=checks.as_tuple)
    withheld: int = 0
    guardrails: Guardrails | None = None
    fresh_until: str = field(default="", validator=checks.any_text, eq=False)
    settings_digest: str = field(default="", validator=checks.any_text, eq=False)
    looked_at: str = field(default="", validator=checks.any_text, eq=False)
    compare_within: int = field(default=300, validator=checks.whole(minimum=0), eq=False)
    explanations: tuple[Explanation, ...] = field(default=(), converter=checks.as_tuple, eq=False)
    enabled: bool = True
    _allocation: Allocation | None = field(default=None, eq=False, alias="allocation")

    def __repr__(self) -> str:
        return f"<SyncPlan {self.digest} for {self.merchant} / {self.cart}: {len(self.changes):,} to change>"

    @property
    def changes(self) -> tuple[PlanLine, ...]:
        """The lines that would be pushed, in the order of pushing: zeros, falls, then rises."""
        return tuple(
            sorted((line for line in self.lines if line.action == "change"), key=lambda line: line.danger)
        )

    @property
    def held(self) -> tuple[PlanLine, ...]:
        """The lines that wait for a person."""
        return tuple(line for line in self.lines if line.action == "hold")

    @cached_property
    def digest(self) -> str:
        """Name this plan by its content: merchant, cart, destination, and what every listing shall show.

        Of what waits for a person it names what the cart shows too, the product, and why it waits: whoever
        approves a plan by its digest approves that, and no other plan which ends in the same quantities.
        Times are left out, so the same decision made twice has the same digest.
        """
        rows = sorted(map(_named_by_content, self.lines))
        names = _compact([self.merchant, self.cart, self.destination])
        text = hashlib.sha256(f"{names[:-1]},[".encode())
        for first in range(0, len(rows), _AT_A_TIME):
            some = _compact(rows[first : first + _AT_A_TIME])[1:-1]
            text.update(f"{',' if first else ''}{some}".encode())
        text.update(b"]]")
        return text.hexdigest()[:16]

    def explain(self, listing_sku: str, location_id: str | None = None) -> Explanation:
        """Explain a line's quantity, from the snapshot in this process or as carried along.

        Raises:
            NoExplanationError: The listing has no quantity, is gone, or the plan came from elsewhere without
                it.
        """
        try:
            return self._explained(listing_sku, location_id)
        except NoExplanationError as error:
            if any(notice.reason == PUT_BACK for notice in self.notices):
                raise NoExplanationError(
                    f"{listing_sku!r} is put back to what it showed before omsync; no figure of the order "
                    "manager is behind that",
                    code=PUT_BACK,
                    remedy="originals() tells when that was seen.",
                ) from error
            for line in self.lines:
                if line.gone and line.key == (listing_sku, location_id):
                    raise NoExplanationError(
                        f"{listing_sku!r} shall show {line.why_gone}", code="gone", remedy=line.hint
                    ) from error
            raise

    def _explained(self, listing_sku: str, location_id: str | None) -> Explanation:
        if self._allocation is not None:
            return self._allocation.explain(listing_sku, location_id)
        for explanation in self.explanations:
            if (explanation.listing_sku, explanation.location_id) == (listing_sku, location_id):
                return explanation
        raise NoExplanationError(
            f"This plan came from elsewhere and carries no explanation of {listing_sku!r}",
            code="not_carried",
            remedy="Only changed lines carry theirs; explain where the plan was made, or plan again.",
        )

    def portable(self) -> SyncPlan:
        """Give the plan as it can leave this process: the changed lines carry their explanations."""
        if self._allocation is None:
            return self
        return evolve(
            self,
            explanations=tuple(
                self._allocation.explain(*line.key) for line in (*self.changes, *self.held) if not line.gone
            ),
            allocation=None,
        )

    def to_json(self, *, indent: int | None = None) -> str:
        """Give the plan as JSON; ``omsync.load_plan`` reads it back."""
        data = attrs.asdict(self.portable(), filter=lambda attribute, _: not attribute.name.startswith("_"))
        return json.dumps({"digest": self.digest, "seal": seal_of(data), **data}, indent=indent)

    def to_csv(self) -> str:
        """Give what changes and what is held as CSV, for a person who writes yes into its last column.

        ``omsync.read_approvals`` reads it back, and refuses it when anything else was changed.
        """
        return plan_csv(self)

    def __str__(self) -> str:
        return plan_table(self)


def seal_of(data: Mapping[str, Any]) -> str:
    """Name a saved plan's whole content, so that an edit shows; it is no protection against a forger."""
    return hashlib.sha256(_compact(data).encode()).hexdigest()[:16]


def _compact(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def _named_by_content(line: PlanLine) -> tuple[Any, ...]:
    named = (line.listing_sku, line.location_id or "", line.quantity)
    return (*named, line.reason, line.shown, line.master_sku) if line.action == "hold" else named
