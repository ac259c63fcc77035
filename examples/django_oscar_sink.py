"""Write your own sink: django-oscar as a cart, in one file. ``docs/writing-adapters.md`` goes through it.

    DjangoOscar("https://shop.example/api", username="stock", password="...", partner="west")

A quantity lives on a stock record: one product at one partner, under the partner's SKU. Oscar counts units
of open orders apart, so what is sent is on hand. It needs django-oscar-api, its admin API let through, and
a staff user who may view partners, product classes and products, and change stock records.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from omsync import CartListing, PushResult, QuantityChange, SinkCapabilities
from omsync.errors import RefusedError, SettingsError, UnauthorizedError
from omsync.sinks.writing import (
    Conversation,
    Line,
    Request,
    SteppedSink,
    Steps,
    Wire,
    accepted,
    address,
    basic,
    one_by_one,
    refused,
    secret,
    talk,
)


@frozen(kw_only=True)
class Record:
    """A stock record: units of one product at the partner, and whether they decide what can be bought."""

    id: str
    on_hand: int
    allocated: int
    tracked: bool


@frozen(kw_only=True)
class Shop:
    """The conversations with one shop; nothing here sends anything."""

    api: str
    headers: dict[str, str] = field(repr=False)  # they carry the password

    def ask(self, method: str, path: str, body: object = ...) -> Conversation[Wire]:
        """Ask one thing; give the answer, or raise what its status means."""
        response = yield Request(method=method, url=self.api + path, headers=self.headers, body=body)
        said = f"{response.place}: HTTP {response.status}: {response.excerpt}"
        if response.status in {401, 403}:
            raise UnauthorizedError(said, remedy="Check the password, and the staff user's permissions.")
        if response.status != 200:
            raise RefusedError(said, remedy="Check the address; it ends where admin/products/ would begin.")
        return Wire(value=response.json(), path="answer", place=response.place)

    def records(self, partner: str) -> Conversation[dict[str, list[Record]]]:
        """Read the partner's stock records: the whole list, since the API finds no SKU and has no pages."""
        partners = (yield from self.ask("GET", "partners/")).rows()
        urls = {row.field("code").text(): row.field("url").text() for row in partners}
        if partner not in urls:
            raise SettingsError(f"The shop has no partner {partner!r}; it has {', '.join(urls) or 'none'}")
        classes = (yield from self.ask("GET", "productclasses/")).rows()
        tracks = {row.field("slug").text(): row.field("track_stock").flag() for row in classes}
        answer = yield from self.ask("GET", "products/")
        products = {row.field("id").whole(): row for row in answer.rows()}
        records: dict[str, list[Record]] = {}  # by SKU, compared exactly
        for product in products.values():
            for row in product.field("stockrecords").rows():
                sku = row.field("partner_sku").text()
                if sku and row.field("partner").text() == urls[partner]:
                    parent = product.get("parent")  # a variant has its class from there
                    head = products.get(parent.whole(), product) if parent else product
                    on_hand, allocated = row.get("num_in_stock"), row.get("num_allocated")
                    record = Record(
                        id=row.field("url").text().rstrip("/").rpartition("/")[2],
                        on_hand=on_hand.whole() if on_hand else 0,  # Oscar, too, takes null for 0
                        allocated=allocated.whole() if allocated else 0,
                        tracked=tracks[head.field("product_class").one_of(*tracks)],
                    )
                    records.setdefault(sku, []).append(record)
        return records

    def write(self, records: dict[str, list[Record]], change: QuantityChange) -> Conversation[PushResult]:
        """Write one row, or say why not."""
        found = records.get(change.listing_sku, [])
        if len(found) != 1:
            reason = "duplicate_in_cart" if found else "not_in_cart"
            return refused(change, reason, f"{len(found)} stock records have this SKU")
        if not found[0].tracked:
            return refused(change, "untracked_in_cart", "its class does not track stock", status="skipped")
        body = {"num_in_stock": change.quantity}
        answer = yield from self.ask("PATCH", f"stockrecords/{found[0].id}/", body)
        return accepted(change, echo=answer.field("num_in_stock").whole())


@frozen
class DjangoOscar(SteppedSink):
    """A django-oscar shop, as one partner's stock; ``url`` is where its API begins."""

    url: str = field(validator=address)
    username: str = field(kw_only=True, validator=secret)
    password: str = field(kw_only=True, repr=False, validator=secret)
    partner: str = field(kw_only=True)
    line: Line = field(kw_only=True, repr=False)  # pace and retries; in tests, a handler

    @line.default
    def _its_own_line(self) -> Line:
        return Line(account=self.capabilities.destination)

    @property
    def capabilities(self) -> SinkCapabilities:
        """What Oscar can do."""
        return SinkCapabilities(
            destination=f"django-oscar at {self.url}, partner {self.partner}",
            quantity_meaning="on_hand",
            lists_all=True,
            max_rows=200,  # each push reads the whole list once, and then writes so many rows
            atomicity="row",
            max_quantity=2**31 - 1,
        )

    def read_steps(self, listing_skus: Sequence[str], /) -> Steps[list[CartListing]]:  # noqa: ARG002  it lists all
        """Give everything that the partner has."""
        records = yield from talk(self.line, self._shop.records(self.partner))
        return [
            CartListing(
                listing_sku=sku,
                quantity=found[0].on_hand,
                allocated=found[0].allocated,
                state="duplicate" if len(found) > 1 else "listed" if found[0].tracked else "untracked",
            )
            for sku, found in records.items()
        ]

    def push_steps(self, changes: Sequence[QuantityChange], /) -> Steps[list[PushResult]]:
        """Write row by row; rows stand alone."""
        records = yield from talk(self.line, self._shop.records(self.partner))
        return (yield from one_by_one(self.line, changes, lambda row: self._shop.write(records, row)))

    @property
    def _shop(self) -> Shop:
        login = {"authorization": basic(self.username, self.password)}
        return Shop(api=f"{self.url.rstrip('/')}/admin/", headers=login)
