"""A process of its own at a world's file: `python -m tests.emulator.worker FILE NAME COUNT`.

Creates functions one by one, and says so on a line each once the reply is there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from nvcfplan.emulator.serving import Emulator
from tests.emulator.account import Account


def main(file: str, name: str, count: str) -> None:
    account = Account(Emulator.open(Path(file), None))
    for index in range(int(count)):
        made = account.create(f"{name}-{index}")
        print(made.version, flush=True)
    account.emulator.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
