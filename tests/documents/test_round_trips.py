from __future__ import annotations

from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings

from nvcfplan.applying import Record
from nvcfplan.documents import (
    decode_document,
    decode_plan,
    decode_record,
    decode_state,
    encode_plan,
    encode_record,
    encode_state,
    plan_digest,
)
from nvcfplan.model import State
from nvcfplan.plans import Infeasible, Plan, Shortage
from tests.documents import builders
from tests.documents.arbitrary import plans, values_of

_SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_SLOW
@given(plan=plans())
def test_a_plan_reads_back_as_it_was(plan: Plan) -> None:
    assert decode_plan(encode_plan(plan)) == plan


@_SLOW
@given(plan=plans(), shortages=values_of(tuple[Shortage, ...]))
def test_an_infeasible_plan_reads_back_as_it_was(plan: Plan, shortages: object) -> None:
    found = Infeasible(plan=plan, shortages=cast("tuple[Shortage, ...]", shortages))
    assert decode_document(encode_plan(found)) == found


@_SLOW
@given(state=values_of(State))
def test_a_state_reads_back_as_it_was(state: object) -> None:
    assert isinstance(state, State)
    assert decode_state(encode_state(state, previous=b"before")) == state


@_SLOW
@given(record=values_of(Record))
def test_a_journal_record_reads_back_as_it_was_on_one_line(record: object) -> None:
    encoded = encode_record(cast("Record", record))
    assert decode_record(encoded) == record
    assert encoded.count(b"\n") == 1
    assert encoded.endswith(b"\n")


@_SLOW
@given(plan=plans())
def test_a_plan_has_one_form_in_bytes(plan: Plan) -> None:
    encoded = encode_plan(plan)
    assert encode_plan(decode_plan(encoded)) == encoded


@pytest.mark.parametrize(
    "plan",
    [
        builders.rolling(),
        builders.delete_first(),
        builders.heterogeneous(),
        builders.nothing_to_do(),
        builders.infeasible(),
    ],
    ids=["rolling", "delete-first", "heterogeneous", "nothing", "infeasible"],
)
def test_sample_plans_read_back_as_they_were(plan: Plan | Infeasible) -> None:
    read = decode_document(encode_plan(plan))
    assert read == plan
    assert plan_digest(read) == plan_digest(plan)
