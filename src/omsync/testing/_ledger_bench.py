"""What the ledger kit is given: a way to open a ledger, and what its checks share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.exchange import RunRecord
from omsync.ports import Ledger

__all__ = ["NOW", "LedgerBench", "a_merchant", "a_run"]

NOW = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC)
"""A moment with microseconds, which must not get lost."""


def _nothing(_: Any) -> None:
    """Leave a ledger open."""


@frozen(kw_only=True)
class LedgerBench:
    """A ledger on the test bench.

    Args:
        open: Opens the ledger, each time the same one; a ledger in memory may give the same object again.
        close: Closes what ``open`` gave.
        keeps: Whether what was written is there after closing and opening.
        program: Python source that opens the same ledger as ``ledger``, in another process; None where no
            other process can.
        wait: Lets seconds pass for a ledger that goes by a clock of its own; None for one that goes by the
            times that it is given.
    """

    open: Callable[[], Ledger]
    close: Callable[[Any], None] = _nothing
    keeps: bool = field(default=True, validator=checks.flag)
    program: str | None = field(default=None, repr=False)
    wait: Callable[[float], None] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What the ledger calls itself."""
        with self.opened() as ledger:
            return type(ledger).__name__

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """Open the ledger for a while."""
        ledger = self.open()
        try:
            yield ledger
        finally:
            self.close(ledger)


def a_merchant(name: str = "merchant") -> str:
    """Make up the name of a merchant that no ledger knows; with signs that need care on their way."""
    return f'{name}\'s "{uuid.uuid4().hex}" % caf\u00e9'


def a_run(merchant: str, cart: str | None = "shop", *, minutes: int = 0) -> RunRecord:
    """Make a run that begins so many minutes after ``NOW``."""
    began = NOW + timedelta(minutes=minutes)
    return RunRecord(
        run_id=uuid.uuid4().hex,
        merchant=merchant,
        cart=cart,
        status="in_progress",
        started_at=began,
        last_seen_at=began,
    )
