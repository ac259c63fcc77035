"""WooCommerce: quantities go to products and variations through the REST API, version 3.

    WooCommerce("https://shop.example", key="ck_...", secret="cs_...")

WooCommerce keeps what a shopper may still buy, and an order lowers it at once, so what is sent is what may be
sold. See ``docs/carts/woocommerce.md`` for credentials, outcomes and limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from omsync import checks
from omsync.errors import OmsyncError, SettingsError
from omsync.http.messages import Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk_all
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities, SourceMemory
from omsync.secrets import Secret, as_secret
from omsync.sinks import _woocommerce_rows as rows_of
from omsync.sinks._credentials import address, given, secret
from omsync.sinks._granted import rate
from omsync.sinks._http import SteppedSink, results_of
from omsync.sinks._woocommerce_access import ROOT, Access
from omsync.sinks._woocommerce_items import Found, look_up, look_ups
from omsync.sinks._woocommerce_rows import MAX_QUANTITY, MOVED, Policy, Row
from omsync.sinks._woocommerce_writing import Answer, CallSize, Written, write

__all__ = ["WooCommerce"]

_ROWS_PER_CALL = 100


class _Run:
    """What one run learns: what has which SKU, and how many rows the shop bears in a call."""

    def __init__(self, size: CallSize) -> None:
        self.found: Found = {}
        self.size = size

    def take(self, asked: Iterable[str], found: Found) -> None:
        """Take a look-up; what it did not find is no longer there."""
        for sku in asked:
            self.found.pop(sku, None)
        self.found.update(found)


@frozen
class WooCommerce(SteppedSink):
    """A WooCommerce shop.

    Args:
        url: The shop's address, as in ``https://shop.example`` or ``https://example.com/shop``.
        key: The consumer key, ``ck_...``, with the permission Read/Write.
        secret: The consumer secret, ``cs_...``.
        auth: How the key is shown: ``"basic"`` (a header), ``"query"`` (in the address, where something on
            the way drops the header) or ``"oauth1"`` (a signature, by the library oauthlib). None: basic for
            an https address, a signature for a plain one, where WooCommerce takes nothing else.
        home_url: The site's address as configured in WordPress, if ``url`` is another; signatures are made
            over it.
        untracked_policy: When stock management is off for a product: ``"skip"``, ``"track"`` (switch it on)
            or ``"error"``.
        parent_stock: When a variation has no stock of its own and its parent's decides: ``"skip"``, or
            ``"write_parent"`` to write that; listings that share it must then want the same quantity.
        rows_per_push: Rows in one push: many, so that variations of one parent come together.
        rows_per_call: Rows in one call at most; WooCommerce takes 100.
        first_call_rows: Rows in the first calls of a run, since many shops are slow.
        max_url_bytes: Bytes of a look-up's address at most.
        timeout: Seconds to wait for an answer; large batches take long.
        calls_per_second: Calls a second at most; WooCommerce states no limit, hosts and plugins have theirs.
        max_in_flight: Calls at once.
        retry: How often and how long to try again.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: An address, a key or a secret that cannot be one.

    Source: WooCommerce's REST API reference; how it really answers was seen on WooCommerce 9.9.
    """

    url: str = field(validator=address)
    key: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    secret: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    auth: str | None = field(
        default=None, kw_only=True, validator=checks.optional(checks.one_of("basic", "query", "oauth1"))
    )
    home_url: str | None = field(default=None, kw_only=True, validator=checks.optional(address))
    untracked_policy: str = field(
        default="skip", kw_only=True, validator=checks.one_of("skip", "track", "error")
    )
    parent_stock: str = field(default="skip", kw_only=True, validator=checks.one_of("skip", "write_parent"))
    rows_per_push: int = field(default=500, kw_only=True, validator=checks.whole(minimum=1))
    rows_per_call: int = field(default=_ROWS_PER_CALL, kw_only=True, validator=checks.whole(minimum=1))
    first_call_rows: int = field(default=50, kw_only=True, validator=checks.whole(minimum=1))
    max_url_bytes: int = field(default=4000, kw_only=True, validator=checks.whole(minimum=1000))
    timeout: float = field(default=120.0, kw_only=True, validator=rate)
    calls_per_second: float = field(default=5.0, kw_only=True, validator=rate)
    max_in_flight: int = field(default=2, kw_only=True, validator=checks.whole(minimum=1, maximum=2))
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    handler: Handler | None = field(default=None, kw_only=True, repr=False)
    run: _Run | None = field(default=None, kw_only=True, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if "/wp-json" in self.url:
            raise SettingsError(
                f"WooCommerce.url is the shop's address, without {ROOT}: {self.url!r}",
                code="bad_address",
                remedy="Leave out what begins with /wp-json.",
            )

    @property
    def capabilities(self) -> SinkCapabilities:
        """What WooCommerce can do."""
        parts = urlsplit(self.url)
        return SinkCapabilities(
            destination=f"woocommerce at {parts.netloc}{parts.path.rstrip('/')}",
            quantity_meaning="available",
            max_rows=self.rows_per_push,
            rows_per_call=self.rows_per_call,
            grouping="by_parent",
            atomicity="row",
            compare_and_set="blind",
            completion="immediate",
            max_in_flight=self.max_in_flight,
            calls_per_second=self.calls_per_second,
            max_quantity=MAX_QUANTITY,
            untracked_policy=self.untracked_policy,
        )

    def remembering(self, _: SourceMemory | None, /) -> Self:
        """Give the sink for one run: it knows at a push which listings share a parent's stock.

        Nothing is kept between runs, since the read that every run makes gives the ids anyway.
        """
        return evolve(self, run=self._new_run())

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read what the shop shows for these SKUs, up to 100 a call, as steps."""
        asked = dict.fromkeys(listing_skus)
        found = yield from self._look_up(asked)
        if self.run is not None:
            self.run.take(asked, found)
        return [self._policy.listing(sku, items) for sku, items in found.items()]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Look the batch's SKUs up, refuse what must not be sent, write the rest; as steps.

        SKUs may change hands between the read and the push, so no id of the read is written to unseen.

        Raises:
            UnauthorizedError: The key was refused, and nothing was written.
            SettingsError: There is no such API at the address.
            TransientError: The shop cannot be reached or asks to come back later, and nothing was written.
        """
        run = self.run or self._new_run()
        asked = dict.fromkeys(one.listing_sku for one in changes)
        run.take(asked, (yield from self._look_up(asked)))
        sorted_out = [self._policy.sort_out(run.found, change) for change in changes]
        rows = [one for one in sorted_out if isinstance(one, Row)]
        contradictions = rows_of.contradicted(self._policy, run.found, rows)
        clear = [row for row in rows if row.target not in contradictions]
        written = yield from write(self._line, self._access, rows_of.entries_of(clear), run.size)
        if written.stopped and not written.anything:
            raise written.stopped
        again = yield from self._follow(clear, written, run)
        sorted_out = [again.get(one, one) if isinstance(one, Row) else one for one in sorted_out]
        return [
            one
            if isinstance(one, PushResult)
            else rows_of.result_of(self._policy, one, contradictions, written)
            for one in sorted_out
        ]

    @property
    def _policy(self) -> Policy:
        return Policy(untracked=self.untracked_policy, parent_stock=self.parent_stock)

    @property
    def _access(self) -> Access:
        return Access(
            site=self.url.rstrip("/"),
            home=(self.home_url or self.url).rstrip("/"),
            key=self.key.reveal(),
            secret=self.secret.reveal(),
            auth=self.auth or ("basic" if self.url.startswith("https://") else "oauth1"),
            timeout=self.timeout,
        )

    @property
    def _line(self) -> Line:
        access = self._access
        return Line(
            account=self.capabilities.destination,
            pace=Pace(per_second=self.calls_per_second, burst=self.max_in_flight),
            retry=self.retry,
            network=self.network,
            judge=access.judge,
            sign=access.sign,
            max_in_flight=self.max_in_flight,
            handler=self.handler,
        )

    def _new_run(self) -> _Run:
        return _Run(CallSize(self.first_call_rows, self.rows_per_call))

    def _look_up(self, skus: Iterable[str]) -> Steps[Found]:
        access = self._access
        calls = [look_up(access, some) for some in look_ups(access, skus, self.max_url_bytes)]
        pages = yield from talk_all(self._line, calls)
        return {sku: items for page in results_of(pages) for sku, items in page.items()}

    def _follow(self, rows: Sequence[Row], written: Written, run: _Run) -> Steps[dict[Row, Row | PushResult]]:
        """Look rows up again, once, whose id the shop does not know where it was; write those that moved."""
        gone = [row for row in rows if _moved(written.answers.get(row.target))]
        skus = {row.change.listing_sku for row in gone}
        if not gone:
            return {}
        try:
            found = yield from self._look_up(skus)
        except OmsyncError:
            # Other rows are written, so their results must be given; what the shop said of these stands.
            return {}
        run.take(skus, found)
        now = {row: self._policy.sort_out(found, row.change) for row in gone}
        moved = [one for one in now.values() if isinstance(one, Row) and one.target not in written.answers]
        second = yield from write(self._line, self._access, rows_of.entries_of(moved), run.size)
        written.answers.update(second.answers)
        written.doubtful.update(second.doubtful)
        written.stopped = written.stopped or second.stopped
        return now


def _moved(said: Answer | OmsyncError | None) -> bool:
    return isinstance(said, Answer) and said.code in MOVED
