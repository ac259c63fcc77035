"""The listings of a cart, as columns: a million of them share a few lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from omsync.allocation.groundwork import Groundwork
from omsync.allocation.listings import Wanted, aliases_of, sort_out
from omsync.allocation.reasons import Skip, skip
from omsync.settings import CartSettings

__all__ = ["Listings", "listings_of"]


@frozen(kw_only=True, eq=False, repr=False)
class Listings:
    """Listings that want a quantity, sorted by their code.

    Args:
        listing_skus: The cart's code of each.
        master_skus: The product of each.
        units: Units of the product in one piece of each.
    """

    listing_skus: Sequence[str]
    master_skus: Sequence[str]
    units: Sequence[int]

    def __len__(self) -> int:
        return len(self.listing_skus)

    def one(self, number: int) -> Wanted:
        """Give a single listing."""
        return Wanted(
            listing_sku=self.listing_skus[number],
            master_sku=self.master_skus[number],
            units=self.units[number],
        )

    def only(self, chosen: Sequence[int]) -> Listings:
        """Give some of them, in order, by their numbers."""
        return Listings(
            listing_skus=[self.listing_skus[number] for number in chosen],
            master_skus=[self.master_skus[number] for number in chosen],
            units=[self.units[number] for number in chosen],
        )


def listings_of(groundwork: Groundwork, cart: CartSettings) -> tuple[Listings, list[Skip]]:
    """Give the listings of eligible products, and what is skipped before quantities are looked at.

    Raises:
        SettingsError: As ``aliases_of``.
    """
    if cart.alias is None:
        return _by_master_sku(groundwork, cart)
    aliases = aliases_of(groundwork.snapshot, cart, groundwork.aliases.get(cart.alias, ()))
    problems = _problems(groundwork, cart)
    unknown = {alias.master_sku for alias in aliases if alias.master_sku not in groundwork.numbers}
    problems |= dict.fromkeys(unknown, "unknown_product")
    eligible = [alias for alias in aliases if alias.master_sku not in problems] if problems else aliases
    # Most codes are claimed once, and then there is nothing to choose between.
    claims = Counter(alias.listing_sku for alias in eligible)
    plain = [
        alias
        for alias in eligible
        if claims[alias.listing_sku] == 1
        and alias.active
        and (alias.push_inventory or not cart.respect_push_inventory)
    ]
    taken = {alias.listing_sku for alias in plain}
    chosen, skips = sort_out((alias for alias in eligible if alias.listing_sku not in taken), cart)
    rows = [
        (alias.listing_sku, alias.master_sku, cart.units.get(alias.listing_sku, alias.units))
        for alias in plain
    ]
    rows += [(one.listing_sku, one.master_sku, one.units) for one in chosen]
    rows.sort()
    aliased: dict[str, set[str]] = {sku: set() for sku in problems}
    for alias in aliases if problems else ():
        if alias.master_sku in aliased:
            aliased[alias.master_sku].add(alias.listing_sku)
    for sku, reason in problems.items():
        skips += [skip(reason, sku, listing) for listing in sorted(aliased[sku])] or [skip(reason, sku)]
    without = groundwork.numbers.keys() - {alias.master_sku for alias in aliases} - problems.keys()
    skips += [skip("no_alias", sku, about=repr(cart.alias)) for sku in without]
    listing_skus, master_skus, units = zip(*rows, strict=True) if rows else ((), (), ())
    return Listings(listing_skus=listing_skus, master_skus=master_skus, units=units), skips


def _by_master_sku(groundwork: Groundwork, cart: CartSettings) -> tuple[Listings, list[Skip]]:
    problems = _problems(groundwork, cart)
    skus = sorted(groundwork.numbers.keys() - problems.keys())
    units = [cart.units.get(sku, 1) for sku in skus] if cart.units else [1] * len(skus)
    listings = Listings(listing_skus=skus, master_skus=skus, units=units)
    return listings, [skip(reason, sku, sku) for sku, reason in problems.items()]


def _problems(groundwork: Groundwork, cart: CartSettings) -> dict[str, str]:
    """Give the reasons of the products that get no quantity in this cart, by master SKU."""
    problems = dict(groundwork.problems)
    for sku in cart.exclude:
        if sku in groundwork.numbers:
            problems.setdefault(sku, "excluded")
    if cart.only is not None:
        for sku in groundwork.numbers.keys() - cart.only:
            problems.setdefault(sku, "not_in_only")
    return problems
