"""What Tryton's records mean: warehouses, products, kits, stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

from omsync.errors import DecodeError
from omsync.hints import first_few
from omsync.model import Bundle, Component, Sku, StockLevel, Warehouse
from omsync.sinks._http import Wire
from omsync.sources._tryton_figures import Figures, flag, rounded_down, rounded_up, unit_factor
from omsync.sources._tryton_reader import Rows

__all__ = [
    "KIT",
    "STOCKED",
    "Catalogue",
    "Product",
    "bundles",
    "catalogue",
    "committed",
    "levels",
    "warehouses",
]

STOCKED = ("goods", "assets")
"""Types of products that stand in warehouses themselves."""
KIT = "kit"
"""The type of products that are made of others, where the module product_kit is activated."""
_DIGITS = 9


@frozen(kw_only=True)
class Product:
    """One variant.

    Args:
        id: Tryton's id.
        sku: What omsync makes of it.
        template_id: The product that it is a variant of.
        kind: ``"goods"``, ``"assets"``, ``"service"``, ``"kit"``, or whatever else a module adds.
        divisible: Whether its unit has fractions.
        factor: How many of its category's base unit its own unit is.
    """

    id: int
    sku: Sku
    template_id: int
    kind: str
    divisible: bool
    factor: Decimal

    @property
    def named(self) -> str:
        """The product, for messages."""
        return f"product {self.sku.master_sku!r} (id {self.id})"


@frozen(kw_only=True)
class Catalogue:
    """The products that have a code of their own, by id, and why the others are left out.

    Args:
        products: By Tryton's id.
        without_code: Ids of products without a code.
        replaced: Ids of inactive products whose code another one has taken over.
    """

    products: Mapping[int, Product]
    without_code: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()

    @property
    def kits(self) -> list[Product]:
        """The products that are made of others."""
        return [product for product in self.products.values() if product.kind == KIT]


def warehouses(rows: Rows) -> list[Warehouse]:
    """Decode warehouses, inactive ones included."""
    return [
        Warehouse(
            id=str(number), name=row.field("name").text(), kind="warehouse", active=flag(row.field("active"))
        )
        for number, row in rows
    ]


def catalogue(rows: Rows) -> Catalogue:
    """Decode products, inactive ones included.

    Tryton keeps codes unique among active products only, so a code may have been passed on: its active
    product stands for it, or the newest if none is active.

    Raises:
        DecodeError: ``duplicate_code``: two active products have one code.
    """
    named: defaultdict[str, list[Product]] = defaultdict(list)
    without: list[int] = []
    for number, row in rows:
        written = row.get("code")
        code = written.text() if written else ""
        if code:
            named[code].append(_product(number, code, row))
        else:
            without.append(number)
    problems: list[str] = []
    chosen: dict[int, Product] = {}
    for code, claims in named.items():
        active = [product for product in claims if product.sku.active]
        if len(active) > 1:
            ids = ", ".join(str(product.id) for product in active)
            problems.append(f"the code {code!r} belongs to the active products with ids {ids}")
        product = (active or claims)[-1]
        chosen[product.id] = product
    if problems:
        raise DecodeError(
            "Tryton has active products that share a code",
            code="duplicate_code",
            remedy="Give each active product a code of its own; omsync never picks one of two.",
            problems=first_few(problems),
        )
    replaced = [product.id for claims in named.values() for product in claims if product.id not in chosen]
    return Catalogue(products=chosen, without_code=tuple(without), replaced=tuple(replaced))


def bundles(rows: Rows, known: Catalogue) -> list[Bundle]:
    """Decode the parts of kits. Parts of a variant go before those of the product that it is a variant of.

    A part that is not in the catalogue is given a name that says so, and then the engine skips the kit. A
    part that is fixed, needed once whatever the number of kits, counts as needed for each kit.

    Args:
        rows: Records of ``product.component``.
        known: The products.

    Raises:
        DecodeError: ``bad_quantity``: a need is no number.
    """
    own: defaultdict[int, list[Component]] = defaultdict(list)
    shared: defaultdict[int, list[Component]] = defaultdict(list)
    figures = Figures()
    for number, row in rows:
        part_id = row.field("product").whole()
        part = known.products.get(part_id)
        need = figures.take(row, "quantity", f"part {number} of a kit", divisible=True)
        if part is not None:
            need *= unit_factor(row.field("unit.")) / part.factor
        component = Component(
            master_sku=part.sku.master_sku if part else f"(product id {part_id}, without a code of its own)",
            quantity=rounded_up(round(need, _DIGITS)),
        )
        variant = row.get("parent_product")
        if variant is not None:
            own[variant.whole()].append(component)
        else:
            shared[row.field("parent_template").whole()].append(component)
    figures.settle()
    return [
        Bundle(master_sku=kit.sku.master_sku, components=own.get(kit.id) or shared.get(kit.template_id, []))
        for kit in known.kits
    ]


def committed(rows: Rows, known: Catalogue, warehouse: Warehouse) -> dict[int, int]:
    """Add up, by product id, the units of moves that will leave a warehouse.

    Raises:
        DecodeError: ``bad_quantity``: a quantity is no number, negative, or a fraction of what has none.
    """
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    figures = Figures()
    for number, row in rows:
        product = known.products.get(row.field("product").whole())
        if product is not None:
            place = f"stock move {number} out of {_named(warehouse)}, {product.named}"
            sums[product.id] += figures.take(
                row, "internal_quantity", place, divisible=product.divisible, minimum=0
            )
    figures.settle()
    return {key: rounded_up(units) for key, units in sums.items()}


def levels(
    rows: Rows, known: Catalogue, warehouse: Warehouse, promised: Mapping[int, int]
) -> list[StockLevel]:
    """Make the stock levels of a warehouse. Kits have nothing on a shelf, and may be made wherever parts are.

    Args:
        rows: Products with their quantity in that warehouse.
        known: The products.
        warehouse: Where.
        promised: Units that will leave it, by product id.

    Raises:
        DecodeError: ``bad_quantity``: a quantity is missing, no number, or a fraction of what has none.
    """
    figures = Figures()
    found = [
        StockLevel(master_sku=kit.sku.master_sku, location_id=warehouse.id, on_hand=0) for kit in known.kits
    ]
    for number, row in rows:
        product = known.products.get(number)
        if product is None or product.kind not in STOCKED:
            continue  # Made since the products were read, or left out: the next read has it, or nobody.
        place = f"{_named(warehouse)}, {product.named}"
        on_hand = figures.take(row, "quantity", place, divisible=product.divisible)
        found.append(
            StockLevel(
                master_sku=product.sku.master_sku,
                location_id=warehouse.id,
                on_hand=rounded_down(on_hand),
                committed=promised.get(number, 0),
            )
        )
    figures.settle()
    return found


def _product(number: int, code: str, row: Wire) -> Product:
    kind = row.field("type").text()
    unit, template = row.field("default_uom."), row.field("template.")
    name = row.get("name")
    return Product(
        id=number,
        sku=Sku(
            master_sku=code,
            name=name.text() if name else "",
            active=flag(row.field("active")) and flag(template.field("active")),
            kind="bundle" if kind == KIT else "core",
            digital=kind == "service",
            tracked=kind in {*STOCKED, KIT, "service"},
            source_id=str(number),
        ),
        template_id=template.field("id").whole(),
        kind=kind,
        divisible=unit.field("digits").whole() > 0,
        factor=unit_factor(unit),
    )


def _named(warehouse: Warehouse) -> str:
    return f"warehouse {warehouse.name!r} (id {warehouse.id})"
