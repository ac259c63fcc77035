"""A 3PL's morning: many merchants and their carts, side by side, with one ledger and one overview.

Run it with ``python examples/many_merchants.py``. Every merchant is a task of a thread pool, as it could be
one of any task runner; what is shared is the ledger. It is a SQLite file, or the PostgreSQL whose address is
in ``OMSYNC_LEDGER``. One of the merchants is in trouble, which stops none of the others.

Needs ``omsync[sql]``, and a driver such as ``psycopg[binary]`` for PostgreSQL.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from omsync import CartSettings, MerchantSettings, OmsyncError, PerWarehouse, overview, sync_carts
from omsync.http.network import Network
from omsync.http.pacing import Pace, Quota
from omsync.ledgers.sql import SqlLedger
from omsync.sinks.files import CsvCart, JsonlCart
from omsync.sources.extensiv import ExtensivOrderManager
from omsync.testing import OrderManagerSandbox

MERCHANTS = ("acorn", "birch", "cedar", "damson", "elder")
IN_TROUBLE = "cedar"
CARTS = (CartSettings(name="own-shop"), CartSettings(name="edi-partner", alias="Wholesale portal"))

# All of these accounts are called as one app, whose provider counts their calls together.
OUR_APP = Quota(name="our app", pace=Pace(per_second=200, burst=20))


def sync_merchant(name: str, folder: Path, ledger: SqlLedger) -> Sequence[str]:
    """Read one merchant's order manager and sync its carts; the task that a task runner is given."""
    sandbox = OrderManagerSandbox(clock=lambda: datetime.now(UTC))
    source = ExtensivOrderManager(
        token="expired" if name == IN_TROUBLE else sandbox.token,
        handler=sandbox.handle,
        network=Network(quota=OUR_APP),
    )
    sinks = (CsvCart(folder / f"{name}-own-shop.csv"), JsonlCart(folder / f"{name}-edi.jsonl"))
    merchant = MerchantSettings(name=name, mode=PerWarehouse(disabled={"Amazon FBA US"}))
    reports = sync_carts(source, list(zip(sinks, CARTS, strict=True)), merchant=merchant, ledger=ledger)
    return [str(report) for report in reports]


def main(folder: Path) -> None:
    """Sync every merchant, then look at all of them."""
    address = os.environ.get("OMSYNC_LEDGER", f"sqlite:///{folder / 'omsync.db'}")
    with SqlLedger(address) as ledger:
        with ThreadPoolExecutor(4) as pool:
            tasks = {name: pool.submit(sync_merchant, name, folder, ledger) for name in MERCHANTS}
        for name, task in tasks.items():
            try:
                for report in task.result():
                    print(f"{name}: {report.splitlines()[0]}")
            except OmsyncError as error:
                print(f"{name}: {error}")
        print()
        print(
            overview(
                ledger,
                now=datetime.now(UTC),
                expected={name: [cart.name for cart in CARTS] for name in MERCHANTS},
            )
        )


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp(prefix="omsync-")))
