"""Which environment variables look as if they hold a secret. One rule for files and account."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = frozenset({"TOKEN", "KEY", "SECRET", "PASSWORD"})


def is_sensitive_key(key: str) -> bool:
    """`HF_TOKEN` and `db-password` do, `MONKEY` and `TOKENIZER` do not: whole words, any case.

    Stack file and live version must agree, or a masked value would differ from itself for ever.
    """
    return not _WORDS.isdisjoint(re.split(r"[^A-Z0-9]+", key.upper()))
