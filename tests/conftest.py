"""Golden files: every rendering is compared with one, and only `--update-golden` rewrites them.

Laws are tried on the same examples each time, so that a red run can be repeated anywhere; only
`make torture` looks for new ones. No law is timed: the machine may be busy.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"

collect_ignore = ["interop"]
"""NVIDIA's SDK has an environment of its own: `make interop`."""

settings.register_profile(
    "nvcfplan",
    deadline=None,
    database=None,
    print_blob=True,
    derandomize=not os.environ.get("NVCFPLAN_TORTURE"),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("nvcfplan")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden/ (never in CI)"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError("golden files are not rewritten in CI: look at the difference")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: the file `tests/golden/name` holds exactly this text."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        assert path.is_file(), f"{name} is missing: run pytest --update-golden and look at it"
        assert text + "\n" == path.read_text(encoding="utf-8")

    return compare
