"""A chart as HTML: drawn where matplotlib is there; and always its figures, with bars where it is not."""

from __future__ import annotations

from collections.abc import Iterator

from omsync.errors import OmsyncError
from omsync.views._html_bits import drawn_cell
from omsync.views._markup import Html, element, ready
from omsync.views.cells import is_known
from omsync.views.page import Chart
from omsync.views.plots import COLOURS, to_svg

__all__ = ["drawn_chart"]


def drawn_chart(chart: Chart) -> Iterator[Html]:
    """Give a chart and its figures; without matplotlib only the figures, each with a bar."""
    try:
        drawn = to_svg(chart)
    except OmsyncError:  # matplotlib is not there
        yield _figures(chart, with_bars=True)
        return
    yield element("figure", ready(drawn))
    yield element("details", element("summary", "The figures"), _figures(chart), class_="figures")


def _figures(chart: Chart, *, with_bars: bool = False) -> Html:
    known = [
        abs(one) for series in chart.series for one in series.figures if one is not None and is_known(one)
    ]
    most = max(known, default=0) or 1
    rows = []
    for place, label in enumerate(chart.labels):
        figures = [series.figures[place] for series in chart.series]
        cells = [
            element("td", *(_bar(one, most, number) if with_bars else ()), drawn_cell(one), class_="number")
            for number, one in enumerate(figures)
        ]
        rows.append(element("tr", element("th", element("bdi", label), scope="row", class_="key"), *cells))
    unit = f" ({chart.unit})" if chart.unit else ""
    heads = [element("th", series.name + unit, scope="col", class_="number") for series in chart.series]
    table = element(
        "table",
        element("caption", chart.title, class_="unseen"),
        element("thead", element("tr", element("td", class_="key"), *heads)),
        element("tbody", *rows),
        class_="bars" if with_bars else None,
    )
    return element(
        "div", table, class_="scroll", role="region", aria_label=f"Figures of {chart.title}", tabindex=0
    )


def _bar(figure: float | None, most: float, number: int) -> tuple[Html, ...]:
    if figure is None or not is_known(figure) or not figure:
        return ()
    wide = max(1, round(abs(figure) / most * 100))
    style = f"inline-size:{wide}%;background-color:{COLOURS[number % len(COLOURS)]}"
    below = "bar below" if figure < 0 else "bar"
    return (element("span", class_=below, style=style, aria_hidden="true"),)
