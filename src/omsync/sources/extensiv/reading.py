"""One whole reading, as steps: what is asked in which order, and how the snapshot is put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from omsync.errors import DecodeError, LedgerError, OmsyncError, SettingsError, SnapshotError
from omsync.http.pacing import Pace
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.model import InventorySnapshot, SalesChannel, Warehouse
from omsync.ports import ReadRequest, SourceMemory
from omsync.settings import PerSalesChannel
from omsync.sources.extensiv.catalogue import Catalogue, Voucher, recall_voucher, vouch
from omsync.sources.extensiv.channel_choice import wanted_channels
from omsync.sources.extensiv.channels import (
    AcknowledgeSettings,
    Drain,
    acknowledge_channels,
    figures_of,
    open_drain,
)
from omsync.sources.extensiv.conversations import extensiv_judge
from omsync.sources.extensiv.journal import Journal, digest_of, open_journal
from omsync.sources.extensiv.rows import ListingRow, ProductRow, unpack_page
from omsync.sources.extensiv.stock import Stock, StockPage
from omsync.sources.extensiv.streams import Stream, read_streams
from omsync.sources.extensiv.wire import Quota

if TYPE_CHECKING:
    from omsync.sources.extensiv.source import ExtensivOrderManager

__all__ = ["Reading", "open_line"]

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_MOST_LOOKUPS = 100
"""Products looked up in one read; where more are missing, the engine names them."""


@frozen(kw_only=True)
class Reading:
    """One reading of one account.

    Args:
        source: The settings.
        request: What is asked for.
    """

    source: ExtensivOrderManager
    request: ReadRequest

    def steps(self) -> Steps[InventorySnapshot]:
        """Read by warehouse or by sales channel, as the merchant's mode says."""
        if isinstance(self.request.merchant.mode, PerSalesChannel):
            return (yield from self._by_channel(self._memory_for_channels()))
        return (yield from self._by_warehouse())

    def _by_warehouse(self) -> Steps[InventorySnapshot]:
        reported = self.request.merchant.bundle_quantities == "reported"
        if reported and self.source.stock == "rows":
            raise SettingsError(
                "Stock rows never count what bundles' parts would make, and bundle_quantities is 'reported'",
                code="rows_without_buildable",
                remedy="Read stock='totals', or let omsync compute bundles: bundle_quantities='auto'.",
            )
        line = yield from open_line(self.source)
        channels = yield from talk(line, self.source.api.sales_channels())
        warehouses = yield from talk(line, self.source.api.warehouses())
        voucher, journal = yield from self._journal("warehouse", self.source.stock, reported)
        stock = Stock()
        streams = self._stock_streams(warehouses, journal, stock, with_buildable=reported)
        catalogue = yield from self._catalogue(line, journal, streams)
        places = yield from self._all_warehouses(line, warehouses, stock.warehouse_ids)
        catalogue = yield from self._completed(line, catalogue, stock.products)
        # A switched-off warehouse is never counted, as if it had no records.
        active = {warehouse.id for warehouse in places if warehouse.active}
        return (
            yield from self._finished(
                journal,
                voucher,
                lambda: InventorySnapshot(
                    taken_at=journal.started_at,
                    skus=catalogue.skus,
                    aliases=catalogue.aliases(channels),
                    warehouses=places,
                    sales_channels=channels,
                    bundles=catalogue.bundles,
                    levels=stock.levels(catalogue.namer(), active),
                    scope="warehouse",
                    bundles_include_buildable="yes" if reported else "no",
                ),
            )
        )

    def _by_channel(self, memory: SourceMemory) -> Steps[InventorySnapshot]:
        line = yield from open_line(self.source)
        channels = yield from talk(line, self.source.api.sales_channels())
        wanted = wanted_channels(channels, self.source.channels, self.source.acknowledge_types)
        voucher, journal = yield from self._journal("channel")
        catalogue = yield from self._catalogue(line, journal, [])
        # Last, so that nothing is taken from the order manager by a read that fails for another reason.
        drains = yield from self._drains(memory, wanted)
        yield from acknowledge_channels(
            line, self.source.api, drains, memory, partial(self._report, "channels")
        )
        products = [(row.product_id, row.master_sku) for one in drains for row in one.news]
        catalogue = yield from self._completed(line, catalogue, products)
        levels, doubtful = figures_of(drains, catalogue)
        return (
            yield from self._finished(
                journal,
                voucher,
                lambda: InventorySnapshot(
                    taken_at=journal.started_at,
                    skus=catalogue.skus,
                    aliases=catalogue.aliases(channels),
                    sales_channels=channels,
                    bundles=catalogue.bundles,
                    levels=levels,
                    scope="channel",
                    bundles_include_buildable="unknown",
                    doubtful=doubtful,
                ),
            )
        )

    def _memory_for_channels(self) -> SourceMemory:
        if self.source.shadow:
            raise SettingsError(
                "With shadow=True nothing is taken from the order manager, and it tells a channel's figures "
                "in no other way than by acknowledge, which uses them up",
                code="shadow_by_channel",
                remedy="Read by warehouse meanwhile, with mode=PerWarehouse(). Channels' figures "
                "are in Integration Manager, or come with an app of your own and without shadow.",
            )
        if self.source.acknowledge != "exclusive":
            raise SettingsError(
                "Sales-channel mode takes changes from the order manager, which forgets what it has told",
                code="acknowledge_not_exclusive",
                remedy="Write acknowledge='exclusive' once nobody else consumes this app's changes. While "
                "another program does, such as Integration Manager during a trial, use PerWarehouse() or an "
                "app of your own.",
            )
        if self.request.memory is None:
            raise LedgerError(
                "Sales-channel mode needs a ledger, also to plan: the order manager tells each change once",
                code="ledger_required",
                remedy="Give ledger=SqliteLedger('omsync.db'), or use PerWarehouse().",
            )
        return self.request.memory

    def _journal(self, *kind: Any) -> Steps[tuple[Voucher | None, Journal]]:
        source, request = self.source, self.request
        voucher = yield from recall_voucher(request.memory, request.previous)
        since = None
        if voucher is not None:
            since = voucher.begin(
                request.now,
                account=source.account,
                overlap=source.overlap,
                full_pass_every=source.full_pass_every,
            )
        settings = [*kind, source.account, dict(source.page_sizes), source.missing_available]
        base = [voucher.taken_at.isoformat(), voucher.full_at.isoformat()] if voucher else []
        journal = yield from open_journal(
            request.memory,
            now=request.now,
            digest=digest_of(settings, base),
            since=since,
            resume_within=source.resume_within,
        )
        return voucher, journal

    def _stock_streams(
        self, warehouses: Sequence[Warehouse], journal: Journal, stock: Stock, *, with_buildable: bool
    ) -> list[Stream[StockPage]]:
        api = self.source.api
        asks = {"inventory": api.inventory}
        if self.source.stock == "totals":
            asks = {
                f"totals of warehouse {warehouse.id}": partial(
                    api.totals, warehouse_id=warehouse.id, with_buildable=with_buildable
                )
                for warehouse in warehouses
                if warehouse.active
            }
        streams = [Stream(name=name, stage="stock", ask=ask, into=stock.add) for name, ask in asks.items()]
        for stream in streams:
            for text in journal.pages(stream.name):
                stream.take(StockPage.unpack(text))
        return streams

    def _catalogue(
        self, line: Line, journal: Journal, stock: Sequence[Stream[StockPage]]
    ) -> Steps[Catalogue]:
        """Read products, listings and stock side by side; give the first two, merged with what is known."""
        api = self.source.api
        products: list[ProductRow] = []
        listings: list[ListingRow] = []
        streams: list[Stream[Any]] = [
            Stream(
                name="products",
                stage="products",
                ask=partial(api.products, since=journal.since),
                into=products.extend,
            ),
            Stream(
                name="listings",
                stage="listings",
                ask=partial(api.listings, since=journal.since),
                into=listings.extend,
            ),
        ]
        for stream, unpack in zip(streams, (ProductRow.unpack, ListingRow.unpack), strict=True):
            for text in journal.pages(stream.name):
                stream.take(unpack_page(text, unpack))
        yield from read_streams(line, [*streams, *stock], journal, self._report)
        if journal.since is None or self.request.previous is None:
            return Catalogue.whole(products, listings)
        return Catalogue.carried(self.request.previous).changed(products, listings)

    def _all_warehouses(
        self, line: Line, warehouses: Sequence[Warehouse], named: frozenset[str]
    ) -> Steps[Sequence[Warehouse]]:
        """Ask again when stock stands in a warehouse that was made while we read."""

        def strange(known: Iterable[Warehouse]) -> frozenset[str]:
            return named - {warehouse.id for warehouse in known}

        if not strange(warehouses):
            return warehouses
        warehouses = yield from talk(line, self.source.api.warehouses())
        if missing := strange(warehouses):
            raise DecodeError(
                "Stock rows name warehouses that the order manager does not list: "
                f"{', '.join(sorted(missing))}",
                code="unknown_warehouse",
                remedy="Read stock='totals', which asks for the listed warehouses only, and tell Extensiv.",
            )
        return warehouses

    def _completed(
        self, line: Line, catalogue: Catalogue, products: Iterable[tuple[str | None, str]]
    ) -> Steps[Catalogue]:
        """Look up products that have stock and were made after the products had been read."""
        name_of, known = catalogue.namer(), {sku.master_sku for sku in catalogue.skus}
        missing = sorted({name_of(product_id, master_sku) for product_id, master_sku in products} - known)
        if not missing:
            return catalogue
        outcomes = yield from talk_all(line, map(self.source.api.product_of, missing[:_MOST_LOOKUPS]))
        for outcome in outcomes:
            if isinstance(outcome, OmsyncError):
                raise outcome
        return catalogue.with_products(row for row in outcomes if isinstance(row, ProductRow))

    def _finished(
        self, journal: Journal, voucher: Voucher | None, make: Callable[[], InventorySnapshot]
    ) -> Steps[InventorySnapshot]:
        try:
            snapshot = make()
        except SnapshotError:
            # Pages that contradict each other would do so again.
            yield from journal.drop()
            raise
        whole = journal.since is None or voucher is None
        new = Voucher(
            taken_at=journal.started_at,
            account=self.source.account,
            full_at=journal.started_at if whole or voucher is None else voucher.full_at,
        )
        yield from vouch(self.request.memory, new=new, before=voucher)
        yield from journal.drop()
        return snapshot

    def _drains(self, memory: SourceMemory, channels: Iterable[SalesChannel]) -> Steps[list[Drain]]:
        source = self.source
        settings = AcknowledgeSettings(
            account=source.account,
            now=self.request.now,
            limit=source.page_sizes["acknowledge"],
            baseline_from=source.baseline_from,
            replay=source.replay_window,
            overlap=source.overlap,
            promise_within=source.promise_within,
        )
        drains: list[Drain] = []
        for channel in channels:
            drain = yield from open_drain(memory, channel, settings)
            drains.append(drain)
        return drains

    def _report(self, stage: str, done: int, total: int | None) -> None:
        if self.request.on_progress is not None:
            self.request.on_progress(stage, done, total)


def open_line(source: ExtensivOrderManager) -> Steps[Line]:
    """Open the line to an account: at the pace that it is granted, where it is asked for that."""
    line = Line(
        account=source.account,
        pace=source.pace,
        retry=source.retry,
        network=source.network,
        judge=extensiv_judge,
        handler=source.handler,
    )
    if not source.ask_limits:
        return line
    quotas = yield from talk(line, source.api.quotas())
    return evolve(line, lanes=_paces(quotas, _SECONDS[source.restore_rate_per]))


def _paces(quotas: Iterable[Quota], seconds: int) -> dict[str, Pace]:
    """Turn granted quotas into paces; a call whose quota says nothing usable keeps the safe pace."""
    paces: dict[str, Pace] = {}
    for quota in quotas:
        rates = []
        if quota.restore_rate:
            rates.append(quota.restore_rate / seconds)
        if quota.hourly and quota.hourly > 0:
            rates.append(quota.hourly / 3600)
        if rates:
            paces[quota.lane] = Pace.within(bucket=max(1, quota.bucket or 1), per_second=min(rates))
    return paces
