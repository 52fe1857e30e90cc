"""`-compact-warnings`: a line for all warnings of a kind; errors as they are."""

from __future__ import annotations

from tests.scenarios.conftest import Workshop, function, h100, stack


def warned(workshop: Workshop, *, more: str = "") -> None:
    """Two functions with a literal where a secret should be: a warning each."""
    text = stack(
        function("chat", more='containerEnvironment: { API_TOKEN: "abcdefgh" }'),
        function("rank", more='containerEnvironment: { API_TOKEN: "abcdefgh" }'),
    )
    workshop.write("stack.yaml", text + more)


def test_warnings_of_a_kind_are_one_line_and_counted(workshop: Workshop) -> None:
    warned(workshop)

    whole = workshop.type("validate", ".")
    brief = workshop.type("validate", "-compact-warnings", ".")

    assert whole.err.count("warning[literal-secret]") == 2
    (line,) = brief.err.strip().splitlines()
    assert line.startswith("warning[literal-secret]: ")
    assert line.endswith(" (and 1 more)")
    assert brief.out == whole.out


def test_errors_stay_whole(workshop: Workshop) -> None:
    warned(workshop, more="  bad: { nonsense: 1 }\n")

    brief = workshop.type("validate", "-compact-warnings", ".")

    assert brief.code == 1
    assert "--> stack.yaml:" in brief.err
    assert "  fix: " in brief.err
    assert brief.err.count("warning[") <= 1


def test_plan_and_apply_say_less_and_do_the_same(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat")))

    whole, brief = workshop.plan("."), workshop.plan("-compact-warnings", ".")
    applied = workshop.apply("-compact-warnings", ".")

    assert (whole.code, brief.code, applied.code) == (2, 2, 0)
    assert "[node-packing]" in brief.out
    assert "readings count free GPUs per cluster" in whole.out
    assert "readings count free GPUs per cluster" not in brief.out + applied.out


def test_what_programs_read_is_not_shortened(workshop: Workshop) -> None:
    warned(workshop)
    words = ("validate", "-json", ".")
    brief = workshop.type(*words[:2], "-compact-warnings", words[2])
    assert brief.out == workshop.type(*words).out
