"""Catalogues for the sandbox: the demo merchant, generated ones of any size, and what they refuse."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sandbox_calls import TOTALS, acknowledge, get, small, told

from omsync.errors import InvalidValueError
from omsync.model import Component
from omsync.testing import (
    CatalogListing,
    CatalogProduct,
    CatalogWarehouse,
    ChannelRule,
    OrderManagerSandbox,
    Throttle,
    demo_merchant,
    generated_merchant,
)


class TestCatalogs:
    def test_the_demo_merchant_has_everything_that_makes_inventory_sync_hard(self) -> None:
        catalog = demo_merchant()
        products = {product.master_sku: product for product in catalog.products}
        recorded = {record.master_sku for record in catalog.stock}
        on_hand = {sku: sum(r.on_hand for r in catalog.stock if r.master_sku == sku) for sku in recorded}
        listed = {listing.master_sku for listing in catalog.listings if listing.channel_id == 44}
        bundles = {sku for sku, product in products.items() if product.kind == "bundle"}
        parts = [part.master_sku for sku in bundles for part in products[sku].components]
        assert 25 <= len(products) <= 40
        assert [w.name for w in catalog.warehouses] == ["Reno DC", "Ohio DC", "Amazon FBA US", "Texas 3PL"]
        assert {on_hand.get(sku) for sku in bundles} >= {None, 0, 3}
        assert bundles & set(parts)
        assert parts.count("MUG-01") > 1
        assert min(record.available for record in catalog.stock) < 0
        assert any(record.locked for record in catalog.stock)
        assert {product.kind for product in products.values()} == {"core", "virtual", "bundle"}
        assert not all(product.active for product in products.values())
        assert recorded - listed
        assert listed - recorded - bundles
        assert not all(listing.push_inventory for listing in catalog.listings)
        assert not all(listing.active for listing in catalog.listings)

    def test_the_documented_gift_set_shows_nine(self) -> None:
        assert told(acknowledge(OrderManagerSandbox(), 44))["GIFT-SET"] == 9

    def test_a_generated_merchant_depends_on_its_seed_alone(self) -> None:
        one, same = (generated_merchant(products=200, warehouses=4, seed=5) for _ in range(2))
        assert one == same
        assert one != generated_merchant(products=200, warehouses=4, seed=6)
        assert (len(one.products), len(one.warehouses), len(one.channels)) == (200, 4, 2)
        assert sum(product.kind == "bundle" for product in one.products) == 30

    def test_a_generated_merchant_has_debts_gaps_and_nested_bundles(self) -> None:
        catalog = generated_merchant(products=1000)
        recorded = {record.master_sku for record in catalog.stock}
        bundles = [product for product in catalog.products if product.kind == "bundle"]
        assert any(record.available < 0 for record in catalog.stock)
        assert any(product.master_sku not in recorded for product in bundles)
        assert any(part.master_sku.startswith("KIT") for product in bundles for part in product.components)
        assert not all(product.active for product in catalog.products)

    @pytest.mark.parametrize("products", [0, 1, 2, 7])
    def test_a_generated_merchant_may_be_tiny(self, products: int) -> None:
        assert len(generated_merchant(products=products, warehouses=1, channels=0).products) == products

    def test_a_generated_merchant_of_20_000_products_takes_seconds(self) -> None:
        begin = time.process_time()
        sandbox = OrderManagerSandbox(generated_merchant(products=20_000))
        assert len(get(sandbox, TOTALS, ("warehouseId", 701), ("limit", 200), ("page", 50))) == 200
        assert time.process_time() - begin < 10

    def test_a_catalogue_says_what_is_in_it(self) -> None:
        assert repr(demo_merchant()) == (
            "<Catalog of Juniper & Kettle (demo): 30 products, 35 listings, 4 warehouses, 3 channels, "
            "45 stock records>"
        )

    @pytest.mark.parametrize("fields", [{"products": -1}, {"products": 1, "bundle_share": 1.0}])
    def test_impossible_counts_are_errors(self, fields: dict[str, Any]) -> None:
        with pytest.raises(InvalidValueError, match="No catalogue"):
            generated_merchant(**fields)

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"products": (CatalogProduct(master_sku="A"), CatalogProduct(master_sku="A"))}, "given twice"),
            ({"warehouses": (CatalogWarehouse(warehouse_id=1, name="One"),)}, "in warehouse 2"),
            ({"channels": ()}, "on 7"),
            ({"listings": (CatalogListing(channel_id=7, listing_sku="l", master_sku="Z"),)}, "'Z'"),
            ({"rules": (ChannelRule(channel_id=8),)}, "channel 8"),
            ({"rules": (ChannelRule(channel_id=7, excluded_warehouses=frozenset({9})),)}, "9"),
            ({"products": (CatalogProduct(master_sku="A", parent_sku="P"),), "stock": ()}, "'P'"),
        ],
    )
    def test_a_catalogue_that_contradicts_itself_says_where(self, fields: dict[str, Any], words: str) -> None:
        listing = CatalogListing(channel_id=7, listing_sku="a", master_sku="A")
        with pytest.raises(InvalidValueError, match=words) as caught:
            small(**{"listings": (listing,), **fields})
        assert caught.value.code == "catalog"

    def test_parts_are_for_bundles_and_bundles_have_parts(self) -> None:
        with pytest.raises(InvalidValueError, match="0 parts"):
            CatalogProduct(master_sku="A", kind="bundle")
        with pytest.raises(InvalidValueError, match="1 parts"):
            CatalogProduct(master_sku="A", components=(Component(master_sku="B"),))

    def test_unknown_limits_and_caps_are_errors(self) -> None:
        with pytest.raises(InvalidValueError, match="throttle"):
            OrderManagerSandbox(throttle={"/v1/inventory": Throttle()})
        with pytest.raises(InvalidValueError, match="page_caps"):
            OrderManagerSandbox(page_caps={"/v1/products": 5})
        with pytest.raises(InvalidValueError, match="whole number from 1"):
            OrderManagerSandbox(page_caps={"/v1/inventory": 0})
