"""What acknowledge remembers: for each sales channel, the products whose quantity it was not told yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

__all__ = ["ChangeFeed"]


class ChangeFeed:
    """Keeps what each channel has still to be told; telling eats it."""

    def __init__(self) -> None:
        self._pending: dict[int, set[str]] = {}
        self._lists: dict[int, list[str]] = {}
        self._told: dict[int, set[str]] = {}

    def mark(self, master_sku: str, channel_ids: Iterable[int]) -> None:
        """Note that a product's quantity may have changed on these channels."""
        for channel_id in channel_ids:
            # A channel that was never asked will be told everything, so nothing needs noting for it.
            if channel_id in self._pending:
                self._pending[channel_id].add(master_sku)

    def take(
        self,
        channel_id: int,
        *,
        everything: Collection[str],
        recorded: Callable[[str], bool],
        page: int,
        limit: int,
    ) -> tuple[list[str], bool]:
        """Give the products of one page, which the channel is then told of, and whether pages remain.

        Page 1 makes a new list of all that is pending; later pages go on in that list, and leave out what
        the channel was told meanwhile. A product without a stock record is told only if it was told before.

        Args:
            channel_id: The channel that asks.
            everything: All master SKUs; a channel that asks for the first time is told all of them.
            recorded: Whether a product has a stock record now.
            page: From 1.
            limit: Rows in a page.
        """
        if channel_id not in self._pending:
            self._pending[channel_id] = set(everything)
        pending, told = self._pending[channel_id], self._told.setdefault(channel_id, set())
        if page == 1:
            self._lists[channel_id] = sorted(sku for sku in pending if recorded(sku) or sku in told)
            pending.intersection_update(self._lists[channel_id])
        listed = self._lists.get(channel_id, [])
        now = [sku for sku in listed[(page - 1) * limit : page * limit] if sku in pending]
        pending.difference_update(now)
        told.difference_update(now)
        told.update(sku for sku in now if recorded(sku))
        return now, page * limit < len(listed)
