"""The catalogue, looked over before the first push: codes alike, claims that collide, impossible bundles."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import attrs
from attrs import field, frozen

from omsync import checks
from omsync.allocation import allocate
from omsync.allocation.catalogue import Catalogue
from omsync.allocation.notices import few
from omsync.allocation.reasons import skip, words
from omsync.checks import counted, printable
from omsync.diagnosis.likeness import alike, how_they_differ, oddities, plain_form
from omsync.errors import SettingsError
from omsync.exchange import CartListing
from omsync.model import InventorySnapshot
from omsync.planning.lines import HINTS
from omsync.planning.table import aligned
from omsync.settings import CartSettings, MerchantSettings, PerSalesChannel, PerWarehouse

__all__ = ["Audit", "Finding", "audit"]

_TELL_APART = "Give them codes that differ in more than that, or make them one."
_IN_CART = {
    "untracked": "untracked_in_cart",
    "duplicate": "duplicate_in_cart",
    "unmanaged": "unmanaged_in_cart",
}


@frozen(kw_only=True)
class Finding:
    """One thing in a catalogue that a person should look at.

    Args:
        kind: A stable word, such as ``"sku_alike"``.
        severity: ``"wrong"``: something is not synced, or may be synced wrongly. ``"warning"``: look at it.
        codes: The master SKUs or listing SKUs concerned, sorted.
        message: What was found.
        remedy: What to do.
    """

    kind: str = field(validator=checks.text)
    severity: str = field(validator=checks.one_of("wrong", "warning"))
    codes: tuple[str, ...] = field(converter=checks.as_tuple)
    message: str = field(validator=checks.text)
    remedy: str = field(default="", validator=checks.any_text)


@frozen(kw_only=True, repr=False)
class Audit:
    """What was found in a catalogue, the worst first; iterate it, print it, or take it as JSON.

    Args:
        findings: What a person should look at.
        products: How many products were looked at.
        listings: How many aliases were looked at.
    """

    findings: tuple[Finding, ...] = field(converter=checks.as_tuple)
    products: int
    listings: int

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __repr__(self) -> str:
        return f"<Audit of {counted(self.products, 'product')}: {counted(len(self), 'finding')}>"

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong; there may be warnings."""
        return all(one.severity != "wrong" for one in self.findings)

    def of(self, kind: str) -> tuple[Finding, ...]:
        """Give the findings of a kind."""
        return tuple(one for one in self.findings if one.kind == kind)

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data."""
        return attrs.asdict(self)

    def to_json(self, *, indent: int | None = None) -> str:
        """Give ``to_data()`` as JSON."""
        return json.dumps(self.to_data(), indent=indent)

    def __str__(self) -> str:
        looked = f"{counted(self.products, 'product')} and {counted(self.listings, 'alias', 'aliases')}"
        if not self.findings:
            return f"{looked}: nothing to look at"
        counts = Counter(one.severity for one in self.findings)
        head = f"{looked}: " + ", ".join(
            f"{counts[kind]:,} {kind}" for kind in ("wrong", "warning") if counts[kind]
        )
        return "\n".join([printable(head), *aligned([(one.severity, one.message) for one in self.findings])])


def audit(
    snapshot: InventorySnapshot,
    *,
    merchant: MerchantSettings | None = None,
    cart: CartSettings | None = None,
    shown: Iterable[CartListing] | None = None,
) -> Audit:
    """Look a catalogue over before the first push. Pure: reads nothing, changes nothing.

    Args:
        snapshot: What the order manager has.
        merchant: How it is understood; None for the ordinary settings of the snapshot's mode.
        cart: With it, and ``shown``, the cart's listings are compared with what it is to be told.
        shown: What the cart shows, as its sink's ``read`` gives it; all its listings, where the cart can list
            them, so that those that only the cart has are found.

    Raises:
        SettingsError: One of ``cart`` and ``shown`` is missing; or the cart's settings do not fit what the
            order manager has.
    """
    if (cart is None) != (shown is None):
        raise SettingsError(
            "To hold a cart against the catalogue, omsync has to know its settings and what it shows",
            code="idle_argument",
            remedy="Give both cart= and shown=, such as shown=sink.read([]), or neither.",
        )
    if merchant is None:
        merchant = MerchantSettings(mode=PerSalesChannel() if snapshot.scope == "channel" else PerWarehouse())
    catalogue = Catalogue(snapshot, merchant, set(snapshot.levels.master_skus))
    findings = [*_products(snapshot), *_listings(snapshot, catalogue), *_bundles(snapshot, catalogue)]
    if cart is not None and shown is not None:
        findings += _in_cart(snapshot, merchant, cart, list(shown))
    return Audit(
        findings=sorted(findings, key=lambda one: (one.severity != "wrong", one.kind, one.codes)),
        products=len(snapshot.skus),
        listings=len(snapshot.aliases),
    )


def _products(snapshot: InventorySnapshot) -> Iterator[Finding]:
    codes = [sku.master_sku for sku in snapshot.skus]
    yield from _alike("sku_alike", "Master SKUs", codes)
    yield from _odd("sku_odd", "The master SKU", codes)
    recorded = set(snapshot.levels.master_skus)
    for sku in snapshot.skus:
        if sku.master_sku not in recorded or sku.digital or sku.kind == "virtual":
            continue
        if not sku.tracked:
            remedy = skip("untracked_product", sku.master_sku).hint
            text = f"{sku.master_sku} has stock records, and the order manager does not count it"
            yield Finding(
                kind="untracked_product",
                severity="wrong",
                codes=(sku.master_sku,),
                message=text,
                remedy=remedy,
            )
        elif not sku.active and any((level.on_hand or 0) > 0 for level in snapshot.levels.of(sku.master_sku)):
            remedy = skip("inactive_product", sku.master_sku).hint
            text = f"{sku.master_sku} has units on hand and is switched off"
            yield Finding(
                kind="inactive_with_stock",
                severity="warning",
                codes=(sku.master_sku,),
                message=text,
                remedy=remedy,
            )


def _listings(snapshot: InventorySnapshot, catalogue: Catalogue) -> Iterator[Finding]:
    known = {sku.master_sku for sku in snapshot.skus}
    by_name: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for alias in snapshot.aliases:
        if alias.active:
            by_name[alias.name][alias.listing_sku].add(alias.master_sku)
    for name, claims in sorted(by_name.items()):
        yield from _alike("listing_alike", f"Listings of {name}", claims)
        yield from _odd("listing_odd", f"{name}'s listing", claims)
        for listing_sku, masters in sorted(claims.items()):
            # What is switched off or unknown claims nothing: no cart is told of it.
            claiming = sorted(code for code in masters if catalogue.product_problem_anywhere(code) is None)
            if len(claiming) > 1:
                yield Finding(
                    kind="listing_of_two_products",
                    severity="wrong",
                    codes=(listing_sku, *claiming),
                    message=f"{name}'s listing {listing_sku} is claimed by {' and '.join(claiming)}",
                    remedy="Leave one of the listings in the order manager; omsync does not choose.",
                )
            strange = sorted(masters - known)
            if strange:
                near = {plain_form(code): code for code in known}
                like = [near[plain_form(code)] for code in strange if plain_form(code) in near]
                yield Finding(
                    kind="listing_of_unknown_product",
                    severity="wrong",
                    codes=(listing_sku, *strange),
                    message=f"{name}'s listing {listing_sku} stands for {', '.join(strange)}, which is no "
                    f"product{f'; there is {few(like)}' if like else ''}",
                    remedy="Correct the alias in the order manager, or read again.",
                )


def _bundles(snapshot: InventorySnapshot, catalogue: Catalogue) -> Iterator[Finding]:
    recorded = set(snapshot.levels.master_skus)
    named = {bundle.master_sku for bundle in snapshot.bundles}
    named |= {sku.master_sku for sku in snapshot.skus if sku.kind == "bundle"}
    for master_sku in sorted(named):
        if catalogue.product_problem_anywhere(master_sku) is not None:
            continue
        problem = catalogue.bundle_problem(master_sku)
        if problem is not None:
            reason, about = problem
            text = f"The bundle {master_sku}: {words(reason)} ({about})"
            remedy = skip(reason, master_sku, about=about).hint
            yield Finding(kind=reason, severity="wrong", codes=(master_sku,), message=text, remedy=remedy)
        if master_sku not in recorded:
            reason = "bundle_without_stock_record"
            remedy = skip(reason, master_sku).hint
            yield Finding(
                kind=reason,
                severity="wrong",
                codes=(master_sku,),
                message=f"The bundle {master_sku} has no stock record, so it is not synced",
                remedy=remedy,
            )


def _in_cart(
    snapshot: InventorySnapshot, merchant: MerchantSettings, cart: CartSettings, shown: list[CartListing]
) -> Iterator[Finding]:
    allocation = allocate(snapshot, merchant, cart)
    wanted = {quantity.listing_sku for quantity in allocation.quantities}
    known = wanted | {one.listing_sku for one in allocation.skipped if one.listing_sku is not None}
    there = {listing.listing_sku for listing in shown}
    missing, extra = sorted(wanted - there), sorted(there - known)
    by_form = defaultdict(list)
    for code in extra:
        by_form[plain_form(code)].append(code)
    for code in missing:
        for like in by_form.get(plain_form(code), ()):
            yield Finding(
                kind="cart_alike",
                severity="wrong",
                codes=(code, like),
                message=f"{cart.name} has {like!r} and not {code!r}: they differ in "
                f"{how_they_differ(code, like)}",
                remedy="Make the two codes equal, in the cart or in the order manager.",
            )
    if missing:
        yield Finding(
            kind="only_in_order_manager",
            severity="warning",
            codes=tuple(missing),
            message=f"{counted(len(missing), 'listing')} that {cart.name} does not have: {few(missing)}",
            remedy=HINTS["not_in_cart"],
        )
    if extra:
        yield Finding(
            kind="only_in_cart",
            severity="warning",
            codes=tuple(extra),
            message=f"{counted(len(extra), 'listing')} that only {cart.name} has: {few(extra)}",
            remedy="They keep what they show. Add an alias for each in the order manager to sync it.",
        )
    for state, reason in _IN_CART.items():
        codes = sorted({one.listing_sku for one in shown if one.state == state and one.listing_sku in wanted})
        if codes:
            text = f"{counted(len(codes), 'listing')}: {words(reason)}: {few(codes)}"
            yield Finding(
                kind=reason, severity="wrong", codes=tuple(codes), message=text, remedy=HINTS[reason]
            )


def _alike(kind: str, what: str, codes: Iterable[str]) -> Iterator[Finding]:
    for group in alike(codes):
        text = f"{what} that differ only in {how_they_differ(*group)}: {', '.join(map(repr, group))}"
        yield Finding(kind=kind, severity="warning", codes=group, message=text, remedy=_TELL_APART)


def _odd(kind: str, what: str, codes: Collection[str]) -> Iterator[Finding]:
    for code in sorted(set(codes)):
        odd = oddities(code)
        if odd:
            text = f"{what} {code!r} has {' and '.join(odd)}"
            remedy = "Correct it where it was typed; codes are compared sign by sign."
            yield Finding(kind=kind, severity="warning", codes=(code,), message=text, remedy=remedy)
