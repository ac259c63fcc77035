"""The order manager as a source: its settings, each of which covers something that the vendor leaves open."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen

from omsync import checks
from omsync.errors import InvalidValueError, SettingsError
from omsync.hints import suggestion
from omsync.http.messages import Handler
from omsync.http.network import Network
from omsync.http.pacing import Pace
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Steps
from omsync.model import InventorySnapshot
from omsync.ports import ReadRequest
from omsync.secrets import Secret, as_secret
from omsync.sources._http import HttpSource
from omsync.sources.extensiv.conversations import Api
from omsync.sources.extensiv.reading import Reading

__all__ = ["PAGE_SIZES", "ExtensivOrderManager", "complete_page_sizes"]

PAGE_SIZES: Mapping[str, int] = checks.FrozenMapping(
    {"products": 100, "listings": 100, "totals": 200, "inventory": 100, "acknowledge": 500}
)
"""Rows in a page: the largest that clients are known to have used; the vendor publishes no maximum."""


def _secret(_: object, __: Attribute[Any], value: object) -> None:
    text = value.reveal() if isinstance(value, Secret) else value
    if type(text) is not str or not text or not text.isascii() or any(map(str.isspace, text)):
        raise InvalidValueError(
            "ExtensivOrderManager.token must be the text of a token, without blanks or line ends",
            code="bad_token",
            remedy="Copy the token again; read it from an environment variable rather than from code.",
        )


def _address(value: Any) -> Any:
    return value.rstrip("/") if isinstance(value, str) else value


def _is_address(_: object, __: Attribute[Any], value: object) -> None:
    if isinstance(value, str) and "@" in urlsplit(value).netloc:
        raise SettingsError(
            "ExtensivOrderManager.base_url holds a user or password",
            code="bad_address",
            remedy="Give the address without; the token is the only credential.",
        )
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise SettingsError(
            f"ExtensivOrderManager.base_url must be a whole address, not {checks.shown(value)}",
            code="bad_address",
            remedy="Use https://api.skubana.com, or https://api.demo.skubana.com for Extensiv's sandbox.",
        )


def complete_page_sizes(value: Mapping[str, int]) -> Mapping[str, int]:
    """Add the usual page sizes to those given.

    Raises:
        SettingsError: One is given for what is not read in pages.
    """
    given = checks.as_mapping(value)
    for name in given:
        if name not in PAGE_SIZES:
            raise SettingsError(
                f"page_sizes has no {name!r}",
                code="unknown_page_size",
                remedy=suggestion(str(name), PAGE_SIZES),
            )
    return checks.as_mapping({**PAGE_SIZES, **given})


@frozen
class ExtensivOrderManager(HttpSource):
    """Reads Extensiv Order Manager (formerly Skubana), by warehouse or by sales channel.

    Args:
        token: The access token of your app. Never shown.
        base_url: The address of its API.
        company: Your name for the account, such as the company's. A token does not tell whose it is; with
            this, a ledger refuses readings under another name until that is confirmed.
        stock: Warehouse mode: ``"totals"`` asks each active warehouse for its totals (larger pages, one row
            for each product), ``"rows"`` asks once for all stock rows.
        channels: Channel mode: the channels to read, by id or exact name; None: all active ones of
            ``acknowledge_types``.
        acknowledge: Channel mode: write ``"exclusive"`` to confirm that nobody else consumes this app's
            changes; the order manager forgets what it has told.
        acknowledge_types: Channel types that the order manager serves changes for.
        page_sizes: Rows in a page, for any of ``products``, ``listings``, ``totals``, ``inventory`` and
            ``acknowledge``. The vendor publishes no maxima; a server that gives fewer does no harm.
        pace: How fast to call until the order manager has told this app's limits, and where it does not.
        ask_limits: Ask for this app's limits at the start of a read, and go as fast as they allow.
        restore_rate_per: The unit of time of the limits' restore rate, which the vendor does not state:
            ``"second"``, ``"minute"`` or ``"hour"``. The hourly ceiling bounds the pace in any case.
        retry: How often and how long to try again after 429, 5xx and broken connections.
        full_pass_every: How often to read products and listings whole, so that deletions show.
        overlap: How much earlier than the last read a list of changes begins.
        resume_within: How old a read that did not finish may be to go on with it: its first figures are as
            old. The default lets the next hourly run go on.
        promise_within: Channel mode: how long the order manager's promise of more pages is trusted, where a
            read stopped between two of them. Too short makes figures doubtful.
        missing_available: Where neither available nor allocated units are reported: ``"refuse"``, or
            ``"on_hand_minus_locked"``, which sells units again that are promised to open orders.
        baseline_from: Channel mode: sent as ``fromDate`` of a channel's first acknowledge, and of the
            next one whenever you change it: the way to be told everything again, if that works.
        replay_window: Channel mode: after a lost answer, ask once more with ``fromDate`` and ``toDate``
            around it. The vendor does not say whether that works.
        shadow: Promise to change nothing in the order manager: with it, channel mode is refused, since
            acknowledge uses up what it answers. For a trial beside a service that lives on it.
        timeout: Seconds to wait for one answer.
        network: What may go over the network, and how much may come back.
        handler: Answers in the process instead of over the network, such as a sandbox's ``handle``.

    Raises:
        InvalidValueError: A setting that breaks its own rules.
        SettingsError: The address is none, or ``page_sizes`` names what there is not.
    """

    token: Secret = field(converter=as_secret, repr=False, validator=_secret)
    base_url: str = field(
        default="https://api.skubana.com", kw_only=True, converter=_address, validator=_is_address
    )
    company: str = field(default="", kw_only=True, validator=checks.any_text)
    stock: str = field(default="totals", kw_only=True, validator=checks.one_of("totals", "rows"))
    channels: frozenset[str] | None = field(
        default=None,
        kw_only=True,
        converter=checks.as_optional_names,
        validator=checks.optional(checks.each(checks.text)),
    )
    acknowledge: str | None = field(
        default=None, kw_only=True, validator=checks.optional(checks.one_of("exclusive"))
    )
    acknowledge_types: frozenset[str] = field(
        default=frozenset({"CUSTOM", "MANUAL"}),
        kw_only=True,
        converter=checks.as_names,
        validator=checks.each(checks.text),
    )
    page_sizes: Mapping[str, int] = field(
        factory=dict,
        kw_only=True,
        converter=complete_page_sizes,
        validator=checks.mapping(checks.text, checks.whole(minimum=1)),
    )
    pace: Pace = field(
        factory=lambda: Pace(per_second=1.0, burst=1), kw_only=True, validator=checks.instance_of(Pace)
    )
    ask_limits: bool = field(default=True, kw_only=True, validator=checks.flag)
    restore_rate_per: str = field(
        default="second", kw_only=True, validator=checks.one_of("second", "minute", "hour")
    )
    retry: RetryPolicy = field(factory=RetryPolicy, kw_only=True, validator=checks.instance_of(RetryPolicy))
    network: Network = field(factory=Network, kw_only=True, validator=checks.instance_of(Network))
    full_pass_every: timedelta = field(
        default=timedelta(days=1), kw_only=True, validator=checks.instance_of(timedelta)
    )
    overlap: timedelta = field(
        default=timedelta(minutes=10), kw_only=True, validator=checks.instance_of(timedelta)
    )
    resume_within: timedelta = field(
        default=timedelta(minutes=90), kw_only=True, validator=checks.instance_of(timedelta)
    )
    promise_within: timedelta = field(
        default=timedelta(hours=6), kw_only=True, validator=checks.instance_of(timedelta)
    )
    missing_available: str = field(
        default="refuse", kw_only=True, validator=checks.one_of("refuse", "on_hand_minus_locked")
    )
    baseline_from: datetime | None = field(
        default=None,
        kw_only=True,
        converter=checks.to_utc,
        validator=checks.optional(checks.moment),
    )
    replay_window: bool = field(default=False, kw_only=True, validator=checks.flag)
    shadow: bool = field(default=False, kw_only=True, validator=checks.flag)
    timeout: float = field(default=60.0, kw_only=True, validator=checks.measure)
    handler: Handler | None = field(default=None, kw_only=True, repr=False)

    @property
    def name(self) -> str:
        """What this is, without secrets."""
        return f"Extensiv Order Manager at {urlsplit(self.base_url).netloc}"

    @property
    def origin(self) -> str:
        """Which account this is, without secrets and the same after a change of the token."""
        company = f", {self.company}" if self.company else ""
        return f"extensiv at {urlsplit(self.base_url).netloc}{company}"

    @property
    def account(self) -> str:
        """Tells accounts apart, without secrets: requests of one account share their pace."""
        digest = hashlib.sha256(f"{self.base_url} {self.token.reveal()}".encode()).hexdigest()
        return f"extensiv {urlsplit(self.base_url).netloc} {digest[:8]}"

    @property
    def api(self) -> Api:
        """The conversations with this account."""
        return Api(
            base_url=self.base_url,
            token=self.token.reveal(),
            page_sizes=self.page_sizes,
            missing_available=self.missing_available,
            timeout=self.timeout,
        )

    def read_steps(self, request: ReadRequest) -> Steps[InventorySnapshot]:
        """Say how to read, as steps for a blocking or an awaiting runner."""
        return (yield from Reading(source=self, request=request).steps())
