"""Where a forge's API is, and with which token it is asked: what is none is refused at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nvcfplan.errors import SettingsError
from nvcfplan.model import Secret

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_TOKEN: Final = re.compile(r"[!-~]+")
_ADDRESS: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeTarget:
    """`base_url` without a slash at its end. `header`: how the token is sent, such as
    `Authorization: Bearer`. `token_source`: the variable it came from. `headers`: sent as well.
    """

    base_url: str
    token: Secret
    token_source: str
    header: tuple[str, str]
    headers: tuple[tuple[str, str], ...] = ()


def refuse_unusable(target: ForgeTarget) -> None:
    """A token of other signs would be quoted in what fails further down.

    Raises: SettingsError.
    """
    parts = _parts(target.base_url)
    if parts is None:
        raise SettingsError(
            "the address of the forge's API is none",
            detail="it is https://HOST/PATH, without a name or a password in it",
            remedy="give the address of the API as the forge writes it",
        )
    if parts.scheme != "https" and not is_loopback(target.base_url):
        raise SettingsError(
            f"{target.base_url} is not https: the token is not sent to it",
            detail="over plain http a token can be read by anybody on the way",
            remedy="give the https address of the forge's API",
        )
    if not _TOKEN.fullmatch(target.token.reveal()):
        raise SettingsError(
            f"what {target.token_source} holds is no token",
            detail="a token has no blanks, line ends or letters beyond ASCII in it",
            remedy=f"put the token itself into {target.token_source}",
        )


def is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.scheme and parts.hostname and parts.port != 0)
    except ValueError:
        return None
    is_plain = _ADDRESS.fullmatch(url) and not (parts.username or parts.password)
    return parts if is_whole and is_plain and not (parts.query or parts.fragment) else None
