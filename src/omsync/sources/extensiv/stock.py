"""Stock records in columns: a page is checked at once, put with the others, and dropped.

Only a page that is not plainly sound is walked row by row, by ``omsync.sources.extensiv.wire``, which names
every bad field, or finds the page good after all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

from attrs import frozen

from omsync.checks import LARGEST
from omsync.errors import InvalidValueError, WrongTypeError
from omsync.http.decoding import columns
from omsync.http.messages import Response
from omsync.levels import Levels, check_codes, check_wholes
from omsync.levels_builder import Code, LevelsBuilder, LevelsPage
from omsync.sources.extensiv import wire
from omsync.sources.extensiv.rows import StockRow, unpack_page

__all__ = ["Stock", "StockPage", "inventory_page", "totals_page"]

_PRODUCT = (("product", "masterSku"), ("product", "productId"))
_FIGURES = ("onHandQuantity", "availableQuantity", "allocatedQuantity", "lockedQuantity", "inTransitQuantity")
_TOTALS = (*_PRODUCT, *((name,) for name in _FIGURES))
_INVENTORY = (
    *_PRODUCT,
    *(("warehouseStockTotals", name) for name in _FIGURES),
    ("stockLocation", "warehouseId"),
)


@frozen(kw_only=True)
class StockPage:
    """One page of stock records.

    Args:
        master_skus: As they were reported with the records.
        levels: The records; a product's code is its id, or ``sku`` and its master SKU where the order
            manager gave no id.
    """

    master_skus: Sequence[str]
    levels: LevelsPage

    @classmethod
    def of(cls, rows: Sequence[StockRow]) -> StockPage:
        """Make it of rows."""
        return _page(
            [row.master_sku for row in rows],
            [None if row.product_id is None else int(row.product_id) for row in rows],
            [row.warehouse_id for row in rows],
            [
                [getattr(row, name) for row in rows]
                for name in ("on_hand", "available", "committed", "locked", "in_transit")
            ],
        )

    def __len__(self) -> int:
        return len(self.levels)

    def pack(self) -> str:
        """Give a compact text, as ``pack_page`` gives of its rows."""
        levels = self.levels
        rows = zip(
            self.master_skus,
            map(_product_id, levels.codes),
            levels.location_ids,
            levels.on_hand,
            levels.available,
            levels.committed,
            levels.locked,
            levels.in_transit,
            strict=True,
        )
        return json.dumps(list(rows), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def unpack(cls, text: str) -> StockPage:
        """Make it from its compact text."""
        return cls.of(unpack_page(text, StockRow.unpack))


class Stock:
    """All stock records of a reading; a later one replaces an earlier one, as rows shift between pages."""

    def __init__(self) -> None:
        self._builder = LevelsBuilder(later_wins=True)
        self._master_skus: dict[Code, str] = {}

    def add(self, page: StockPage) -> None:
        """Add a page's records."""
        self._builder.add(page.levels)
        self._master_skus.update(zip(page.levels.codes, page.master_skus, strict=True))

    @property
    def warehouse_ids(self) -> frozenset[str]:
        """Where records are."""
        return self._builder.location_ids

    @property
    def products(self) -> Iterable[tuple[str | None, str]]:
        """The products that have records: (product id, the master SKU that was last reported with it)."""
        return ((_product_id(code), master_sku) for code, master_sku in self._master_skus.items())

    def levels(self, name_of: Callable[[str | None, str], str], active: Container[str]) -> Levels:
        """Make the levels of active warehouses.

        Args:
            name_of: Turns (product id, reported master SKU) into the catalogue's master SKU.
            active: The warehouses' ids.

        Raises:
            SnapshotError: Two products that are one in the catalogue have records in one warehouse.
        """
        return self._builder.levels(
            named=lambda code: name_of(_product_id(code), self._master_skus[code]), within=active
        )


def totals_page(response: Response, *, warehouse_id: str, missing_available: str) -> StockPage:
    """Decode a page of ``productstocks/total`` that was asked for one warehouse.

    Raises:
        DecodeError: It is not what is documented; names every bad field by its path and value.
    """
    found = columns(response.content, _TOTALS)
    if found is not None:
        ids = [warehouse_id] * len(found[0])
        if (page := _plain(found, missing_available, lambda: ids)) is not None:
            return page
    rows = wire.totals(
        response.json(), response.place, warehouse_id=warehouse_id, missing_available=missing_available
    )
    return StockPage.of(rows)


def inventory_page(response: Response, *, missing_available: str) -> StockPage:
    """Decode a page of ``/v1/inventory``.

    Raises:
        DecodeError: It is not what is documented; names every bad field by its path and value.
    """
    found = columns(response.content, _INVENTORY)
    if found is not None:
        *others, ids = found
        if (page := _plain(others, missing_available, lambda: _texts(ids))) is not None:
            return page
    rows = wire.inventory_rows(response.json(), response.place, missing_available=missing_available)
    return StockPage.of(rows)


def _plain(
    found: Sequence[list[Any]], missing_available: str, warehouse_ids: Callable[[], list[str]]
) -> StockPage | None:
    """Make the page of columns as they came; None when not all is sound at first sight."""
    master_skus, product_ids, on_hand, available, *others = found
    committed, locked, _ = others
    if None in available and (
        None in on_hand or None in locked or (None in committed and missing_available == "refuse")
    ):
        return None
    try:
        "".join(master_skus).encode()
        figures = [on_hand, available, *map(_zeros_for_none, others)]
        return _page(master_skus, product_ids, warehouse_ids(), figures)
    except (InvalidValueError, WrongTypeError, TypeError, UnicodeEncodeError):
        return None


def _texts(ids: list[Any]) -> list[str]:
    check_wholes("warehouseId", ids, minimum=-LARGEST)
    # There are few warehouses and many records.
    texts = {one: str(one) for one in set(ids)}
    return list(map(texts.__getitem__, ids))


def _page(
    master_skus: Sequence[str],
    product_ids: Sequence[int | None],
    warehouse_ids: Sequence[str],
    figures: Sequence[Sequence[Any]],
) -> StockPage:
    check_codes("masterSku", master_skus)
    check_wholes("productId", product_ids, minimum=-LARGEST, optional=True)
    codes: Sequence[Any] = product_ids
    if None in product_ids:
        codes = [
            f"sku {master_sku}" if product_id is None else product_id
            for product_id, master_sku in zip(product_ids, master_skus, strict=True)
        ]
    on_hand, available, committed, locked, in_transit = figures
    return StockPage(
        master_skus=master_skus,
        levels=LevelsPage(
            codes=codes,
            location_ids=warehouse_ids,
            on_hand=on_hand,
            available=available,
            committed=committed,
            locked=locked,
            in_transit=in_transit,
        ),
    )


def _zeros_for_none(column: list[Any]) -> list[Any]:
    return [0 if figure is None else figure for figure in column] if None in column else column


def _product_id(code: Code) -> str | None:
    return str(code) if type(code) is int else None
