"""`nvcfplan emulator`, at the file and at the address of one that is served: the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.conftest import Workshop, codes, function, stack
from tests.scenarios.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scenarios.conftest import Said

KEYED = """\
apiKeys: [sesame]
groups:
  lab:
clusters:
  lab-1:
    groups: [lab]
    gpus:
      H100:
        capacity: 8
        instanceTypes:
          LAB.H100_1x: {gpuCount: 1}
"""


@pytest.fixture(params=["file", "address"])
def place(request: pytest.FixtureRequest, workshop: Workshop) -> Iterator[str]:
    """Of an emulator in which `embed` is deployed."""
    workshop.write("stack.yaml", stack(function("embed")))
    assert workshop.apply(".").code == 0
    if request.param == "file":
        yield "."
        return
    with serving(workshop, ".") as address:
        yield address


def test_show_tells_of_pools_versions_demand_and_events(workshop: Workshop, place: str) -> None:
    said = workshop.type("emulator", "show", place)
    assert said.code == 0
    assert re.search(r"byoc-cluster-1/L40S +16 +1 +0 +0 +15  READY", said.out)
    assert re.search(
        r"  embed  [0-9a-f-]{36}  ACTIVE\n    ON-PREM.GPU.L40S_1x \d..\d in ", said.out
    )
    assert "Faults\n  none\n" in said.out
    assert "1 demand; all were served at once" in said.out
    assert said.out.rstrip().splitlines()[-1].split()[2] == "active"


def test_show_as_json_holds_everything(workshop: Workshop, place: str) -> None:
    content = workshop.type("emulator", "show", "-json", place).document
    assert content["format_version"] == "1.0"
    for key, count in (("pools", 9), ("versions", 1), ("ledger", 1), ("faults", 0)):
        rows = content[key]
        assert isinstance(rows, list)
        assert len(rows) == count
    world = content["world"]
    assert isinstance(world, dict)
    assert list(world["versions"]) == [content["versions"][0]["version"]]  # type: ignore[index] # a list


def test_time_is_let_pass(workshop: Workshop, place: str) -> None:
    before = str(workshop.type("emulator", "show", "-json", place).document["now"])
    said = workshop.type("emulator", "advance", "24h", place)
    assert said.code == 0
    after = str(workshop.type("emulator", "show", "-json", place).document["now"])
    assert said.err == f"it is {after.split('.')[0].split('+')[0]}+00:00 now\n"
    assert after[:10] > before[:10]


def test_tenants_take_and_return(workshop: Workshop, place: str) -> None:
    pool = "byoc-cluster-1/L40S"
    assert workshop.type("emulator", "grab", pool, "9", "-tenant=x", place).code == 0
    refused = workshop.type("emulator", "grab", pool, "9", place)
    assert (refused.code, codes(refused.err)) == (1, ["settings"])
    assert "byoc-cluster-1 has 6 free L40S; 9 cannot be taken" in refused.err
    assert re.search(r"L40S +16 +1 +0 +9 +6 ", workshop.type("emulator", "show", place).out)
    assert workshop.type("emulator", "give-back", pool, "10", "-tenant=x", place).code == 1
    assert workshop.type("emulator", "give-back", pool, "9", "-tenant=x", place).code == 0


def test_reset_begins_again(workshop: Workshop, place: str) -> None:
    assert workshop.type("emulator", "reset", place).code == 0
    assert workshop.type("emulator", "events", place).out.strip() == ""
    assert workshop.type("emulator", "ledger", "-json", place).document["ledger"] == []


def faults(workshop: Workshop, place: str) -> list[dict[str, object]]:
    found = workshop.type("emulator", "fault", "list", "-json", place).document["faults"]
    assert isinstance(found, list)
    return found


def add(workshop: Workshop, *words: str) -> Said:
    return workshop.type("emulator", "fault", "add", *words)


def test_faults_are_added_listed_and_cleared(workshop: Workshop, place: str) -> None:
    details = ("-set", "status=503", "-set", "every=true", "-set", "text=gone fishing")
    assert add(workshop, "answer", "deploy", *details, place).code == 0
    assert add(workshop, "pause", "any", "-set", "seconds=1.5", "-set", "until=2h", place).code == 0
    said = workshop.type("emulator", "fault", "list", place)
    first, second = said.out.splitlines()
    assert first == "    1  answer deploy every=True status=503 text=gone fishing  (met 0)"
    assert second.startswith("    2  pause any")
    assert faults(workshop, place)[1]["stated"] == {
        "kind": "pause", "route": "any", "seconds": 1.5, "until": 7200.0
    }  # fmt: skip
    assert workshop.type("emulator", "fault", "clear", "-number=3", place).code == 1
    assert workshop.type("emulator", "fault", "clear", "-number=1", place).code == 0
    assert [one["number"] for one in faults(workshop, place)] == [1]
    assert workshop.type("emulator", "fault", "clear", place).err == "1 fault cleared\n"
    assert "no fault is in store" in workshop.type("emulator", "fault", "list", place).out


IN_FILES = {
    "list.yaml": "- {kind: kill, route: deploy}\n- {kind: grab, route: any, cluster: a, gpu: b}\n",
    "world.yaml": "faults:\n- kind: kill\n  route: deploy\n- kind: stuck\n  route: deploy\n",
    "one.json": '{"kind": "answer", "route": "deploy", "status": 502, "body": "html"}',
}


@pytest.mark.parametrize(("name", "count"), [("list.yaml", 2), ("world.yaml", 2), ("one.json", 1)])
def test_faults_come_from_a_file(workshop: Workshop, name: str, count: int) -> None:
    workshop.emulator().close()
    workshop.write(name, IN_FILES[name])
    assert add(workshop, f"-file={name}").code == 0
    assert len(faults(workshop, ".")) == count


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- {kind: kill, route: deploy}\n- {kind: kill, route: nowhere}\n", "is none of"),
        ("- {kind: kill, route: deploy, nht: 2}\n", "`nht` is not known here"),
        ("- kill\n", "each fault is a mapping"),
        ("faults: []\n", "no list of faults"),
        ("a: [\n", "no faults can be read from bad.yaml"),
        ("", "one document is expected"),
        ("--- {}\n--- {}\n", "one document is expected"),
    ],
)
def test_file_with_a_fault_that_cannot_act_adds_none(
    workshop: Workshop, text: str, why: str
) -> None:
    workshop.emulator().close()
    workshop.write("bad.yaml", text)
    said = add(workshop, "-file=bad.yaml", ".")
    assert (said.code, codes(said.err)) == (1, ["settings"])
    assert why in said.err
    assert faults(workshop, ".") == []


def test_words_and_a_file_exclude_each_other(workshop: Workshop) -> None:
    workshop.write("list.yaml", IN_FILES["list.yaml"])
    for words in (
        ("-file=list.yaml", "-set", "nth=2"),
        ("-file=list.yaml", "kill", "deploy"),
        ("kill",),
        (),
        ("kill", "deploy", ".", "."),
    ):
        assert add(workshop, *words).code == 64, words


def test_a_served_world_with_keys_opens_to_them_alone(workshop: Workshop) -> None:
    workshop.write("keyed.yaml", KEYED)
    with serving(workshop, "-world=keyed.yaml", "world.db") as address:
        said = workshop.type("emulator", "show", address, environment={"NGC_API_KEY": "wrong"})
        assert (said.code, codes(said.err)) == (1, ["settings"])
        assert "asks for a key" in said.err
        assert "wrong" not in said.err
        key = {"NVCF_TOKEN": "sesame"}
        assert workshop.type("emulator", "show", address, environment=key).code == 0
    assert workshop.type("emulator", "show", "world.db").code == 0
    with serving(workshop, "-open", "-host=0.0.0.0", "world.db") as address:
        local = address.replace("0.0.0.0", "127.0.0.1")
        assert workshop.type("emulator", "show", local).code == 0


def test_who_uses_a_world_with_keys_in_process_needs_none(workshop: Workshop) -> None:
    workshop.write("keyed.yaml", KEYED)
    placed = {"gpu": "H100", "kind": "LAB.H100_1x", "place": "backend: lab"}
    workshop.write("stack.yaml", stack(function("embed", **placed)))
    said = workshop.plan("-world=keyed.yaml", "stack.yaml")
    assert (said.code, codes(said.err)) == (2, []), said


@pytest.mark.parametrize("layout", ["", "/v2/orgs/demo/nvcf"])
def test_run_at_a_served_emulator_goes_by_its_clock(workshop: Workshop, layout: str) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    with serving(workshop, "world.db", speed=3000) as address:
        at = f"--emulator={address}{layout}"
        applied = workshop.type("apply", "-auto-approve", at, ".")
        assert applied.code == 0, applied
        destroyed = workshop.type("destroy", "-auto-approve", at, ".")
        assert destroyed.code == 0, destroyed
        assert "release complete after" in destroyed.err
        assert workshop.type("plan", "-detailed-exitcode", at, ".").code == 2
    assert not workshop.emulator_file.exists()


def test_capacity_failure_at_a_served_emulator_is_undone(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    with serving(workshop, "world.db", speed=3000) as address:
        fault = ("capacity-async", "deploy", "-set", "failure=unschedulable")
        assert workshop.type("emulator", "fault", "add", *fault, address).code == 0
        failed = workshop.type("apply", "-auto-approve", f"--emulator={address}", ".")
        assert failed.code == 3, failed
        assert "instance-terminated-no-capacity" in failed.err
        seen = workshop.type("emulator", "show", "-json", address).document
        assert seen["versions"] == []


def test_key_that_sees_no_instances_is_enough_to_deploy(workshop: Workshop) -> None:
    """What NGC asks for in its service keys. Source: nvcf-api.md 1.2."""
    scopes = "list_functions, deploy_function, register_function, delete_function"
    key = f"apiKeys: [{{key: few, scopes: [{scopes}]}}]"
    workshop.write("keyed.yaml", KEYED.replace("apiKeys: [sesame]", key))
    placed = {"gpu": "H100", "kind": "LAB.H100_1x", "place": "backend: lab"}
    workshop.write("stack.yaml", stack(function("embed", **placed)))
    with serving(workshop, "-world=keyed.yaml", "world.db", speed=3000) as address:
        words = ("apply", "-auto-approve", f"--emulator={address}", "stack.yaml")
        few = {"NGC_API_KEY": "few"}
        applied = workshop.type(*words, environment=few)
        assert applied.code == 0, applied
        workshop.write("stack.yaml", stack(function("embed", instances="2..2", **placed)))
        raised = workshop.type(*words, environment=few)
        assert raised.code == 0, raised


def test_address_of_a_run_must_be_that_of_an_emulator(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    said = workshop.type("plan", "--emulator=http://127.0.0.1:1", ".")
    assert (said.code, codes(said.err)) == (1, ["settings"])
    assert "cannot be reached" in said.err
    assert not (workshop.directory / "http:").exists()
    workshop.write("keyed.yaml", KEYED)
    words = ("--emulator=http://127.0.0.1:1", "-world=keyed.yaml", ".")
    assert workshop.type("plan", *words).code == 64


def test_another_process_at_the_file_of_a_served_world_moves_it_on(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(function("embed")))
    with serving(workshop, ".") as address:
        assert workshop.apply(".").code == 0
        seen = workshop.type("emulator", "show", "-json", address).document
        assert seen["versions"][0]["status"] == "ACTIVE"  # type: ignore[index] # a list
        workshop.type("emulator", "advance", "24h", ".")
        later = workshop.type("emulator", "show", "-json", address).document
        assert str(later["now"])[:10] > str(seen["now"])[:10]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1:1", "it cannot be reached"),
        ("http://127.0.0.1:notaport", "is not the address of an emulator"),
        ("http://", "is not the address of an emulator"),
        ("http://user@127.0.0.1:8080", "is not the address of an emulator"),
        ("http://127.0.0.1:8080/v2/nvcf", "is not the address of an emulator"),
    ],
)
def test_address_at_which_there_is_no_emulator_is_an_error(
    workshop: Workshop, address: str, why: str
) -> None:
    said = workshop.type("emulator", "advance", "1m", address)
    assert (said.code, codes(said.err)) == (1, ["settings"])
    assert why in said.err


def test_serving_says_what_stands_in_its_way(workshop: Workshop) -> None:
    with serving(workshop, ".") as address:
        port = address.rpartition(":")[2]
        taken = workshop.type("emulator", "serve", f"-port={port}", "other.db")
        assert (taken.code, codes(taken.err)) == (1, ["settings"])
        assert f"cannot listen on 127.0.0.1:{port}" in taken.err
    exposed = workshop.type("emulator", "serve", "-host=0.0.0.0", "-port=0", "other.db")
    assert exposed.code == 1
    assert "asks for no key" in exposed.err
    assert "--open" in exposed.err
    assert workshop.type("emulator", "serve", "http://127.0.0.1:1").code == 64
