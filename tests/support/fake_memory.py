"""A source's memory in a dict, which can be told to die at a chosen write, and a clock that never waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class Crash(BaseException):
    """The process dies here; nothing may catch it."""


class DictMemory:
    """Keeps entries by namespace, in the order of their keys, as a ledger would."""

    def __init__(self) -> None:
        self.namespaces: dict[str, dict[str, str]] = {}
        self.writes = 0
        self.die_at_write: int | None = None

    def recall(self, namespace: str) -> Mapping[str, str]:
        return dict(sorted(self.namespaces.get(namespace, {}).items()))

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        self._count()
        self.namespaces.setdefault(namespace, {}).update(entries)

    def forget(self, namespace: str) -> None:
        self._count()
        self.namespaces.pop(namespace, None)

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self.die_at_write:
            raise Crash


class FakeClock:
    """Stands still, except that waiting moves it on at once."""

    def __init__(self, start: datetime = START) -> None:
        self.start = start
        self.waited = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.waited)

    def monotonic(self) -> float:
        return self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
