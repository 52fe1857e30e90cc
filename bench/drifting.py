"""What a look for drift costs beside a plan of the same stack, where nothing has changed.

    python -m bench.drifting [FUNCTIONS [PAIRS]]

Both read the account; drift reads all of what it offers and allows besides. The aim is at most 1.2
times the plan.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.paired import Side, compare, print_comparison, print_machine
from nvcfplan.emulator.messages import Incoming
from nvcfplan.emulator.rules import ClusterRule, GpuRule, GroupRule, InstanceTypeRule, WorldFile
from nvcfplan.emulator.serving import Emulator

AIM = 1.2
Row = dict[str, object]


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:]]
    functions, pairs = (*numbers, *(1_000, 7)[len(numbers) :])
    print_machine()
    with tempfile.TemporaryDirectory() as folder:
        world, stack = Path(folder) / "world.db", Path(folder) / "stack.yaml"
        _populate(world, functions)
        stack.write_text(_stack(functions), encoding="utf-8")
        adopt, plan, drift = (_side(verb, world, stack) for verb in ("adopt", "plan", "drift"))
        subprocess.run(list(adopt.command), stdout=subprocess.DEVNULL, check=True)
        print(f"{functions} functions, as they were left")
        print_comparison(plan, drift, compare(plan, drift, pairs=pairs))
    print(f"aim: at most {AIM:g}x")


def _side(verb: str, world: Path, stack: Path) -> Side:
    words = [] if verb == "adopt" else ["-detailed-exitcode"]
    words += ["-no-memory"] if verb == "drift" else []
    command = (sys.executable, "-m", "nvcfplan", verb, *words, f"--emulator={world}", str(stack))
    return Side(name=f"nvcfplan {verb}", command=command)


def _populate(path: Path, functions: int) -> None:
    """As applies of ours would have left it."""
    emulator = Emulator.open(path, _rules(functions))
    for number in range(functions):
        tags = ["nvcfplan:stack=bench", "nvcfplan:env=default", f"nvcfplan:key=f{number}"]
        body: Row = {
            "name": f"f{number}",
            "inferenceUrl": "/v1",
            "containerImage": "nvcr.io/bench/i:1",
            "tags": tags,
        }
        made = _post(emulator, "functions", body)["function"]
        assert isinstance(made, dict)
        entry = {"gpu": "H100", "instanceType": "H100_1x", "minInstances": 1, "maxInstances": 2}
        place = f"deployments/functions/{made['id']}/versions/{made['versionId']}"
        _post(emulator, place, {"deploymentSpecifications": [entry]})
    emulator.advance(3_600)
    emulator.close()


def _stack(functions: int) -> str:
    lines = ["apiVersion: nvcfplan/v1", "stack: bench", "functions:"]
    for number in range(functions):
        lines += [
            f"  f{number}:",
            "    inferenceUrl: /v1",
            "    containerImage: nvcr.io/bench/i:1",
            "    deployment:",
            "      specifications:",
            "        main: { gpu: H100, instanceType: H100_1x, minInstances: 1, maxInstances: 2 }",
        ]
    return "\n".join(lines) + "\n"


def _rules(functions: int) -> WorldFile:
    kind = InstanceTypeRule(name="H100_1x", gpu_count=1, is_default=True)
    gpus = (GpuRule(name="H100", capacity=2 * functions, instance_types=(kind,)),)
    return WorldFile(
        groups=(GroupRule(name="bench", nca_id=WorldFile().nca_id),),
        clusters=(
            ClusterRule(name="c1", groups=("bench",), region="r", provider="GCP", gpus=gpus),
        ),
        function_limit=2 * functions,
    )


def _post(emulator: Emulator, path: str, body: Row) -> Row:
    """Raises: SystemExit when it is refused: then there is nothing to measure."""
    asked = Incoming(
        method="POST",
        path=f"/v2/nvcf/{path}",
        authorization="Bearer any",
        body=json.dumps(body).encode(),
    )
    reply = emulator.exchange(asked).reply
    if reply.status != 200:
        sys.exit(f"POST {path} was answered {reply.status}: {reply.body!r}")
    found: Row = json.loads(reply.body)
    return found


if __name__ == "__main__":
    main()
