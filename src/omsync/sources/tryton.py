"""Tryton as an order manager: quantities by warehouse, over JSON-RPC with a login or over REST with a key.

    Tryton("https://erp.example", "acme", user="omsync", password=...)

On hand is what Tryton's warehouse holds now; committed is what open stock moves will take out of it. See
``docs/sources/tryton.md`` for permissions, meanings and limits.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from omsync import checks
from omsync.checks import counted
from omsync.errors import SettingsError
from omsync.http.messages import Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps
from omsync.model import Alias, InventorySnapshot, StockLevel, Warehouse
from omsync.ports import ReadRequest
from omsync.secrets import Secret, as_optional_secret
from omsync.settings import PerSalesChannel
from omsync.sinks._credentials import address, secret
from omsync.sources import _tryton_rows as rows
from omsync.sources._http import HttpSource
from omsync.sources._tryton import Access, Records, tryton_judge
from omsync.sources._tryton_reader import Reader, Rows

__all__ = ["Tryton"]

_log = logging.getLogger("omsync")

_ALL = ["active", "in", [True, False]]
_WAREHOUSES = Records(
    what="warehouses",
    model="stock.location",
    domain=[["type", "=", "warehouse"], _ALL],
    fields=("name", "active"),
)
_PRODUCTS = Records(
    what="products",
    model="product.product",
    domain=[_ALL],
    fields=("code", "name", "active", "type", "template.active", "default_uom.digits", "default_uom.factor"),
)
_PARTS = Records(
    what="kit parts",
    model="product.component",
    domain=[],
    fields=("parent_product", "parent_template", "product", "quantity", "unit.factor"),
)


@frozen
class Tryton(HttpSource):
    """A Tryton database, read by warehouse.

    Args:
        url: The server's address.
        database: The database's name.
        user: The login of a Tryton user, with ``password``.
        password: Its password. Never shown.
        key: A user application key for REST, instead of a login. Never shown.
        aliases: The listings of your sales channels, which Tryton does not keep.
        page_size: Records in one answer.
        pace: How fast to call; Tryton states no limit.
        retry: How often and how long to try again after 429, 5xx and broken connections.
        timeout: Seconds to wait for one answer.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network.

    Raises:
        SettingsError: Not exactly one kind of credential, or an address that cannot be one.

    Source: Tryton's RPC and REST protocols; what they really answer was tried against Tryton 8.2.
    """

    url: str = field(validator=address)
    database: str = field(validator=checks.text)
    user: str | None = field(default=None, kw_only=True, validator=checks.optional(checks.text))
    password: Secret | None = field(
        default=None, kw_only=True, converter=as_optional_secret, repr=False, validator=secret
    )
    key: Secret | None = field(
        default=None, kw_only=True, converter=as_optional_secret, repr=False, validator=secret
    )
    aliases: tuple[Alias, ...] = field(
        default=(),
        kw_only=True,
        converter=checks.as_tuple,
        validator=checks.each(checks.instance_of(Alias)),
    )
    page_size: int = field(default=1000, kw_only=True, validator=checks.whole(minimum=1, maximum=10_000))
    pace: Pace = field(
        factory=lambda: Pace(per_second=20.0, burst=4), kw_only=True, validator=checks.instance_of(Pace)
    )
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    timeout: float = field(default=60.0, kw_only=True, validator=checks.measure)
    handler: Handler | None = field(default=None, kw_only=True, repr=False)

    def __attrs_post_init__(self) -> None:
        given = [name for name in ("key", "user", "password") if getattr(self, name) is not None]
        if given not in (["key"], ["user", "password"]):
            raise SettingsError(
                f"Tryton needs one kind of credential, and was given {' and '.join(given) or 'none'}",
                code="credentials",
                remedy="Give user and password, or key.",
            )

    @property
    def name(self) -> str:
        """What this is, without secrets."""
        return f"Tryton at {urlsplit(self.url).netloc}, database {self.database}"

    @property
    def origin(self) -> str:
        """Which account this is, without secrets and the same after a change of credentials."""
        return f"tryton at {urlsplit(self.url).netloc}, database {self.database}"

    @property
    def account(self) -> str:
        """Tells accounts apart, without secrets: requests of one account share their pace."""
        key = self.key.reveal() if self.key else None
        digest = hashlib.sha256(f"{self.url} {self.database} {self.user} {key}".encode()).hexdigest()
        return f"tryton {urlsplit(self.url).netloc}/{self.database} {digest[:8]}"

    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        """Say how to read, as steps for a blocking or an awaiting runner.

        Moves are read before quantities: what is shipped in between is then missing twice for one read, and
        never offered twice.

        Raises:
            SettingsError: The merchant's mode is by sales channel, or bundle quantities shall be reported.
        """
        _check_mode(request)
        reader = self._reader(request)
        yield from reader.enter()
        found, products = yield from reader.lists([_WAREHOUSES, _PRODUCTS])
        places, known = rows.warehouses(found), rows.catalogue(products)
        _tell_left_out(known)
        parts: Rows = []
        if known.kits:
            _check_bundle_quantities(request)
            (parts,) = yield from reader.lists([_PARTS])
        stock = yield from _stock(reader, known, places)
        yield from reader.leave()
        return InventorySnapshot(
            taken_at=request.now,
            skus=[product.sku for product in known.products.values()],
            aliases=self.aliases,
            warehouses=places,
            bundles=rows.bundles(parts, known),
            levels=stock,
            scope="warehouse",
            bundles_include_buildable="no",
        )

    def _reader(self, request: ReadRequest) -> Reader:
        def report(what: str, done: int, total: int | None) -> None:
            if request.on_progress is not None:
                request.on_progress(what, done, total)

        return Reader(
            line=Line(
                account=self.account,
                pace=self.pace,
                retry=self.retry,
                network=self.network,
                judge=tryton_judge,
                max_in_flight=4,
                handler=self.handler,
            ),
            access=Access(
                url=self.url.rstrip("/"),
                database=self.database,
                authorization=f"Bearer {self.key.reveal()}" if self.key is not None else "",
                by_key=self.key is not None,
                timeout=self.timeout,
            ),
            credentials=None
            if self.key is not None
            else (self.user or "", self.password.reveal() if self.password else ""),
            page_size=self.page_size,
            report=report,
        )


def _stock(reader: Reader, known: rows.Catalogue, places: Sequence[Warehouse]) -> Steps[list[StockLevel]]:
    """Read what active warehouses hold; a switched-off one is never counted, as if it had no records."""
    active = [place for place in places if place.active]
    if not active:
        raise SettingsError(
            "Tryton shows this user no active warehouse",
            code="no_warehouse",
            remedy="Make or activate a warehouse in Tryton, or let the user see it.",
        )
    leaving = yield from reader.lists([_leaving(place, reader.access.context) for place in active])
    holding = yield from reader.lists([_holding(place) for place in active])
    return [
        level
        for place, moves, quantities in zip(active, leaving, holding, strict=True)
        for level in rows.levels(quantities, known, place, rows.committed(moves, known, place))
    ]


def _leaving(warehouse: Warehouse, context: Any) -> Records:
    """Name the moves that will take stock out of a warehouse, whatever their date.

    Moves within it, such as picking, change nothing. Tryton's own forecast is no help: it adds what is
    expected to arrive, and leaves out what should have been shipped already.
    """
    inside = [int(warehouse.id)]
    return Records(
        what=f"open moves out of warehouse {warehouse.id}",
        model="stock.move",
        domain=[
            ["state", "in", ["draft", "assigned"]],
            ["company", "=", context["company"]],
            ["from_location", "child_of", inside, "parent"],
            ["to_location", "not child_of", inside, "parent"],
        ],
        fields=("product", "internal_quantity"),
    )


def _holding(warehouse: Warehouse) -> Records:
    """Name the quantities in a warehouse; ``locations`` in the context is what makes them mean anything."""
    return Records(
        what=f"quantities in warehouse {warehouse.id}",
        model="product.product",
        domain=[_ALL, ["type", "in", list(rows.STOCKED)]],
        fields=("quantity",),
        context={"locations": [int(warehouse.id)]},
    )


def _check_mode(request: ReadRequest) -> None:
    if isinstance(request.merchant.mode, PerSalesChannel):
        raise SettingsError(
            "Tryton keeps no quantities by sales channel",
            code="no_channel_quantities",
            remedy="Use MerchantSettings(mode=PerWarehouse()), and rules to give each cart its share.",
        )


def _check_bundle_quantities(request: ReadRequest) -> None:
    if request.merchant.bundle_quantities == "reported":
        raise SettingsError(
            "What Tryton reports for kits includes units that are promised to open orders",
            code="kits_are_computed",
            remedy="Let omsync compute them: bundle_quantities='auto'.",
        )


def _tell_left_out(known: rows.Catalogue) -> None:
    for ids, why in (
        (known.without_code, "without a code, and nothing can be listed under it"),
        (known.replaced, "inactive, and another one has its code now"),
    ):
        if ids:
            first = ", ".join(map(str, ids[:10]))
            _log.warning(
                "Tryton: %s left out, %s: id %s%s",
                counted(len(ids), "product"),
                why,
                first,
                ", ..." if len(ids) > 10 else "",  # noqa: PLR2004  as many as a line holds
            )
