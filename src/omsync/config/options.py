"""Free-form options of a source or a cart, in which a secret is a reference to an environment variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from omsync import checks
from omsync.config.structuring import FindingError, gathered
from omsync.errors import SettingsError

__all__ = ["EnvironmentVariable", "Options", "options", "resolved"]

_SECRET_WORDS = {
    *("accesskey", "apikey", "auth", "authorization", "bearer", "cookie", "credential", "key", "passphrase"),
    *("passwd", "password", "privatekey", "pwd", "secret", "token"),
}
_SECRET_PARTS = ("token", "secret", "passw", "apikey", "bearer", "credential", "jwt")
_WORD_BREAK = re.compile(r"[^a-z0-9]+")
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_URL_WITH_PASSWORD = re.compile(r"://[^/\s@]*:[^/\s@]+@")


@frozen
class EnvironmentVariable:
    """A reference to an environment variable, written ``{ env = "NAME" }``.

    Args:
        name: The variable's name.
    """

    name: str = field(validator=checks.text)


class Options(checks.FrozenMapping[Any]):
    """Options by name. Printing them shows the names only, since the values may be secrets."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Options: {', '.join(self) or 'none'}>"

    def __reduce__(self) -> tuple[object, ...]:
        return (Options, (dict(self),))


def options(value: Any) -> Options:
    """Take a table of options as written; raise findings for secrets and for references that are none."""
    if type(value) is not dict:
        # The value is not shown: somebody may have written a token here.
        raise FindingError("must be a table of options")
    return _table(value, secret=False)


def resolved(table: Options, environment: Mapping[str, str]) -> Options:
    """Put the values of environment variables in the place of references to them.

    Args:
        table: Options as the settings give them.
        environment: Usually ``os.environ``; omsync never reads that by itself.

    Raises:
        SettingsError: A variable is not set or empty (``code="missing_secret"``); names every such one.
    """
    missing: list[str] = []
    result: Options = _resolved(table, environment, missing)
    if missing:
        names = ", ".join(sorted(set(missing)))
        raise SettingsError(
            f"The settings refer to environment variables that are not set: {names}",
            code="missing_secret",
            remedy=f"Set {names} where this runs, or correct the name in the settings file.",
        )
    return result


def _table(value: dict[str, Any], *, secret: bool) -> Options:
    members = gathered(
        value.items(),
        lambda key, one: _member(one, secret=secret or _names_a_secret(str(key))),
        Options,
    )
    return Options(zip(value, members, strict=True))


def _member(value: Any, *, secret: bool) -> Any:
    if type(value) is dict and "env" in value:
        if len(value) > 1 or type(value["env"]) is not str or not value["env"]:
            raise FindingError('a reference to an environment variable is written { env = "NAME" }')
        return EnvironmentVariable(value["env"])
    if type(value) is dict:
        return _table(value, secret=secret)
    if type(value) is list:
        return tuple(gathered(enumerate(value), lambda _, one: _member(one, secret=secret), Options))
    if type(value) is not bool and (secret or _URL_WITH_PASSWORD.search(str(value))):
        raise FindingError(
            'a secret must not stand in the file; write { env = "NAME" } and set that environment variable',
            code="secret_in_file",
        )
    return value


def _names_a_secret(key: str) -> bool:
    words = _WORD_BREAK.split(_CAMEL_HUMP.sub("_", key).lower())
    run_together = any(part in key.lower() for part in _SECRET_PARTS)
    return run_together or any(word.removesuffix("s") in _SECRET_WORDS for word in words)


def _resolved(value: Any, environment: Mapping[str, str], missing: list[str]) -> Any:
    match value:
        case EnvironmentVariable(name=name):
            if not environment.get(name):
                missing.append(name)
            return environment.get(name)
        case Options():
            return Options({key: _resolved(one, environment, missing) for key, one in value.items()})
        case tuple():
            return tuple(_resolved(one, environment, missing) for one in value)
        case _:
            return value
