"""The command line with streams of the test's own: what is typed, what is said, what it exits."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from nvcfplan.frontends.cli import run
from nvcfplan.frontends.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

STACK = """\
apiVersion: nvcfplan/v1
stack: shop
functions:
  embed:
    containerImage: nvcr.io/acme/embed:1.0.0
    inferenceUrl: /run
    inferencePort: 8000
    deployment:
      specifications:
        main:
          gpu: L40S
          instanceType: ON-PREM.GPU.L40S_1x
          clusters: [byoc-cluster-1]
          minInstances: 1
          maxInstances: 1
"""


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


class Keyboard(io.StringIO):
    """A person at a terminal, who types what is given."""

    def isatty(self) -> bool:
        return True


Typing = Callable[..., Said]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typing:
    """`typed(*words, answer=..., environment=...)`, in a directory with a small stack."""
    (tmp_path / "stack.yaml").write_text(STACK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def type_(
        *words: str, answer: str | None = None, environment: Mapping[str, str] | None = None
    ) -> Said:
        out, err = io.StringIO(), io.StringIO()
        stdin = io.StringIO() if answer is None else Keyboard(answer)
        terminal = Terminal(
            stdin=stdin, stdout=out, stderr=err, environment=dict(environment or {})
        )
        code = run(words, terminal)
        return Said(int(code), out.getvalue(), err.getvalue())

    return type_
