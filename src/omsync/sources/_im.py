"""One short conversation for each call of Integration Manager's API, and what its failures mean.

The API answers failures with HTTP 200 too, so every body is asked whether it is a success.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from omsync.errors import (
    DecodeError,
    OmsyncError,
    RefusedError,
    ServerFaultError,
    ThrottledError,
    TransientError,
    UnauthorizedError,
)
from omsync.http.foresight import Allowance, figure
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Verdict, judge, seconds_header
from omsync.sources._im_rows import SkuReading, inventory_page, single_sku

__all__ = ["Api"]

_LANE = "GET /merchant/inventory"
_SECONDS_AFTER_RATE_LIMIT = 15.0
"""The vendor names the bucket's size, 100, and not how fast it leaks."""
_HITS_LEFT = "x-cartrover-api-minute-hits-remaining"

_ABOUT_CREDENTIALS = re.compile(
    r"\bapi[ _-]?(user|key)\b|\b(invalid|wrong|bad|missing|unknown) (credentials?|login|user|key)\b"
    r"|\bauthentication\b|\bun-?authori[sz]ed\b|\bnot authori[sz]ed\b|\baccess denied\b|\bpermissions?\b",
    re.IGNORECASE,
)
"""The vendor has no error code for wrong keys, so the message has to tell."""


@frozen(kw_only=True)
class Api:
    """How one merchant account of Integration Manager is called.

    Args:
        base_url: Without a trailing slash.
        api_user: The user of the key.
        api_key: The key.
        page_size: Rows in a page.
        timeout: Seconds to wait for one answer.
    """

    base_url: str
    api_user: str
    api_key: str = field(repr=False)
    page_size: int
    timeout: float

    def page(self, number: int) -> Conversation[list[SkuReading]]:
        """Ask for one page of all SKUs, counted from 1; an empty one is the end."""
        response = yield self._request("/merchant/inventory", limit=self.page_size, page=number)
        return inventory_page(self._answer(response), _place(response))

    def sku(self, master_sku: str) -> Conversation[SkuReading]:
        """Ask for one SKU."""
        response = yield self._request(f"/merchant/inventory/{quote(master_sku, safe='')}")
        return single_sku(self._answer(response), _place(response), master_sku)

    def judge(self, request: Request, response: Response) -> Verdict:
        """Decide about retrying: RateLimit and Failure may be tried again, whatever the HTTP status."""
        failure = self._failure(response)
        return failure if isinstance(failure, TransientError) else judge(request, response)

    def foresee(self, _: Request, response: Response) -> Allowance | None:
        """Read how many calls are left; when more are is not said, so it takes as long as after a refusal."""
        left = figure(response, _HITS_LEFT)
        return None if left is None else Allowance(left=left, reset=_SECONDS_AFTER_RATE_LIMIT)

    def _request(self, path: str, **query: int) -> Request:
        # As a header, never in the query, where the vendor takes it too: addresses end up in logs.
        pair = base64.b64encode(f"{self.api_user}:{self.api_key}".encode()).decode()
        return Request(
            method="GET",
            url=self.base_url + path,
            query=tuple((name, str(number)) for name, number in query.items()),
            headers={"authorization": f"Basic {pair}"},
            lane=_LANE,
            timeout=self.timeout,
        )

    def _answer(self, response: Response) -> Any:
        failure = self._failure(response)
        if failure is not None:
            raise failure
        status, place = response.status, _place(response)
        if status in {401, 403}:
            raise self._unauthorized(place, f"HTTP {status}")
        if not 200 <= status < 300:  # noqa: PLR2004  the class of successes
            raise RefusedError(
                f"{place}: HTTP {status}: {self._clean(response.excerpt)}",
                remedy="Check base_url; the API answers its own failures with HTTP 200.",
            )
        return response.json()

    def _failure(self, response: Response) -> OmsyncError | None:
        """Give what a body with ``success_code`` false means; None where the body is anything else."""
        try:
            body = response.json()
        except DecodeError:
            return None
        if not isinstance(body, dict) or body.get("success_code") is not False:
            return None
        code, place = body.get("error_code"), _place(response)
        words = [body[name] for name in ("message", "status_message") if isinstance(body.get(name), str)]
        said = self._clean("; ".join(filter(None, words)) or "no reason given")
        if code == "RateLimit":
            return _throttled(response, said)
        if _ABOUT_CREDENTIALS.search(said):
            return self._unauthorized(place, said)
        if code == "Failure":
            return ServerFaultError(
                f"{place}: Integration Manager failed: {said}",
                remedy="Try again later; if it stays, quote the process id to Integration Manager's support.",
            )
        return RefusedError(
            f"{place}: Integration Manager refused ({self._clean(str(code))}): {said}",
            remedy="Correct what the message speaks of; support wants the process id.",
        )

    def _unauthorized(self, place: str, said: str) -> UnauthorizedError:
        return UnauthorizedError(
            f"{place}: Integration Manager does not accept the API user and key: {said}",
            remedy="Check api_user and api_key. A key is made for one level; this must be the merchant's.",
        )

    def _clean(self, text: str) -> str:
        """Take the key out of what the vendor said, should it be echoed."""
        pair = base64.b64encode(f"{self.api_user}:{self.api_key}".encode()).decode()
        return text.replace(pair, "***").replace(self.api_key, "***")[:300]


def _throttled(response: Response, said: str) -> ThrottledError:
    left = response.headers.get(_HITS_LEFT)
    asked = seconds_header(response, "retry-after")
    return ThrottledError(
        f"{_place(response)}: too many calls (RateLimit): {said}"
        + (f"; hits remaining: {left[:20]}" if left else ""),
        retry_after=_SECONDS_AFTER_RATE_LIMIT if asked is None else asked,
        remedy="Lower the pace; whatever else uses this key counts too.",
    )


def _place(response: Response) -> str:
    """Name the request, with the id by which the vendor's support finds it."""
    process = response.headers.get("x-cartrover-process-id")
    return f"{response.place} (process id {process[:60]})" if process else response.place
