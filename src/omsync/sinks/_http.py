"""What sinks that speak HTTP share: blocking methods made from their steps, and answers read strictly."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from attrs import frozen

from omsync.checks import LARGEST, shown
from omsync.errors import DecodeError, OmsyncError
from omsync.http.blocking import Runner
from omsync.http.steps import Steps
from omsync.ports import CartListing, PushResult, QuantityChange

__all__ = [
    "Paging",
    "SteppedSink",
    "Wire",
    "accepted",
    "encoded_size",
    "packed",
    "refused",
    "results_of",
    "starts_of_pages",
]

T = TypeVar("T")

_BARREN_PAGES = 100
_MOST_PAGES = 100_000


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
        """Give a whole number of at most 64 bits; text, fractions, true and null are not taken for one."""
        if type(self.value) is not int:
            raise self._wrong("a whole number")
        if abs(self.value) > LARGEST:
            raise self._wrong(f"a whole number of at most {LARGEST}")
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
            remedy="Check that the address is right and that the other system's version is one that omsync "
            "knows.",
        )


class Paging:
    """Follows the pages of one list, and refuses a list that would never end.

    A page may be empty, or bring what is known already, although more follow; many such pages in a row, or a
    cursor that comes again, are a fault of the server's.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._barren = 0

    def after(self, cursor: str | None, *, new: int, place: str) -> str | None:
        """Give the cursor of the next page, None after the last one.

        Args:
            cursor: What the page says of the next.
            new: How much the page brought that was not known before.
            place: The request, for messages.

        Raises:
            DecodeError: The list does not end.
        """
        self._barren = 0 if new else self._barren + 1
        if cursor in self._seen or (cursor is not None and self._barren >= _BARREN_PAGES):
            raise DecodeError(
                f"{place}: the list does not end: it leads back to an earlier page, or to empty ones",
                code="endless_list",
                remedy="Tell the vendor; a cache or a proxy between may answer instead of the server, too.",
            )
        if cursor is not None:
            self._seen.add(cursor)
        return cursor


def starts_of_pages(size: int, total: int, *, place: str) -> range:
    """Give where the pages after the first begin, by its size and what it says of the whole.

    Raises:
        DecodeError: It would take more pages than any list has.
    """
    starts = range(size, total, size) if size else range(0)
    if len(starts) > _MOST_PAGES:
        raise DecodeError(
            f"{place}: a page of {size:,} says that there are {total:,} in all",
            code="endless_list",
            remedy="Tell the vendor; a cache or a proxy between may answer instead of the server, too.",
        )
    return starts


def encoded_size(value: object) -> int:
    """Count the bytes that a member of a JSON list takes on the wire, its comma included."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode(errors="replace")) + 1


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
