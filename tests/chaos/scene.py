"""What all who work on one stack share: the account, the disk, the weather, and the story."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import ApplySettings, Clock, Document, PlanCodec, SecretSource
from nvcfplan.differences import find_owned
from nvcfplan.model import (
    AccountIdentity,
    Downtime,
    RunId,
    Secret,
    SecretReference,
    State,
    Status,
    function_key,
    parse_json,
)
from nvcfplan.plans import Plan
from nvcfplan.workflows.journals import CODEC
from nvcfplan.workflows.ports import Actor, LookPorts
from nvcfplan.workflows.reading import Scope
from tests.chaos.account import Besieged
from tests.chaos.storing import Disk
from tests.chaos.weather import Weather
from tests.fakes import START, FakeReader

if TYPE_CHECKING:
    from nvcfplan.applying import Call
    from nvcfplan.model import Digest
    from nvcfplan.plans import PreImage

SCOPE: Final = Scope(stack="prod", environment="default")
IDENTITY: Final = AccountIdentity(endpoint="http://fake", org=None, nca_id="nca")
ACTOR: Final = Actor(name="tester", tool_version="0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How the tool behaves; a defect is planted by changing one of these, and nothing else."""

    codec: Callable[[PlanCodec], PlanCodec] = lambda codec: codec
    state_seen: Callable[[State], State] = lambda state: state
    plan_carried_out: Callable[[Plan], Plan] = lambda plan: plan
    is_blind: bool = False
    is_stubborn: bool = False
    writes_intents_late: bool = False


class Recalling(PlanCodec):
    """The documents' own codec. `reads`: bytes are read; else it knows what it wrote as them.

    Reading takes most of a schedule's time and has laws of its own: few schedules do it.
    """

    def __init__(self, *, reads: bool) -> None:
        self._reads = reads
        self._known: dict[bytes, Plan] = {}

    def encode(self, plan: Plan) -> bytes:
        document = CODEC.encode(plan)
        self._known[document] = CODEC.decode(document) if self._reads else plan
        return document

    def decode(self, document: bytes) -> Plan:
        return self._known[document]

    def digest(self, plan: Plan) -> Digest:
        return CODEC.digest(plan)


class WallClock(Clock):
    """The monotonic clock is the account's; the one on the wall may be set."""

    def __init__(self, account: Besieged, weather: Weather) -> None:
        self._account = account
        self._weather = weather

    def now(self) -> datetime:
        return START + timedelta(seconds=self._account.now + self._weather.wall_offset)

    def monotonic(self) -> float:
        return self._account.now

    async def sleep_until(self, monotonic: float) -> None:
        raise AssertionError(f"nobody sleeps here, nor until {monotonic}")


class Vault(SecretSource):
    """A secret's value is where it comes from: so two can be told apart."""

    def resolve(self, reference: SecretReference) -> Secret | None:
        return Secret(reference.locator, reference)

    def fingerprint(self, reference: SecretReference, key: bytes) -> str | None:
        del key
        return reference.locator


@dataclass
class Scene:
    """`protected`: by operation, the keys that its run must not take out of service.

    `exempt`: keys that others have taken down.
    """

    random: Random
    account: Besieged
    disk: Disk
    weather: Weather
    manners: Manners
    codec: PlanCodec
    settings: ApplySettings = field(default_factory=ApplySettings)
    story: list[str] = field(default_factory=list)
    visits: Counter[str] = field(default_factory=Counter)
    protected: dict[str, frozenset[str]] = field(default_factory=dict)
    exempt: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    runs: int = 0
    is_lease_wanted: bool = False
    newcomers: int = 0

    def __post_init__(self) -> None:
        self.account.on_outage = self._judge_outage
        self.clock = WallClock(self.account, self.weather)
        self.ports = LookPorts(
            identity=IDENTITY,
            reader=FakeReader(self.account),
            store=self.disk,
            secrets=Vault(),
            clock=self.clock,
        )

    def tell(self, who: str, what: str) -> None:
        self.story.append(f"{self.account.now:9.1f} {who}: {what}")

    def next_run(self) -> RunId:
        """By the clock on the wall, as a ULID is: one that is set back makes an older id."""
        self.runs += 1
        millis = int(self.clock.now().timestamp() * 1000)
        return RunId(f"R{millis:015d}-{self.runs:03d}")

    def guard(self, plan: Plan) -> frozenset[str]:
        """Keys that are served when a run of this plan begins, and that it must keep serving."""
        never = {
            one.key
            for one in plan.desired.functions
            if one.update.downtime is Downtime.NEVER and one.specifications
        }
        up = {function_key(one.address) for one in plan.fingerprint.live if _is_serving(one)}
        return frozenset(never & up)

    def digest(self) -> str:
        whole = hashlib.sha256("\n".join(self.story).encode())
        for run in sorted(self.disk.journals):
            whole.update(self.disk.journals[run])
        stored = self.disk.documents.get((str(SCOPE), Document.STATE))
        whole.update(stored.content if stored else b"")
        return whole.hexdigest()

    def ours(self, state: State | None) -> set[str]:
        """Ids of all functions that carry this stack's tags."""
        found = find_owned(SCOPE.stack, SCOPE.environment, self.account.live(), state)
        return {one.function_id for one in found.owned.values()}

    def _judge_outage(self, call: Call, gone: frozenset[str]) -> None:
        lost = (gone & self.protected.get(call.operation, frozenset())) - self.exempt
        if lost:
            self.faults.append(f"{call.step} took {', '.join(sorted(lost))} out of service")
        self.tell("account", f"{call.step} leaves {', '.join(sorted(gone))} without service")


def _is_serving(image: PreImage) -> bool:
    fields = parse_json(image.fields)
    assert isinstance(fields, dict), image
    return image.is_current and fields.get("status") == Status.ACTIVE
