"""How long the command line takes to say anything at all, against an interpreter that does nothing.

    python -m bench.startup [PAIRS]

The aim is at most 6 times `python -c pass`, for `--help` and `--version` alike.
"""

from __future__ import annotations

import sys

from bench.paired import Side, compare, print_comparison, print_machine

AIM = 6.0


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    bare = Side(name="python -c pass", command=(sys.executable, "-c", "pass"))
    print_machine()
    for option in ("--help", "--version"):
        ours = Side(name=f"nvcfplan {option}", command=(sys.executable, "-m", "nvcfplan", option))
        print_comparison(bare, ours, compare(bare, ours, pairs=pairs))
    print(f"aim: at most {AIM:g}x")


if __name__ == "__main__":
    main()
