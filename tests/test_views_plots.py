"""Charts as SVG: the same figures give the same drawing, and a label is only a label."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import pytest
from demo_page import HOSTILE, demo_page

from omsync.errors import OmsyncError
from omsync.views.cells import visible
from omsync.views.page import Chart, Series
from omsync.views.plots import COLOURS, to_svg

NAME = "{http://www.w3.org/2000/svg}"
CHARTS = [part for part in demo_page(3).parts if isinstance(part, Chart)]


def read(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314  it is ours


def texts(drawn: str) -> list[str]:
    return [str(one.text) for one in read(drawn).iter(f"{NAME}text")]


def bars(drawn: str, colour: str) -> int:
    return sum(colour in (one.get("style") or "") for one in read(drawn).iter(f"{NAME}path"))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.kind)
def test_a_drawing_is_one_element_that_refers_to_nothing_and_is_always_the_same(chart: Chart) -> None:
    drawn = to_svg(chart)
    root = read(drawn)

    assert (root.tag, root.get("role"), root.get("aria-label")) == (f"{NAME}svg", "img", chart.title)
    assert to_svg(chart) == drawn
    for word in ("<style", "<script", "metadata", "#010203", "font-family:", "<?xml", "<!DOCTYPE", "<image"):
        assert word not in drawn
    assert "currentColor" in drawn
    references = [given for one in root.iter() for key, given in one.items() if key.endswith("href")]
    assert all(one.startswith("#c") for one in references)


def test_labels_and_names_are_drawn_as_they_are_written() -> None:
    codes = HOSTILE[:8]
    figures = tuple(range(len(codes)))
    for kind in ("bars", "stacked", "line"):
        series = [Series(name="_a $x^2$", figures=figures), Series(name="<b> & c", figures=figures)]
        drawn = texts(to_svg(Chart(title="<T>", kind=kind, labels=codes, series=series, unit="$units$")))
        assert {"_a $x^2$", "<b> & c", "$units$"} <= set(drawn)
        cut = 16 if kind == "line" else 34
        for code in codes:
            seen = visible(code)
            assert (seen if len(seen) <= cut else seen[: cut - 1] + "…") in drawn


def test_every_known_figure_has_its_bar_and_an_unknown_one_has_none() -> None:
    chart = Chart(
        title="Before and after",
        labels=("a", "b", "c"),
        series=[
            Series(name="before", figures=(3, None, -2)),
            Series(name="after", figures=(1.5, 2, float("nan"))),
        ],
    )

    drawn = to_svg(chart)
    # A bar for each label, of no length where nothing is known, and one in the legend.
    assert bars(drawn, COLOURS[0]) == bars(drawn, COLOURS[1]) == 4
    assert "before" in texts(drawn)
    alone = to_svg(
        Chart(title="One", kind="stacked", labels=("a",), series=[Series(name="before", figures=(1,))])
    )
    assert "before" not in texts(alone)


def test_a_line_breaks_where_a_figure_is_not_known() -> None:
    figures = (1, 2, None, 4, 5)
    drawn = to_svg(
        Chart(title="Runs", kind="line", labels=tuple("abcde"), series=[Series(name="s", figures=figures)])
    )
    line = next(one for one in read(drawn).iter(f"{NAME}path") if COLOURS[0] in (one.get("style") or ""))

    assert str(line.get("d")).count("M ") == 2


def test_of_many_labels_some_are_written() -> None:
    labels = tuple(f"day {number}" for number in range(400))
    drawn = to_svg(
        Chart(title="Runs", kind="line", labels=labels, series=[Series(name="s", figures=(7,) * 400)])
    )

    assert sum(text.startswith("day ") for text in texts(drawn)) == 8


def test_a_chart_of_nothing_is_drawn_all_the_same() -> None:
    for kind in ("bars", "stacked", "line"):
        assert to_svg(Chart(title="Nothing", kind=kind, labels=(), series=())).startswith("<svg ")
        none = Chart(title="None known", kind=kind, labels=("a",), series=[Series(name="s", figures=(None,))])
        assert to_svg(none).startswith("<svg ")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(OmsyncError, match=r"omsync\[plots\]") as caught:
        to_svg(CHARTS[0])
    assert caught.value.code == "missing_library"
