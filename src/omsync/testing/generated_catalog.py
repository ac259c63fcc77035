"""Catalogues of any size, drawn from a seed: the same seed gives the same catalogue."""

from __future__ import annotations

import random
from collections.abc import Iterator

from omsync.errors import InvalidValueError
from omsync.model import Component
from omsync.testing.catalog import (
    Catalog,
    CatalogChannel,
    CatalogListing,
    CatalogProduct,
    CatalogWarehouse,
    StockRecord,
)

__all__ = ["generated_merchant"]


def generated_merchant(
    *, products: int, warehouses: int = 3, channels: int = 2, bundle_share: float = 0.15, seed: int = 0
) -> Catalog:
    """Draw a catalogue.

    One product in 50 is inactive, one in 33 has no stock record; about one record in 50 is a debt and one in
    ten has locked units; one product in ten has no listing on a given channel. One bundle in six has no
    stock record, and one part in five of a bundle is a bundle itself.

    Args:
        products: How many products, bundles included.
        warehouses: How many warehouses, with ids from 701.
        channels: How many sales channels, all of type CUSTOM, with ids from 41.
        bundle_share: The share of products that are bundles, from 0 to below 1.
        seed: Any whole number.

    Raises:
        InvalidValueError: A count is negative, or the share is out of bounds.
    """
    if min(products, warehouses, channels) < 0 or not 0 <= bundle_share < 1:
        raise InvalidValueError(
            f"No catalogue has products={products}, warehouses={warehouses}, channels={channels}, "
            f"bundle_share={bundle_share}",
            remedy="Give counts from 0, and a share from 0 to below 1.",
        )
    draw = random.Random(seed)  # noqa: S311  test data, repeatable on purpose
    width = max(6, len(str(products)))
    plain = products - int(products * bundle_share)
    skus = [f"SKU-{number:0{width}d}" for number in range(1, plain + 1)]
    skus += [f"KIT-{number:0{width}d}" for number in range(1, products - plain + 1)]
    places = [
        CatalogWarehouse(warehouse_id=701 + index, name=f"Warehouse {index + 1}")
        for index in range(warehouses)
    ]
    sellers = [
        CatalogChannel(channel_id=41 + index, name=f"Channel {index + 1}") for index in range(channels)
    ]
    return Catalog(
        company=f"Generated Merchant {seed}",
        products=tuple(_products(draw, skus, plain)),
        warehouses=tuple(places),
        channels=tuple(sellers),
        listings=tuple(_listings(draw, skus, sellers)),
        stock=tuple(_stock(draw, skus, plain, places)),
    )


def _products(draw: random.Random, skus: list[str], plain: int) -> Iterator[CatalogProduct]:
    for index, sku in enumerate(skus):
        components: tuple[Component, ...] = ()
        if index >= plain:
            chosen = {_part(draw, skus, index, plain) for _ in range(2 + int(draw.random() * 3))}
            components = tuple(
                Component(master_sku=part, quantity=1 + int(draw.random() * 3)) for part in sorted(chosen)
            )
        yield CatalogProduct(
            master_sku=sku,
            name=f"Product {sku}",
            kind="bundle" if components else "core",
            components=components,
            active=draw.random() >= 0.02,  # noqa: PLR2004  one in 50
            weight_oz=1 + int(draw.random() * 640) / 10,
            upc=f"{810_000_000_000 + index}",
            mpn=f"M{index:07d}",
        )


def _part(draw: random.Random, skus: list[str], index: int, plain: int) -> str:
    # Only bundles that come earlier, so that no bundle contains itself.
    if index > plain and draw.random() < 0.2:  # noqa: PLR2004  one part in five
        return skus[plain + int(draw.random() * (index - plain))]
    return skus[int(draw.random() * plain)]


def _listings(
    draw: random.Random, skus: list[str], sellers: list[CatalogChannel]
) -> Iterator[CatalogListing]:
    for sku in skus:
        for seller in sellers:
            if draw.random() < 0.9:  # noqa: PLR2004  nine in ten are listed
                yield CatalogListing(
                    channel_id=seller.channel_id,
                    listing_sku=f"{sku.lower()}-{seller.channel_id}",
                    master_sku=sku,
                    push_inventory=draw.random() < 0.95,  # noqa: PLR2004  one in 20 is not pushed
                )


def _stock(
    draw: random.Random, skus: list[str], plain: int, places: list[CatalogWarehouse]
) -> Iterator[StockRecord]:
    for index, sku in enumerate(skus):
        bundle = index >= plain
        if draw.random() < (1 / 6 if bundle else 0.03):
            continue
        for place in places:
            if draw.random() < 0.15:  # noqa: PLR2004  not every product is kept everywhere
                continue
            on_hand = int(draw.random() * (4 if bundle else 200))
            debt = draw.random() < 0.02  # noqa: PLR2004  one record in 50
            yield StockRecord(
                master_sku=sku,
                warehouse_id=place.warehouse_id,
                on_hand=on_hand,
                committed=on_hand + 1 + int(draw.random() * 5)
                if debt
                else int(on_hand * draw.random() * 0.3),
                locked=int(on_hand * 0.1) if draw.random() < 0.1 else 0,  # noqa: PLR2004  one record in ten
                in_transit=int(draw.random() * 50) if draw.random() < 0.1 else 0,  # noqa: PLR2004  one in ten
            )
