"""What needs a person, as data. Nothing is sent from here: docs/alerts.md has mail, chat and an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from attrs import evolve, field, frozen

from omsync import checks
from omsync.checks import counted, shown, to_the_minute
from omsync.config import Settings
from omsync.errors import WrongTypeError
from omsync.ports import Ledger
from omsync.remembered import kept_as
from omsync.serial import to_json
from omsync.settings import CartSettings, MerchantSettings
from omsync.views.alert import Alert, Case, Patience
from omsync.views.alert_kinds import found_in
from omsync.views.known import telling
from omsync.views.page import Column, Fact, Page, Table
from omsync.views.rendered import Rendered
from omsync.views.wording import aged, known_zone

__all__ = ["Alert", "Alerts", "Patience", "alerts", "note_alerts"]

_NAMESPACE = "alerts"
_LOOKED = "last noted"
"""The entry that says when ``note_alerts`` last noted; the others are by the keys of alerts."""

Expected = Settings | Iterable[tuple[MerchantSettings, Iterable[CartSettings]]]


@frozen(kw_only=True, repr=False)
class Alerts(Rendered):
    """What needs a person now, and what has ended. Its length counts what is open; iterate that, or print it.

    Args:
        open: What needs a person, critical first, then the oldest.
        closed: What has ended, and was open at the last noting, or before the cart's last run.
        new: Those of the open ones that were not open at the last noting.
        at: When it was looked up.
    """

    open: tuple[Alert, ...] = field(converter=checks.as_tuple)
    closed: tuple[Alert, ...] = field(default=(), converter=checks.as_tuple)
    new: tuple[Alert, ...] = field(default=(), converter=checks.as_tuple)
    at: datetime

    def __len__(self) -> int:
        return len(self.open)

    def __iter__(self) -> Iterator[Alert]:
        return iter(self.open)

    def __repr__(self) -> str:
        return f"<Alerts: {len(self):,} open, {len(self.closed):,} ended>"

    @property
    def exit_code(self) -> int:
        """For a process that checks: 0 when nothing is open, 1 for warnings, 2 when something is critical."""
        return max((2 if one.severity == "critical" else 1 for one in self.open), default=0)

    def page(self) -> Page:
        """Lay out what is open and what has ended."""
        critical = sum(one.severity == "critical" for one in self.open)
        return Page(
            title="Alerts",
            summary=f"{counted(len(self), 'alert')}, {critical:,} critical." if self.open else "All is well.",
            facts=[
                Fact(name="Critical", value=f"{critical:,}", tone="bad" if critical else ""),
                Fact(
                    name="Warnings",
                    value=f"{len(self) - critical:,}",
                    tone="warning" if len(self) > critical else "",
                ),
                Fact(name="New", value=f"{len(self.new):,}"),
                Fact(name="Ended", value=f"{len(self.closed):,}"),
            ],
            parts=[
                self._table("What needs a person", self.open, "Nothing."),
                self._table("What has ended", self.closed, "Nothing."),
            ],
            at=self.at,
        )

    def _table(self, title: str, rows: tuple[Alert, ...], empty: str) -> Table:
        return Table(
            title=title,
            columns=[
                Column(title="severity"),
                Column(title="merchant", is_key=True),
                Column(title="cart", is_key=True),
                Column(title="what"),
                Column(title="since", kind="time"),
                Column(title="age"),
                Column(title="ended", kind="time"),
                Column(title="what to do"),
                Column(title="key", kind="code"),
            ],
            rows=[
                (
                    *(one.severity, one.merchant, one.cart or "(order manager)", one.message, one.opened),
                    "" if one.opened is None else aged((one.closed or self.at) - one.opened),
                    *("" if one.closed is None else to_the_minute(one.closed), one.remedy, one.key),
                )
                for one in rows
            ],
            tones=[
                "good" if one.closed else "bad" if one.severity == "critical" else "warning" for one in rows
            ],
            tone_words={"good": "ended", "bad": "critical"},
            empty=empty,
        )


def alerts(
    ledger: Ledger, expected: Expected | None = None, *, now: datetime, patience: Patience | None = None
) -> Alerts:
    """Look up what needs a person. Nothing is written.

    What has ended is told of the last run of each cart, and of what ``note_alerts`` noted; since when
    something is so, as far as the ledger knows, or it was noted.

    Args:
        ledger: The ledger that the runs were noted in.
        expected: What should run, and how often: loaded settings, or pairs of a merchant and its carts. With
            it only these are looked at, without those that are switched off.
        now: What ages are counted to, aware.
        patience: How long something may last before it needs a person.

    Raises:
        LedgerError: ``code="no_overview"``: the ledger cannot tell whom it knows.
        InvalidValueError: ``now`` has no time zone.
    """
    at = known_zone(now, "alerts")
    cases = _cases(ledger, at, expected, patience or Patience())
    return _merged([_told(case) for case in cases], at)


def note_alerts(
    ledger: Ledger, expected: Expected | None = None, *, now: datetime, patience: Patience | None = None
) -> Alerts:
    """Look up what needs a person, and note in the ledger that it was told: the next call knows what is new.

    Each alert is then in ``new`` once, and in ``closed`` once. Arguments and errors are those of ``alerts``.
    """
    at = known_zone(now, "note_alerts")
    told = []
    for case in _cases(ledger, at, expected, patience or Patience()):
        found = _told(case, unknown=at)
        news = {one.key: "" for one in found.closed}
        news |= {one.key: to_json(one) for one in found.open}
        ledger.memory(case.merchant).remember(_NAMESPACE, {**news, _LOOKED: at.isoformat()})
        told.append(found)
    return _merged(told, at)


def _cases(ledger: Ledger, at: datetime, expected: Expected | None, patience: Patience) -> list[Case]:
    knows = telling(ledger)
    if expected is None:
        return [
            Case(ledger=ledger, merchant=name, statuses=knows.statuses(name), now=at, patience=patience)
            for name in knows.merchants()
        ]
    # A merchant may come in several pairs, and is noted once.
    merchants: dict[str, MerchantSettings] = {}
    of_each: dict[str, dict[str, CartSettings]] = {}
    for merchant, carts in _pairs(expected):
        merchants.setdefault(merchant.name, merchant)
        of_each.setdefault(merchant.name, {}).update({cart.name: cart for cart in carts if cart.enabled})
    return [
        Case(
            ledger=ledger,
            merchant=name,
            statuses=knows.statuses(name),
            now=at,
            patience=patience,
            settings=merchant,
            carts=of_each[name],
        )
        for name, merchant in merchants.items()
    ]


def _pairs(expected: Expected) -> Iterable[tuple[MerchantSettings, Iterable[CartSettings]]]:
    if not isinstance(expected, Settings):
        return [_pair(one) for one in ([expected] if isinstance(expected, MerchantSettings) else expected)]
    return [
        (merchant, [entry.settings for entry in expected.carts if entry.merchant == merchant.name])
        for merchant in expected.merchants.values()
    ]


def _pair(given: object) -> tuple[MerchantSettings, Iterable[CartSettings]]:
    match given:
        case (MerchantSettings() as merchant, list() | tuple() | set() | frozenset() as carts):
            if all(isinstance(cart, CartSettings) for cart in carts):
                return merchant, carts
    raise WrongTypeError(
        f"expected holds pairs of a merchant's settings and its carts', not {shown(given)}",
        remedy="Give load_settings('omsync.toml'), or write [(merchant, [cart, ...]), ...].",
    )


def _told(case: Case, unknown: datetime | None = None) -> Alerts:
    """Compare what is found of one merchant with what was noted; ``unknown`` dates what nothing else does."""
    kept = case.ledger.memory(case.merchant).recall(_NAMESPACE)
    looked = datetime.fromisoformat(kept[_LOOKED]) if _LOOKED in kept else None
    before = {key: kept_as(Alert, text, _NAMESPACE) for key, text in kept.items() if text and key != _LOOKED}
    found = found_in(case)
    standing = {one.key: _since(one, before.get(one.key), unknown) for one in found if one.closed is None}
    ended = {key: evolve(one, closed=case.now) for key, one in before.items() if key not in standing}
    ended |= {
        one.key: evolve(one, opened=before[one.key].opened) if one.key in before else one
        for one in found
        if one.closed is not None and (looked is None or one.closed > looked or one.key in before)
    }
    return Alerts(
        open=standing.values(),
        closed=[one for key, one in ended.items() if key not in standing],
        new=[one for key, one in standing.items() if key not in before],
        at=case.now,
    )


def _since(alert: Alert, noted: Alert | None, unknown: datetime | None) -> Alert:
    """Give an alert with the moment from which it is known to be open: the earlier of found and noted."""
    known = [one for one in (alert.opened, noted and noted.opened) if one is not None]
    return evolve(alert, opened=min(known, default=unknown))


def _merged(told: Iterable[Alerts], at: datetime) -> Alerts:
    every = list(told)
    return Alerts(
        open=sorted((one for each in every for one in each.open), key=_worst_first),
        closed=sorted((one for each in every for one in each.closed), key=_worst_first),
        new=sorted((one for each in every for one in each.new), key=_worst_first),
        at=at,
    )


def _worst_first(alert: Alert) -> tuple[bool, str, str]:
    opened = "" if alert.opened is None else alert.opened.isoformat()
    return alert.severity != "critical", opened, alert.key
