"""Tryton's two doors as conversations: JSON-RPC with a session, and REST with a user application key.

Both reach the same methods of the same models, so everything here is said once and worded for either door.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import evolve, field, frozen

from omsync.errors import DecodeError, SettingsError, UnauthorizedError
from omsync.http.messages import Conversation, Request, Response
from omsync.http.retrying import Verdict, judge
from omsync.sinks._http import Wire
from omsync.sources._tryton_answers import refusal, rest_result, rpc_result

__all__ = ["Access", "Records", "count", "log_in", "log_out", "look_around", "page", "tryton_judge"]

_LOGIN = "login"


@frozen(kw_only=True)
class Access:
    """Where a database is, and as whom and in which context it is asked.

    Args:
        url: The server's address, without a trailing slash.
        database: The database's name.
        authorization: The header's value; empty before a login.
        by_key: Whether it is a key, for REST, or a session, for JSON-RPC.
        context: What every question is asked in, such as the company.
        timeout: Seconds to wait for one answer.
    """

    url: str
    database: str
    authorization: str = field(default="", repr=False)
    by_key: bool = False
    context: Mapping[str, Any] = field(factory=dict)
    timeout: float = 60.0

    def ask(self, model: str, method: str, arguments: Mapping[str, Any], **context: Any) -> Request:
        """Make the request that calls a method; the arguments stand in the order of its parameters."""
        whole = {**self.context, **context}
        if not self.by_key:
            return self.call(f"model.{model}.{method}", *arguments.values(), whole)
        return Request(
            method="POST",
            url=f"{self._root}/rest/model/{model}/{method}",
            headers={
                "authorization": self.authorization,
                "x-tryton-context": base64.urlsafe_b64encode(json.dumps(whole).encode()).decode(),
            },
            body=dict(arguments),
            timeout=self.timeout,
        )

    def call(self, name: str, *parameters: Any, lane: str = "default") -> Request:
        """Make the JSON-RPC request; each of ours only reads, so it may be repeated."""
        return Request(
            method="POST",
            url=f"{self._root}/rpc/",
            headers={"authorization": self.authorization} if self.authorization else {},
            body={"id": 1, "method": name, "params": list(parameters)},
            lane=lane,
            timeout=self.timeout,
        )

    def result(self, response: Response, path: str) -> Wire:
        """Give what a call returned, called ``path`` in messages.

        Raises:
            OmsyncError: As ``omsync.sources._tryton_answers`` says.
        """
        if response.status != 200:  # noqa: PLR2004  the status code's own name
            raise refusal(response, database=self.database, by_key=self.by_key)
        return rest_result(response, path) if self.by_key else rpc_result(response, path)

    @property
    def _root(self) -> str:
        return f"{self.url}/{quote(self.database, safe='')}"


@frozen(kw_only=True)
class Records:
    """Records to read: which, what of each, and in which context.

    Args:
        what: What a person calls them.
        model: Tryton's model.
        domain: Which of them, as Tryton writes conditions.
        fields: What to read of each; the id always comes too.
        context: What is added to the context.
    """

    what: str
    model: str
    domain: Sequence[Any]
    fields: tuple[str, ...]
    context: Mapping[str, Any] = field(factory=dict)


def tryton_judge(request: Request, response: Response) -> Verdict:
    """Decide about retrying as usual; the answer to a login is not quoted, as it may echo the password."""
    return judge(request, evolve(response, content=b"") if request.lane == _LOGIN else response)


def log_in(access: Access, user: str, password: str) -> Conversation[Access]:
    """Log in; give the way in with the session. What Tryton says is not quoted: it may echo the password.

    Raises:
        UnauthorizedError: The password is wrong, or is not enough.
        OmsyncError: As for every answer that is no success.
    """
    outside = evolve(access, authorization="")
    response = yield outside.call("common.db.login", user, {"password": password}, "en", lane=_LOGIN)
    if response.status == 401:  # noqa: PLR2004  the status code's own name
        raise UnauthorizedError(
            f"{response.place}: the login of {user!r} was refused (HTTP 401)",
            remedy="Check the user name and the password.",
        )
    if response.status != 200:  # noqa: PLR2004  the status code's own name
        raise refusal(evolve(response, content=b""), database=access.database, by_key=False)
    answer = response.json()
    result = answer.get("result") if isinstance(answer, dict) else None
    match result:
        case [int(user_id), str(session), *_]:
            token = base64.b64encode(f"{user}:{user_id}:{session}".encode(errors="replace")).decode()
            return evolve(access, authorization=f"Session {token}")
        case _:
            raise UnauthorizedError(
                f"{response.place}: the login of {user!r} came to no session",
                code="no_session",
                remedy="A user that needs more than a password cannot be used; give key= instead.",
            )


def log_out(access: Access) -> Conversation[None]:
    """End the session."""
    yield access.call("common.db.logout")


def look_around(access: Access) -> Conversation[Access]:
    """Take over the user's context; make sure that quantities will mean something in it.

    Without a company, or without the context itself, Tryton answers 0.0 for every quantity, and no error.

    Raises:
        SettingsError: The user works for no company, or the context is lost on its way.
    """
    response = yield access.ask("res.user", "get_preferences", {"context_only": True})
    preferences = access.result(response, "preferences")
    company = preferences.get("company")
    if company is None:
        raise SettingsError(
            f"{response.place}: the Tryton user works for no company, and so sees every quantity as 0",
            code="no_company",
            remedy="Choose a company in the user's preferences.",
        )
    number = company.whole()
    within = evolve(access, context=preferences.value)
    if access.by_key:
        response = yield within.ask("stock.move", "default_get", {"fields_names": ["company"]})
        echo = within.result(response, "default").get("company")
        if echo is None or echo.whole() != number:
            raise SettingsError(
                f"{response.place}: the context does not reach Tryton, and without it every quantity is 0",
                code="context_lost",
                remedy="Let the header X-Tryton-Context pass through what is in between, or give user= and "
                "password= instead of key=.",
            )
    return within


def count(access: Access, records: Records) -> Conversation[int]:
    """Ask how many records there are."""
    response = yield access.ask(records.model, "search_count", {"domain": records.domain}, **records.context)
    return access.result(response, f"number of {records.what}").whole()


def page(access: Access, records: Records, *, after: int, limit: int) -> Conversation[list[tuple[int, Wire]]]:
    """Read the next records by id, so that a record made or deleted meanwhile moves none of the others.

    Args:
        access: The way in.
        records: Which.
        after: The last id that is known; -1 at first.
        limit: How many at most.

    Returns:
        Each record's id and the record, ids ascending.

    Raises:
        DecodeError: Among others, an id is not above the one before.
    """
    arguments = {
        "domain": [*records.domain, ["id", ">", after]],
        "offset": 0,
        "limit": limit,
        "order": [["id", "ASC"]],
        "fields_names": list(records.fields),
    }
    response = yield access.ask(records.model, "search_read", arguments, **records.context)
    found: list[tuple[int, Wire]] = []
    for row in access.result(response, records.model).rows():
        number = row.field("id").whole()
        if number <= after:
            raise DecodeError(
                f"{row.place}: {row.path}.id is {number}, and must be above {after}",
                code="pages_repeat",
                remedy="The server ignores what it is asked for; check what stands between here and Tryton.",
            )
        found.append((number, row))
        after = number
    return found
