"""The component view: for everything that is stocked, what listings promise of it against what is held.

A part that several listings share is promised by each of them, so more is promised than there is: that is
how shared stock is sold, and the view shows by how much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from attrs import field, frozen

from omsync import checks
from omsync.allocation import Allocation, ListingQuantity
from omsync.allocation.availability import available
from omsync.allocation.building import recipe_of, spread_orders
from omsync.allocation.workbench import Workbench
from omsync.checks import counted, shown
from omsync.errors import InvalidValueError, NoExplanationError, WrongTypeError
from omsync.planning import SyncPlan
from omsync.views.page import Page
from omsync.views.rendered import Rendered

__all__ = ["ComponentRow", "ComponentView", "Use", "component_view"]


@frozen(kw_only=True)
class Use:
    """One listing that promises units of a component.

    Args:
        cart: The cart.
        listing_sku: The cart's code.
        location_id: The cart's location, or None.
        quantity: Pieces that it shows.
        each: Units of the component in one piece, with all kits taken apart.
    """

    cart: str
    listing_sku: str
    location_id: str | None
    quantity: int
    each: int

    @property
    def units(self) -> int:
        """Units that it takes when all its pieces are built from parts and sold."""
        return self.quantity * self.each


@frozen(kw_only=True)
class ComponentRow:
    """One product, as all listings together promise it.

    Args:
        master_sku: The product.
        name: What a person calls it.
        held: Units that may be sold at the counted locations, signed, less those in orders in flight; None
            where that is not reported.
        promised: Units that are taken when every listing sells all that it shows; bundles take their shelf
            units first, then their parts.
        uses: The listings that promise it, the largest first.
    """

    master_sku: str
    name: str
    held: int | None
    promised: int
    uses: tuple[Use, ...] = field(default=(), converter=checks.as_tuple)

    @property
    def ratio(self) -> float | None:
        """How many times over it is promised; None where nothing is held, or nobody knows."""
        return self.promised / self.held if self.held is not None and self.held > 0 else None

    @property
    def is_over(self) -> bool:
        """Whether more is promised than held."""
        return self.promised > max(0, self.held or 0)


@frozen(kw_only=True, repr=False)
class ComponentView(Rendered):
    """What is promised of every product against what is held, the most promised first. Iterate or print it.

    Args:
        merchant: The merchant's name.
        carts: The carts whose listings are counted.
        rows: Every product that is promised or held.
        taken_at: When the figures were read, as ISO 8601.
    """

    merchant: str
    carts: tuple[str, ...] = field(converter=checks.as_tuple)
    rows: tuple[ComponentRow, ...] = field(converter=checks.as_tuple)
    taken_at: str

    def __iter__(self) -> Iterator[ComponentRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        over = sum(row.is_over for row in self.rows)
        return f"<ComponentView of {counted(len(self), 'product')}, {over:,} promised more than once>"

    def of(self, master_sku: str) -> ComponentRow | None:
        """Give one product; None where it is neither promised nor held."""
        return next((row for row in self.rows if row.master_sku == master_sku), None)

    def page(self) -> Page:
        """Lay out what is promised against what is held, and the most promised drawn."""
        from omsync.views.components_page import page_of_components

        return page_of_components(self)


def component_view(given: Allocation | SyncPlan, *others: Allocation | SyncPlan) -> ComponentView:
    """Show what the listings of one cart, or of several of a merchant, promise against what is held.

    Args:
        given: A cart's allocation, or its plan where that was made in this process. Listings that the plan
            did not find in the cart promise nothing.
        others: Those of the merchant's other carts, from the same reading.

    Raises:
        NoExplanationError: ``code="not_carried"``: a plan came from elsewhere, without its figures.
        InvalidValueError: They are not of one merchant and one reading, or of several sales channels.
    """
    allocations = [_allocation(one) for one in (given, *others)]
    absent = [_not_in_cart(one) for one in (given, *others)]
    first = allocations[0]
    if any((one.merchant, one.taken_at) != (first.merchant, first.taken_at) for one in allocations):
        raise InvalidValueError("The allocations of a component view are of one merchant and one reading")
    bench = first.workbench
    if len(allocations) > 1 and bench.snapshot.scope == "channel":
        raise InvalidValueError(
            "In sales-channel mode the channels show the same stock, so what they hold cannot be added up",
            remedy="Look at the components of one cart at a time.",
        )
    wanted: defaultdict[str, int] = defaultdict(int)
    uses: defaultdict[str, list[Use]] = defaultdict(list)
    needs = _Needs(bench.parts)
    for one, missing in zip(allocations, absent, strict=True):
        for row in one.quantities:
            if (row.listing_sku, row.location_id) in missing:
                continue
            wanted[row.master_sku] += row.quantity * row.units
            for sku, each in needs.of(row.master_sku).items():
                uses[sku].append(_use(one.cart, row, each))
    held = _held(allocations)
    ordered = _ordered(allocations)
    order = recipe_of([*wanted, *held, *ordered], bench.parts).order
    for sku, units in spread_orders(ordered, order, bench.parts, _shelf(held, bench.parts)).items():
        known = held.get(sku)
        if known is not None:
            held[sku] = known - units
    promised = spread_orders(wanted, order, bench.parts, _shelf(held, bench.parts))
    rows = [
        ComponentRow(
            master_sku=sku,
            name=bench.catalogue.skus[sku].name if sku in bench.catalogue.skus else "",
            held=held.get(sku),
            promised=promised.get(sku, 0),
            uses=sorted(
                (one for one in uses.get(sku, ()) if one.units), key=lambda one: (-one.units, one.listing_sku)
            ),
        )
        for sku in {*promised, *held}
    ]
    return ComponentView(
        merchant=first.merchant,
        carts=[one.cart for one in allocations],
        rows=sorted(rows, key=_most_promised_first),
        taken_at=first.taken_at,
    )


def _allocation(given: object) -> Allocation:
    if isinstance(given, SyncPlan):
        given = given._allocation  # noqa: SLF001  the plan hides it from its own value, not from views
        if given is None:
            raise NoExplanationError(
                "This plan came from elsewhere and carries no figures of components",
                code="not_carried",
                remedy="Look at the components where the plan was made, or plan again.",
            )
    if not isinstance(given, Allocation):
        raise WrongTypeError(f"component_view() wants allocations or plans, not {shown(given)}")
    return given


def _not_in_cart(given: Allocation | SyncPlan) -> set[tuple[str, str | None]]:
    """Give the listings that a plan found not to be there: they sell nothing, so they promise nothing."""
    lines = given.lines if isinstance(given, SyncPlan) else ()
    return {line.key for line in lines if line.reason == "not_in_cart"}


def _use(cart: str, row: ListingQuantity, each: int) -> Use:
    return Use(
        cart=cart,
        listing_sku=row.listing_sku,
        location_id=row.location_id,
        quantity=row.quantity,
        each=each * row.units,
    )


class _Needs:
    """Units of everything in one piece of a product, kits taken apart; each product is looked up once."""

    def __init__(self, parts: Mapping[str, Mapping[str, int]]) -> None:
        self._parts = parts
        self._known: dict[str, Mapping[str, int]] = {}

    def of(self, master_sku: str) -> Mapping[str, int]:
        if master_sku not in self._known:
            needs = {master_sku: 1}
            for sku in recipe_of([master_sku], self._parts).order:
                for part, each in self._parts.get(sku, {}).items():
                    needs[part] = needs.get(part, 0) + needs[sku] * each
            self._known[master_sku] = needs
        return self._known[master_sku]


def _held(allocations: list[Allocation]) -> dict[str, int | None]:
    """Add up what may be sold of each product wherever one of the carts counts it."""
    bench: Workbench = allocations[0].workbench
    places = {choice.id for one in allocations for choice in one.workbench.choices if choice.counted}
    held: dict[str, int | None] = {}
    for sku in bench.snapshot.levels.master_skus:
        figures = [
            available(level, subtract_locked=bench.merchant.subtract_locked)
            for level in bench.snapshot.levels.of(sku)
            if level.location_id in places
        ]
        if figures:
            known = [figure for figure in figures if figure is not None]
            held[sku] = sum(known) if len(known) == len(figures) else None
    return held


def _ordered(allocations: list[Allocation]) -> dict[str, int]:
    """Give the units in orders that the reading has not seen; each cart of a merchant is told the same."""
    ordered: dict[str, int] = {}
    for one in allocations:
        for sku, units in one.workbench.given_orders.items():
            ordered[sku] = max(units, ordered.get(sku, 0))
    return ordered


def _shelf(held: Mapping[str, int | None], bundles: Iterable[str]) -> dict[str, int]:
    return {sku: held.get(sku) or 0 for sku in bundles}


def _most_promised_first(row: ComponentRow) -> tuple[bool, float, int, str]:
    ratio = row.ratio
    endless = row.promised > 0 and ratio is None
    return not endless, -(ratio or 0), -row.promised, row.master_sku
