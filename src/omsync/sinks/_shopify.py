"""Shopify's GraphQL Admin API as conversations: each is one page or one small change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from omsync.errors import RefusedError
from omsync.http.messages import Conversation, Request
from omsync.sinks._http import Paging, Wire
from omsync.sinks._shopify_answers import TOO_COSTLY, data_of

__all__ = [
    "DOCUMENTS",
    "MOST_LOCATIONS",
    "Access",
    "Item",
    "Level",
    "Location",
    "Shop",
    "activate",
    "claims",
    "items_by_id",
    "items_by_sku",
    "look_around",
    "name_page",
    "quoted",
    "track",
]

_ITEM = """fragment item on InventoryItem {
  id sku tracked duplicateSkuCount
  inventoryLevels(first: $levels, after: $levelsAfter, includeInactive: true) {
    pageInfo { hasNextPage endCursor }
    nodes { isActive location { id } quantities(names: $names) { name quantity } }
  }
}"""
LOCATIONS = """query omsyncLocations($first: Int!, $after: String) {
  locations(first: $first, after: $after, includeLegacy: true, includeInactive: true) {
    pageInfo { hasNextPage endCursor } nodes { id name isActive isFulfillmentService }
  }
}"""
ITEMS = f"""query omsyncItems($ids: [ID!]!, $levels: Int!, $levelsAfter: String, $names: [String!]!) {{
  nodes(ids: $ids) {{ ...item }}
}}
{_ITEM}"""
FIND = f"""query omsyncFind(
  $query: String!, $first: Int!, $after: String, $levels: Int!, $levelsAfter: String, $names: [String!]!
) {{
  inventoryItems(first: $first, after: $after, query: $query) {{
    pageInfo {{ hasNextPage endCursor }} nodes {{ ...item }}
  }}
}}
{_ITEM}"""
NAMES = """query omsyncNames($first: Int!, $after: String) {
  inventoryItems(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { id sku tracked duplicateSkuCount }
  }
}"""
CLAIMS = """query omsyncClaims($ids: [ID!]!) {
  nodes(ids: $ids) { ...claim }
}
fragment claim on InventoryItem { id sku tracked duplicateSkuCount }"""
WRITE = """mutation omsyncWrite($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { name quantityAfterChange item { id sku } location { id } } }
    userErrors { code field message }
  }
}"""
ACTIVATE = """mutation omsyncActivate($item: ID!, $location: ID!, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $location) @idempotent(key: $key) {
    inventoryLevel { isActive }
    userErrors { field message }
  }
}"""
TRACK = """mutation omsyncTrack($item: ID!, $input: InventoryItemInput!) {
  inventoryItemUpdate(id: $item, input: $input) {
    inventoryItem { tracked }
    userErrors { field message }
  }
}"""
DOCUMENTS = (LOCATIONS, ITEMS, FIND, NAMES, CLAIMS, WRITE, ACTIVATE, TRACK)
"""Everything that this sink can send."""

MOST_LOCATIONS = 100
_MOST_LEVELS = 250


@frozen(kw_only=True)
class Access:
    """Where a shop's API is, and the token to use it."""

    url: str
    token: str = field(repr=False)

    def ask(self, document: str, **variables: Any) -> Request:
        """Make the request for one operation; each of ours may be repeated."""
        name = document.split("(", 1)[0].rsplit(maxsplit=1)[-1]
        return Request(
            method="POST",
            url=self.url,
            headers={"x-shopify-access-token": self.token},
            body={"query": document, "operationName": name, "variables": variables},
            lane="admin",
        )


@frozen(kw_only=True)
class Location:
    """A location of the shop; one of a fulfilment service is that service's own affair."""

    id: str
    name: str
    active: bool = True
    of_service: bool = False


@frozen(kw_only=True)
class Shop:
    """A shop's locations."""

    locations: tuple[Location, ...]

    @cached_property
    def active(self) -> dict[str, Location]:
        """The locations that a row may mean, by id."""
        return {one.id: one for one in self.locations if one.active}

    @cached_property
    def names(self) -> dict[str, str]:
        """Location ids by id and by name; a name that could mean two locations means none."""
        meant: defaultdict[str, set[str]] = defaultdict(set)
        for one in self.active.values():
            meant[one.id].add(one.id)
            meant[one.name].add(one.id)
        return {wanted: min(ids) for wanted, ids in meant.items() if wanted and len(ids) == 1}

    @property
    def own(self) -> list[str]:
        """Ids of the locations that are not a fulfilment service's."""
        return [one.id for one in self.active.values() if not one.of_service]

    @property
    def choices(self) -> str:
        """The locations, for messages."""
        return ", ".join(f"{one.name!r} ({one.id})" for one in self.active.values()) or "none"


@frozen(kw_only=True)
class Level:
    """Units of an item at a location, by Shopify's name for them; inactive: the item is not stocked there."""

    active: bool
    units: Mapping[str, int]


@frozen(kw_only=True)
class Item:
    """An inventory item: what one or several variants are counted by. Several may share one SKU.

    Args:
        id: Its id.
        sku: Its SKU; empty when it has none.
        tracked: Whether its stock is counted.
        twins: Other items with the same SKU.
        levels: By location id; empty when they were not asked for.
    """

    id: str
    sku: str
    tracked: bool
    twins: int = 0
    levels: Mapping[str, Level] = field(factory=dict)


def quoted(sku: str) -> str:
    """Write a SKU as one value of Shopify's search syntax, whatever characters it has."""
    escaped = sku.replace("\\", "\\\\").replace('"', '\\"')
    return f'sku:"{escaped}"'


def look_around(access: Access) -> Conversation[Shop]:
    """Read all locations of the shop, those of fulfilment services and closed ones too."""
    found: list[Location] = []
    paging = Paging()
    after: str | None = None
    while True:
        response = yield access.ask(LOCATIONS, first=MOST_LOCATIONS, after=after)
        page = data_of(response).field("locations")
        rows = page.field("nodes").rows()
        found += [
            Location(
                id=row.field("id").text(),
                name=row.field("name").text(),
                active=row.field("isActive").flag(),
                of_service=row.field("isFulfillmentService").flag(),
            )
            for row in rows
        ]
        after = paging.after(_next(page), new=len(rows), place=response.place)
        if after is None:
            return Shop(locations=tuple(found))


def items_by_id(
    access: Access, ids: Sequence[str], *, levels: int, names: Sequence[str]
) -> Conversation[list[Item]]:
    """Read items by id; those that have gone are left out. A page that costs too much is halved."""
    response = yield access.ask(
        ITEMS, ids=list(ids), levels=_levels_a_page(levels), levelsAfter=None, names=list(names)
    )
    try:
        data = data_of(response)
    except RefusedError as error:
        if error.code != TOO_COSTLY or len(ids) == 1:
            raise
        middle = len(ids) // 2
        first = yield from items_by_id(access, ids[:middle], levels=levels, names=names)
        return first + (yield from items_by_id(access, ids[middle:], levels=levels, names=names))
    rows = [row for row in data.field("nodes").rows() if row.value]
    return (yield from _whole(access, rows, levels, names))


def claims(access: Access, ids: Sequence[str]) -> Conversation[list[Item]]:
    """Read which SKUs items have by now, without their levels; those that have gone are left out."""
    response = yield access.ask(CLAIMS, ids=list(ids))
    return [_item(row) for row in data_of(response).field("nodes").rows() if row.value]


def items_by_sku(
    access: Access, skus: Sequence[str], *, levels: int, names: Sequence[str]
) -> Conversation[list[Item]]:
    """Look items up by SKU. The search knows words rather than codes, so SKUs are compared again here."""
    wanted = frozenset(skus)
    found: list[Item] = []
    paging = Paging()
    after: str | None = None
    while True:
        response = yield access.ask(
            FIND,
            query=" OR ".join(map(quoted, skus)),
            first=len(skus),
            after=after,
            levels=_levels_a_page(levels),
            levelsAfter=None,
            names=list(names),
        )
        try:
            page = data_of(response).field("inventoryItems")
        except RefusedError as error:
            if error.code != TOO_COSTLY or len(skus) == 1:
                raise
            middle = len(skus) // 2
            first = yield from items_by_sku(access, skus[:middle], levels=levels, names=names)
            return first + (yield from items_by_sku(access, skus[middle:], levels=levels, names=names))
        rows = [row for row in page.field("nodes").rows() if _sku(row) in wanted]
        found += yield from _whole(access, rows, levels, names)
        after = paging.after(_next(page), new=len(page.field("nodes").rows()), place=response.place)
        if after is None:
            return found


def name_page(access: Access, first: int, after: str | None) -> Conversation[tuple[list[Item], str | None]]:
    """Read one page of all items, without their levels; and where the next page begins."""
    response = yield access.ask(NAMES, first=first, after=after)
    page = data_of(response).field("inventoryItems")
    return [_item(row) for row in page.field("nodes").rows()], _next(page)


def activate(access: Access, item_id: str, location_id: str, key: str) -> Conversation[str]:
    """Stock an item at a location, with the units that it has there; give the reason if that is refused."""
    response = yield access.ask(ACTIVATE, item=item_id, location=location_id, key=key)
    return _refusal(data_of(response, written=True).field("inventoryActivate"))


def track(access: Access, item_id: str) -> Conversation[str]:
    """Let the shop count an item's stock; give the reason if that is refused."""
    response = yield access.ask(TRACK, item=item_id, input={"tracked": True})
    return _refusal(data_of(response, written=True).field("inventoryItemUpdate"))


def _refusal(payload: Wire) -> str:
    return "; ".join(error.field("message").text() for error in payload.field("userErrors").rows())


def _next(page: Wire) -> str | None:
    info = page.field("pageInfo")
    return info.field("endCursor").text() if info.field("hasNextPage").flag() else None


def _levels_a_page(levels: int) -> int:
    return max(1, min(levels, _MOST_LEVELS))


def _whole(
    access: Access, rows: Sequence[Wire], levels: int, names: Sequence[str]
) -> Conversation[list[Item]]:
    """Make items of rows; one with more levels than the page holds is read on, so that none is missed."""
    items: list[Item] = []
    for row in rows:
        item, after = _item(row), _next(row.field("inventoryLevels"))
        paging = Paging()
        while after is not None:
            response = yield access.ask(
                ITEMS, ids=[item.id], levels=_levels_a_page(levels), levelsAfter=after, names=list(names)
            )
            more = next(iter(data_of(response).field("nodes").rows()), None)
            if more is None or more.value is None:
                break  # The item has gone meanwhile.
            known = len(item.levels)
            item = evolve(item, levels={**item.levels, **_item(more).levels})
            cursor = _next(more.field("inventoryLevels"))
            after = paging.after(cursor, new=len(item.levels) - known, place=response.place)
        else:
            items.append(item)
    return items


def _sku(row: Wire) -> str:
    sku = row.get("sku")
    return sku.text() if sku else ""


def _item(row: Wire) -> Item:
    levels = row.get("inventoryLevels")
    return Item(
        id=row.field("id").text(),
        sku=_sku(row),
        tracked=row.field("tracked").flag(),
        twins=row.field("duplicateSkuCount").whole(),
        levels=dict(_level(level) for level in levels.field("nodes").rows()) if levels else {},
    )


def _level(row: Wire) -> tuple[str, Level]:
    units = {
        one.field("name").text(): one.field("quantity").whole() for one in row.field("quantities").rows()
    }
    return row.field("location").field("id").text(), Level(active=row.field("isActive").flag(), units=units)
