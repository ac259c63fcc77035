"""A sink that keeps something between runs gets its place in the ledger, once a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import pytest
from attrs import evolve, field, frozen
from fake_ports import Awaiting, Blocking, Shell
from small_merchant import reading

from omsync import CartSettings, MerchantSettings, PerWarehouse
from omsync.http.steps import Steps
from omsync.ledgers.sqlite import SqliteLedger
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.sinks._http import SteppedSink, accepted
from omsync.sinks._ids import IdMap

MERCHANT = MerchantSettings(mode=PerWarehouse())
SNAPSHOT = reading({"MUG": {"1": 7}, "CUP": {"1": 2}})
CART = CartSettings(name="shop")


class Shelf:
    """What is true in the cart: its ids by SKU, its quantities by id, and which SKUs were looked up."""

    def __init__(self) -> None:
        self.ids = {"MUG": "17", "CUP": "18"}
        self.quantities = {"17": 1, "18": 1}
        self.looked_up: list[str] = []
        self.written: list[str] = []


@frozen
class ByIds(SteppedSink):
    """A cart that writes by its own ids, and looks up only SKUs whose ids nobody remembers."""

    shelf: Shelf
    ids: IdMap = field(factory=IdMap, kw_only=True, eq=False, repr=False)

    @property
    def capabilities(self) -> SinkCapabilities:
        return SinkCapabilities(destination="shelf")

    def remembering(self, memory: SourceMemory | None, /) -> Self:
        return evolve(self, ids=IdMap(memory, "ids of shelf"))

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        yield from self.ids.load()
        known = self.ids.remembered(listing_skus)
        wrong = [sku for sku, key in known.items() if self.shelf.ids.get(sku) != key]
        new = [sku for sku in listing_skus if sku not in known or sku in wrong]
        self.shelf.looked_up += new
        found = {sku: self.shelf.ids[sku] for sku in listing_skus if sku in self.shelf.ids}
        yield from self.ids.learn(found, absent=set(wrong) - set(found))
        return [
            CartListing(listing_sku=sku, quantity=self.shelf.quantities[key]) for sku, key in found.items()
        ]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        yield from self.ids.load()
        by_sku = self.ids.confirmed(change.listing_sku for change in changes)
        for change in changes:
            self.shelf.written.append(by_sku[change.listing_sku])
            self.shelf.quantities[by_sku[change.listing_sku]] = change.quantity
        return [accepted(change, change.quantity) for change in changes]


@pytest.mark.parametrize("shell", [Blocking(), Awaiting(twins=False)], ids=["blocking", "awaiting"])
def test_a_steady_run_looks_up_only_what_is_new(shell: Shell) -> None:
    shelf = Shelf()
    with SqliteLedger(":memory:") as ledger:
        shell.sync_cart(SNAPSHOT, ByIds(shelf), CART, merchant=MERCHANT, ledger=ledger)
        assert sorted(shelf.looked_up) == ["CUP", "MUG"]
        shelf.quantities["17"] = 300
        report = shell.sync_cart(SNAPSHOT, ByIds(shelf), CART, merchant=MERCHANT, ledger=ledger)
    assert sorted(shelf.looked_up) == ["CUP", "MUG"]
    assert report.counts == {"applied": 1, "unchanged": 1}


def test_an_id_that_belongs_to_another_sku_by_now_is_never_written() -> None:
    shelf = Shelf()
    with SqliteLedger(":memory:") as ledger:
        Blocking().sync_cart(SNAPSHOT, ByIds(shelf), CART, merchant=MERCHANT, ledger=ledger)
        shelf.written.clear()
        shelf.ids = {"MUG": "99", "CUP": "18", "PLATE": "17"}
        shelf.quantities |= {"17": 40, "99": 40}
        Blocking().sync_cart(SNAPSHOT, ByIds(shelf), CART, merchant=MERCHANT, ledger=ledger)
    assert shelf.written == ["99"]
    assert shelf.quantities["17"] == 40


def test_planning_and_pushing_apart_each_begin_with_what_the_ledger_remembers() -> None:
    shelf = Shelf()
    with SqliteLedger(":memory:") as ledger:
        plan = Blocking().plan_cart(SNAPSHOT, ByIds(shelf), CART, merchant=MERCHANT, ledger=ledger)
        report = Blocking().push_plan(plan, ByIds(shelf), ledger=ledger)
    assert report.counts == {"applied": 2}
    assert sorted(shelf.looked_up) == ["CUP", "MUG"]


def test_without_a_ledger_each_run_confirms_anew() -> None:
    shelf = Shelf()
    sink = ByIds(shelf)
    for _ in range(2):
        Blocking().sync_cart(SNAPSHOT, sink, CART, merchant=MERCHANT)
    assert sorted(shelf.looked_up) == ["CUP", "CUP", "MUG", "MUG"]
