"""The rows of one push to Shopify as values: what each aims at, its key, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, frozen

from omsync.errors import (
    DeadlineError,
    OmsyncError,
    RefusedError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
)
from omsync.ports import PushResult, QuantityChange
from omsync.sinks._http import accepted, refused

__all__ = [
    "MAX_QUANTITY",
    "STALE",
    "Answer",
    "Place",
    "Row",
    "Sending",
    "Target",
    "contradicted",
    "contradictions",
    "failed",
    "renamed",
    "result_of",
]

MAX_QUANTITY = 1_000_000_000
"""More is INVALID_QUANTITY_TOO_HIGH."""
STALE = "stale"
"""The status of a row whose quantity moved under us; the cart is looked at again before anything is said."""

Place = tuple[str, str]
"""Where a quantity is: an item's id and a location's."""

_KEYS = uuid.UUID("6f0c8a3e-2b57-5c1d-9e44-0d6f2a7b91c3")
"""The namespace of our idempotency keys."""


@frozen(kw_only=True)
class Target:
    """A quantity for an item at a location.

    Args:
        place: Where it goes.
        sku: The SKU by which the item was found.
        quantity: What it shall be.
        expected: What it is thought to be; None when nobody knows, which turns the comparison off.
        key: The row's own key, from the run and the row.
        track: The shop has to be told to count the item first.
        activate: The item has to be stocked at the location first.
    """

    place: Place
    sku: str
    quantity: int
    expected: int | None
    key: str
    track: bool = False
    activate: bool = False

    @property
    def wire(self) -> dict[str, Any]:
        """The target as Shopify's ``InventoryQuantityInput``; a null is sent too, since it must be said."""
        item_id, location_id = self.place
        return {
            "inventoryItemId": item_id,
            "locationId": location_id,
            "quantity": self.quantity,
            "changeFromQuantity": self.expected,
        }


@frozen(kw_only=True)
class Row:
    """A change whose targets are known: one, or one for each item that shares the SKU."""

    change: QuantityChange
    targets: tuple[Target, ...]


@frozen(kw_only=True)
class Answer:
    """What came of one target; the fields are those of a ``PushResult``."""

    status: str = "accepted"
    reason: str = ""
    message: str = ""
    echo: int | None = None


@frozen(kw_only=True)
class Sending:
    """What the calls of one push have in common.

    Args:
        name: ``"available"`` or ``"on_hand"``.
        salt: Sets this push apart where its rows have no keys of their own.
        reference: Where the change comes from, as the shop's inventory history shows it.
    """

    name: str
    salt: str
    reference: str

    def key(self, *parts: str) -> str:
        """Give the idempotency key of a call: equal for a retry, another one for anything else."""
        return str(uuid.uuid5(_KEYS, "\n".join([self.salt, *parts])))


def failed(error: OmsyncError) -> Answer:
    """Give the answer of a target whose call ended in an error."""
    if isinstance(error, DeadlineError):
        return Answer(status="skipped", reason="deadline", message=str(error))
    if isinstance(error, UnreachableError | ThrottledError | UnauthorizedError):
        return Answer(status="skipped", reason="not_sent", message=str(error))
    if isinstance(error, RefusedError):
        return Answer(status="rejected", reason=error.code, message=error.message)
    return Answer(status="pending", reason="answer_unknown", message=error.message)


def result_of(row: Row, answers: Mapping[Place, Answer]) -> PushResult:
    """Give what came of one change: of several targets, the first that went wrong speaks for it."""
    several = [answers[target.place] for target in row.targets]
    for target, answer in zip(row.targets, several, strict=True):
        if answer.status != "accepted":
            where = f"{target.place[0]}: " if len(several) > 1 else ""
            return PushResult(
                listing_sku=row.change.listing_sku,
                location_id=row.change.location_id,
                status=answer.status,
                reason=answer.reason,
                message=where + answer.message,
                echo=answer.echo,
            )
    already = next((answer.reason for answer in several if answer.reason), "")
    echoes = {answer.echo for answer in several}
    wrong = next((answer for answer in several if answer.echo not in {None, row.change.quantity}), None)
    if wrong is not None:
        return accepted(row.change, wrong.echo)
    return evolve(accepted(row.change, None if None in echoes else row.change.quantity), reason=already)


def contradictions(rows: Iterable[Row]) -> frozenset[Place]:
    """Give the places that several rows give different quantities: a call that names a place twice fails."""
    wanted: dict[Place, int] = {}
    return frozenset(
        target.place
        for row in rows
        for target in row.targets
        if wanted.setdefault(target.place, target.quantity) != target.quantity
    )


def renamed(change: QuantityChange, items: str) -> PushResult:
    """Give the result of a row whose SKU has gone over to another item since the plan was made."""
    message = f"the SKU {change.listing_sku!r} was that of {items}; nothing was written to either"
    return refused(change, "renamed_in_cart", message, status="conflict")


def contradicted(change: QuantityChange) -> PushResult:
    """Give the result of a row that another row of the same push contradicts."""
    message = "several rows of this push give this item and location different quantities"
    return refused(change, "contradiction", message)
