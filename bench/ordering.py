"""How long planning takes as fleets grow, and how much downtime the plans have against others.

    python -m bench.ordering [LARGEST]

Every function changes; a fifth may land on either of two pools; pools are nine tenths full in the
end. Aims: 1,000 functions in at most 20 s, 5,000 over 12 pools in at most 90 s, below 1 GiB.
"""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter

from bench.paired import print_machine
from nvcfplan.plans import Funded, Plan
from tests.ordering.bruteforce import least_downtime
from tests.ordering.by_name import name_order_works
from tests.ordering.downtime import interrupted
from tests.ordering.instances import large_fleet, narrow_fleet

SIZES = (100, 300, 1_000, 3_000, 5_000)
POOLS = (12, 50)
SMALL = 1_000


def main() -> None:
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    print_machine()
    print("functions  pools  seconds  steps  waits for units  interrupted  at risk")
    for pools in POOLS:
        for functions in SIZES:
            if functions <= largest:
                print(_grown(functions, pools))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory at most {used:.0f} MiB")
    print(_compared())


def _grown(functions: int, pools: int) -> str:
    fleet = large_fleet(1, functions=functions, pools=pools)
    start = time.perf_counter()
    plan = fleet.plan()
    seconds = time.perf_counter() - start
    head = f"{functions:9,}  {pools:5}  {seconds:7.1f}"
    if not isinstance(plan, Plan):
        return f"{head}  no order found"
    waits = sum(isinstance(edge, Funded) for step in plan.steps for edge in step.depends_on)
    risks = sum(one.code == "capacity-at-risk" for one in plan.diagnostics)
    return f"{head}  {len(plan.steps):5,}  {waits:15,}  {len(interrupted(plan)):11}  {risks:7}"


def _compared() -> str:
    """Small fleets: our plans and the order of names against every order there is."""
    found: Counter[str] = Counter()
    for seed in range(SMALL):
        fleet = narrow_fleet(seed)
        least = least_downtime(fleet)
        if least is None:
            continue
        plan = fleet.plan()
        found["possible"] += 1
        found["by name"] += name_order_works(fleet)
        found["missed"] += not isinstance(plan, Plan)
        if isinstance(plan, Plan):
            found["least"] += len(interrupted(plan)) == least
    return (
        f"of {found['possible']} small fleets that can be ordered: least downtime in "
        f"{found['least']}, no order found in {found['missed']}; the order of names works in "
        f"{found['by name']}"
    )


if __name__ == "__main__":
    main()
