"""Both of the founding document's modes side by side: where they would tell a cart different figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from attrs import evolve, field, frozen

from omsync import checks
from omsync.allocation import Allocation, allocate
from omsync.allocation.reasons import words
from omsync.checks import counted, printable
from omsync.errors import SettingsError
from omsync.model import InventorySnapshot
from omsync.planning.table import aligned
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel, PerWarehouse

__all__ = ["ModeLine", "ModesCompared", "compare_modes"]

_MOST = 40


@frozen(kw_only=True)
class ModeLine:
    """One listing for which the modes differ.

    Args:
        listing_sku: The cart's code.
        master_sku: The product.
        per_warehouse: What warehouse mode would tell; None: nothing.
        per_channel: What sales-channel mode would tell; None: nothing.
        reason: Why one of them tells nothing, as a code; empty where both tell something.
    """

    listing_sku: str = field(validator=checks.text)
    master_sku: str = field(validator=checks.any_text)
    per_warehouse: int | None
    per_channel: int | None
    reason: str = ""

    @property
    def gap(self) -> int:
        """What sales-channel mode tells more; what is not told counts as nothing."""
        return (self.per_channel or 0) - (self.per_warehouse or 0)


@frozen(kw_only=True, repr=False)
class ModesCompared:
    """Where the two modes disagree, the largest gap first.

    Args:
        cart: The cart's name.
        channel: The sales channel that stands against it.
        lines: The listings that would be told something else.
        agreed: How many listings would be told the same.
    """

    cart: str
    channel: str
    lines: tuple[ModeLine, ...] = field(converter=checks.as_tuple)
    agreed: int

    def __iter__(self) -> Iterator[ModeLine]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __repr__(self) -> str:
        return f"<ModesCompared for {self.cart}: {self.agreed:,} agree, {len(self):,} differ>"

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data."""
        lines = [{**attrs.asdict(line), "gap": line.gap} for line in self.lines]
        return {"cart": self.cart, "channel": self.channel, "agreed": self.agreed, "lines": lines}

    def to_json(self, *, indent: int | None = None) -> str:
        """Give ``to_data()`` as JSON."""
        return json.dumps(self.to_data(), indent=indent)

    def __str__(self) -> str:
        gap = sum(line.gap for line in self.lines)
        head = (
            f"{self.cart}, per warehouse against per sales channel ({self.channel}): "
            f"the same for {counted(self.agreed, 'listing')}, different for {len(self):,}, by {gap:+,} in all"
        )
        if not self.lines:
            return head
        table: list[Sequence[str]] = [("listing", "product", "per warehouse", "per channel", "gap", "")]
        table += [
            (
                line.listing_sku,
                line.master_sku,
                *(
                    "-" if figure is None else str(figure)
                    for figure in (line.per_warehouse, line.per_channel)
                ),
                f"{line.gap:+}",
                words(line.reason) if line.reason else "",
            )
            for line in self.lines[:_MOST]
        ]
        more = [f"  ... and {counted(len(self) - _MOST, 'more line')}"] if len(self) > _MOST else []
        return "\n".join([printable(head), *aligned(table), *more])


def compare_modes(
    by_warehouse: InventorySnapshot,
    by_channel: InventorySnapshot,
    *,
    cart: CartSettings,
    channel: str,
    merchant: MerchantSettings,
) -> ModesCompared:
    """Say where the two modes would tell a cart different figures, and by how much. Pure.

    Args:
        by_warehouse: A reading per warehouse.
        by_channel: A reading per sales channel, best taken at the same time.
        cart: The cart's settings in warehouse mode.
        channel: The sales channel, by id or exact name, that the cart would name in the other mode.
        merchant: The merchant's settings in warehouse mode.

    Raises:
        SettingsError: The readings are not one of each mode; or the settings do not fit what they hold.

    Source: the founding document, "Inventory Sync Mode".
    """
    if (by_warehouse.scope, by_channel.scope) != ("warehouse", "channel"):
        raise SettingsError(
            f"The readings are per {by_warehouse.scope} and per {by_channel.scope}",
            code="not_both_modes",
            remedy="Give first the one per warehouse, then the one per sales channel.",
        )
    if not isinstance(merchant.mode, PerWarehouse):
        raise SettingsError(
            "The merchant's settings are those of sales-channel mode",
            code="not_both_modes",
            remedy="Give those of warehouse mode; for the other one channel= is enough.",
        )
    one = allocate(by_warehouse, merchant, evolve(cart, breakdown=False, location_map={}))
    in_channel = evolve(cart, location=channel, breakdown=False, location_map={}, overrides=_everywhere(cart))
    other = allocate(by_channel, evolve(merchant, mode=PerSalesChannel()), in_channel)
    first, second = _told(one), _told(other)
    sides = ((first, _why(one)), (second, _why(other)))
    products = {row.listing_sku: row.master_sku for row in (*one.quantities, *other.quantities)}
    lines = [
        ModeLine(
            listing_sku=code,
            master_sku=products[code],
            per_warehouse=first.get(code),
            per_channel=second.get(code),
            reason=next((why.get(code, "") for told, why in sides if code not in told), ""),
        )
        for code in {*first, *second}
        if first.get(code) != second.get(code)
    ]
    lines.sort(key=lambda line: (-abs(line.gap), line.listing_sku))
    return ModesCompared(
        cart=cart.name, channel=channel, lines=lines, agreed=len({*first, *second}) - len(lines)
    )


def _told(allocation: Allocation) -> dict[str, int]:
    return {row.listing_sku: row.quantity for row in allocation.quantities}


def _why(allocation: Allocation) -> dict[str, str]:
    return {one.listing_sku: one.reason for one in allocation.skipped if one.listing_sku is not None}


def _everywhere(cart: CartSettings) -> dict[str, Any]:
    """Give what is different for single products, without the warehouses that a channel does not have."""
    return {sku: evolve(override, leave_out=()) for sku, override in cart.overrides.items()}
