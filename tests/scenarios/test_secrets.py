"""A canary in every channel a secret can come in by: it comes out of none, whatever is asked.

Every command of the command line has a line in the story below; one without fails a test.
"""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import click
import pytest

from nvcfplan.emulator.rules import Fault, Trouble
from nvcfplan.frontends.cli import GROUP
from nvcfplan.frontends.terminal import Terminal
from tests.scenarios.conftest import Workshop, stack
from tests.scenarios.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TAIL = '/+a%"b.*é'
CANARIES = {
    name: f"canary-{name}-0123456789{TAIL}"
    for name in (
        "env",
        "file",
        "literal",
        "marked",
        "option",
        "variable",
        "template",
        "live",
    )
} | {  # a header takes no more than these
    "key": "nvapi-canary-key-0123456789",
    "forge": "ghp_canary_forge_0123456789",
}
ENVIRONMENT = {
    "HF_TOKEN": CANARIES["env"],
    "NVCF_TOKEN": CANARIES["key"],
    "GITHUB_TOKEN": CANARIES["forge"],
    "NVCFPLAN_VAR_token": CANARIES["variable"],
    "NVCFPLAN_LOG": "debug",
}
OPTIONS = ("-var", f"password={CANARIES['option']}")
"""Values of variables are secret where they stand in a place that is."""

STACK = stack(
    f"""\
  chat:
    containerImage: "nvcr.io/acme/chat:{{{{ vars.tag }}}}"
    inferenceUrl: /run
    inferencePort: 8000
    containerEnvironment:
      API_KEY: {json.dumps(CANARIES["literal"])}
      DB_DSN: {{ value: {json.dumps(CANARIES["marked"])}, sensitive: true }}
      DB_PASSWORD: "{{{{ vars.password }}}}"
      OTHER_TOKEN: "{{{{ vars.token }}}}"
      JOINED_SECRET: "x-{{{{ vars.template }}}}-y"
    secrets:
      HF_TOKEN: {{ fromEnv: HF_TOKEN }}
      CERTIFICATE: {{ fromFile: certificate.pem }}
    deployment:
      specifications:
        main:
          gpu: L40S
          instanceType: ON-PREM.GPU.L40S_1x
          clusters: [byoc-cluster-1]
          minInstances: 1
          maxInstances: 2
"""
).replace(
    "functions:",
    f"vars: {{ tag: '1.0.0', password: none, token: none, template: "
    f"{json.dumps(CANARIES['template'])} }}\nfunctions:",
)
SAID = [one for name, one in CANARIES.items() if name not in ("template", "live")]
SAID.append(f"x-{CANARIES['template']}-y")
ECHO = " | ".join(SAID)
"""What a careless container, or service, prints when it fails."""
WAYS: tuple[Callable[[str], str], ...] = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: quote(text, safe=""),
    quote,
    html.escape,
    lambda text: base64.b64encode(f"user:{text}\n".encode()).decode(),
    lambda text: text.encode().hex(),
)
"""How it may write them."""
INPUTS = frozenset({"stack.yaml", "broken.yaml", "certificate.pem", "emulator.db", "world.db"})
"""What holds canaries because we put them there: our inputs, and the accounts themselves."""

Words = tuple[str, ...]
PLACE = ("--emulator", *OPTIONS, "stack.yaml")
FORMS = ("markdown", "html", "sarif", "github", "gitlab")
BEFORE: tuple[Words, ...] = (
    ("validate", *OPTIONS, "stack.yaml"),
    ("validate", "-json", *OPTIONS, "stack.yaml"),
    ("validate", *OPTIONS, "broken.yaml"),
    ("validate", "-json", *OPTIONS, "broken.yaml"),
    ("plan", "--emulator", *OPTIONS, "broken.yaml"),
    ("plan", "-vv", "--emulator", "-out=made.nvcfplan", *OPTIONS, "stack.yaml"),
    ("plan", "-json", "-with-secrets", "--emulator", *OPTIONS, "stack.yaml"),
    ("show", "made.nvcfplan"),
    ("show", "-json", "made.nvcfplan"),
    ("show", "-full", "made.nvcfplan"),
    *(("plan", f"-format={form}", *PLACE) for form in FORMS),
    ("validate", "-format=sarif", *OPTIONS, "broken.yaml"),
    ("validate", "-format=github", *OPTIONS, "broken.yaml"),
    ("verify", "made.nvcfplan"),
    ("graph", "made.nvcfplan"),
    ("apply", "-vv", "--emulator", "made.nvcfplan"),
)
AFTER: tuple[Words, ...] = (
    ("apply", "-v", "-auto-approve", "-report=run.html", *PLACE),
    ("plan", *PLACE),
    ("graph", *PLACE),
    ("snapshot", "-out=shop.snapshot", *PLACE),
    ("adopt", "--emulator", "stack.yaml"),
    ("history", "--emulator", "stack.yaml"),
    ("history", "-json", "--emulator", "stack.yaml"),
    ("unlock", "-force", "--emulator", "stack.yaml"),
    ("show", "--emulator", "stack.yaml"),
    ("simulate", "-vv", "--emulator", "made.nvcfplan"),
    ("comment", "-github", "-dry-run", "-request=7", "made.nvcfplan"),
    ("drift", *PLACE),
    ("drift", "-json", "-with-secrets", *PLACE),
    ("drift", "-accept", "-dry-run", *PLACE),
    ("drift", "-fix", "-auto-approve", *PLACE),
    ("drift ack", "-list", *PLACE),
    ("drift ack", "1f0c3b", "-why", "known", *PLACE),
    ("drift unack", "1f0c3b", *PLACE),
    ("drift watch", "-every=1s", *PLACE),
    ("plan", "-offline=shop.snapshot", *OPTIONS, "stack.yaml"),
    ("state list", "--emulator", "stack.yaml"),
    ("state show", "--emulator", "stack.yaml", "function.chat"),
    ("resume", *PLACE),
    ("rollback", "-auto-approve", *PLACE),
    ("apply", "-auto-approve", "-json", *PLACE),
    ("apply", "-auto-approve", "--emulator=world.db", *OPTIONS, "stack.yaml"),
    ("emulator show", "world.db"),
    ("emulator show", "-json", "world.db"),
    ("emulator ledger", "world.db"),
    ("emulator advance", "1m", "."),
    ("emulator grab", "byoc-cluster-1/L40S", "1", "."),
    ("emulator give-back", "byoc-cluster-1/L40S", "1", "."),
    ("emulator fault list", "world.db"),
    ("emulator fault add", "answer", "create-function", "-set", "status=503", "world.db"),
    ("emulator fault clear", "world.db"),
    ("destroy", "-auto-approve", *PLACE),
    ("emulator events", "-json", "world.db"),
    ("emulator reset", "."),
    ("emulator serve", "-certificate=certificate.pem", "-port=0", "world.db"),
    ("plan", "-endpoint", f"https://user:{quote(CANARIES['env'])}@nvcf.invalid", "stack.yaml"),
    ("plan", "-endpoint", f"https://nvcf.invalid/?k={quote(CANARIES['env'])}", "stack.yaml"),
    ("plan", f"--emulator=http://user:{quote(CANARIES['env'])}@127.0.0.1:9", "stack.yaml"),
    ("emulator show", f"http://user:{quote(CANARIES['env'], safe='')}@127.0.0.1:9"),
    ("plan", "-vv", "-endpoint=http://127.0.0.1:9", "stack.yaml"),
    ("demo", "-h"),
    ("schema", "stack"),
    ("version", "-json"),
    ("completion", "bash"),
)
"""The command, which may be of two words, and what follows it."""
STRANGE: tuple[Words, ...] = (
    ("plan", *PLACE),
    ("plan", "-json", "-full", "-with-secrets", "-vv", *PLACE),
    ("drift", *PLACE),
    ("drift", "-json", *PLACE),
    ("snapshot", "-out=strange.snapshot", *PLACE),
    ("apply", "-auto-approve", "-vv", *PLACE),
    ("show", "-json", "--emulator", "stack.yaml"),
)


@dataclass(frozen=True, slots=True)
class Told:
    command: str
    words: tuple[str, ...]
    text: str


def _story(workshop: Workshop) -> Iterator[Told]:
    """Every command, those that look also with `-json`, and runs that fail in all ways."""
    for words in BEFORE:
        yield _told(workshop, *words)
    for trouble, route, text in (
        (Trouble.ANSWER, "create-function", f"cannot use {ECHO}"),
        (Trouble.ANSWER, "create-function", json.dumps({"detail": ECHO})),
        (Trouble.BREAK, "deploy", f"pod terminated due to state container-restart-loop: {ECHO}"),
    ):
        fault = Fault(kind=trouble, route=route, text=text)
        if trouble is Trouble.ANSWER:
            fault = Fault(kind=trouble, route=route, text=text, status=400)
        for more in ((), ("-json",)):
            workshop.emulator().add_fault(fault)
            words = ("apply", "-vv", "-auto-approve", *more, "--emulator", *OPTIONS, "stack.yaml")
            told = _told(workshop, *words)
            assert "sensitive value" in told.text, told
            yield told
    for written in (*(" | ".join(map(way, SAID)) for way in WAYS), ECHO[:-6]):
        fault = Fault(kind=Trouble.ANSWER, route="create-function", status=400, text=written)
        workshop.emulator().add_fault(fault)
        told = _told(workshop, "apply", "-auto-approve", *PLACE)
        assert told.text.count("(sensitive value)") > len(SAID), (written, told)
        yield told
    for words in AFTER:
        yield _told(workshop, *words)
    yield from _with_a_stranger_s(workshop)


def _with_a_stranger_s(workshop: Workshop) -> Iterator[Told]:
    """Somebody else has given the function a secret that we never knew."""
    yield _told(workshop, "apply", "-auto-approve", *PLACE)
    values = [
        {"key": "API_KEY", "value": CANARIES["live"]},
        {"key": "MORE_TOKEN", "value": "x" * 9},
    ]
    Hands(workshop).publish(containerEnvironment=values)
    for words in STRANGE:
        yield _told(workshop, *words)


def _told(workshop: Workshop, command: str, *words: str) -> Told:
    said = workshop.type(*command.split(), *words, environment=ENVIRONMENT)
    return Told(command, words, said.out + said.err)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, tuple[Told, ...]]]:
    directory = tmp_path_factory.mktemp("secrets")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        workshop = Workshop(directory)
        workshop.write("stack.yaml", STACK)
        workshop.write("broken.yaml", STACK.replace("  chat:", "  chat: &a\n    nosuchkey: 1"))
        workshop.write("certificate.pem", CANARIES["file"])
        yield directory, tuple(_story(workshop))


def _spellings(canary: str) -> set[str]:
    encoded = canary.encode()
    ascii_json, plain_json = json.dumps(canary), json.dumps(canary, ensure_ascii=False)
    return {
        canary,
        quote(canary, safe=""),
        quote(canary),
        ascii_json[1:-1],
        plain_json[1:-1],
        json.dumps(ascii_json)[1:-1],
        base64.b64encode(encoded).decode().rstrip("="),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
        encoded.hex(),
        html.escape(canary),
        base64.b64encode(encoded[: len(encoded) // 3 * 3]).decode(),
        base64.b64encode(f"user:{canary}".encode()).decode()[8:-4],
        canary.removesuffix(TAIL),
    }


def _leaks(text: str) -> list[str]:
    return [
        f"{channel}: {spelling}"
        for channel, canary in CANARIES.items()
        for spelling in _spellings(canary)
        if spelling in text
    ]


def _commands(group: click.Group, above: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from _commands(found, f"{above}{name} ")
        else:
            yield f"{above}{name}"


def test_every_command_has_its_line_in_the_story(
    story: tuple[Path, tuple[Told, ...]],
) -> None:
    """A new command: add to `_story` how it is typed with all that it can meet of secrets."""
    told = {one.command for one in story[1]}
    assert sorted(set(_commands(GROUP)) - told) == []


def test_no_canary_is_said_by_any_command(story: tuple[Path, tuple[Told, ...]]) -> None:
    leaks = [f"{one.command} {one.words} {leak}" for one in story[1] for leak in _leaks(one.text)]
    assert "\n".join(leaks) == ""


def test_no_canary_is_in_any_file_that_was_written(
    story: tuple[Path, tuple[Told, ...]],
) -> None:
    directory, _ = story
    files = [path for path in directory.rglob("*") if path.is_file()]
    written = [path for path in files if path.name.split("-")[0] not in INPUTS]
    assert len(written) > 5
    assert [
        (path.name, leak)
        for path in written
        for leak in _leaks(path.read_bytes().decode("utf-8", "replace"))
    ] == []


def test_the_story_met_the_requests_in_its_log(story: tuple[Path, tuple[Told, ...]]) -> None:
    """So that the silence above is not for want of anything to say."""
    logged = [one for one in story[1] if "INFO nvcfplan.adapters.nvcf.client" in one.text]
    assert {"plan", "apply"} <= {one.command for one in logged}
    assert logging.getLogger("nvcfplan").handlers == []


def test_a_log_file_is_its_owner_s_and_holds_no_canary(workshop: Workshop) -> None:
    workshop.write("stack.yaml", STACK)
    workshop.write("certificate.pem", CANARIES["file"])
    environment = ENVIRONMENT | {"NVCFPLAN_LOG_PATH": "nvcfplan.log"}
    words = ("apply", "-auto-approve", "--emulator", *OPTIONS, "stack.yaml")
    said = workshop.type(*words, environment=environment)
    log = workshop.directory / "nvcfplan.log"
    assert said.code == 0
    assert "POST /v2/nvcf/functions: 200" in log.read_text("utf-8")
    assert "POST" not in said.err
    assert log.stat().st_mode & 0o077 == 0
    assert _leaks(log.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"NVCFPLAN_LOG": "loud"}, "NVCFPLAN_LOG=loud is none of error, warn, info, debug"),
        ({"NVCFPLAN_LOG": "info", "NVCFPLAN_LOG_PATH": "no/such/log"}, "cannot be written"),
    ],
)
def test_a_log_that_cannot_be_is_wrong_usage(
    workshop: Workshop, environment: dict[str, str], words: str
) -> None:
    workshop.write("stack.yaml", STACK)
    said = workshop.type("plan", "--emulator", ".", environment=environment)
    assert said.code == 64
    assert words in said.err


def test_an_exception_that_nobody_expected_is_shown_without_the_secret() -> None:
    """What `main` prints of a bug goes through the terminal, which masks what it knows."""
    nowhere, err = io.StringIO(), io.StringIO()
    terminal = Terminal(stdin=nowhere, stdout=nowhere, stderr=err, environment={})
    terminal.known.learn(CANARIES["env"])
    try:
        raise ValueError(f"cannot use {CANARIES['env']}")
    except ValueError:
        terminal.say(traceback.format_exc())
    assert "ValueError: cannot use (sensitive value)" in err.getvalue()
