"""What an Adobe Commerce shop shows of a listing, and which rows must not be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from attrs import field, frozen

from omsync.errors import SettingsError
from omsync.ports import CartListing, PushResult, QuantityChange
from omsync.sinks._adobe import Item, Product, Source
from omsync.sinks._adobe_answers import whole_of
from omsync.sinks._http import refused
from omsync.sinks._rows import Row

__all__ = ["MAX_QUANTITY", "Shelf", "Sources", "can_be_a_sku", "unfit"]

MAX_QUANTITY = 99_999_999
"""The column holds twelve digits, four of them after the point."""

_LONGEST_SKU = 64


def can_be_a_sku(sku: str) -> bool:
    """Tell whether a shop could have this SKU: others are not even looked for."""
    return len(sku) <= _LONGEST_SKU and sku == sku.strip()


@frozen(kw_only=True)
class Sources:
    """A shop's sources, and how rows may name them.

    Args:
        every: All of them.
        location: The one for rows that name none, by code or exact name; None for the only one there is.
        stock: The codes of the stock that shoppers buy from, the first in priority first; None when
            reservations are left alone.
        shop: The shop's name, for messages.
    """

    every: Sequence[Source]
    location: str | None = None
    stock: Sequence[str] | None = None
    shop: str
    names: Mapping[str, str] = field(init=False)

    @names.default
    def _names(self) -> dict[str, str]:
        """Give the codes by code and by exact name; a name that several sources share names none."""
        times = Counter(source.name for source in self.every)
        named = {source.name: source.code for source in self.every if times[source.name] == 1}
        # Where a name is another source's code, the code counts.
        return named | {source.code: source.code for source in self.every}

    def __attrs_post_init__(self) -> None:
        if self.location is not None and self.location not in self.names:
            raise SettingsError(
                f"{self.shop} has no one source {self.location!r}; it has {self.choices}",
                code="unknown_cart_location",
                remedy="Give the code or the exact name of one of them.",
            )

    @property
    def target(self) -> str | None:
        """The code for rows that name no source."""
        if self.location is not None:
            return self.names[self.location]
        return self.every[0].code if len(self.every) == 1 else None

    @property
    def home(self) -> str | None:
        """The source on which reserved units are put, since the shop reserves at none in particular."""
        stock = self.stock or ()
        return self.target if self.target in stock else next(iter(stock), None)

    @property
    def choices(self) -> str:
        """The sources, for messages."""
        return ", ".join(f"{one.name!r} ({one.code})" for one in self.every)

    def rows(self, changes: Sequence[QuantityChange]) -> list[Row]:
        """Give rows with their sources; a location that is unknown has an empty one.

        Raises:
            SettingsError: A row names no source and there are several.
        """
        target = self.target
        if target is None and any(change.location_id is None for change in changes):
            raise SettingsError(
                f"{self.shop} has no single source, and rows name none; it has {self.choices}",
                code="choose_cart_location",
                remedy="Give AdobeCommerce(location=...) one of them, or send a breakdown with a "
                "location_map.",
            )
        return [
            Row(
                change=change,
                place=(target or "")
                if change.location_id is None
                else self.names.get(change.location_id, ""),
            )
            for change in changes
        ]


@frozen(kw_only=True)
class Shelf:
    """What the shop holds of one product.

    Args:
        product: The product.
        items: Its source items by source.
        reserved: What open orders hold of it in the stock; None: unknown.
    """

    product: Product
    items: Mapping[str, Item] = field(factory=dict)
    reserved: int | None = None

    def counted(self, stock: Sequence[str]) -> Decimal | None:
        """Give what a stock sells from; None when none of its sources has the product."""
        there = [item for code, item in self.items.items() if code in stock]
        return sum((item.quantity for item in there if item.in_stock), Decimal()) if there else None

    def shown(self, sources: Sources, *, backorders: bool) -> Iterator[CartListing]:
        """Give what is at every source, by each of its names.

        A source that does not have the product shows 0, since a push puts it there.
        """
        state = self.product.state
        own = [] if sources.target is None else [(None, sources.target)]
        for named, code in (*own, *sources.names.items()):
            yield CartListing(
                listing_sku=self.product.sku,
                location_id=named,
                quantity=self._quantity(code, backorders=backorders) if state == "listed" else None,
                allocated=self._allocated(code, sources) if state == "listed" else None,
                state=state,
                same_as=code if named != code else None,
            )

    def _quantity(self, code: str, *, backorders: bool) -> int | None:
        """Give what the source sells from; None for a fraction, and for a status that a push has to mend."""
        item = self.items.get(code)
        if item is None:
            return 0
        if not item.in_stock:
            return None if backorders else 0
        return whole_of(item.quantity)

    def _allocated(self, code: str, sources: Sources) -> int | None:
        if sources.stock is None:
            return 0
        if code not in sources.stock:
            return None
        return self.reserved if code == sources.home else 0


def unfit(row: Row, product: Product | None, sources: Sources, *, untracked_policy: str) -> PushResult | None:
    """Give the result of a row that must not be sent; None for one that may."""
    change = row.change
    if not row.place:
        message = f"no one source is {change.location_id!r}: {sources.choices}"
        return refused(change, "unknown_location", message)
    if change.quantity > MAX_QUANTITY:
        return refused(change, "out_of_range", f"{change.quantity} is more than {MAX_QUANTITY}")
    if product is None:
        message = f"no product has the SKU {change.listing_sku!r}"
        if not can_be_a_sku(change.listing_sku):
            message += f"; a SKU has at most {_LONGEST_SKU} characters and no blank at either end"
        return refused(change, "not_in_cart", message)
    if product.state == "unmanaged":
        message = f"a {product.type_id} product has no stock of its own; the shop works it out from its parts"
        return refused(change, "unmanaged_in_cart", message, status="skipped")
    if product.state == "untracked":
        message = "the shop does not manage this product's stock, so a quantity would have no effect"
        status = "skipped" if untracked_policy == "skip" else "rejected"
        return refused(change, "untracked_in_cart", message, status=status)
    return None
