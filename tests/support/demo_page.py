"""A page such as a plan makes, with what people write into names; and one of any size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from omsync.views.page import Branch, Cell, Chart, Column, Fact, Page, Series, Table, Tree

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\"quoted\" & 'quoted'",
    "<!--<script>",
    "A\u202eGPJ.\u2066B",
    "\x1b[31mred\x07\x00",
    "מק״ט-42",  # noqa: RUF001  a code in Hebrew
    "$x^2$ _private {{x}} [bold]x[/bold] %s",
    "long-" + "0123456789" * 12,
    "\ud800 half a pair",
)
"""What stands in SKUs and names because nobody keeps anybody from writing it."""

NAMES = (
    "Trail bottle 750 ml",
    "Enamel mug, forest green",
    "Canvas roll top",
    "Wool socks, two pairs",
    "Head torch",
)
REASONS = ("", "raised", "lowered", "to zero", "held: to zero", "held: large change", "no stock record")

COLUMNS = (
    Column(title="Listing SKU", kind="code", is_key=True, hint="The cart's own code."),
    Column(title="Master SKU", kind="code", is_key=True),
    Column(title="Name"),
    Column(title="Shown", kind="number", hint="What the cart shows now."),
    Column(title="Would show", kind="number", hint="What it would show after this plan."),
    Column(title="Change", kind="number"),
    Column(title="Available", kind="number"),
    Column(title="What happens"),
    Column(title="Sent before", kind="time"),
    Column(title="Bundle", kind="flag"),
)


def why(sku: str, quantity: int) -> Tree:
    """Give the explanation of a quantity: a bundle of two parts, one of which decides."""
    torch = Branch(
        label="PART-B, twice",
        figure=quantity,
        tone="decides",
        detail=f"{quantity * 2} available, 2 go into each",
        branches=[
            Branch(label="Reno DC (701)", figure=quantity * 2 + 3, detail="on hand", tone="good"),
            Branch(label="Pending orders", figure=-3, detail="promised already"),
            Branch(
                label="Returns (704)", figure=14, tone="quiet", detail="left out: its location is disabled"
            ),
        ],
    )
    bottle = Branch(label="PART-A", figure=quantity + 31, detail="1 goes into each")
    root = Branch(
        label=sku,
        figure=quantity,
        detail="what the parts are enough for",
        branches=[torch, bottle, Branch(label="Safety stock", figure=0, detail="none is kept back")],
    )
    return Tree(title=f"Why {quantity:,}", root=root, note="One more of PART-B raises three listings.")


def row(number: int, code: str) -> tuple[Cell, ...]:
    """Give one line of a plan, the same for the same number."""
    before, after = number * 7 % 211, number * 13 % 173
    return (
        code,
        f"M-{number // 2:05}",
        NAMES[number % 5],
        None if number % 17 == 0 else before,
        after,
        None if number % 17 == 0 else after - before,
        after + number % 3,
        REASONS[number % 7],
        NOW - timedelta(minutes=number * 37) if number % 11 else None,
        number % 4 == 0,
    )


def plan_table(many: int = 300) -> Table:
    """Give the changes of a plan, the hostile ones among them, each with its explanation."""
    codes = [HOSTILE[n] if n < len(HOSTILE) else f"SKU-{n}" for n in range(many)]
    rows = [row(number, code) for number, code in enumerate(codes)]
    tones = [("bad", "warning", "", "good", "", "quiet", "")[number % 7] for number in range(many)]
    details = [None if number % 3 == 2 else why(codes[number], number * 13 % 173) for number in range(many)]
    return Table(
        title="Changes",
        columns=COLUMNS,
        rows=rows,
        tones=tones,
        details=details,
        note="Held changes wait for a person.",
    )


def demo_page(many: int = 300) -> Page:
    """Give a page with everything that a page can have."""
    places = ("Reno DC (701)", "Columbus (702)", "Shop floor", "Returns (704)", HOSTILE[0])
    by_place = Chart(
        title="Stock by location",
        kind="stacked",
        labels=places,
        series=[
            Series(name="Available", figures=(1840, 920, 44, None, 3)),
            Series(name="Promised", figures=(310, 75, 12, 6, 0)),
        ],
        unit="units",
        note="Returns are not counted.",
    )
    days = [f"{NOW - timedelta(days=day):%d %b}" for day in range(13, -1, -1)]
    runs = Chart(
        title="Changes of the last runs",
        kind="line",
        labels=days,
        series=[
            Series(name="sent", figures=[120, 98, 143, 160, None, 133, 90, 71, 155, 170, 166, 148, 152, 149]),
            Series(name="_held $x^2$", figures=[4, 0, 2, 9, 3, 1, 0, 0, 5, 22, 8, 3, 2, 6]),
        ],
        unit="rows",
    )
    return Page(
        title="Plan for acme at shop",
        summary="127 listings would change; 43 of them wait for a person, since they would fall to zero.",
        facts=[
            Fact(name="Would change", value="127 of 300"),
            Fact(name="Held", value="43", tone="bad"),
            Fact(name="Read", value="10 min ago", tone="good"),
            Fact(name="Units", value="18,204 → 17,950"),
            Fact(name="Another system writes", value=HOSTILE[1], tone="warning"),
        ],
        parts=[plan_table(many), why("KIT-7", 7), by_place, runs, empty_table()],
        notes=["The guardrail allows 20 % of the listings to fall to zero.", HOSTILE[0]],
        at=NOW,
    )


def empty_table() -> Table:
    """Give a table without rows."""
    return Table(title="In quarantine", columns=COLUMNS[:2], rows=(), empty="Nothing is in quarantine.")


def large_page(many: int = 20_000, *, explained: bool = True) -> Page:
    """Give the products of a large merchant under twelve columns, each quantity with its explanation."""
    columns = (*COLUMNS, Column(title="On hand", kind="number"), Column(title="Pending", kind="number"))
    rows = [
        (*row(number, f"SKU-{number:06}-{'RGBK'[number % 4]}"), number * 31 % 997, number * 5 % 23)
        for number in range(many)
    ]
    rows = [
        (*one[:2], f"{one[2]}, model {number * 7919 % 65_536}", *one[3:]) for number, one in enumerate(rows)
    ]
    details = [why(str(one[0]), number * 13 % 173) for number, one in enumerate(rows)] if explained else ()
    tones = ["bad" if number % 400 == 0 else "" for number in range(many)]
    table = Table(title="Products", columns=columns, rows=rows, tones=tones, details=details)
    return Page(title="Products of acme", summary=f"{many:,} products.", parts=[table], at=NOW)
