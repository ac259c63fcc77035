"""What may go over the network and what may come back: settings of one account's connection."""

from __future__ import annotations

from ipaddress import ip_address

from attrs import field, frozen

from omsync import checks
from omsync.errors import DecodeError
from omsync.http.pacing import Quota

__all__ = ["LARGEST_ANSWER", "Network", "too_large"]

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes. The largest answers that omsync asks for, pages of some hundred rows, have a few megabytes."""


@frozen(kw_only=True)
class Network:
    """How an account may be reached; every source and sink that speaks HTTP takes one.

    Args:
        plain_http: Hosts that may be called over http://, such as ``{"shop.internal"}``. To all others, but
            for this machine, nothing is sent unencrypted. Certificates are always checked.
        largest_answer: Bytes of the largest answer that is taken, packed and unpacked.
        quota: A limit that this account shares with others; the same object in each one's network.
    """

    plain_http: frozenset[str] = field(
        default=frozenset(), converter=checks.as_names, validator=checks.each(checks.text)
    )
    largest_answer: int = field(default=LARGEST_ANSWER, validator=checks.whole(minimum=1))
    quota: Quota | None = field(default=None, validator=checks.optional(checks.instance_of(Quota)))

    def allows_plain_http(self, host: str) -> bool:
        """Tell whether the host may be called over http://."""
        return host.lower() in {name.lower() for name in self.plain_http} or _is_loopback(host)


def too_large(place: str, most: int) -> DecodeError:
    """Give the error for an answer that is larger than somebody allows."""
    return DecodeError(
        f"{place}: the answer is larger than {most:,} bytes, and was not taken",
        code="answer_too_large",
        remedy="Check the address. If such answers are right, ask for smaller pages, or allow more with "
        "network=Network(largest_answer=...).",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
