from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvcfplan.applying import Event, RunOutcome
from nvcfplan.documents import encode_apply_report
from nvcfplan.reports import Operation, StepFate, apply_report
from nvcfplan.views.apply_text import render_apply
from nvcfplan.views.event_text import render_event
from nvcfplan.views.neutralise import columns, safe
from nvcfplan.views.state_text import render_state_list, render_state_show
from tests.documents import builders
from tests.documents.samples import STATE
from tests.views import runs

if TYPE_CHECKING:
    from nvcfplan.plans import Plan
    from tests.documents.builders import Golden

ROLLING, GAP, MIXED = builders.rolling(), builders.delete_first(), builders.heterogeneous()

RUNS: dict[str, tuple[Operation, Plan, tuple[Event, ...]]] = {
    "applied": (Operation.APPLY, MIXED, runs.applied(MIXED)),
    "destroyed": (Operation.DESTROY, MIXED, runs.applied(MIXED)),
    "rolled-back": (Operation.APPLY, ROLLING, runs.rolled_back(ROLLING)),
    "rollback-asked-for": (
        Operation.ROLLBACK,
        ROLLING,
        runs.rolled_back(ROLLING, is_asked_for=True),
    ),
    "incomplete": (Operation.APPLY, GAP, runs.incomplete(GAP)),
    "no-capacity": (
        Operation.APPLY,
        GAP,
        runs.nothing_changed(GAP, RunOutcome.NO_CAPACITY),
    ),
    "failed": (Operation.APPLY, GAP, runs.nothing_changed(GAP, RunOutcome.FAILED)),
    "interrupted": (Operation.RESUME, GAP, runs.interrupted(GAP)),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_end_of_a_run_reads_as_reviewed(name: str, golden: Golden) -> None:
    report = apply_report(*RUNS[name])
    golden(f"text/run-{name}.txt", render_apply(report, colour=False))


@pytest.mark.parametrize("name", ["applied", "rolled-back", "incomplete"])
def test_the_end_of_a_run_in_json_is_as_reviewed(name: str, golden: Golden) -> None:
    report = apply_report(*RUNS[name])
    text = encode_apply_report(report, exit_code={"applied": 0, "rolled-back": 3}.get(name, 4))
    golden(f"json/run-{name}.json", text.decode().rstrip())


def test_every_event_reads_as_reviewed(golden: Golden) -> None:
    lines = [render_event(event) or "(nothing)" for event in runs.every_event()]
    golden("text/events.txt", "\n".join(lines))


def test_the_cause_is_shown_before_what_is_undone() -> None:
    text = render_apply(apply_report(*RUNS["rolled-back"]), colour=False)
    assert text.startswith("Cause: deployment of function.chat@new failed")
    assert text.index("Cause:") < text.index("Undone")


def test_what_was_undone_is_not_counted_as_changed() -> None:
    report = apply_report(*RUNS["rolled-back"])
    assert report.counts.changed == 0
    assert report.undone == (runs.UNDO,)


def test_an_independent_part_that_was_applied_is_counted_beside_the_failure() -> None:
    plan = MIXED
    done = [step for step in plan.steps if step.address == "function.rerank"]
    events: tuple[Event, ...] = (
        runs.began(plan),
        *(runs.succeeded(step, 5.0) for step in done),
        runs.failed(plan.steps[0], 6.0),
        runs.finished(9.0, RunOutcome.ROLLED_BACK, runs.cause_of(plan.steps[0])),
    )
    report = apply_report(Operation.APPLY, plan, events)
    assert (report.counts.added, report.counts.changed, report.counts.destroyed) == (0, 1, 0)
    assert "0 added, 1 changed, 0 destroyed" in render_apply(report, colour=False)


def test_a_step_that_failed_and_was_done_again_counts_as_done() -> None:
    plan = ROLLING
    first = plan.steps[0]
    events = (
        runs.began(plan),
        runs.failed(first, 1.0),
        runs.succeeded(first, 2.0),
        runs.finished(3.0, RunOutcome.INTERRUPTED),
    )
    report = apply_report(Operation.APPLY, plan, events)
    assert report.steps[0].fate is StepFate.DONE


def test_steps_of_an_earlier_part_of_the_run_are_told_apart() -> None:
    plan = ROLLING
    events = (runs.began(plan, plan.steps[0]), runs.finished(1.0, RunOutcome.INTERRUPTED))
    report = apply_report(Operation.RESUME, plan, events)
    assert [one.fate for one in report.steps[:2]] == [StepFate.DONE_BEFORE, StepFate.NOT_STARTED]


def test_an_open_run_says_what_to_type_next_but_not_in_a_pipeline() -> None:
    report = apply_report(*RUNS["incomplete"])
    assert "nvcfplan resume --emulator x" in render_apply(
        report, colour=False, again=" --emulator x"
    )
    assert "nvcfplan resume" not in render_apply(report, colour=False, again=None)
    assert json.loads(encode_apply_report(report, exit_code=4))["resumable"] is True


def test_the_missing_units_of_a_blocked_run_are_exact() -> None:
    found = json.loads(encode_apply_report(apply_report(*RUNS["incomplete"]), exit_code=4))
    (missing,) = found["blocked"]["missing"]
    assert (missing["resource"], missing["missing"]) == (builders.H100, 4)


def test_the_state_is_listed_by_address() -> None:
    assert render_state_list(STATE) == "function.chat\nfunction.rerank"


def test_a_function_of_the_state_reads_as_reviewed(golden: Golden) -> None:
    found = next(one for one in STATE.functions if f"function.{one.key}" == runs.CHAT)
    golden("text/state-show.txt", render_state_show(found))


@given(text=st.text())
def test_nothing_that_acts_on_a_terminal_comes_through(text: str) -> None:
    made = safe(text)
    assert all(character.isprintable() or character.isspace() for character in made)
    assert not set(made) & set("\x00\x07\x08\x1b\x7f\x9b\u200b\u202e\u2028\ufeff\n\r\t")
    assert columns(made) >= 0


@given(text=st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_does_not_act_comes_through_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_an_undo_that_resume_ended_is_not_called_a_failure() -> None:
    _, plan, events = RUNS["rolled-back"]
    text = render_apply(apply_report(Operation.RESUME, plan, events), colour=False)
    assert "The undo is complete" in text
    assert "failed;" not in text
