"""The demo: a story told by the real commands, on an emulator that is thrown away afterwards.

Every scene says what must come of it; if it does not, the demo says so and fails.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.emulator.serving import Emulator, Service
from nvcfplan.frontends.cli import run
from nvcfplan.frontends.emulation import emulator_file
from nvcfplan.frontends.emulator_views import ledger_verdict
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STACK: Final = """\
apiVersion: nvcfplan/v1
stack: demo
vars: { tag: "1.0.0" }
functions:
  chat:
    containerImage: "nvcr.io/acme/chat:{{ vars.tag }}"
    inferenceUrl: /v1/chat/completions
    inferencePort: 8000
    deployment:
      specifications:
        h100:
          gpu: H100
          instanceType: a3-highgpu-8g_2x
          backend: GCP-ASIASE1-A
          minInstances: 2
          maxInstances: 2
    update: { keepVersions: 0 }
  embed:
    containerImage: nvcr.io/acme/embed:3.1.0
    inferenceUrl: /v1/embeddings
    inferencePort: 8000
    deployment:
      specifications:
        l40s:
          gpu: L40S
          instanceType: ON-PREM.GPU.L40S_1x
          clusters: [byoc-cluster-1]
          minInstances: 2
          maxInstances: 4
"""

LONGEST_SCENE: Final = 40
"""Lines of a command's output that are shown; the rest is counted."""
WIDEST_LINE: Final = 118


class WentOtherwise(Exception):
    """A scene did not end as it had to."""


@dataclass(slots=True)
class Stage:
    """Commands are typed in the current directory; the emulator's file lies in it."""

    terminal: Terminal
    scene: int = 0

    def tell(self, title: str, *words: str) -> None:
        self.scene += 1
        self.terminal.report(f"\n== {self.scene}. {title} ".ljust(78, "="))
        for paragraph in words:
            self.terminal.report(textwrap.fill(" ".join(paragraph.split()), 78))

    def type(
        self, *words: str, exits: Exit, keep: Callable[[str], bool] = lambda _line: True
    ) -> str:
        """Runs a command as typed and shows what it prints, as far as `keep` wants the lines."""
        self.terminal.report(f"\n$ nvcfplan {' '.join(words)}")
        heard = io.StringIO()
        listening = Terminal(
            stdin=io.StringIO(),
            stdout=heard,
            stderr=heard,
            environment={"NO_COLOR": "1", "NVCFPLAN_IN_AUTOMATION": "1"},
        )
        code = run(words, listening)
        text = heard.getvalue()
        self._show([line for line in text.splitlines() if keep(line)])
        self.terminal.report(f"(exit code {int(code)})")
        if code != exits:
            raise WentOtherwise(f"exit code {int(exits)} was due, not {int(code)}:\n{text}")
        return text

    def check(self, what: str, is_so: bool) -> None:
        """`what` is said either way: as a fact, or as what should have been one."""
        if not is_so:
            raise WentOtherwise(f"this should be so, and is not: {what}")
        self.terminal.report(f"  checked: {what}")

    def look(self) -> contextlib.closing[Emulator]:
        return contextlib.closing(Emulator.open(emulator_file(Path(".")), None))

    def _show(self, lines: Sequence[str]) -> None:
        for line in lines[:LONGEST_SCENE]:
            cut = line if len(line) <= WIDEST_LINE else f"{line[: WIDEST_LINE - 3]}..."
            self.terminal.report(f"  {cut}".rstrip())
        if len(lines) > LONGEST_SCENE:
            self.terminal.report(f"  ... ({len(lines) - LONGEST_SCENE} more lines)")


def play(terminal: Terminal) -> Exit:
    with tempfile.TemporaryDirectory(prefix="nvcfplan-demo-") as made:
        stage = Stage(terminal=terminal)
        Path(made, "stack.yaml").write_text(STACK, encoding="utf-8")
        terminal.report(_OPENING)
        with contextlib.chdir(made):
            try:
                for scene in (_plan, _apply, _nothing, _roll, _fail, _destroy, _account_for):
                    scene(stage)
            except WentOtherwise as otherwise:
                terminal.say(f"\nThe demo did not go as told: {otherwise}")
                return Exit.ERROR
    terminal.report("\nThat was all of it. Next: `nvcfplan plan --emulator examples/stacks/seed`.")
    return Exit.OK


_OPENING: Final = """\
nvcfplan demo: plans that fit, applies that roll back.

Two functions on scarce GPUs, on an emulated NVCF: `chat` on H100 (8 of them in
GCP-ASIASE1-A) and `embed` on L40S. Time is the emulator's, so minutes pass in
no time. The stack is stack.yaml; everything shown is what the commands print."""


def _plan(stage: Stage) -> None:
    stage.tell(
        "What would be done",
        """The account is empty. A plan lists the steps, what each takes, and the proof
        that at no moment more is taken than there is.""",
    )
    stage.type(
        "plan", "-detailed-exitcode", "--emulator", "stack.yaml",
        exits=Exit.CHANGES, keep=_without_attributes,
    )  # fmt: skip


def _apply(stage: Stage) -> None:
    stage.tell("Do it", "Both functions are independent, so they are deployed side by side.")
    stage.type(
        "apply", "-auto-approve", "--emulator", "stack.yaml", exits=Exit.OK, keep=_is_progress
    )
    with stage.look() as emulator:
        active = {event.function for event in emulator.events() if event.kind == "active"}
    stage.check("both functions are ACTIVE", active == {"chat", "embed"})


def _nothing(stage: Stage) -> None:
    stage.tell(
        "Nothing to do",
        """Server-filled defaults, instance counts and the order of lists are not
        differences.""",
    )
    stage.type("plan", "-detailed-exitcode", "--emulator", "stack.yaml", exits=Exit.OK)


def _roll(stage: Stage) -> None:
    stage.tell(
        "A new image, without downtime",
        """chat holds 4 of 8 H100, and its new version needs 4 as well: it fits beside the
        old one. So the new version is made first; the old one is retired only once the new
        one is ACTIVE. The function id stays.""",
    )
    with stage.look() as emulator:
        before = _ids(emulator, "chat")
        seen = len(emulator.events())
    stage.type(
        "apply", "-auto-approve", "-var", "tag=1.1.0", "--emulator", "stack.yaml",
        exits=Exit.OK, keep=_is_progress,
    )  # fmt: skip
    stage.type("emulator", "events", ".", exits=Exit.OK, keep=lambda line: " chat " in line)
    with stage.look() as emulator:
        kinds = [one.kind for one in emulator.events()[seen:] if one.function == "chat"]
        after = _ids(emulator, "chat")
    stage.check(
        "the old version went only after the new one was ACTIVE",
        kinds.index("active") < kinds.index("undeployed"),
    )
    stage.check("the function id is the same", before[0] == after[0])
    stage.check("the version is another one", before[1] != after[1])


def _fail(stage: Stage) -> None:
    stage.tell(
        "Somebody else is faster",
        """Between the plan and the deployment another tenant takes the free H100. The
        service says that there is no capacity; nvcfplan shows why, and undoes what it had
        done: exit code 3, and the account is as it was.""",
    )
    stage.type(
        "emulator", "fault", "add", "grab", "deploy", "-set", "function=chat",
        "-set", "cluster=nvcf-gcp-prod-asiase1-a", "-set", "gpu=H100", ".",
        exits=Exit.OK,
    )  # fmt: skip
    with stage.look() as emulator:
        before = _versions(emulator)
    stage.type(
        "apply", "-auto-approve", "-var", "tag=1.2.0", "--emulator", "stack.yaml",
        exits=Exit.ROLLED_BACK, keep=_is_progress,
    )  # fmt: skip
    with stage.look() as emulator:
        after = _versions(emulator)
    stage.check("functions, versions and deployments are as before, to the field", before == after)


def _destroy(stage: Stage) -> None:
    stage.tell("Take it all away", "Deleting everything is applying an empty stack.")
    stage.type(
        "destroy", "-auto-approve", "--emulator", "stack.yaml", exits=Exit.OK, keep=_is_progress
    )
    with stage.look() as emulator:
        stage.check("the account is empty", not _versions(emulator))


def _account_for(stage: Stage) -> None:
    stage.tell(
        "The demand ledger",
        """The service wrote down every demand for GPUs. A plan that fits is never refused
        and never kept waiting.""",
    )
    stage.type("emulator", "ledger", ".", exits=Exit.OK)
    with stage.look() as emulator:
        entries = emulator.ledger()
    stage.check(
        "no request of ours was refused or kept waiting except where the story injected it",
        all(one.outcome is Service.AT_ONCE or one.is_injected for one in entries),
    )
    stage.check(ledger_verdict(entries), bool(entries))


def _without_attributes(line: str) -> bool:
    return not line.startswith("      + ")


def _is_progress(line: str) -> bool:
    """What a run does and how it ends; the plan before it has been seen."""
    starts = ("Cause", "  why", "Apply", "Destroy", "Undone", "Plan:")
    is_told = re.match(r"\d\d:\d\d:\d\d ", line) is not None or line.startswith(starts)
    return is_told and "still waiting" not in line


def _ids(emulator: Emulator, function: str) -> tuple[object, object]:
    """Of the function, and of the version of it that is deployed."""
    found = next(
        one for one in _versions(emulator) if one["name"] == function and one["deployment"]
    )
    return found["function_id"], found["id"]


def _versions(emulator: Emulator) -> list[dict[str, object]]:
    """Every stored version with its configuration and its deployment, in order of their ids."""
    stored = emulator.snapshot()["versions"]
    assert isinstance(stored, dict)
    return [stored[name] for name in sorted(stored)]
