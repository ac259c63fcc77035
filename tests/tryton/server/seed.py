"""Fill an empty Tryton over JSON-RPC: a company, warehouses, products, kits, stock, users, a key.

    python tests/tryton/server/seed.py http://127.0.0.1:8000 database password

Prints what the tests need to know of it as JSON.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import sys
import urllib.request
from typing import Any

PARTS = 20
SYNC = "sync-Of-7-warehouses"


class Rpc:
    """Tryton's JSON-RPC, with a session."""

    def __init__(self, url: str, database: str, password: str) -> None:
        self.url = f"{url}/{database}/rpc/"
        self.headers = {"content-type": "application/json"}
        self.context: dict[str, Any] = {}
        user_id, session, _ = self.call("common.db.login", "admin", {"password": password}, "en")
        token = base64.b64encode(f"admin:{user_id}:{session}".encode()).decode()
        self.headers["authorization"] = f"Session {token}"

    def call(self, name: str, *parameters: Any) -> Any:
        """Call anything; give its result."""
        body = json.dumps({"id": 1, "method": name, "params": parameters}).encode()
        request = urllib.request.Request(self.url, body, self.headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        if answer.get("error"):
            raise SystemExit(f"{name}: {json.dumps(answer['error'])[:2000]}")
        return answer["result"]

    def __call__(self, name: str, *parameters: Any) -> Any:
        """Call a method of a model, in the user's context."""
        return self.call(f"model.{name}", *parameters, self.context)

    def make(self, model: str, **values: Any) -> int:
        """Make one record; give its id."""
        (made,) = self(f"{model}.create", [values])
        return int(made)

    def find(self, model: str, *domain: Any) -> int:
        """Give the id of the only record that fits."""
        (found,) = self(f"{model}.search", list(domain), 0, 2, None)
        return int(found)


def seed(url: str, database: str, password: str) -> dict[str, Any]:
    """Fill the database; give what the tests need to know of it."""
    rpc = Rpc(url, database, password)
    currency = rpc.make("currency.currency", name="US Dollar", symbol="$", code="USD")
    company = rpc.make("company.company", party=rpc.make("party.party", name="Local Co"), currency=currency)
    admin = rpc.find("res.user", ["login", "=", "admin"])
    rpc("res.user.write", [admin], {"companies": [["add", [company]]], "company": company})
    rpc.context = rpc("res.user.get_preferences", True)
    places = warehouses(rpc)
    unit = rpc.find("product.uom", ["name", "=", "Unit"])
    facts: dict[str, Any] = {
        "url": url,
        "database": database,
        "admin_password": password,
        "company": company,
        "currency": currency,
        "unit": unit,
        **places,
        "customer": rpc.make("party.party", name="Customer", addresses=[["create", [{"street": "1 Way"}]]]),
    }
    facts["address"] = rpc.find("party.address", ["party", "=", facts["customer"]])
    facts["products"] = products(rpc, unit)
    fill_shelves(rpc, facts)
    return {**facts, **users(rpc, company)}


def warehouses(rpc: Rpc) -> dict[str, Any]:
    """Make two warehouses beside the one that is there, and close one of them; give all places."""

    def warehouse(name: str, code: str) -> dict[str, int]:
        zones = {
            zone: rpc.make("stock.location", name=f"{name} {zone}", code=f"{code}-{zone}", type="storage")
            for zone in ("input", "output", "storage")
        }
        named = {f"{zone}_location": key for zone, key in zones.items()}
        key = rpc.make("stock.location", name=name, code=code, type="warehouse", **named)
        return {"id": key, **zones}

    main = {
        "id": rpc.find("stock.location", ["type", "=", "warehouse"]),
        "input": rpc.find("stock.location", ["code", "=", "IN"]),
        "output": rpc.find("stock.location", ["code", "=", "OUT"]),
        "storage": rpc.find("stock.location", ["code", "=", "STO"]),
    }
    east, closed = warehouse("East", "EAST"), warehouse("Closed", "CLOSED")
    rpc("stock.location.write", list(closed.values()), {"active": False})
    return {
        "main": main,
        "east": east,
        "closed": closed,
        "suppliers": rpc.find("stock.location", ["code", "=", "SUP"]),
        "customers": rpc.find("stock.location", ["code", "=", "CUS"]),
    }


def products(rpc: Rpc, unit: int) -> dict[str, int]:
    """Make products of every kind that matters; give their ids by code, or by what is special about them."""
    kilogram = rpc.find("product.uom", ["name", "=", "Kilogram"])
    dozen = rpc.make(
        "product.uom",
        name="Dozen",
        symbol="dz",
        category=rpc.find("product.uom.category", ["name", "=", "Units"]),
        factor=12.0,
        rate=0.083333333333,
        digits=0,
        rounding=1.0,
    )
    ids: dict[str, int] = {}

    def product(key: str, **more: Any) -> int:
        values = {"name": key, "code": key, "default_uom": unit, "type": "goods", "list_price": money("5")}
        template = rpc.make("product.template", **{**values, "products": [["create", [{}]]], **more})
        ids[key] = rpc.find("product.product", ["template", "=", template])
        return template

    for number in range(1, PARTS + 1):
        product(f"PART-{number:03d}")
    product("FLOUR", default_uom=kilogram)
    product("GIFT-WRAPPING", type="service")
    product("without code", code=None)
    product("OLD-1")
    rpc("product.product.write", [ids["OLD-1"]], {"active": False})
    gone = product("CLOSED-LINE")
    rpc("product.template.write", [gone], {"active": False})
    product("TWIN-1")
    ids["the twin that was replaced"] = ids["TWIN-1"]
    rpc("product.product.write", [ids["TWIN-1"]], {"active": False})
    product("TWIN-1")

    def kit(code: str, *parts: tuple[str, float, int, bool]) -> None:
        template = product(code, type="kit")
        for part, quantity, uom, fixed in parts:
            values = {"product": ids[part], "quantity": quantity, "unit": uom, "fixed": fixed}
            rpc.make("product.component", parent_template=template, **values)

    kit("KIT-1", ("PART-001", 1.0, unit, False), ("PART-002", 2.0, unit, False))
    kit("KIT-DOZEN", ("PART-020", 1.0, dozen, False))
    kit("KIT-FIXED", ("PART-003", 1.0, unit, False), ("PART-004", 1.0, unit, True))
    kit("KIT-HALF-KILO", ("FLOUR", 0.5, kilogram, False))
    kit("KIT-NAMELESS", ("without code", 1.0, unit, False))
    kit("KIT-EMPTY")
    return ids


def fill_shelves(rpc: Rpc, facts: dict[str, Any]) -> None:
    """Let stock arrive: of part n, 10 + n units in the main warehouse and n in the east."""
    kilogram = rpc.find("product.uom", ["name", "=", "Kilogram"])
    today = dt.datetime.now(dt.UTC).date()
    rows = [
        (f"PART-{number:03d}", facts["unit"], float(quantity), place)
        for number in range(1, PARTS + 1)
        for quantity, place in ((10 + number, facts["main"]), (number, facts["east"]))
    ]
    rows.append(("FLOUR", kilogram, 5.7, facts["main"]))
    moves = [
        {
            "product": facts["products"][code],
            "unit": unit,
            "quantity": quantity,
            "from_location": facts["suppliers"],
            "to_location": place["storage"],
            "company": facts["company"],
            "currency": facts["currency"],
            "unit_price": money("1"),
            "effective_date": {
                "__class__": "date",
                "year": today.year,
                "month": today.month,
                "day": today.day,
            },
        }
        for code, unit, quantity, place in rows
    ]
    rpc("stock.move.do", rpc("stock.move.create", moves))


def users(rpc: Rpc, company: int) -> dict[str, Any]:
    """Make the user that omsync would be, with a key, and two that see too little."""
    stock = rpc.find("res.group", ["name", "=", "Stock"])
    at_work = {"companies": [["add", [company]]], "company": company}
    sync = rpc.make(
        "res.user", name="Sync", login="sync", password=SYNC, groups=[["add", [stock]]], **at_work
    )
    rpc.make("res.user", name="Clerk", login="clerk", password=SYNC, **at_work)
    idle = rpc.make("res.user", name="Idle", login="idle", password=SYNC, groups=[["add", [stock]]])
    rpc("res.user.write", [idle], {"companies": [["remove", [company]]], "company": None})
    application = rpc.make("res.user.application", application="rest", user=sync)
    (made,) = rpc("res.user.application.read", [application], ["key"])
    return {"password": SYNC, "key": made["key"]}


def money(amount: str) -> dict[str, str]:
    """Write an amount as Tryton does."""
    return {"__class__": "Decimal", "decimal": amount}


if __name__ == "__main__":
    print(json.dumps(seed(*sys.argv[1:4])))  # noqa: T201  what the caller reads
