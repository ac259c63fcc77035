"""What a run looks up in the ledger and keeps there; without a ledger nothing is known, nothing kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omsync.exchange import ListingState
from omsync.http.steps import Steps, call
from omsync.runs import Context

__all__ = ["forget", "keep", "recall", "states_of"]


def states_of(merchant: str, cart: str, context: Context) -> Steps[list[ListingState]]:
    """Give what is known of every listing of a cart."""
    if context.ledger is None:
        return []
    states: Iterable[ListingState] = yield from call(context.ledger.states, merchant, cart)
    return (yield from call(list, states))


def recall(namespace: str, merchant: str, context: Context) -> Steps[Mapping[str, str]]:
    """Give everything kept in a namespace of the merchant's memory, by key."""
    if context.ledger is None:
        return {}
    return (yield from call(context.ledger.memory(merchant).recall, namespace))


def keep(namespace: str, news: Mapping[str, str], merchant: str, context: Context) -> Steps[None]:
    """Keep entries in a namespace of the merchant's memory; nothing is called when there are none."""
    if context.ledger is not None and news:
        yield from call(context.ledger.memory(merchant).remember, namespace, news)


def forget(namespace: str, merchant: str, context: Context) -> Steps[None]:
    """Drop a whole namespace of the merchant's memory."""
    if context.ledger is not None:
        yield from call(context.ledger.memory(merchant).forget, namespace)
