"""The plan document: its published schema, its Terraform shape, what its digest covers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator

from nvcfplan.documents import encode_plan, plan_digest, plan_json_schema
from nvcfplan.model import canonical_json, digest_of
from nvcfplan.plans import Action, Infeasible, Plan
from tests.documents import builders
from tests.documents.arbitrary import plans

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas" / "plan.schema.json"
SAMPLES: dict[str, Plan | Infeasible] = {
    "rolling": builders.rolling(),
    "delete-first": builders.delete_first(),
    "heterogeneous": builders.heterogeneous(),
    "nothing": builders.nothing_to_do(),
    "infeasible": builders.infeasible(),
}
Nested = dict[str, object]


def body_of(plan: Plan | Infeasible) -> Nested:
    return cast("Nested", cast("Nested", json.loads(encode_plan(plan)))["plan"])


def changes_of(plan: Plan | Infeasible) -> dict[str, Nested]:
    entries = cast("list[Nested]", body_of(plan)["resource_changes"])
    return {str(one["address"]): cast("Nested", one["change"]) for one in entries}


def test_the_published_schema_is_current() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == plan_json_schema()


def test_the_published_schema_is_one_that_draft_7_readers_can_use() -> None:
    Draft7Validator.check_schema(plan_json_schema())
    text = json.dumps(plan_json_schema())
    assert not any(word in text for word in ("prefixItems", "unevaluated", "$dynamicRef"))


@pytest.mark.parametrize("name", SAMPLES)
def test_encoded_plans_follow_the_published_schema(name: str) -> None:
    Draft7Validator(plan_json_schema()).validate(json.loads(encode_plan(SAMPLES[name])))


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(plan=plans())
def test_any_plan_follows_the_published_schema(plan: Plan) -> None:
    Draft7Validator(plan_json_schema()).validate(json.loads(encode_plan(plan)))


def test_the_schema_refuses_what_is_not_in_it() -> None:
    validator = Draft7Validator(plan_json_schema())
    document = cast("Nested", json.loads(encode_plan(builders.rolling())))
    cast("Nested", document["plan"])["extra"] = 1
    assert list(validator.iter_errors(document))


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_documents_are_as_reviewed(name: str, golden: builders.Golden) -> None:
    document = json.loads(encode_plan(SAMPLES[name]))
    golden(f"plan/{name}.json", json.dumps(document, indent=2, sort_keys=True))


def test_times_and_actors_are_no_part_of_the_digest() -> None:
    plan = builders.rolling()
    later = replace(plan.provenance, created_at=datetime(2031, 1, 1, tzinfo=UTC), actor="other")
    assert plan_digest(replace(plan, provenance=later)) == plan_digest(plan)
    assert plan_digest(replace(plan, account="other")) != plan_digest(plan)


def test_the_digest_can_be_checked_with_nothing_but_json_and_sha256() -> None:
    body = body_of(builders.rolling())
    digest = body.pop("digest")
    assert digest == digest_of(canonical_json(body)) == plan_digest(builders.rolling())


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import sys; from tests.documents import builders;"
        "from nvcfplan.documents import encode_plan;"
        "sys.stdout.buffer.write(encode_plan(builders.heterogeneous()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in range(3)
    }
    assert found == {encode_plan(builders.heterogeneous())}


def test_a_new_version_is_an_update_and_keeps_what_does_not_change() -> None:
    change = changes_of(builders.rolling())["function.chat"]
    before, after = cast("Nested", change["before"]), cast("Nested", change["after"])
    assert change["actions"] == ["update"]
    assert before["containerImage"] == "nvcr.io/acme/chat:2.0.0"
    assert after["containerImage"] == "nvcr.io/acme/chat:2.1.0"
    assert before | {"containerImage": None} == after | {"containerImage": None}


def test_a_policy_can_read_placements_by_the_keys_of_the_stack_file() -> None:
    after = cast("Nested", changes_of(builders.rolling())["function.chat"]["after"])
    deployment = cast("dict[str, dict[str, Nested]]", after["deployment"])
    assert deployment["specifications"]["h100"]["maxInstances"] == 2


def test_a_created_function_was_nothing_and_a_deleted_one_will_be_nothing() -> None:
    changes = changes_of(builders.heterogeneous())
    assert changes["function.embed"]["actions"] == ["create"]
    assert changes["function.embed"]["before"] is None
    assert changes["function.old-chat"]["actions"] == ["delete"]
    assert changes["function.old-chat"]["after"] is None
    assert changes["function.old-chat"]["before"] == {
        "containerImage": "nvcr.io/acme/old-chat:1.0.0"
    }


def test_what_is_sensitive_or_not_known_yet_is_marked_where_it_stands() -> None:
    change = changes_of(builders.heterogeneous())["function.embed"]
    assert change["after_sensitive"] == {"containerEnvironment": {"API_TOKEN": True}}
    assert change["before_sensitive"] == {}
    assert change["after_unknown"] == {"versionId": True}


def test_a_name_with_dots_is_one_key_below_models() -> None:
    after = cast("Nested", changes_of(builders.heterogeneous())["function.embed"]["after"])
    assert list(cast("Nested", after["models"])) == ["llama-3.1"]


def test_an_import_is_told_as_terraform_tells_it() -> None:
    plan = builders.rolling()
    first = replace(plan.changes[0], action=Action.IMPORT)
    change = changes_of(replace(plan, changes=(first, *plan.changes[1:])))["function.chat"]
    assert change["importing"] == {"id": "0000-chat"}
    assert change["actions"] == ["update"]


@pytest.mark.parametrize(
    ("name", "applyable", "complete", "errored"),
    [
        ("rolling", True, True, False),
        ("nothing", False, True, False),
        ("infeasible", False, False, True),
    ],
)
def test_whether_there_is_something_to_apply_is_said(
    name: str, applyable: bool, complete: bool, errored: bool
) -> None:
    body = body_of(SAMPLES[name])
    found = (body["applyable"], body["complete"], body["errored"])
    assert found == (applyable, complete, errored)


def test_a_plan_for_a_part_of_the_stack_is_not_complete() -> None:
    plan = builders.rolling()
    assert body_of(replace(plan, changes=plan.changes[:1]))["complete"] is False
