"""The job that every scheduler calls: read the settings' order manager once, sync all of their carts.

Run it by hand with ``python stock_job.py omsync.toml``; it ends with 0 when all went well, with 1 when a
person has to look. Tokens come from the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omsync import OmsyncError, SyncReport, load_settings, sync_carts
from omsync.ledgers.sqlite import SqliteLedger
from omsync.sinks.files import CsvCart
from omsync.sources.extensiv import ExtensivOrderManager

if TYPE_CHECKING:
    from omsync.ledgers.sql import SqlLedger

__all__ = ["run"]

WELL = {"success", "disabled"}


def run(settings_file: str | Path, environment: Mapping[str, str] = os.environ) -> Sequence[SyncReport]:
    """Sync all carts of a settings file; the ledger and the carts' files lie beside it."""
    place = Path(settings_file)
    settings = load_settings(place)
    source = ExtensivOrderManager(**settings.resolve(settings.source, environment))
    # Yours: Shopify(...), WooCommerce(...); these carts are files, so that the recipe needs no account.
    carts = [(CsvCart(place.parent / f"{one.settings.name}.csv"), one.settings) for one in settings.carts]
    with ledger_of(place.parent, environment) as ledger:
        return sync_carts(source, carts, merchant=settings.merchant, ledger=ledger)


def ledger_of(folder: Path, environment: Mapping[str, str]) -> SqliteLedger | SqlLedger:
    """Give the database that ``OMSYNC_LEDGER`` names, where no disk lasts; else a file beside them."""
    address = environment.get("OMSYNC_LEDGER")
    if not address:
        return SqliteLedger(folder / "omsync.db")
    from omsync.ledgers.sql import SqlLedger

    return SqlLedger(address)


def main(arguments: Sequence[str]) -> int:
    """Run the job and give its exit code."""
    try:
        reports = run(arguments[0] if arguments else Path(__file__).parent / "omsync.toml")
    except OmsyncError as error:
        print(error, file=sys.stderr)
        return 1
    for report in reports:
        print(f"{report.cart}: {report}")
    return 0 if all(report.status in WELL for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
