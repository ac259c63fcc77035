"""A small file beside a cart file, by which whoever fetches both can tell that the cart file is whole."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from omsync import checks
from omsync.errors import DecodeError, OmsyncError

__all__ = ["Manifest", "check_manifest", "manifest_path"]


@frozen(kw_only=True)
class Manifest:
    """What a cart file holds.

    Args:
        file: The cart file's name.
        rows: Its rows, without a header.
        size: Its length in bytes.
        sha256: The SHA-256 of these bytes, in hexadecimal digits.
    """

    file: str = field(validator=checks.text)
    rows: int = field(validator=checks.whole(minimum=0))
    size: int = field(validator=checks.whole(minimum=0))
    sha256: str = field(validator=checks.text)

    @classmethod
    def of(cls, path: Path, data: bytes, rows: int) -> Manifest:
        """Describe a file's contents."""
        return cls(file=path.name, rows=rows, size=len(data), sha256=sha256(data).hexdigest())

    def encoded(self) -> bytes:
        """Give the manifest as it is written: a JSON object."""
        return (json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n").encode()


def manifest_path(path: Path) -> Path:
    """Tell where a file's manifest lies: beside it, ``NAME.manifest.json``."""
    return path.with_name(f"{path.name}.manifest.json")


def check_manifest(path: Path | str) -> Manifest:
    """Compare a cart file with its manifest, and give the manifest if they agree.

    The manifest is written after the file, so that between the two writes they disagree for a moment.

    Raises:
        DecodeError: They disagree (``code="manifest_mismatch"``), or one of them is missing or unreadable
            (``code="no_manifest"``).
    """
    file = Path(path)
    try:
        # The manifest first: a file that is replaced in between then disagrees, rather than agreeing by half.
        manifest = Manifest(**_object(manifest_path(file).read_bytes()))
        data = file.read_bytes()
    except (OSError, ValueError, TypeError, OmsyncError) as error:
        raise DecodeError(
            f"The file {file.name!r} cannot be checked: {error}",
            code="no_manifest",
            remedy="Write it with manifest=True; cart.push([]) writes the manifest of a file that is there.",
        ) from error
    if manifest != Manifest.of(file, data, manifest.rows):
        raise DecodeError(
            f"The file {file.name!r} has {len(data):,} bytes that are not those of its manifest",
            code="manifest_mismatch",
            remedy="Look again in a moment, since the manifest follows the file; then fetch both again. "
            "cart.push([]) writes the manifest of a file that was changed by somebody else.",
        )
    return manifest


def _object(data: bytes) -> dict[str, Any]:
    read = json.loads(data)
    if type(read) is not dict:
        raise TypeError(f"the manifest is not a JSON object, but {checks.shown(read)}")
    return read
