"""A headless Chromium with one page open, as the tests of the HTML look at it.

Selenium is imported when a browser is started: only the session of these tests installs it.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Browser", "driver"]

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en-US",
)

LONGEST_WAIT = 60

IS_READY = """
    const tables = document.querySelectorAll("script[id^=data-]").length;
    const lively = document.querySelectorAll(".tools, .failed").length;
    return document.readyState === "complete" && lively === tables;
"""


def driver(profile: Path) -> Any:
    """Start Chromium with a profile of its own; it notes what it asks for and complains of."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


class Browser:
    """A Chromium with one page open."""

    def __init__(self, driver: Any, pictures: Path) -> None:
        self.driver = driver
        self.pictures = pictures
        self.page = Path()

    def open(
        self, page: Path, *, wide: int = 1280, high: int = 900, dark: bool = False, phone: bool = False
    ) -> None:
        """Open a file as it would be opened from a mail."""
        size = {"width": wide, "height": high, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])
        self.driver.get("about:blank")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.page = page
        self.driver.get(page.as_uri())
        self.wait(lambda: self.run(IS_READY))

    def wait(self, is_so: Callable[[], Any]) -> None:
        """Wait until something is so."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, LONGEST_WAIT).until(lambda _: is_so())

    def command(self, name: str, **given: Any) -> Any:
        """Give Chromium a command of its own protocol."""
        return self.driver.execute_cdp_cmd(name, given)

    def run(self, script: str, *given: Any) -> Any:
        """Run a script in the page, and give what it returns."""
        return self.driver.execute_script(script, *given)

    def one(self, selector: str) -> Any:
        """Give the first element."""
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        """Give all elements."""
        return list(self.driver.find_elements("css selector", selector))

    def texts(self, selector: str) -> list[str]:
        """Give the text of all elements, at once."""
        told = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return list(self.run(told, selector))

    def until(self, selector: str, text: str) -> None:
        """Wait until an element says this."""
        self.wait(lambda: self.one(selector).text == text)

    def picture(self, name: str) -> bytes:
        """Take a picture of the whole page."""
        taken = base64.b64decode(self.command("Page.captureScreenshot", captureBeyondViewport=True)["data"])
        (self.pictures / f"{name}.png").write_bytes(taken)
        return taken

    def complaints(self) -> list[str]:
        """Give what stands in the console."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Give every address that was asked for, besides the page itself."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [
            str(event["params"]["request"]["url"])
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [one for one in asked if one not in {self.page.as_uri(), "data:,", "about:blank"}]
