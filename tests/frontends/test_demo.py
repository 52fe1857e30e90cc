"""The demo is the first thing anybody sees: it must end well, and prove what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.frontends.conftest import Typing


def test_the_demo_goes_as_told(typed: Typing) -> None:
    said = typed("demo")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("  checked: ") >= 7
    assert (
        "no request of ours was refused or kept waiting except where the story injected it"
        in said.out
    )
    assert "(exit code 3)" in said.out
