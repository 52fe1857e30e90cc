"""Runs from their journals: what each line says, and that the JSON says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    Done,
    Errand,
    Intent,
    LeaseSeen,
    Outcome,
    PlanTaken,
    Record,
    Refused,
    RunEnded,
    RunOutcome,
    RunStarted,
    Stamp,
    Stamped,
)
from nvcfplan.documents import encode_history, encode_lock, encode_run
from nvcfplan.model import Digest, EffectId, OperationId, RunId, StepId, Token
from nvcfplan.reports import RunReport, StepFate, run_report
from nvcfplan.views.history_text import render_history, render_lock, render_run
from tests.documents import builders
from tests.views.runs import NO_ROOM, RUN

if TYPE_CHECKING:
    from nvcfplan.plans import Plan
    from tests.documents.builders import Golden

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PLAN = builders.rolling()
UNDO = builders.delete_first()
LEASE = LeaseSeen(
    epoch=4,
    holder="ada@desk (process 4711)",
    since="2026-03-01T09:30:00+00:00",
    ttl_seconds=60,
    heartbeat=17,
    is_dead=False,
    errand=Errand(operation="apply", tool_version="0.1.0", link="https://ci.example/7"),
    token=Token("t"),
)
FIRST, SECOND, *_ = PLAN.steps


def stamped(*records: tuple[float, Record], epoch: int = 4, by: str = "ada@desk") -> list[Stamped]:
    return [
        Stamped(record=record, stamp=Stamp(at=START + timedelta(seconds=at), by=by, epoch=epoch))
        for at, record in records
    ]


def begun() -> list[Stamped]:
    started = RunStarted(
        run=RUN,
        plan=Digest("sha256:" + "ab" * 32),
        lineage="l",
        serial=3,
        epoch=4,
        tool_version="0.1.0",
        actor="ada@desk",
        commit="0123456789abcdef0123456789abcdef01234567",
        link="https://ci.example/7",
    )
    taken = PlanTaken(plan=started.plan, document=b"plan", why="apply")
    return stamped((0, started), (0, taken))


def intent(step: StepId, attempt: int = 1) -> Intent:
    return Intent(
        step=step,
        attempt=attempt,
        operation=OperationId("op"),
        request=Digest("sha256:" + "0" * 64),
        before=None,
    )


def outcome(step: StepId, result: Done | Refused, attempt: int = 1) -> Outcome:
    return Outcome(step=step, attempt=attempt, result=result)


DONE = Done(EffectId(0), None, None)
REFUSED = Refused(EffectId(0), NO_ROOM)


def decode(document: bytes) -> Plan:
    return {b"plan": PLAN, b"undo": UNDO}[document]


def report(*more: Stamped, run: RunId = RUN) -> RunReport:
    return run_report(run, PLAN.stack, [*begun(), *more], decode)


def rolled_back() -> RunReport:
    undo = PlanTaken(plan=Digest("sha256:" + "cd" * 32), document=b"undo", why="rollback: no room")
    return report(
        *stamped(
            (1, intent(FIRST.id)),
            (2, outcome(FIRST.id, DONE)),
            (3, intent(SECOND.id)),
            (4, outcome(SECOND.id, REFUSED)),
            (64, intent(SECOND.id, 2)),
            (65, outcome(SECOND.id, REFUSED, 2)),
            (65, undo),
            (66, outcome(UNDO.steps[0].id, DONE)),
            (70, RunEnded(outcome=RunOutcome.ROLLED_BACK, serial=4)),
        )
    )


def cut_off() -> RunReport:
    again = stamped((600, intent(SECOND.id)), epoch=6, by="bob@ci")
    return report(*stamped((1, intent(FIRST.id)), (2, outcome(FIRST.id, DONE))), *again)


def test_a_list_of_runs_reads_as_reviewed(golden: Golden) -> None:
    bare = run_report(RunId("01HVRUN0000000000000000009"), PLAN.stack, [], decode)
    text = render_history([cut_off(), rolled_back(), bare], colour=False)
    golden("text/history.txt", text)


def test_a_run_from_end_to_end_reads_as_reviewed(golden: Golden) -> None:
    golden("text/history-run.txt", render_run(rolled_back(), colour=False))


def test_a_lock_reads_as_reviewed(golden: Golden) -> None:
    golden("text/lock.txt", render_lock(PLAN.stack, LEASE, cut_off(), colour=False))


def test_runs_and_locks_in_json_are_as_reviewed(golden: Golden) -> None:
    history = encode_history(PLAN.stack, [rolled_back()], unread=["01HVRUN0000000000000000009"])
    golden("json/history.json", history.decode().rstrip())
    golden("json/history-run.json", encode_run(cut_off()).decode().rstrip())
    lock = encode_lock(PLAN.stack, LEASE, None, outcome="unlocked", exit_code=0)
    golden("json/lock.json", lock.decode().rstrip())


def test_a_run_without_an_end_is_open_and_says_what_was_sent() -> None:
    found = cut_off()
    assert found.is_open
    assert found.outcome is None
    fates = {one.step: one.fate for one in found.stages[0].steps}
    assert fates[FIRST.id] is StepFate.DONE
    assert fates[SECOND.id] is StepFate.UNKNOWN
    assert [one.by for one in found.parts] == ["ada@desk", "bob@ci"]


def test_the_cause_is_the_step_that_failed_first_and_not_what_was_undone() -> None:
    found = rolled_back()
    assert found.cause is not None
    assert (found.cause.step, found.cause.attempts) == (SECOND.id, 2)
    assert found.seconds == 70


def test_records_without_stamps_tell_what_was_done_but_not_when() -> None:
    bare = [Stamped(record=one.record, stamp=None) for one in begun()]
    found = run_report(RUN, PLAN.stack, bare, decode)
    assert (found.began_at, found.parts, found.actor) == (None, (), "ada@desk")
    assert "unknown time" in render_history([found], colour=False)


def test_foreign_text_in_a_journal_does_not_act_on_the_terminal() -> None:
    found = report(*stamped((1, intent(FIRST.id)), epoch=5, by="\x1b[2J"))
    assert "\\u001b[2J" in render_run(found, colour=False)
    assert "\x1b" not in render_run(found, colour=False)
    assert "\\u001b" in encode_run(found).decode()
