"""How long steps usually take: learnt from runs, bounded, and told of runs to come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvcfplan.documents import decode_memory, encode_memory
from nvcfplan.model import Durations, Memory, StepKind
from nvcfplan.plans import AwaitActive, Deploy
from nvcfplan.reports import MOST_KINDS, MOST_SECONDS, expecting, kind_of, learnt
from tests.documents import builders
from tests.views import runs

PLAN = builders.rolling()
ACTIVE = next(step for step in PLAN.steps if isinstance(step.task, AwaitActive))
DEPLOY = next(step for step in PLAN.steps if isinstance(step.task, Deploy))


def _took(*seconds: float) -> Memory:
    memory = Memory()
    for one in seconds:
        ended = replace(runs.succeeded(ACTIVE, one), elapsed_seconds=one)
        memory = learnt(memory, (runs.began(PLAN), ended))
    return memory


def test_of_a_step_that_was_never_seen_nothing_is_expected() -> None:
    assert expecting(Memory())(ACTIVE.task, PLAN.steps) is None


def test_a_wait_is_expected_to_take_the_median_of_those_before() -> None:
    expected = expecting(_took(100.0, 900.0, 200.0))
    assert expected(ACTIVE.task, PLAN.steps) == 200.0


def test_a_wait_is_told_apart_by_its_gpu_and_instance_type() -> None:
    found = kind_of(ACTIVE.task, PLAN.steps)
    assert isinstance(DEPLOY.task, Deploy)
    (specification, *_) = DEPLOY.task.specifications
    assert (found.gpu, found.instance_type) == (specification.gpu, specification.instance_type)
    other = replace(DEPLOY.task, specifications=(replace(specification, gpu="L40S"),))
    assert expecting(_took(100.0))(ACTIVE.task, (replace(DEPLOY, task=other),)) is None


def test_requests_are_not_learnt_nor_what_was_found_done_or_failed() -> None:
    adopted = replace(runs.succeeded(ACTIVE, 5.0), is_adopted=True)
    events = (runs.began(PLAN), adopted, runs.succeeded(DEPLOY, 1.0), runs.failed(ACTIVE, 9.0))
    assert learnt(Memory(), events) == Memory()


def test_a_kind_keeps_its_latest_durations_alone() -> None:
    memory = _took(*(float(number) for number in range(MOST_SECONDS + 5)))
    (kept,) = memory.durations
    assert kept.seconds == tuple(range(5, MOST_SECONDS + 5))


def test_of_many_kinds_those_seen_last_are_kept() -> None:
    old = tuple(
        Durations(kind=StepKind(task="await-active", gpu=f"g{n}", instance_type="t"), seconds=(1,))
        for n in range(MOST_KINDS)
    )
    after = learnt(Memory(durations=old), (runs.began(PLAN), runs.succeeded(ACTIVE, 9.0)))
    assert len(after.durations) == MOST_KINDS
    assert after.durations[0].kind.gpu == "g1"
    assert after.durations[-1].kind == kind_of(ACTIVE.task, PLAN.steps)


def test_memory_is_written_and_read() -> None:
    assert decode_memory(encode_memory(_took(1.0, 2.0))) == _took(1.0, 2.0)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema_version":2}', b'{"schema_version":1,"memory":7}']
)
def test_what_does_not_read_is_nothing_remembered(content: bytes) -> None:
    assert decode_memory(content) == Memory()
