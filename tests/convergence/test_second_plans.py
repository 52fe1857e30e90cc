"""Whatever a stack says: once it is applied there is nothing left to do, and looking is harmless.

Histories of stacks, each an edit of the one before, in an emulated account with room for all.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import RunOutcome
from nvcfplan.diagnostics import has_errors
from nvcfplan.plans import Action, Plan
from nvcfplan.workflows import has_changes
from tests.budget import examples
from tests.convergence.documents import LENGTH, history
from tests.convergence.places import PATIENT, account, literals_of, read, telemetries_of

if TYPE_CHECKING:
    from nvcfplan.model import Stack
    from tests.rehearsal import Account

STACKS = 10_000
SHARDS = 8


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_second_plan_after_apply_is_empty(shard: int) -> None:
    found: Counter[str] = Counter()
    with TemporaryDirectory() as directory:
        for seed in range(shard, examples(STACKS) // LENGTH, SHARDS):
            with account() as where:
                documents = history(seed, telemetries_of(where))
                for number, document in enumerate(documents):
                    stack = read(document, Path(directory)).stack
                    found += _converged(where, stack, seed, number)
    assert found["applied"] > 0.6 * found["planned"]
    for word in ("create", "update", "delete"):
        assert found[word] > 0.01 * found["planned"], word


def _converged(where: Account, stack: Stack, seed: int, number: int) -> Counter[str]:
    """Secrets are compared every other time, after their values have changed."""
    compares = bool(number % 2)
    where.literals = literals_of(stack)
    where.environment |= {name: f"value-{number}" for name in where.environment if compares}
    plan = _looked(where, stack, compares_secrets=compares)
    assert isinstance(plan, Plan), (seed, number)
    assert not has_errors(plan.diagnostics), (seed, number, plan.diagnostics)
    if not plan.steps:
        return Counter({"planned": 1})
    result = where.apply(plan, PATIENT)
    assert result.outcome is RunOutcome.APPLIED, (seed, number)
    again = _looked(where, stack, compares_secrets=compares)
    assert isinstance(again, Plan), (seed, number)
    left = [one for one in again.changes if one.action is not Action.NO_OP]
    assert not left, (seed, number, left)
    assert not again.steps
    assert not has_changes(again)
    actions = {one.action.value for one in plan.changes}
    return Counter({"planned": 1, "applied": 1, **dict.fromkeys(actions, 1)})


def _looked(where: Account, stack: Stack, *, compares_secrets: bool) -> object:
    """A plan, for which nothing was sent that could change anything."""
    before = Counter(where.sent)
    plan = where.plan_stack(stack, compares_secrets=compares_secrets)
    sent = where.sent - before
    assert sent, "the account was looked at"
    assert {one.partition(" ")[0] for one in sent} == {"GET"}
    return plan
