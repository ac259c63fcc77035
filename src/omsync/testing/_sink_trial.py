"""One check of the sink kit at work: calls the sink whichever way it is written, and looks into the cart."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

from omsync.errors import RefusedError, UnauthorizedError
from omsync.flows import Sink, push_batch, read_cart
from omsync.http.awaiting import AsyncRunner
from omsync.http.blocking import Runner
from omsync.http.steps import Steps
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.testing._sink_bench import Key, SinkBench

__all__ = ["Memory", "NotApplicable", "Trial", "few", "named", "want"]

T = TypeVar("T")


class NotApplicable(Exception):  # noqa: N818  no error: the check has nothing to look at
    """A check does not concern this sink, or the bench lacks what it needs; says why."""


@runtime_checkable
class Remembers(Protocol):
    """A sink that keeps something during a run, or from one run to the next."""

    def remembering(self, memory: SourceMemory | None, /) -> Sink:
        """Give the sink for one run."""
        ...


class Memory:
    """What a ledger keeps for a sink, in a dict."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, str]] = {}

    def recall(self, namespace: str) -> Mapping[str, str]:
        """Give what is kept."""
        return dict(self._kept.get(namespace, {}))

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        """Keep entries beside those that are there."""
        self._kept.setdefault(namespace, {}).update(entries)

    def forget(self, namespace: str) -> None:
        """Drop what is kept."""
        self._kept.pop(namespace, None)


class Trial:
    """One check at work; a context manager, so that connections and the event loop are closed.

    Args:
        bench: What is checked.
    """

    def __init__(self, bench: SinkBench) -> None:
        self.bench = bench
        self.sink = self.begun(bench.sink)
        self.steps = hasattr(bench.sink, "read_steps") and hasattr(bench.sink, "push_steps")
        self._run_id = uuid.uuid4().hex
        self._pushes = 0
        self._loop = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()

    @property
    def capabilities(self) -> SinkCapabilities:
        """What the sink says about itself."""
        return self.sink.capabilities

    def rows(self, most: int | None = None) -> list[Key]:
        """Give rows that can be pushed: every listing at the first location, then at the next."""
        every: list[Key] = [(sku, place) for place in self.bench.locations for sku in self.bench.listings]
        return every[:most]

    def shown(self) -> dict[Key, int]:
        """Look into the real cart."""
        return dict(self.bench.shown())

    # Calling the sink

    @staticmethod
    def begun(sink: Sink, memory: SourceMemory | None = None) -> Sink:
        """Begin a run, as the shells do with a sink that keeps something in one."""
        return sink.remembering(memory) if isinstance(sink, Remembers) else sink

    def read(self, skus: Iterable[str], sink: Sink | None = None) -> list[CartListing]:
        """Read what the cart shows, through the sink."""
        return self._run(sink or self.sink, read_cart, list(skus))

    def push(self, changes: Sequence[QuantityChange], sink: Sink | None = None) -> list[PushResult]:
        """Push rows as one batch, through the sink."""
        return self._run(sink or self.sink, push_batch, list(changes))

    def blocking(self, steps: Steps[T]) -> T:
        """Carry out steps with the blocking runner."""
        with Runner(clock=self.bench.clock) as runner:
            return runner.run(steps)

    def awaiting(self, steps: Steps[T]) -> T:
        """Carry out steps with the awaiting runner."""

        async def run() -> T:
            async with AsyncRunner(clock=self.bench.clock) as runner:
                return await runner.run(steps)

        return self.wait_for(run())

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something; all of one check on one event loop."""
        return self._loop.run(work)

    def _run(self, sink: Sink, step: Callable[[Sink, Any], Steps[list[T]]], argument: Any) -> list[T]:
        run = self.awaiting if self.is_async(sink) else self.blocking
        return run(step(sink, argument))

    @staticmethod
    def is_async(sink: Sink) -> bool:
        """Tell whether the sink has to be awaited; steps are for either."""
        in_steps = hasattr(sink, "read_steps")
        return not in_steps and any(map(inspect.iscoroutinefunction, (sink.read, sink.push)))

    # Making rows

    def changes(
        self,
        wanted: Mapping[Key, int],
        *,
        seen: Iterable[CartListing] = (),
        sink: Sink | None = None,
    ) -> list[QuantityChange]:
        """Make the rows that a plan would make, with what the cart shows now, or what was seen before."""
        self._pushes += 1
        listings = list(seen)
        if self.capabilities.readable and not listings:
            listings = self.read(sorted({sku for sku, _ in wanted}), sink)
        by_key = {(one.listing_sku, one.location_id): one for one in listings}
        return [self._change(key, quantity, by_key.get(key)) for key, quantity in wanted.items()]

    def _change(self, key: Key, quantity: int, listing: CartListing | None) -> QuantityChange:
        held = (listing.allocated or 0) if listing and self.capabilities.quantity_meaning == "on_hand" else 0
        return QuantityChange(
            listing_sku=key[0],
            location_id=key[1],
            quantity=quantity,
            available=max(0, quantity - held),
            shown=listing.quantity if listing else None,
            version=listing.version if listing else None,
            key=f"{self._run_id}-{self._pushes}:{key[0]}:{key[1] or ''}",
        )

    def other_numbers(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Choose for every row a quantity that it does not show now, within the cart's limits."""
        shown, lowest = self.shown(), self.capabilities.min_quantity or 1
        highest = self.capabilities.max_quantity
        span = 900 if highest is None else max(2, min(900, highest - lowest + 1))
        return {
            key: lowest + (max(0, shown.get(key, 0) - lowest) + 1 + index % (span - 1)) % span
            for index, key in enumerate(keys)
        }

    # Pushing and looking

    def push_all(self, changes: Sequence[QuantityChange], *, allowed: Iterable[str] = ()) -> list[PushResult]:
        """Push rows in batches as the shells cut them; each row must be taken."""
        size = 1 if self.capabilities.grouping == "by_location" else self.capabilities.rows_per_push
        batch = size or len(changes) or 1
        results: list[PushResult] = []
        for start in range(0, len(changes), batch):
            results += self.push(changes[start : start + batch])
        for result in results:
            self.want_taken(result, allowed)
        return results

    def want_taken(self, result: PushResult, allowed: Iterable[str] = ()) -> None:
        """Want a row to be accepted, or by a cart that applies later, under way."""
        later = {"pending"} if self.capabilities.completion != "immediate" else set()
        want(
            result.status in {"accepted", *later, *allowed},
            f"{named((result.listing_sku, result.location_id))} is {result.status} "
            f"({result.reason}: {result.message})",
        )

    def want_shown(self, wanted: Mapping[Key, int], when: str = "after the push") -> None:
        """Want the real cart to show these quantities."""
        shown = self.shown()
        wrong = [key for key, quantity in wanted.items() if shown.get(key) != quantity]
        want(
            not wrong,
            f"{when} the cart shows "
            + ", ".join(f"{shown.get(key)} instead of {wanted[key]} for {named(key)}" for key in wrong[:5]),
        )

    def want_unchanged(self, before: Mapping[Key, int], when: str) -> None:
        """Want the real cart to show what it did."""
        shown = self.shown()
        moved = [key for key in sorted({*before, *shown}, key=str) if before.get(key) != shown.get(key)]
        told = [f"{named(key)} goes from {before.get(key)} to {shown.get(key)}" for key in moved[:5]]
        want(not moved, f"{when} {', '.join(told)}")

    def want_refused(self, *keys: Key, sink: Sink | None = None) -> None:
        """Want rows that must not be written to come back refused, with nothing written."""
        before = self.shown()
        results = self.push_or_refuse(self.changes(dict.fromkeys(keys, 5), sink=sink), sink)
        self.want_unchanged(before, f"by pushing {few(list(map(named, keys)))},")
        for one in results:
            want(
                one.status in {"rejected", "skipped"},
                f"{named((one.listing_sku, one.location_id))} is {one.status} ({one.reason}: {one.message})",
            )

    def push_or_refuse(self, changes: Sequence[QuantityChange], sink: Sink | None = None) -> list[PushResult]:
        """Push rows as one batch; a batch that is refused whole has no results."""
        try:
            return self.push(changes, sink)
        except UnauthorizedError:
            raise
        except RefusedError:
            return []

    # What a check needs

    @staticmethod
    def need(text: str | None, what: str) -> str:
        """Give a name that the bench has, or leave the check."""
        if text is None:
            raise NotApplicable(f"the bench gives no {what}")
        return text

    @staticmethod
    def need_sink(sink: Sink | None, what: str) -> Sink:
        """Give another sink that the bench has, or leave the check."""
        if sink is None:
            raise NotApplicable(f"the bench gives no sink {what}")
        return sink

    def need_reading(self) -> None:
        """Leave the check if the cart cannot be read."""
        if not self.capabilities.readable:
            raise NotApplicable("the cart cannot be read")


def want(truth: bool, message: str) -> None:
    """Fail the check in words."""
    if not truth:
        raise AssertionError(message)


def few(names: Sequence[str]) -> str:
    """Name the first, and count the rest."""
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"


def named(key: Key) -> str:
    """Name a row."""
    return repr(key[0]) if key[1] is None else f"{key[0]!r} at {key[1]!r}"
