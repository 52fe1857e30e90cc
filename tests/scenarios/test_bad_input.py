"""What a user or a server can get wrong: a clear error that says how to go on; nothing lost."""

from __future__ import annotations

import asyncio

import pytest

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.emulator.rules import FaultBody, Trouble
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Workshop, codes, function, stack

GOOD = stack(function("embed"))
CANARY = "canary-5417-key"


def _fault(workshop: Workshop, **details: object) -> None:
    workshop.plan(".")
    fault = Fault(kind=Trouble.ANSWER, **details)  # type: ignore[arg-type]  # by each case's name
    workshop.emulator().add_fault(fault)


def test_a_broken_stack_is_refused_before_anything_is_read(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD.replace("minInstances", "minInstnaces"))
    said = workshop.plan(".")
    assert said.code == 1
    assert "unknown-key" in codes(said.err)
    assert not workshop.emulator_file.exists()


def test_an_unknown_gpu_is_a_violation_that_names_the_nearest(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD.replace("gpu: L40S", "gpu: L40"))
    said = workshop.plan(".")
    assert said.code == 1
    assert "L40S" in said.out
    assert "stack.yaml:11:16" in said.out


def test_without_an_endpoint_nothing_is_guessed(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    said = workshop.type("plan", ".")
    assert (said.code, codes(said.err)) == (1, ["settings"])
    assert "--emulator" in said.err


def test_without_a_key_the_variables_are_named(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    said = workshop.type("plan", "-endpoint=https://nvcf.invalid", ".")
    assert (said.code, codes(said.err)) == (1, ["settings"])
    assert "NGC_API_KEY" in said.err


def test_an_endpoint_that_cannot_be_reached_is_said_so(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    said = workshop.type(
        "plan", "-json", "-endpoint=http://127.0.0.1:9", ".", environment={"NVCF_TOKEN": CANARY}
    )
    assert (said.code, codes(said.err)) == (1, ["endpoint-unreachable"])
    assert said.document["exit_code"] == 1
    assert CANARY not in said.out + said.err


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthorized"), (403, "forbidden"), (429, "rate-limited"), (500, "remote-unavailable")],
)
def test_a_refused_read_ends_the_plan_with_its_reason(
    workshop: Workshop, status: int, code: str
) -> None:
    workshop.write("stack.yaml", GOOD)
    _fault(workshop, route="list-functions", status=status, every=True)
    said = workshop.plan(".")
    assert (said.code, codes(said.err)) == (1, [code])


def test_html_instead_of_json_is_never_a_traceback(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    _fault(workshop, route="list-functions", status=502, body=FaultBody.HTML, every=True)
    said = workshop.plan(".")
    assert (said.code, codes(said.err)) == (1, ["remote-unavailable"])
    assert "<html" not in said.err.lower()


def test_a_server_error_on_a_write_is_settled_and_nothing_is_made_twice(
    workshop: Workshop,
) -> None:
    workshop.write("stack.yaml", GOOD)
    workshop.plan(".")
    workshop.emulator().add_fault(Fault(kind=Trouble.DROP_REPLY, route="create-function"))
    said = workshop.apply(".")
    assert said.code == 0
    assert [one["name"] for one in workshop.account()] == ["embed"]


def test_a_missing_secret_is_found_before_the_first_change(workshop: Workshop) -> None:
    secret = "secrets: { HF_TOKEN: { fromEnv: HF_TOKEN } }"
    workshop.write("stack.yaml", stack(function("embed", more=secret)))
    said = workshop.apply(".")
    assert (said.code, codes(said.err)) == (1, ["secret-unavailable"])
    assert "create-function:function.embed@new needs HF_TOKEN" in said.err
    assert workshop.account() == []


def test_a_secret_reaches_the_service_and_no_file_of_ours(workshop: Workshop) -> None:
    secret = "secrets: { HF_TOKEN: { fromEnv: HF_TOKEN } }"
    workshop.write("stack.yaml", stack(function("embed", more=secret)))
    said = workshop.type(
        "apply", "-auto-approve", "--emulator", ".", environment={"HF_TOKEN": CANARY}
    )
    assert said.code == 0
    assert workshop.account()[0]["secrets"] == ["HF_TOKEN"]
    files = [path for path in workshop.directory.rglob("*") if path.is_file()]
    assert [str(path) for path in files if CANARY.encode() in path.read_bytes()] == []
    assert CANARY not in said.out + said.err


def test_a_held_lock_says_who_holds_it(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    workshop.plan(".")
    store = LocalStore(workshop.emulator_file.with_name("emulator.db.stacks"))
    asyncio.run(store.acquire("shop@default", "alice@build-7", 60))

    said = workshop.apply(".")

    assert (said.code, codes(said.err)) == (6, ["locked"])
    assert "alice@build-7" in said.err
    assert workshop.account() == []


def test_a_corrupt_state_is_refused_with_its_place(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    workshop.apply(".")
    (state,) = workshop.directory.rglob("state.json")
    state.write_text(state.read_text("utf-8")[:-40], "utf-8")
    said = workshop.plan(".")
    assert (said.code, codes(said.err)) == (1, ["state-corrupt"])


def test_a_corrupt_journal_is_refused_with_its_place(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    workshop.apply(".")
    (journal,) = workshop.directory.rglob("*.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1][:80] + b"~" + lines[1][81:]
    journal.write_bytes(b"".join(lines))
    said = workshop.apply(".")
    assert (said.code, codes(said.err)) == (1, ["journal-corrupt"])
    assert f"{journal.name}:2" in said.err
    looked = workshop.plan(".")
    assert (looked.code, codes(looked.err)) == (0, ["journal-corrupt"])


def test_a_lost_state_is_no_disaster(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    workshop.apply(".")
    for state in list(workshop.directory.rglob("state.json")):
        state.unlink()
    said = workshop.plan(".")
    assert said.code == 0


def test_a_stack_bound_to_another_account_is_refused(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD + "account: { org: acme }\n")
    said = workshop.plan(".")
    assert (said.code, codes(said.err)) == (1, ["account-mismatch"])


def test_an_emulator_file_that_is_none_is_refused(workshop: Workshop) -> None:
    workshop.write("stack.yaml", GOOD)
    workshop.write("world.db", "not a world")
    said = workshop.type("plan", "--emulator=world.db", ".")
    assert said.code == 1
    assert "world.db" in said.err


def test_a_command_for_an_emulator_that_is_not_there_makes_none(workshop: Workshop) -> None:
    said = workshop.type("emulator", "ledger", ".")
    assert (said.code, codes(said.err)) == (1, ["settings"])
    assert not workshop.emulator_file.exists()
