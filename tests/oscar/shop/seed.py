"""Fill the shop, run by its own Python: partners, users with and without rights, products of each kind."""

# Runs in the shop's own Python, where Django is. mypy runs elsewhere.
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  Django wants to be set up first
from django.contrib.auth.models import Permission  # noqa: E402
from oscar.core.loading import get_model  # noqa: E402

Country, Partner, Product = (
    get_model(*names.split(".")) for names in ("address.Country", "partner.Partner", "catalogue.Product")
)
ProductClass, StockRecord = get_model("catalogue", "ProductClass"), get_model("partner", "StockRecord")

PASSWORD = "open-sesame"
MAY_VIEW = ["view_partner", "view_productclass", "view_product"]


def user(name: str, *permissions: str) -> None:
    """Make a user; with permissions, one of the staff."""
    made = get_user_model().objects.create_user(name, f"{name}@shop.test", PASSWORD)
    made.is_staff = bool(permissions)
    made.save()
    made.user_permissions.set(Permission.objects.filter(codename__in=permissions))


def product(upc: str, kind: Any, **stock: int | None) -> Any:
    """Make a product on its own, with a stock record at each partner named."""
    made = Product.objects.create(upc=upc, title=upc, product_class=kind, structure="standalone")
    return keep(made, upc, **stock)


def variants(upc: str, kind: Any, *endings: str) -> None:
    """Make a product in variants; the class is the parent's."""
    parent = Product.objects.create(upc=upc, title=upc, product_class=kind, structure="parent")
    for ending in endings:
        child = Product.objects.create(upc=f"{upc}-{ending}", title=ending, parent=parent, structure="child")
        keep(child, f"{upc}-{ending}", west=10)


def keep(made: Any, sku: str, **stock: int | None) -> Any:
    """Give a product its stock records."""
    for partner, units in stock.items():
        StockRecord.objects.create(
            product=made,
            partner=PARTNERS[partner],
            partner_sku=sku,
            price_currency="USD",
            price=5,
            num_in_stock=units,
        )
    return made


PARTNERS = {code: Partner.objects.create(name=code.title(), code=code) for code in ("west", "east")}
Country.objects.create(
    iso_3166_1_a2="US",
    iso_3166_1_a3="USA",
    iso_3166_1_numeric="840",
    printable_name="United States",
    name="UNITED STATES",
    is_shipping_country=True,
)
user("stock", *MAY_VIEW, "change_stockrecord")
user("reader", *MAY_VIEW)
user("customer")
goods = ProductClass.objects.create(name="Goods", track_stock=True)
downloads = ProductClass.objects.create(name="Downloads", track_stock=False)
ids = {f"PART-{number:03d}": product(f"PART-{number:03d}", goods, west=10).id for number in range(1, 21)}
for number in range(1, 4):
    keep(Product.objects.get(upc=f"PART-{number:03d}"), f"PART-{number:03d}", east=5)
variants("TEE", goods, "S", "M", "L")
variants("BOOK", downloads, "EPUB", "PDF")
product("GIFT-CODE", downloads, west=10)
product("NEVER-COUNTED", goods, west=None)
product("mug", goods, west=1)
product("MUG", goods, west=2)
print(json.dumps({"password": PASSWORD, "product_ids": ids}), flush=True)  # noqa: T201  start.py reads it
