"""How this project is checked: ``nox`` runs all that needs no server; other sessions start real ones."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = True
PYPROJECT = nox.project.load_toml("pyproject.toml")
CORE = "*/omsync/model.py,*/omsync/levels.py,*/omsync/frequency.py,*/omsync/settings.py,*/omsync/exchange.py"
CORE += ",*/omsync/allocation/*,*/omsync/planning/*,*/omsync/report.py,*/omsync/checks.py,*/omsync/errors.py"
CORE += ",*/omsync/comparison/*,*/omsync/inflight.py"

WITHOUT_SERVERS = "not vendure and not medusa and not oscar and not tryton and not schemas"


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
    session.install(".[testing,oauth1]")
    session.run("coverage", "run", "-m", "pytest", "-m", WITHOUT_SERVERS, *session.posargs)
    if not session.posargs:
        session.run("coverage", "report", "--include", CORE, "--fail-under", "100")
        session.run("coverage", "report", "--fail-under", "95")


def with_server(session: nox.Session, marker: str, *groups: str) -> None:
    """Run the tests in the folder named like their marker; they install and start what they need."""
    group(session, "tests", *groups)
    session.install(".[testing,oauth1]")
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
def schemas(session: nox.Session) -> None:
    """Install vendors' own schemas from npm and hold every request of ours against them. Needs npm."""
    with_server(session, "schemas", "schemas")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Change real answers, files and settings at random; give the number of tries for each after ``--``."""
    group(session, "tests")
    session.install(".[testing,oauth1]")
    tries = session.posargs[0] if session.posargs else "500"
    session.run("pytest", "tests/fuzz", env={"OMSYNC_FUZZ": tries})


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Time the engine and the pushes through every cart, and print ratios; nothing is asserted of time."""
    session.install(".[oauth1]")
    session.run("python", "benchmarks/reference_engine.py", *session.posargs)
    session.run("python", "benchmarks/pushing.py")
