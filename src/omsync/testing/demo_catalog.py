"""A small merchant with everything in it that makes inventory sync hard: tableware, tea and coffee."""

from __future__ import annotations

from attrs import evolve

from omsync.model import Component
from omsync.testing.catalog import (
    Catalog,
    CatalogChannel,
    CatalogListing,
    CatalogProduct,
    CatalogWarehouse,
    ChannelRule,
    StockRecord,
)

__all__ = ["demo_merchant"]

RENO, OHIO, FBA, TEXAS = 701, 702, 703, 704
AMAZON, WOO, WHOLESALE = 31, 44, 45
_BRAND = "Juniper & Kettle"

_WAREHOUSES = (
    CatalogWarehouse(warehouse_id=RENO, name="Reno DC"),
    CatalogWarehouse(warehouse_id=OHIO, name="Ohio DC"),
    CatalogWarehouse(
        warehouse_id=FBA,
        name="Amazon FBA US",
        type="SALES_CHANNEL",
        channel_id=AMAZON,
        use_component_inventory=False,
    ),
    CatalogWarehouse(warehouse_id=TEXAS, name="Texas 3PL", type="THIRD_PARTY_LOGISTICS"),
)

_CHANNELS = (
    CatalogChannel(channel_id=AMAZON, name="Amazon US", type="AMAZON"),
    CatalogChannel(channel_id=WOO, name="Woo store"),
    CatalogChannel(channel_id=WHOLESALE, name="Wholesale portal"),
)

# Master SKU, name, ounces, (length, width, height) in inches, UPC.
_PLAIN = (
    ("MUG-01", "Mug, fern green", 12.5, (5.0, 4.0, 4.0), "810012340012"),
    ("MUG-01-B", "Mug, fern green, second choice", 12.5, (5.0, 4.0, 4.0), "810012340029"),
    ("MUG-02", "Mug, slate", 12.5, (5.0, 4.0, 4.0), "810012340036"),
    ("MUG-03", "Mug, oat", 12.5, (5.0, 4.0, 4.0), "810012340043"),
    ("MUG-OLD", "Mug, first edition", 13.0, (5.0, 4.2, 4.0), "810012340050"),
    ("SPOON-02", "Tea spoon, brass", 1.2, (5.5, 1.2, 0.5), "810012340067"),
    ("SPOON-03", "Tea spoon, steel", 1.1, (5.5, 1.2, 0.5), "810012340074"),
    ("TEAPOT-1L", "Teapot, one litre", 34.0, (9.0, 6.0, 6.0), "810012340081"),
    ("KETTLE-GN", "Gooseneck kettle", 41.5, (11.0, 7.0, 8.0), "810012340098"),
    ("DRIPPER-V", "Coffee dripper", 9.0, (5.0, 4.5, 4.0), "810012340104"),
    ("FILTER-100", "Paper filters, 100", 5.5, (6.0, 5.0, 2.0), "810012340111"),
    ("SERVER-600", "Coffee server, 600 ml", 14.0, (5.5, 5.0, 6.5), "810012340128"),
    ("GRINDER-M", "Hand grinder", 19.0, (8.0, 2.5, 2.5), "810012340135"),
    ("GRINDER-X", "Hand grinder, announced for spring", 18.0, (8.0, 2.5, 2.5), "810012340142"),
    ("TEA-EARL", "Earl Grey, 100 g", 4.4, (4.0, 3.0, 2.0), "810012340159"),
    ("TEA-MINT", "Mint, 80 g", 3.7, (4.0, 3.0, 2.0), "810012340166"),
    ("TEA-OOLONG", "Oolong, 100 g", 4.4, (4.0, 3.0, 2.0), "810012340173"),
    ("COFFEE-250", "House coffee, 250 g", 9.6, (6.0, 3.0, 2.5), "810012340180"),
    ("TRAY-OAK", "Oak tray", 28.0, (14.0, 9.0, 1.5), "810012340197"),
    ("TOWEL-LN", "Linen towel", 4.0, (7.0, 5.0, 1.0), "810012340203"),
    ("CANDLE-JN", "Juniper candle", 11.0, (3.5, 3.5, 4.0), "810012340210"),
    ("BOX-GIFT", "Gift box", 6.0, (10.0, 8.0, 4.0), "810012340227"),
)

# Master SKU, name, parts.
_BUNDLES = (
    ("GIFT-SET", "Gift set: a mug and two spoons", {"MUG-01": 1, "SPOON-02": 2}),
    ("BREW-KIT", "Brew kit: dripper, server, filters", {"DRIPPER-V": 1, "SERVER-600": 1, "FILTER-100": 2}),
    ("STARTER-SET", "Starter set: dripper and filters", {"DRIPPER-V": 1, "FILTER-100": 1}),
    ("HAMPER", "Hamper: a gift set, coffee and a box", {"GIFT-SET": 1, "COFFEE-250": 2, "BOX-GIFT": 1}),
    ("TEA-FOR-TWO", "Tea for two: teapot and two mugs", {"TEAPOT-1L": 1, "MUG-01": 2}),
    ("TEA-TRIO", "Three teas", {"TEA-EARL": 1, "TEA-MINT": 1, "TEA-OOLONG": 1}),
)

# Master SKU, warehouse, stock location, on hand, committed, locked, in transit.
_STOCK = (
    ("MUG-01", RENO, "A-01", 30, 4, 0, 12),
    ("MUG-01", RENO, "B-07", 20, 0, 2, 0),  # two shelves in one warehouse
    ("MUG-01", OHIO, "A-01", 16, 1, 0, 0),
    ("MUG-01", FBA, "GLOBAL", 60, 8, 0, 24),
    ("MUG-01-B", RENO, "C-01", 5, 0, 0, 0),
    ("MUG-02", RENO, "A-02", 22, 3, 0, 0),
    ("MUG-02", TEXAS, "GLOBAL", 40, 0, 0, 0),
    ("MUG-03", RENO, "A-03", 0, 0, 0, 36),
    ("MUG-03", OHIO, "A-03", 7, 2, 0, 0),
    ("MUG-OLD", RENO, "Z-09", 4, 0, 0, 0),
    ("SPOON-02", RENO, "A-04", 15, 2, 0, 0),
    ("SPOON-03", RENO, "A-05", 80, 5, 20, 0),
    ("SPOON-03", OHIO, "A-05", 35, 0, 0, 0),
    ("TEAPOT-1L", RENO, "A-06", 9, 1, 0, 0),
    ("TEAPOT-1L", OHIO, "A-06", 4, 0, 1, 6),
    ("KETTLE-GN", RENO, "A-07", 12, 0, 0, 0),
    ("KETTLE-GN", OHIO, "A-07", 2, 7, 0, 10),  # a debt of five
    ("DRIPPER-V", RENO, "A-08", 18, 0, 0, 0),
    ("DRIPPER-V", OHIO, "A-08", 11, 1, 0, 0),
    ("FILTER-100", RENO, "A-09", 50, 4, 0, 0),
    ("FILTER-100", OHIO, "A-09", 13, 0, 0, 100),
    ("FILTER-100", TEXAS, "GLOBAL", 200, 0, 0, 0),
    ("SERVER-600", RENO, "A-10", 10, 0, 0, 0),
    ("SERVER-600", OHIO, "A-10", 3, 0, 0, 0),
    ("GRINDER-M", TEXAS, "GLOBAL", 25, 2, 0, 0),
    ("TEA-EARL", RENO, "D-01", 64, 10, 0, 0),
    ("TEA-MINT", RENO, "D-02", 41, 0, 0, 0),
    ("TEA-MINT", OHIO, "D-02", 12, 0, 0, 0),
    ("TEA-OOLONG", OHIO, "D-03", 20, 3, 0, 0),  # the trio's teas never meet in one warehouse
    ("COFFEE-250", RENO, "D-04", 48, 6, 0, 0),
    ("COFFEE-250", OHIO, "D-04", 26, 0, 0, 0),
    ("COFFEE-250", FBA, "GLOBAL", 90, 15, 0, 0),
    ("TRAY-OAK", RENO, "E-01", 6, 0, 6, 0),  # all of it locked
    ("TOWEL-LN", TEXAS, "GLOBAL", 120, 12, 0, 0),
    ("CANDLE-JN", OHIO, "E-02", 33, 2, 0, 0),
    ("BOX-GIFT", RENO, "E-03", 75, 0, 0, 0),
    ("BOX-GIFT", OHIO, "E-03", 20, 0, 0, 0),
    ("GIFT-SET", RENO, "K-01", 3, 0, 0, 0),  # three stand ready, the rest would be made
    ("BREW-KIT", RENO, "K-02", 0, 0, 0, 0),
    ("BREW-KIT", OHIO, "K-02", 0, 0, 0, 0),  # STARTER-SET has no stock record on purpose
    ("HAMPER", RENO, "K-03", 1, 0, 0, 0),
    ("TEA-FOR-TWO", RENO, "K-04", 0, 0, 0, 0),
    ("TEA-FOR-TWO", OHIO, "K-04", 2, 1, 0, 0),
    ("TEA-TRIO", RENO, "K-05", 0, 0, 0, 0),
    ("TEA-TRIO", OHIO, "K-05", 0, 0, 0, 0),
)

# Channel, listing SKU, master SKU. TRAY-OAK, MUG-01-B and GRINDER-M have no listing in the Woo store.
_LISTINGS = (
    (WOO, "woo-mug-green", "MUG-01"),
    (WOO, "woo-mug-green-sale", "MUG-01"),  # two listings of one product
    (WOO, "woo-mug-slate", "MUG-02"),
    (WOO, "woo-mug-oat", "MUG-03"),
    (WOO, "woo-mug-first", "MUG-OLD"),
    (WOO, "woo-spoon-brass", "SPOON-02"),
    (WOO, "woo-spoon-steel", "SPOON-03"),
    (WOO, "woo-teapot", "TEAPOT-1L"),
    (WOO, "woo-kettle", "KETTLE-GN"),
    (WOO, "woo-dripper", "DRIPPER-V"),
    (WOO, "woo-filters", "FILTER-100"),
    (WOO, "woo-server", "SERVER-600"),
    (WOO, "woo-grinder-spring", "GRINDER-X"),
    (WOO, "woo-earl-grey", "TEA-EARL"),
    (WOO, "woo-mint", "TEA-MINT"),
    (WOO, "woo-oolong", "TEA-OOLONG"),
    (WOO, "woo-coffee", "COFFEE-250"),
    (WOO, "woo-towel", "TOWEL-LN"),
    (WOO, "woo-candle", "CANDLE-JN"),
    (WOO, "gift-set-us", "GIFT-SET"),
    (WOO, "woo-brew-kit", "BREW-KIT"),
    (WOO, "woo-starter", "STARTER-SET"),
    (WOO, "woo-hamper", "HAMPER"),
    (WOO, "woo-tea-for-two", "TEA-FOR-TWO"),
    (WOO, "woo-tea-trio", "TEA-TRIO"),
    (WOO, "woo-gift-card", "GIFT-CARD"),
    (WHOLESALE, "810012340012", "MUG-01"),  # the portal lists by bar code
    (WHOLESALE, "810012340036", "MUG-02"),
    (WHOLESALE, "810012340067-6PK", "SPOON-02"),  # a pack: six spoons in one piece
    (WHOLESALE, "810012340074", "SPOON-03"),
    (WHOLESALE, "810012340203", "TOWEL-LN"),
    (WHOLESALE, "810012340210", "CANDLE-JN"),
    (WHOLESALE, "BREW-KIT", "BREW-KIT"),
    (AMAZON, "JK-MUG-GREEN-FBA", "MUG-01"),
    (AMAZON, "JK-COFFEE-FBA", "COFFEE-250"),
)
_NOT_PUSHED = frozenset({"woo-mug-green-sale", "woo-candle"})
_SWITCHED_OFF = frozenset({"woo-mint"})

_RULES = (
    ChannelRule(channel_id=WOO, excluded_warehouses=frozenset({FBA})),
    ChannelRule(channel_id=WOO, master_sku="SPOON-03", max_units=50),
    ChannelRule(channel_id=WHOLESALE, percent=50, excluded_warehouses=frozenset({FBA, TEXAS})),
    ChannelRule(channel_id=WHOLESALE, master_sku="CANDLE-JN", percent=25),
)


def demo_merchant() -> Catalog:
    """Give the catalogue of a small, invented merchant: 30 products, four warehouses, three channels.

    It has pre-assembled bundles, bundles with a record of 0, one without a record, one inside another and
    two that share a part; a debt, locked and committed units, two shelves in one warehouse; an inactive
    product, a virtual parent, a digital product, products without a stock record or without a listing; a
    listing that is not pushed, one that is switched off, one that is a pack of six.
    """
    return Catalog(
        company="Juniper & Kettle (demo)",
        products=(*_plain_products(), *_bundles(), *_unstocked()),
        warehouses=_WAREHOUSES,
        channels=_CHANNELS,
        listings=tuple(
            CatalogListing(
                channel_id=channel_id,
                listing_sku=listing_sku,
                master_sku=master_sku,
                active=listing_sku not in _SWITCHED_OFF,
                push_inventory=listing_sku not in _NOT_PUSHED,
                fn_sku=f"X00{listing_sku[3:7].upper()}" if channel_id == AMAZON else None,
            )
            for channel_id, listing_sku, master_sku in _LISTINGS
        ),
        stock=tuple(
            StockRecord(
                master_sku=master_sku,
                warehouse_id=warehouse_id,
                location=location,
                on_hand=on_hand,
                committed=committed,
                locked=locked,
                in_transit=in_transit,
                min_stock=5 if master_sku == "MUG-01" and location == "A-01" else 0,
            )
            for master_sku, warehouse_id, location, on_hand, committed, locked, in_transit in _STOCK
        ),
        rules=_RULES,
    )


def _plain_products() -> list[CatalogProduct]:
    products = [
        CatalogProduct(
            master_sku=master_sku,
            name=name,
            description=f"{name}, by {_BRAND}.",
            brand=_BRAND,
            weight_oz=ounces,
            length_in=length,
            width_in=width,
            height_in=height,
            upc=upc,
            mpn=f"JK{upc[-4:]}",
            parent_sku="MUG" if master_sku in {"MUG-01", "MUG-02", "MUG-03"} else None,
        )
        for master_sku, name, ounces, (length, width, height), upc in _PLAIN
    ]
    return [evolve(one, active=one.master_sku != "MUG-OLD") for one in products]


def _bundles() -> list[CatalogProduct]:
    return [
        CatalogProduct(
            master_sku=master_sku,
            name=name,
            kind="bundle",
            brand=_BRAND,
            components=tuple(Component(master_sku=part, quantity=units) for part, units in parts.items()),
        )
        for master_sku, name, parts in _BUNDLES
    ]


def _unstocked() -> list[CatalogProduct]:
    return [
        CatalogProduct(master_sku="MUG", name="Mug", kind="virtual", brand=_BRAND),
        CatalogProduct(master_sku="GIFT-CARD", name="Gift card by mail", brand=_BRAND, digital=True),
    ]
