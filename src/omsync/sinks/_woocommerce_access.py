"""How WooCommerce is spoken to: the address, the three ways of showing a key, and what is tried again."""

from __future__ import annotations

from typing import Any

from attrs import evolve, field, frozen

from omsync.errors import ThrottledError
from omsync.http.messages import Request, Response
from omsync.http.oauth1 import OAuth1
from omsync.http.retrying import Verdict, seconds_header
from omsync.http.retrying import judge as usual_judge
from omsync.sinks._credentials import basic

__all__ = ["ROOT", "Access"]

ROOT = "/wp-json/wc/v3"
_TRY_LATER = 503


@frozen(kw_only=True)
class Access:
    """A shop's API and a key to it.

    Args:
        site: The address that is called, without a slash at its end.
        home: The address that the site is configured with, which signatures are made over.
        key: The consumer key.
        secret: The consumer secret.
        auth: ``"basic"``, ``"query"`` or ``"oauth1"``.
        timeout: Seconds to wait for an answer.
    """

    site: str
    home: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    auth: str
    timeout: float

    @property
    def in_the_clear(self) -> bool:
        """Whether the key itself goes over plain HTTP, which WooCommerce does not look at."""
        return self.auth != "oauth1" and self.site.startswith("http://")

    def read(self, path: str, query: tuple[tuple[str, str], ...]) -> Request:
        """Ask for something."""
        url = f"{self.site}{ROOT}{path}"
        return Request(method="GET", url=url, query=query, timeout=self.timeout, lane="read")

    def update(self, path: str, rows: list[dict[str, Any]]) -> Request:
        """Write a batch.

        One of several rows is not tried again as it is when its answer is lost: it is better cut in half.
        """
        return Request(
            method="POST",
            url=f"{self.site}{ROOT}{path}",
            body={"update": rows},
            timeout=self.timeout,
            lane="write",
            repeatable=len(rows) == 1,
        )

    def sign(self, request: Request) -> Request:
        """Show the key; a signature is good for one try."""
        if self.auth == "basic":
            return evolve(request, headers={**request.headers, "authorization": basic(self.key, self.secret)})
        if self.auth == "query":
            pair = (("consumer_key", self.key), ("consumer_secret", self.secret))
            return evolve(request, query=(*request.query, *pair))
        signer = OAuth1(consumer_key=self.key, consumer_secret=self.secret, place="query")
        signed = signer.sign(evolve(request, url=self.home + request.url.removeprefix(self.site)))
        return evolve(signed, url=request.url)

    def clean(self, response: Response) -> Response:
        """Take the key out of an answer that echoes an address which held it."""
        content = response.content
        for text in (self.secret, self.key):
            content = content.replace(text.encode(), b"***")
        return response if content == response.content else evolve(response, content=content)

    def judge(self, request: Request, response: Response) -> Verdict:
        """Judge as usual; a shop or a host that says when to come back is taken at its word."""
        wait = seconds_header(response, "retry-after")
        if response.status == _TRY_LATER and wait is not None:
            return ThrottledError(
                f"{request.place}: the shop asks to come back in {wait:g} seconds (HTTP 503)",
                retry_after=wait,
                remedy="It is being updated, or its host limits calls: run again later, or lower the pace.",
            )
        return usual_judge(request, self.clean(response))
