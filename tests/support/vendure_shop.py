"""What tests of the Vendure sink without a server share: sinks at the fake shop, and answers made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve
from vendure_bench import AT_ONCE

from omsync.http.messages import Handler, Request, Response
from omsync.sinks.vendure import Vendure
from omsync.testing.carts.platform import Asked
from omsync.testing.carts.vendure import VendureShop

__all__ = ["EAST", "MAIN", "URL", "answer", "asked_for", "edited", "fault", "shop_of", "sink", "writing"]

URL = "https://shop.example"
MAIN, EAST = "1", "2"


def shop_of(*skus: str, **options: Any) -> VendureShop:
    """Give a shop of two locations, Main and East, with a variant of each SKU."""
    shop = VendureShop(**{"locations": ["Main", "East"], **options})
    for sku in skus:
        shop.add(sku)
    return shop


def sink(shop: VendureShop, **options: Any) -> Vendure:
    """Give a sink with the shop's key, or with the login of the options."""
    if not {"api_key", "username"} & options.keys():
        options["api_key"] = shop.api_key
    return Vendure(URL, **{"handler": shop.handle, "retry": AT_ONCE, **options})


def asked_for(shop: VendureShop, name: str) -> list[dict[str, Any]]:
    """Give the variables of every request of an operation."""
    bodies = [asked.json() for asked in shop.requests]
    return [body["variables"] for body in bodies if f" {name}" in body["query"]]


def writing(asked: Asked) -> bool:
    """Tell writes from other requests."""
    return b"omsyncWrite" in asked.content


def edited(shop: VendureShop, name: str, edit: Callable[[dict[str, Any]], object]) -> Handler:
    """Let the shop answer, and change what it answers to an operation."""

    def handle(request: Request) -> Response:
        response = shop.handle(request)
        if name not in request.body["query"]:
            return response
        body = response.json()
        edit(body["data"])
        return evolve(response, content=json.dumps(body).encode())

    return handle


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Make an answer."""
    return Response(
        status=status, headers=headers or {}, content=json.dumps(body).encode(), place="POST shop"
    )


def fault(message: str, code: str | None = None, path: tuple[str | int, ...] = ()) -> Response:
    """Make an answer of one error."""
    extensions = {} if code is None else {"extensions": {"code": code}}
    return answer({"errors": [{"message": message, "path": list(path), **extensions}], "data": None})
