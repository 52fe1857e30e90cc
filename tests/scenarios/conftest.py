"""A directory with a stack in it, and the command line to type into: short builders for stories."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.emulator.messages import Incoming, Reply
from nvcfplan.emulator.serving import Emulator, Event, LedgerEntry
from nvcfplan.frontends.cli import run
from nvcfplan.frontends.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "stacks"
API = "/v2/nvcf"
KEY = "Bearer key"


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, object]:
        """The one that was printed; of a command that runs, the last line of its stream."""
        try:
            found: dict[str, object] = json.loads(self.out)
        except json.JSONDecodeError:
            found = json.loads(self.out.splitlines()[-1])
        return found

    @property
    def stream(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Workshop:
    """The current directory is `directory`; the emulator's file lies beside the stack in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.emulator_file = directory / ".nvcfplan" / "emulator.db"
        kept = directory / ".nvcfplan" / "emulator.db.stacks"
        self.state_directory = kept / ".nvcfplan" / "state" / "shop@default"

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def type(self, *words: str, environment: Mapping[str, str] | None = None) -> Said:
        """In this process, with streams of its own and nothing of the real environment."""
        out, err = io.StringIO(), io.StringIO()
        terminal = Terminal(
            stdin=io.StringIO(), stdout=out, stderr=err, environment=dict(environment or {})
        )
        code = run(words, terminal)
        return Said(int(code), out.getvalue(), err.getvalue())

    def plan(self, *words: str) -> Said:
        return self.type("plan", "-detailed-exitcode", "--emulator", *words)

    def apply(self, *words: str) -> Said:
        return self.type("apply", "-auto-approve", "--emulator", *words)

    def fork(
        self, *words: str, seed: str = "0", more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """In a process of its own: for what kills it, for signals, and for the hash seed."""
        return subprocess.Popen(
            [sys.executable, "-m", "nvcfplan", *words],
            cwd=self.directory,
            env={**bare_environment(), "PYTHONHASHSEED": seed, **(more or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    @contextmanager
    def run_under_way(self) -> Iterator[None]:
        """Somebody else's, on this stack."""
        store = LocalStore(self.state_directory.parents[2])
        lease = asyncio.run(store.acquire(self.state_directory.name, "ada@desk", 60))
        try:
            yield
        finally:
            asyncio.run(store.release(lease))

    def emulator(self) -> Emulator:
        return Emulator.open(self.emulator_file, None)

    def events(self) -> tuple[Event, ...]:
        with closing(self.emulator()) as emulator:
            return emulator.events()

    def ledger(self) -> tuple[LedgerEntry, ...]:
        with closing(self.emulator()) as emulator:
            return emulator.ledger()

    def ask(self, path: str, *, method: str = "GET", body: object = None) -> dict[str, object]:
        """The API itself, as anybody else would use it."""
        with closing(self.emulator()) as emulator:
            return _asked(emulator, path, method=method, body=body)

    def account(self) -> list[dict[str, object]]:
        """Every version through the API, with its deployment, as JSON; in order of creation."""
        with closing(self.emulator()) as emulator:
            listed = _asked(emulator, "functions")["functions"]
            assert isinstance(listed, list)
            found = []
            for row in sorted(listed, key=lambda one: (one["createdAt"], one["versionId"])):
                path = f"functions/{row['id']}/versions/{row['versionId']}"
                version = dict(_mapping(_asked(emulator, path)["function"]))
                reply = _served(emulator, f"deployments/{path}")
                assert reply.status in (200, 404), reply
                is_deployed = reply.status == 200
                version["deployment"] = (
                    json.loads(reply.body)["deployment"] if is_deployed else None
                )
                found.append(version)
            return found


def _asked(
    emulator: Emulator, path: str, *, method: str = "GET", body: object = None
) -> dict[str, object]:
    reply = _served(emulator, path, method=method, body=body)
    assert reply.status < 300, reply
    found: dict[str, object] = json.loads(reply.body or b"{}")
    return found


def _served(emulator: Emulator, path: str, *, method: str = "GET", body: object = None) -> Reply:
    incoming = Incoming(
        method=method,
        path=f"{API}/{path}",
        query={"includeSecrets": "true"},
        authorization=KEY,
        body=b"" if body is None else json.dumps(body).encode(),
    )
    return emulator.exchange(incoming).reply


def as_before(account: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without what the service mints anew: ids and times; how many instances run where counts."""
    return [{key: _unminted(value) for key, value in version.items()} for version in account]


_MINTED = frozenset(
    {
        "id", "deploymentId", "gpuSpecificationId", "instanceId", "icmsRequestId", "createdAt",
        "updatedAt", "lastUpdatedAt", "instanceCreatedAt", "instanceUpdatedAt",
    }
)  # fmt: skip


def _unminted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _unminted(inner) for key, inner in value.items() if key not in _MINTED}
    if isinstance(value, list):
        return [_unminted(inner) for inner in value]
    return value


def _mapping(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


def function(
    key: str,
    *,
    image: str = "1.0.0",
    gpu: str = "L40S",
    kind: str = "ON-PREM.GPU.L40S_1x",
    place: str = "clusters: [byoc-cluster-1]",
    instances: str = "1..2",
    more: str = "",
) -> str:
    """One entry of `functions:`; `instances` is min..max."""
    least, most = instances.split("..")
    lines = [
        f"  {key}:",
        f'    containerImage: "nvcr.io/acme/{key}:{image}"',
        "    inferenceUrl: /run",
        "    inferencePort: 8000",
        "    deployment:",
        "      specifications:",
        "        main:",
        f"          gpu: {gpu}",
        f"          instanceType: {kind}",
        f"          {place}",
        f"          minInstances: {least}",
        f"          maxInstances: {most}",
    ]
    return "\n".join([*lines, *([f"    {more}"] if more else [])]) + "\n"


def h100(key: str, *, image: str = "1.0.0", instances: int = 1, more: str = "") -> str:
    """On the 8 H100 of GCP-ASIASE1-A, two GPUs an instance."""
    return function(
        key,
        image=image,
        gpu="H100",
        kind="a3-highgpu-8g_2x",
        place="backend: GCP-ASIASE1-A",
        instances=f"{instances}..{instances}",
        more=more,
    )


def stack(*functions: str, name: str = "shop") -> str:
    return f"apiVersion: nvcfplan/v1\nstack: {name}\nfunctions:\n{''.join(functions)}"


def codes(text: str) -> list[str]:
    """The codes of the diagnostics in a text, in its order."""
    return re.findall(r"^(?:error|warning|note)\[([a-z-]+)\]", text, re.MULTILINE)


def bare_environment() -> dict[str, str]:
    """Nothing of the developer's own but the way to Python; a key that only an emulator takes."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": "/nonexistent",
        "NO_COLOR": "1",
        "NVCF_TOKEN": "key",
    }


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.chdir(tmp_path)
    return Workshop(tmp_path)


@pytest.fixture
def served(workshop: Workshop) -> Iterator[str]:
    """The address of an emulator that answers over HTTP at the speed of the wall's clock."""
    process = workshop.fork("emulator", "serve", "-port=0", "-speed=1", ".")
    assert process.stderr is not None
    address = re.search(r"on (http://[0-9.:]+)", process.stderr.readline())
    assert address is not None
    yield address.group(1)
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=3)
    except subprocess.TimeoutExpired:
        # A request that is held back holds the server up too: the second Ctrl-C does not wait.
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def heard(process: subprocess.Popen[str], words: str) -> None:
    """Read from its standard error, up to these words."""
    assert process.stderr is not None
    said = ""
    while words not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
