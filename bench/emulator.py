"""What a request costs the emulator while N versions are deployed, in memory and on file.

    python -m bench.emulator [N ...]

The aim is a turn that does not grow with N: see the ratio to the smallest N.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.paired import print_machine
from nvcfplan.emulator.messages import Incoming
from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    QuotaRule,
    WorldFile,
)
from nvcfplan.emulator.serving import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 1_000, 5_000)
SAMPLES = 60
_FUNCTIONS = "/v2/nvcf/functions"
_DEPLOYMENTS = "/v2/nvcf/deployments/functions"


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    print_machine()
    gc.disable()  # as the command line runs
    for where in ("in memory", "on file"):
        print(f"{where}: median ms per turn, {SAMPLES} samples, and times that of N={sizes[0]}")
        first: dict[str, float] = {}
        for count in sizes:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "world.db" if where == "on file" else None
                print(_line(count, _medians(path, count), first))


def _line(count: int, medians: dict[str, float], first: dict[str, float]) -> str:
    cells = []
    for name, median in medians.items():
        ratio = median / first.setdefault(name, median)
        cells.append(f"{name} {median:6.2f} ({ratio:4.1f}x)")
    return f"  N={count:<6}" + "  ".join(cells)


def _medians(path: Path | None, count: int) -> dict[str, float]:
    """Milliseconds by kind of turn."""
    emulator = Emulator.open(path, _rules(count + SAMPLES))
    for index in range(count):
        _deploy(emulator, _created(emulator, index))
    emulator.advance(600)
    spare = [_created(emulator, count + index) for index in range(SAMPLES)]
    steps: dict[str, Callable[[str], object]] = {
        "deploy": lambda path: _deploy(emulator, path),
        "tick after it": lambda _: emulator.advance(60.0),
        "read": lambda path: _call(emulator, "GET", _DEPLOYMENTS + path),
        "undeploy": lambda path: _call(emulator, "DELETE", _DEPLOYMENTS + path),
        "list": lambda _: _call(emulator, "GET", _FUNCTIONS),
    }
    samples: dict[str, list[float]] = {name: [] for name in steps}
    for target in spare:
        for name, step in steps.items():
            samples[name].append(_milliseconds(step, target))
    emulator.close()
    return {name: statistics.median(found) for name, found in samples.items()}


def _milliseconds(step: Callable[[str], object], target: str) -> float:
    begun = time.perf_counter()
    step(target)
    return (time.perf_counter() - begun) * 1000


def _rules(count: int) -> WorldFile:
    kind = InstanceTypeRule(name="BENCH.H100_1x", gpu_count=1, is_default=True)
    gpus = (GpuRule(name="H100", capacity=2 * count, instance_types=(kind,)),)
    return WorldFile(
        groups=(GroupRule(name="bench", nca_id=WorldFile().nca_id),),
        clusters=(
            ClusterRule(
                name="bench-1", groups=("bench",), region="r", provider="ON-PREM", gpus=gpus
            ),
        ),
        quotas=(QuotaRule(gpu="H100", names=("bench",), limit=4 * count),),
        function_limit=2 * count,
    )


def _created(emulator: Emulator, index: int) -> str:
    body = {"name": f"f-{index}", "inferenceUrl": "/v1", "containerImage": "nvcr.io/bench/i:1"}
    function = _call(emulator, "POST", _FUNCTIONS, body)["function"]
    assert isinstance(function, dict)
    return f"/{function['id']}/versions/{function['versionId']}"


def _deploy(emulator: Emulator, path: str) -> None:
    one = {
        "gpu": "H100",
        "instanceType": "BENCH.H100_1x",
        "minInstances": 1,
        "maxInstances": 2,
    }
    _call(emulator, "POST", _DEPLOYMENTS + path, {"deploymentSpecifications": [one]})


def _call(
    emulator: Emulator, method: str, path: str, body: object | None = None
) -> dict[str, object]:
    """Raises: SystemExit when it is refused: then there is nothing to measure."""
    incoming = Incoming(
        method=method,
        path=path,
        authorization="Bearer any",
        body=b"" if body is None else json.dumps(body).encode(),
    )
    reply = emulator.exchange(incoming).reply
    if reply.status != 200:
        sys.exit(f"{method} {path} was answered {reply.status}: {reply.body!r}")
    content: dict[str, object] = json.loads(reply.body)
    return content


if __name__ == "__main__":
    main()
