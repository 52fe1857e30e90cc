"""What a step's flow is given when it begins."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nvcfplan.applying.effects import Done, ReadSharing, ReadVersion, Refused, Unanswered
from nvcfplan.applying.flows import Bound, Write
from nvcfplan.applying.journal import Intent, Outcome
from nvcfplan.applying.settings import ApplySettings
from nvcfplan.model import Digest, EffectId, Json, OperationId, ResourceId, RunId, digest_of
from nvcfplan.plans import Charge, Resource, Step

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

UNSENT: Final = EffectId(0)
"""Stands in results that no effect of this run brought about: found, or never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """`open`: an intent of an earlier part of the run whose effect is not known.

    `is_open_noted`: that its answer is missing stands in the journal already.
    `is_looked_first`: what is to be done may be done already, so look before sending.
    `shrinks`: what is waited for is fewer instances, not the row's end.
    `charges`: the pooled units that matter to a waiting step, and what they are counted in.
    `gone_at`: when what is waited for had left the account, as an earlier part of the run saw.
    `is_repaired`: something was done already because this wait had come to nothing.
    `crowd`: how many steps are under way now, this one among them.
    `may_be_gone`: an undo waits, and did not deploy it: undeployed by others, it is not waited for.
    `released_beside`: of a resource, the units that other steps have been giving back since then.
    """

    step: Step
    run: RunId
    settings: ApplySettings
    began: float
    bound: Bound | None
    attempts: int
    open: Intent | None
    is_open_noted: bool
    was_unknown: bool
    before: Json | None
    is_looked_first: bool
    is_self_funded: bool
    shrinks: bool
    may_be_gone: bool
    charges: tuple[tuple[Charge, Resource], ...]
    released_beside: Callable[[ResourceId, float], int]
    crowd: Callable[[], int]
    is_repaired: bool = False
    gone_at: float | None = None

    def read(self) -> ReadVersion:
        assert self.bound is not None, self.step.id
        function, version = self.bound
        assert version is not None, self.step.id
        return ReadVersion(function, version, with_instances=True)

    def read_sharing(self) -> ReadSharing:
        assert self.bound is not None, self.step.id
        return ReadSharing(self.bound[0])

    def intent(self, attempt: int) -> Intent:
        return Intent(
            step=self.step.id,
            attempt=attempt,
            operation=operation_id(self.run, self.step.id, attempt),
            request=self.request,
            before=self.before,
        )

    def poll_seconds(self, elapsed: float) -> float:
        """Quick at first, then a tenth of what has passed; slower the more there are that look.

        Spread by the step's id, so that what began together does not look together.
        Source for the longest: nvcf-api.md 5 (the service looks each minute itself).
        """
        settings = self.settings
        wanted = min(max(settings.first_poll, elapsed / 10), settings.longest_poll)
        spread = 0.85 + 0.3 * (zlib.crc32(self.step.id.encode()) % 1000) / 1000
        return max(wanted, self.crowd() / settings.looks_per_second) * spread

    @property
    def request(self) -> Digest:
        """Of what is asked for: the task (secrets are references in it) and the ids it is for."""
        return digest_of(f"{self.step.task!r} {self.bound!r}")

    def note(
        self, attempt: int, result: Done | Refused | Unanswered, *, is_adopted: bool = False
    ) -> Write:
        return Write(
            Outcome(step=self.step.id, attempt=attempt, result=result, is_adopted=is_adopted)
        )


def operation_id(run: RunId, step: str, attempt: int) -> OperationId:
    """26 characters that fit a tag. Derived, not drawn: the machine knows no randomness."""
    number = int.from_bytes(hashlib.sha256(f"{run} {step} {attempt}".encode()).digest()[:17], "big")
    return OperationId("".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)))
