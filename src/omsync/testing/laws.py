"""The laws of allocation, as plain functions that anybody's engine can be held to.

An engine is anything with ``allocate``'s signature. A law takes the engine and a case, and raises
``AssertionError`` in words when the engine breaks it. ``ALLOCATION_LAWS`` knows every law by name, with the
strategy that draws what the law wants; ``prove`` runs them. Needs ``omsync[testing]``::

    def test_my_engine_keeps_the_laws() -> None:
        prove(my_engine)

Each law has an engine in ``omsync.testing.broken`` that it catches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import evolve, frozen
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from omsync.allocation import ListingQuantity
from omsync.model import Bundle, Component, Sku, StockLevel
from omsync.settings import SkuOverride
from omsync.testing.case import Case, features
from omsync.testing.engine import Allocated, Engine
from omsync.testing.figures import figure_changes
from omsync.testing.law_cases import (
    with_a_bundle,
    with_a_part,
    with_a_warehouse,
    with_another_order,
    with_more_stock,
)
from omsync.testing.strategies import cases

__all__ = ["ALLOCATION_LAWS", "Allocated", "Engine", "Law", "prove"]

Told = Mapping[tuple[str, str | None], int]


# The laws


def never_negative(engine: Engine, case: Case) -> None:
    """Every quantity is a whole number from 0."""
    for row in case.allocated_by(engine).quantities:
        _want(type(row.quantity) is int and row.quantity >= 0, f"{_name(row)} is told {row.quantity!r}")


def nothing_is_silent(engine: Engine, case: Case) -> None:
    """Every product has a quantity, or a reason why it has none."""
    allocation = case.allocated_by(engine)
    answered = {row.master_sku for row in allocation.quantities}.union(
        one.master_sku for one in allocation.skipped
    )
    silent = {sku.master_sku for sku in case.snapshot.skus} - answered
    _want(not silent, f"neither told nor skipped: {sorted(silent)}")


def shows_what_is_held(engine: Engine, case: Case) -> None:
    """Each listing of a plain product shows what is held, netted over the counted locations, once.

    For combining carts without rules and without orders in flight.
    """
    for row in case.allocated_by(engine).quantities:
        if row.master_sku in case.parts:
            continue
        held = case.held(row.master_sku)
        expected = max(0, held // row.units)
        _want(
            row.quantity == expected,
            f"{_name(row)} is told {row.quantity}; {held} units are held at the counted locations, "
            f"{row.units} in a piece, that makes {expected}",
        )


def more_stock_never_lowers(engine: Engine, case: Case, richer: Case) -> None:
    """A figure that rises lowers no quantity; ``richer`` is the case with a higher figure."""
    before, after = _told(case.allocated_by(engine)), _told(richer.allocated_by(engine))
    for key, quantity in before.items():
        now = after.get(key)
        _want(now is not None and now >= quantity, f"{key} goes from {quantity} to {now} with more stock")


def input_order_never_matters(engine: Engine, case: Case, shuffled: Case) -> None:
    """The same reading in another order gives the same; ``shuffled`` is that reading."""
    one, other = case.allocated_by(engine), shuffled.allocated_by(engine)
    _want_same(_told(one), _told(other), "in another order")
    _want(set(one.skipped) == set(other.skipped), "other products are skipped in another order")


def disabling_is_deleting(engine: Engine, case: Case, location_id: str) -> None:
    """A disabled warehouse might as well not exist.

    For carts that combine; for every product that, with its parts, is still recorded at a counted location,
    when the ordered products are.
    """
    disabled = case.with_mode(disabled=case.mode.disabled | {location_id})
    deleted = disabled.without(location_id)

    def stands(master_sku: str) -> bool:
        behind = {master_sku, *case.written_out(master_sku)}
        return deleted.is_recorded(behind, deleted.counted(master_sku))

    if all(stands(sku) for sku, units in case.orders.items() if units):
        one, other = (
            _told(each.allocated_by(engine), lambda row: stands(row.master_sku))
            for each in (disabled, deleted)
        )
        _want_same(one, other, f"when {location_id!r} is deleted instead of disabled")


def percent_100_is_the_identity(engine: Engine, case: Case, percent: int) -> None:
    """Without rules, 100 percent is what there is, and any percent is its share of that, rounded down.

    For carts without rules and without sums of breakdown rows.
    """
    case = case.with_cart(overrides={})
    whole = _told(case.allocated_by(engine))
    for share in (100, percent):
        shared = evolve(case.cart.rules, percent=share)
        told = _told(case.with_cart(rules=shared).allocated_by(engine))
        for key, quantity in whole.items():
            expected = quantity * share // 100
            _want(told.get(key) == expected, f"{key}: {share} % of {quantity} is told as {told.get(key)}")


def zero_below_gives_0_or_the_value(engine: Engine, case: Case) -> None:
    """With ``zero_below`` a quantity is 0 or what it would be without; only what is strictly below is 0.

    For carts without sums of breakdown rows.
    """
    without = _told(case.with_rules(lambda rules: evolve(rules, zero_below=0)).allocated_by(engine))
    for row in case.allocated_by(engine).quantities:
        rules, value = case.rules_of(row.master_sku), without.get((row.listing_sku, row.location_id), 0)
        allowed = {0, value}
        if value >= rules.zero_below:
            allowed = {value}
        elif rules.max_quantity is None:
            # With a maximum, the value may have been above the threshold when that applied.
            allowed = {0}
        _want(
            row.quantity in allowed,
            f"{_name(row)} is told {row.quantity}; without zero_below={rules.zero_below} it is {value}",
        )


def bundle_of_one_part_is_the_part(engine: Engine, case: Case, part: str) -> None:
    """A bundle of one plain part, needed once, recorded wherever the part is, shows what the part shows.

    For computed bundles, carts by master SKU, and warehouses that all build. Without room for backorders,
    which tells a debt, that a part can have and a bundle that could be built cannot, from nothing.
    """
    single, snapshot = f"ONE {part}", case.snapshot
    records = [
        StockLevel(master_sku=single, location_id=level.location_id, available=0)
        for level in snapshot.levels.of(part)
    ]
    overrides = {**case.cart.overrides, single: case.cart.overrides.get(part, SkuOverride())}
    with_bundle = evolve(
        case.with_cart(overrides=overrides, only=None),
        snapshot=evolve(
            snapshot,
            skus=(*snapshot.skus, Sku(master_sku=single, kind="bundle")),
            bundles=(*snapshot.bundles, Bundle(master_sku=single, components=[Component(master_sku=part)])),
            levels=[*snapshot.levels, *records],
        ),
    )
    told = _told(with_bundle.allocated_by(engine))
    for (listing, location), quantity in told.items():
        if listing == part:
            bundled = told.get((single, location))
            _want(
                bundled == quantity,
                f"{part!r} at {location!r} shows {quantity}, the bundle of it shows {bundled}",
            )


def nested_is_flattened(engine: Engine, case: Case) -> None:
    """With nothing pre-assembled, kits within kits show what their single parts, written out, would.

    For computed bundles, in a catalogue without mistakes.
    """
    kits = case.parts
    empty = case.with_levels(
        lambda level: (
            StockLevel(master_sku=level.master_sku, location_id=level.location_id, available=0)
            if level.master_sku in kits
            else level
        )
    )
    bundles = [
        Bundle(
            master_sku=kit,
            components=[
                Component(master_sku=single, quantity=need) for single, need in case.written_out(kit).items()
            ],
        )
        for kit in kits
    ]
    flat = evolve(empty, snapshot=evolve(empty.snapshot, bundles=bundles))
    _want_same(
        _told(empty.allocated_by(engine)),
        _told(flat.allocated_by(engine)),
        "when written out in single parts",
    )


def preassembled_adds_exactly_once(engine: Engine, case: Case, bundle: str, units: int) -> None:
    """Units of a bundle on the shelf are added to what its parts make, once.

    For computed bundles, carts by master SKU without rules and packs, and no orders in flight.
    """

    def told_with(each: int) -> Told:
        shelved = case.with_levels(
            lambda level: (
                StockLevel(master_sku=bundle, location_id=level.location_id, available=each)
                if level.master_sku == bundle
                else level
            )
        )
        return _told(shelved.allocated_by(engine), lambda row: row.master_sku == bundle)

    recorded = {level.location_id for level in case.snapshot.levels.of(bundle)} & case.counted(bundle)
    built, told = told_with(0), told_with(units)
    for (listing, location), quantity in built.items():
        shelf = units * (len(recorded) if location is None else location in recorded)
        now = told.get((listing, location))
        _want(
            now == quantity + shelf,
            f"{listing!r} at {location!r}: {quantity} built and {shelf} on the shelf are told as {now}",
        )


def pooled_is_never_less(engine: Engine, case: Case) -> None:
    """Bringing parts together makes at least as many bundles as each warehouse does by itself."""
    apart, pooled = (_told(case.with_mode(pooled_assembly=way).allocated_by(engine)) for way in (False, True))
    for key, quantity in apart.items():
        _want(pooled.get(key, -1) >= quantity, f"{key}: {quantity} per warehouse, pooled {pooled.get(key)}")


def explanation_gives_the_quantity(engine: Engine, case: Case) -> None:
    """The explanation of a quantity evaluates to it."""
    allocation = case.allocated_by(engine)
    for row in allocation.quantities:
        explanation = allocation.explain(row.listing_sku, row.location_id)
        _want(
            explanation.evaluate() == explanation.quantity == row.quantity,
            f"{_name(row)} is told {row.quantity}; its explanation says {explanation.quantity} and "
            f"evaluates to {explanation.evaluate()}",
        )


def explanation_follows_every_figure(engine: Engine, case: Case, pick: int, figure: int, change: int) -> None:
    """Changing a figure in an explanation changes its result as the engine would.

    ``pick`` chooses a quantity, ``figure`` one of its figures, and ``change`` is added to that.
    """
    allocation = case.allocated_by(engine)
    if not allocation.quantities:
        return
    row = allocation.quantities[pick % len(allocation.quantities)]
    explanation = allocation.explain(row.listing_sku, row.location_id)
    changes = figure_changes(case, row, explanation, change)
    changed = changes[figure % len(changes)]
    told = _told(changed.case.allocated_by(engine)).get((row.listing_sku, row.location_id))
    _want(
        changed.explanation.evaluate() == told,
        f"{_name(row)} is told {row.quantity}; with {changed.what} changed by {change} the engine tells "
        f"{told} and the explanation evaluates to {changed.explanation.evaluate()}",
    )


@frozen(kw_only=True)
class Law:
    """One law, with what it wants.

    Args:
        check: Called with the engine and what is drawn; raises ``AssertionError``.
        arguments: Draws everything but the engine, as a tuple; a ``Case`` comes first.
    """

    check: Callable[..., None]
    arguments: st.SearchStrategy[tuple[Any, ...]]

    @property
    def statement(self) -> str:
        """The law in one line."""
        return (self.check.__doc__ or "").partition("\n")[0]


ALLOCATION_LAWS: Mapping[str, Law] = {
    check.__name__: Law(check=check, arguments=arguments)
    for check, arguments in (
        (never_negative, st.tuples(cases())),
        (nothing_is_silent, st.tuples(cases())),
        (shows_what_is_held, st.tuples(cases(breakdowns=False, rules=False, orders=False))),
        (more_stock_never_lowers, with_more_stock()),
        (input_order_never_matters, with_another_order()),
        (disabling_is_deleting, with_a_warehouse()),
        (
            percent_100_is_the_identity,
            st.tuples(cases(mapped=False, rules=False), st.integers(0, 100)),
        ),
        (zero_below_gives_0_or_the_value, st.tuples(cases(mapped=False))),
        (bundle_of_one_part_is_the_part, with_a_part()),
        (nested_is_flattened, st.tuples(cases(channels=False, computed=True, trouble=False))),
        (preassembled_adds_exactly_once, with_a_bundle()),
        (pooled_is_never_less, st.tuples(cases(channels=False, breakdowns=False, computed=True))),
        (explanation_gives_the_quantity, st.tuples(cases())),
        (
            explanation_follows_every_figure,
            st.tuples(
                cases(), st.integers(0, 99), st.integers(0, 99), st.sampled_from([-9, -2, -1, 1, 2, 9])
            ),
        ),
    )
}
"""Every law of allocation, by name."""


def prove(
    engine: Engine, *, laws: Iterable[str] | None = None, examples: int = 100, shrink: bool = True
) -> None:
    """Hold an engine to the laws, on drawn cases; the same cases every time.

    Args:
        engine: Anything with ``allocate``'s signature.
        laws: The names of the laws; None for all.
        examples: How many cases to draw for each law.
        shrink: Look for the smallest case that breaks the law; takes a while.

    Raises:
        AssertionError: The engine breaks a law; says which, and where.
    """
    for name in ALLOCATION_LAWS if laws is None else laws:
        _prove(engine, name, examples, shrink=shrink)


def _prove(engine: Engine, name: str, examples: int, *, shrink: bool) -> None:
    law = ALLOCATION_LAWS[name]

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
    )
    @given(law.arguments)
    def hold(arguments: tuple[Any, ...]) -> None:
        for feature in sorted(features(arguments[0])):
            event(feature)
        law.check(engine, *arguments)

    try:
        hold()
    except AssertionError as broken:
        raise AssertionError(f"The law {name} is broken. {law.statement}\n{broken}") from broken


def _told(allocation: Allocated, concerns: Callable[[ListingQuantity], bool] = lambda _: True) -> Told:
    told: dict[tuple[str, str | None], int] = {}
    for row in allocation.quantities:
        key = (row.listing_sku, row.location_id)
        _want(key not in told, f"{_name(row)} is told twice")
        if concerns(row):
            told[key] = row.quantity
    return told


def _want(truth: bool, message: str) -> None:
    if not truth:
        raise AssertionError(message)


def _want_same(one: Told, other: Told, when: str) -> None:
    differ = [key for key in sorted({*one, *other}, key=str) if one.get(key) != other.get(key)]
    _want(
        not differ,
        ", ".join(f"{key} goes from {one.get(key)} to {other.get(key)}" for key in differ) + f" {when}",
    )


def _name(row: ListingQuantity) -> str:
    where = "" if row.location_id is None else f" at {row.location_id!r}"
    return f"{row.listing_sku!r}{where} ({row.master_sku!r})"
