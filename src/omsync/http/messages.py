"""Requests and responses as small frozen values, and conversations made of them.

A conversation is a generator that yields one ``Request`` at a time, receives its ``Response`` and returns
what it learned. It does no I/O, so it serves blocking and async users alike and is tested without a network.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from attrs import evolve, field, frozen

from omsync.checks import shown
from omsync.errors import DecodeError, OmsyncError, RefusedError
from omsync.http.decoding import loads

__all__ = ["Conversation", "Handler", "Request", "Response", "hush", "redirected", "scrubbed"]

T = TypeVar("T")

_LONGEST_QUERY = 300
_SHORTEST_SECRET = 8
"""Shorter values of a signed query, such as its version, are no secrets and stand in many an answer."""
_SURELY_A_TOKEN = 10
"""No header's credential that is as long as this stands in the data of an answer by chance."""
_SHORTEST_HIDDEN = 4
"""A shorter text would take letters out of the words of a message, and is no credential."""
_CREDENTIAL = re.compile(r"authorization|key|cookie|(access|auth)[-_]token", re.IGNORECASE)
_CREDENTIAL_OR_ALIKE = re.compile(r"authorization|key|cookie|token", re.IGNORECASE)
"""A token that is no credential, such as a channel's, may come back as data."""
_PASSWORD = re.compile(r"secret|passw", re.IGNORECASE)
_OAUTH1 = re.compile(r'oauth_(?:consumer_key|token|signature)="([^"]+)"')
_JSON = (b"{", b"[", b'"')
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
        timeout: Seconds within which the whole answer must have come.
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
        secrets: What the request held that no message may quote, whatever this answer repeats.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    content: bytes = b""
    place: str = ""
    secrets: frozenset[str] = field(default=frozenset(), repr=False, eq=False)
    _decoded: Any = field(default=..., init=False, repr=False, eq=False)

    def json(self) -> Any:
        """Decode the body, once: whoever asks again is given the same value, to read only.

        Raises:
            DecodeError: It is HTML, cut off, or otherwise no JSON; says which.
        """
        if self._decoded is not ...:
            return self._decoded
        with contextlib.suppress(ValueError, RecursionError):
            value = loads(self.content)
            object.__setattr__(self, "_decoded", value)
            return value
        # Not from the decoder's own error, which holds the whole answer and whatever that echoes.
        raise DecodeError(
            f"{self.place}: the answer (HTTP {self.status}) is not JSON: {_what_instead(self.content)}",
            code="not_json",
            remedy="Check the address; a proxy, a login page or a maintenance page may have answered.",
        )

    @property
    def excerpt(self) -> str:
        """The beginning of the body, for messages."""
        return shown(self.content[:200].decode(errors="replace")).removesuffix(" (str)")


def scrubbed(request: Request, response: Response) -> Response:
    """Take the request's credentials out of an answer that echoes them, before anybody quotes it.

    From JSON that tells of success only passwords and long credentials are taken: a short text is data there,
    and so is a token that is given back to be used again. What stays is named in the answer's ``secrets``, so
    that ``hush`` takes it out of an error about this answer.
    """
    credentials = _in_headers(request, _CREDENTIAL)
    named = _named(request, _SECRET_QUERY)
    if response.status < 300 and response.content.lstrip()[:1] in _JSON:  # noqa: PLR2004  the class of successes
        taken = {part for part in credentials if len(part) >= _SURELY_A_TOKEN} | _named(request, _PASSWORD)
    else:
        headers = _in_headers(request, _CREDENTIAL_OR_ALIKE)
        taken = {*headers, *map(_password_in, headers)} | named
    content = response.content
    for secret in sorted(taken, key=len, reverse=True):
        for written in _written(secret):
            content = content.replace(written.encode(errors="replace"), b"***") if written else content
    secrets = frozenset({*credentials, *map(_password_in, credentials)} | named) - {""}
    return evolve(response, content=content, secrets=secrets)


def hush(error: OmsyncError, secrets: Collection[str]) -> None:
    """Take secrets out of an error's sentences, those too that were cut off ("begins like th...")."""

    def hidden(text: str) -> str:
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) < _SHORTEST_HIDDEN:
                continue
            for written in _written(secret):
                text = text.replace(written, "***")
                for end in range(len(written) - 1, _SHORTEST_HIDDEN - 1, -1) if "..." in text else ():
                    text = text.replace(f"{written[:end]}...", "***...")
        return text

    error.message = hidden(error.message)
    error.remedy = hidden(error.remedy)
    error.problems = tuple(map(hidden, error.problems))
    error.args = tuple(hidden(one) if isinstance(one, str) else one for one in error.args)


def _written(secret: str) -> dict[str, None]:
    """Give the ways in which an answer may repeat a secret: plain, in an address, in JSON, in PHP's JSON."""
    in_json = json.dumps(secret)[1:-1]
    ways = (secret, quote(secret, safe="", errors="replace"), in_json, in_json.replace("/", "\\/"))
    return dict.fromkeys(ways)


def _in_headers(request: Request, credential: re.Pattern[str]) -> list[str]:
    """Give what headers hold under the name of a credential, whole and in the parts that are worth hiding."""
    return [
        part
        for name, value in request.headers.items()
        if credential.search(name)
        for part in (value, value.split(" ")[-1], *map(unquote, _OAUTH1.findall(value)))
    ]


def redirected(request: Request, response: Response) -> RefusedError:
    """Give the error for an answer that points elsewhere; it is not followed, so nothing goes there."""
    try:
        said = urlsplit(response.headers.get("location", ""))
    except ValueError:  # no address at all, such as http://[
        said = urlsplit("")
    # Neither user nor query, which may hold what was meant for one address only; nor an echo in the rest.
    address = urlunsplit((said.scheme, said.netloc.rpartition("@")[2], said.path, "", ""))
    there = scrubbed(request, Response(status=response.status, content=address.encode(errors="replace")))
    return RefusedError(
        f"{request.place}: HTTP {response.status}: it points elsewhere: {there.excerpt}",
        code="redirected",
        remedy="It was not followed. Give the address that the system really has, https:// included.",
    )


def _named(request: Request, secret: re.Pattern[str]) -> set[str]:
    """Give what the query or the body holds under the name of a secret."""
    return {
        value
        for name, value in (*request.query, *_texts_in_body(request))
        if secret.search(name) and len(value) >= _SHORTEST_SECRET
    }


def _texts_in_body(request: Request) -> list[tuple[str, str]]:
    """Give the named texts of a form or of a JSON object, which is how people log in."""
    if request.raw is not None:
        kinds = [value for name, value in request.headers.items() if name.lower() == "content-type"]
        is_form = any("x-www-form-urlencoded" in kind for kind in kinds)
        return parse_qsl(request.raw.decode(errors="replace")) if is_form else []
    return list(_texts_in(request.body))


def _texts_in(value: Any) -> Iterator[tuple[str, str]]:
    """Give the named texts of an object and of those within it, such as a mutation's variables."""
    for name, member in value.items() if isinstance(value, dict) else ():
        yield from [(name, member)] if isinstance(member, str) else _texts_in(member)


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
