"""What the kits for sources and ledgers share: checks by name, carried out one by one, and their report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from omsync import checks
from omsync.errors import SettingsError
from omsync.hints import suggestion
from omsync.testing._sink_trial import NotApplicable
from omsync.testing.sink_kit import CheckResult

__all__ = ["Check", "ConformanceReport", "Kit", "few_words"]

B = TypeVar("B")


@frozen(kw_only=True)
class Check(Generic[B]):
    """One thing that is expected of every adapter of a kind.

    Args:
        name: Its stable name.
        check: Called with the bench; raises ``AssertionError`` in words.
    """

    name: str
    check: Callable[[B], None] = field(repr=False)

    @property
    def statement(self) -> str:
        """What is expected, in one line."""
        return (self.check.__doc__ or "").partition("\n")[0]


@frozen(kw_only=True)
class ConformanceReport:
    """How an adapter did.

    Args:
        subject: The adapter, as it calls itself.
        results: One for each check.
    """

    subject: str = field(validator=checks.any_text)
    results: tuple[CheckResult, ...] = field(converter=checks.as_tuple)

    def named(self, outcome: str) -> tuple[str, ...]:
        """Give the names of the checks that ended so."""
        return tuple(one.name for one in self.results if one.outcome == outcome)

    @property
    def conforms(self) -> bool:
        """Whether no check failed."""
        return not self.named("failed")

    def __str__(self) -> str:
        told = [str(one) for one in self.results if one.outcome != "passed"]
        return "\n".join([f"{self.subject}: {len(self.named('passed'))} passed", *told])


class Kit(Generic[B]):
    """Checks by name, in the order in which they are run.

    Args:
        *functions: The checks: the name is the function's, the statement its docstring's first line.
    """

    def __init__(self, *functions: Callable[[B], None]) -> None:
        self.checks: Mapping[str, Check[B]] = checks.as_mapping(
            {one.__name__: Check(name=one.__name__, check=one) for one in functions}
        )

    def check(
        self, bench: B, *, subject: str, secrets: Iterable[str] = (), names: Iterable[str] | None = None
    ) -> ConformanceReport:
        """Carry checks out and report.

        Args:
            bench: What is checked.
            subject: What it calls itself.
            secrets: Texts that are not shown in the report either.
            names: Which checks; None for all.

        Raises:
            SettingsError: There is no check of a name.
        """
        wanted = list(self.checks) if names is None else list(names)
        for name in wanted:
            if name not in self.checks:
                raise SettingsError(
                    f"There is no check {name!r}", code="unknown_check", remedy=suggestion(name, self.checks)
                )
        hidden = tuple(secrets)
        results = [_carried_out(self.checks[name], bench, hidden) for name in wanted]
        return ConformanceReport(subject=subject, results=results)


def few_words(found: Iterable[Any]) -> str:
    """Show the first findings of many."""
    rows = [str(one) for one in found]
    more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""  # noqa: PLR2004  enough to see what is wrong
    return ", ".join(rows[:3]) + more


def _carried_out(check: Check[B], bench: B, secrets: tuple[str, ...]) -> CheckResult:
    outcome, seen = "passed", ""
    try:
        check.check(bench)
    except NotApplicable as reason:
        outcome, seen = "not_applicable", str(reason)
    except AssertionError as broken:
        outcome, seen = "failed", str(broken)
    except Exception as error:  # noqa: BLE001  an adapter under test may raise anything, and the other checks go on
        outcome, seen = "failed", f"{type(error).__name__}: {error}"
    for secret in secrets:
        seen = seen.replace(secret, "***")
    return CheckResult(name=check.name, statement=check.statement, outcome=outcome, seen=seen)
