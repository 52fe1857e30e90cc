"""What a plan, state or journal document must not be, and what is said of it then."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.documents import (
    decode_document,
    decode_plan,
    decode_record,
    decode_state,
    encode_plan,
    encode_record,
    encode_state,
)
from nvcfplan.documents.reading import canonical_bytes
from nvcfplan.errors import DocumentError, JournalCorrupt, StateCorrupt
from nvcfplan.model import (
    EnvironmentVariable,
    Secret,
    SecretOrigin,
    SecretReference,
    canonical_json,
    digest_of,
)
from nvcfplan.plans import CreateVersion
from tests.documents import builders
from tests.documents.samples import RECORD, STATE

if TYPE_CHECKING:
    from collections.abc import Callable

Nested = dict[str, object]

CANARY = "hf_canary_0123456789"


def document() -> Nested:
    return cast("Nested", json.loads(encode_plan(builders.rolling())))


def part(parent: object, *path: str | int) -> Nested:
    for step in path:
        parent = parent[step]  # type: ignore[index]  # JSON of a known form
    return cast("Nested", parent)


def signed(changed: Nested) -> bytes:
    """With the digest that an attentive forger would put in."""
    body = part(changed, "plan")
    body.pop("digest", None)
    body["digest"] = digest_of(canonical_json(body))
    return canonical_json(changed).encode()


def refusal(data: bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        decode_plan(data)
    assert caught.value.detail
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "not an object"),
        (b"{}", "format_version"),
        (b'{"format_version": "one"}', "format_version"),
        (b'{"format_version": "0.9"}', "no format 0.9"),
        (b'{"format_version": "1.0", "plan": []}', "{format_version, plan, provenance}"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too deeply"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not JSON"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_is_no_plan_is_refused_with_the_reason(data: bytes, why: str) -> None:
    assert why in refusal(data).detail


def test_a_plan_beyond_the_size_limit_is_refused_unread() -> None:
    assert "are read" in refusal(b" " * (64 * 1024 * 1024 + 1)).detail


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_a_plan_of_a_newer_format_is_refused_by_name(version: str) -> None:
    changed = document() | {"format_version": version}
    assert version in refusal(signed(changed)).summary


def test_an_edited_plan_is_refused_by_its_digest() -> None:
    changed = document()
    part(changed, "plan", "steps", 0)["expected_seconds"] = 1
    found = refusal(canonical_json(changed).encode())
    assert "altered" in found.summary
    assert "digest" in found.detail


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (("resources", 0), "peak", 7),
        (("resources", 0), "peak_step", None),
        (("resources", 0), "after", 5),
        (("resources", 0), "verdict", "at-risk"),
        (("steps", 0), "reversible", "no"),
        (("resource_changes", 0, "change"), "after", {}),
        (("resource_changes", 0, "change"), "before", None),
        (("resource_changes", 0, "change"), "after_sensitive", {"name": True}),
        ((), "downtime", [{"address": "function.chat"}]),
        ((), "exposure", [1]),
        ((), "applyable", False),
        ((), "complete", False),
        ((), "errored", True),
        ((), "shortages", [{"resource": "pool:a/H100", "missing": 1, "users": []}]),
        ((), "unknown", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_derived_part_is_never_trusted(
    path: tuple[str | int, ...], field: str, value: object
) -> None:
    changed = document()
    part(changed, "plan", *path)[field] = value
    found = refusal(signed(changed))
    assert "altered" in found.summary
    assert field in found.detail


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda body: body["steps"][0].pop("id"), "steps[0]"),
        (lambda body: body["steps"][0].update(extra=1), "extra"),
        (lambda body: body["steps"][0]["task"].update(type="explode"), "steps[0].task"),
        (lambda body: body["steps"][0].update(expected_seconds=True), "expected_seconds"),
        (lambda body: body["steps"][0].update(expected_seconds=1.5), "expected_seconds"),
        (lambda body: body["steps"][0].update(depends_on={}), "depends_on"),
        (lambda body: body["resources"][0].update(unit="litres"), "unit"),
        (lambda body: body["resource_changes"][0].update(address="chat"), "resource_changes"),
        (lambda body: body.update(resource_changes="none"), "resource_changes"),
        (lambda body: body.update(feasible=False, shortages=3), "shortages"),
        (lambda body: body["desired"].update(functions=None), "desired.functions"),
        (lambda body: body["fingerprint"]["inventory"][0].append("x"), "inventory"),
        (lambda body: body["fingerprint"]["inventory"].append(["r", "{ }"]), "inventory"),
    ],
    ids=range(13),
)
def test_a_plan_of_another_shape_is_refused_at_its_place(
    change: Callable[[Nested], None], place: str
) -> None:
    changed = document()
    change(part(changed, "plan"))
    assert place in refusal(signed(changed)).detail


def test_steps_out_of_order_are_refused() -> None:
    changed = document()
    steps = cast("list[object]", part(changed, "plan")["steps"])
    steps[2], steps[3] = steps[3], steps[2]
    assert "waits for" in refusal(signed(changed)).detail


def test_a_step_that_stands_twice_is_refused() -> None:
    plan = builders.nothing_to_do()
    step = builders.rolling().steps[0]
    assert "twice" in refusal(encode_plan(replace(plan, steps=(step, step)))).detail


def test_numbers_that_nothing_is_counted_with_are_refused() -> None:
    """What adds up seconds, or sets a number into a row, may rely on it."""
    plan = builders.delete_first()
    slow = tuple(replace(one, expected_seconds=10**12) for one in plan.steps)
    assert "longer than anybody waits" in refusal(encode_plan(replace(plan, steps=slow))).detail
    wide = tuple(replace(one, limit=10**4000) for one in plan.resources)
    assert "more units than" in refusal(encode_plan(replace(plan, resources=wide))).detail
    greedy = tuple(
        replace(one, acquire=builders.charges(10**13)) if one.acquire else one for one in plan.steps
    )
    assert "more units than" in refusal(encode_plan(replace(plan, steps=greedy))).detail


@pytest.mark.parametrize("units", [0, -3])
def test_a_charge_of_nothing_is_refused(units: int) -> None:
    plan = builders.delete_first()
    broken = tuple(
        replace(one, acquire=builders.charges(units)) if one.acquire else one for one in plan.steps
    )
    assert f"charges {units}" in refusal(encode_plan(replace(plan, steps=broken))).detail


def test_a_charge_on_a_resource_that_is_not_listed_is_refused() -> None:
    plan = replace(builders.delete_first(), resources=())
    assert "does not list" in refusal(encode_plan(plan)).detail


def test_a_grant_to_a_step_that_is_not_there_is_refused() -> None:
    plan = builders.rolling()
    assert "grant" in refusal(encode_plan(replace(plan, steps=plan.steps[:2]))).detail


def test_an_infeasible_plan_is_shown_but_not_taken_for_one_to_apply() -> None:
    data = encode_plan(builders.infeasible())
    assert "cannot be applied" in refusal(data).summary
    assert decode_document(data) == builders.infeasible()


@settings(max_examples=150)
@given(at=st.integers(0, 10**9), byte=st.integers(0, 255))
def test_no_damaged_byte_goes_unnoticed_or_gives_another_error(at: int, byte: int) -> None:
    """Outside of the provenance: that is covered by nothing but its shape."""
    data = bytearray(encode_plan(builders.delete_first()))
    end = data.index(b',"provenance":')
    data[at % end] = byte
    if bytes(data) == encode_plan(builders.delete_first()):
        return
    with pytest.raises(DocumentError):
        decode_plan(bytes(data))


def test_a_secret_value_can_be_in_no_document() -> None:
    secret = Secret(CANARY, SecretReference("T", SecretOrigin.ENV, "T"))
    plan = builders.rolling()
    step = plan.steps[0]
    assert isinstance(step.task, CreateVersion)
    leaking = replace(step.task.config, container_environment=(EnvironmentVariable("T", secret),))
    bad = replace(step, task=replace(step.task, config=leaking))
    with pytest.raises(TypeError) as caught:
        encode_plan(replace(plan, steps=(bad, *plan.steps[1:])))
    assert CANARY not in str(caught.value)


def test_what_is_refused_is_never_repeated() -> None:
    changed = document()
    part(changed, "plan", "steps", 0)["expected_seconds"] = CANARY
    found = refusal(signed(changed))
    assert CANARY not in f"{found.summary}{found.detail}{found.remedy}"


def resealed(state: Nested) -> bytes:
    """With a digest that fits, so that what is wrong is looked at and not only that it changed."""
    rest = {name: value for name, value in state.items() if name != "digest"}
    digest = hashlib.sha256(canonical_bytes(rest)).hexdigest()
    return canonical_bytes({**rest, "digest": f"sha256:{digest}"})


def test_a_state_in_which_one_id_was_altered_is_refused() -> None:
    content = encode_state(STATE)
    wanted = STATE.functions[0].function_id.encode()
    altered = content.replace(wanted, wanted[:-1] + b"0", 1)
    assert altered != content
    with pytest.raises(StateCorrupt) as caught:
        decode_state(altered)
    assert "digest" in caught.value.detail


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema_version": 0}, "schema_version"),
        ({"schema_version": True}, "schema_version"),
        ({"state": {}}, "state"),
        ({"state": None}, "state"),
        ({"extra": 1}, "object with"),
    ],
)
def test_a_damaged_state_is_refused_with_the_reason(change: Nested, why: str) -> None:
    changed = cast("Nested", json.loads(encode_state(STATE))) | change
    with pytest.raises(StateCorrupt) as caught:
        decode_state(resealed(changed))
    assert why in caught.value.detail
    assert caught.value.remedy


def test_a_state_of_a_newer_nvcfplan_is_refused_and_named() -> None:
    changed = cast("Nested", json.loads(encode_state(STATE)))
    changed |= {"schema_version": 2, "writer_version": "9.1.0"}
    with pytest.raises(StateCorrupt) as caught:
        decode_state(resealed(changed))
    assert "9.1.0" in caught.value.summary
    assert "9.1.0" in caught.value.remedy


def test_a_cut_state_is_refused() -> None:
    with pytest.raises(StateCorrupt):
        decode_state(encode_state(STATE)[:-20])


def test_a_state_says_after_which_document_it_was_written() -> None:
    first = encode_state(STATE)
    second = cast("Nested", json.loads(encode_state(STATE, previous=first)))
    third = cast("Nested", json.loads(encode_state(STATE, previous=b"other")))
    assert second["previous"] != third["previous"]
    assert cast("Nested", json.loads(first))["previous"] is None


def test_a_record_of_an_unknown_kind_is_refused_unless_it_may_be_skipped() -> None:
    strange = cast("Nested", json.loads(encode_record(RECORD))) | {"type": "telepathy"}
    with pytest.raises(JournalCorrupt) as caught:
        decode_record(json.dumps(strange).encode())
    assert "telepathy" in caught.value.detail
    assert decode_record(json.dumps(strange | {"skippable": True}).encode()) is None


def test_a_record_of_a_newer_version_is_refused_though_its_kind_is_known() -> None:
    newer = cast("Nested", json.loads(encode_record(RECORD))) | {"version": 2}
    with pytest.raises(JournalCorrupt):
        decode_record(json.dumps(newer).encode())


@pytest.mark.parametrize("data", [b"", b"\x00", b"[1]", b'{"type":"intent","version":1}'])
def test_a_damaged_record_is_refused(data: bytes) -> None:
    with pytest.raises(JournalCorrupt):
        decode_record(data)


def test_a_state_without_a_secret_key_is_refused() -> None:
    changed = cast("Nested", json.loads(encode_state(STATE)))
    del part(changed, "state")["secret_key"]
    with pytest.raises(StateCorrupt) as caught:
        decode_state(resealed(changed))
    assert "secret_key" in caught.value.detail
