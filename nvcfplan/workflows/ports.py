"""What use cases need of the world, handed in by a front end: no adapter is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nvcfplan.applying import (
    Clock,
    LiveReader,
    NoticeBoard,
    SecretSource,
    StateStore,
    StepPerformer,
)
from nvcfplan.model import AccountIdentity, FunctionId, RunId, VersionId

if TYPE_CHECKING:
    from nvcfplan.drifting import Notice
    from nvcfplan.reports import DriftReport


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPorts:
    """Commands that only look receive no way to write to the account.

    `board` None: no other stack's applies are known.
    """

    identity: AccountIdentity
    reader: LiveReader
    store: StateStore
    secrets: SecretSource
    clock: Clock
    board: NoticeBoard | None = None


class QueueReader(Protocol):
    async def queue_depth(self, function: FunctionId, version: VersionId) -> int | None:
        """Calls that wait for it; None: it takes none. Raises: RemoteError."""
        ...


class NoticeChannel(Protocol):
    """Where people are told of drift. One call for each notice; the same id may come again."""

    @property
    def name(self) -> str:
        """Stable from look to look, telling two receivers apart: what it was told is kept under it.
        Shown to people, so without anything secret."""
        ...

    async def tell(self, notice: Notice, report: DriftReport) -> None:
        """On return it has been received. `report`: of the look that sends it, which may be later.

        One `is_quiet` is for channels that show what stands; others take it for received.
        Raises: NoticeUndelivered.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPorts:
    """`queues` None: nobody can be asked what waits.

    `steps`: what the steps themselves look with; None: as `look`. What another stack will take
    counts for both, but a step waits only for those that were there before this run.
    """

    look: LookPorts
    performer: StepPerformer
    queues: QueueReader | None = None
    steps: LiveReader | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """Random values, made at the edge: the ids of a run and of a state that does not exist yet."""

    run: RunId
    lineage: str
    secret_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """`name` as people know it: `user@host`. `link`: the page of the CI job, if in one.

    `commit`: of the repository that the stack's files stand in, if they do.
    """

    name: str
    tool_version: str
    link: str = ""
    commit: str = ""
