"""Checks of a sink at work: a whole sync, and a sink in steps under either runner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from omsync.aio import sync_cart as sync_cart_awaiting
from omsync.flows import push_batch, read_cart
from omsync.model import InventorySnapshot, Sku, StockLevel, Warehouse
from omsync.ports import CartSink
from omsync.report import SyncReport
from omsync.settings import CartSettings, MerchantSettings, PerWarehouse
from omsync.sync import sync_cart
from omsync.testing._sink_bench import Key
from omsync.testing._sink_trial import NotApplicable, Trial, want


def a_second_sync_has_nothing_to_do(trial: Trial) -> None:
    """``sync_cart`` brings every listing to its quantity, and the next one finds nothing to change."""
    trial.need_reading()
    breakdown = None not in trial.bench.locations
    keys = [key for key in trial.rows() if breakdown or key[1] is None]
    first, second = _sync(trial, wanted := trial.other_numbers(keys[:4])), _sync(trial, wanted)
    later = {"pending"} if trial.capabilities.completion != "immediate" else set()
    _want_outcomes(first, {"applied", "unchanged", *later}, "the first sync")
    _want_outcomes(second, {"unchanged"}, "the second sync")


def both_runners_do_the_same(trial: Trial) -> None:
    """A sink in steps does for ``omsync.aio`` what it does for ``omsync``."""
    if not trial.steps:
        raise NotApplicable("the sink is not written in steps")
    trial.need_reading()
    keys = trial.rows(2)
    for run in (trial.awaiting, trial.blocking):
        wanted = trial.other_numbers(keys)
        changes = trial.changes(wanted)
        for result in run(push_batch(trial.sink, changes)):
            trial.want_taken(result)
        trial.want_shown(wanted)
    skus = [sku for sku, _ in keys]
    awaited, blocking = (set(run(read_cart(trial.sink, skus))) for run in (trial.awaiting, trial.blocking))
    want(awaited == blocking, f"what is read differs in {sorted(map(repr, awaited ^ blocking))[:2]}")


def _sync(trial: Trial, wanted: Mapping[Key, int]) -> SyncReport:
    """Bring the listings to these available quantities the way a user would."""
    places = list(dict.fromkeys(place for _, place in wanted))
    warehouses = {place: f"warehouse {index}" for index, place in enumerate(places)}
    snapshot = InventorySnapshot(
        taken_at=datetime.now(UTC),
        skus=[Sku(master_sku=sku) for sku in dict.fromkeys(sku for sku, _ in wanted)],
        warehouses=[Warehouse(id=name, name=name) for name in warehouses.values()],
        levels=[
            StockLevel(master_sku=sku, location_id=warehouses[place], available=units)
            for (sku, place), units in wanted.items()
        ],
    )
    cart = CartSettings(
        name="conformance",
        breakdown=None not in places,
        location_map={name: place for place, name in warehouses.items() if place is not None},
    )
    merchant = MerchantSettings(mode=PerWarehouse())
    sink, clock = trial.bench.sink, trial.bench.clock
    if trial.is_async(sink):
        return trial.wait_for(sync_cart_awaiting(snapshot, sink, cart, merchant=merchant, clock=clock))
    return sync_cart(snapshot, cast("CartSink", sink), cart, merchant=merchant, clock=clock)


def _want_outcomes(report: SyncReport, allowed: set[str], which: str) -> None:
    wrong = [one for one in report.outcomes if one.outcome not in allowed]
    want(
        not wrong,
        f"after {which}: "
        + ", ".join(f"{one.listing_sku!r} is {one.outcome} ({one.reason})" for one in wrong[:5]),
    )


SYNCING = (a_second_sync_has_nothing_to_do, both_runners_do_the_same)
