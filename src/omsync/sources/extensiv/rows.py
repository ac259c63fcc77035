"""One decoded row of each resource, and its compact form for a page that is kept in the memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Protocol, Self, TypeVar

import attrs
from attrs import frozen

from omsync.model import Component, Sku

__all__ = ["Figure", "ListingRow", "ProductRow", "Row", "StockRow", "latest", "pack_page", "unpack_page"]

_PLAIN_SKU = Sku(master_sku="-")


class Kept(Protocol):
    """A row that can be kept in the memory."""

    def pack(self) -> Any:
        """Give a compact JSON value."""
        ...


class Row(Kept, Protocol):
    """A row of a paged stream."""

    @property
    def key(self) -> Hashable:
        """Tell rows of one stream apart; a later reading of the same key replaces the earlier one."""
        ...


R = TypeVar("R", bound=Row)
K = TypeVar("K", bound=Kept)


@frozen(kw_only=True)
class ProductRow:
    """A product and, for a bundle, its parts."""

    sku: Sku
    parts: tuple[Component, ...] = ()

    @property
    def key(self) -> Hashable:
        """The product id; the master SKU where the order manager gave no id."""
        return self.sku.source_id or f"sku {self.sku.master_sku}"

    def pack(self) -> Any:
        """Give a compact JSON value: what differs from a plain product, and the parts."""
        told = {
            field.name: value
            for field in attrs.fields(Sku)
            if (value := getattr(self.sku, field.name)) != getattr(_PLAIN_SKU, field.name)
        }
        return [told, [[part.master_sku, part.quantity] for part in self.parts]]

    @classmethod
    def unpack(cls, value: Any) -> Self:
        """Make the row from its compact form."""
        told, parts = value
        told.setdefault("master_sku", _PLAIN_SKU.master_sku)
        return cls(
            sku=Sku(**told),
            parts=tuple(Component(master_sku=part, quantity=quantity) for part, quantity in parts),
        )


@frozen(kw_only=True)
class ListingRow:
    """A listing; ``master_sku`` or ``product_id`` names its product."""

    listing_id: str | None
    listing_sku: str
    channel_id: str
    master_sku: str | None = None
    product_id: str | None = None
    active: bool = True
    push_inventory: bool = True

    @property
    def key(self) -> Hashable:
        """The listing id; the channel and listing SKU where the order manager gave no id."""
        return self.listing_id or (self.channel_id, self.listing_sku)

    def pack(self) -> Any:
        """Give a compact JSON value."""
        return list(attrgetter(*_LISTING)(self))

    @classmethod
    def unpack(cls, value: Any) -> Self:
        """Make the row from its compact form."""
        return cls(**dict(zip(_LISTING, value, strict=True)))


@frozen(kw_only=True)
class StockRow:
    """The stock record of one product in one warehouse, however many rows repeat it."""

    master_sku: str
    product_id: str | None
    warehouse_id: str
    on_hand: int | None
    available: int | None
    committed: int
    locked: int
    in_transit: int

    def pack(self) -> Any:
        """Give a compact JSON value."""
        return list(attrgetter(*_STOCK)(self))

    @classmethod
    def unpack(cls, value: Any) -> Self:
        """Make the row from its compact form."""
        return cls(**dict(zip(_STOCK, value, strict=True)))


_LISTING = tuple(field.name for field in attrs.fields(ListingRow))
_STOCK = tuple(field.name for field in attrs.fields(StockRow))


@frozen(kw_only=True)
class Figure:
    """What a channel may sell of one product, as acknowledge said it.

    ``epoch`` counts the answers that had been lost in this channel when the figure came.
    """

    master_sku: str
    product_id: str | None
    available: int
    epoch: int = 0

    @property
    def key(self) -> str:
        """The product id; the master SKU where the order manager gave no id."""
        return self.product_id or f"sku {self.master_sku}"

    def pack(self) -> str:
        """Give a compact text."""
        return json.dumps([self.master_sku, self.product_id, self.available, self.epoch])

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Make the figure from its compact text."""
        master_sku, product_id, available, epoch = json.loads(text)
        return cls(master_sku=master_sku, product_id=product_id, available=available, epoch=epoch)


def pack_page(rows: Iterable[Kept]) -> str:
    """Give one page as a compact text."""
    return json.dumps([row.pack() for row in rows], separators=(",", ":"), ensure_ascii=False)


def unpack_page(text: str, unpack: Callable[[Any], K]) -> list[K]:
    """Make a page's rows from its compact text."""
    return [unpack(value) for value in json.loads(text)]


def latest(rows: Iterable[R]) -> Mapping[Hashable, R]:
    """Keep the later reading of each key: rows shift between pages while stock moves."""
    return {row.key: row for row in rows}
