"""One schedule of faults: a stack is applied in peace, changed under siege, and set right in peace.

Everything is drawn from the seed: the same seed tells the same story, to the byte.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import ApplySettings, OnFailure, RunOutcome
from nvcfplan.model import FunctionConfig
from nvcfplan.plans import Infeasible
from nvcfplan.workflows.journals import last_journal
from tests.chaos.account import FOREIGN, Besieged
from tests.chaos.applier import Applier
from tests.chaos.flight import Turns
from tests.chaos.scene import SCOPE, Manners, Recalling, Scene
from tests.chaos.storing import Disk, at_once
from tests.chaos.verdict import judge
from tests.chaos.visits import Visit
from tests.chaos.weather import EVENTS, MOMENTS, ROOM, Trouble, Weather
from tests.chaos.worlds import Functions, World, make_world

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Final = tuple(Trouble)
_ON_FAILURE: Final = (*[OnFailure.COMPONENT] * 3, OnFailure.ALL, OnFailure.KEEP)
_MOST_TURNS: Final = 20_000
_MOST_NEWCOMERS: Final = 3
_STRANGER: Final = FunctionConfig(name="chat", inference_url="/v1", container_image="other:1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`faults`: what must not have happened. `digest`: of the story, the journals and the state."""

    seed: int
    faults: tuple[str, ...]
    visits: Counter[str]
    met: Counter[Trouble]
    story: tuple[str, ...]
    digest: str
    is_feasible: bool


@dataclass(slots=True)
class _At:
    """An errand under way, and the time until which it sleeps."""

    turns: Turns
    wakes: float


def simulate(
    seed: int, manners: Manners | None = None, *, kinds: frozenset[Trouble] | None = None
) -> Told:
    """`kinds`: of trouble, instead of some that the seed chooses."""
    random = Random(seed)
    world = make_world(random)
    weather = Weather(random, frozenset())
    account = Besieged(capacity=dict(world.capacity))
    account.add(FOREIGN, "v-somebody-elses", _STRANGER)
    manners = manners or Manners()
    codec = manners.codec(Recalling(reads=seed % 8 == 0))
    settings = ApplySettings(
        parallelism=random.choice((1, 3)), on_failure=random.choice(_ON_FAILURE)
    )
    scene = Scene(random, account, Disk(), weather, manners, codec, settings)
    feasible = _begin(scene, world)
    if feasible:
        for stack in world.stacks[1:]:
            weather.kinds = kinds or _some(random, is_scarce=world.is_scarce)
            _siege(scene, stack)
        _make_peace(scene)
        feasible = _set_right(scene, world.stacks[-1])
    return Told(
        seed=seed,
        faults=tuple(scene.faults),
        visits=scene.visits,
        met=weather.met,
        story=tuple(scene.story),
        digest=scene.digest(),
        is_feasible=feasible,
    )


def _some(random: Random, *, is_scarce: bool) -> frozenset[Trouble]:
    """Mostly few at a time, for then each goes far; now and then nearly all at once."""
    if is_scarce:
        return frozenset(
            {*ROOM, random.choice(MOMENTS), *random.sample(KINDS, random.randint(0, 2))}
        )
    count = random.randint(2, 8) if random.random() < 0.8 else random.randint(12, len(KINDS))
    return frozenset(random.sample(KINDS, count))


def _begin(scene: Scene, world: World) -> bool:
    """The first apply meets no trouble; so nothing that it asks for may be refused or wait."""
    applier = Applier(scene, "first")
    carry_out(scene, [applier.apply(world.stacks[0])])
    if applier.plan is None:
        return False
    if applier.outcome is not RunOutcome.APPLIED:
        scene.faults.append(f"the first apply ended as {applier.outcome}")
    _judge_waits(scene)
    return True


def _judge_waits(scene: Scene) -> None:
    if scene.account.waited:
        scene.faults.append(f"with nothing wrong, these had to wait: {scene.account.waited}")


def _siege(scene: Scene, stack: Functions) -> None:
    carry_out(scene, [Applier(scene, "one").apply(stack)], stack)
    for attempt in range(scene.random.randrange(3)):
        if not is_open(scene):
            break
        way = "resume" if scene.random.random() < 0.7 else "rollback"
        carry_out(scene, [Applier(scene, f"again {attempt}").recover(way)], stack)
    if not is_open(scene) and scene.random.random() < 0.15:
        carry_out(scene, [Applier(scene, "regret").recover("rollback")], stack)


def _make_peace(scene: Scene) -> None:
    """Faults are over, others gave back what they took, and all that was under way has arrived.

    Going back from a raised minimum takes no instance away, and can be in the way of going further
    back until nothing runs that nobody calls.
    """
    account = scene.account
    scene.weather.end()
    account.give_back(everything=True)
    account.go_idle()
    scene.disk.lose_lease()
    due = [when for when, _ in account.late] + [when for when, _, _ in account.releases]
    account.advance_to(max([account.now, *due]) + 600.0)
    scene.tell("peace", "")


def _set_right(scene: Scene, stack: Functions) -> bool:
    """One more run: an open one is gone on with, or undone, and the stack is applied.

    False: the stack does not fit; then nothing may have been begun.
    """
    if is_open(scene):
        # Where the world has moved it goes back; what cannot be undone any more can only go on, and
        # so can what died while nobody looked, and was kept when that was found.
        is_first = scene.random.random() < 0.7
        ways = ["resume", "rollback"] if is_first else ["rollback", "resume"]
        ways.append("resume")
        for way in ways:
            if is_open(scene):
                carry_out(scene, [Applier(scene, "settles").recover(way)])
    scene.account.waited.clear()
    applier = Applier(scene, "last")
    seen = scene.visits[Visit.STALE]
    carry_out(scene, [applier.apply(stack)])
    if scene.visits[Visit.STALE] > seen:
        # A run was killed before it wrote the state: apply does that first, and refuses once.
        carry_out(scene, [applier.apply(stack)])
    is_feasible = applier.plan is not None or not isinstance(applier.look(stack), Infeasible)
    if is_feasible and applier.outcome is not RunOutcome.APPLIED:
        scene.faults.append(f"the last apply ended as {applier.outcome}")
    if is_feasible:
        _judge_waits(scene)
    scene.faults.extend(judge(scene, stack, is_feasible=is_feasible))
    return is_feasible


def is_open(scene: Scene) -> bool:
    journal = at_once(last_journal(SCOPE, scene.disk))
    return journal is not None and journal.is_open


def carry_out(scene: Scene, errands: Sequence[Turns], stack: Functions | None = None) -> None:
    """All errands to their end, their turns in any order; time passes only when all sleep."""
    account = scene.account
    under_way = [_At(one, account.now) for one in errands]
    for _ in range(_MOST_TURNS):
        if not under_way:
            return
        if stack is not None:
            under_way.extend(_newcomers(scene, stack))
            _befall(scene)
        ready = [one for one in under_way if one.wakes <= account.now]
        if not ready:
            _pass_time(scene, min(one.wakes for one in under_way))
            continue
        chosen = ready[0] if len(ready) == 1 else scene.random.choice(ready)
        try:
            chosen.wakes = next(chosen.turns)
        except StopIteration:
            under_way.remove(chosen)
    raise AssertionError("the errands do not come to an end")


def _pass_time(scene: Scene, until: float) -> None:
    account = scene.account
    due = [when for when, _, _ in account.seized if account.now < when < until]
    account.advance_to(min([until, *due]))
    account.give_back()


def _newcomers(scene: Scene, stack: Functions) -> list[_At]:
    """Somebody else applies too; or takes the lease of one that he believes dead."""
    now = scene.account.now
    if scene.newcomers >= _MOST_NEWCOMERS:
        return []
    if scene.is_lease_wanted:
        scene.is_lease_wanted = False
        scene.newcomers += 1
        scene.disk.lose_lease()
        scene.tell("thief", "breaks the lease")
        way = scene.random.choice(["resume", "rollback"])
        return [_At(Applier(scene, "thief").recover(way), now)]
    if scene.weather.strikes((Trouble.SECOND_APPLIER,), 0.01):
        scene.newcomers += 1
        return [_At(Applier(scene, "two").apply(stack), now)]
    return []


def _befall(scene: Scene) -> None:
    account, random = scene.account, scene.random
    match scene.weather.strikes(EVENTS, 0.01):
        case Trouble.OUTAGE:
            scene.weather.outage_until = account.now + random.choice([10.0, 200.0, 1500.0])
        case Trouble.GRAB:
            pool = random.choice(sorted(account.capacity, key=str))
            account.seize(pool, account.now + random.choice([100.0, 2500.0]))
        case Trouble.LATE_CAPACITY:
            account.releases = [(when + 900.0, pool, n) for when, pool, n in account.releases]
        case Trouble.JUMP:
            scene.weather.wall_offset += random.choice([-3600.0, 3600.0])
        case Trouble.FOREIGN_EDIT:
            _edit(scene)
        case _:
            pass


def _edit(scene: Scene) -> None:
    account = scene.account
    deployed = account.deployed()
    if not deployed:
        return
    function, version = scene.random.choice(deployed)
    match scene.random.randrange(3):
        case 0:
            account.retag(function, version)
        case 1:
            account.rescale(function, version)
        case _:
            before = account.serving()
            account.undeploy(function, version)
            scene.exempt |= before - account.serving()
            scene.exempt |= {account.functions[function][version].config.name}
    scene.tell("somebody", f"edits {function}/{version}")
