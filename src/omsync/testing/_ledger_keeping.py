"""Checks of what a ledger keeps: figures of listings, the last snapshot, a source's memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from omsync.exchange import ListingState
from omsync.model import Alias, Bundle, Component, InventorySnapshot, SalesChannel, Sku, StockLevel, Warehouse
from omsync.settings import MerchantSettings, PerWarehouse
from omsync.testing._ledger_bench import NOW, LedgerBench, a_merchant
from omsync.testing._sink_codes import STRANGE_SKUS
from omsync.testing._sink_trial import want

__all__ = ["KEEPING", "a_snapshot", "parts_of", "states_by_key"]

LATER = NOW + timedelta(hours=1)
_STRANGE = (*STRANGE_SKUS, "mug", "MUG", "MUG ", "a\nb", "\u00e9", "e\u0301", "x" * 5000)
"""Codes that differ by as little as codes can."""


def a_figure_that_is_none_leaves_what_is_there(bench: LedgerBench) -> None:
    """``record_states`` merges: None leaves figure and time, a figure replaces both, and 0 is a figure."""
    merchant = a_merchant()
    with bench.opened() as ledger:

        def record(**figures: Any) -> None:
            ledger.record_states(merchant, "shop", [ListingState(listing_sku="MUG", **figures)])

        record(desired=5, desired_at=NOW, observed=-2, observed_at=NOW)
        record(sent=0, sent_at=LATER)
        record(desired=0, desired_at=LATER, accepted=2**62, accepted_at=LATER)
        (found,) = ledger.states(merchant, "shop")
    wanted = {
        "desired": (0, LATER),
        "sent": (0, LATER),
        "accepted": (2**62, LATER),
        "observed": (-2, NOW),
    }
    for name, pair in wanted.items():
        kept = getattr(found, name), getattr(found, f"{name}_at")
        want(kept == pair, f"merged, {name} is {kept[0]} of {kept[1]}, not {pair[0]} of {pair[1]}")


def listings_are_kept_apart(bench: LedgerBench) -> None:
    """Each listing at each location has its own figures, whatever its code holds, and each cart its own."""
    merchant, other = a_merchant(), a_merchant("another")
    places = (None, "1", "Reno, NV", "reno, nv")
    keys = [(sku, place) for sku in _STRANGE for place in places]
    wanted = {key: number for number, key in enumerate(keys)}
    with bench.opened() as ledger:
        ledger.record_states(merchant, "shop", [_accepted(key, number) for key, number in wanted.items()])
        ledger.record_states(merchant, "Shop", [_accepted(("MUG", None), 7_000)])
        ledger.record_states(other, "shop", [_accepted(("MUG", None), 8_000)])
        ledger.record_states(merchant, "shop", [])
        found = states_by_key(ledger.states(merchant, "shop"))
        wrong = [key for key in {*wanted, *found} if wanted.get(key) != found.get(key)]
        want(not wrong, f"{len(wrong):,} of {len(wanted):,} listings have another's figure: {wrong[:2]}")
        (shop,) = ledger.states(merchant, "Shop")
        want(shop.accepted == 7_000, "carts whose names differ by letter case share figures")  # noqa: PLR2004  as above
        want(not list(ledger.states(a_merchant("unheard of"), "shop")), "an unknown merchant has figures")


def a_snapshot_comes_back_as_it_was(bench: LedgerBench) -> None:
    """``last_snapshot`` gives what was saved, every field of it, by the merchant's name or its settings."""
    merchant = a_merchant()
    saved = a_snapshot(4)
    with bench.opened() as ledger:
        want(ledger.last_snapshot(merchant) is None, "a snapshot comes back before one was saved")
        ledger.save_snapshot(merchant, saved)
        for asked in (merchant, MerchantSettings(name=merchant, mode=PerWarehouse())):
            found = ledger.last_snapshot(asked)
            want(found is not None, "the snapshot that was saved does not come back")
            for name, value in parts_of(saved).items():
                want(parts_of(found)[name] == value, f"the snapshot comes back with other {name}")


def a_newer_snapshot_takes_the_place_of_the_last(bench: LedgerBench) -> None:
    """There is one last snapshot for each merchant: the newer one, whole, and nothing of the one before."""
    merchant, other = a_merchant(), a_merchant("another")
    with bench.opened() as ledger:
        ledger.save_snapshot(merchant, a_snapshot(9))
        ledger.save_snapshot(other, a_snapshot(3))
        ledger.save_snapshot(merchant, a_snapshot(2, later=True))
        found = parts_of(ledger.last_snapshot(merchant))
        want(found == parts_of(a_snapshot(2, later=True)), "something of an older snapshot comes back")
        want(
            parts_of(ledger.last_snapshot(other)) == parts_of(a_snapshot(3)),
            "another merchant's snapshot comes back",
        )


def memory_keeps_text_by_namespace(bench: LedgerBench) -> None:
    """Memory keeps entries beside those that are there, in the order of their keys, by merchant."""
    merchant, other = a_merchant(), a_merchant("another")
    with bench.opened() as ledger:
        memory = ledger.memory(merchant)
        want(not memory.recall("pages"), "a memory that nobody has used holds something")
        memory.remember("pages", {"b": "2", "a": '{"\u00e9": "50% \\"off\\"\\n"}'})
        memory.remember("pages", {"c": "", "b": "two"})
        memory.remember("Pages", {"a": "another namespace"})
        ledger.memory(other).remember("pages", {"a": "another merchant's"})
        found = ledger.memory(merchant).recall("pages")
        wanted = {"a": '{"\u00e9": "50% \\"off\\"\\n"}', "b": "two", "c": ""}
        want(dict(found) == wanted, f"it recalls {dict(found)}, not {wanted}")
        want(list(found) == ["a", "b", "c"], f"the keys come as {list(found)}, not in their order")


def memory_forgets_a_namespace_and_no_other(bench: LedgerBench) -> None:
    """``forget`` drops one namespace of one merchant, whole."""
    merchant, other = a_merchant(), a_merchant("another")
    with bench.opened() as ledger:
        for one in (merchant, other):
            ledger.memory(one).remember("pages", {"a": "1", "b": "2"})
            ledger.memory(one).remember("marks", {"a": "1"})
        ledger.memory(merchant).forget("pages")
        ledger.memory(merchant).forget("never used")
        want(not ledger.memory(merchant).recall("pages"), "what was forgotten is recalled")
        want(
            dict(ledger.memory(merchant).recall("marks")) == {"a": "1"}, "another namespace is forgotten too"
        )
        want(len(ledger.memory(other).recall("pages")) > 1, "another merchant's memory is forgotten too")


def a_snapshot(figure: int, *, later: bool = False) -> InventorySnapshot:
    """Make a snapshot with something in every field."""
    skus = STRANGE_SKUS[: None if figure > 2 else 2]  # noqa: PLR2004  a newer one that is smaller
    return InventorySnapshot(
        taken_at=LATER if later else NOW,
        skus=[
            Sku(master_sku="KIT", kind="bundle", active=False),
            *(Sku(master_sku=sku, name=sku * 2, weight_oz=0.5, brand="", upc=None) for sku in skus),
        ],
        aliases=[Alias(name="Web, shop", listing_sku=sku, master_sku=sku, units=6) for sku in skus],
        warehouses=[Warehouse(id="1", name="Reno"), Warehouse(id="2", active=False, kind="3PL")],
        sales_channels=[SalesChannel(id="9", name="Web, shop", kind="CUSTOM")],
        bundles=[Bundle(master_sku="KIT", components=[Component(master_sku=skus[0], quantity=2)])],
        levels=[
            StockLevel(master_sku=sku, location_id=place, on_hand=None, available=-figure, committed=3)
            for sku in skus
            for place in ("1", "2")
        ],
        bundles_include_buildable="unknown",
        doubtful=[(skus[0], "1")],
    )


def parts_of(snapshot: InventorySnapshot | None) -> dict[str, Any]:
    """Give what two snapshots must share to be the same, whatever the order of what has none."""
    if snapshot is None:
        return {}
    return {
        "taken_at": snapshot.taken_at,
        "scope": snapshot.scope,
        "bundles_include_buildable": snapshot.bundles_include_buildable,
        "doubtful": snapshot.doubtful,
        "skus": frozenset(snapshot.skus),
        "aliases": frozenset(snapshot.aliases),
        "bundles": frozenset(snapshot.bundles),
        "warehouses": frozenset(snapshot.warehouses),
        "sales_channels": frozenset(snapshot.sales_channels),
        "levels": frozenset(snapshot.levels),
    }


def states_by_key(states: Iterable[ListingState]) -> dict[tuple[str, str | None], int | None]:
    """Give the accepted figures by (listing SKU, location)."""
    return {(one.listing_sku, one.location_id): one.accepted for one in states}


def _accepted(key: tuple[str, str | None], number: int) -> ListingState:
    return ListingState(listing_sku=key[0], location_id=key[1], accepted=number, accepted_at=NOW)


KEEPING = (
    a_figure_that_is_none_leaves_what_is_there,
    listings_are_kept_apart,
    a_snapshot_comes_back_as_it_was,
    a_newer_snapshot_takes_the_place_of_the_last,
    memory_keeps_text_by_namespace,
    memory_forgets_a_namespace_and_no_other,
)
