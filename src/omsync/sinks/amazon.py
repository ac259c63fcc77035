"""Amazon: quantities of offers that the seller ships, through the Selling Partner API.

    Amazon("A2SELLER", marketplace_id="ATVPDKIKX0DER", client_id=..., client_secret=..., refresh_token=...)

Few listings go one by one, many as a feed, which Amazon works through in its own time. Amazon shows what a
shopper may still buy, so that is what is sent. Offers that Amazon fulfils are never touched. See
``docs/carts/amazon.md`` for credentials, outcomes and limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from omsync import checks
from omsync.http.messages import Conversation, Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps
from omsync.http.tokens import Token, TokenKeeper
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.secrets import Secret, as_secret
from omsync.sinks import _amazon as api
from omsync.sinks import _amazon_feeds as feeds
from omsync.sinks._amazon_answers import foresee, judge
from omsync.sinks._amazon_rows import shown, unfit, units_of
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

__all__ = ["Amazon"]

_HOSTS = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
_MESSAGES_A_FEED = 25_000
_FEEDS_AT_ONCE = 3
_LONGEST_NUMBER = _MESSAGES_A_FEED
_BYTES_A_FEED = 10_000_000
"""Amazon asks for files below 10 MiB; this leaves a margin."""

_FIXED_LANES = {
    "GET listing": Pace.within(bucket=10, per_second=5),
    "POST document": Pace.within(bucket=15, per_second=0.5),
    # Five feeds in five minutes: three at once, and one more every two minutes.
    "POST feed": Pace(per_second=0.0083 * 0.998, burst=_FEEDS_AT_ONCE),
    "GET feed": Pace.within(bucket=15, per_second=2),
    "GET document": Pace.within(bucket=10, per_second=0.0222),
}


@frozen
class Amazon(SteppedSink):
    """One seller's offers in one Amazon marketplace.

    Args:
        seller_id: The seller's id (merchant token).
        marketplace_id: The marketplace, such as ``"ATVPDKIKX0DER"`` for the United States.
        client_id: The application's client id at Login with Amazon.
        client_secret: Its secret.
        refresh_token: What the seller's authorisation of the application gave.
        region: ``"na"``, ``"eu"`` or ``"fe"``: which of Amazon's hosts the marketplace belongs to.
        product_type: For listings whose own product type Amazon does not tell.
        supply_sources: For sellers in Multi-Location Inventory only: the codes of their supply sources, or a
            mapping from names to codes.
        location: Name or code of the supply source for rows that name none; None for the only one.
        feed_from_rows: A push of so many listings goes as a feed; fewer go one by one, at five a second.
        wait_seconds: How long a push waits for its feeds; 0 not to wait. What is not done by then is pending
            and is asked about at the next run.
        poll_seconds: Seconds between two questions while waiting.
        patience_runs: A feed that was under way in so many runs is given up, and its rows are sent again.
        max_quantity: Larger quantities are refused before they are sent; None: Amazon names no limit.
        untracked_policy: For a listing without any fulfilment channel: ``"skip"``, ``"track"`` (send, which
            makes it one that the seller ships) or ``"error"``.
        calls_per_second: How fast single listings are read and written; Amazon grants five.
        max_in_flight: Calls at once.
        issue_locale: The language in which Amazon words its issues.
        url: The host, instead of the region's.
        token_url: Where access tokens are granted.
        retry: How often and how long to try again.
        keeper: Keeps the access token, which is good for an hour.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: A location that is no supply source, or an address that cannot be one.

    Source: Amazon's Selling Partner API: Listings Items 2021-08-01, Feeds 2021-06-30, JSON_LISTINGS_FEED 2.0.
    """

    seller_id: str = field(validator=checks.text)
    marketplace_id: str = field(kw_only=True, validator=checks.text)
    client_id: str = field(kw_only=True, validator=[checks.text, secret])
    client_secret: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    refresh_token: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    region: str = field(default="na", kw_only=True, validator=checks.one_of(*_HOSTS))
    product_type: str = field(default="PRODUCT", kw_only=True, validator=checks.text)
    supply_sources: Mapping[str, str] = field(
        default=(),
        kw_only=True,
        converter=as_places,
        validator=checks.mapping(checks.text, checks.text),
    )
    location: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    feed_from_rows: int = field(default=100, kw_only=True, validator=checks.whole(minimum=1))
    wait_seconds: int = field(default=180, kw_only=True, validator=checks.whole(minimum=0))
    poll_seconds: int = field(default=15, kw_only=True, validator=checks.whole(minimum=1))
    patience_runs: int = field(default=24, kw_only=True, validator=checks.whole(minimum=1))
    max_quantity: int | None = field(
        default=None, kw_only=True, validator=checks.optional(checks.whole(minimum=0))
    )
    untracked_policy: str = field(
        default="skip", kw_only=True, validator=checks.one_of("skip", "track", "error")
    )
    calls_per_second: float = field(default=5.0, kw_only=True, validator=rate)
    max_in_flight: int = field(default=5, kw_only=True, validator=checks.whole(minimum=1))
    issue_locale: str = field(default="en_US", kw_only=True, validator=checks.text)
    url: str | None = field(default=None, kw_only=True, validator=checks.optional(address))
    token_url: str = field(default="https://api.amazon.com/auth/o2/token", kw_only=True, validator=address)
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    keeper: TokenKeeper = field(factory=TokenKeeper, kw_only=True, eq=False, repr=False)
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    jobs: Jobs = field(factory=Jobs, kw_only=True, eq=False, repr=False)
    seen: dict[str, api.Listing] = field(factory=dict, kw_only=True, eq=False, repr=False, init=False)

    def __attrs_post_init__(self) -> None:
        check_location(self, self.supply_sources, self.location)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What Amazon can do."""
        return SinkCapabilities(
            destination=f"amazon seller {self.seller_id} in {self.marketplace_id}",
            quantity_meaning="available",
            locations=self._places.locations,
            max_rows=_MESSAGES_A_FEED * _FEEDS_AT_ONCE,
            rows_per_call=_MESSAGES_A_FEED,
            atomicity="row",
            compare_and_set="blind",
            completion="job",
            max_in_flight=self.max_in_flight,
            calls_per_second=self.calls_per_second,
            max_quantity=self.max_quantity,
            untracked_policy=self.untracked_policy,
        )

    def remembering(self, memory: SourceMemory | None, /) -> Self:
        """Begin a run: feeds under way are kept in the ledger's memory, or without one in this object."""
        namespace = f"jobs of {self.capabilities.destination}"
        return evolve(self, jobs=self.jobs.of_run(memory, namespace))

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Ask after feeds under way, then read what the marketplace shows, 20 listings a call; as steps."""
        yield from self._settle()
        listings = yield from self._listings(dict.fromkeys(listing_skus))
        return [one for listing in listings for one in shown(listing, self._places)]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Ask after feeds under way, leave out what must not be sent, send the rest; as steps.

        Raises:
            UnauthorizedError: No token is granted, or it may not do this.
            RefusedError: A feed was refused, and nothing of it was written.
            TransientError: Nobody knows whether it was written.
        """
        if not changes:
            return []
        yield from self._settle()
        unknown = [change.listing_sku for change in changes if change.listing_sku not in self.seen]
        yield from self._listings(dict.fromkeys(unknown))
        fit: list[Row] = []
        results: list[PushResult] = []
        for row in self._places.rows(changes):
            problem = unfit(
                row,
                self.seen.get(row.change.listing_sku),
                self._places,
                untracked_policy=self.untracked_policy,
                most=self.max_quantity,
            )
            if problem is None:
                fit.append(row)
            else:
                results.append(problem)
        clear, contradicted = contradictions(fit)
        free, answered = self.jobs.sort_out(clear)
        sent = yield from self._send(free)
        return [*results, *contradicted, *answered, *sent]

    def _send(self, rows: Sequence[Row]) -> Steps[list[PushResult]]:
        """Send rows by one way only: which of a feed and a single write Amazon does first is undefined."""
        by_sku = rows_by_sku(rows)
        if len(by_sku) < self.feed_from_rows:
            return (yield from self._one_by_one(by_sku))
        documents = packed(
            by_sku.values(),
            lambda several: encoded_size(self._message(_LONGEST_NUMBER, several)),
            room=feeds.room_for_messages(self._access(), _BYTES_A_FEED),
            most=_MESSAGES_A_FEED,
        )
        return (
            yield from carry_out(
                self.jobs,
                [[row for several in document for row in several] for document in documents],
                self._submit,
                partial(self._look, self._waiting),
                looks=self.wait_seconds and 1 + self.wait_seconds // self.poll_seconds,
            )
        )

    def _one_by_one(self, by_sku: Mapping[str, Sequence[Row]]) -> Steps[list[PushResult]]:
        outcomes = yield from self._granted.ask_all([partial(self._patch, rows) for rows in by_sku.values()])
        return results_by_sku(by_sku, outcomes)

    def _settle(self) -> Steps[None]:
        return self.jobs.settle(partial(self._look, "GET feed"), patience=self.patience_runs)

    def _listings(self, skus: Iterable[str]) -> Steps[list[api.Listing]]:
        """Look listings up, and keep in mind what they are: a push in the same run need not ask again."""
        wanted = list(skus)
        alone = [sku for sku in wanted if "," in sku]
        pages = packed([sku for sku in wanted if "," not in sku], lambda _: 1, room=api.SKUS_A_CALL)
        found = yield from self._granted.ask_all(
            [
                *(partial(self._find, page) for page in pages),
                *(partial(self._get, sku) for sku in alone),
            ]
        )
        listings = [listing for page in results_of(found) for listing in page]
        for sku in wanted:
            self.seen.pop(sku, None)
        self.seen.update({listing.sku: listing for listing in listings})
        return listings

    @property
    def _places(self) -> Places:
        return Places.of(self.supply_sources, self.location, otherwise=api.DEFAULT)

    @property
    def _granted(self) -> Granted:
        return Granted(line=self._line, keeper=self.keeper, grant=self._grant)

    @property
    def _line(self) -> Line:
        single = Pace.within(bucket=5, per_second=self.calls_per_second)
        return Line(
            # Amazon counts the calls of a seller in a region, whichever marketplace they are about.
            account=f"amazon seller {self.seller_id} at {urlsplit(self._url).netloc}",
            lanes={
                **_FIXED_LANES,
                "GET listings": single,
                "PATCH listing": single,
                self._waiting: Pace(per_second=1 / self.poll_seconds, burst=1),
            },
            retry=self.retry,
            network=self.network,
            judge=judge,
            foresee=foresee,
            max_in_flight=self.max_in_flight,
            handler=self.handler,
        )

    @property
    def _url(self) -> str:
        return (self.url or _HOSTS[self.region]).rstrip("/")

    @property
    def _waiting(self) -> str:
        """The lane whose pace is the wait for this marketplace's feeds; another one's does not prolong it."""
        return f"wait for feed in {self.marketplace_id}"

    def _access(self, token: str = "") -> api.Access:
        return api.Access(
            url=self._url,
            seller_id=self.seller_id,
            marketplace_id=self.marketplace_id,
            issue_locale=self.issue_locale,
            token=token,
        )

    # One conversation each; the token comes last, since it is known last.

    def _grant(self) -> Conversation[Token]:
        return api.grant(
            self.token_url, self.client_id, self.client_secret.reveal(), self.refresh_token.reveal()
        )

    def _find(self, skus: Sequence[str], token: str) -> Conversation[list[api.Listing]]:
        return api.find(self._access(token), skus)

    def _get(self, sku: str, token: str) -> Conversation[list[api.Listing]]:
        return api.get(self._access(token), sku)

    def _patch(self, rows: Sequence[Row], token: str) -> Conversation[dict[str, Verdict]]:
        sku = rows[0].change.listing_sku
        units = units_of(rows, self.seen[sku], self._places)
        return api.patch(self._access(token), sku, self._product_type(sku), units)

    def _submit(self, rows: Sequence[Row]) -> Steps[str]:
        by_sku = rows_by_sku(rows)
        messages = [self._message(number, several) for number, several in enumerate(by_sku.values(), start=1)]
        return self._granted.ask(lambda token: feeds.submit(self._access(token), messages))

    def _look(self, lane: str, job: Job) -> Steps[Report | None]:
        return self._granted.ask(lambda token: feeds.look(self._access(token), job, lane))

    def _message(self, number: int, rows: Sequence[Row]) -> dict[str, Any]:
        sku = rows[0].change.listing_sku
        units = units_of(rows, self.seen[sku], self._places)
        return feeds.message_of(number, sku, self._product_type(sku), units)

    def _product_type(self, sku: str) -> str:
        return self.seen[sku].product_type or self.product_type
