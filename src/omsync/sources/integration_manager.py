"""Integration Manager (formerly CartRover) as a source: what today's hosted copy believes, read over its API.

It is there for the move away from it: ``omsync.compare`` puts its figures beside those of the order manager.
Everything here is a GET, so a reading never changes, acknowledges or uses up anything; there is no other
mode, and so no setting for it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from omsync import checks
from omsync.errors import DecodeError, InvalidValueError, SettingsError, WrongTypeError
from omsync.http.blocking import Runner
from omsync.http.messages import Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, Steps, talk
from omsync.model import Alias, InventorySnapshot, SalesChannel, Sku, StockLevel, Warehouse
from omsync.ports import ReadRequest
from omsync.secrets import Secret, as_secret
from omsync.settings import PerSalesChannel
from omsync.sources._http import HttpSource
from omsync.sources._im import Api
from omsync.sources._im_rows import PlaceReading, SkuReading, newer

__all__ = ["IntegrationManager", "PlaceReading", "SkuReading"]

MOST_PAGES = 100_000
"""No list is this long; a server that never gives an empty page is one that repeats itself."""

_log = logging.getLogger("omsync")


def _credential(_: object, attribute: Attribute[Any], value: object) -> None:
    text = value.reveal() if isinstance(value, Secret) else value
    wrong = type(text) is not str or not text or not text.isascii() or any(map(str.isspace, text))
    if wrong or (attribute.name == "api_user" and ":" in str(text)):
        raise InvalidValueError(
            f"IntegrationManager.{attribute.name} must be text as its setup page shows it, without blanks",
            code="bad_credential",
            remedy="Copy it again; read it from an environment variable rather than from code.",
        )


def _address(value: Any) -> Any:
    return value.rstrip("/") if isinstance(value, str) else value


def _is_address(_: object, __: Attribute[Any], value: object) -> None:
    if isinstance(value, str) and "@" in urlsplit(value).netloc:
        raise SettingsError(
            "IntegrationManager.base_url holds a user or password",
            code="bad_address",
            remedy="Give the address without; api_user and api_key are the credentials.",
        )
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise SettingsError(
            f"IntegrationManager.base_url must be a whole address, not {checks.shown(value)}",
            code="bad_address",
            remedy="Use https://api.cartrover.com/v1.",
        )


@frozen(kw_only=True)
class IntegrationManager(HttpSource):
    """Reads what Integration Manager holds of a merchant: its products, aliases and figures. GET only.

    Its "warehouses" are warehouses, or sales channels where its own Inventory Sync Mode says so; its API does
    not tell which, so the merchant's ``mode`` does. Bundles are products like others there, with
    their parts' units added already (``bundles_include_buildable="yes"``).

    Args:
        api_user: The user of an API key of the merchant level.
        api_key: The key. Never shown.
        base_url: The address of its API.
        page_size: Rows in a page. The vendor publishes no maximum.
        pace: How fast to call. The vendor's bucket holds 100 calls and leaks at a rate that it does not
            state: half the bucket and one call a second are used.
        retry: How often and how long to try again after RateLimit, Failure, 5xx and broken connections.
        timeout: Seconds to wait for one answer.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network, such as a sandbox's ``handle``.

    Raises:
        InvalidValueError: A setting that breaks its own rules.
        SettingsError: The address is none.

    Source: the vendor's API documentation, and the founding document for bundles and the two modes.
    """

    api_user: str = field(validator=_credential)
    api_key: Secret = field(converter=as_secret, repr=False, validator=_credential)
    base_url: str = field(default="https://api.cartrover.com/v1", converter=_address, validator=_is_address)
    page_size: int = field(default=100, validator=checks.whole(minimum=1))
    pace: Pace = field(
        factory=lambda: Pace.within(bucket=100, per_second=1.0), validator=checks.instance_of(Pace)
    )
    retry: RetryPolicy = field(factory=RetryPolicy, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, validator=checks.instance_of(Network))
    timeout: float = field(default=60.0, validator=checks.measure)
    handler: Handler | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What this is, without secrets."""
        return f"Integration Manager at {urlsplit(self.base_url).netloc}"

    @property
    def origin(self) -> str:
        """Which account this is, without secrets: its address and the key's user."""
        return f"integration manager at {urlsplit(self.base_url).netloc}, user {self.api_user}"

    @property
    def account(self) -> str:
        """Tells accounts apart, without secrets: requests of one account share their pace."""
        digest = hashlib.sha256(
            f"{self.base_url} {self.api_user}:{self.api_key.reveal()}".encode()
        ).hexdigest()
        return f"integration manager {urlsplit(self.base_url).netloc} {digest[:8]}"

    @property
    def api(self) -> Api:
        """The conversations with this account."""
        return Api(
            base_url=self.base_url,
            api_user=self.api_user,
            api_key=self.api_key.reveal(),
            page_size=self.page_size,
            timeout=self.timeout,
        )

    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        """Say how to read, as steps for a blocking or an awaiting runner."""
        found: dict[str, SkuReading] = {}
        first: list[SkuReading] = []
        for page in range(1, MOST_PAGES + 1):
            rows = yield from talk(self._line, self.api.page(page))
            if not rows:
                if request.on_progress is not None:
                    request.on_progress("stock", len(found), len(found))
                return _snapshot(found.values(), request)
            first = first or rows
            known = len(found)
            for row in rows:
                before = found.get(row.master_sku)
                found[row.master_sku] = row if before is None else newer(before, row, page)
            if len(found) == known and len(rows) >= len(first):
                raise DecodeError(
                    f"{self.name}: page {page} only repeats what earlier pages gave",
                    code="pages_repeat",
                    remedy="Something between here and the API drops the page number; check base_url.",
                )
            if request.on_progress is not None:
                request.on_progress("stock", len(found), None)
        raise DecodeError(
            f"{self.name}: no empty page came in {MOST_PAGES:,} pages",
            code="pages_endless",
            remedy="Check base_url and page_size.",
        )

    def read_sku(self, master_sku: str) -> SkuReading:
        """Read one SKU, for a spot check; blocking.

        Args:
            master_sku: The SKU, exactly as the order manager writes it.

        Raises:
            RefusedError: Integration Manager does not know it.
            OmsyncError: The answer is not what is documented, or none came.
        """
        with Runner() as runner:
            return runner.run(self.read_sku_steps(master_sku))

    def read_sku_steps(self, master_sku: str) -> Steps[SkuReading]:
        """Say how to read one SKU, as steps for a blocking or an awaiting runner."""
        if type(master_sku) is not str or not master_sku:
            raise WrongTypeError(f"A SKU is text that is not empty, not {checks.shown(master_sku)}")
        return (yield from talk(self._line, self.api.sku(master_sku)))

    @property
    def _line(self) -> Line:
        return Line(
            account=self.account,
            pace=self.pace,
            retry=self.retry,
            network=self.network,
            judge=self.api.judge,
            foresee=self.api.foresee,
            handler=self.handler,
        )


def _snapshot(readings: Iterable[SkuReading], request: ReadRequest) -> InventorySnapshot:
    """Put the snapshot together. It is as old as the oldest figure in it: those are copies, taken earlier."""
    rows = list(readings)
    names = dict(sorted({place.warehouse_id: place.name for row in rows for place in row.places}.items()))
    nowhere = sorted(row.master_sku for row in rows if not row.places and (row.available or row.on_hand))
    if nowhere:
        _log.warning(
            "Integration Manager has figures of %d products in no warehouse, and they are left out: %s",
            len(nowhere),
            ", ".join(nowhere[:10]),
        )
    by_channel = isinstance(request.merchant.mode, PerSalesChannel)
    return InventorySnapshot(
        taken_at=min([request.now, *(moment for row in rows for moment in row.moments)]),
        skus=[Sku(master_sku=row.master_sku) for row in rows],
        aliases=[
            Alias(name=name, listing_sku=listing_sku, master_sku=row.master_sku)
            for row in rows
            for name, listing_sku in row.aliases
        ],
        warehouses=[] if by_channel else [Warehouse(id=one, name=name) for one, name in names.items()],
        sales_channels=[SalesChannel(id=one, name=name) for one, name in names.items()] if by_channel else [],
        levels=[
            StockLevel(
                master_sku=row.master_sku,
                location_id=place.warehouse_id,
                on_hand=place.on_hand,
                available=place.available,
            )
            for row in rows
            for place in row.places
        ],
        scope="channel" if by_channel else "warehouse",
        bundles_include_buildable="yes",
    )
