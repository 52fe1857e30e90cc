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
    from nvcfplan.model import Secret

_PREFIX: Final = "whsec_"
_SHORTEST: Final = 24
_LONGEST: Final = 64


def signing_key(secret: Secret, source: str) -> bytes:
    """Raises: SettingsError, naming `source`, the variable it came from."""
    text = secret.reveal().removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unusable(source, "it is not base64") from error
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise _unusable(source, f"it is of {len(key)} bytes, not {_SHORTEST} to {_LONGEST}")
    return key


def signature_headers(key: bytes, body: bytes, *, notice: str, at: int) -> dict[str, str]:
    """`at`: seconds since 1970, of this attempt. The body must be sent byte for byte as it is."""
    signed = b".".join((notice.encode("ascii"), str(at).encode("ascii"), body))
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")
    return {
        "webhook-id": notice,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
    }


def _unusable(source: str, why: str) -> SettingsError:
    return SettingsError(
        f"{source} is no secret to sign with",
        detail=why,
        remedy=f"make one with `openssl rand -base64 32`, and give it to the receiver too;"
        f" {_PREFIX} may stand before it",
    )
