"""Which inventory items the wanted SKUs mean: by ids of earlier runs, by search, or from a list of all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from attrs import evolve, frozen

from omsync.errors import RefusedError
from omsync.http.messages import Conversation
from omsync.http.steps import Steps
from omsync.sinks import _shopify as api
from omsync.sinks._http import Paging, results_of
from omsync.sinks._ids import IdMap
from omsync.sinks._shopify_door import Door

__all__ = ["Reader", "Seen"]

MOST_ITEMS = 250
"""What an input list or a page may hold."""
_MOST_LISTED = 25_000
"""As deep as Shopify lets anybody page."""
_NAME_POINTS = 1.5
"""What an item without levels is thought to cost until an answer says it."""


class Seen:
    """What the shop has shown in this run: its locations, and items by SKU. Only these are written to.

    SKUs that have gone over to other items since they were read have *moved*: what was planned for them was
    planned for something else. In words, which items they were and which they are.
    """

    def __init__(self) -> None:
        self.shop: api.Shop | None = None
        self.items: dict[str, tuple[api.Item, ...]] = {}
        self.moved: dict[str, str] = {}


@frozen(kw_only=True)
class Reader:
    """Reads a shop's items.

    Args:
        door: The way in.
        ids: Item ids of earlier runs.
        seen: Takes what is read.
        names: The quantities that are read, by Shopify's names.
        page_size: Items in one call at most; fewer where their points demand it.
        search_size: SKUs in one search.
    """

    door: Door
    ids: IdMap
    seen: Seen
    names: Sequence[str]
    page_size: int
    search_size: int

    def shop(self) -> Steps[api.Shop]:
        """Give the shop's locations, read once a run."""
        if self.seen.shop is None:
            points = self.door.meter.points("omsyncLocations", api.MOST_LOCATIONS, guess=1.0)
            self.seen.shop = yield from self.door.ask(api.look_around, points=points)
        return self.seen.shop

    def look_up(self, skus: Iterable[str]) -> Steps[None]:
        """Read the items of these SKUs, by id where an earlier run has learned it, else by search."""
        shop = yield from self.shop()
        yield from self.ids.load()
        wanted = list(dict.fromkeys(skus))
        remembered = self.ids.remembered(wanted)
        shown = {item.id: item for item in (yield from self._by_id(shop, list(remembered.values())))}
        found: dict[str, list[api.Item]] = {}
        for sku, item_id in remembered.items():
            item = shown.get(item_id)
            # An id whose SKU is another one by now, or not the only one, says nothing about this SKU.
            if item is not None and item.sku == sku and not item.twins:
                found[sku] = [item]
        found |= yield from self._by_sku(shop, [sku for sku in wanted if sku not in found])
        yield from self._take(wanted, found)

    def list_all(self, skus: Sequence[str]) -> Steps[list[api.Item]]:
        """List every item by name, and read those of these SKUs; needs no search. Give the others.

        Raises:
            RefusedError: There are more items than Shopify lets anybody page through.
        """
        shop = yield from self.shop()
        listed: list[api.Item] = []
        paging = Paging()
        after: str | None = None
        while True:
            if len(listed) >= _MOST_LISTED:
                raise RefusedError(
                    f"{self.door.address} has more than {_MOST_LISTED:,} items, the most that can be listed",
                    code="too_many_to_list",
                    remedy="Leave lists_all at False: then items are looked up by SKU.",
                )
            first = self.door.meter.rows("omsyncNames", guess=_NAME_POINTS, most=self.page_size)
            points = self.door.meter.points("omsyncNames", first, guess=_NAME_POINTS)
            page, cursor = yield from self.door.ask(
                partial(api.name_page, first=first, after=after), points=points
            )
            listed += page
            after = paging.after(cursor, new=len(page), place=self.door.address)
            if after is None:
                break
        wanted = set(skus)
        ids = [item.id for item in listed if item.sku in wanted]
        items = yield from self._by_id(shop, ids)
        # Between the two reads an item may have got another SKU: then it is not one of those asked for.
        yield from self._take(skus, _by_sku(item for item in items if item.sku in wanted))
        return [item for item in listed if item.sku and item.sku not in wanted]

    def again(self, ids: Iterable[str]) -> Steps[dict[str, api.Item]]:
        """Read items once more; give by id what there is."""
        shop = yield from self.shop()
        return {item.id: item for item in (yield from self._by_id(shop, list(dict.fromkeys(ids))))}

    def check(self, skus: Iterable[str]) -> Steps[None]:
        """Look whether the items that were read for SKUs still have them, at a point or so an item.

        Where they have not, the SKU is looked up anew, and noted as moved if other items have it by now.
        """
        read = {sku: self.seen.items[sku] for sku in dict.fromkeys(skus)}
        ids = [item.id for items in read.values() for item in items]
        points = self.door.meter.points
        asks = [
            partial(api.claims, ids=ids[start : start + MOST_ITEMS])
            for start in range(0, len(ids), MOST_ITEMS)
        ]
        pages = yield from self.door.ask_all(
            asks, points=points("omsyncClaims", min(len(ids), MOST_ITEMS) or 1, guess=1.0)
        )
        now = {item.id: item for page in results_of(pages) for item in page}
        doubtful: list[str] = []
        for sku, items in read.items():
            claims = [now[item.id] for item in items if item.id in now]
            if [(one.sku, one.twins) for one in claims] == [(sku, item.twins) for item in items]:
                self.seen.items[sku] = tuple(
                    evolve(item, tracked=one.tracked) for item, one in zip(items, claims, strict=True)
                )
            else:
                doubtful.append(sku)
        if doubtful:
            yield from self.look_up(doubtful)
        for sku in doubtful:
            then, now_is = _ids(read[sku]), _ids(self.seen.items[sku])
            if then != now_is:
                self.seen.moved[sku] = f"{then} when it was read and {now_is} now"

    def _take(self, wanted: Iterable[str], found: Mapping[str, Sequence[api.Item]]) -> Steps[None]:
        single: dict[str, str] = {}
        absent: list[str] = []
        for sku in wanted:
            items = tuple(found.get(sku, ()))
            self.seen.items[sku] = items
            if len(items) == 1 and not items[0].twins:
                single[sku] = items[0].id
            else:
                absent.append(sku)
        yield from self.ids.learn(single, absent=absent)

    def _by_id(self, shop: api.Shop, ids: Sequence[str]) -> Steps[list[api.Item]]:
        def page(some: Sequence[str], access: api.Access) -> Conversation[list[api.Item]]:
            return api.items_by_id(access, some, levels=len(shop.locations), names=self.names)

        return (yield from self._paged("omsyncItems", ids, page, self.page_size, shop))

    def _by_sku(self, shop: api.Shop, skus: Sequence[str]) -> Steps[dict[str, list[api.Item]]]:
        def page(some: Sequence[str], access: api.Access) -> Conversation[list[api.Item]]:
            return api.items_by_sku(access, some, levels=len(shop.locations), names=self.names)

        return _by_sku((yield from self._paged("omsyncFind", skus, page, self.search_size, shop)))

    def _paged(
        self,
        operation: str,
        rows: Sequence[str],
        page: Callable[[Sequence[str], api.Access], Conversation[list[api.Item]]],
        most: int,
        shop: api.Shop,
    ) -> Steps[list[api.Item]]:
        """Read one page, and then the others side by side, as large as the first one's points allow."""
        # An item, and for each location a level, its location and a list of quantities: a point each.
        guess = 2.0 + len(shop.locations) * (2 + len(self.names))
        meter = self.door.meter
        first = meter.rows(operation, guess=guess, most=most)
        found: list[api.Item] = []
        for part in (rows[:first], rows[first:]):
            size = min(len(part), meter.rows(operation, guess=guess, most=most))
            asks = [partial(page, part[start : start + size]) for start in range(0, len(part), size or 1)]
            points = meter.points(operation, max(1, size), guess=guess)
            outcomes = yield from self.door.ask_all(asks, points=points)
            found += [item for items in results_of(outcomes) for item in items]
        return found


def _ids(items: Iterable[api.Item]) -> str:
    return " and ".join(sorted(item.id for item in items))


def _by_sku(items: Iterable[api.Item]) -> dict[str, list[api.Item]]:
    found: defaultdict[str, dict[str, api.Item]] = defaultdict(dict)
    for item in items:
        found[item.sku][item.id] = item
    return {sku: list(several.values()) for sku, several in found.items()}
