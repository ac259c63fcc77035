"""Saleor 3: quantities go to stocks (variant and warehouse) through the GraphQL API.

    Saleor("https://shop.example/graphql/", token="...", warehouse="default-warehouse")

Saleor's quantity counts units that are allocated to open orders, so a listing shows both and what is sent is
the units available plus the allocated ones. See ``docs/carts/saleor.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from attrs import field, frozen

from omsync import checks
from omsync.errors import OmsyncError, RefusedError, SettingsError, UnauthorizedError
from omsync.http.messages import Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk, talk_all
from omsync.ports import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.secrets import Secret, as_secret
from omsync.sinks import _saleor as api
from omsync.sinks._credentials import address, given, secret
from omsync.sinks._http import Paging, SteppedSink, accepted, packed, refused, results_of
from omsync.sinks._rows import failed

__all__ = ["Saleor"]

_MAX_QUANTITY = 2**31 - 1
"""GraphQL's Int; Saleor answers HTTP 400 for more."""


@frozen(kw_only=True)
class _Ready:
    """A change whose variant and warehouse are known."""

    change: QuantityChange
    variant: api.Variant
    warehouse_id: str

    @property
    def row(self) -> api.Row:
        return api.Row(
            variant_id=self.variant.id, warehouse_id=self.warehouse_id, quantity=self.change.quantity
        )

    @property
    def target(self) -> tuple[str, str]:
        return self.variant.id, self.warehouse_id


@frozen
class Saleor(SteppedSink):
    """A Saleor shop.

    Args:
        url: The address of its GraphQL API, such as ``https://shop.example/graphql/``.
        token: An app's token with the permission MANAGE_PRODUCTS.
        warehouse: Id, slug or exact name of the warehouse for rows that name none; None for the only one.
        error_policy: What the shop does with a batch that has a bad row: ``"REJECT_FAILED_ROWS"`` or
            ``"IGNORE_FAILED"`` (the good rows are written) or ``"REJECT_EVERYTHING"`` (they are sent again).
        untracked_policy: When the shop does not track a variant's stock: ``"skip"``, ``"track"`` (switch
            tracking on) or ``"error"``.
        lists_all: Whether a read also pages through all other variants, 100 a call, to count those that only
            the cart has.
        rows_per_push: Rows in one push; Saleor states no limit.
        calls_per_second: Calls a second at most; Saleor states no limit.
        retry: How often and how long to try again.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: An address or a token that cannot be one.

    Source: Saleor's API reference, for ``stockBulkUpdate`` and ``productVariantStocksUpdate``.
    """

    url: str = field(validator=address)
    token: Secret = field(kw_only=True, converter=as_secret, repr=False, validator=[given, secret])
    warehouse: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    error_policy: str = field(
        default="REJECT_FAILED_ROWS",
        kw_only=True,
        validator=checks.one_of("REJECT_FAILED_ROWS", "IGNORE_FAILED", "REJECT_EVERYTHING"),
    )
    untracked_policy: str = field(
        default="skip", kw_only=True, validator=checks.one_of("skip", "track", "error")
    )
    lists_all: bool = field(default=True, kw_only=True, validator=checks.flag)
    rows_per_push: int = field(default=200, kw_only=True, validator=checks.whole(minimum=1))
    calls_per_second: float = field(
        default=10.0, kw_only=True, validator=[checks.instance_of(int, float), checks.measure]
    )
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    handler: Handler | None = field(default=None, kw_only=True, repr=False)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What Saleor can do."""
        return SinkCapabilities(
            destination=f"saleor at {urlsplit(self.url).netloc}",
            quantity_meaning="on_hand",
            lists_all=self.lists_all,
            locations="optional",
            max_rows=self.rows_per_push,
            atomicity="row",
            compare_and_set="blind",
            completion="immediate",
            max_in_flight=1,
            calls_per_second=self.calls_per_second,
            max_quantity=_MAX_QUANTITY,
            untracked_policy=self.untracked_policy,
        )

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:
        """Read what the shop holds at every warehouse, as steps.

        A variant without a stock at a warehouse has 0 there, since a push makes it. Each figure is given
        under every name of its warehouse (id, slug, exact name), and under None for the sink's own.
        """
        shop = yield from talk(self._line, api.look_around(self._access))
        target = self._target(shop)
        asked = yield from self._find(listing_skus)
        shown = [listing for variant in asked.values() for listing in self._listings(shop, target, variant)]
        if not self.lists_all:
            return shown
        others = yield from self._names()
        return shown + [
            CartListing(listing_sku=variant.sku, state="listed" if variant.tracked else "untracked")
            for variant in others
            if variant.sku and variant.sku not in asked
        ]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Look the batch's SKUs up, refuse what must not be sent, write the rest; as steps.

        Raises:
            SettingsError: A row names no warehouse and the shop has several, or the sink's is unknown.
            RefusedError: The shop refused the batch, and nothing of it was written.
            TransientError: Nobody knows whether the batch was written.
        """
        if not changes:
            return []
        shop = yield from talk(self._line, api.look_around(self._access))
        target = self._target(shop)
        if target is None and any(change.location_id is None for change in changes):
            raise SettingsError(
                f"{self.capabilities.destination} has no single warehouse, and rows name none; "
                f"it has {shop.choices}",
                code="choose_cart_location",
                remedy="Give Saleor(warehouse=...) one of them, or send a breakdown with a location_map.",
            )
        found = yield from self._find([change.listing_sku for change in changes])
        sorted_out = [self._sort_out(shop, target, found, change) for change in changes]
        rows = [one for one in sorted_out if isinstance(one, _Ready)]
        wanted = {(one.target, one.change.quantity) for one in rows}
        several = {target for target, times in Counter(key for key, _ in wanted).items() if times > 1}
        answers = yield from self._write([one for one in rows if one.target not in several])
        return [one if isinstance(one, PushResult) else _result(one, several, answers) for one in sorted_out]

    @property
    def _line(self) -> Line:
        return Line(
            account=self.capabilities.destination,
            pace=Pace(per_second=self.calls_per_second),
            retry=self.retry,
            network=self.network,
            max_in_flight=2,
            handler=self.handler,
        )

    @property
    def _access(self) -> api.Access:
        return api.Access(url=self.url, token=self.token.reveal())

    def _target(self, shop: api.Shop) -> str | None:
        if self.warehouse is None:
            return next(iter(shop.warehouses)) if len(shop.warehouses) == 1 else None
        target = shop.names.get(self.warehouse)
        if target is None:
            raise SettingsError(
                f"{self.capabilities.destination} has no one warehouse {self.warehouse!r}; "
                f"it has {shop.choices}",
                code="unknown_cart_location",
                remedy="Give the id, the slug or the exact name of one of them.",
            )
        return target

    def _find(self, skus: Sequence[str]) -> Steps[dict[str, api.Variant]]:
        pages = packed(dict.fromkeys(skus), lambda _: 1, room=api.PAGE)
        found = yield from talk_all(self._line, [api.find(self._access, page) for page in pages])
        return {variant.sku: variant for page in results_of(found) for variant in page}

    def _names(self) -> Steps[list[api.Variant]]:
        everything: list[api.Variant] = []
        paging = Paging()
        after: str | None = None
        while True:
            page, cursor = yield from talk(self._line, api.name_page(self._access, after))
            everything += page
            after = paging.after(cursor, new=len(page), place=self.url)
            if after is None:
                return everything

    def _listings(self, shop: api.Shop, target: str | None, variant: api.Variant) -> Iterator[CartListing]:
        own = [] if target is None else [(None, target)]
        for named, warehouse_id in (*own, *shop.names.items()):
            level = variant.levels.get(warehouse_id, api.Level())
            yield CartListing(
                listing_sku=variant.sku,
                location_id=named,
                quantity=level.quantity,
                allocated=level.allocated,
                state="listed" if variant.tracked else "untracked",
                same_as=warehouse_id if named != warehouse_id else None,
            )

    def _sort_out(
        self, shop: api.Shop, target: str | None, found: Mapping[str, api.Variant], change: QuantityChange
    ) -> _Ready | PushResult:
        """Give the row to write, or the reason why it is not sent."""
        wanted = change.location_id
        warehouse_id = target if wanted is None else shop.names.get(wanted)
        if warehouse_id is None:
            return refused(change, "unknown_location", f"no one warehouse is {wanted!r}: {shop.choices}")
        if change.quantity > _MAX_QUANTITY:
            return refused(change, "out_of_range", f"{change.quantity} is more than {_MAX_QUANTITY}")
        variant = found.get(change.listing_sku)
        if variant is None:
            return refused(change, "not_in_cart", f"no variant has the SKU {change.listing_sku!r}")
        if not variant.tracked and self.untracked_policy != "track":
            message = "the shop does not track this variant's stock, so a quantity would have no effect"
            status = "skipped" if self.untracked_policy == "skip" else "rejected"
            return refused(change, "untracked_in_cart", message, status=status)
        return _Ready(change=change, variant=variant, warehouse_id=warehouse_id)

    def _write(self, rows: Sequence[_Ready]) -> Steps[dict[tuple[str, str], api.Answer | OmsyncError]]:
        """Write all rows; give by target what came of each. Raises only while nothing is written."""
        answers: dict[tuple[str, str], api.Answer | OmsyncError] = {}
        tracked = yield from self._track(rows, answers)
        there = [one for one in tracked if one.warehouse_id in one.variant.levels]
        if there:
            (written,) = yield from talk_all(
                self._line, [api.update(self._access, [one.row for one in there], self.error_policy)]
            )
            if isinstance(written, OmsyncError):
                if not answers:
                    raise written
                answers.update((one.target, written) for one in there)
            else:
                answers.update((one.target, said) for one, said in zip(there, written, strict=True))
        missing = {one.target: one for one in tracked if one.warehouse_id not in one.variant.levels}
        missing |= {
            one.target: one
            for one in there
            if isinstance(said := answers[one.target], api.Answer) and said.code == "NOT_FOUND"
        }
        yield from self._make(list(missing.values()), answers)
        return answers

    def _track(
        self, rows: Sequence[_Ready], answers: dict[tuple[str, str], api.Answer | OmsyncError]
    ) -> Steps[list[_Ready]]:
        """Switch tracking on where it is off and the policy says so; give the rows that may be written."""
        off = {one.variant.id for one in rows if not one.variant.tracked}
        said = yield from talk_all(
            self._line, [api.track(self._access, variant_id) for variant_id in sorted(off)]
        )
        not_tracked = {
            variant_id: answer
            for variant_id, answer in zip(sorted(off), said, strict=True)
            if isinstance(answer, OmsyncError) or answer.code
        }
        answers.update(
            (one.target, not_tracked[one.variant.id]) for one in rows if one.variant.id in not_tracked
        )
        return [one for one in rows if one.variant.id not in not_tracked]

    def _make(
        self, rows: Sequence[_Ready], answers: dict[tuple[str, str], api.Answer | OmsyncError]
    ) -> Steps[None]:
        """Write the rows whose stocks are not there yet, one variant a call."""
        by_variant: dict[str, list[_Ready]] = {}
        for one in rows:
            by_variant.setdefault(one.variant.id, []).append(one)
        made = yield from talk_all(
            self._line,
            [
                api.upsert(self._access, variant_id, [one.row for one in several])
                for variant_id, several in by_variant.items()
            ],
        )
        errors = [said for said in made if isinstance(said, OmsyncError)]
        if errors and len(errors) == len(made) and not answers and _concerns_all(errors[0]):
            raise errors[0]
        for several, said in zip(by_variant.values(), made, strict=True):
            if isinstance(said, OmsyncError):
                answers.update((one.target, said) for one in several)
            else:
                answers.update((one.target, answer) for one, answer in zip(several, said, strict=True))


def _concerns_all(error: OmsyncError) -> bool:
    return not isinstance(error, RefusedError) or isinstance(error, UnauthorizedError)


def _result(
    one: _Ready,
    several: set[tuple[str, str]],
    answers: Mapping[tuple[str, str], api.Answer | OmsyncError],
) -> PushResult:
    if one.target in several:
        message = "several rows of this push give this variant and warehouse different quantities"
        return refused(one.change, "contradiction", message)
    answer = answers[one.target]
    if isinstance(answer, OmsyncError):
        return failed(one.change, answer)
    if answer.quantity is not None:
        return accepted(one.change, answer.quantity)
    if answer.code in {"not_written", "not_echoed"}:
        return refused(one.change, "not_echoed", answer.message, status="pending")
    reason = answer.code if answer.code == "untracked_in_cart" else "row_refused"
    return refused(one.change, reason, f"{answer.message} ({answer.code})")
