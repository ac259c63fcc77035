"""The overview: every merchant and every cart of a ledger, the worst first, as data and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from attrs import field, frozen

from omsync import checks
from omsync.checks import counted, printable
from omsync.exchange import RunRecord
from omsync.planning.table import aligned
from omsync.ports import Ledger, OverviewLedger
from omsync.views.known import quarantined_of, telling
from omsync.views.page import Column, Page, Table
from omsync.views.rendered import Rendered
from omsync.views.wording import STATUS_TONES, WORST_FIRST, aged, known_zone, status_words

__all__ = ["Overview", "OverviewRow", "overview"]

_LETTERS = 100
"""What is shown of a run's message."""


@frozen(kw_only=True)
class OverviewRow:
    """How one cart stands, or the reads of one merchant.

    Args:
        run: The newest run; its status is ``"never"`` where there is none.
        age: How long ago that run gave its last sign of life; None where there is none.
        quarantined: Listings, each at each location, that the cart refuses and that are left out.
    """

    run: RunRecord
    age: timedelta | None
    quarantined: int = 0

    @property
    def merchant(self) -> str:
        """The merchant's name."""
        return self.run.merchant

    @property
    def cart(self) -> str | None:
        """The cart's name; None for the reads of the order manager."""
        return self.run.cart

    @property
    def status(self) -> str:
        """How the newest run ended, or that it has not."""
        return self.run.status

    @property
    def held(self) -> int:
        """Listings that the run held back, for a person to look at."""
        return self.run.counts.get("held", 0)

    @property
    def pending(self) -> int:
        """Listings that the cart was sent and has not been seen to show."""
        return self.run.counts.get("pending", 0)


@frozen(kw_only=True, repr=False)
class Overview(Rendered):
    """All that a ledger knows of, the worst first; iterate it, or print it.

    Args:
        rows: Died, failed, partial, never, in progress, success, switched off; the oldest of each first.
        at: When it was looked up.
    """

    rows: tuple[OverviewRow, ...] = field(converter=checks.as_tuple)
    at: datetime

    def __iter__(self) -> Iterator[OverviewRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Overview of {counted(len(self), 'row')} at {self.at:%Y-%m-%d %H:%M:%S}Z>"

    def page(self) -> Page:
        """Lay out every merchant's reads and every cart, the worst first."""
        bad = sum(row.status in WORST_FIRST[:4] for row in self)
        merchants = counted(len({row.merchant for row in self}), "merchant")
        return Page(
            title="Merchants and carts",
            summary=f"{merchants}, {counted(len(self), 'row')}, {bad:,} to look at.",
            parts=[
                Table(
                    title="The worst first",
                    columns=[
                        Column(title="status"),
                        Column(title="merchant", is_key=True),
                        Column(title="cart", is_key=True),
                        Column(title="age", hint="since the newest run's last sign of life"),
                        *(
                            Column(title=name, kind="number", hint="listings")
                            for name in ("held", "pending", "quarantined")
                        ),
                        Column(title="why"),
                    ],
                    rows=[
                        (
                            status_words(row.run),
                            row.merchant,
                            row.cart or "(order manager)",
                            "" if row.age is None else aged(row.age),
                            *(row.held, row.pending, row.quarantined),
                            ": ".join(filter(None, (row.run.code, row.run.message))),
                        )
                        for row in self
                    ],
                    tones=[STATUS_TONES[row.status] for row in self],
                    empty="The ledger knows of nobody.",
                )
            ],
            at=self.at,
        )

    def __str__(self) -> str:
        bad = sum(row.status in WORST_FIRST[:4] for row in self)
        merchants = counted(len({row.merchant for row in self}), "merchant")
        head = f"{self.at:%Y-%m-%d %H:%M:%S}Z: {merchants}, {counted(len(self), 'row')}, {bad:,} to look at"
        table = [["status", "merchant", "cart", "age", "held", "pending", "quarantined", ""]]
        table += [
            [
                row.status.replace("_", " "),
                row.merchant,
                row.cart or "(order manager)",
                "-" if row.age is None else aged(row.age),
                *(f"{number:,}" if number else "-" for number in (row.held, row.pending, row.quarantined)),
                ": ".join(filter(None, (row.run.code, row.run.message)))[:_LETTERS],
            ]
            for row in self
        ]
        return "\n".join([printable(head), *aligned(table)])


def overview(
    ledger: Ledger | OverviewLedger, *, now: datetime, expected: Mapping[str, Iterable[str]] | None = None
) -> Overview:
    """List merchants and carts, the worst first.

    Args:
        ledger: The ledger that they share. Nothing is written.
        now: What ages are counted to, aware.
        expected: By merchant, the carts that should be there: one that never ran is listed too.

    Raises:
        LedgerError: ``code="no_overview"``: the ledger cannot tell whom it knows.
        InvalidValueError: ``now`` has no time zone.
    """
    ledger = telling(ledger)
    at = known_zone(now, "overview")
    wanted = {merchant: set(carts) for merchant, carts in (expected or {}).items()}
    rows = []
    for merchant in sorted({*ledger.merchants(), *wanted}):
        runs = list(ledger.statuses(merchant))
        missing = wanted.get(merchant, set()) - {run.cart for run in runs}
        runs += [RunRecord(merchant=merchant, cart=cart, status="never") for cart in sorted(missing)]
        rows += [_row(run, ledger, at) for run in runs]
    return Overview(rows=sorted(rows, key=_how_good), at=at)


def _row(run: RunRecord, ledger: OverviewLedger, at: datetime) -> OverviewRow:
    seen = run.last_seen_at or run.finished_at or run.started_at
    return OverviewRow(
        run=run,
        age=None if seen is None else at - seen,
        quarantined=0 if run.cart is None else len(quarantined_of(ledger, run.merchant, run.cart)),
    )


def _how_good(row: OverviewRow) -> tuple[int, timedelta, str, str]:
    age = timedelta() if row.age is None else row.age
    return (WORST_FIRST.index(row.status), -age, row.merchant, row.cart or "")
