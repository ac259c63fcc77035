"""How this project is checked: ``nox`` runs all that needs no server, ``nox -s vendure`` a real shop."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = True
PYPROJECT = nox.project.load_toml("pyproject.toml")
CORE = "*/omsync/model.py,*/omsync/levels.py,*/omsync/frequency.py,*/omsync/settings.py,*/omsync/exchange.py"
CORE += ",*/omsync/allocation/*,*/omsync/planning/*,*/omsync/report.py,*/omsync/checks.py,*/omsync/errors.py"


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
    session.install(".[testing]")
    session.run("coverage", "run", "-m", "pytest", "-m", "not vendure", *session.posargs)
    if not session.posargs:
        session.run("coverage", "report", "--include", CORE, "--fail-under", "100")
        session.run("coverage", "report", "--fail-under", "95")


@nox.session
def vendure(session: nox.Session) -> None:
    """Install a real Vendure from npm, start it on loopback, sync into it. Needs node, npm, a C compiler."""
    group(session, "tests")
    session.install(".[testing]")
    session.run("pytest", "-m", "vendure", "tests/vendure", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Time the engine and print ratios; nothing is asserted."""
    session.install(".")
    session.run("python", "benchmarks/reference_engine.py", *session.posargs)
