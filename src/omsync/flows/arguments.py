"""What the flows are given, and the refusal of arguments that were mixed up, before anything is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from omsync.checks import shown
from omsync.errors import WrongTypeError
from omsync.model import InventorySnapshot
from omsync.ports import AsyncCartSink, AsyncOrderManagerSource, CartSink, OrderManagerSource
from omsync.settings import CartSettings, MerchantSettings

__all__ = ["Sink", "Source", "check_arguments", "check_reading", "check_sink", "pairs"]

Source = OrderManagerSource | AsyncOrderManagerSource
Sink = CartSink | AsyncCartSink


def check_arguments(sink: object, cart: object, merchant: object, source: object) -> None:
    """Refuse arguments that were mixed up, before anything is read."""
    check_reading(source, merchant)
    if not isinstance(cart, CartSettings):
        raise WrongTypeError(
            f"cart must be CartSettings, not {shown(cart)}",
            remedy="Write CartSettings(name='shop') or the like; the order is source, sink, cart.",
        )
    check_sink(sink)


def check_sink(sink: object) -> None:
    """Refuse what is no cart."""
    if not hasattr(sink, "capabilities"):
        raise WrongTypeError(
            f"The sink has no capabilities: {shown(sink)}",
            remedy="Give a CartSink, such as CsvCart('stock.csv'); the order is source, sink, cart.",
        )


def pairs(carts: Iterable[tuple[Sink, CartSettings]]) -> list[tuple[Sink, CartSettings]]:
    """Check the pairs of sink and settings."""
    given: list[object] = list(carts)
    for pair in given:
        if not isinstance(pair, tuple) or len(pair) != 2:  # noqa: PLR2004  a pair
            raise WrongTypeError(
                f"carts holds (sink, cart settings) pairs, not {shown(pair)}",
                remedy="Write [(CsvCart('stock.csv'), CartSettings(name='shop')), ...].",
            )
    return cast("list[tuple[Sink, CartSettings]]", given)


def check_reading(source: object, merchant: object) -> None:
    """Refuse a merchant or a source that is none."""
    if not isinstance(merchant, MerchantSettings):
        raise WrongTypeError(
            f"merchant must be MerchantSettings, not {shown(merchant)}",
            remedy="Write MerchantSettings(mode=PerWarehouse()) or the like.",
        )
    if source is not None and not isinstance(source, InventorySnapshot) and not hasattr(source, "read"):
        raise WrongTypeError(
            f"The source can neither be read nor is it a snapshot: {shown(source)}",
            remedy="Give an OrderManagerSource, an InventorySnapshot, or None for the ledger's last read.",
        )
