"""Equal inputs give equal bytes, whatever the hash seed and the order they come in."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.budget import examples
from tests.ordering.instances import large_fleet, wide_fleet
from tests.planning.builders import plan

if TYPE_CHECKING:
    from nvcfplan.plans import Infeasible, Plan

FLEETS = 12


def fingerprint() -> str:
    """Of the plans of some fleets, as text."""
    made: list[Plan | Infeasible] = [wide_fleet(seed).plan() for seed in range(FLEETS)]
    made.append(large_fleet(1, functions=40, pools=3, tightness=1.0).plan())
    return hashlib.sha256(repr(made).encode()).hexdigest()


def fingerprint_elsewhere(hash_seed: int) -> str:
    code = "from tests.ordering.test_determinism import fingerprint; print(fingerprint())"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_hash_seed_does_not_matter() -> None:
    here = fingerprint()
    for hash_seed in range(max(2, examples(100) // 10)):
        assert fingerprint_elsewhere(hash_seed) == here, hash_seed


def test_the_order_of_inputs_does_not_matter() -> None:
    for seed in range(examples(300)):
        fleet = wide_fleet(seed)
        functions, live = fleet.desired(), fleet.live()
        throw = random.Random(seed)
        throw.shuffle(functions)
        throw.shuffle(live)
        assert plan(functions, fleet.account(), live) == fleet.plan(), seed
