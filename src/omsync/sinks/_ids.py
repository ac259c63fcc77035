"""A cart's own ids by listing SKU: kept in the ledger, trusted only once the cart has shown them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from omsync.http.steps import Steps, call
from omsync.ports import SourceMemory

__all__ = ["IdMap"]

_GONE = ""


class IdMap:
    """Ids of one cart for one run; the only thing about a sink that learns.

    An id of an earlier run is *remembered*: good for looking its listing up by id, which is cheap, and never
    for writing. Once the cart has shown the SKU beside it, it is *confirmed*, and may be written to.

    Args:
        memory: Where ids outlive the run; None to keep them for this run only.
        namespace: The cart's place in that memory.
    """

    def __init__(self, memory: SourceMemory | None = None, namespace: str = "ids") -> None:
        self._memory = memory
        self._namespace = namespace
        self._stored: dict[str, str] | None = None
        self._confirmed: dict[str, str] = {}

    def load(self) -> Steps[None]:
        """Recall the ids of earlier runs, once."""
        if self._stored is None:
            recalled: Mapping[str, str] = {}
            if self._memory is not None:
                recalled = yield from call(self._memory.recall, self._namespace)
            self._stored = dict(recalled)

    def remembered(self, skus: Iterable[str]) -> dict[str, str]:
        """Give ids of earlier runs that this run has neither confirmed nor dropped."""
        stored = self._stored or {}
        return {
            sku: stored[sku] for sku in skus if stored.get(sku, _GONE) != _GONE and sku not in self._confirmed
        }

    def confirmed(self, skus: Iterable[str]) -> dict[str, str]:
        """Give ids that the cart has shown in this run beside the very SKU."""
        return {sku: self._confirmed[sku] for sku in skus if sku in self._confirmed}

    def learn(self, found: Mapping[str, str], *, absent: Iterable[str] = ()) -> Steps[None]:
        """Take what the cart showed: ids by SKU, and SKUs whose id is wrong or that are not there.

        Only what differs from the memory is written to it.
        """
        yield from self.load()
        stored = self._stored if self._stored is not None else {}
        self._confirmed.update(found)
        news = {sku: key for sku, key in found.items() if stored.get(sku) != key}
        for sku in absent:
            self._confirmed.pop(sku, None)
            if stored.get(sku, _GONE) != _GONE:
                news[sku] = _GONE
        stored.update(news)
        if news and self._memory is not None:
            yield from call(self._memory.remember, self._namespace, news)

    def __repr__(self) -> str:
        return f"IdMap({len(self._confirmed)} confirmed)"
