"""Unpacking what came compressed, without letting a small answer become a huge one."""

from __future__ import annotations

import zlib

from omsync.errors import DecodeError
from omsync.http.network import LARGEST_ANSWER, too_large

__all__ = ["gunzipped"]

_GZIP = zlib.MAX_WBITS | 16


def gunzipped(content: bytes, *, place: str, most: int = LARGEST_ANSWER) -> bytes:
    """Undo gzip.

    Args:
        content: The packed bytes.
        place: Where they are from, for messages.
        most: Bytes that the result may have; nothing beyond is unpacked.

    Raises:
        DecodeError: ``answer_too_large``, or ``not_gzip`` where it is something else or cut off.
    """
    unpacker = zlib.decompressobj(_GZIP)
    try:
        result = unpacker.decompress(content, most + 1)
    except zlib.error as error:
        raise _broken(place, str(error)) from error
    if len(result) > most:
        raise too_large(place, most)
    if not unpacker.eof:
        raise _broken(place, "it is cut off")
    # A second gzip file behind the first would be read by some and overlooked by others.
    if unpacker.unused_data.strip(b"\0"):
        raise _broken(place, "something follows its end")
    return result


def _broken(place: str, what: str) -> DecodeError:
    return DecodeError(
        f"{place}: the answer cannot be unpacked: {what}",
        code="not_gzip",
        remedy="Try again; if it stays, tell the vendor, or whoever runs the proxy between.",
    )
