"""Products and variations by SKU: how they are looked up, and whose stock each of them shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from attrs import frozen

from omsync.http.messages import Conversation, Response
from omsync.sinks._http import Wire, packed
from omsync.sinks._woocommerce_access import Access
from omsync.sinks._woocommerce_answers import data_of

__all__ = ["PAGE", "Found", "Item", "Target", "look_up", "look_ups", "managed_by"]

PAGE = 100
_FIELDS = "id,sku,type,parent_id,manage_stock,stock_quantity,backorders"
_BESIDE_SKUS = 600
"""Bytes of an address besides the SKUs and the site: path, fields, paging, a signature or a key."""

Target = tuple[int, int]
"""What a quantity is written to: parent id (0 for a product) and the id itself."""


@frozen(kw_only=True)
class Item:
    """A product or a variation as the shop shows it.

    Args:
        id: Its id.
        sku: Its SKU, exactly as it is written in the shop.
        kind: Its type: simple, variable, variation, grouped, external, or a plugin's.
        parent_id: A variation's product; 0 for a product.
        managed: Who counts its stock: ``"itself"``, its ``"parent"`` or ``"nobody"``.
        quantity: What it shows, its parent's where that counts; None where nobody does.
        backorders: Its setting: no, notify or yes.
    """

    id: int
    sku: str
    kind: str
    parent_id: int
    managed: str
    quantity: int | None
    backorders: str | None

    @classmethod
    def of(cls, row: Wire) -> Item:
        """Read a row of the list."""
        kind = row.field("type").text()
        managed, quantity = managed_by(row)
        setting = row.get("backorders")
        return cls(
            id=row.field("id").whole(),
            sku=row.field("sku").text(),
            kind=kind,
            # Plugins have kinds of variations of their own; a product of another kind may have a parent too.
            parent_id=row.field("parent_id").whole() if kind.endswith("variation") else 0,
            managed=managed,
            quantity=quantity,
            backorders=setting.text() if setting else None,
        )

    @property
    def own(self) -> Target:
        """The item itself."""
        return self.parent_id, self.id

    @property
    def parents(self) -> Target:
        """A variation's product."""
        return 0, self.parent_id


Found = dict[str, tuple[Item, ...]]
"""By SKU what has it; more than one where a SKU was given twice."""


def managed_by(row: Wire) -> tuple[str, int | None]:
    """Give who counts a row's stock, and the quantity that it shows."""
    switch = row.field("manage_stock")
    if switch.value != "parent" and not switch.flag():
        return "nobody", None
    quantity = row.get("stock_quantity")
    return "parent" if switch.value == "parent" else "itself", None if quantity is None else quantity.whole()


def look_ups(access: Access, skus: Iterable[str], max_url_bytes: int) -> Iterator[list[str]]:
    """Split SKUs into calls: at most a page of them, in an address that servers take.

    A SKU with a comma goes alone, since the shop parts the list at commas; so does one with an angle
    bracket, since the shop takes what stands between two of them out of the whole list.
    """
    plain: list[str] = []
    for sku in skus:
        if "," in sku or "<" in sku:
            yield [sku]
        else:
            plain.append(sku)
    room = max_url_bytes - len(access.site) - _BESIDE_SKUS
    yield from packed(plain, lambda sku: len(quote(sku, safe="")) + 3, room=room, most=PAGE)


def look_up(access: Access, skus: list[str]) -> Conversation[Found]:
    """Find what has these SKUs, to the last page: the shop does not mind case, and we do."""
    # The shop takes a lone "0" for no SKU at all, and would give every product that it has.
    asked = "0,0" if skus == ["0"] else ",".join(skus)
    wanted = set(skus)
    items: dict[int, Item] = {}
    page = 1
    while True:
        response = yield access.read(
            "/products",
            (
                ("sku", asked),
                ("per_page", str(PAGE)),
                ("page", str(page)),
                ("orderby", "id"),
                ("order", "asc"),
                ("_fields", _FIELDS),
            ),
        )
        rows = data_of(access, response).rows()
        items.update((item.id, item) for item in _items(rows, wanted))
        if not _goes_on(response, page, len(rows)):
            break
        page += 1
    found: Found = {}
    for item in items.values():
        found[item.sku] = (*found.get(item.sku, ()), item)
    return found


def _items(rows: Iterable[Wire], wanted: set[str]) -> Iterator[Item]:
    return (Item.of(row) for row in rows if row.field("sku").text() in wanted)


def _goes_on(response: Response, page: int, rows: int) -> bool:
    """Tell whether there is another page; where the header was dropped on the way, a full page says so."""
    pages = response.headers.get("x-wp-totalpages", "")
    return page < int(pages) if pages.isdecimal() else rows >= PAGE
