"""eBay's budget: a listing may be revised 250 times a day, and the last of them are kept for falls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from omsync.http.steps import Steps, call
from omsync.ports import SourceMemory

__all__ = ["Budget"]


class Budget:
    """How often each listing was revised on one day, in the ledger or, without one, in this object.

    Args:
        memory: Where the count outlives the process.
        namespace: The account's place in that memory.
    """

    def __init__(self, memory: SourceMemory | None = None, namespace: str = "revisions") -> None:
        self._memory = memory
        self._namespace = namespace
        self._used: dict[str, tuple[str, int]] | None = None

    def used(self, listing: str, today: date) -> Steps[int]:
        """Give how often a listing was revised today."""
        day, times = (yield from self._load()).get(listing, ("", 0))
        return times if day == today.isoformat() else 0

    def spend(self, listings: Iterable[str], today: date) -> Steps[None]:
        """Count one revision of each listing."""
        entries: dict[str, str] = {}
        for listing in listings:
            times = 1 + (yield from self.used(listing, today))
            (yield from self._load())[listing] = (today.isoformat(), times)
            entries[listing] = f"{today.isoformat()}:{times}"
        if entries and self._memory is not None:
            yield from call(self._memory.remember, self._namespace, entries)

    def of_run(self, memory: SourceMemory | None, namespace: str) -> Budget:
        """Begin a run: with a memory its count stands, without one this object's goes on."""
        return self if memory is None else Budget(memory, namespace)

    def _load(self) -> Steps[dict[str, tuple[str, int]]]:
        if self._used is None:
            kept: Mapping[str, str] = {}
            if self._memory is not None:
                kept = yield from call(self._memory.recall, self._namespace)
            self._used = {}
            for listing, text in kept.items():
                day, _, times = text.rpartition(":")
                self._used[listing] = (day, int(times))
        return self._used

    def __repr__(self) -> str:
        return f"Budget({len(self._used or {})} listings)"
