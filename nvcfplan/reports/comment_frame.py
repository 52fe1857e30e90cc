"""What a comment on a request says beside its plan: whose it is, how fresh, how to go on."""

from __future__ import annotations

from dataclasses import dataclass

from nvcfplan.model import Digest
from nvcfplan.reports.conflicts import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentFrame:
    """Empty texts are left out. `digest`: of the plan that is shown.

    `apply`: a sentence that says how the plan is carried out, commands in backticks.
    `full_text` says where all of it stands, `full_url` is the address of that.
    `stale`: why the plan is not to be trusted any more; empty: it is fresh.
    """

    stack: str
    environment: str
    digest: Digest
    tool_version: str = ""
    commit: str = ""
    apply: str = ""
    full_text: str = ""
    full_url: str = ""
    stale: str = ""
    conflicts: tuple[Conflict, ...] = ()
