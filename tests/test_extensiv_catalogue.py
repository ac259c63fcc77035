"""Merging what changed into what is known of products, parts and listings."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from omsync.model import Alias, Bundle, Component, InventorySnapshot, SalesChannel, Sku
from omsync.sources.extensiv.catalogue import Catalogue
from omsync.sources.extensiv.rows import ListingRow, ProductRow

CHANNELS = (SalesChannel(id="44", name="Woo store"), SalesChannel(id="45"))


def product(number: int, master_sku: str, *parts: str, name: str = "") -> ProductRow:
    """Make a product row."""
    return ProductRow(
        sku=Sku(master_sku=master_sku, source_id=str(number), name=name),
        parts=tuple(Component(master_sku=part) for part in parts),
    )


def listing(
    number: int, listing_sku: str, master_sku: str | None, product_id: str | None = None
) -> ListingRow:
    """Make a listing row."""
    return ListingRow(
        listing_id=str(number),
        listing_sku=listing_sku,
        channel_id="44",
        master_sku=master_sku,
        product_id=product_id,
    )


def snapshot(catalogue: Catalogue) -> InventorySnapshot:
    """Make the snapshot that carries a catalogue over to the next read."""
    return InventorySnapshot(
        taken_at=datetime(2026, 3, 2, tzinfo=UTC),
        skus=catalogue.skus,
        aliases=catalogue.aliases(CHANNELS),
        bundles=catalogue.bundles,
        sales_channels=CHANNELS,
    )


KNOWN = Catalogue.carried(
    snapshot(
        Catalogue.whole(
            [product(1, "MUG"), product(2, "SPOON"), product(3, "SET", "MUG", "SPOON")],
            [listing(7, "woo-mug", "MUG"), listing(8, "woo-set", "SET")],
        )
    )
)


def bundles(catalogue: Catalogue) -> dict[str, list[str]]:
    """Give the bundles' parts."""
    return {
        bundle.master_sku: [part.master_sku for part in bundle.components] for bundle in catalogue.bundles
    }


def listed(catalogue: Catalogue) -> dict[str, str]:
    """Give the listings' products."""
    return {alias.listing_sku: alias.master_sku for alias in catalogue.aliases(CHANNELS)}


def test_a_snapshot_carries_its_catalogue_over() -> None:
    again = Catalogue.carried(snapshot(KNOWN))
    assert again == KNOWN
    assert bundles(KNOWN) == {"SET": ["MUG", "SPOON"]}


def test_a_later_reading_of_a_row_counts() -> None:
    catalogue = Catalogue.whole([product(1, "MUG", name="old"), product(1, "MUG", name="new")], [])
    assert [sku.name for sku in catalogue.skus] == ["new"]


def test_a_renamed_product_replaces_itself_also_in_bundles_and_listings_that_did_not_change() -> None:
    changed = KNOWN.changed([product(1, "MUG-GREEN")], [])
    assert sorted(sku.master_sku for sku in changed.skus) == ["MUG-GREEN", "SET", "SPOON"]
    assert bundles(changed) == {"SET": ["MUG-GREEN", "SPOON"]}
    assert listed(changed) == {"woo-mug": "MUG-GREEN", "woo-set": "SET"}


def test_two_products_may_change_names_with_each_other() -> None:
    changed = KNOWN.changed([product(1, "SPOON"), product(2, "MUG")], [])
    assert bundles(changed) == {"SET": ["SPOON", "MUG"]}
    assert listed(changed)["woo-mug"] == "SPOON"


def test_an_edited_bundle_replaces_its_parts_and_one_that_is_no_bundle_any_more_has_none() -> None:
    assert bundles(KNOWN.changed([product(3, "SET", "SPOON")], [])) == {"SET": ["SPOON"]}
    assert bundles(KNOWN.changed([product(3, "SET")], [])) == {}


def test_a_product_made_anew_under_a_known_sku_takes_its_place() -> None:
    changed = KNOWN.changed([product(9, "MUG", name="made anew")], [])
    assert [sku.name for sku in changed.skus if sku.master_sku == "MUG"] == ["made anew"]


def test_a_changed_listing_replaces_itself_and_others_stay() -> None:
    changed = KNOWN.changed([], [listing(7, "woo-mug-green", "SPOON"), listing(9, "woo-spoon", "SPOON")])
    assert listed(changed) == {"woo-mug-green": "SPOON", "woo-set": "SET", "woo-spoon": "SPOON"}


def test_listings_take_their_channels_present_name_or_its_id() -> None:
    assert {alias.name for alias in KNOWN.aliases([SalesChannel(id="44", name="Woo, renamed")])} == {
        "Woo, renamed"
    }
    assert {alias.name for alias in KNOWN.aliases([])} == {"44"}


def test_a_listing_may_name_its_product_by_id_alone_and_one_that_names_none_is_left_out_aloud(
    caplog: pytest.LogCaptureFixture,
) -> None:
    catalogue = Catalogue.whole([product(1, "MUG")], [listing(7, "a", None, "1"), listing(8, "b", None, "2")])
    with caplog.at_level(logging.WARNING, logger="omsync"):
        assert listed(catalogue) == {"a": "MUG"}
    assert "1 listings name no product" in caplog.text


def test_a_carried_alias_without_ids_keeps_its_name_as_its_channel() -> None:
    taken = InventorySnapshot(
        taken_at=datetime(2026, 3, 2, tzinfo=UTC),
        skus=[Sku(master_sku="MUG")],
        aliases=[Alias(name="UPC", listing_sku="810", master_sku="MUG")],
        bundles=[Bundle(master_sku="MUG", components=[Component(master_sku="CLAY")])],
    )
    carried = Catalogue.carried(taken)
    assert [alias.name for alias in carried.aliases([])] == ["UPC"]
    assert bundles(carried) == {"MUG": ["CLAY"]}
