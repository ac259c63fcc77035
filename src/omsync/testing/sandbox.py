"""An order manager to try things on: it behaves like the Extensiv Order Manager API, and is yours to break.

``OrderManagerSandbox`` answers requests in the process (``handle``) or over HTTP on loopback (``serve``).

Documented in the vendor's published API description, and done the same way here:

* The endpoints, their parameters, defaults and shapes: ``/v1/warehouses``, ``/v1/warehouse/{id}``,
  ``/v1/saleschannels``, ``/v1.1/products``, ``/v1.1/product``, ``/v1/listings``, ``/v1.1/orders``,
  ``/v1/inventory``, ``/v1/productstocks/total``, ``/v1.1/productstocks/total``,
  ``/v1.2/inventory/acknowledge``, ``/v1/inventory/fba``, ``/v1/throttlelimits`` and ``/v1/companyinfo``.
* Bearer tokens; lists as bare arrays without a total; pages from 1; repeated keys for lists of values;
  0 for "no filter"; moments in UTC with whole seconds and a Z.
* ``sku``, ``mpn`` and ``upc`` of products, ``sku`` of stock records and ``orderNumber`` match by prefix.
* ``/v1/productstocks/total`` counts what is physically there; options of ``/v1.1`` add buildable units.
* ``warehouseStockTotals`` are repeated on every stock row of the warehouse; a product without a stock
  record has no row at all; no stock row says whether its product is active.
* acknowledge is for MANUAL and CUSTOM channels, answers what changed, and says whether pages remain.
* 404 for an object that is not there, 422 for a parameter that is missing or cannot be read.

Seen in clients that ran against the real API:

* 429 carries ``x-skubana-quota-retryAfter`` in whole milliseconds; 401 for a wrong token.
* The older spelling of sales channels, totals without available or allocated units.
* Asking for a bundle's stock records also gives those of its parts, unless ``includeBundledItems=false``.

Assumed, since nothing published says it (your order manager may differ):

* Lists are ordered by id; prefixes ignore letter case, other codes do not; both ends of a span of time are
  included; products come active and inactive unless asked; totals without a warehouse count the active ones.
* Without effect: unknown parameters, ``salesChannelId`` of totals, ``warehouseId`` of products and listings,
  ``fromDate`` and ``toDate`` of acknowledge.
* Values of a list are not split at commas. The bodies of failed reads; 405 for the wrong verb.
* Available = on hand - allocated - locked, and may be negative.
* acknowledge: the memory is kept for each channel; its first call gives every product with a stock record,
  listed there or not; a row is forgotten as soon as it is answered, so a lost answer is lost; page 1 takes
  all that is pending, later pages go on in that list with the figures of the moment; a product whose last
  record was removed is told once more, as 0, one that never had a record never; a changed part also tells
  the bundles with it inside; an unknown or a native channel gets 422.
* A channel's quantity is the sum over its active warehouses that are not excluded, not below 0, times its
  percentage rounded down, at most its maximum. The breakdown shows figures before that. Rules that change
  at the minimum inventory level are not modelled.
* A bundle's buildable units: the scarcest part decides, inner bundles are built too, a negative part makes
  none; they are added to on hand and to available. ``COMPONENT_INVENTORY_ACROSS_WAREHOUSES`` pools parts.
* The unit of ``quotaRestoreRate`` is calls per second.
* A page may hold fewer rows than asked (``page_caps``).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from attrs import frozen

from omsync.checks import shown
from omsync.errors import InvalidValueError, LostAnswerError
from omsync.http.messages import Request, Response
from omsync.testing.catalog import Catalog
from omsync.testing.demo_catalog import demo_merchant
from omsync.testing.faults import Fault, FaultPlan
from omsync.testing.sandbox_endpoints import ROUTES, Route, Rows
from omsync.testing.sandbox_mutations import Mutations
from omsync.testing.sandbox_orders import PlacedOrders
from omsync.testing.sandbox_queries import Query, Refusal
from omsync.testing.sandbox_quirks import quirks
from omsync.testing.sandbox_server import SandboxServer
from omsync.testing.sandbox_state import Store
from omsync.testing.sandbox_throttle import Throttle, Throttles

__all__ = ["Answer", "LoggedRequest", "OrderManagerSandbox"]

_LIMITS = Route("GET", "/v1/throttlelimits", lambda *_: None)
_NOT_PROCESSED = {"refuse_connection_before_processing": "nothing", "hang_before_processing": "never"}
_PROCESSED = {
    "refuse_connection_after_processing": "nothing",
    "hang_after_processing": "never",
    "reset_connection": "reset",
    "cut_connection": "half",
    "slow_drip": "drip",
}
"""By kind of fault, how much of the answer arrives; a call that meets several has the first."""
_ALL = {**ROUTES, _LIMITS.lane: _LIMITS}
_PAGED = [lane for lane, route in ROUTES.items() if route.usual_limit and route.method == "GET"]


class LoggedRequest(NamedTuple):
    """One request that the sandbox got; the status is None when its answer was lost on purpose."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int | None


@frozen(kw_only=True)
class Answer:
    """A response and how much of it arrives.

    ``"whole"``; ``"drip"``, whole and byte by byte; ``"half"``, then the connection ends; ``"reset"``, half
    of it and then a reset; ``"nothing"``, the connection ends at once; ``"never"``, the client waits in vain.
    """

    response: Response
    arrives: str = "whole"


class OrderManagerSandbox(PlacedOrders, Mutations):
    """An order manager that behaves like the Extensiv Order Manager API.

    The module's docstring says which behaviour is documented and which is assumed.

    Args:
        catalog: What it holds; None for ``demo_merchant()``.
        token: The bearer token that it accepts.
        throttle: A ``Throttle`` for every endpoint, or a mapping such as
            ``{"GET /v1/inventory": Throttle(bucket=5, per_second=1)}`` for some; generous when left out.
        page_caps: Rows in a page at most, by path; a larger ``limit`` is quietly lowered.
        faults: What goes wrong, by script.
        old_channel_spelling: Write sales channels as older clients knew them: ``name`` and ``type``.
        totals_without_available: Leave ``availableQuantity`` out of totals.
        totals_without_allocated: Leave ``allocatedQuantity`` out of totals.
        acknowledge_as_object: Answer acknowledge with an object instead of an array of one.
        clock: Tells the time of changes, as an aware datetime. Without it the sandbox has a clock of its own
            that stands at a fixed time and moves one second with each change. Give
            ``lambda: datetime.now(UTC)`` where clients that use the real time read changes incrementally.
        monotonic: Tells the seconds by which quotas are restored.

    Raises:
        InvalidValueError: A fault, limit or cap names an endpoint that does not exist.
    """

    def __init__(
        self,
        catalog: Catalog | None = None,
        *,
        token: str = "sandbox-token",  # noqa: S107  an invented token, published in the documentation
        throttle: Throttle | Mapping[str, Throttle] | None = None,
        page_caps: Mapping[str, int] | None = None,
        faults: Iterable[Fault] = (),
        old_channel_spelling: bool = False,
        totals_without_available: bool = False,
        totals_without_allocated: bool = False,
        acknowledge_as_object: bool = False,
        clock: Callable[[], datetime] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(Store(catalog if catalog is not None else demo_merchant(), clock), threading.RLock())
        self.token = token
        self._page_caps = dict(page_caps or {})
        for path, cap in self._page_caps.items():
            if type(cap) is not int or cap < 1:
                raise InvalidValueError(
                    f"page_caps[{path!r}] must be a whole number from 1, not {shown(cap)}",
                    remedy="Give the rows that a page holds at most.",
                )
        _refuse_unknown("page_caps", self._page_caps, [route.path for route in ROUTES.values()])
        _refuse_unknown("throttle", throttle if isinstance(throttle, Mapping) else (), _ALL)
        self._throttles = Throttles(throttle, _ALL, monotonic)
        self._faults = FaultPlan(_ALL, _PAGED)
        self._faults.add(faults)
        self._quirks = quirks(
            old_channel_spelling=old_channel_spelling,
            totals_without_available=totals_without_available,
            totals_without_allocated=totals_without_allocated,
            acknowledge_as_object=acknowledge_as_object,
        )
        self._log: list[LoggedRequest] = []
        self._server: SandboxServer | None = None

    def __repr__(self) -> str:
        with self._lock:
            return (
                f"<OrderManagerSandbox of {self._store.company}: {len(self._store.products):,} products, "
                f"{len(self._log):,} requests answered>"
            )

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The requests so far, in order, without headers."""
        with self._lock:
            return tuple(self._log)

    def forget_requests(self) -> None:
        """Empty ``requests``, which otherwise grows for as long as the sandbox is used."""
        with self._lock:
            self._log.clear()

    def handle(self, request: Request) -> Response:
        """Answer in the process; only the address's path counts, so any host will do.

        Raises:
            LostAnswerError: A fault lost the answer.
        """
        answer = self.answer(request)
        if answer.arrives not in {"whole", "drip"}:
            raise LostAnswerError(
                f"{request.place}: sent, but no whole answer came back (a scripted fault)",
                remedy="Try again later.",
            )
        return answer.response

    def answer(self, request: Request) -> Answer:
        """Answer, and say how much of it arrives; for servers of your own. Safe to call from threads."""
        path = urlsplit(request.url).path
        with self._lock:
            answer = self._answer(request, path)
            status = answer.response.status if answer.arrives in {"whole", "drip"} else None
            self._log.append(LoggedRequest(request.method, path, request.query, status))
        return answer

    def add_faults(self, *faults: Fault) -> None:
        """Script further faults; they count matching calls from now on."""
        with self._lock:
            self._faults.add(faults)

    def clear_faults(self) -> None:
        """Drop all faults, those that are still to come too."""
        with self._lock:
            self._faults.clear()

    def serve(self) -> SandboxServer:
        """Start a server on loopback; use it as a context manager, or stop it yourself."""
        return SandboxServer(self.answer)

    def start(self) -> SandboxServer:
        """Start the sandbox's own server, once; ``stop()`` ends it."""
        if self._server is None:
            self._server = self.serve()
        return self._server

    def stop(self) -> None:
        """Stop the server that ``start()`` started, if any."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _answer(self, request: Request, path: str) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {self.token}":
            body = {"error": "invalid_token", "error_description": "The access token is missing or invalid"}
            return Answer(response=_response(request, 401, body))
        lane, path_ids = _find(request.method, path)
        if lane is None:
            status = 405 if _find_any(path) else 404
            return Answer(response=_response(request, status, {"message": f"No endpoint {path}"}))
        wait = self._throttles.take(lane)
        if wait:
            more = {"x-skubana-quota-retryafter": str(wait)}
            return Answer(response=_response(request, 429, {"message": "Quota exceeded"}, more))
        return self._processed(request, lane, path_ids)

    def _processed(self, request: Request, lane: str, path_ids: list[int]) -> Answer:
        met = self._faults.meet(lane, request.query)
        kinds = {fault.kind: fault for fault in met}
        not_processed = [how for kind, how in _NOT_PROCESSED.items() if kind in kinds]
        if not_processed:
            return Answer(response=_response(request, 503, None), arrives=not_processed[0])
        for fault in met:
            if fault.kind in {"status", "html"}:
                return Answer(response=_scripted(request, fault))
        try:
            value = self._value(request, lane, path_ids, met)
        except Refusal as refusal:
            return Answer(response=_response(request, refusal.status, {"message": refusal.message}))
        for edit in self._quirks.get(lane, ()):
            value = edit(value)
        for fault in met:
            value = fault.edit(value) if fault.edit else value
        response = _distorted(request, value, kinds)
        arrives = [how for kind, how in _PROCESSED.items() if kind in kinds]
        return Answer(response=response, arrives=arrives[0] if arrives else "whole")

    def _value(self, request: Request, lane: str, path_ids: list[int], met: tuple[Fault, ...]) -> Any:
        if lane == _LIMITS.lane:
            return self._throttles.rows()
        route = ROUTES[lane]
        query = Query(request.query, usual_limit=route.usual_limit, cap=self._page_caps.get(route.path))
        value = route.answer(self._store, query, *path_ids)
        if not isinstance(value, Rows):
            return value
        return [value.write(one) for one in value.found[self._faults.rows(met, lane, query)]]


def _response(
    request: Request, status: int, value: Any, headers: Mapping[str, str] | None = None
) -> Response:
    content = json.dumps(value, separators=(",", ":")).encode()
    return Response(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        content=content,
        place=request.place,
    )


def _distorted(request: Request, value: Any, kinds: Mapping[str, Fault]) -> Response:
    """Give the answer of a call that was carried out, as its faults leave it."""
    if "status_after_processing" in kinds:
        return _scripted(request, kinds["status_after_processing"])
    if "reordered" in kinds and isinstance(value, list):
        value = value[::-1]
    response = _response(request, 200, value)
    if "truncated_json" in kinds:
        half = response.content[: len(response.content) // 2]
        response = Response(status=200, headers=response.headers, content=half, place=request.place)
    return response


def _scripted(request: Request, fault: Fault) -> Response:
    if fault.kind == "html":
        page = fault.body or "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>"
        status, content, kind = fault.status or 200, page, "text/html"
    else:
        status, content, kind = fault.status or 500, fault.body, "application/json"
    headers = {"content-type": kind, **{name.lower(): value for name, value in fault.headers.items()}}
    return Response(status=status, headers=headers, content=content.encode(), place=request.place)


_PATTERNS = [
    (route, re.compile(re.escape(route.path).replace(re.escape("{id}"), r"([0-9]{1,18})")))
    for route in _ALL.values()
]


def _find(method: str, path: str) -> tuple[str | None, list[int]]:
    for route, pattern in _PATTERNS:
        match = pattern.fullmatch(path)
        if match and route.method == method:
            return route.lane, [int(group) for group in match.groups()]
    return None, []


def _find_any(path: str) -> bool:
    return any(pattern.fullmatch(path) for _, pattern in _PATTERNS)


def _refuse_unknown(argument: str, given: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidValueError(
            f"OrderManagerSandbox({argument}=...) names {', '.join(map(repr, unknown))}, which do not exist",
            code="sandbox_unknown",
            remedy=f"Name some of: {', '.join(sorted(known))}.",
        )
