"""As whom: the first key found, in the order in which NVIDIA's own tools look.

Source: nvcf-api.md 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import SettingsError
from nvcfplan.model import Secret, SecretOrigin, SecretReference

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES: Final = ("NVCF_TOKEN", "NGC_CLI_API_KEY", "NGC_API_KEY", "NVCF_API_KEY")
_OPTION: Final = "the given key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """`token` shows itself masked. `looked_at`: all that were considered, in order."""

    token: Secret
    source: str
    looked_at: tuple[str, ...] = VARIABLES


def resolve_credential(explicit: str | None, environment: Mapping[str, str]) -> Credential:
    """Raises: SettingsError, when there is none, or it could not stand in a header."""
    candidates = ((_OPTION, explicit), *((one, environment.get(one)) for one in VARIABLES))
    found = next(((name, value) for name, value in candidates if value and value.strip()), None)
    if found is None:
        raise SettingsError(
            "no key for the service is set",
            detail="looked at " + ", ".join(VARIABLES),
            remedy="export NGC_API_KEY (a personal or service key that may list functions and "
            "deploy), or NVCF_TOKEN for a self-hosted service; --emulator needs none",
        )
    source, value = found
    return Credential(token=_token(value.strip(), source), source=source)


def _token(value: str, source: str) -> Secret:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise SettingsError(
            f"{source} does not hold a key",
            detail="a key is one line of printable ASCII without blanks; what is there is not "
            "shown, because it may hold one",
            remedy=f"set {source} anew, without quotes, blanks or line ends inside",
        )
    return Secret(value, SecretReference(source, SecretOrigin.ENV, source))
