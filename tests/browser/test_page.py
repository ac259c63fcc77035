"""What a person does with a page, in a real Chromium: look, search, sort, open, turn pages, print."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from chromium import Browser
from demo_page import HOSTILE, NOW, large_page, plan_table

from omsync import page_of
from omsync.diagnosis import Check, Diagnosis
from omsync.views.cells import visible
from omsync.views.page import Table

# The codes that WebDriver's standard gives to keys.
ENTER, SPACE, TAB, END, DELETE, CONTROL = "\ue007", "\ue00d", "\ue004", "\ue010", "\ue017", "\ue009"

pytestmark = pytest.mark.browser

ROWS = ".tools + .scroll tbody > tr:not(.opened)"
PLAN = plan_table()


def column(browser: Browser, number: int) -> list[str]:
    """Give what a column of the first table shows, without the signs."""
    found = browser.run(
        f"return [...document.querySelectorAll('{ROWS}')]"
        ".map((row) => { const cell = row.children[arguments[0]];"
        " return (cell.querySelector('bdi, time, .unknown') ?? cell).textContent; })",
        number,
    )
    return list(found)


def sort_by(browser: Browser, title: str) -> str | None:
    """Press a heading, and say how the column is sorted now."""
    head = next(one for one in browser.all(".scroll thead th") if one.text.split("\n")[0] == title)
    head.find_element("css selector", "button").click()
    return str(head.get_attribute("aria-sort")) if head.get_attribute("aria-sort") else None


def test_the_page_shows_every_text_and_runs_none(browser: Browser, plan: Path) -> None:
    browser.open(plan)

    assert column(browser, 0)[: len(HOSTILE)] == [visible(code) for code in HOSTILE]
    assert browser.all("img") == []
    assert browser.run("return document.scripts.length") == 2


def test_no_other_script_can_run_and_nothing_can_be_loaded(browser: Browser, plan: Path) -> None:
    browser.open(plan)
    browser.run(
        "document.body.insertAdjacentHTML('beforeend', `<img src=x onerror='window.ran = 1'>`);"
        "const other = document.createElement('script'); other.textContent = 'window.ran = 2';"
        "document.body.append(other)"
    )

    browser.driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0]))")
    assert browser.run("return window.ran") is None
    refused = browser.complaints()
    assert len(refused) >= 2
    assert all("Content Security Policy" in one for one in refused)
    assert browser.requests() == [(plan.parent / "x").as_uri()]  # ours, and among the refused


def test_search_finds_by_every_key_column(browser: Browser, plan: Path) -> None:
    browser.open(plan)
    field = browser.one("input[type=search]")
    assert field.get_attribute("placeholder") == "Listing SKU, Master SKU"
    field.send_keys("sku-29")
    browser.until(".status", "11 of 300 rows")
    assert column(browser, 0) == ["SKU-29", *(f"SKU-{number}" for number in range(290, 300))]
    field.send_keys(" 00147")
    browser.until(".status", "2 of 300 rows")
    assert column(browser, 0) == ["SKU-294", "SKU-295"]
    field.send_keys(" nothing")
    browser.until(".status", "0 of 300 rows")
    assert browser.texts(ROWS) == ["No row matches."]
    field.send_keys(CONTROL, "a")
    field.send_keys(DELETE)
    browser.until(".status", "300 rows")
    field.send_keys("</script>")
    browser.until(".status", "1 of 300 rows")


def test_every_column_is_sorted_up_down_and_back(browser: Browser, plan: Path) -> None:
    browser.open(plan)
    assert sort_by(browser, "Change") == "ascending"
    figures = column(browser, 5)
    numbers = [int(one.replace(",", "")) for one in figures]
    assert numbers == sorted(numbers)
    assert numbers[0] < -100
    assert sort_by(browser, "Change") == "descending"
    numbers = [int(one) for one in column(browser, 5)]
    assert numbers == sorted(numbers, reverse=True)
    browser.one("[aria-label='Last page']").click()
    assert column(browser, 5)[-1] == "?"
    assert sort_by(browser, "Change") is None
    assert column(browser, 0)[:2] == [visible(code) for code in HOSTILE[:2]]
    assert sort_by(browser, "Sent before") == "ascending"
    moments = column(browser, 8)
    assert moments == sorted(moments)
    assert sort_by(browser, "Listing SKU") == "ascending"
    codes = [code for code in column(browser, 0) if code.startswith("SKU-")]
    assert codes[:3] == ["SKU-10", "SKU-11", "SKU-12"]
    assert browser.run("return document.querySelectorAll('[aria-sort]').length") == 1
    for title in [one.title for one in PLAN.columns]:
        sort_by(browser, title)


def test_a_short_table_is_not_searched_but_sorted(browser: Browser, short: Path) -> None:
    browser.open(short)
    assert not browser.one("input[type=search]").is_displayed()
    assert len(browser.texts(ROWS)) == 10
    assert sort_by(browser, "Would show") == "ascending"
    assert column(browser, 4) == sorted(column(browser, 4), key=int)


def test_rows_are_filtered_by_their_sign(browser: Browser, plan: Path) -> None:
    browser.open(plan)
    chip = browser.one(".chip[data-tone='bad']")
    assert chip.text.split() == ["!!bad", str(PLAN.tones.count("bad"))]
    chip.click()
    assert browser.one(".status").text == f"{PLAN.tones.count('bad')} of 300 rows"
    assert browser.all(ROWS)[0].get_attribute("class").split() == ["is-bad", "opens"]
    browser.one(".chip[data-tone='warning']").click()
    both = PLAN.tones.count("bad") + PLAN.tones.count("warning")
    assert browser.one(".status").text == f"{both} of 300 rows"
    assert chip.get_attribute("aria-pressed") == "true"
    chip.click()
    assert browser.one(".status").text == f"{PLAN.tones.count('warning')} of 300 rows"


def test_the_doctor_s_rows_are_filtered_by_their_own_words(browser: Browser, tmp_path: Path) -> None:
    statuses = ["ok"] * 9 + ["wrong", "wrong", "unknown"]
    found = Diagnosis(
        merchant="acme",
        cart="shop",
        destination="shop",
        at=NOW,
        checks=[
            Check(key=f"k{number}", question=f"Question {number}?", status=status, answer="so")
            for number, status in enumerate(statuses)
        ],
    )
    path = tmp_path / "diagnosis.html"
    page_of(found).to_html(path)
    browser.open(path)

    chips = browser.all(".chip")
    assert [chip.text.split() for chip in chips] == [["!!wrong", "2"], ["✓ok", "9"], ["-unknown", "1"]]
    chips[0].click()
    assert [row.text.split()[0] for row in browser.all(f"{ROWS} > td")[::3]] == ["wrong", "wrong"]
    assert {one.get_attribute("title") for one in browser.all(f"{ROWS} .sign")} == {"wrong"}


def test_an_explanation_opens_by_mouse_and_stays_open_through_sorting(browser: Browser, plan: Path) -> None:
    browser.open(plan)
    button = browser.all(".open")[1]
    assert button.get_attribute("aria-expanded") == "false"
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    why = browser.one(f"[id='{button.get_attribute('aria-controls')}']")
    assert why.text.startswith("Why 13\n")
    assert "PART-B, twice" in why.text
    assert "decides" in why.text
    assert "One more of PART-B raises three listings." in why.text
    sort_by(browser, "Listing SKU")
    sort_by(browser, "Listing SKU")
    browser.one("input[type=search]").send_keys("</script>")
    browser.until(".status", "1 of 300 rows")
    assert browser.one(".opened").text.startswith("Why 13\n")
    browser.all(".scroll td")[0].click()  # anywhere in the row
    assert browser.all(".opened") == []


@pytest.mark.parametrize("key", [ENTER, SPACE])
def test_an_explanation_opens_by_keyboard_and_the_focus_stays(browser: Browser, plan: Path, key: str) -> None:
    browser.open(plan)
    browser.run("document.querySelectorAll('.open')[0].focus({focusVisible: true})")
    focused = browser.driver.switch_to.active_element
    focused.send_keys(key)
    assert len(browser.all(".opened")) == 1
    assert browser.driver.switch_to.active_element == focused
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    focused.send_keys(key)
    assert browser.all(".opened") == []
    assert browser.driver.switch_to.active_element == focused


def test_all_of_it_is_reached_by_the_tab_key_alone(browser: Browser, plan: Path) -> None:
    browser.open(plan)
    reached = []
    for _ in range(21):
        browser.driver.switch_to.active_element.send_keys(TAB)
        reached.append(
            str(browser.run("return document.activeElement.className || document.activeElement.type"))
        )

    # The search, five signs, the box that scrolls, ten headings, and the rows that open.
    assert reached == ["search", *["chip"] * 5, "scroll", *["sort"] * 10, *["open"] * 4]


def test_twenty_thousand_rows_are_turned_sorted_and_searched(browser: Browser, catalogue: Path) -> None:
    browser.open(catalogue)
    browser.until(".status", "20,000 rows")
    assert len(browser.texts(ROWS)) == 100
    assert browser.all(".more") == []
    assert browser.one(".where").text == "1 to 100 of 20,000"
    first = browser.one("[aria-label='First page']")
    assert first.get_attribute("aria-disabled") == "true"
    following = browser.one("[aria-label='Next page']")
    for _ in range(20):
        following.click()
    assert browser.one(".where").text == "2,001 to 2,100 of 20,000"
    assert column(browser, 0)[0] == "SKU-002000-R"
    last = browser.one("[aria-label='Last page']")
    last.click()
    assert column(browser, 0)[-1] == "SKU-019999-K"
    last.click()
    assert browser.one(".where").text == "19,901 to 20,000 of 20,000"
    sort_by(browser, "On hand")
    assert set(column(browser, 10)) <= {str(number) for number in range(10)}
    browser.one("input[type=search]").send_keys("019998")
    browser.until(".status", "1 of 20,000 rows")
    browser.one(".open").click()
    products = large_page().parts[0]
    assert isinstance(products, Table)
    assert browser.one(".why-title").text == f"Why {products.rows[19_998][4]}"
    browser.one(".scroll").send_keys(END)


def test_a_browser_that_cannot_unpack_keeps_the_first_rows_and_says_so(
    chromium: Browser, catalogue: Path
) -> None:
    made = chromium.command(
        "Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream"
    )
    try:
        chromium.open(catalogue)
        assert len(chromium.texts("section > .scroll tbody > tr")) == 200
        assert chromium.one(".more").text.startswith("... and 19,800 more rows.")
        assert [one for one in chromium.complaints() if "could not be unpacked" not in one] == []
    finally:
        chromium.command("Page.removeScriptToEvaluateOnNewDocument", identifier=made["identifier"])


def test_light_and_dark_follow_the_reader(browser: Browser, plan: Path) -> None:
    shade = "return getComputedStyle(document.querySelector('.omsync')).backgroundColor"
    browser.open(plan)
    browser.all(".open")[1].click()
    assert browser.run(shade) == "rgb(247, 246, 243)"
    light = browser.picture("light")
    browser.open(plan, dark=True)
    browser.all(".open")[1].click()
    assert browser.run(shade) == "rgb(21, 24, 27)"
    ink = "return getComputedStyle(document.querySelector('figure svg text')).fill"
    assert browser.run(ink) == "rgb(228, 231, 234)"
    assert browser.picture("dark") != light


def test_a_phone_scrolls_the_table_and_not_the_page(browser: Browser, plan: Path) -> None:
    browser.open(plan, wide=390, high=844, phone=True)
    browser.all(".open")[1].click()
    sizes = "return [document.documentElement.scrollWidth, innerWidth]"
    assert browser.run(sizes) == [390, 390]
    box = "const box = document.querySelector('.scroll');"
    assert browser.run(f"{box} return box.scrollWidth > box.clientWidth")
    place = "document.querySelector('.scroll tbody th').getBoundingClientRect().left"
    before, after = browser.run(
        f"{box} const before = {place}; box.scrollLeft = 400; return [before, {place}]"
    )
    assert before == after  # the code stays in sight
    why = "document.querySelector('.why').getBoundingClientRect()"
    assert browser.run(f"return {why}.left >= 0 && {why}.right <= innerWidth")
    browser.run(f"{box} box.scrollLeft = 0")
    browser.picture("phone")


def test_paper_has_all_that_the_page_says(browser: Browser, plan: Path) -> None:
    browser.open(plan, dark=True)
    browser.all(".open")[1].click()
    printed = base64.b64decode(browser.command("Page.printToPDF", printBackground=False)["data"])
    (browser.pictures / "plan.pdf").write_bytes(printed)
    from pypdf import PdfReader

    pages = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(printed)).pages]
    text = " ".join(pages)

    for words in (
        "Plan for acme at shop",
        "Another system writes",
        "Why 13",
        "SKU-99",
        "Returns (704)",
        "The cart's own code.",  # what the columns mean, closed on the screen
        "17 Feb",
        "The guardrail allows 20 %",
    ):
        assert words in text
    assert all("Master SKU" in page for page in pages if "SKU-5" in page)
    assert browser.run("return document.querySelectorAll('details[open]').length") == 0


def test_a_fragment_in_a_notebook_is_dark_with_it_and_leaves_the_rest_alone(
    browser: Browser, notebook: Path
) -> None:
    browser.open(notebook)
    shade = "return getComputedStyle(document.querySelector('.omsync')).backgroundColor"
    assert browser.run(shade) == "rgb(21, 24, 27)"
    other = (
        "const style = getComputedStyle(document.querySelector('#other th'));"
        "return [style.padding, style.borderBottomWidth, style.fontWeight]"
    )
    assert browser.run(other) == ["1px", "0px", "700"]
    browser.all("summary")[0].click()
    assert browser.one(".why-title").is_displayed()
    browser.picture("notebook")
