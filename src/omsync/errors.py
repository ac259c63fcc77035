"""Everything omsync raises, in one tree.

    OmsyncError
    ├── InvalidValueError (ValueError)      a value that breaks its own rules
    │   └── WrongTypeError (TypeError)      "5", 5.7, True or None where 5 is wanted
    ├── SettingsError                       what a person wrote does not fit: names the choices
    ├── SnapshotError                       a reading that contradicts itself
    ├── RefusedError                        the other system understood and said no
    │   └── UnauthorizedError               ... because of the credentials
    ├── DecodeError                         an answer that is not what was agreed
    ├── TransientError                      may work later
    │   ├── UnreachableError                no connection
    │   ├── ThrottledError                  too many calls
    │   ├── ServerFaultError                the other system broke
    │   └── LostAnswerError                 sent, and nobody knows what came of it
    ├── DeadlineError                       the time you gave ran out
    ├── LedgerError                         the ledger is needed, or cannot be used
    ├── LeaseHeldError                      another run works on this cart, or reads this order manager
    └── NoExplanationError                  the figures behind a quantity are not at hand

Each error carries a stable ``code``, says what is wrong and where, and ends with what to do next.
"""

from __future__ import annotations

from datetime import datetime

__all__ = [
    "DeadlineError",
    "DecodeError",
    "InvalidValueError",
    "LeaseHeldError",
    "LedgerError",
    "LostAnswerError",
    "NoExplanationError",
    "OmsyncError",
    "RefusedError",
    "ServerFaultError",
    "SettingsError",
    "SnapshotError",
    "ThrottledError",
    "TransientError",
    "UnauthorizedError",
    "UnreachableError",
    "WrongTypeError",
]


class OmsyncError(Exception):
    """The root of every error that omsync raises on purpose.

    Args:
        message: What is wrong and where, as one sentence.
        code: A stable word for programs; each class has a default.
        remedy: What to do next; appended to the message when printed.
        problems: The single findings, when one error gathers several.
    """

    default_code = "error"

    def __init__(
        self, message: str, *, code: str | None = None, remedy: str = "", problems: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.remedy = remedy
        self.problems = problems

    def __str__(self) -> str:
        lines = [self.message, *(f"  - {problem}" for problem in self.problems)]
        if self.remedy:
            lines.append(f"What to do: {self.remedy}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message,), dict(vars(self)))


class InvalidValueError(OmsyncError, ValueError):
    """A value that breaks its own rules, such as a percent of 120."""

    default_code = "invalid_value"


class WrongTypeError(InvalidValueError, TypeError):
    """A value of the wrong type; text, fractions, true and null are never taken for whole numbers."""

    default_code = "wrong_type"


class SettingsError(OmsyncError):
    """Settings that do not fit each other, or do not fit what the order manager has."""

    default_code = "settings"


class SnapshotError(OmsyncError, ValueError):
    """A reading of the order manager that contradicts itself, such as one stock record given twice."""

    default_code = "snapshot"


class RefusedError(OmsyncError):
    """The other system understood the request and refused it; asking again will not help."""

    default_code = "refused"


class UnauthorizedError(RefusedError):
    """The credentials were refused, or lack a permission."""

    default_code = "unauthorized"


class DecodeError(OmsyncError):
    """An answer that is not what its vendor documents; names the field and the value."""

    default_code = "decode"


class TransientError(OmsyncError):
    """Something that may work later.

    Args:
        message: What happened.
        retry_after: Seconds that the other system asked us to wait, when it said so.
        code: As for every error.
        remedy: As for every error.
        problems: As for every error.
    """

    default_code = "transient"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        code: str | None = None,
        remedy: str = "",
        problems: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, code=code, remedy=remedy, problems=problems)
        self.retry_after = retry_after


class UnreachableError(TransientError):
    """No connection could be made, so nothing was sent."""

    default_code = "unreachable"


class ThrottledError(TransientError):
    """The other system said that we call too often; the request was not carried out."""

    default_code = "throttled"


class ServerFaultError(TransientError):
    """The other system broke while it worked on the request."""

    default_code = "server_fault"


class LostAnswerError(TransientError):
    """The request was sent and no whole answer came back: nobody knows whether it was carried out."""

    default_code = "lost_answer"


class DeadlineError(OmsyncError):
    """The deadline that the caller gave has passed; what was done until then is kept."""

    default_code = "deadline"


class LedgerError(OmsyncError):
    """A ledger is needed and was not given, or the one given cannot be used."""

    default_code = "ledger"


class LeaseHeldError(OmsyncError):
    """Another run works on this cart, or reads this order manager; names the holder.

    Args:
        message: What is in use, by whom.
        holder: Who holds it, for a person; empty when nobody does any more.
        since: When the holder took it.
        until: From when on another run may take it over, unless the holder gives a sign of life.
        code: ``"cart_in_use"``, ``"read_in_use"``, or ``"lease_lost"`` when it was this run's own.
        remedy: As for every error.
        problems: As for every error.
    """

    default_code = "cart_in_use"

    def __init__(
        self,
        message: str,
        *,
        holder: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        code: str | None = None,
        remedy: str = "",
        problems: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, code=code, remedy=remedy, problems=problems)
        self.holder = holder
        self.since = since
        self.until = until


class NoExplanationError(OmsyncError, LookupError):
    """The figures behind this quantity are not at hand in this process."""

    default_code = "no_explanation"
