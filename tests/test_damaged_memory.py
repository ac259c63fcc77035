"""Somebody edited what the ledger keeps: the run stops, names the place, and pushes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from omsync import (
    CartSettings,
    InventorySnapshot,
    MerchantSettings,
    PerWarehouse,
    Sku,
    StockLevel,
    Warehouse,
    approve,
    originals,
    sync_cart,
)
from omsync.errors import LedgerError
from omsync.ledgers.sqlite import SqliteLedger
from omsync.remembered import destination_of, place_of
from omsync.sinks.files import CsvCart

MERCHANT = MerchantSettings(name="acme", mode=PerWarehouse())
SHOP = CartSettings(name="shop")


def reading() -> InventorySnapshot:
    """Make a small reading."""
    return InventorySnapshot(
        taken_at=datetime.now(UTC),
        skus=[Sku(master_sku="MUG")],
        warehouses=[Warehouse(id="1")],
        levels=[StockLevel(master_sku="MUG", location_id="1", available=4)],
    )


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (place_of("guardrails", "shop"), "read"),
        (place_of("guardrails", "shop"), "waiting"),
        (place_of("approvals", "shop"), "one"),
        (place_of("quarantine", "shop"), "one"),
        (destination_of("shop"), "one"),
    ],
)
def test_a_damaged_entry_is_named_and_nothing_is_pushed(
    place: str, key: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cart = CsvCart(tmp_path_factory.mktemp("shop") / "stock.csv")
    with SqliteLedger(":memory:") as ledger:
        ledger.memory("acme").remember(place, {key: "7 pieces"})
        with pytest.raises(LedgerError, match=place) as caught:
            sync_cart(reading(), cart, SHOP, merchant=MERCHANT, ledger=ledger)
        assert caught.value.code == "damaged_memory"
        assert "forget" in caught.value.remedy
        assert not list(cart.read(["MUG"]))


def test_a_damaged_held_plan_cannot_be_approved() -> None:
    with SqliteLedger(":memory:") as ledger:
        ledger.memory("acme").remember(place_of("held plans", "shop"), {"0": "7 pieces"})
        with pytest.raises(LedgerError, match="held plans of shop"):
            approve(
                ledger,
                SHOP,
                "abc",
                by="Ann",
                reason="why",
                until=datetime(2999, 1, 1, tzinfo=UTC),
                merchant="acme",
            )


def test_damaged_originals_are_not_put_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    cart = CsvCart(tmp_path_factory.mktemp("shop") / "stock.csv")
    with SqliteLedger(":memory:") as ledger:
        sync_cart(reading(), cart, SHOP, merchant=MERCHANT, ledger=ledger)
        [place] = {
            row[0]
            for row in ledger._file._connection.execute(  # noqa: SLF001  no method lists the namespaces
                "SELECT namespace FROM source_memory WHERE namespace LIKE 'originals%'"
            )
        }
        ledger.memory("acme").remember(place, {"one": "7 pieces"})
        with pytest.raises(LedgerError, match="originals"):
            originals(ledger, SHOP, merchant="acme")
