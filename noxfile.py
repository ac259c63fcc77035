"""How this project is checked: ``nox`` runs all that needs no server; other sessions start real ones."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = True
PYPROJECT = nox.project.load_toml("pyproject.toml")
CORE = "*/omsync/model.py,*/omsync/levels.py,*/omsync/frequency.py,*/omsync/settings.py,*/omsync/exchange.py"
CORE += ",*/omsync/allocation/*,*/omsync/planning/*,*/omsync/report.py,*/omsync/checks.py,*/omsync/errors.py"
CORE += ",*/omsync/comparison/*,*/omsync/diagnosis/*,*/omsync/inflight.py,*/omsync/levels_builder.py"

WITHOUT_SERVERS = "not vendure and not medusa and not oscar and not tryton and not schemas"
WITHOUT_SERVERS += " and not postgres and not browser and not recipes"


def group(session: nox.Session, *names: str) -> None:
    """Install dependency groups; an old pip cannot do that by itself."""
    session.install(*nox.project.dependency_groups(PYPROJECT, *names))


@nox.session
def lint(session: nox.Session) -> None:
    """Look at the code: style, format, and who may import whom."""
    group(session, "lint")
    session.install(".")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of everything, tests too."""
    group(session, "types")
    session.install(".[testing]")
    session.run("mypy", "src", "tests", "examples", "benchmarks", "noxfile.py", "conftest.py")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, the laws and the examples of the docs against the built wheel, not the source tree."""
    group(session, "tests")
    session.install(".[testing,oauth1,sql]")
    session.run("coverage", "run", "-m", "pytest", "-m", WITHOUT_SERVERS, *session.posargs)
    if not session.posargs:
        session.run("coverage", "report", "--include", CORE, "--fail-under", "100")
        session.run("coverage", "report", "--fail-under", "95")


def with_server(session: nox.Session, marker: str, *groups: str) -> None:
    """Run the tests in the folder named like their marker; they install and start what they need."""
    group(session, "tests", *groups)
    session.install(".[testing,oauth1,sql]")
    session.run("pytest", "-m", marker, f"tests/{marker}", *session.posargs)


@nox.session
def vendure(session: nox.Session) -> None:
    """Install a real Vendure from npm, start it on loopback, sync into it. Needs node, npm, a C compiler."""
    with_server(session, "vendure")


@nox.session
def medusa(session: nox.Session) -> None:
    """Install a real Medusa from npm and a PostgreSQL, start them on loopback, sync into it."""
    with_server(session, "medusa")


@nox.session
def oscar(session: nox.Session) -> None:
    """Install a real django-oscar with pip, start it on loopback, sync into it with the docs' example."""
    with_server(session, "oscar")


@nox.session
def tryton(session: nox.Session) -> None:
    """Install a real Tryton with pip, start it on loopback, and read it as an order manager."""
    with_server(session, "tryton")


@nox.session
def postgres(session: nox.Session) -> None:
    """Start a real PostgreSQL, the machine's own or one from a wheel, and keep the ledger in it."""
    with_server(session, "postgres", "postgres")


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the HTML of views in a headless Chromium: search, sort, keys, dark and light, phone, paper."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        session.run("apt-get", "update", external=True)
        session.run("apt-get", "install", "-y", "chromium", "chromium-driver", external=True)
    elif missing:
        session.error(
            f"Not on the PATH: {' and '.join(missing)}. Install Chromium and its driver (Debian has them as "
            "chromium and chromium-driver), or run this session as root where there is an apt-get."
        )
    with_server(session, "browser", "browser")


@nox.session
@nox.parametrize("scheduler", ["airflow", "celery", "prefect"])
def recipes(session: nox.Session, scheduler: str) -> None:
    """Have each scheduler itself run its recipe of the docs against the sandbox, alone in its environment."""
    group(session, scheduler)
    session.install(".[testing,sql]", "pytest>=8.3", "sybil>=8.0")
    session.run("pytest", "-m", "recipes", "-k", scheduler, "tests/recipes", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into docs/_build; a warning is an error. The tests run its examples."""
    group(session, "docs")
    session.install(".[testing,fast,oauth1,sql,rich,plots,tqdm]")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build")
    session.log("The site begins at docs/_build/index.html.")


@nox.session
def schemas(session: nox.Session) -> None:
    """Install vendors' own schemas from npm and hold every request of ours against them. Needs npm."""
    with_server(session, "schemas", "schemas")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Change real answers, files and settings at random; give the number of tries for each after ``--``."""
    group(session, "tests")
    session.install(".[testing,oauth1,sql]")
    tries = session.posargs[0] if session.posargs else "500"
    session.run("pytest", "tests/fuzz", env={"OMSYNC_FUZZ": tries})
    session.log(f"Each of these tests has tried {tries} times.")


@nox.session
def kills(session: nox.Session) -> None:
    """Kill 200 syncs into a real Vendure and a real Medusa; give another number after ``--``."""
    group(session, "tests")
    session.install(".[testing,oauth1,sql]")
    times = session.posargs[0] if session.posargs else "200"
    tests = ("tests/vendure/test_kills.py", "tests/medusa/test_kills.py")
    session.run("pytest", *tests, env={"OMSYNC_KILLS": times})


@nox.session
def soak(session: nox.Session) -> None:
    """Let 1,000 runs pass over a merchant of 2,000 products; give another number of runs after ``--``."""
    group(session, "tests")
    session.install(".[testing,oauth1,sql]")
    runs = session.posargs[0] if session.posargs else "1000"
    session.run("pytest", "tests/soak", env={"OMSYNC_SOAK": runs})


@nox.session
def audit(session: nox.Session) -> None:
    """Ask PyPI's vulnerability service about every library that the project and its extras install.

    It fails also where the service knows nothing of a library or cannot be reached: that is no clean audit.
    """
    extras = ",".join(PYPROJECT["project"]["optional-dependencies"])
    session.install(f".[{extras}]")
    needed = session.run("python", "-m", "pip", "freeze", "--exclude", "omsync", silent=True)
    folder = Path(session.create_tmp())
    libraries, told = folder / "libraries.txt", folder / "audit.json"
    libraries.write_text(str(needed))
    told.unlink(missing_ok=True)
    try:
        session.install("pip-audit")
    except nox.command.CommandFailed:
        session.error("pip-audit, which audits the libraries, cannot be installed from this package index.")
    words = ("--disable-pip", "--no-deps", "--format", "json", "--output", str(told))
    session.run("pip-audit", *words, "-r", str(libraries), success_codes=[0, 1], silent=True)
    if not told.exists():
        session.error("pip-audit could not reach its service: nothing was audited.")
    found = json.loads(told.read_text())["dependencies"]
    unknown = [one["name"] for one in found if "skip_reason" in one]
    bad = [f"{one['name']} {one['version']}: {flaw['id']}" for one in found for flaw in one.get("vulns", ())]
    if bad:
        session.error(f"Vulnerabilities are known: {'; '.join(bad)}.")
    if unknown:
        session.error(f"The service knew nothing of {', '.join(unknown)}: not audited.")
    session.log(f"No vulnerability is known of {len(found)} libraries.")


def with_engine(session: nox.Session, name: str, *needed: str) -> None:
    """Run the example for an engine, which compares what it worked out with one process."""
    session.install(".[fast]", "pyarrow>=16", *needed)
    session.run("python", f"examples/{name}_partitions.py")


@nox.session
def dask(session: nox.Session) -> None:
    """Allocate a merchant from Parquet with two workers of Dask."""
    with_engine(session, "dask", "dask[distributed]>=2024.8")


@nox.session
def ray(session: nox.Session) -> None:
    """Allocate a merchant from Parquet with two workers of Ray."""
    with_engine(session, "ray", "ray>=2.30")


@nox.session
def spark(session: nox.Session) -> None:
    """Allocate a merchant from Parquet with Spark; needs a Java."""
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        session.error(
            "Spark runs on Java 17 or later, and there is none: install one (Debian has "
            "openjdk-17-jre-headless), or say in JAVA_HOME where it is."
        )
    with_engine(session, "spark", "pyspark>=4.0", "pandas>=2.2,<3")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Time everything that docs/benchmarks.md tells of; print ratios, assert nothing of time. It takes hours.

    What stands after ``--`` goes to the engine's benchmark: ``--job 100k --rounds 1`` is done in minutes.
    """
    group(session, "benchmarks")
    session.install(".[oauth1,fast,json]")
    session.run("python", "benchmarks/engine.py", *session.posargs)
    others = (
        "lake",
        "decoding",
        "reading",
        "listings",
        "ledger",
        "requests",
        "pushing",
        "carts_at_once",
        "overlap",
    )
    for name in others:
        session.run("python", f"benchmarks/{name}.py")
