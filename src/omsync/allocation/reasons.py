"""Why something is skipped: one stable code each, the words of a report, and what to do about it."""

from __future__ import annotations

from attrs import frozen

__all__ = ["REASONS", "Notice", "Skip", "skip", "words"]

REASONS: dict[str, tuple[str, str]] = {
    "unknown_product": (
        "unknown product",
        (
            "{sku} has a stock record, an alias or parts, but the order manager lists no such product; "
            "read again, or correct the alias."
        ),
    ),
    "virtual_product": (
        "virtual product",
        "{sku} only groups variations; nothing is sold under it. Nothing to do.",
    ),
    "digital_product": ("digital product", "{sku} is digital and has no stock. Nothing to do."),
    "untracked_product": (
        "untracked product",
        "{sku} is not counted by the order manager; switch its tracking on there to sync it.",
    ),
    "inactive_product": (
        "inactive product",
        "{sku} is switched off in the order manager; switch it on there, or set ignore_inactive=False.",
    ),
    "excluded": ("excluded", "{sku} is in the cart's exclude; take it out to sync it."),
    "not_in_only": ("not among only", "{sku} is not in the cart's only; add it to sync it."),
    "no_alias": (
        "no alias",
        "{sku} has no listing under the alias {about}; add the listing in the order manager.",
    ),
    "inactive_listing": (
        "inactive listing",
        "The listing {listing} of {sku} is switched off in the order manager.",
    ),
    "push_inventory_off": (
        "push inventory off",
        (
            "The order manager itself would not push {listing}; switch that on there, or set "
            "respect_push_inventory=False."
        ),
    ),
    "listing_of_two_products": (
        "listing of two products",
        (
            "{listing} is claimed by {about}; leave one of the listings in the order manager. "
            "omsync does not choose."
        ),
    ),
    "listing_units_differ": (
        "listing with two pack sizes",
        "{listing} is listed with {about} units; leave one, or set units for it in the cart's settings.",
    ),
    "duplicate_listing_sku": (
        "listed twice",
        "{listing} is listed twice for {sku}; it is synced once. Remove one of the two in the order manager.",
    ),
    "no_stock_record": (
        "no stock record",
        "{sku} has no stock record {about}; absent is not zero. Create one in the order manager to sync it.",
    ),
    "not_at_counted_location": (
        "recorded only elsewhere",
        "{sku} has stock records only at warehouses that this cart's breakdown does not count.",
    ),
    "bundle_without_stock_record": (
        "bundle without a stock record",
        (
            "Create a stock record for {sku} in the order manager: Inventory tab, click the bundle, its "
            "warehouse, New Stock, and type in 0 as On Hand. Its components are then counted."
        ),
    ),
    "bundle_without_components": (
        "bundle without components",
        "{sku} is a bundle without components; add them in the order manager.",
    ),
    "component_need_below_one": (
        "component needed less than once",
        "{sku} needs {about}, which is less than one; correct the quantity in the order manager.",
    ),
    "component_missing": (
        "component missing",
        "{sku} is made of {about}, which the order manager does not list; correct the bundle there.",
    ),
    "component_inactive": (
        "component inactive",
        (
            "{sku} is made of {about}, which is switched off; switch it on, correct the bundle, or set "
            "ignore_inactive=False."
        ),
    ),
    "component_not_stocked": (
        "component without stock",
        "{sku} is made of {about}, which is virtual, digital or untracked; correct the bundle.",
    ),
    "component_in_cycle": (
        "bundle contains itself",
        "{sku} is made of itself: {about}; correct the bundles in the order manager.",
    ),
    "bundle_nested_too_deeply": (
        "bundle nested too deeply",
        "{sku} holds kits within kits to a depth of 100, down to {about}; correct the bundles.",
    ),
    "component_without_stock_record": (
        "component without a stock record",
        "{sku} is made of {about}, which has no stock record; create one in the order manager, 0 will do.",
    ),
    "quantity_not_reported": (
        "quantity not reported",
        (
            "The order manager reports neither an available nor an on-hand figure for {about}; without it, "
            "{sku} is left as it is."
        ),
    ),
    "warehouse_not_mapped": (
        "warehouse not mapped",
        "{about} has no entry in the cart's location_map; add one.",
    ),
}
"""By code: the words of a report, and the hint. What plans and carts add is in ``omsync.planning``."""


@frozen(kw_only=True)
class Skip:
    """Something that gets no quantity, and why.

    Args:
        listing_sku: The listing, or None when the product has none in this cart.
        master_sku: The product.
        reason: A stable code, one of ``REASONS``.
        hint: What to do, as a sentence.
        location_id: The location, when only a row of a breakdown is concerned.
    """

    listing_sku: str | None
    master_sku: str
    reason: str
    hint: str
    location_id: str | None = None


@frozen(kw_only=True)
class Notice:
    """Something a person should know that changes no single quantity.

    Args:
        reason: A stable code.
        message: One sentence.
        entries: What it is about, sorted.
    """

    reason: str
    message: str
    entries: tuple[str, ...] = ()


def skip(
    reason: str,
    master_sku: str,
    listing_sku: str | None = None,
    *,
    about: str = "",
    location_id: str | None = None,
) -> Skip:
    """Make a ``Skip`` with the hint that belongs to its reason."""
    hint = REASONS[reason][1].format(sku=repr(master_sku), listing=repr(listing_sku), about=about)
    return Skip(
        listing_sku=listing_sku, master_sku=master_sku, reason=reason, hint=hint, location_id=location_id
    )


def words(reason: str) -> str:
    """Give the words of a report for a reason."""
    return REASONS[reason][0] if reason in REASONS else reason.replace("_", " ")
