"""A 3PL's morning: every merchant and every cart in one list, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_ports import DictLedger

from omsync import RunRecord, overview
from omsync.errors import InvalidValueError, LedgerError
from omsync.ledgers.sql import SqlLedger
from omsync.ledgers.sqlite import SqliteLedger
from omsync.planning.quarantine import QuarantinedRow
from omsync.serial import to_json

NOW = datetime(2026, 11, 27, 7, tzinfo=UTC)
Keeping = SqliteLedger | SqlLedger


@pytest.fixture(params=["file", "database"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Keeping]:
    path = tmp_path / "ledger.db"
    opened: Keeping = SqliteLedger(path) if request.param == "file" else SqlLedger(f"sqlite:///{path}")
    with opened:
        yield opened


def note(
    ledger: Keeping, merchant: str, cart: str | None, status: str, hours: float = 1, **more: Any
) -> None:
    """Note a run that ended so many hours ago."""
    at = NOW - timedelta(hours=hours)
    ledger.finish_run(
        RunRecord(
            run_id=f"{merchant}{cart}{hours}",
            merchant=merchant,
            cart=cart,
            status=status,
            started_at=at - timedelta(minutes=2),
            finished_at=at,
            **more,
        )
    )


def test_what_failed_comes_first_and_what_is_well_last(ledger: Keeping) -> None:
    note(ledger, "acme", None, "success")
    note(ledger, "acme", "shop", "success", hours=3)
    note(ledger, "acme", "edi", "partial", counts={"held": 4, "pending": 2, "applied": 90})
    note(ledger, "beta", "shop", "failed", hours=9, code="throttled", message="wait")
    note(ledger, "beta", "old", "disabled", hours=900)
    note(ledger, "beta", "woo", "failed", hours=50)
    found = overview(ledger, now=NOW)

    assert [(row.merchant, row.cart, row.status) for row in found] == [
        ("beta", "woo", "failed"),
        ("beta", "shop", "failed"),
        ("acme", "edi", "partial"),
        ("beta", None, "never"),
        ("acme", "shop", "success"),
        ("acme", None, "success"),
        ("beta", "old", "disabled"),
    ]
    edi = found.rows[2]
    assert (edi.held, edi.pending, edi.age) == (4, 2, timedelta(hours=1))
    assert found.rows[3].age is None
    assert len(found) == 7
    assert repr(found) == "<Overview of 7 rows at 2026-11-27 07:00:00Z>"
    assert str(found).splitlines() == [
        "2026-11-27 07:00:00Z: 2 merchants, 7 rows, 4 to look at",
        "  status    merchant  cart             age      held  pending  quarantined",
        "  failed    beta      woo              2 days   -     -        -",
        "  failed    beta      shop             9 h      -     -        -            throttled: wait",
        "  partial   acme      edi              60 min   4     2        -",
        "  never     beta      (order manager)  -        -     -        -",
        "  success   acme      shop             3 h      -     -        -",
        "  success   acme      (order manager)  60 min   -     -        -",
        "  disabled  beta      old              38 days  -     -        -",
    ]


def test_the_newest_run_counts(ledger: Keeping) -> None:
    note(ledger, "acme", "shop", "failed", hours=5)
    note(ledger, "acme", "shop", "success", hours=1)
    assert [(row.cart, row.status) for row in overview(ledger, now=NOW)] == [
        (None, "never"),
        ("shop", "success"),
    ]


def test_listings_in_quarantine_are_counted(ledger: Keeping) -> None:
    note(ledger, "acme", "shop", "success")
    row = {"quantity": 1, "reason": "rejected", "since": NOW, "tries": 3, "tried_at": NOW}
    rows = {
        "MUG": to_json(QuarantinedRow(listing_sku="MUG", next_try=NOW, **row)),  # type: ignore[arg-type]  # a table
        "CUP": to_json(QuarantinedRow(listing_sku="CUP", next_try=NOW, **row)),  # type: ignore[arg-type]
        "JUG": to_json(QuarantinedRow(listing_sku="JUG", **row)),  # type: ignore[arg-type]  # refused once so far
        "OUT": "",  # was let out
    }
    ledger.memory("acme").remember("quarantine of shop", rows)
    assert {one.cart: one.quarantined for one in overview(ledger, now=NOW)} == {None: 0, "shop": 2}


def test_a_cart_that_should_be_there_and_never_ran_is_listed(ledger: Keeping) -> None:
    note(ledger, "acme", "shop", "success")
    found = overview(ledger, now=NOW, expected={"acme": ["shop", "woo"], "zeta": ["edi"]})
    assert [(row.merchant, row.cart, row.status) for row in found] == [
        ("acme", None, "never"),
        ("acme", "woo", "never"),
        ("zeta", None, "never"),
        ("zeta", "edi", "never"),
        ("acme", "shop", "success"),
    ]


def test_a_ledger_that_cannot_tell_whom_it_knows_is_refused() -> None:
    with pytest.raises(LedgerError) as caught:
        overview(DictLedger(), now=NOW)
    assert caught.value.code == "no_overview"


def test_ages_need_a_time_with_a_zone(ledger: Keeping) -> None:
    with pytest.raises(InvalidValueError, match="must know its zone"):
        overview(ledger, now=NOW.replace(tzinfo=None))
