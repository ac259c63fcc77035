"""A Vendure shop on the bench, the fake one or a real one: how it is spoken to past the sink."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from omsync.http.blocking import Runner
from omsync.http.messages import Conversation, Handler, Request, Response
from omsync.http.retrying import RetryPolicy
from omsync.http.steps import Line, talk
from omsync.http.tokens import TokenKeeper
from omsync.ports import CartListing, PushResult, QuantityChange
from omsync.sinks import _vendure as api
from omsync.sinks._vendure_answers import judge
from omsync.sinks.vendure import Vendure

__all__ = ["ONCE", "Bench", "change", "entry", "figures", "outcomes", "states"]

T = TypeVar("T")

AT_ONCE = RetryPolicy(attempts=2, first_wait=0.0, max_wait=0.0)
ONCE = RetryPolicy(attempts=1)
LEVELS = """query($skus: [String!]!) { productVariants(options: {filter: {sku: {in: $skus}}}) {
  items { sku stockLevels { stockLocationId stockOnHand } } } }"""

RENAME = "mutation($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { sku } }"


class Bench(ABC):
    """A shop with the stock that ``tests/vendure/shop/seed.py`` describes.

    Args:
        facts: What that gives: address, credentials, ids.
        handler: How sinks reach it; None for the network.
    """

    def __init__(self, facts: Mapping[str, Any], handler: Handler | None) -> None:
        self.facts = facts
        self.handler = handler
        self.main: str = facts["main"]["id"]
        self.east: str = facts["east"]["id"]
        self.variants: Mapping[str, str] = facts["variants"]
        self.login = {"username": "superadmin", "password": "superadmin"}
        self._sessions = TokenKeeper()
        self._admin: api.Access | None = None

    @abstractmethod
    def send(self, request: Request) -> Response:
        """Carry out one request."""

    @abstractmethod
    def order(self, sku: str, units: int) -> None:
        """Buy units, to the paid order."""

    @property
    def access(self) -> api.Access:
        """The way to the Admin API, without credentials."""
        return api.Access(url=f"{self.facts['url']}/admin-api")

    @property
    def admin(self) -> api.Access:
        """The same, as the administrator who may do everything."""
        if self._admin is None:
            token = self.hold(api.log_in(self.access, **self.login))
            self._admin = self.access.plus(authorization=f"Bearer {token.value.reveal()}")
        return self._admin

    def hold(self, conversation: Conversation[T]) -> T:
        """Hold one conversation with the shop, with the sink's own judgement of answers."""
        line = Line(account="by hand", retry=ONCE, judge=judge, handler=self.handler)
        with Runner() as runner:
            return runner.run(talk(line, conversation))

    def ask(self, query: str, access: api.Access | None = None, **variables: Any) -> Any:
        """Carry out one operation and give the whole answer, errors included."""
        return self.send((access or self.admin).ask(query, **variables)).json()

    def log_out(self) -> None:
        """Log the administrator out: the shop ends all of its sessions, those of sinks too."""
        assert self.ask("mutation { logout { success } }") == {"data": {"logout": {"success": True}}}
        self._admin = None

    def levels(self, skus: Sequence[str]) -> dict[tuple[str, str], int]:
        """Look up, past the sink, what is on hand, by SKU and location id."""
        rows = self.ask(LEVELS, skus=list(skus))["data"]["productVariants"]["items"]
        return {
            (row["sku"], level["stockLocationId"]): level["stockOnHand"]
            for row in rows
            for level in row["stockLevels"]
        }

    def on_hand(self, sku: str, place: str | None = None) -> int | None:
        """Look one level up: at the main location when left out; None where there is none."""
        return self.levels([sku]).get((sku, place or self.main))

    def rename(self, old: str, new: str) -> None:
        """Give a variant another SKU."""
        (variant,) = self.hold(api.identify(self.admin, [old]))
        answer = self.ask(RENAME, input=[{"id": variant.id, "sku": new}])
        assert answer["data"]["updateProductVariants"] == [{"sku": new}]

    @contextlib.contextmanager
    def renamed(self, names: Mapping[str, str]) -> Iterator[None]:
        """Give variants other SKUs for a while."""
        for old, new in names.items():
            self.rename(old, new)
        try:
            yield
        finally:
            for old, new in names.items():
                self.rename(new, old)

    def sink(self, **options: Any) -> Vendure:
        """Make a sink for the eastern warehouse; a login shared by all tests, unless told otherwise."""
        usual = {
            "url": self.facts["url"],
            "location": "East warehouse",
            "handler": self.handler,
            "retry": AT_ONCE,
        }
        if not {"api_key", "username"} & options.keys():
            usual |= {**self.login, "keeper": self._sessions}
        return Vendure(**{**usual, **options})

    def meddled(self, happening: Callable[[], object]) -> Handler:
        """Let something happen once, right before the sink's first write."""
        left = [happening]

        def handle(request: Request) -> Response:
            if "omsyncWrite" in request.body["query"] and left:
                left.pop()()
            return self.send(request)

        return handle

    def spied(self, requests: list[Request]) -> Handler:
        """Note what is asked."""

        def handle(request: Request) -> Response:
            requests.append(request)
            return self.send(request)

        return handle


def change(sku: str, quantity: int, location_id: str | None = None) -> QuantityChange:
    """Make a row to push."""
    return QuantityChange(listing_sku=sku, location_id=location_id, quantity=quantity, available=quantity)


def entry(variant_id: str, on_hand: Mapping[str, Any]) -> api.Entry:
    """Make an entry of a write, past the sink."""
    return api.Entry(variant_id=variant_id, on_hand=on_hand)


def figures(listings: Sequence[CartListing]) -> dict[tuple[str, str | None], tuple[int | None, int | None]]:
    """Give units on hand and allocated by listing and location."""
    return {(one.listing_sku, one.location_id): (one.quantity, one.allocated) for one in listings}


def states(listings: Sequence[CartListing]) -> dict[str, str]:
    """Give the state by listing."""
    return {one.listing_sku: one.state for one in listings}


def outcomes(results: Sequence[PushResult]) -> list[tuple[str, str, int | None]]:
    """Give status, reason and echo of each row."""
    return [(one.status, one.reason, one.echo) for one in results]
