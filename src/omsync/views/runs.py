"""The run view: how the reads and the carts of a merchant have run, and what waits, is pending or refused.

Source: the founding document, "review the WMS Interface status" and "Sync from Order Manager".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import field, frozen

from omsync import checks
from omsync.checks import counted
from omsync.exchange import RunRecord
from omsync.planning.quarantine import QuarantinedRow
from omsync.ports import Ledger
from omsync.settings import MerchantSettings
from omsync.views.known import HeldRow, known_of, telling
from omsync.views.page import Page
from omsync.views.pending import PendingRow
from omsync.views.rendered import Rendered
from omsync.views.wording import WORST_FIRST, known_zone

__all__ = ["CartRuns", "RunView", "run_view"]


@frozen(kw_only=True)
class CartRuns:
    """The last runs of one cart, or the last reads of a merchant.

    Args:
        merchant: The merchant's name.
        cart: The cart's name; None for the reads of the order manager.
        runs: The newest first; where there was none, one that says ``"never"``.
        held: What the last plan holds for a person, the longest first.
        pending: What the cart was sent and has not been seen to show, the longest first.
        quarantined: What the cart refuses, and is left out for a while; the oldest first.
    """

    merchant: str
    cart: str | None
    runs: tuple[RunRecord, ...] = field(converter=checks.as_tuple)
    held: tuple[HeldRow, ...] = field(default=(), converter=checks.as_tuple)
    pending: tuple[PendingRow, ...] = field(default=(), converter=checks.as_tuple)
    quarantined: tuple[QuarantinedRow, ...] = field(default=(), converter=checks.as_tuple)

    @property
    def last(self) -> RunRecord:
        """The newest run."""
        return self.runs[0]

    @property
    def status(self) -> str:
        """How the newest run ended, or that it has not."""
        return self.last.status

    @property
    def who(self) -> str:
        """Whose runs they are, for a person."""
        return f"{self.merchant} / {self.cart or '(order manager)'}"


@frozen(kw_only=True, repr=False)
class RunView(Rendered):
    """The reads and the runs of one merchant, or of all of a ledger, the worst first; iterate or print it.

    Args:
        rows: One for the reads of each merchant, one for each of its carts.
        at: When it was looked up.
    """

    rows: tuple[CartRuns, ...] = field(converter=checks.as_tuple)
    at: datetime

    def __iter__(self) -> Iterator[CartRuns]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<RunView of {counted(len(self), 'row')} at {self.at:%Y-%m-%d %H:%M:%S}Z>"

    def page(self) -> Page:
        """Lay out how things stand, the runs, what is held, pending and in quarantine, and the history."""
        from omsync.views.runs_page import page_of_runs

        return page_of_runs(self)


def run_view(
    ledger: Ledger, merchant: MerchantSettings | str | None = None, *, now: datetime, most: int = 30
) -> RunView:
    """Look up how the reads and the carts have run. Nothing is written.

    Args:
        ledger: The ledger that the runs were noted in.
        merchant: Whose; None for all that the ledger knows.
        now: What ages are counted to, aware.
        most: So many of the newest runs of each cart.

    Raises:
        LedgerError: ``code="no_overview"``: the ledger cannot tell whom it knows.
        InvalidValueError: ``now`` has no time zone.
    """
    at = known_zone(now, "run_view")
    knows = telling(ledger)
    if merchant is None:
        merchants = list(knows.merchants())
    else:
        merchants = [merchant if isinstance(merchant, str) else merchant.name]
    rows = [_cart_runs(ledger, newest, at, most) for name in merchants for newest in knows.statuses(name)]
    return RunView(rows=sorted(rows, key=_worst_first), at=at)


def _cart_runs(ledger: Ledger, newest: RunRecord, at: datetime, most: int) -> CartRuns:
    merchant, cart = newest.merchant, newest.cart
    runs = tuple(ledger.runs(merchant, cart))
    shown = runs[:most] or (newest,)
    if cart is None:
        return CartRuns(merchant=merchant, cart=None, runs=shown)
    known = known_of(ledger, merchant, cart, runs, now=at)
    return CartRuns(
        merchant=merchant,
        cart=cart,
        runs=shown,
        held=known.held,
        pending=known.pending,
        quarantined=known.quarantined,
    )


def _worst_first(row: CartRuns) -> tuple[int, str, str]:
    return WORST_FIRST.index(row.status), row.merchant, row.cart or ""
