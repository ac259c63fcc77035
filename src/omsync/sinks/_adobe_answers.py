"""What an Adobe Commerce shop says: refusals with their parameters filled in, limits, decimal quantities."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from omsync.checks import shown
from omsync.errors import DecodeError, RefusedError, ServerFaultError, UnauthorizedError
from omsync.http.messages import Request, Response
from omsync.http.retrying import Verdict
from omsync.http.retrying import judge as usual_judge
from omsync.sinks._http import Wire

__all__ = ["RESOURCES", "TooManyError", "amount", "body_of", "judge", "whole_of"]

RESOURCES = (
    "Magento_InventoryApi::source, Magento_InventoryApi::stock_source_item_assign and "
    "Magento_Catalog::products; for reservations='from_salable' Magento_InventorySalesApi::stock; for "
    "mode='async' Magento_Logging::system_magento_logging_bulk_operations; for check_tracking "
    "Magento_CatalogInventory::cataloginventory"
)
_TAKEN = {200, 202}
_UNAUTHORIZED = {401, 403}
_TOO_MANY = re.compile(r"Maximum items of type .* is (\d+)", re.DOTALL)
_LARGE_PAGE = re.compile(r"Maximum SearchCriteria pageSize is (\d+)")
_BUSY = re.compile(rb"deadlock|lock wait timeout", re.IGNORECASE)


class TooManyError(RefusedError):
    """The shop's input limits are on, and this was more than they allow; nothing was done.

    Args:
        message: What the shop said.
        most: What it allows.
    """

    default_code = "input_limit"

    def __init__(self, message: str, *, most: int) -> None:
        super().__init__(message)
        self.most = most


def judge(request: Request, response: Response) -> Verdict:
    """Decide about another try: writers that lock each other out are told with 500, and with 400 too."""
    if response.status in {400, 500} and _BUSY.search(response.content):
        return ServerFaultError(
            f"{request.place}: the shop's database is locked by another writer",
            remedy="Try again later; if it stays, look for imports or reindexing at the same time.",
        )
    return usual_judge(request, response)


def body_of(response: Response) -> Wire:
    """Give the body of an answer that was a yes.

    Raises:
        UnauthorizedError: Wrong credentials, a wrong signature, or a resource that they may not use.
        TooManyError: More rows than the shop's input limits allow.
        RefusedError: Any other no.
    """
    if response.status in _TAKEN:
        return Wire(value=response.json(), path="answer", place=response.place)
    said = _said(response)
    message = f"{response.place}: HTTP {response.status}: {said}"
    if response.status in _UNAUTHORIZED or "oauth_" in said:
        raise UnauthorizedError(
            message,
            remedy=f"The credentials need the resources {RESOURCES}. A refused signature means a wrong "
            "secret or a wrong clock; a refused bearer token has ended, or is an integration's, which the "
            "shop takes as a bearer token only where it is told to.",
        )
    limit = _TOO_MANY.search(said) or _LARGE_PAGE.search(said)
    if limit and int(limit[1]):
        raise TooManyError(message, most=int(limit[1]))
    if "does not match any route" in said:
        raise RefusedError(
            message,
            code="no_msi",
            remedy="Check the address and the store code. A shop without Multi Source Inventory cannot be "
            "served.",
        )
    raise RefusedError(message, code="row_refused")


def amount(wire: Wire) -> Decimal:
    """Give a quantity, which the shop keeps with four decimals; text, true and null are none."""
    value = wire.value
    if type(value) not in {int, float} or not math.isfinite(value):
        raise DecodeError(
            f"{wire.place}: {wire.path} must be a number, not {shown(value)}", code="wrong_shape"
        )
    return Decimal(str(value))


def whole_of(quantity: Decimal) -> int | None:
    """Give a quantity as a whole number; None for a fraction."""
    return int(quantity) if quantity == int(quantity) else None


def _said(response: Response) -> str:
    """Give the shop's sentences: the message first, then those findings that it does not repeat."""
    try:
        body = Wire(value=response.json(), path="answer", place=response.place)
        errors = body.get("errors")
        sentences = [_sentence(body), *(_sentence(error) for error in (errors.rows() if errors else []))]
    except DecodeError:
        return response.excerpt
    first, *others = sentences
    return "; ".join([first, *(one for one in dict.fromkeys(others) if one not in first)])


def _sentence(wire: Wire) -> str:
    """Give a message with its parameters in their places: ``%field`` by name, ``%1`` by number."""
    text = wire.field("message").text()
    parameters = wire.get("parameters")
    if parameters is None:
        return text
    named = parameters.value
    if isinstance(named, list):
        named = {str(place): value for place, value in enumerate(named, start=1)}
    if isinstance(named, dict):
        for name in sorted(named, key=len, reverse=True):
            text = text.replace(f"%{name}", str(named[name]))
    return text
