"""Which service, as whom, and how patiently: all the client has to be told."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from nvcfplan.errors import SettingsError
from nvcfplan.model import Secret

MOST_CONCURRENT: Final = 50
"""More only slows the client down: its pool's upkeep grows with the connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds. `whole` bounds one request with its answer: a server may drip for ever. `total`
    bounds a read with all its repetitions and the pauses between them.
    """

    connect: float = 5.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 60.0
    whole: float = 120.0
    total: float = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`base_url` ends in `/v2/nvcf` or `/v2/orgs/{org}/nvcf`; without a trailing slash.

    `token_source` names the variable or option the token came from, `looked_at` all that were
    considered: what a refused key's remedy speaks of. `host` is sent as the `Host` header where a
    gateway routes by a name that the address does not have. Source: nvcf-api.md 1.1.
    """

    base_url: str
    token: Secret | None
    token_source: str = ""
    looked_at: tuple[str, ...] = ()
    org: str | None = None
    nca_id: str | None = None
    host: str | None = None
    concurrency: int = MOST_CONCURRENT
    patience: Patience = field(default_factory=Patience)

    @property
    def root(self) -> str:
        """Scheme, host and port: the endpoint as plans and state record it."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def base_path(self) -> str:
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def is_hosted(self) -> bool:
        """The organisation's own layout, which only the NGC front serves."""
        return self.org is not None and self.base_path.startswith("/v2/orgs/")


def refuse_plain_http(target: Target) -> None:
    """A key sent in the clear can be read by anybody on the way, unless it stays on this machine.

    Raises: SettingsError.
    """
    parts = urlsplit(target.base_url)
    if target.token is None or parts.scheme == "https" or is_loopback(parts.hostname or ""):
        return
    raise SettingsError(
        f"{target.root} is not https: the key is not sent to it",
        detail="over plain http a key can be read by anybody between here and the service",
        remedy="use the https address; plain http is for an emulator on this machine "
        "(127.0.0.1 or localhost)",
    )


def stays_on_this_machine(target: Target) -> bool:
    """Plain http to a loopback address: a proxy between would carry the key off in the clear."""
    parts = urlsplit(target.base_url)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
