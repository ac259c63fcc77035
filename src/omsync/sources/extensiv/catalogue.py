"""Products, their parts and their listings: read whole, or merged from what changed since the last read.

The order manager marks no deletions, so a list of changes cannot show them: a full pass at times does.
Where a list of changes may begin is the start of the last complete read, which is the previous snapshot's
own ``taken_at``; the memory only vouches that this very snapshot came from this account.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime, timedelta

import attrs
from attrs import frozen

from omsync.http.steps import Steps, call
from omsync.model import Alias, Bundle, Component, InventorySnapshot, SalesChannel, Sku
from omsync.ports import SourceMemory
from omsync.sources.extensiv.rows import ListingRow, ProductRow, latest

__all__ = ["Catalogue", "Voucher", "recall_voucher", "vouch"]

NAMESPACE = "extensiv/watermark"
_log = logging.getLogger("omsync")


@frozen(kw_only=True)
class Voucher:
    """What the memory knows of the catalogue in one complete snapshot.

    Args:
        taken_at: The snapshot that it speaks of.
        account: Fingerprint of the address and the token that it was read with.
        full_at: When its catalogue was last read whole.
    """

    taken_at: datetime
    account: str
    full_at: datetime

    def begin(
        self, now: datetime, *, account: str, overlap: timedelta, full_pass_every: timedelta
    ) -> datetime | None:
        """Tell from when on changes must be asked for; None: read everything."""
        if self.account != account or not timedelta(0) <= now - self.full_at < full_pass_every:
            return None
        return self.taken_at - overlap


def recall_voucher(memory: SourceMemory | None, previous: InventorySnapshot | None) -> Steps[Voucher | None]:
    """Give what the memory knows of the previous snapshot's catalogue; None when it vouches for nothing."""
    if memory is None or previous is None:
        return None
    for text in (yield from call(memory.recall, NAMESPACE)).values():
        taken_at, account, full_at = json.loads(text)
        if datetime.fromisoformat(taken_at) == previous.taken_at:
            return Voucher(
                taken_at=previous.taken_at, account=account, full_at=datetime.fromisoformat(full_at)
            )
    return None


def vouch(memory: SourceMemory | None, *, new: Voucher, before: Voucher | None) -> Steps[None]:
    """Remember where the next list of changes begins.

    The snapshot itself is kept by somebody else, after the read; so the voucher of the one before stays
    good until the next read, in case the new snapshot is never kept.
    """
    if memory is not None:
        vouchers = {"new": new, "before": before or new}
        entries = {
            name: json.dumps([voucher.taken_at.isoformat(), voucher.account, voucher.full_at.isoformat()])
            for name, voucher in vouchers.items()
        }
        yield from call(memory.remember, NAMESPACE, entries)


@frozen(kw_only=True)
class Catalogue:
    """Products and listings by the order manager's ids."""

    products: Mapping[Hashable, ProductRow]
    listings: Mapping[Hashable, ListingRow]

    @classmethod
    def whole(cls, products: Iterable[ProductRow], listings: Iterable[ListingRow]) -> Catalogue:
        """Make it from a full pass; of a row that came twice the later reading counts."""
        return cls(products=latest(products), listings=latest(listings))

    @classmethod
    def carried(cls, previous: InventorySnapshot) -> Catalogue:
        """Make it from the previous snapshot."""
        parts = {bundle.master_sku: bundle.components for bundle in previous.bundles}
        return cls.whole(
            (ProductRow(sku=sku, parts=parts.get(sku.master_sku, ())) for sku in previous.skus),
            (
                ListingRow(
                    listing_id=alias.source_id,
                    listing_sku=alias.listing_sku,
                    channel_id=alias.channel_id or alias.name,
                    master_sku=alias.master_sku,
                    active=alias.active,
                    push_inventory=alias.push_inventory,
                )
                for alias in previous.aliases
            ),
        )

    def changed(self, products: Iterable[ProductRow], listings: Iterable[ListingRow]) -> Catalogue:
        """Merge what changed: by id, so that a renamed product replaces itself and a bundle its parts."""
        newer, relisted = latest(products), latest(listings)
        renamed = {
            self.products[key].sku.master_sku: row.sku.master_sku
            for key, row in newer.items()
            if key in self.products and self.products[key].sku.master_sku != row.sku.master_sku
        }
        # A master SKU belongs to one product; whoever had it before is gone, or was renamed.
        taken = {row.sku.master_sku for row in newer.values()}
        kept = {
            key: attrs.evolve(row, parts=_renamed_parts(row.parts, renamed))
            for key, row in self.products.items()
            if key not in newer and row.sku.master_sku not in taken
        }
        kept_listings = {
            key: attrs.evolve(row, master_sku=renamed.get(row.master_sku or "", row.master_sku))
            for key, row in self.listings.items()
            if key not in relisted
        }
        return Catalogue(products={**kept, **newer}, listings={**kept_listings, **relisted})

    def with_products(self, products: Iterable[ProductRow]) -> Catalogue:
        """Add products that were looked up."""
        return Catalogue(products={**self.products, **latest(products)}, listings=self.listings)

    def namer(self) -> Callable[[str | None, str], str]:
        """Give what turns (product id, reported master SKU) into the catalogue's master SKU.

        A product may be renamed while a read goes on; its id says which one is meant.
        """
        names = {row.sku.source_id: row.sku.master_sku for row in self.products.values()}
        return lambda product_id, reported: names.get(product_id, reported) if product_id else reported

    @property
    def skus(self) -> tuple[Sku, ...]:
        """The products."""
        return tuple(row.sku for row in self.products.values())

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """The products that have parts."""
        return tuple(
            Bundle(master_sku=row.sku.master_sku, components=row.parts)
            for row in self.products.values()
            if row.parts
        )

    def aliases(self, channels: Iterable[SalesChannel]) -> tuple[Alias, ...]:
        """The listings, each under its channel's present name, or the channel's id where it is not known."""
        names = {channel.id: channel.name for channel in channels}
        name_of = self.namer()
        found: list[Alias] = []
        homeless: list[str] = []
        for row in self.listings.values():
            master_sku = name_of(row.product_id, row.master_sku or "")
            if not master_sku:
                homeless.append(row.listing_sku)
                continue
            found.append(
                Alias(
                    name=names.get(row.channel_id) or row.channel_id,
                    listing_sku=row.listing_sku,
                    master_sku=master_sku,
                    active=row.active,
                    push_inventory=row.push_inventory,
                    channel_id=row.channel_id,
                    source_id=row.listing_id,
                )
            )
        if homeless:
            _log.warning(
                "%d listings name no product and are left out, such as %s", len(homeless), homeless[:5]
            )
        return tuple(found)


def _renamed_parts(parts: tuple[Component, ...], renamed: Mapping[str, str]) -> tuple[Component, ...]:
    if not any(part.master_sku in renamed for part in parts):
        return parts
    return tuple(
        attrs.evolve(part, master_sku=renamed.get(part.master_sku, part.master_sku)) for part in parts
    )
