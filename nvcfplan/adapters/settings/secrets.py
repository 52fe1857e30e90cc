"""Where the values of secrets are found: variables, files and the stack's own sensitive values."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import SecretSource
from nvcfplan.model import Secret, SecretOrigin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nvcfplan.model import SecretReference

MOST_BYTES: Final = 32_768
"""The service takes 1 to 32768 characters. Source: nvcf-api.md 3.1."""
_LONGEST_FILE: Final = 4 * MOST_BYTES + 2


class LocalSecrets(SecretSource):
    """`stack`: sensitive literals by locator (`chat/API_TOKEN`). Relative files are under `root`;
    `~` is not expanded.

    Nothing is kept: a file is read each time it is asked for. `learn` is told each value that is
    found, so that it is known wherever it comes back.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        stack: Mapping[str, Secret] | None = None,
        root: Path = Path(),
        learn: Callable[[str], None] | None = None,
    ) -> None:
        self._environment = environment
        self._stack = dict(stack or {})
        self._root = root
        self._learn = learn

    def __repr__(self) -> str:
        return f"LocalSecrets(root={str(self._root)!r})"

    def resolve(self, reference: SecretReference) -> Secret | None:
        """None also for a value that the service would not take: empty, or too long."""
        value = self._value_of(reference)
        if value is None:
            return None
        if self._learn is not None:
            self._learn(value)
        return Secret(value, reference)

    def _value_of(self, reference: SecretReference) -> str | None:
        match reference.origin:
            case SecretOrigin.ENV:
                value = self._environment.get(reference.locator)
            case SecretOrigin.FILE:
                value = _text_of(self._root / reference.locator)
            case SecretOrigin.STACK:
                found = self._stack.get(reference.locator)
                return None if found is None else found.reveal()
            case SecretOrigin.LIVE:
                return None
        return value if value and len(value) <= MOST_BYTES else None

    def fingerprint(self, reference: SecretReference, key: bytes) -> str | None:
        """Tells equality under one key, and nothing about the value without it."""
        secret = self.resolve(reference)
        if secret is None:
            return None
        value = secret.reveal().encode("utf-8", "surrogatepass")
        return hmac.new(key, value, hashlib.sha256).hexdigest()


def _text_of(path: Path) -> str | None:
    """Of a regular file; one line end at its end is not part of the value."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(_LONGEST_FILE + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    finally:
        os.close(descriptor)
    if len(content) > _LONGEST_FILE:
        return None
    return text.removesuffix("\n").removesuffix("\r")
