"""A developer's own source and sink pass ``mypy --strict`` from the protocols alone, and then work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "typing"


MISTAKES = """
from omsync import CartSettings, MerchantSettings, PerWarehouse, aio, sync_cart


class NoCart:
    def push(self) -> None:
        pass


async def main(source: int) -> None:
    merchant = MerchantSettings(mode=PerWarehouse())
    cart = CartSettings(name="stall", percnt=5)  # wrong: call-arg
    sync_cart(None, NoCart(), cart, merchant=merchant)  # wrong: arg-type
    sync_cart(source, NoCart(), cart, merchant=merchant)  # wrong: arg-type
    aio.sync_cart(None, NoCart(), cart, merchant=merchant)  # wrong: arg-type, unused-coroutine
"""


def checked(script: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    options = ["--strict", "--config-file=", "--python-version=3.11", f"--cache-dir={cache}"]
    return subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(script)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("script", ["user_script.py", "user_script_async.py"])
def test_a_script_with_ports_of_its_own_passes_the_strict_type_checker(script: str, cache: Path) -> None:
    result = checked(FOLDER / script, cache)

    assert (result.stdout, result.stderr) == ("Success: no issues found in 1 source file\n", "")
    assert "class BackOffice:" in (FOLDER / script).read_text()


def test_the_type_checker_finds_the_mistakes_of_a_script(cache: Path, tmp_path: Path) -> None:
    script = tmp_path / "mistakes.py"
    script.write_text(MISTAKES)
    wrong = {
        (str(number), code)
        for number, line in enumerate(MISTAKES.splitlines(), start=1)
        if "# wrong: " in line
        for code in line.split("# wrong: ")[1].split(", ")
    }

    found = re.findall(r":(\d+): error: .*\[([a-z-]+)\]$", checked(script, cache).stdout, re.MULTILINE)

    assert set(found) == wrong


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "user_script.py",
            [
                "MUG 12",
                "SPOON 40",
                "2 listings: 2 applied",
                "5 = 12 available in Cellar (1) - 2 in orders in flight, percent 50: 10 -> 5",
                "{'applied': 1, 'unchanged': 1}",
                "unknown_alias",
            ],
        ),
        (
            "user_script_async.py",
            [
                "1 listing: 1 applied",
                "1 listing: 1 pending (1 accepted)",
                "1 listing: 1 unchanged; nothing was pushed",
            ],
        ),
    ],
)
def test_the_scripts_do_what_they_say(script: str, said: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", str(FOLDER / script)], capture_output=True, text=True, check=False
    )

    # Without a handler of the script's own, Python itself prints warnings: here that of the failed run.
    warned = [line for line in result.stderr.splitlines() if not line.startswith("default / stall: failed")]
    assert (warned, result.stdout.splitlines()) == ([], said)
