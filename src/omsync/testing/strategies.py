"""Hypothesis strategies of merchants: what an order manager may hold, and what people may write down for it.

Small worlds with everything in them that makes a quantity hard: debts, missing records, parts that several
bundles share, kits within kits, packs, orders in flight, odd settings. Every case fits together, so an
engine may not refuse one. Needs ``omsync[testing]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from hypothesis import strategies as st

from omsync.model import (
    Alias,
    Bundle,
    Component,
    InventorySnapshot,
    Place,
    SalesChannel,
    Sku,
    StockLevel,
    Warehouse,
)
from omsync.settings import (
    CartSettings,
    MerchantSettings,
    PerSalesChannel,
    PerWarehouse,
    QuantityRules,
    SkuOverride,
)
from omsync.testing.case import Case

__all__ = [
    "carts",
    "cases",
    "merchants",
    "orders_in_flight",
    "quantity_rules",
    "snapshots",
    "stock_levels",
]

T = TypeVar("T")
Draw = st.DrawFn

TAKEN_AT = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)

_WAREHOUSES = (
    Warehouse(id="11", name="Reno DC", kind="DIRECT_FULFILLMENT"),
    Warehouse(id="12", name="Amazon FBA US", kind="SALES_CHANNEL"),
    Warehouse(id="13", name="Harbor 3PL", kind="THIRD_PARTY_LOGISTICS"),
)
_CHANNELS = (
    SalesChannel(id="91", name="Shopify US", kind="SHOPIFY"),
    SalesChannel(id="92", name="Wholesale", kind="CUSTOM"),
)
_PLAIN = ("CUP", "SPOON", "TIN", "TRAY")
# Later ones may hold earlier ones; neither way is the order of the alphabet.
_BUNDLES = ("TRIO", "BOX", "PALLET")
_LISTINGS = ("l-1", "l-2", "l-3", "l-4", "l-5", "l-6")

_HEALTHY: Mapping[str, Any] = {}
_TROUBLED: tuple[Mapping[str, Any] | None, ...] = (
    *([_HEALTHY] * 30),
    {"active": False},
    {"kind": "virtual"},
    {"digital": True},
    {"tracked": False},
    None,
)
"""What is special about a product; None: the order manager does not list it."""

_AVAILABLE = (*range(1, 13), 0, 0, -1, -2, -3, -5, -8)
_HELD = tuple(
    {"on_hand": on_hand, "committed": committed, "locked": locked}
    for on_hand in (12, 9, 4, 1, 0, -1)
    for committed, locked in ((0, 0), (1, 2), (4, 0), (7, 2))
)
_FIGURES: tuple[Mapping[str, int], ...] = (
    *({"available": figure} for figure in _AVAILABLE),
    *_HELD,
    # What is reported as available goes before what it would be computed from.
    *({"available": figure, **held} for figure, held in zip(_AVAILABLE, _HELD, strict=False)),
)
"""What a stock record may report."""


def _some(items: Sequence[T]) -> st.SearchStrategy[frozenset[T]]:
    return st.frozensets(st.sampled_from(items)) if items else st.just(frozenset())


def _recorded_at(places: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    """Everywhere, at one place, or anywhere and nowhere."""
    everywhere = st.just(frozenset(places))
    return everywhere | everywhere | st.sampled_from([frozenset({place}) for place in places]) | _some(places)


def _rarely(times_out_of: int) -> st.SearchStrategy[bool]:
    return st.sampled_from([*([False] * (times_out_of - 1)), True])


def stock_levels(
    master_sku: str, location_id: str, *, always_reported: bool = False
) -> st.SearchStrategy[StockLevel]:
    """Draw a stock record: a figure as reported, or what it is computed from; sometimes a debt."""
    figures = _FIGURES if always_reported else (*_FIGURES, {}, {}, {})
    return st.sampled_from(figures).map(
        lambda chosen: StockLevel(master_sku=master_sku, location_id=location_id, in_transit=7, **chosen)
    )


@st.composite
def _bundles(draw: Draw, plain: Sequence[str], *, trouble: bool) -> tuple[Bundle, ...]:
    made: list[Bundle] = []
    for number in range(draw(st.sampled_from([0, 1, 2, 2, 3, 3]))):
        inside = (*plain, *(bundle.master_sku for bundle in made))
        parts = [
            Component(
                master_sku=draw(st.sampled_from(inside)), quantity=draw(st.sampled_from([1, 1, 1, 2, 2, 3]))
            )
            for _ in range(draw(st.sampled_from([1, 2, 2, 3])))
        ]
        if trouble:
            match draw(st.sampled_from([*([""] * 14), "ghost", "nought", "cycle", "empty"])):
                case "ghost":
                    parts.append(Component(master_sku="GHOST"))
                case "nought":
                    parts.append(Component(master_sku=inside[0], quantity=draw(st.integers(-1, 0))))
                case "cycle":
                    parts.append(Component(master_sku=_BUNDLES[-1]))
                case "empty":
                    parts = []
        made.append(Bundle(master_sku=_BUNDLES[number], components=tuple(parts)))
    return tuple(made)


@st.composite
def _aliases(draw: Draw, skus: Sequence[str], *, trouble: bool, packs: bool) -> tuple[Alias, ...]:
    colliding = trouble and draw(st.booleans())
    special = st.sampled_from(
        [{}, {}, {}, {"push_inventory": False}]
        + ([{"units": 6}, {"units": 6, "push_inventory": False}] if packs else [])
        + ([{"active": False}] if trouble else [])
    )
    return tuple(
        Alias(
            name=name,
            channel_id=channel_id,
            listing_sku=listing_sku if colliding else f"{master_sku}-{listing_sku}",
            master_sku=master_sku,
            **draw(special),
        )
        for master_sku in (*skus, *(["GHOST"] if trouble else []))
        for name, channel_id in ((_CHANNELS[0].name, _CHANNELS[0].id), ("UPC", None))
        for listing_sku in draw(st.lists(st.sampled_from(_LISTINGS), max_size=2))
    )


@st.composite
def snapshots(
    draw: Draw, *, scope: str = "warehouse", trouble: bool = True, packs: bool = True, computed: bool = False
) -> InventorySnapshot:
    """Draw one complete reading of an order manager.

    Args:
        draw: Given by Hypothesis.
        scope: ``"warehouse"`` or ``"channel"``.
        trouble: Also draw what keeps a product from having a quantity: inactive products, cycles, unreported
            figures, listings that collide. Without it, records may still be missing and figures negative.
        packs: Also draw listings of several units.
        computed: Only figures that do not include what the parts of bundles make.
    """
    trouble = trouble and draw(st.booleans())
    plain = _PLAIN[: draw(st.integers(1, len(_PLAIN)))]
    bundles = draw(_bundles(plain, trouble=trouble))
    skus: list[Sku] = []
    everything = (*plain, *(bundle.master_sku for bundle in bundles))
    for master_sku in everything:
        special = draw(st.sampled_from(_TROUBLED)) if trouble else _HEALTHY
        if special is not None:
            kind = "core" if master_sku in plain or draw(st.booleans()) else "bundle"
            skus.append(Sku(master_sku=master_sku, **{"kind": kind, **special}))
    warehouses = tuple(
        Warehouse(id=one.id, name=one.name, kind=one.kind, active=not draw(_rarely(6))) for one in _WAREHOUSES
    )
    here = _WAREHOUSES if scope == "warehouse" else _CHANNELS
    ids = [place.id for place in here]
    recorded = [(sku, place) for sku in everything for place in sorted(draw(_recorded_at(ids)))]
    return InventorySnapshot(
        taken_at=TAKEN_AT,
        skus=tuple(skus),
        aliases=draw(_aliases(everything, trouble=trouble, packs=packs)),
        warehouses=warehouses,
        sales_channels=_CHANNELS,
        bundles=bundles,
        levels=[draw(stock_levels(sku, place, always_reported=not trouble)) for sku, place in recorded],
        scope=scope,
        bundles_include_buildable="no"
        if computed
        else draw(st.sampled_from(["no", "no", "no", "no", "yes", "unknown"])),
        doubtful=draw(_some(recorded)),
    )


@st.composite
def quantity_rules(draw: Draw, *, identity: bool = False, backorders: bool = True) -> QuantityRules:
    """Draw the rules of a quantity; with ``identity`` those that change nothing."""
    if identity:
        return QuantityRules()
    threshold = draw(st.sampled_from(["zero_below", "show_at_least"]))
    level = draw(st.integers(0, 6))
    lowest = level if threshold == "show_at_least" else 0
    return QuantityRules(
        percent=draw(st.just(100) | st.integers(0, 100)),
        safety_stock=draw(st.integers(0, 4)),
        backorder_room=draw(st.integers(0, 4)) if backorders else 0,
        max_quantity=draw(st.none() | st.integers(lowest, lowest + 12)),
        **{threshold: level},
    )


def _called(draw: Draw, places: Sequence[Place]) -> frozenset[str]:
    """Name some places, each by its id or by its name."""
    return frozenset(draw(st.sampled_from([place.id, place.name])) for place in places)


def _pick(draw: Draw, places: Sequence[Place]) -> list[Place]:
    chosen = draw(_some([place.id for place in places]))
    return [place for place in places if place.id in chosen]


@st.composite
def merchants(
    draw: Draw, snapshot: InventorySnapshot, *, name_counted: bool = True, computed: bool = False
) -> MerchantSettings:
    """Draw settings of a merchant that fit the snapshot.

    Args:
        draw: Given by Hypothesis.
        snapshot: What was read.
        name_counted: Also draw merchants who name the counted warehouses one by one.
        computed: Only merchants whose bundles are computed from their parts.
    """
    mode: PerWarehouse | PerSalesChannel = PerSalesChannel()
    if snapshot.scope == "warehouse":
        places = snapshot.places
        disabled = _pick(draw, places) if draw(st.booleans()) else []
        active = [place for place in places if place.active and place not in disabled]
        counted = _called(draw, active) if name_counted and active and draw(_rarely(4)) else None
        mode = PerWarehouse(
            disabled=_called(draw, disabled),
            counted=counted,
            pooled_assembly=draw(_rarely(3)),
            preassembled_only=_called(draw, _pick(draw, places)) if draw(_rarely(3)) else (),
            clamp_each=draw(_rarely(3)),
        )
    refused = snapshot.bundles_include_buildable == "yes"
    ways = ["computed"] if computed else ["auto", "auto", "reported", *([] if refused else ["computed"])]
    return MerchantSettings(
        mode=mode,
        subtract_locked=draw(st.booleans()),
        ignore_inactive=not draw(_rarely(4)),
        bundle_quantities=draw(st.sampled_from(ways)),
    )


@st.composite
def carts(
    draw: Draw,
    snapshot: InventorySnapshot,
    *,
    named: bool = True,
    breakdowns: bool = True,
    mapped: bool = True,
    aliases: bool = True,
    rules: bool = True,
    backorders: bool = True,
    packs: bool = True,
) -> CartSettings:
    """Draw settings of a cart that fit the snapshot.

    Args:
        draw: Given by Hypothesis.
        snapshot: What was read.
        named: Also draw carts that name their warehouses; in sales-channel mode every cart names its channel.
        breakdowns: Also draw carts that ask for one row for each warehouse.
        mapped: Also draw breakdowns whose warehouses go to locations of the cart.
        aliases: Also draw carts that use an alias.
        rules: Also draw rules that change quantities.
        backorders: Also draw rules with room for backorders.
        packs: Also draw units of listings.
    """
    places = snapshot.places
    active = [place for place in places if place.active]
    location: str | tuple[str, ...] | None = None
    if snapshot.scope == "channel":
        location = draw(st.sampled_from(sorted(_called(draw, active))))
    elif named and active and draw(_rarely(3)):
        names = tuple(sorted(_called(draw, _pick(draw, active) or active[:1])))
        location = names[0] if len(names) == 1 and draw(st.booleans()) else names
    breakdown = breakdowns and snapshot.scope == "warehouse" and draw(_rarely(3))
    location_map: dict[str, str] = {}
    if breakdown and mapped and draw(st.booleans()):
        for place in _pick(draw, places):
            location_map[draw(st.sampled_from([place.id, place.name]))] = draw(st.sampled_from(["s1", "s2"]))
    skus = sorted({*(sku.master_sku for sku in snapshot.skus), *snapshot.levels.master_skus})
    overrides = {
        sku: SkuOverride(
            rules=draw(st.none() | quantity_rules(identity=not rules, backorders=backorders)),
            leave_out=_called(draw, _pick(draw, places)),
        )
        for sku in sorted(draw(_some(skus)) if draw(_rarely(3)) else ())
    }
    alias_names = sorted({alias.channel_id or alias.name for alias in snapshot.aliases})
    alias = draw(st.sampled_from(alias_names)) if aliases and alias_names and draw(st.booleans()) else None
    listings = skus if alias is None else list(_LISTINGS)
    return CartSettings(
        name="acme-us",
        alias=alias,
        location=location,
        breakdown=breakdown,
        rules=draw(quantity_rules(identity=not rules, backorders=backorders)),
        overrides=overrides,
        only=draw(_some(skus)) if draw(_rarely(8)) else None,
        exclude=draw(_some(skus)) if draw(_rarely(8)) else (),
        units={one: draw(st.integers(1, 4)) for one in sorted(draw(_some(listings)))}
        if packs and draw(_rarely(4))
        else {},
        location_map=location_map,
        respect_push_inventory=draw(_rarely(3)),
    )


def orders_in_flight(snapshot: InventorySnapshot) -> st.SearchStrategy[dict[str, int]]:
    """Draw orders that the snapshot has not seen, of products and bundles."""
    skus = sorted({*(sku.master_sku for sku in snapshot.skus), *(one.master_sku for one in snapshot.bundles)})
    return st.dictionaries(st.sampled_from(skus or ["none"]), st.integers(0, 5), max_size=3)


@st.composite
def cases(
    draw: Draw,
    /,
    *,
    channels: bool = True,
    trouble: bool = True,
    orders: bool = True,
    packs: bool = True,
    computed: bool = False,
    name_counted: bool = True,
    **cart: bool,
) -> Case:
    """Draw a whole case that fits together.

    Args:
        draw: Given by Hypothesis.
        channels: Also draw sales-channel mode.
        trouble: As for ``snapshots``.
        orders: Also draw orders in flight.
        packs: Also draw listings of several units.
        computed: Only draw bundles that are computed from their parts.
        name_counted: As for ``merchants``.
        cart: As for ``carts``.
    """
    scope = "channel" if channels and draw(_rarely(4)) else "warehouse"
    snapshot = draw(snapshots(scope=scope, trouble=trouble, packs=packs, computed=computed))
    return Case(
        snapshot=snapshot,
        merchant=draw(merchants(snapshot, name_counted=name_counted, computed=computed)),
        cart=draw(carts(snapshot, packs=packs, **cart)),
        orders=draw(orders_in_flight(snapshot)) if orders and draw(st.booleans()) else {},
    )
