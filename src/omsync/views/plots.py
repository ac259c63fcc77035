"""A chart drawn as SVG with matplotlib (extra ``plots``), in colours that suit light and dark pages."""

from __future__ import annotations

import hashlib
import io
import math
import re
import warnings
from html import escape
from typing import Any

from omsync.errors import OmsyncError
from omsync.views.cells import visible
from omsync.views.page import Chart

__all__ = ["COLOURS", "to_svg"]

COLOURS = ("#3178b0", "#c2661a", "#2c8a72", "#8a63b8", "#b5487a", "#767c33")
"""Of the series, in their order; each stands out by 3:1 and more from white and from a dark page."""

_INK = "#010203"
"""Drawn as this, and then replaced by the colour of the text around the drawing."""

_LOOK = 'font-family="system-ui, sans-serif" stroke-linejoin="round" stroke-linecap="butt"'
"""In the element itself: a style sheet in it would hold for all of the page around it."""

_STYLES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_LONGEST = 34
_MOST_TICKS = 8

_SETTINGS: Any = {
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "font.size": 10,
    "path.simplify": True,
    "svg.fonttype": "none",
    "text.color": _INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
}


def to_svg(chart: Chart) -> str:
    """Draw a chart as an SVG element: the same figures give the same text, and it refers to nothing outside.

    Bars lie, so that names can be read; lines have a marker at every figure. What is not known is left out.

    Raises:
        OmsyncError: ``code="missing_library"``: matplotlib is not installed; names the extra.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OmsyncError(
            "Drawing a chart needs the library matplotlib, which is not installed",
            code="missing_library",
            remedy="Install it with: pip install 'omsync[plots]'",
        ) from error
    out = io.StringIO()
    salt = hashlib.sha256(repr(chart).encode("utf-8", "backslashreplace")).hexdigest()[:8]
    with rc_context({**_SETTINGS, "svg.hashsalt": salt}), warnings.catch_warnings():
        # The page's own fonts draw the letters; that this library has none for some of them is no matter.
        warnings.filterwarnings("ignore", message="Glyph ")
        figure = Figure(figsize=(8.0, _height(chart)), layout="constrained")
        axes = figure.add_subplot()
        _draw(axes, chart)
        figure.savefig(
            out, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    return _embedded(out.getvalue(), visible(chart.title), salt)


def _height(chart: Chart) -> float:
    if chart.kind == "line":
        return 3.4
    bars = len(chart.labels) * (len(chart.series) if chart.kind == "bars" else 1.4)
    return 0.9 + 0.4 * (len(chart.series) > 1) + 0.26 * max(bars, 2)


def _draw(axes: Any, chart: Chart) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    drawn = _lines(axes, chart) if chart.kind == "line" else _bars(axes, chart)
    figures = axes.yaxis if chart.kind == "line" else axes.xaxis
    figures.set_major_locator(MaxNLocator(nbins=6, integer=_is_whole(chart)))
    figures.set_major_formatter(FuncFormatter(lambda figure, _place: f"{figure:,.10g}"))
    figures.grid(visible=True, color=_INK, alpha=0.12, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "bottom" if chart.kind != "line" else "left"]].set_visible(False)
    axes.tick_params(length=0)
    unit = visible(chart.unit)
    (axes.set_ylabel if chart.kind == "line" else axes.set_xlabel)(unit)
    if len(chart.series) > 1:
        names = [_short(series.name) for series in chart.series]
        axes.figure.legend(drawn, names, loc="outside upper left", frameon=False, ncols=3, borderaxespad=0.2)


def _bars(axes: Any, chart: Chart) -> list[Any]:
    places = list(range(len(chart.labels)))
    side_by_side = chart.kind == "bars"
    thick = 0.8 / max(1, len(chart.series)) if side_by_side else 0.64
    ends = {True: [0.0] * len(places), False: [0.0] * len(places)}
    drawn = []
    for number, series in enumerate(chart.series):
        figures = [_number(one) for one in series.figures]
        widths = [0.0 if math.isnan(one) else one for one in figures]
        shift = (number - (len(chart.series) - 1) / 2) * thick if side_by_side else 0
        starts = [0.0 if side_by_side else ends[one >= 0][place] for place, one in enumerate(widths)]
        drawn.append(
            axes.barh(
                [place + shift for place in places],
                widths,
                height=thick * 0.92,
                left=starts,
                color=COLOURS[number % len(COLOURS)],
            )
        )
        for place, one in enumerate(widths):
            ends[one >= 0][place] += one
    axes.set_yticks(places, [_short(label) for label in chart.labels])
    axes.invert_yaxis()
    return drawn


def _lines(axes: Any, chart: Chart) -> list[Any]:
    places = range(len(chart.labels))
    drawn = [
        axes.plot(
            places,
            [_number(one) for one in series.figures],
            color=COLOURS[number % len(COLOURS)],
            linestyle=_STYLES[number % len(_STYLES)],
            marker=_MARKERS[number % len(_MARKERS)],
            markersize=4,
        )[0]
        for number, series in enumerate(chart.series)
    ]
    step = max(1, math.ceil(len(chart.labels) / _MOST_TICKS))
    axes.set_xticks(places[::step], [_short(label, 16) for label in chart.labels[::step]])
    return drawn


def _number(figure: float | None) -> float:
    return math.nan if figure is None or not math.isfinite(figure) else float(figure)


def _is_whole(chart: Chart) -> bool:
    known = [
        one for series in chart.series for one in series.figures if one is not None and math.isfinite(one)
    ]
    return all(one == int(one) for one in known)


def _short(text: str, longest: int = _LONGEST) -> str:
    seen = visible(text)
    return seen if len(seen) <= longest else seen[: longest - 1] + "…"


def _embedded(drawn: str, title: str, salt: str) -> str:
    """Make a stand-alone SVG an element of a page, with names of its own, the page's ink, and a title."""
    svg = drawn[drawn.index("<svg") :].strip()
    for left_out in (r"\s*<metadata>.*?</metadata>", r"\s*<style.*?</style>", r"font-family: [^;\"]*;? ?"):
        svg = re.sub(left_out, "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>c{salt}-", svg)
    svg = svg.replace(_INK, "currentColor")
    return f'<svg role="img" aria-label="{escape(title)}" {_LOOK} {svg.removeprefix("<svg ")}'
