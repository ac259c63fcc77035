"""What ``compare`` does, written once as steps: read what has to be read, then compare. It never pushes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from attrs import frozen

from omsync.allocation.locations import check_channel_is_read, check_location
from omsync.checks import shown
from omsync.comparison import Comparison, compare_snapshots, compare_with_cart
from omsync.errors import InvalidValueError, SettingsError, WrongTypeError
from omsync.exchange import CartListing, SinkCapabilities
from omsync.flows import Sink, Source, read_cart, read_flow, with_memory
from omsync.http.steps import Steps, call
from omsync.model import InventorySnapshot
from omsync.runs import Context
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Asked", "Other", "compare_flow"]

Other = Source | Sink | InventorySnapshot | Iterable[CartListing]
_LISTINGS = SinkCapabilities(destination="the cart", lists_all=True, locations="optional")


@frozen(kw_only=True)
class Asked:
    """What a comparison is asked for, as in ``omsync.compare``."""

    cart: CartSettings | None = None
    merchant: MerchantSettings | None = None
    same_places: Mapping[str, str] | None = None
    tolerance: int = 0
    orders_in_flight: Mapping[str, int] | None = None
    names: tuple[str, str] | None = None


def compare_flow(
    a: Source | InventorySnapshot, b: Other, asked: Asked, context: Context
) -> Steps[Comparison]:
    """Compare two readings, or a reading with a cart. Only reads; the context has no ledger to write to."""
    with_cart = _is_cart(b)
    _check(a, b, asked, with_cart=with_cart)
    if with_cart:
        return (yield from _with_cart(a, cast("Sink | Iterable[CartListing]", b), asked, context))
    first = yield from _read(a, asked, context)
    second = yield from _read(cast("Source | InventorySnapshot", b), asked, context)
    return compare_snapshots(
        first,
        second,
        names=asked.names or _names(a, b),
        same_places=asked.same_places,
        tolerance=asked.tolerance,
        merchant=asked.merchant,
    )


def _with_cart(
    a: Source | InventorySnapshot, b: Sink | Iterable[CartListing], asked: Asked, context: Context
) -> Steps[Comparison]:
    merchant, cart = asked.merchant, asked.cart
    if merchant is None or cart is None:
        raise SettingsError(
            "To compare with a cart, omsync has to know what it would be told",
            code="cart_settings_wanted",
            remedy="Give cart=CartSettings(...) and merchant=MerchantSettings(...), as for plan_cart().",
        )
    check_location(merchant, cart)
    snapshot = yield from _read(a, asked, context)
    check_channel_is_read(snapshot, merchant, cart)
    allocation = yield from call(context.desk.allocate, snapshot, merchant, cart, asked.orders_in_flight)
    capabilities: SinkCapabilities = getattr(b, "capabilities", _LISTINGS)
    listings: Iterable[CartListing] = ()
    if not hasattr(b, "capabilities"):
        listings = _listings(b)
    elif capabilities.readable:
        named = {row.listing_sku for row in allocation.quantities}
        named |= {skipped.listing_sku for skipped in allocation.skipped if skipped.listing_sku}
        sink = with_memory(cast("Sink", b), merchant.name, context)
        listings = yield from read_cart(sink, sorted(named))
    return compare_with_cart(
        allocation, listings, capabilities, seen_at=context.clock.now(), tolerance=asked.tolerance
    )


def _read(a: Source | InventorySnapshot, asked: Asked, context: Context) -> Steps[InventorySnapshot]:
    if isinstance(a, InventorySnapshot):
        return a
    if asked.merchant is None:
        raise SettingsError(
            f"{_name(a, 'The order manager')} is to be read, and nobody says in which mode",
            code="merchant_wanted",
            remedy="Give merchant=MerchantSettings(mode=PerWarehouse()) or the like, or a snapshot.",
        )
    return (yield from read_flow(a, asked.merchant, context))


def _is_cart(b: object) -> bool:
    if isinstance(b, InventorySnapshot):
        return False
    return hasattr(b, "capabilities") or (isinstance(b, Iterable) and not hasattr(b, "read"))


def _check(a: object, b: object, asked: Asked, *, with_cart: bool) -> None:
    for what, one in (("first", a), ("second", b)):
        if (
            not isinstance(one, InventorySnapshot)
            and not hasattr(one, "read")
            and not (with_cart and one is b)
        ):
            raise WrongTypeError(
                f"The {what} to compare is neither a snapshot nor can it be read: {shown(one)}",
                remedy="Give an InventorySnapshot or an OrderManagerSource; the second may be a CartSink or "
                "CartListing values.",
            )
    if hasattr(a, "capabilities"):
        raise WrongTypeError(
            f"The first to compare is a cart: {shown(a)}",
            remedy="The order is: the order manager's figures, then the cart.",
        )
    if type(asked.tolerance) is not int or asked.tolerance < 0:
        raise InvalidValueError(
            f"tolerance must be a whole number from 0, not {shown(asked.tolerance)}",
            remedy="Give the units that two figures may differ by.",
        )
    idle = {
        "same_places": with_cart and asked.same_places,
        "names": with_cart and asked.names,
        "cart": not with_cart and asked.cart,
        "orders_in_flight": not with_cart and asked.orders_in_flight,
    }
    for name, given in idle.items():
        if given:
            raise SettingsError(
                f"{name}= says nothing about {'a cart' if with_cart else 'two readings'}",
                code="idle_argument",
                remedy="Leave it out, or check the second argument: a cart, or another reading.",
            )


def _listings(listings: Iterable[CartListing]) -> list[CartListing]:
    rows = list(listings)
    for row in rows:
        if not isinstance(row, CartListing):
            raise WrongTypeError(
                f"A cart is given as CartListing values, not {shown(row)}",
                remedy="Write CartListing(listing_sku=..., quantity=...) for each.",
            )
    return rows


def _names(a: object, b: object) -> tuple[str, str]:
    """Call sources by their names, without the addresses where those tell nothing."""
    names = _name(a, "a"), _name(b, "b")
    first, second = (name.split(" at ")[0] for name in names)
    return names if first == second else (first, second)


def _name(source: object, otherwise: str) -> str:
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and name else otherwise
