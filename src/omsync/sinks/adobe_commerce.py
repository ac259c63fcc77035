"""Adobe Commerce (Magento 2): quantities go to source items of Multi Source Inventory, through the REST API.

    AdobeCommerce("https://shop.example", access=Integration(consumer_key=..., ...), location="default")

A source item counts what stands on the shelf, units of open orders included, so those are added to what is
sent; where the shop does not tell them for certain, nothing is sent. See ``docs/carts/adobe_commerce.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from omsync import checks
from omsync.errors import SettingsError
from omsync.http.messages import Conversation, Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps
from omsync.http.tokens import TokenKeeper
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.sinks import _adobe as api
from omsync.sinks import _adobe_bulk as bulk
from omsync.sinks._adobe_access import Access, AdminLogin, BearerToken, Integration, ServerToServer
from omsync.sinks._adobe_answers import TooManyError, judge
from omsync.sinks._adobe_rows import MAX_QUANTITY, Shelf, Sources, can_be_a_sku, unfit
from omsync.sinks._adobe_writing import write
from omsync.sinks._credentials import address
from omsync.sinks._granted import Ask, Granted, rate
from omsync.sinks._http import SteppedSink, encoded_size, packed, results_of
from omsync.sinks._jobs import Job, Jobs, Report, carry_out
from omsync.sinks._rows import Row, contradictions, rows_by_sku

__all__ = ["AdminLogin", "AdobeCommerce", "BearerToken", "Integration", "ServerToServer"]

P = ParamSpec("P")
T = TypeVar("T")

_MAX_BYTES = 2_000_000
_BYTES_PER_ROW = 640
"""A SKU of 64 characters and a source code of 255, as they weigh at worst."""


class _Run:
    """What one run has learned of the shop; a push need not ask again."""

    def __init__(self, page: int) -> None:
        self.limits = api.Limits(page)
        self.products: dict[str, api.Product] = {}


@frozen
class AdobeCommerce(SteppedSink):
    """One shop of Adobe Commerce or Magento 2.3 and later, with Multi Source Inventory.

    Args:
        url: The shop's address without ``/rest``; for Adobe Commerce as a Cloud Service the server's with the
            tenant's id, such as ``https://na1.api.commerce.adobe.com/<tenant>``.
        access: ``Integration`` (four credentials, each request signed), ``BearerToken``, ``AdminLogin``, or
            ``ServerToServer`` for Adobe Commerce as a Cloud Service.
        location: Code or exact name of the source for rows that name none; None for the only one.
        stock_id: The stock that shoppers buy from; 1 is the "Default Stock".
        reservations: Where units of open orders are learned: ``"from_salable"`` (one or two calls a SKU),
            ``"given"`` (by ``reserved``) or ``"none"`` (taken for 0, so open orders are subtracted twice).
        reserved: By SKU, the units of open orders in the stock; a SKU that is not there has none.
        backorders_in_stock: Whether the shop sells more than it has: rows of 0 stay in stock then.
        mode: ``"sync"``: the shop writes and reindexes inside the call. ``"async"``: it queues the rows and
            reports on each; its queue consumers must be running.
        check_tracking: Whether to look up, one call a SKU, if the shop manages a product's stock.
        untracked_policy: For a product whose stock it does not manage: ``"skip"`` or ``"error"``.
        store: The store code in the path; quantities are the same for all of them.
        rows_per_push: Rows in one push, and in one call unless the shop allows less.
        page_size: Rows on one page when reading; the shop's limit is learned.
        reads_in_flight: Reading calls at once; writes go one after the other.
        wait_seconds: How long a push waits for its bulk; 0 not to wait. What is not done by then is pending
            and is asked about at the next run.
        poll_seconds: Seconds between two questions while waiting.
        patience_runs: A bulk that was under way in so many runs is given up, and its rows are sent again.
        calls_per_second: Calls a second at most; the shop states no limit, a proxy may have one.
        retry: How often and how long to try again.
        keeper: Keeps the token where one was granted.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: An address that cannot be one, or ``reserved`` without ``reservations="given"``.

    Source: Adobe Commerce's REST reference for ``inventory/source-items``, and the source of Multi Source
    Inventory.
    """

    url: str = field(validator=address)
    access: Access = field(
        kw_only=True, validator=checks.instance_of(Integration, BearerToken, AdminLogin, ServerToServer)
    )
    location: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    stock_id: int = field(default=1, kw_only=True, validator=checks.whole(minimum=1))
    reservations: str = field(
        default="from_salable", kw_only=True, validator=checks.one_of("from_salable", "given", "none")
    )
    reserved: Mapping[str, int] = field(
        factory=dict,
        kw_only=True,
        repr=False,
        converter=checks.as_mapping,
        validator=checks.mapping(checks.text, checks.whole(minimum=0)),
    )
    backorders_in_stock: bool = field(default=False, kw_only=True, validator=checks.flag)
    mode: str = field(default="sync", kw_only=True, validator=checks.one_of("sync", "async"))
    check_tracking: bool = field(default=False, kw_only=True, validator=checks.flag)
    untracked_policy: str = field(default="skip", kw_only=True, validator=checks.one_of("skip", "error"))
    store: str = field(default="all", kw_only=True, validator=checks.text)
    rows_per_push: int = field(default=500, kw_only=True, validator=checks.whole(minimum=1))
    page_size: int = field(default=300, kw_only=True, validator=checks.whole(minimum=1))
    reads_in_flight: int = field(default=4, kw_only=True, validator=checks.whole(minimum=1))
    wait_seconds: int = field(default=60, kw_only=True, validator=checks.whole(minimum=0))
    poll_seconds: int = field(default=5, kw_only=True, validator=checks.whole(minimum=1))
    patience_runs: int = field(default=24, kw_only=True, validator=checks.whole(minimum=1))
    calls_per_second: float = field(default=10.0, kw_only=True, validator=rate)
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    keeper: TokenKeeper = field(factory=TokenKeeper, kw_only=True, eq=False, repr=False)
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    jobs: Jobs = field(factory=Jobs, kw_only=True, eq=False, repr=False)
    _run: _Run = field(init=False, eq=False, repr=False)

    @_run.default
    def _begun(self) -> _Run:
        return _Run(self.page_size)

    def __attrs_post_init__(self) -> None:
        if self.reserved and self.reservations != "given":
            raise SettingsError(
                f"AdobeCommerce.reserved goes with reservations='given', not {self.reservations!r}",
                code="settings",
                remedy="Leave reserved out, or set reservations='given'.",
            )

    @property
    def capabilities(self) -> SinkCapabilities:
        """What the shop can do."""
        parts = urlsplit(self.url)
        return SinkCapabilities(
            destination=f"adobe commerce at {parts.netloc}{parts.path.rstrip('/')}",
            quantity_meaning="on_hand",
            locations="optional",
            max_rows=self.rows_per_push,
            max_bytes=_MAX_BYTES,
            bytes_per_row=_BYTES_PER_ROW,
            atomicity="row",
            compare_and_set="blind",
            completion="immediate" if self.mode == "sync" else "job",
            max_in_flight=1,
            calls_per_second=self.calls_per_second,
            max_quantity=MAX_QUANTITY,
            untracked_policy=self.untracked_policy,
        )

    def remembering(self, memory: SourceMemory | None, /) -> Self:
        """Begin a run: bulks under way are kept in the ledger's memory; learned limits are forgotten."""
        namespace = f"jobs of {self.capabilities.destination}"
        return evolve(self, jobs=self.jobs.of_run(memory, namespace))

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read products, what every source holds of them, and what open orders hold; as steps.

        Each figure is given under the source's code and name, and under None for the sink's own source. What
        open orders hold is put on one source of the stock: the sink's own, or the first in priority.
        """
        yield from self._settle()
        sources = yield from self._sources()
        products = yield from self._products(dict.fromkeys(listing_skus))
        shelves = yield from self._shelves(list(products.values()), sources)
        return [
            listing
            for shelf in shelves
            for listing in shelf.shown(sources, backorders=self.backorders_in_stock)
        ]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Leave out what must not be sent, write the rest at once or hand it in; as steps.

        Raises:
            SettingsError: A row names no source and the shop has several, or the sink's is unknown.
            UnauthorizedError: The credentials are refused, or may not do this.
            TransientError: Nobody knows whether anything was written.
        """
        if not changes:
            return []
        yield from self._settle()
        sources = yield from self._sources()
        known = self._run.products
        new = [change.listing_sku for change in changes if change.listing_sku not in known]
        yield from self._products(dict.fromkeys(new))
        fit: list[Row] = []
        results: list[PushResult] = []
        for row in sources.rows(changes):
            product = known.get(row.change.listing_sku)
            problem = unfit(row, product, sources, untracked_policy=self.untracked_policy)
            if problem is None:
                fit.append(row)
            else:
                results.append(problem)
        clear, contradicted = contradictions(fit)
        free, answered = self.jobs.sort_out(clear)
        # One place may be named in several ways; each of them gets the result.
        written = yield from self._send(list({row.key: row for row in free}.values()))
        return [*results, *contradicted, *answered, *_for_each(free, sources, written)]

    def _send(self, rows: Sequence[Row]) -> Steps[list[PushResult]]:
        if not rows:
            return []
        if self.mode == "sync":
            return (yield from write(rows, self._run.limits, self._save))
        look = partial(self._look, "wait for bulk")
        looks = self.wait_seconds and 1 + self.wait_seconds // self.poll_seconds
        while True:
            documents = self._documents(rows)
            try:
                return (yield from carry_out(self.jobs, documents, self._submit, look, looks=looks))
            except TooManyError as error:
                # Only the first document raises, so nothing of this push is under way yet.
                if error.most >= len(documents[0]):
                    raise
                self._run.limits.bulk = error.most

    def _documents(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Split rows into bulks, keeping those of one product together: it is one body."""
        limit = self._run.limits.bulk
        products = packed(
            rows_by_sku(rows).values(),
            lambda several: encoded_size(self._body(several)),
            room=_MAX_BYTES,
            most=limit or self.rows_per_push,
        )
        return [[row for several in document for row in several] for document in products]

    def _settle(self) -> Steps[None]:
        return self.jobs.settle(partial(self._look, "read"), patience=self.patience_runs)

    def _sources(self) -> Steps[Sources]:
        every = yield from self._reading.ask(self._ask(api.sources_of, self._run.limits))
        stock = None
        if self.reservations != "none":
            stock = yield from self._reading.ask(self._ask(api.stock_of, self.stock_id))
        shop = self.capabilities.destination
        return Sources(every=every, location=self.location, stock=stock, shop=shop)

    def _products(self, skus: Iterable[str]) -> Steps[dict[str, api.Product]]:
        """Look products up, and keep in mind what they are."""
        wanted = list(skus)
        limits = self._run.limits
        chunks = api.chunks_of(filter(can_be_a_sku, wanted), most=limits.page)
        pages = yield from self._reading.ask_all(
            [self._ask(api.products_of, limits, chunk) for chunk in chunks]
        )
        found = {product.sku: product for page in results_of(pages) for product in page}
        if self.check_tracking:
            stocked = [sku for sku, product in found.items() if product.state == "listed"]
            tracked = yield from self._reading.ask_all([self._ask(api.tracked_of, sku) for sku in stocked])
            for sku, counts in zip(stocked, results_of(tracked), strict=True):
                found[sku] = evolve(found[sku], tracked=counts)
        for sku in wanted:
            self._run.products.pop(sku, None)
        self._run.products.update(found)
        return found

    def _shelves(self, products: Sequence[api.Product], sources: Sources) -> Steps[list[Shelf]]:
        """Read what the shop holds of products; of those without stock of their own nothing is asked."""
        limits = self._run.limits
        stocked = [product.sku for product in products if product.state == "listed"]
        chunks = api.chunks_of(stocked, most=limits.page // max(1, len(sources.every)))
        pages = yield from self._reading.ask_all([self._ask(api.items_of, limits, chunk) for chunk in chunks])
        items: dict[str, dict[str, api.Item]] = {}
        for item in (item for page in results_of(pages) for item in page):
            items.setdefault(item.sku, {})[item.source] = item
        shelves = [Shelf(product=product, items=items.get(product.sku, {})) for product in products]
        return (yield from self._with_reserved(shelves, sources))

    def _with_reserved(self, shelves: Sequence[Shelf], sources: Sources) -> Steps[list[Shelf]]:
        if sources.stock is None:
            return list(shelves)
        if self.reservations == "given":
            return [evolve(shelf, reserved=self.reserved.get(shelf.product.sku, 0)) for shelf in shelves]
        backorders = self.backorders_in_stock
        # A shop that never sells more than it has says 0 of what is not there, orders or no orders.
        telling = {
            shelf.product.sku: counted
            for shelf in shelves
            if (counted := shelf.counted(sources.stock)) is not None and (counted > 0 or backorders)
        }
        asks = [
            self._ask(api.reserved_of, self.stock_id, sku, units, backorders=backorders)
            for sku, units in telling.items()
        ]
        answers = results_of((yield from self._reading.ask_all(asks)))
        reserved = dict(zip(telling, answers, strict=True))
        return [evolve(shelf, reserved=reserved.get(shelf.product.sku, 0)) for shelf in shelves]

    # Calls. A conversation begins with the door; it is made once the token is known.

    @property
    def _root(self) -> str:
        base = self.url.rstrip("/")
        return base if self.access.saas else f"{base}/rest/{self.store}"

    def _ask(
        self,
        conversation: Callable[Concatenate[api.Door, P], Conversation[T]],
        *given: P.args,
        **named: P.kwargs,
    ) -> Ask[T]:
        def ask(token: str) -> Conversation[T]:
            return conversation(api.Door(root=self._root, access=self.access, token=token), *given, **named)

        return ask

    def _save(self, rows: Sequence[Row]) -> Steps[None]:
        return self._writing.ask(self._ask(api.save, self._wires(rows)))

    def _submit(self, rows: Sequence[Row]) -> Steps[str]:
        bodies = [self._body(several) for several in rows_by_sku(rows).values()]
        return self._writing.ask(self._ask(bulk.submit, bodies))

    def _look(self, lane: str, job: Job) -> Steps[Report | None]:
        return self._writing.ask(self._ask(bulk.look, job, lane))

    def _body(self, rows: Sequence[Row]) -> dict[str, Any]:
        return {"sourceItems": self._wires(rows)}

    def _wires(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        return [api.wire_of(row, backorders=self.backorders_in_stock) for row in rows]

    @property
    def _reading(self) -> Granted:
        return self._granted(self.reads_in_flight)

    @property
    def _writing(self) -> Granted:
        return self._granted(1)

    def _granted(self, in_flight: int) -> Granted:
        line = Line(
            account=self.capabilities.destination,
            pace=Pace(per_second=self.calls_per_second),
            lanes={"wait for bulk": Pace(per_second=1 / self.poll_seconds, burst=1)},
            retry=self.retry,
            network=self.network,
            judge=judge,
            sign=self.access.sign,
            max_in_flight=in_flight,
            handler=self.handler,
        )
        return Granted(line=line, keeper=self.keeper, grant=partial(self.access.grant, self._root))


def _for_each(rows: Sequence[Row], sources: Sources, written: Sequence[PushResult]) -> list[PushResult]:
    """Give the result of each place to all rows that name it."""
    results = {}
    for result in written:
        place = sources.target if result.location_id is None else sources.names[result.location_id]
        results[result.listing_sku, place] = result
    return [evolve(results[row.key], location_id=row.change.location_id) for row in rows]
