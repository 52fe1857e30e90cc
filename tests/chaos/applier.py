"""One process of the tool at work on the stack, a turn at a time: the real machine, and what leads
to it. Each yields the time until which it has nothing to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.applying import (
    NO_TIME,
    ApplyMachine,
    Elapsed,
    Lease,
    PlanTaken,
    Record,
    RunOutcome,
    RunStarted,
    Stamp,
    elapsed_of,
    resume,
    start,
    state_after,
    state_with,
    undo,
    unremembered,
)
from nvcfplan.checks import check_plan
from nvcfplan.diagnostics import has_errors
from nvcfplan.errors import LeaseLostError, LockHeld, RunOpen
from nvcfplan.model import Stack, digest_of, function_key
from nvcfplan.planning import Inputs, PlanNeeds, PlanOptions, check_freshness, plan_stack
from nvcfplan.plans import CreateFunction, CreateVersion, Infeasible, Plan, Provenance, SetSecrets
from nvcfplan.workflows.climbing import replanner
from nvcfplan.workflows.journals import last_journal, read_journal, refuse_open
from nvcfplan.workflows.ports import Minted
from nvcfplan.workflows.recover import moved_since
from nvcfplan.workflows.runs import (
    Held,
    current_state,
    first_remembered,
    remember_last,
    write_state,
)
from tests.chaos.flight import Flight, Turns
from tests.chaos.scene import ACTOR, SCOPE, Scene
from tests.chaos.storing import at_once
from tests.chaos.visits import Visit
from tests.chaos.weather import Killed, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.applying import Replan, Replanning
    from nvcfplan.model import State
    from nvcfplan.workflows.journals import Journal
    from nvcfplan.workflows.reading import Remembered
    from tests.chaos.worlds import Functions


class Applier:
    """`outcome`: of the last run that it carried out. `launch`: begins a flight."""

    def __init__(self, scene: Scene, name: str, *, launch: Callable[..., Flight] = Flight) -> None:
        self.scene = scene
        self._launch = launch
        self.name = name
        self.outcome: RunOutcome | None = None
        self.plan: Plan | None = None
        self._lease: Lease | None = None

    # Errands.

    def apply(self, functions: Functions) -> Turns:
        return self._errand(self._apply(functions))

    def recover(self, way: str) -> Turns:
        """`way`: resume or rollback."""
        return self._errand(self._recover(way))

    def _errand(self, turns: Turns) -> Turns:
        try:
            yield from turns
        except Killed:
            self._tell("killed")
            self._let_go(is_dead=True)
        except LockHeld:
            self.scene.visits[Visit.LOCKED] += 1
            self._tell("refused: locked")
        except RunOpen:
            self.scene.visits[Visit.OPEN] += 1
            self._tell("refused: a run is open")
            self._let_go()
        except LeaseLostError:
            self._tell("the lease is gone")
            self._let_go()

    def _apply(self, functions: Functions) -> Turns:
        scene = self.scene
        self.plan = plan = self._planned(functions)
        yield scene.account.now
        if plan is None:
            return
        lease = self._acquire()
        journal = at_once(last_journal(SCOPE, scene.disk))
        refuse_open(journal, SCOPE)
        remembered = at_once(remember_last(SCOPE, scene.ports, lease, journal))
        yield scene.account.now
        fresh = check_freshness(
            plan, scene.account.account(), scene.account.live(), remembered.state
        )
        if not fresh.is_fresh:
            scene.visits[Visit.STALE] += 1
            self._tell(f"refused: stale, {[str(one.field) for one in fresh.moved]}")
            self._let_go()
            return
        if not plan.steps:
            self._remember_policies(plan, remembered, lease)
            self.outcome = RunOutcome.APPLIED
            self._let_go()
            return
        holding = self._holding(lease, remembered, run=None)
        carried_out = scene.manners.plan_carried_out(plan)
        machine = start(
            carried_out,
            holding.context(scene.ports.clock),
            scene.settings,
            scene.codec,
            replan=self._replanner(plan, holding.state),
        )
        yield from self._carry_out(machine, holding, plan)

    def _recover(self, way: str) -> Turns:
        scene = self.scene
        lease = self._acquire()
        journal = at_once(last_journal(SCOPE, scene.disk))
        is_undo = way == "rollback"
        plan = None if journal is None else self._plan_of(journal)
        if journal is None or plan is None or not (journal.is_open or is_undo):
            at_once(remember_last(SCOPE, scene.ports, lease, journal))
            self._let_go()
            return
        remembered = at_once(remember_last(SCOPE, scene.ports, lease, journal))
        yield scene.account.now
        if not is_undo and moved_since(journal, scene.account.live(), remembered.state):
            scene.visits[Visit.MOVED] += 1
            self._tell("refused: the account has moved")
            self._let_go()
            return
        scene.visits[Visit.ASKED if is_undo else Visit.RESUME] += 1
        holding = self._holding(lease, remembered, run=journal)
        context, settings, codec = holding.context(scene.ports.clock), scene.settings, scene.codec
        if is_undo:
            machine = undo(journal.records, context, settings, codec)
        else:
            replan = self._replanner(plan, holding.state)
            machine = resume(journal.records, context, settings, codec, replan=replan)
        yield from self._carry_out(machine, holding, plan)

    # What leads to a run.

    def _plan_of(self, journal: Journal) -> Plan | None:
        documents = [one.document for one in journal.records if isinstance(one, PlanTaken)]
        return self.scene.codec.decode(documents[0]) if documents else None

    def _planned(self, functions: Functions) -> Plan | None:
        scene = self.scene
        if scene.weather.fails_to_read(scene.account.now):
            self._tell("cannot read the account")
            return None
        found = self.look(functions)
        if isinstance(found, Infeasible) or has_errors(found.diagnostics):
            plan = found.plan if isinstance(found, Infeasible) else found
            codes = sorted({one.code for one in plan.diagnostics if has_errors([one])})
            scene.visits[Visit.INFEASIBLE] += 1
            self._tell(f"no plan: {codes}")
            return None
        late = [one for one in found.fingerprint.live if one.late is not None]
        scene.visits[Visit.SWEEP] += bool(late)
        self._tell(f"planned {len(found.steps)} steps, {len(late)} to sweep")
        return found

    def _replanner(self, plan: Plan, state: State) -> Replan:
        """The shell's own; the same defects are planted in what it makes."""
        scene = self.scene
        replan = replanner(plan, scene.manners.state_seen(state), scene.ports.secrets)

        def of_rung(asked: Replanning) -> Plan | Infeasible:
            found = replan(asked)
            return scene.manners.plan_carried_out(found) if isinstance(found, Plan) else found

        return of_rung

    def look(self, functions: Functions) -> Plan | Infeasible:
        scene = self.scene
        state = at_once(current_state(SCOPE, scene.ports)).state
        seen = None if state is None else scene.manners.state_seen(state)
        wanted = tuple(functions[key] for key in sorted(functions))
        stack = Stack(name=SCOPE.stack, environment=SCOPE.environment, functions=wanted)
        fingerprints = {
            (function.key, one.name): one.locator for function in wanted for one in function.secrets
        }
        options = PlanOptions(fingerprints=fingerprints)
        account, live = scene.account.account(), scene.account.live()
        inputs = Inputs(
            stack=PlanNeeds(stack=stack, state=seen, options=options).as_it_stands(live),
            account=account,
            live=live,
            state=seen,
            digest=digest_of(repr(wanted)),
            provenance=Provenance(
                tool_version="0", created_at=scene.clock.now(), read_at=(), actor=self.name
            ),
        )
        return check_plan(plan_stack(inputs, options), account)

    def _acquire(self) -> Lease:
        self._lease = at_once(self.scene.disk.acquire(str(SCOPE), self.name, 60))
        self._tell(f"holds the lease, epoch {self._lease.epoch}")
        return self._lease

    def _holding(self, lease: Lease, remembered: Remembered, run: Journal | None) -> Held:
        scene = self.scene
        minted = Minted(run=scene.next_run(), lineage="lineage", secret_key="ab")
        if remembered.state is None:
            remembered = at_once(first_remembered(SCOPE, scene.ports, lease, minted))
        assert remembered.state is not None
        return Held(
            scope=SCOPE,
            lease=lease,
            remembered=remembered,
            state=remembered.state,
            actor=ACTOR,
            run=minted.run if run is None else run.run,
            recorded=0 if run is None else len(run.records),
            elapsed=NO_TIME if run is None else self._elapsed(lease, run),
        )

    def _elapsed(self, lease: Lease, run: Journal) -> Elapsed:
        clock = self.scene.clock
        here = Stamp(at=clock.now(), by=ACTOR.name, epoch=lease.epoch)
        return elapsed_of(run.stamped, here, clock.monotonic())

    def _remember_policies(self, plan: Plan, remembered: Remembered, lease: Lease) -> None:
        found = unremembered(remembered.state, plan)
        if found and remembered.state is not None:
            state = state_with(remembered.state, found)
            at_once(write_state(state, remembered, self.scene.ports, lease))

    # The run.

    def _carry_out(self, machine: ApplyMachine, holding: Held, plan: Plan) -> Turns:
        scene = self.scene
        scene.disk.reopen(holding.run)
        flight = self._launch(scene, self.name, machine, holding, scene.guard(plan))
        yield from flight.turns()
        self.outcome = machine.outcome()
        self._tell(f"ends as {self.outcome}")
        if scene.weather.strikes((Trouble.KILL,), 0.05):
            raise Killed
        self._write_state_after(holding, plan)
        self._let_go()

    def _write_state_after(self, holding: Held, plan: Plan) -> None:
        scene = self.scene
        records = at_once(read_journal(SCOPE, scene.disk, holding.run)).records
        if not _has_plan(records) or scene.disk.lease != holding.lease:
            return
        sent = {
            function_key(step.address): tuple((one.name, one.locator) for one in step.task.secrets)
            for step in plan.steps
            if isinstance(step.task, CreateFunction | CreateVersion | SetSecrets)
        }
        state = state_after(
            holding.state,
            plan,
            records,
            codec=scene.codec,
            fingerprints=sent,
            now=scene.clock.now(),
        )
        at_once(write_state(state, holding.remembered, scene.ports, holding.lease))

    def _let_go(self, *, is_dead: bool = False) -> None:
        if self._lease is None:
            return
        if is_dead:
            if self.scene.disk.lease == self._lease:
                self.scene.disk.lose_lease()
        else:
            at_once(self.scene.disk.release(self._lease))
        self._lease = None

    def _tell(self, what: str) -> None:
        self.scene.tell(self.name, what)


def _has_plan(records: tuple[Record, ...]) -> bool:
    return any(not isinstance(one, RunStarted) for one in records)
