"""Addresses and secrets that people hand to sinks: checked where they come in, never shown."""

from __future__ import annotations

import base64
import re
from typing import Any

from attrs import Attribute

from omsync.errors import SettingsError, WrongTypeError
from omsync.secrets import Secret

__all__ = ["address", "basic", "given", "secret"]


def secret(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept None or a text that can be a secret, wrapped or not; never shows the value."""
    if value is None:
        return
    place = f"{type(instance).__name__}.{attribute.name}"
    text = value.reveal() if isinstance(value, Secret) else value
    if type(text) is not str:
        raise SettingsError(f"{place} must be text, not {type(text).__name__}", code="credentials")
    if not text or not text.isprintable() or (not text.isascii() and attribute.name != "password"):
        raise SettingsError(
            f"{place} is empty or holds characters that no key has, such as a line break",
            code="credentials",
            remedy="Strip what you read from a file or an environment variable.",
        )


def given(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Refuse None; for credentials that must be there."""
    if value is None:
        raise WrongTypeError(f"{type(instance).__name__}.{attribute.name} must be given", code="credentials")


def address(instance: object, attribute: Attribute[Any], value: object) -> None:
    """Accept an absolute http address without credentials, query or fragment."""
    if not (isinstance(value, str) and re.fullmatch(r"https?://[^/?#@\s\\]+(/[^?#@\s\\]*)?", value)):
        raise SettingsError(
            f"{type(instance).__name__}.{attribute.name} must be an address that begins with https://, "
            "without credentials or a query",
            code="bad_address",
            remedy="Write it like https://shop.example or https://shop.example/admin-api.",
        )


def basic(user: str, password: str) -> str:
    """Give the value of an ``authorization`` header for a user name and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
