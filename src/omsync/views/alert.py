"""An alert as a value, and one merchant to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from omsync import checks
from omsync.checks import printable, to_the_minute
from omsync.exchange import RunRecord
from omsync.ports import Ledger
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Alert", "Case", "Patience"]

_REMEDIES = {
    "failed": "Read what the error says, mend it, and run again; docs/errors.md has its code.",
    "died": "See why the process ended; the next run goes on with its plan where it can.",
    "partial": "Look at what was held, refused or not seen: run_view(), or the run's report.",
    "not_run": "Look at what starts it: the scheduler, the machine, the job's log.",
    "never": "Start it once, and look at its first plan.",
    "acknowledgement_overdue": "Ask the partner; then settle() the document, or fetch its answer.",
    "pending": "Look at the cart: does it show the quantity by now? drift() tells, and notes what it saw.",
    "held": "Look at the plan; approve() it by its digest if it is right, or mend what made it so.",
    "quarantined": "Mend the listing in the cart; then wait for the next try, or release() it.",
    "another_writer": "Find what else writes this cart (an old upload, a stock app), and switch it off.",
    "drift": "Run the cart's sync; if it stays, look for who else changes these listings.",
    "source_answer_lost": "Nothing rises on these figures until the order manager tells them again; read "
    "again, or change the product's stock there once.",
}


@frozen(kw_only=True)
class Alert:
    """One thing that needs a person.

    Args:
        key: Names the problem: the same one has the same key in later runs.
        kind: A stable word for programs, such as ``"run_failed"``.
        severity: ``"critical"`` (nothing gets through, or units are on sale that are not there) or
            ``"warning"``.
        merchant: The merchant's name.
        cart: The cart's name; None for the order manager's side.
        message: What is so, in a sentence.
        remedy: What to do.
        opened: Since when; None where nobody knows.
        closed: When it ended; None while it has not.
        entries: The first listings that it is about.
        number: How many listings or runs it is about.
    """

    key: str = field(validator=checks.text)
    kind: str = field(validator=checks.text)
    severity: str = field(validator=checks.one_of("critical", "warning"))
    merchant: str = field(validator=checks.text)
    cart: str | None = None
    message: str = field(validator=checks.text)
    remedy: str = field(validator=checks.text)
    opened: datetime | None = field(default=None, converter=checks.to_utc)
    closed: datetime | None = field(default=None, converter=checks.to_utc)
    entries: tuple[str, ...] = field(default=(), converter=checks.as_tuple)
    number: int = field(default=0, validator=checks.whole(minimum=0))

    def __str__(self) -> str:
        since = "" if self.opened is None else f" since {to_the_minute(self.opened)}"
        ended = "" if self.closed is None else f", ended {to_the_minute(self.closed)}"
        who = f"{self.merchant} / {self.cart or '(order manager)'}"
        return printable(f"{self.severity}: {who}{since}{ended}: {self.message}. What to do: {self.remedy}")


@frozen(kw_only=True)
class Patience:
    """How long something may last before it needs a person.

    Args:
        late: A run may begin so much after it was due.
        pending: What a cart was sent may take so long to be seen there.
        drift: A listing may so long show something else than it should.
    """

    late: timedelta = timedelta(minutes=15)
    pending: timedelta = timedelta(hours=6)
    drift: timedelta = timedelta(hours=24)


@frozen(kw_only=True)
class Case:
    """One merchant to look at.

    Args:
        ledger: The ledger.
        merchant: The merchant's name.
        statuses: The newest run of its reads and of every cart known.
        now: What ages are counted to.
        patience: How long things may last.
        settings: The merchant's; None where nobody said.
        carts: The carts that should run, by name; None: those that the ledger knows.
    """

    ledger: Ledger
    merchant: str
    statuses: Sequence[RunRecord]
    now: datetime
    patience: Patience
    settings: MerchantSettings | None = None
    carts: Mapping[str, CartSettings] | None = None

    def alert(
        self,
        kind: str,
        cart: str | None,
        message: str,
        *,
        remedy: str = "",
        critical: bool = False,
        **more: Any,
    ) -> Alert:
        """Make an alert about a cart, or about the order manager; ``more`` are the other fields."""
        place = [quote(one, safe="") for one in (self.merchant, cart or "")]
        return Alert(
            key="/".join([*place, kind]),
            kind=kind,
            severity="critical" if critical else "warning",
            merchant=self.merchant,
            cart=cart,
            message=message,
            remedy=_REMEDIES[remedy or kind],
            **more,
        )
