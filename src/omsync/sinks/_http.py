"""What sinks that speak HTTP share: blocking methods made from their steps, and answers read strictly."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from attrs import frozen

from omsync.checks import shown
from omsync.errors import DecodeError, OmsyncError
from omsync.http.blocking import Runner
from omsync.http.steps import Steps
from omsync.ports import CartListing, PushResult, QuantityChange

__all__ = ["SteppedSink", "Wire", "accepted", "encoded_size", "packed", "refused", "results_of"]

T = TypeVar("T")


class SteppedSink(ABC):
    """A sink written as steps: this adds the blocking ``read`` and ``push``, so that it is a ``CartSink``."""

    __slots__ = ()

    @abstractmethod
    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Do what ``CartSink.read`` does, as steps for either runner."""

    @abstractmethod
    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Do what ``CartSink.push`` does, as steps for either runner."""

    def read(self, listing_skus: Sequence[str], /) -> list[CartListing]:
        """Give what the cart shows for these listings, blocking."""
        with Runner() as runner:
            return runner.run(self.read_steps(listing_skus))

    def push(self, changes: Sequence[QuantityChange], /) -> list[PushResult]:
        """Send one batch, blocking; give one result for every row."""
        with Runner() as runner:
            return runner.run(self.push_steps(changes))


@frozen(kw_only=True)
class Wire:
    """A piece of a decoded answer that knows where it was found, so that a wrong one can be named.

    Args:
        value: The JSON value, not yet trusted.
        path: Where it is in the answer, such as ``data.items[3].sku``.
        place: The request it answers, for messages.
    """

    value: Any
    path: str
    place: str

    def field(self, name: str) -> Wire:
        """Give a field of an object; a missing one is an error."""
        if not isinstance(self.value, dict):
            raise self._wrong("an object")
        path = f"{self.path}.{name}"
        if name not in self.value:
            raise DecodeError(f"{self.place}: {path} is missing", code="missing_field")
        return Wire(value=self.value[name], path=path, place=self.place)

    def get(self, name: str) -> Wire | None:
        """Give a field of an object, or None when it is missing or null."""
        if not isinstance(self.value, dict):
            raise self._wrong("an object")
        return None if self.value.get(name) is None else self.field(name)

    def rows(self) -> list[Wire]:
        """Give the members of a list."""
        if not isinstance(self.value, list):
            raise self._wrong("a list")
        return [
            Wire(value=member, path=f"{self.path}[{index}]", place=self.place)
            for index, member in enumerate(self.value)
        ]

    def text(self) -> str:
        """Give a text; numbers are not taken for text."""
        if type(self.value) is not str:
            raise self._wrong("text")
        return self.value

    def whole(self) -> int:
        """Give a whole number; text, fractions, true and null are not taken for one."""
        if type(self.value) is not int:
            raise self._wrong("a whole number")
        return self.value

    def flag(self) -> bool:
        """Give true or false."""
        if type(self.value) is not bool:
            raise self._wrong("true or false")
        return self.value

    def one_of(self, *words: str) -> str:
        """Give one of the words."""
        if type(self.value) is not str or self.value not in words:
            raise self._wrong(" or ".join(words))
        return self.value

    def _wrong(self, wanted: str) -> DecodeError:
        return DecodeError(
            f"{self.place}: {self.path} must be {wanted}, not {shown(self.value)}",
            code="wrong_shape",
            remedy="Check that the address is right and that the other system's version is one that omsync knows.",
        )


def encoded_size(value: object) -> int:
    """Count the bytes that a member of a JSON list takes on the wire, its comma included."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()) + 1


def packed(
    rows: Iterable[T], weigh: Callable[[T], int], *, room: int, most: int | None = None
) -> Iterator[list[T]]:
    """Split rows into batches that weigh at most ``room`` bytes and hold at most ``most`` rows.

    A row that alone is too heavy makes a batch of its own: the cart will say so.
    """
    batch: list[T] = []
    weight = 0
    for row in rows:
        added = weigh(row)
        if batch and (weight + added > room or len(batch) == most):
            yield batch
            batch, weight = [], 0
        batch.append(row)
        weight += added
    if batch:
        yield batch


def results_of(outcomes: Iterable[T | OmsyncError]) -> list[T]:
    """Give the results, or raise the first error."""
    results: list[T] = []
    for outcome in outcomes:
        if isinstance(outcome, OmsyncError):
            raise outcome
        results.append(outcome)
    return results


def accepted(change: QuantityChange, echo: int | None = None, message: str = "") -> PushResult:
    """Give the result of a row that the cart took, with what its answer shows, if it shows anything."""
    if echo is not None and echo != change.quantity and not message:
        message = f"the cart shows {echo} after the write"
    return PushResult(
        listing_sku=change.listing_sku,
        location_id=change.location_id,
        status="accepted",
        echo=echo,
        message=message,
    )


def refused(
    change: QuantityChange, reason: str, message: str, *, status: str = "rejected", job: str = ""
) -> PushResult:
    """Give the result of a row that was not written, or of which nobody knows, with its reason."""
    return PushResult(
        listing_sku=change.listing_sku,
        location_id=change.location_id,
        status=status,
        reason=reason,
        message=message,
        job=job,
    )
