"""An account as one stack sees it, written down so that a plan can be made where nobody may ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nvcfplan.model.account import Account
from nvcfplan.model.live import LiveFunction
from nvcfplan.model.state import State

OFFLINE: Final = "snapshot:"
"""Before the endpoint of an account that was not asked: no plan for one is for the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`live`: what is ours in full, environment values hashed under `salt`; of all else only what
    holds GPUs. `state`: without the key that secrets are fingerprinted under, and without those.
    """

    stack: str
    environment: str
    taken_at: datetime
    salt: str
    account: Account
    live: tuple[LiveFunction, ...]
    state: State | None
