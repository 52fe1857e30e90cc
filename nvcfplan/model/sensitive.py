"""Which environment variables look as if they hold a secret. One rule for files and account."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = frozenset({"token", "key", "keys", "secret", "secrets", "password", "passwords"})
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_sensitive_key(key: str) -> bool:
    """`HF_TOKEN`, `apiKey` and `db.password` do, `MAX_TOKENS`, `MONKEY` and `TOKENIZER` do not.

    Stack file and live version must agree, or a masked value would differ from itself for ever.
    """
    return any(word.lower() in _WORDS for word in _WORD.findall(key))
