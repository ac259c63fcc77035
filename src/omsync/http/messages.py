"""Requests and responses as small frozen values, and conversations made of them.

A conversation is a generator that yields one ``Request`` at a time, receives its ``Response`` and returns
what it learned. It does no I/O, so it serves blocking and async users alike and is tested without a network.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from attrs import evolve, field, frozen

from omsync.checks import shown
from omsync.errors import DecodeError

__all__ = ["Conversation", "Handler", "Request", "Response", "scrubbed"]

T = TypeVar("T")

_LONGEST_QUERY = 300
_SHORTEST_SECRET = 8
"""Shorter values of a signed query, such as its version, are no secrets and stand in many an answer."""
_SECRET_QUERY = re.compile(r"^(oauth_|consumer_)|secret|token|signature|password|api_?key", re.IGNORECASE)


@frozen(kw_only=True)
class Request:
    """What to send.

    Args:
        method: The verb.
        url: The absolute address, without a query.
        query: (name, value) pairs in order; names may repeat.
        headers: Headers of this request. Never shown in a repr, since they carry credentials.
        body: The JSON value to send; ``...`` (an Ellipsis) for no body, since None is a JSON value. Never
            shown in a repr either, since a login carries a password.
        raw: Bytes to send instead of JSON, such as a form; name their kind in a ``content-type`` header.
        lane: Requests of one lane share one pace, such as ``"GET /v1/inventory"``.
        repeatable: Whether sending it twice is harmless. If not, it is sent again only when it is certain
            that the first was not carried out.
        timeout: Seconds to wait for an answer.
    """

    method: str
    url: str = field(repr=lambda url: repr(url.partition("?")[0]))
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: Any = field(default=..., repr=False)
    raw: bytes | None = field(default=None, repr=False)
    lane: str = "default"
    repeatable: bool = True
    timeout: float = 60.0

    @property
    def is_signed(self) -> bool:
        """Whether the address holds a secret, which no log may show: a signature or a key in its query."""
        return "?" in self.url or any(_SECRET_QUERY.search(name) for name, _ in self.query)

    @property
    def place(self) -> str:
        """Where this goes, for messages: verb, address and query; never a header, never a signature."""
        shown_query = [(name, "***" if _SECRET_QUERY.search(name) else value) for name, value in self.query]
        query = f"?{urlencode(shown_query, safe='*')}" if shown_query else ""
        if len(query) > _LONGEST_QUERY:
            query = f"{query[:_LONGEST_QUERY]}..."
        # An address that brings its query along is one that somebody signed for us.
        address, signed, _ = self.url.partition("?")
        return f"{self.method} {address}{'?***' if signed else ''}{query}"

    @property
    def content(self) -> bytes | None:
        """The body as it goes over the wire, or None."""
        if self.raw is not None or self.body is ...:
            return self.raw
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()


@frozen(kw_only=True)
class Response:
    """What came back.

    Args:
        status: The HTTP status.
        headers: Header names in lower case. Never shown in a repr, since some carry a session's token.
        content: The body.
        place: The request's place, for messages.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    content: bytes = b""
    place: str = ""

    def json(self) -> Any:
        """Decode the body.

        Raises:
            DecodeError: It is HTML, cut off, or otherwise no JSON; says which.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise DecodeError(
                f"{self.place}: the answer (HTTP {self.status}) is not JSON: {_what_instead(self.content)}",
                code="not_json",
                remedy="Check the address; a proxy, a login page or a maintenance page may have answered.",
            ) from error

    @property
    def excerpt(self) -> str:
        """The beginning of the body, for messages."""
        return shown(self.content[:200].decode(errors="replace")).removesuffix(" (str)")


def scrubbed(request: Request, response: Response) -> Response:
    """Take the request's credentials out of an answer that echoes them, before anybody quotes it."""
    secrets = {
        value
        for name, value in (*request.query, *_texts_in_body(request))
        if _SECRET_QUERY.search(name) and len(value) >= _SHORTEST_SECRET
    }
    for name, value in request.headers.items():
        if any(word in name.lower() for word in ("authorization", "key", "token", "cookie")):
            secrets |= {value, value.split(" ")[-1], _password_in(value)}
    content = response.content
    for secret in sorted(secrets, key=len, reverse=True):
        for written in (secret, quote(secret, safe="")):
            content = content.replace(written.encode(errors="replace"), b"***") if written else content
    return response if content == response.content else evolve(response, content=content)


def _texts_in_body(request: Request) -> list[tuple[str, str]]:
    """Give the named texts of a form or of a flat JSON object, which is how people log in."""
    if request.raw is not None:
        kinds = [value for name, value in request.headers.items() if name.lower() == "content-type"]
        is_form = any("x-www-form-urlencoded" in kind for kind in kinds)
        return parse_qsl(request.raw.decode(errors="replace")) if is_form else []
    fields = request.body if isinstance(request.body, dict) else {}
    return [(name, value) for name, value in fields.items() if isinstance(value, str)]


def _password_in(authorization: str) -> str:
    """Give the password of HTTP's basic authorization, empty when there is none."""
    kind, _, value = authorization.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _what_instead(content: bytes) -> str:
    begin = content[:200].lstrip().lower()
    if not begin:
        return "it is empty"
    if begin.startswith((b"<!doctype", b"<html", b"<")):
        return "it is HTML or XML"
    if begin[:1] in b"{[":
        return f"it begins like JSON and is broken or cut off after {len(content)} bytes"
    return f"it begins {content[:40]!r}"


Conversation = Generator[Request, Response, T]
Handler = Callable[[Request], Response]
"""A server without a socket: what ``OrderManagerSandbox.handle`` and hand-written fakes are."""
