"""Which locations count for a cart, and why each of them does or does not.

Source: the founding document, "Sync Inventory With Warehouse", "Combine All Locations", and "when combining
inventory you can disable some warehouses".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from omsync.errors import SettingsError
from omsync.model import InventorySnapshot, Place
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel, PerWarehouse

__all__ = [
    "LocationChoice",
    "check_channel_is_read",
    "check_location",
    "choose_locations",
    "find_place",
    "leave_out",
    "map_locations",
    "only_row",
    "visible_to",
]


@frozen(kw_only=True)
class LocationChoice:
    """One location, and whether the cart counts it.

    Args:
        id: The location.
        name: What a person calls it.
        counted: Whether its stock counts.
        reason: ``"combined"``, ``"named"`` or ``"row"`` when counted; ``"inactive"``, ``"disabled"``,
            ``"not_named"``, ``"not_in_counted"`` or ``"left_out"`` when not.
        builds: Whether bundles are built from parts there.
    """

    id: str
    name: str
    counted: bool
    reason: str
    builds: bool = True

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name and self.name != self.id else self.id


def choose_locations(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings
) -> tuple[LocationChoice, ...]:
    """Decide for every location of the snapshot whether the cart counts it.

    Raises:
        SettingsError: The mode does not fit the snapshot, or a name is unknown, ambiguous or inactive.
    """
    mode = merchant.mode
    if isinstance(mode, PerSalesChannel):
        return _one_channel(snapshot, merchant, cart)
    if snapshot.scope != "warehouse":
        raise SettingsError(
            f"The merchant {merchant.name!r} is in warehouse mode, and the snapshot holds sales channels",
            code="mode_mismatch",
            remedy="Read again under this mode, or use mode=PerSalesChannel().",
        )
    return _warehouses(snapshot, mode, cart)


def _one_channel(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings
) -> tuple[LocationChoice, ...]:
    if snapshot.scope != "channel":
        raise SettingsError(
            f"The merchant {merchant.name!r} is in sales-channel mode, and the snapshot holds warehouses",
            code="mode_mismatch",
            remedy="Read again under this mode, or use mode=PerWarehouse().",
        )
    wanted = check_location(merchant, cart, _listed(snapshot.places))
    chosen = find_place(snapshot.places, wanted, f"the location of the cart {cart.name!r}")
    _refuse_inactive(chosen, f"the location of the cart {cart.name!r}")
    return tuple(
        LocationChoice(
            id=place.id,
            name=place.name,
            counted=place is chosen,
            reason="named" if place is chosen else "not_named",
        )
        for place in _sorted(snapshot.places)
    )


def check_location(merchant: MerchantSettings, cart: CartSettings, choices: str = "") -> str:
    """Refuse a location that the mode cannot serve; settings alone say so, before anything is read.

    Raises:
        SettingsError: In sales-channel mode the cart does not name a single channel, or asks for a breakdown.
    """
    if not isinstance(merchant.mode, PerSalesChannel):
        return ""
    if cart.breakdown:
        raise SettingsError(
            f"The cart {cart.name!r} asks for a breakdown by warehouse, and this merchant is in channel mode",
            code="breakdown_in_channel_mode",
            remedy="Use a merchant profile in warehouse mode for this cart.",
        )
    if not isinstance(cart.location, str):
        which = f"one of: {choices}" if choices else "a channel's id or exact name"
        raise SettingsError(
            f"The cart {cart.name!r} names no single location; this merchant is in channel mode; "
            "choose one channel",
            code="choose_one_channel",
            remedy=f"Set location= to {which}. Adding channels up would count stock several times.",
        )
    return cart.location


def check_channel_is_read(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings
) -> None:
    """Refuse a channel that the snapshot has no figure of: every listing would be skipped, and quietly so.

    Raises:
        SettingsError: The channel exists and has no figures; lists those that have.
    """
    with_figures = set(snapshot.levels.location_ids)
    if not isinstance(merchant.mode, PerSalesChannel) or not with_figures:
        return
    for choice in choose_locations(snapshot, merchant, cart):
        if choice.counted and choice.id not in with_figures:
            listed = _listed(place for place in snapshot.places if place.id in with_figures)
            raise SettingsError(
                f"The cart {cart.name!r} takes the channel {choice}, of which no figure was read",
                code="channel_not_read",
                remedy=f"Let the source read it, or choose one that has figures: {listed}.",
            )


def _warehouses(
    snapshot: InventorySnapshot, mode: PerWarehouse, cart: CartSettings
) -> tuple[LocationChoice, ...]:
    places = snapshot.places
    disabled = {find_place(places, name, "disabled").id for name in mode.disabled}
    shelf_only = {find_place(places, name, "preassembled_only").id for name in mode.preassembled_only}
    counted: set[str] | None = None
    if mode.counted is not None:
        counted = _ids(places, sorted(mode.counted), "counted")
        both = sorted(counted & disabled)
        if both:
            raise SettingsError(
                f"Warehouses are named both in counted and in disabled: {', '.join(map(repr, both))}",
                code="counted_and_disabled",
                remedy="Name each warehouse in one of the two, whether by its id or by its name.",
            )
    named: set[str] | None = None
    if cart.location is not None:
        wanted = (cart.location,) if isinstance(cart.location, str) else cart.location
        named = _ids(places, wanted, f"the location of the cart {cart.name!r}")

    def reason(place: Place) -> str:
        if not place.active:
            return "inactive"
        if named is not None:
            return "named" if place.id in named else "not_named"
        if counted is not None and place.id not in counted:
            return "not_in_counted"
        if place.id in disabled:
            return "disabled"
        return "combined"

    return tuple(
        LocationChoice(
            id=place.id,
            name=place.name,
            counted=reason(place) in {"named", "combined"},
            reason=reason(place),
            builds=place.id not in shelf_only,
        )
        for place in _sorted(places)
    )


def leave_out(
    choices: Iterable[LocationChoice], places: Sequence[Place], names: Iterable[str], master_sku: str
) -> tuple[LocationChoice, ...]:
    """Take the locations of a SKU's override out of the counted ones."""
    gone = {find_place(places, name, f"leave_out of {master_sku!r}").id for name in names}
    return tuple(
        evolve(choice, counted=False, reason="left_out") if choice.counted and choice.id in gone else choice
        for choice in choices
    )


def only_row(choices: Iterable[LocationChoice], location_id: str) -> tuple[LocationChoice, ...]:
    """Count a single row of a breakdown; the other counted locations have rows of their own."""
    return tuple(
        choice
        if not choice.counted
        else evolve(
            choice,
            counted=choice.id == location_id,
            reason="row" if choice.id == location_id else "other_row",
        )
        for choice in choices
    )


def visible_to(choices: Iterable[LocationChoice], merchant: MerchantSettings) -> frozenset[str]:
    """Give the locations whose records a cart may see.

    In sales-channel mode each channel is a world of its own; another's figures say nothing there.
    """
    one_only = isinstance(merchant.mode, PerSalesChannel)
    return frozenset(choice.id for choice in choices if choice.counted or not one_only)


def map_locations(cart: CartSettings, places: Sequence[Place]) -> Mapping[str, str]:
    """Give the cart's own location for each warehouse id that ``location_map`` names."""
    mapped: dict[str, str] = {}
    for name, target in cart.location_map.items():
        place = find_place(places, name, f"location_map of the cart {cart.name!r}")
        if mapped.setdefault(place.id, target) != target:
            raise SettingsError(
                f"location_map of the cart {cart.name!r} sends {place.id!r} both to {mapped[place.id]!r} and "
                f"to {target!r}",
                code="ambiguous_location",
                remedy="Name each warehouse once, by its id or by its name.",
            )
    return mapped


def find_place(places: Iterable[Place], wanted: str, where: str) -> Place:
    """Find a location by id or exact name.

    Raises:
        SettingsError: Nothing, or more than one, is meant; lists the choices.
    """
    everything = tuple(places)
    found = [place for place in everything if wanted in {place.id, place.name}]
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingsError(
            f"{wanted!r} in {where} may mean any of {_listed(found)}",
            code="ambiguous_location",
            remedy="Use the id.",
        )
    raise SettingsError(
        f"{wanted!r} in {where} is unknown to the order manager",
        code="unknown_location",
        remedy=f"Choose from: {_listed(everything) or 'nothing; the snapshot has no locations'}.",
    )


def _ids(places: Sequence[Place], names: Iterable[str], where: str) -> set[str]:
    ids: set[str] = set()
    for name in names:
        place = find_place(places, name, where)
        _refuse_inactive(place, where)
        ids.add(place.id)
    return ids


def _refuse_inactive(place: Place, where: str) -> None:
    if not place.active:
        raise SettingsError(
            f"{place.name or place.id!r} ({place.id}), named in {where}, is inactive in the order manager",
            code="inactive_location",
            remedy="Choose an active one, or switch it on in the order manager.",
        )


def _sorted(places: Iterable[Place]) -> list[Place]:
    return sorted(places, key=lambda place: place.id)


def _listed(places: Iterable[Place]) -> str:
    return ", ".join(
        f"{place.name!r} ({place.id})" + ("" if place.active else ", inactive") for place in _sorted(places)
    )
