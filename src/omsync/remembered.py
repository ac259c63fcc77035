"""What a run looks up in the ledger and keeps there; without a ledger nothing is known, nothing kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TypeVar

from omsync.checks import shown
from omsync.errors import DecodeError, LedgerError, WrongTypeError
from omsync.exchange import ListingState, RunRecord
from omsync.http.steps import Steps, call
from omsync.planning.bindings import Binding, newest, states_since
from omsync.ports import Ledger, OverviewLedger
from omsync.runs import Context
from omsync.serial import from_json
from omsync.settings import CartSettings, MerchantSettings

T = TypeVar("T")
log = logging.getLogger("omsync")

__all__ = [
    "OF_ONE_CART",
    "ORIGIN",
    "binding_of",
    "damaged",
    "destination_of",
    "forget",
    "keep",
    "kept_as",
    "ledger_of",
    "name_of",
    "place_of",
    "recall",
    "states_of",
    "warn_of_a_stranger",
]

ORIGIN = "origin of the readings"
"""The namespace that holds which account of the order manager a merchant's readings are of."""

OF_ONE_CART = (
    *("approvals", "held plans", "falls", "guardrails"),
    *("plan under way", "quarantine", "writes"),
)
"""What is remembered of a cart, each in a namespace of its own, and says nothing about another one."""


def place_of(what: str, cart: str) -> str:
    """Name the namespace that holds something about a cart; ``what`` is one of ``OF_ONE_CART``."""
    return f"{what} of {cart}"


def destination_of(cart: str) -> str:
    """Name the namespace that holds which cart a cart's name stands for."""
    return f"destination of {cart}"


def ledger_of(context: Context) -> Ledger:
    """Give the ledger, or raise where there is none to look into."""
    if context.ledger is None:
        raise LedgerError(
            "There is no ledger to look into",
            code="no_ledger",
            remedy="Give the ledger that the runs were noted in.",
        )
    return context.ledger


def name_of(settings: CartSettings | MerchantSettings | str) -> str:
    """Give the name that the ledger knows a cart or a merchant by."""
    name = settings if isinstance(settings, str) else getattr(settings, "name", None)
    if not isinstance(name, str):
        raise WrongTypeError(
            f"A cart or a merchant is named by its settings or its name, not by {shown(settings)}",
            remedy="The order is ledger, cart; and ledger, sink, cart for drift().",
        )
    return name


def warn_of_a_stranger(merchant: str, cart: str, context: Context) -> Steps[None]:
    """Log it where the ledger knows others and not this one: to a misspelt name it says that all is well."""
    ledger: object = context.ledger
    if not isinstance(ledger, OverviewLedger):
        return
    statuses: Iterable[RunRecord] = yield from call(ledger.statuses, merchant)
    known = sorted(run.cart for run in statuses if run.cart is not None)
    if known and cart not in known:
        log.warning("The ledger knows no cart %r of %r; it knows %s", cart, merchant, ", ".join(known))
    elif not known:
        merchants: Iterable[str] = yield from call(ledger.merchants)
        others = sorted(set(merchants) - {merchant})
        if others:
            log.warning("The ledger knows no cart of %r; it knows %s", merchant, ", ".join(others))


def states_of(merchant: str, cart: str, context: Context) -> Steps[list[ListingState]]:
    """Give what is known of every listing of a cart; nothing of another one that had its name before."""
    if context.ledger is None:
        return []
    bound = yield from binding_of(destination_of(cart), merchant, context)
    states: Iterable[ListingState] = yield from call(context.ledger.states, merchant, cart)
    return (yield from call(lambda: states_since(states, bound)))


def binding_of(namespace: str, merchant: str, context: Context) -> Steps[Binding | None]:
    """Give what a cart's name, or the merchant's readings, stand for; None where nothing is known yet."""
    kept = yield from recall(namespace, merchant, context)
    return newest(kept_as(Binding, text, namespace) for text in kept.values())


def recall(namespace: str, merchant: str, context: Context) -> Steps[Mapping[str, str]]:
    """Give everything kept in a namespace of the merchant's memory, by key."""
    if context.ledger is None:
        return {}
    return (yield from call(context.ledger.memory(merchant).recall, namespace))


def damaged(namespace: str, code: str, error: Exception) -> LedgerError:
    """Give the error for entries of the memory that are not as they were written."""
    return LedgerError(
        f"What the ledger keeps in {namespace!r} cannot be read: {error}",
        code=code,
        remedy="Somebody edited the ledger; restore it, or forget that namespace of its memory: "
        f"ledger.memory(merchant).forget({namespace!r}).",
    )


def kept_as(kind: type[T], text: str, namespace: str) -> T:
    """Read a value that was kept as JSON.

    Raises:
        LedgerError: ``code="damaged_memory"``: it is not as it was written; names the namespace.
    """
    try:
        return from_json(text, kind)
    except DecodeError as error:
        raise damaged(namespace, "damaged_memory", error) from error


def keep(namespace: str, news: Mapping[str, str], merchant: str, context: Context) -> Steps[None]:
    """Keep entries in a namespace of the merchant's memory; nothing is called when there are none."""
    if context.ledger is not None and news:
        yield from call(context.ledger.memory(merchant).remember, namespace, news)


def forget(namespace: str, merchant: str, context: Context) -> Steps[None]:
    """Drop a whole namespace of the merchant's memory."""
    if context.ledger is not None:
        yield from call(context.ledger.memory(merchant).forget, namespace)
