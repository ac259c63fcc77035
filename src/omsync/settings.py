"""What a merchant writes down: the mode, what each cart shows, the rules of a quantity, how often.

Values only. ``load_settings`` in ``omsync.config`` reads the same values from a TOML file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import Attribute, field, frozen

from omsync import checks
from omsync.errors import SettingsError
from omsync.frequency import Frequency

__all__ = [
    "GUARDS",
    "CartSettings",
    "Frequency",
    "Guardrails",
    "MerchantSettings",
    "PerSalesChannel",
    "PerWarehouse",
    "QuantityRules",
    "SkuOverride",
]


@frozen(kw_only=True)
class PerWarehouse:
    """Warehouse mode: every cart combines all counted warehouses, takes some by name, or the breakdown.

    Args:
        disabled: Ids or exact names of warehouses left out when combining and from the breakdown, such as
            an Amazon FBA warehouse. A cart may still name one.
        counted: Name the warehouses that count one by one, instead of "all but the disabled ones". Without
            it, a new warehouse, or one that someone else ships from, holds the carts that combine it.
        pooled_assembly: Assume that parts from different warehouses can be brought together to build a
            bundle; concerns carts that combine.
        preassembled_only: Warehouses that neither build bundles nor lend parts; only shelf units count there.
        clamp_each: Lift a negative available figure to 0 at each warehouse, instead of netting it.

    Source: the founding document, "Inventory by Warehouse".
    """

    disabled: frozenset[str] = field(
        default=frozenset(), converter=checks.as_names, validator=checks.each(checks.text)
    )
    counted: frozenset[str] | None = field(
        default=None,
        converter=checks.as_optional_names,
        validator=checks.optional(checks.each(checks.text)),
    )
    pooled_assembly: bool = field(default=False, validator=checks.flag)
    preassembled_only: frozenset[str] = field(
        default=frozenset(), converter=checks.as_names, validator=checks.each(checks.text)
    )
    clamp_each: bool = field(default=False, validator=checks.flag)

    def __attrs_post_init__(self) -> None:
        if self.counted is not None and not self.counted:
            raise SettingsError(
                "PerWarehouse.counted names no warehouse, so every quantity would be 0",
                code="nothing_counted",
                remedy="Leave it out to count all but the disabled ones, or name at least one.",
            )
        both = sorted(self.disabled & (self.counted or frozenset()))
        if both:
            raise SettingsError(
                f"Warehouses are named both in counted and in disabled: {', '.join(map(repr, both))}",
                code="counted_and_disabled",
                remedy="Name each warehouse in one of the two.",
            )


@frozen(kw_only=True)
class PerSalesChannel:
    """Sales-channel mode: the order manager has worked out each channel's share; a cart takes one channel.

    Source: the founding document, "Inventory by Sales Channel".
    """


Mode = PerWarehouse | PerSalesChannel


@frozen(kw_only=True)
class MerchantSettings:
    """How one merchant's order manager is read.

    Args:
        name: The profile's name; the ledger is keyed by it. One account may be used under several names.
        mode: ``PerWarehouse(...)`` or ``PerSalesChannel()``.
        subtract_locked: Subtract locked units where the source reports no available figure of its own.
        ignore_inactive: Leave out products that are switched off in the order manager.
        bundle_quantities: ``"computed"`` adds shelf units and what the parts make; ``"reported"`` takes the
            source's figure; ``"auto"`` computes unless the figure includes that already, or may.
        frequency: How often to read the order manager; None leaves it to you.
        allow_under_an_hour: The order manager is read at most once an hour, unless you allow more by this.

    Raises:
        SettingsError: The frequency is under an hour and that was not allowed.
    """

    name: str = field(default="default", validator=checks.text)
    mode: Mode = field(validator=checks.instance_of(PerWarehouse, PerSalesChannel))
    subtract_locked: bool = field(default=True, validator=checks.flag)
    ignore_inactive: bool = field(default=True, validator=checks.flag)
    bundle_quantities: str = field(default="auto", validator=checks.one_of("auto", "computed", "reported"))
    frequency: Frequency | None = field(
        default=None, validator=checks.optional(checks.instance_of(Frequency))
    )
    allow_under_an_hour: bool = field(default=False, validator=checks.flag)

    def __attrs_post_init__(self) -> None:
        if self.frequency and self.frequency.shortest_minutes < 60 and not self.allow_under_an_hour:  # noqa: PLR2004
            raise SettingsError(
                f"The merchant {self.name!r} would be read every {self.frequency.shortest_minutes} minutes; "
                "the shortest is an hour",
                code="frequency_under_an_hour",
                remedy="Use Frequency.every(hours=1), or write allow_under_an_hour=True.",
            )


@frozen(kw_only=True)
class QuantityRules:
    """What happens to a quantity between the order manager and a cart, in this order.

    Args:
        percent: Show this share of it, 0 to 100, rounded down.
        safety_stock: Then subtract this many.
        backorder_room: Then add this many.
        zero_below: Show 0 if it is then strictly below this.
        show_at_least: Show at least this many.
        max_quantity: Show at most this many.

    All but percent are pieces of the listing. Source: docs, "The order of the rules".
    """

    percent: int = field(default=100, validator=checks.whole(minimum=0, maximum=100))
    safety_stock: int = field(default=0, validator=checks.whole(minimum=0))
    backorder_room: int = field(default=0, validator=checks.whole(minimum=0))
    zero_below: int = field(default=0, validator=checks.whole(minimum=0))
    show_at_least: int = field(default=0, validator=checks.whole(minimum=0))
    max_quantity: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=0)))

    def __attrs_post_init__(self) -> None:
        if self.zero_below and self.show_at_least:
            raise SettingsError(
                f"zero_below={self.zero_below} and show_at_least={self.show_at_least} contradict each other",
                code="rules_contradict",
                remedy="zero_below shows 0 when stock is low, show_at_least never shows less: keep one.",
            )
        if self.max_quantity is not None and self.show_at_least > self.max_quantity:
            raise SettingsError(
                f"show_at_least={self.show_at_least} is above max_quantity={self.max_quantity}",
                code="rules_contradict",
                remedy="Lower show_at_least or raise max_quantity.",
            )


@frozen(kw_only=True)
class SkuOverride:
    """What is different for one product in one cart.

    Args:
        rules: Replace the cart's rules whole; None keeps them.
        leave_out: Locations left out for this product's own quantity; as a part of bundles it keeps them.
    """

    rules: QuantityRules | None = field(
        default=None, validator=checks.optional(checks.instance_of(QuantityRules))
    )
    leave_out: frozenset[str] = field(
        default=frozenset(), converter=checks.as_names, validator=checks.each(checks.text)
    )


GUARDS = (
    "another_writer",
    "foreign_warehouse",
    "new_warehouse",
    "partial_snapshot",
    "sharp_rise",
    "shrunken_snapshot",
    "stale_snapshot",
    "too_many_changes",
    "too_many_falls",
    "too_many_zeros",
)
"""The guards by name: the reason of what each holds, and what ``Guardrails(off=...)`` takes."""


def _names_in_order(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(checks.as_tuple(value)), key=str))


@frozen(kw_only=True)
class Guardrails:
    """How much one plan may change before a person has to look.

    Shares are of the listings that a cart sells, those that show more than 0. What is over a limit is held
    until it is approved, or is within the limits again.

    Args:
        zero_percent: At most this share of the listings may go to 0.
        fall_percent: At most this share may fall, those going to 0 included.
        change_percent: At most this share may change at all.
        max_zeros: At most so many listings may go to 0; None for no such limit.
        max_falls: At most so many may fall; None for no such limit.
        max_changes: At most so many may change; None for no such limit.
        min_population: With fewer listings than this a share says nothing and does not count, except that
            of the listings going to 0 on a cart's first push.
        first_zero_percent: At most this share may go to 0 on a first push with fewer listings; a larger one
            is held to ``zero_percent``.
        rise_factor: A listing may rise to so many times what it shows.
        rise_floor: Units; a listing that shows fewer may rise as if it showed this many.
        stale_hours: Nothing changes on the strength of a reading that is older.
        rise_stale_hours: Nothing rises on the strength of a reading that is older.
        shrink_percent: Nothing falls on the strength of a reading that has fewer products or locations than
            the last good one by more than this share.
        quarantine_after: A row that the cart refused in so many runs running is left out for a while; 0
            sends it in every run, and every report says so.
        quarantine_hours: How long it is left out first; each further refusal doubles that, up to a day. What
            the cart shows too high is tried again after an hour in any case.
        hold: ``"offending"`` holds the changes that are over a limit, ``"plan"`` all of the plan with them.
        off: Guards that are switched off, by name, as in ``GUARDS``; every report says so.
    """

    zero_percent: int = field(default=10, validator=checks.whole(minimum=0, maximum=100))
    fall_percent: int = field(default=50, validator=checks.whole(minimum=0, maximum=100))
    change_percent: int = field(default=75, validator=checks.whole(minimum=0, maximum=100))
    max_zeros: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=0)))
    max_falls: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=0)))
    max_changes: int | None = field(default=None, validator=checks.optional(checks.whole(minimum=0)))
    min_population: int = field(default=20, validator=checks.whole(minimum=1))
    first_zero_percent: int = field(default=75, validator=checks.whole(minimum=0, maximum=100))
    rise_factor: int = field(default=10, validator=checks.whole(minimum=1))
    rise_floor: int = field(default=100, validator=checks.whole(minimum=1))
    stale_hours: int = field(default=30, validator=checks.whole(minimum=1))
    rise_stale_hours: int = field(default=6, validator=checks.whole(minimum=1))
    shrink_percent: int = field(default=10, validator=checks.whole(minimum=0, maximum=100))
    quarantine_after: int = field(default=3, validator=checks.whole(minimum=0))
    quarantine_hours: int = field(default=1, validator=checks.whole(minimum=1, maximum=24))
    hold: str = field(default="offending", validator=checks.one_of("offending", "plan"))
    off: tuple[str, ...] = field(
        default=(), converter=_names_in_order, validator=checks.each(checks.one_of(*GUARDS))
    )


def _minutes(value: int | None) -> int:
    return 0 if value is None else value


def _location(value: str | Iterable[str] | None) -> str | tuple[str, ...] | None:
    return value if value is None or isinstance(value, str) else checks.as_tuple(value)


def _check_location(instance: object, attribute: Attribute[Any], value: object) -> None:
    if isinstance(value, tuple):
        checks.each(checks.text)(instance, attribute, value)
        if not value:
            raise SettingsError(
                "CartSettings.location is an empty collection",
                code="no_location",
                remedy="Leave it out to combine all counted locations, or name at least one.",
            )
    elif value is not None:
        checks.text(instance, attribute, value)


@frozen(kw_only=True)
class CartSettings:
    """What one cart is told.

    Args:
        name: The cart's name; the ledger is keyed by merchant and cart.
        alias: The alias name whose listing SKUs the cart uses (the founding document's "Sync Inventory
            Alias"); None when the cart uses master SKUs.
        location: None for "Combine All Locations", or one id or exact name, or a tuple of them (the founding
            document's "Sync Inventory With Warehouse").
        breakdown: One row for each counted warehouse instead of the sum; for EDI partners.
        rules: The rules of every quantity.
        overrides: By master SKU, what is different for single products.
        only: Master SKUs to sync; None for all.
        exclude: Master SKUs never to sync.
        units: By listing SKU, units of the product in one piece of the listing; goes before the alias's own.
        location_map: For a breakdown: warehouse (id or name) to the cart's own location; several warehouses
            may go to one, and are added.
        respect_push_inventory: Skip listings that the order manager itself would not push. Off by default,
            since merchants who used Integration Manager have that switched off.
        frequency: How often to push; None leaves it to you.
        guardrails: How much one plan may change before a person has to look.
        order_lag: Minutes that an order may take from the cart into the order manager's figures, at most.
            Where the cart shows less than we left it with, it is raised only from figures read so much later
            than that was first seen, or when orders in flight explain it; and orders placed so shortly before
            a read are taken as not yet in its figures. 0 or None assumes no lag and lifts that guard.
        rises_seen_twice: Raise only to what an earlier read wanted as well.
        reassert_after: Hours. A cart that cannot be read is sent a quantity again when it accepted it longer
            ago, since accepting is not showing; 0 trusts for ever what it accepted.
        reassert_zeros_after: Hours; the same for a quantity of 0, which costs more when it got lost.
        compare_within: Seconds. A cart that cannot refuse a write that comes too late is read, compared, then
            written; in a long push, a row whose look is older is looked at again right before its batch. 0
            never looks again.
        when_gone: What becomes of a listing that we once showed above 0 and that has no quantity any more:
            ``"leave"`` (it keeps what it shows, and is named), ``"hold_zero"`` (0 waits for approval),
            ``"zero"`` (0, within the guardrails), or ``"by_cause"``: ``"hold_zero"`` where the order manager
            says that it is inactive, ``"leave"`` where it is merely absent.
        resume_within: Minutes. A run that died is gone on with by the next one, with the same plan, while the
            reading that it was made from is no older; 0: never.
        enabled: False: nothing is planned or pushed, and the report says so.

    Raises:
        SettingsError: Settings that contradict each other.
    """

    name: str = field(validator=checks.text)
    alias: str | None = field(default=None, validator=checks.optional(checks.text))
    location: str | tuple[str, ...] | None = field(
        default=None, converter=_location, validator=_check_location
    )
    breakdown: bool = field(default=False, validator=checks.flag)
    rules: QuantityRules = field(factory=QuantityRules, validator=checks.instance_of(QuantityRules))
    overrides: Mapping[str, SkuOverride] = field(
        factory=dict,
        converter=checks.as_mapping,
        validator=checks.mapping(checks.text, checks.instance_of(SkuOverride)),
    )
    only: frozenset[str] | None = field(
        default=None,
        converter=checks.as_optional_names,
        validator=checks.optional(checks.each(checks.text)),
    )
    exclude: frozenset[str] = field(
        default=frozenset(), converter=checks.as_names, validator=checks.each(checks.text)
    )
    units: Mapping[str, int] = field(
        factory=dict,
        converter=checks.as_mapping,
        validator=checks.mapping(checks.text, checks.whole(minimum=1)),
    )
    location_map: Mapping[str, str] = field(
        factory=dict,
        converter=checks.as_mapping,
        validator=checks.mapping(checks.text, checks.text),
    )
    respect_push_inventory: bool = field(default=False, validator=checks.flag)
    frequency: Frequency | None = field(
        default=None, validator=checks.optional(checks.instance_of(Frequency))
    )
    guardrails: Guardrails = field(factory=Guardrails, validator=checks.instance_of(Guardrails))
    order_lag: int = field(default=30, converter=_minutes, validator=checks.whole(minimum=0, maximum=10_080))
    rises_seen_twice: bool = field(default=False, validator=checks.flag)
    reassert_after: int = field(default=168, validator=checks.whole(minimum=0, maximum=87_600))
    reassert_zeros_after: int = field(default=24, validator=checks.whole(minimum=0, maximum=87_600))
    compare_within: int = field(default=300, validator=checks.whole(minimum=0, maximum=86_400))
    when_gone: str = field(
        default="by_cause", validator=checks.one_of("by_cause", "leave", "hold_zero", "zero")
    )
    resume_within: int = field(default=30, validator=checks.whole(minimum=0, maximum=1440))
    enabled: bool = field(default=True, validator=checks.flag)

    def __attrs_post_init__(self) -> None:
        if self.location_map and not self.breakdown:
            raise SettingsError(
                f"The cart {self.name!r} has a location_map but no breakdown",
                code="map_without_breakdown",
                remedy="Set breakdown=True, or name the cart's location at the sink.",
            )
