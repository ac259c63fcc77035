"""Walmart Marketplace (United States): quantities of items that the seller ships.

    Walmart("10001234567", client_id=..., client_secret=...)

Few rows go one by one, many as an inventory feed, which Walmart works through in about half an hour. Walmart
subtracts units sold and not shipped, so a listing shows both and what is sent is on hand. See
``docs/carts/walmart.md`` for credentials, outcomes and limits.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

from attrs import evolve, field, frozen

from omsync import checks
from omsync.http.messages import Conversation, Handler, Request
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps
from omsync.http.tokens import Token, TokenKeeper
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.secrets import Secret, as_secret
from omsync.sinks import _walmart as api
from omsync.sinks import _walmart_feeds as feeds
from omsync.sinks._credentials import address, given, secret
from omsync.sinks._granted import Granted, rate
from omsync.sinks._http import SteppedSink, encoded_size, packed, results_of
from omsync.sinks._jobs import Job, Jobs, Report, carry_out
from omsync.sinks._rows import (
    Places,
    Row,
    Verdict,
    as_places,
    check_location,
    contradictions,
    results_by_sku,
    rows_by_sku,
)
from omsync.sinks._walmart_answers import foresee, judge
from omsync.sinks._walmart_rows import ONLY, check_nodes, shown, unfit

__all__ = ["Walmart"]

_BYTES_A_FEED = 4_900_000
"""Walmart takes files of 5 MB; this leaves a margin."""

_MAX_ROWS = 100_000
_HOUR = 3600


def _new_correlation_id() -> str:
    return str(uuid.uuid4())


@frozen
class Walmart(SteppedSink):
    """One seller's inventory at Walmart Marketplace.

    Args:
        seller_id: The seller's partner id: it names the account in plans and in the ledger, and is not sent.
        client_id: The client id of the seller's API keys.
        client_secret: Their secret.
        ship_nodes: For sellers with several ship nodes: their ids, or a mapping from names to ids.
        location: Name or id of the ship node for rows that name none; None for the only one.
        feed_from_rows: A push of so many items goes as a feed; fewer go one by one.
        wait_seconds: How long a push waits for its feeds; 0 not to wait. What is not done by then is pending
            and is asked about at the next run.
        poll_seconds: Seconds between two questions while waiting.
        patience_runs: A feed that was under way in so many runs is given up, and its rows are sent again.
        feeds_per_hour: How many feeds Walmart takes in an hour.
        max_quantity: Larger quantities are refused before they are sent; None: Walmart names no limit.
        calls_per_second: How fast items are read and written one by one; Walmart states no number.
        max_in_flight: Calls at once.
        service_name: The name of the calling service, which Walmart wants.
        url: The host.
        retry: How often and how long to try again.
        keeper: Keeps the access token, which is good for about 15 minutes.
        correlation_id: Makes the id that each try of a call must bring anew.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: A location that is no ship node, or an address that cannot be one.

    Source: Walmart's Marketplace API for the United States: Inventory, Feeds (specs 1.4 and 1.5).
    """

    seller_id: str = field(validator=checks.text)
    client_id: str = field(kw_only=True, validator=[checks.text, secret])
    client_secret: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    ship_nodes: Mapping[str, str] = field(
        default=(), kw_only=True, converter=as_places, validator=checks.mapping(checks.text, checks.text)
    )
    location: str | None = field(kw_only=True, default=None, validator=checks.optional(checks.text))
    feed_from_rows: int = field(kw_only=True, default=500, validator=checks.whole(minimum=1))
    wait_seconds: int = field(kw_only=True, default=180, validator=checks.whole(minimum=0))
    poll_seconds: int = field(kw_only=True, default=60, validator=checks.whole(minimum=1))
    patience_runs: int = field(kw_only=True, default=24, validator=checks.whole(minimum=1))
    feeds_per_hour: int = field(kw_only=True, default=10, validator=checks.whole(minimum=1))
    max_quantity: int | None = field(
        kw_only=True, default=None, validator=checks.optional(checks.whole(minimum=0))
    )
    calls_per_second: float = field(kw_only=True, default=5.0, validator=rate)
    max_in_flight: int = field(kw_only=True, default=4, validator=checks.whole(minimum=1))
    service_name: str = field(kw_only=True, default="Walmart Marketplace", validator=checks.text)
    url: str = field(kw_only=True, default="https://marketplace.walmartapis.com", validator=address)
    retry: RetryPolicy = field(kw_only=True, factory=RetryPolicy, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    keeper: TokenKeeper = field(kw_only=True, factory=TokenKeeper, eq=False, repr=False)
    correlation_id: Callable[[], str] = field(kw_only=True, default=_new_correlation_id, eq=False, repr=False)
    handler: Handler | None = field(kw_only=True, default=None, repr=False)
    jobs: Jobs = field(kw_only=True, factory=Jobs, eq=False, repr=False)
    seen: dict[str, api.Item] = field(kw_only=True, factory=dict, eq=False, repr=False, init=False)

    def __attrs_post_init__(self) -> None:
        if self.ship_nodes:
            check_location(self, self.ship_nodes, self.location)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What Walmart can do."""
        return SinkCapabilities(
            destination=f"walmart seller {self.seller_id}",
            quantity_meaning="on_hand",
            lists_all=True,
            locations=self._places.locations,
            max_rows=_MAX_ROWS,
            atomicity="row",
            compare_and_set="blind",
            completion="job",
            max_in_flight=self.max_in_flight,
            calls_per_second=self.calls_per_second,
            max_quantity=self.max_quantity,
        )

    def remembering(self, memory: SourceMemory | None, /) -> Self:
        """Begin a run: feeds under way are kept in the ledger's memory, or without one in this object."""
        namespace = f"jobs of {self.capabilities.destination}"
        return evolve(self, jobs=self.jobs.of_run(memory, namespace))

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Ask after feeds under way, then read what Walmart has, as steps.

        All items are read, 50 a call, unless looking up those asked for one by one takes fewer calls.

        Raises:
            SettingsError: Items lie at several ship nodes, and no setting says which one is meant.
        """
        yield from self._settle()
        wanted = dict.fromkeys(listing_skus)
        first = yield from self._granted.ask(partial(self._page, None))
        items = list(first.items)
        missing = [sku for sku in wanted if sku not in {item.sku for item in items}]
        if first.total is not None and first.total - len(items) > len(missing) * api.SKUS_A_PAGE:
            items += yield from self._looked_up(missing)
        else:
            items += yield from self._rest(first)
            seen = {item.sku for item in items}
            if first.total is None or len(seen) < first.total:
                # The list ended early, or shifted while it was read: what it left out may still be there.
                items += yield from self._looked_up([sku for sku in missing if sku not in seen])
        self._keep_in_mind([*wanted], items)
        return [one for item in self._once(items) for one in shown(item, self._places)]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Ask after feeds under way, leave out what must not be sent, send the rest; as steps.

        Raises:
            UnauthorizedError: No token is granted, or it may not do this.
            RefusedError: A feed was refused, and nothing of it was written.
            SettingsError: Items lie at several ship nodes, and no setting says which one is meant.
            TransientError: Nobody knows whether it was written.
        """
        if not changes:
            return []
        yield from self._settle()
        unknown = list(dict.fromkeys(one.listing_sku for one in changes if one.listing_sku not in self.seen))
        self._keep_in_mind(unknown, (yield from self._looked_up(unknown)))
        fit: list[Row] = []
        results: list[PushResult] = []
        for row in self._places.rows(changes):
            item = self.seen.get(row.change.listing_sku)
            problem = unfit(row, item, self._places, most=self.max_quantity)
            if problem is None:
                fit.append(row)
            else:
                results.append(problem)
        clear, contradicted = contradictions(fit)
        free, answered = self.jobs.sort_out(clear)
        sent = yield from self._send(free)
        return [*results, *contradicted, *answered, *sent]

    def _send(self, rows: Sequence[Row]) -> Steps[list[PushResult]]:
        """Send rows by one way only: which of a feed and a single write Walmart does first is undefined."""
        by_sku = rows_by_sku(rows)
        if len(by_sku) < self.feed_from_rows:
            return (yield from self._one_by_one(by_sku))
        documents = packed(
            by_sku.values(),
            lambda several: encoded_size(self._entry(several)),
            room=feeds.room_for_entries(_BYTES_A_FEED),
        )
        return (
            yield from carry_out(
                self.jobs,
                [[row for several in document for row in several] for document in documents],
                self._submit,
                partial(self._look, "wait for feed"),
                looks=self.wait_seconds and 1 + self.wait_seconds // self.poll_seconds,
            )
        )

    def _one_by_one(self, by_sku: Mapping[str, Sequence[Row]]) -> Steps[list[PushResult]]:
        outcomes = yield from self._granted.ask_all([partial(self._put, rows) for rows in by_sku.values()])
        return results_by_sku(by_sku, outcomes)

    def _settle(self) -> Steps[None]:
        return self.jobs.settle(partial(self._look, "GET feed"), patience=self.patience_runs)

    def _rest(self, first: api.Page) -> Steps[list[api.Item]]:
        """Read all pages after the first, one after the other: each brings the cursor of the next."""
        items: list[api.Item] = []
        cursors: set[str] = set()
        page = first
        while page.following is not None and page.items and page.following not in cursors:
            cursors.add(page.following)
            page = yield from self._granted.ask(partial(self._page, page.following))
            items += page.items
        return items

    def _looked_up(self, skus: Sequence[str]) -> Steps[list[api.Item]]:
        pages = yield from self._granted.ask_all([partial(self._get, sku) for sku in skus])
        return [item for page in results_of(pages) for item in page.items]

    def _keep_in_mind(self, asked: Sequence[str], items: Sequence[api.Item]) -> None:
        """Keep what items are: a push in the same run need not ask again."""
        check_nodes(items, self._places)
        for sku in asked:
            self.seen.pop(sku, None)
        self.seen.update({item.sku: item for item in items})

    @staticmethod
    def _once(items: Sequence[api.Item]) -> list[api.Item]:
        """Give each item once: one may shift to the next page while the pages are read."""
        return list({item.sku: item for item in items}.values())

    @property
    def _places(self) -> Places:
        return Places.of(self.ship_nodes, self.location, otherwise=self.location or ONLY)

    @property
    def _granted(self) -> Granted:
        return Granted(line=self._line, keeper=self.keeper, grant=self._grant)

    @property
    def _line(self) -> Line:
        single = Pace.within(bucket=2 * self.max_in_flight, per_second=self.calls_per_second)
        return Line(
            account=self.capabilities.destination,
            lanes={
                "GET inventories": single,
                "GET inventory": single,
                "PUT inventory": single,
                "GET feed": single,
                "POST feed": Pace.within(bucket=self.feeds_per_hour, per_second=self.feeds_per_hour / _HOUR),
                "wait for feed": Pace(per_second=1 / self.poll_seconds, burst=1),
            },
            retry=self.retry,
            network=self.network,
            judge=judge,
            foresee=foresee,
            sign=self._sign,
            max_in_flight=self.max_in_flight,
            handler=self.handler,
        )

    def _sign(self, request: Request) -> Request:
        """Give a try its own correlation id: Walmart wants a fresh one on every call."""
        return evolve(request, headers={**request.headers, "WM_QOS.CORRELATION_ID": self.correlation_id()})

    def _access(self, token: str = "") -> api.Access:
        return api.Access(url=self.url.rstrip("/"), service=self.service_name, token=token)

    # One conversation each; the token comes last, since it is known last.

    def _grant(self) -> Conversation[Token]:
        return api.grant(self._access(), self.client_id, self.client_secret.reveal())

    def _page(self, cursor: str | None, token: str) -> Conversation[api.Page]:
        return api.page(self._access(token), cursor)

    def _get(self, sku: str, token: str) -> Conversation[api.Page]:
        return api.get(self._access(token), sku)

    def _put(self, rows: Sequence[Row], token: str) -> Conversation[dict[str, Verdict]]:
        sku = rows[0].change.listing_sku
        wanted = {row.place: row.change.quantity for row in rows}
        if self.ship_nodes:
            return api.put_nodes(self._access(token), sku, wanted)
        ((node, quantity),) = wanted.items()
        return api.put(self._access(token), sku, node, quantity)

    def _submit(self, rows: Sequence[Row]) -> Steps[str]:
        entries = [self._entry(several) for several in rows_by_sku(rows).values()]
        by_node, node = bool(self.ship_nodes), self.location or ONLY
        return self._granted.ask(
            lambda token: feeds.submit(self._access(token), entries, node, by_node=by_node)
        )

    def _look(self, lane: str, job: Job) -> Steps[Report | None]:
        return self._granted.ask(lambda token: feeds.look(self._access(token), job, lane))

    def _entry(self, rows: Sequence[Row]) -> dict[str, Any]:
        wanted = {row.place: row.change.quantity for row in rows}
        return feeds.entry_of(rows[0].change.listing_sku, wanted, by_node=bool(self.ship_nodes))
