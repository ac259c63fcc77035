"""The parts of two readings that hold no figures: aliases and what bundles are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from omsync.comparison.bundles import Side
from omsync.comparison.findings import Findings
from omsync.model import Bundle, InventorySnapshot

__all__ = ["compare_aliases", "compare_bundles"]

Claims = dict[tuple[str, str], set[tuple[str, int]]]
"""By alias name and listing SKU: the products it stands for, with the units in one piece; one, usually."""


def compare_aliases(
    findings: Findings, a: InventorySnapshot, b: InventorySnapshot, both: Iterable[str]
) -> None:
    """Compare the active aliases, by alias name and listing SKU.

    An alias of a product that the other does not have at all is told with the product.
    """
    shared = set(both)
    first, second = _claims(a), _claims(b)
    for name, listing_sku in sorted(first.keys() | second.keys()):
        claims = first.get((name, listing_sku), set()), second.get((name, listing_sku), set())
        what, values = f"{listing_sku} of {name!r}", (_products(claims[0]), _products(claims[1]))
        about = {"listing_sku": listing_sku, "sku": min(claims[0] or claims[1])[0]}
        if claims[0] and claims[1]:
            sentence = f"{what} is {values[0]} in {findings.names[0]} and {values[1]} in {findings.names[1]}"
            findings.agree(claims[0] == claims[1], "alias_differs", *values, sentence, **about)
        elif any(master_sku in shared for master_sku, _ in claims[0] or claims[1]):
            side = 0 if claims[0] else 1
            sentence = f"{what} is an alias of {values[side]} in {findings.names[side]} only"
            findings.differ(f"alias_only_in_{'ab'[side]}", *values, sentence, **about)


def compare_bundles(findings: Findings, sides: tuple[Side, Side], both: Iterable[str]) -> None:
    """Compare what bundles are made of, and tell how the figures of bundles were compared.

    A source that knows of no bundles at all, as Integration Manager, is not blamed for each of them.
    """
    parts = [{one.master_sku: _parts(one) for one in side.snapshot.bundles} for side in sides]
    shared = set(both)
    for side, other in ((0, 1), (1, 0)):
        name, other_name = findings.names[side], findings.names[other]
        if not parts[other]:
            findings.notice(
                "bundles_not_compared",
                f"{other_name} knows of no bundles, so their parts were not compared",
                list(parts[side]),
            )
        done = {sku for sku, _ in sides[side].worked_out}
        here = sides[side].bundles & shared
        findings.notice(
            "bundles_worked_out",
            f"what the parts of these make was added to {name}'s shelf units, since {other_name} counts it; "
            "their units on hand were not compared",
            list(here & done),
        )
        findings.notice(
            "bundles_left_out",
            f"what the parts of these make cannot be worked out from {name}, so they were not compared",
            [sku for sku in here - done if sku in sides[side].snapshot.levels],
        )
    if parts[0] and parts[1]:
        for master_sku in sorted(parts[0].keys() | parts[1].keys()):
            _compare_bundle(findings, master_sku, parts[0].get(master_sku), parts[1].get(master_sku))


def _compare_bundle(findings: Findings, master_sku: str, first: str | None, second: str | None) -> None:
    names = findings.names
    if first is not None and second is not None:
        sentence = f"{master_sku} is made of {first} in {names[0]}, of {second} in {names[1]}"
        findings.agree(first == second, "bundle_differs", first, second, sentence, sku=master_sku)
        return
    side = 1 if first is None else 0
    sentence = f"{master_sku} is a bundle, of {first or second}, in {names[side]} only"
    findings.differ(f"bundle_only_in_{'ab'[side]}", first, second, sentence, sku=master_sku)


def _claims(snapshot: InventorySnapshot) -> Claims:
    claims: Claims = {}
    for alias in snapshot.aliases:
        if alias.active:
            products = claims.setdefault((alias.name, alias.listing_sku), set())
            products.add((alias.master_sku, alias.units))
    return claims


def _products(claims: set[tuple[str, int]]) -> str | None:
    return " and ".join(sku if units == 1 else f"{units} {sku}" for sku, units in sorted(claims)) or None


def _parts(bundle: Bundle) -> str:
    needs: Counter[str] = Counter()
    for component in bundle.components:
        needs[component.master_sku] += component.quantity
    return ", ".join(f"{need} {sku}" for sku, need in sorted(needs.items())) or "nothing"
