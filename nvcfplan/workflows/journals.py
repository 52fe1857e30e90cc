"""The journals of a stack as they were written: which one is the last, and whether it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import PlanTaken, Record, RunEnded, RunStarted, Stamped
from nvcfplan.documents import decode_plan, decode_record, decode_stamped, encode_plan, plan_digest
from nvcfplan.errors import JournalCorrupt, RunOpen
from nvcfplan.model import RunId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying import PlanCodec, StateStore
    from nvcfplan.model import Digest
    from nvcfplan.plans import Plan
    from nvcfplan.workflows.reading import Scope


class DocumentCodec:
    """Plans as bytes, for a machine that may not know documents."""

    def encode(self, plan: Plan) -> bytes:
        return encode_plan(plan)

    def decode(self, document: bytes) -> Plan:
        return decode_plan(document)

    def digest(self, plan: Plan) -> Digest:
        return plan_digest(plan)


CODEC: Final[PlanCodec] = DocumentCodec()


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A run as written down, perhaps cut anywhere."""

    run: RunId
    stamped: tuple[Stamped, ...]

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(one.record for one in self.stamped)

    @property
    def ended(self) -> RunEnded | None:
        last = self.records[-1] if self.records else None
        return last if isinstance(last, RunEnded) else None

    @property
    def is_open(self) -> bool:
        """Something may have been begun that is not known to have ended."""
        return self._taken is not None and (self.ended is None or self.ended.outcome.is_open)

    @property
    def plan(self) -> Plan | None:
        """The run's own; None: cut before it was written, so nothing was begun."""
        return None if self._taken is None else CODEC.decode(self._taken.document)

    @property
    def _taken(self) -> PlanTaken | None:
        return next((one for one in self.records if isinstance(one, PlanTaken)), None)


async def last_journal(scope: Scope, store: StateStore) -> Journal | None:
    """Of the open run where there is one, else of the newest; None: there has been none.

    Raises: JournalCorrupt, of a run after which none has begun: it could be an open one.
    """
    places: list[_Place] = []
    damaged: list[JournalCorrupt] = []
    for run in await store.runs(str(scope)):
        try:
            places.append(_place(run, await store.records(str(scope), run)))
        except JournalCorrupt as error:
            damaged.append(error)
    last = max((place.epoch for place in places), default=0)
    for one in damaged:
        if not 0 < _epoch_of(one.intact) < last:
            raise one
    return await read_journal(scope, store, max(places).run) if places else None


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where a run stands among all; the greatest is the last run.

    Epochs rise with each lease; ids are in no order within a millisecond, nor when a clock is set
    back.
    """

    is_open: bool
    epoch: int
    run: RunId


def _place(run: RunId, stored: Sequence[bytes]) -> _Place:
    """Reads a journal's two ends only: there may be many, and plans are large."""
    known = (found for one in stored if (found := decode_record(one)) is not None)
    epoch, has_plan = 0, False
    for record in known:
        if isinstance(record, RunStarted):
            epoch = record.epoch
        elif isinstance(record, PlanTaken):
            has_plan = True
            break
    last = last_of(stored)
    has_settled = isinstance(last, RunEnded) and not last.outcome.is_open
    return _Place(is_open=has_plan and not has_settled, epoch=epoch, run=run)


def last_of(stored: Sequence[bytes]) -> Record | None:
    backwards = (decode_record(one) for one in reversed(stored))
    return next((one for one in backwards if one is not None), None)


def _epoch_of(stored: Sequence[bytes]) -> int:
    """Of the lease under which a run began; 0: its first record does not read.

    One below another's was settled when that began: while a run is open no other begins.
    """
    try:
        first = decode_record(stored[0]) if stored else None
    except JournalCorrupt:
        return 0
    return first.epoch if isinstance(first, RunStarted) else 0


async def read_journal(scope: Scope, store: StateStore, run: RunId) -> Journal:
    stored = await store.records(str(scope), run)
    decoded = (decode_stamped(record) for record in stored)
    return Journal(run=run, stamped=tuple(one for one in decoded if one is not None))


def refuse_open(journal: Journal | None, scope: Scope) -> None:
    """Raises: RunOpen. What an open run has left undone would be taken for somebody's edit."""
    if journal is None or not journal.is_open:
        return
    ended = journal.ended
    how = f"it ended as {ended.outcome.value}" if ended else "it was cut off"
    raise RunOpen(
        f"run {journal.run} of {scope} has not been settled",
        detail=f"{how}; its journal knows what is left to do",
        remedy="go on with `nvcfplan resume`, or undo it with `nvcfplan rollback`",
    )
