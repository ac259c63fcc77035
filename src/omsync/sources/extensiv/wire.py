"""Strict decoding of what the order manager answers, one function for each resource.

Any field may be null or missing and unknown fields are ignored, since the vendor promises neither; but a
field that is there has its documented type. All bad fields of a page are named together, each by its path
and its value, such as ``$[3].availableQuantity: must be a whole number, not '5' (str)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from omsync.model import Component, SalesChannel, Sku, Warehouse
from omsync.sources.extensiv.fields import Fields, Problems, objects, strictly
from omsync.sources.extensiv.rows import Figure, ListingRow, ProductRow, StockRow

__all__ = [
    "AcknowledgePage",
    "Quota",
    "acknowledged",
    "inventory_rows",
    "listings",
    "products",
    "quotas",
    "sales_channels",
    "totals",
    "warehouses",
]

_KINDS = {"VIRTUAL_PRODUCT": "virtual", "BUNDLE_KIT": "bundle"}


def warehouses(value: Any, place: str) -> list[Warehouse]:
    """Decode ``/v1/warehouses``, inactive ones included."""
    rows, problems = strictly(value, place)
    found = [
        Warehouse(
            id=row.wanted_id("warehouseId"),
            name=row.text("name") or "",
            kind=row.text("type") or "",
            active=row.flag("active", default=True),
        )
        for row in rows
    ]
    problems.settle()
    return found


def sales_channels(value: Any, place: str) -> list[SalesChannel]:
    """Decode ``/v1/saleschannels``, in either of the two spellings that are about."""
    rows, problems = strictly(value, place)
    found = [
        SalesChannel(
            id=row.wanted_id("salesChannelId"),
            name=row.text("salesChannelName") or row.text("name") or "",
            kind=row.text("salesChannelType") or row.text("type") or "",
            active=row.flag("active", default=True),
        )
        for row in rows
    ]
    problems.settle()
    return found


def products(value: Any, place: str) -> list[ProductRow]:
    """Decode a page of ``/v1.1/products``. Weights are ounces, lengths inches."""
    rows, problems = strictly(value, place)
    found = [_product(row) for row in rows]
    problems.settle()
    return found


def _product(row: Fields) -> ProductRow:
    kind = _KINDS.get(row.text("type") or "", "core")
    if kind == "core" and row.flag("bundle", default=False):
        kind = "bundle"
    sku = Sku(
        master_sku=row.wanted_text("masterSku"),
        name=row.text("name") or "",
        description=row.text("description") or "",
        active=row.flag("active", default=True),
        kind=kind,
        digital=row.flag("digital", default=False),
        weight_oz=row.measure("weight"),
        length_in=row.measure("length"),
        width_in=row.measure("width"),
        height_in=row.measure("height"),
        upc=row.text("upc"),
        mpn=row.text("mpn"),
        brand=row.text("brand"),
        source_id=row.id("productId"),
    )
    # The wire calls the bundle "product" and the part "bundledProduct".
    parts = tuple(
        Component(
            master_sku=item.inner("bundledProduct").wanted_text("masterSku"),
            quantity=item.wanted_whole("bundledProductQuantity"),
        )
        for item in row.rows("bundledItems")
    )
    return ProductRow(sku=sku, parts=parts)


def listings(value: Any, place: str) -> list[ListingRow]:
    """Decode a page of ``/v1/listings``. A listing may name its product by either key, or by none yet."""
    rows, problems = strictly(value, place)
    found = [
        ListingRow(
            listing_id=row.id("listingId"),
            listing_sku=row.wanted_text("listingSku"),
            channel_id=row.wanted_id("salesChannelId"),
            master_sku=row.text("masterSku") or None,
            product_id=row.id("productId"),
            active=row.flag("active", default=True),
            push_inventory=row.flag("pushInventory", default=True),
        )
        for row in rows
    ]
    problems.settle()
    return found


def totals(value: Any, place: str, *, warehouse_id: str, missing_available: str) -> list[StockRow]:
    """Decode a page of ``productstocks/total`` that was asked for one warehouse."""
    rows, problems = strictly(value, place)
    found = [
        _stock(row, row.inner("product"), warehouse_id=warehouse_id, missing_available=missing_available)
        for row in rows
    ]
    problems.settle()
    return found


def inventory_rows(value: Any, place: str, *, missing_available: str) -> list[StockRow]:
    """Decode a page of ``/v1/inventory``: of each row, the totals of its whole warehouse.

    The row's own ``active`` concerns one stock location, not the warehouse's record, so it is not asked.
    """
    rows, problems = strictly(value, place)
    found = [
        _stock(
            row.inner("warehouseStockTotals"),
            row.inner("product"),
            warehouse_id=row.inner("stockLocation").wanted_id("warehouseId"),
            missing_available=missing_available,
        )
        for row in rows
    ]
    problems.settle()
    return found


def _stock(figures: Fields, product: Fields, *, warehouse_id: str, missing_available: str) -> StockRow:
    if figures.raw("availableQuantity") is None:
        _check_computable(figures, missing_available)
    return StockRow(
        master_sku=product.wanted_text("masterSku"),
        product_id=product.id("productId"),
        warehouse_id=warehouse_id,
        on_hand=figures.whole("onHandQuantity"),
        available=figures.whole("availableQuantity"),
        committed=figures.whole("allocatedQuantity", minimum=0) or 0,
        locked=figures.whole("lockedQuantity", minimum=0) or 0,
        in_transit=figures.whole("inTransitQuantity", minimum=0) or 0,
    )


def _check_computable(figures: Fields, missing_available: str) -> None:
    """See that the engine can compute what may be sold: on hand, less allocated, less locked."""
    if figures.raw("allocatedQuantity") is None and missing_available == "refuse":
        figures.not_reported()
        return
    for name in ("onHandQuantity", "lockedQuantity"):
        if figures.raw(name) is None:
            figures.bad(name, "is missing, and so is availableQuantity, which could be computed from it")


@frozen(kw_only=True)
class AcknowledgePage:
    """One answer of acknowledge.

    Args:
        figures: The good rows.
        remaining: Whether more pages are promised; None when the answer does not say.
        damage: What could not be understood. The order manager has let go of it all the same.
        unsure: The keys of products whose figure could not be understood.
        unreadable: Whether there are rows that do not even tell their product.
    """

    figures: tuple[Figure, ...] = ()
    remaining: bool | None = None
    damage: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    unreadable: bool = False


def acknowledged(value: Any, place: str) -> AcknowledgePage:
    """Decode an answer of acknowledge, an object or an array of them; good rows survive their neighbours."""
    problems = Problems(place)
    pages = [Fields(value, "$", problems)] if isinstance(value, Mapping) else list(objects(value, problems))
    figures: list[Figure] = []
    unsure: list[str] = []
    for page in pages:
        if page.raw("productAggregatedQuantities") is None:
            # What is no page of figures may stand in the place of figures that are gone now.
            page.bad("productAggregatedQuantities", "is missing")
        for row in page.rows("productAggregatedQuantities"):
            before, product = len(problems.found), row.inner("product")
            master_sku, product_id = product.wanted_text("masterSku"), product.id("productId")
            named = len(problems.found) == before
            available = row.wanted_whole("availableQuantity")
            figure = Figure(master_sku=master_sku, product_id=product_id, available=available)
            if len(problems.found) == before:
                figures.append(figure)
            elif named:
                unsure.append(figure.key)
    unreadable = len(problems.found) > len(unsure)
    remaining = pages[-1].maybe_flag("pagesRemaining") if pages else False
    return AcknowledgePage(
        figures=tuple(figures),
        remaining=remaining,
        damage=tuple(problems.found),
        unsure=tuple(unsure),
        unreadable=unreadable,
    )


@frozen(kw_only=True)
class Quota:
    """What the order manager grants one kind of call.

    Args:
        lane: The verb and path, such as ``"GET /v1/inventory"``.
        bucket: Calls that may follow each other at once; None when not said.
        restore_rate: Calls restored in the unit of time that the vendor does not state; None when not said.
        hourly: Calls in an hour; None when not said.
    """

    lane: str
    bucket: int | None = None
    restore_rate: float | None = None
    hourly: int | None = None


def quotas(value: Any, place: str) -> list[Quota]:
    """Decode ``/v1/throttlelimits``."""
    rows, problems = strictly(value, place)
    found = []
    for row in rows:
        config = row.inner("throttleConfig")
        found.append(
            Quota(
                lane=f"{row.wanted_text('requestMethod').upper()} {row.wanted_text('requestPath')}",
                bucket=config.whole("quotaMaxRequest"),
                restore_rate=config.measure("quotaRestoreRate"),
                hourly=config.whole("quotaMaxRequestHourly"),
            )
        )
    problems.settle()
    return found
