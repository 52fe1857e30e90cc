"""Signs a message so that its receiver knows who sent it, and when: as "Standard Webhooks" does.

Source: standardwebhooks.com, "Standard Webhooks", specification 1.0. A receiver takes no message
whose time is further than five minutes from its own, and none whose id it has had.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import Secret

_PREFIX: Final = "whsec_"
_SHORTEST: Final = 24
_LONGEST: Final = 64


def signing_keys(secret: Secret, source: str) -> tuple[bytes, ...]:
    """One, or several with blanks between: while a receiver changes to another, two are in force.

    Raises: SettingsError, naming `source`, the variable it came from.
    """
    found = tuple(_key(one, source) for one in secret.reveal().split())
    if not found:
        raise _unusable(source, "it is empty")
    return found


def _key(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unusable(source, "it is not base64") from error
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise _unusable(source, f"it is of {len(key)} bytes, not {_SHORTEST} to {_LONGEST}")
    return key


def signature_headers(
    keys: Sequence[bytes], body: bytes, *, notice: str, at: int
) -> dict[str, str]:
    """`at`: seconds since 1970, of this attempt. The body must be sent byte for byte as it is."""
    signed = b".".join((notice.encode("ascii"), str(at).encode("ascii"), body))
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    signatures = (f"v1,{base64.b64encode(one).decode('ascii')}" for one in digests)
    return {
        "webhook-id": notice,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }


def _unusable(source: str, why: str) -> SettingsError:
    return SettingsError(
        f"{source} is no secret to sign with",
        detail=why,
        remedy=f"make one with `openssl rand -base64 32`, and give it to the receiver too;"
        f" {_PREFIX} may stand before it",
    )
