"""What a file may try, and what is said to it. Source: reliability.md C3."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nvcfplan.located import (
    DEEPEST,
    LONGEST_SCALAR,
    MOST_BYTES,
    MOST_FAULTS,
    decode_source,
    load_documents,
)
from tests.budget import examples
from tests.loading.builders import codes, load, read, with_function

Fault: TypeAlias = tuple[str, int, int]


def faults(text: str) -> list[Fault]:
    """Code, line and column of each."""
    checked = load_documents(text, "f.yaml")
    found: list[Fault] = []
    for one in checked.diagnostics:
        assert one.span is not None
        found.append((one.code, one.span.start.line, one.span.start.column))
    assert (checked.value is None) == bool(found)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\n", [("yaml-alias", 1, 4), ("yaml-alias", 2, 4)]),
        ("a: &x [*x]\n", [("yaml-alias", 1, 4), ("yaml-alias", 1, 8)]),
        ("a: 1\nb: 2\na: 3\n", [("duplicate-key", 3, 1)]),
        ('a: 1\n"a": 2\n', [("duplicate-key", 2, 1)]),
        ("{a: {c: 1, c: 2}, a: 3}", [("duplicate-key", 1, 12), ("duplicate-key", 1, 19)]),
        ("a: !!python/object/apply:os.system [ls]\n", [("yaml-tag", 1, 4)]),
        ("a: !!binary aGk=\n", [("yaml-tag", 1, 4)]),
        ("a: !local 1\n", [("yaml-tag", 1, 4)]),
        ("<<: {a: 1}\n", [("yaml-merge-key", 1, 1)]),
        ("? [a, b]\n: c\n", [("yaml-complex-key", 1, 3)]),
        ('"": 1\n', [("yaml-empty-key", 1, 1)]),
        ("a: .nan\nb: -.inf\nc: 1e999\n", [("yaml-number", n, 4) for n in (1, 2, 3)]),
        ("a: " + "9" * 5000, [("yaml-number", 1, 4)]),
        ("a: 0x" + "f" * 5000, [("yaml-number", 1, 4)]),
        ("a: " + "x" * (LONGEST_SCALAR + 1), [("yaml-scalar-too-long", 1, 4)]),
        ("a: 'x\u202ey'\n", [("hidden-character", 1, 6)]),
        ("a: b # \u200bc\n", [("hidden-character", 1, 8)]),
        ("a: \x00\n", [("hidden-character", 1, 4)]),
        ("a: \x1b[2J\n", [("hidden-character", 1, 4)]),
        ('a: "\\u202e"\n', [("hidden-character", 1, 4)]),
        ('a: "\\0"\n', [("hidden-character", 1, 4)]),
        ("a: b\n\tc: d\n", [("yaml-syntax", 2, 1)]),
        ("a: 'x\nb: 1\n", [("yaml-syntax", 1, 4)]),
        ("a: [1, 2\nb: 3\n", [("yaml-syntax", 2, 2)]),
        ("a: b: c\n", [("yaml-syntax", 1, 5)]),
        ("a: - b\n", [("yaml-syntax", 1, 4)]),
        ("a: }\n", [("yaml-syntax", 1, 4)]),
        ("%YAML 1.1\n---\na: 1\n", [("yaml-directive", 1, 1)]),
        ("%TAG ! tag:x,2026:\n---\na: 1\n", [("yaml-directive", 1, 1)]),
        ("a: " + "[" * 900, [("yaml-too-deep", 1, 3 + DEEPEST)]),
        ("[" * 20_000, [("yaml-too-deep", 1, DEEPEST + 1)]),
    ],
)
def test_a_hostile_text_is_told_where_and_why(text: str, expected: list[Fault]) -> None:
    assert faults(text) == expected


def test_billion_laughs_is_refused_before_it_is_expanded() -> None:
    lines = ["a0: &a0 [lol, lol]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)
    ]
    assert {code for code, _, _ in faults("\n".join(lines))} == {"yaml-alias"}


def test_a_duplicate_key_names_both_places() -> None:
    (fault,) = load_documents("a: 1\nb: 2\n\na: 3\n", "f.yaml").diagnostics
    assert [str(fault.span), *(str(one.span) for one in fault.related)] == [
        "f.yaml:4:1", "f.yaml:1:1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("1:30:00", "1:30:00"),
        ("2024-01-01", "2024-01-01"), ("1_000", "1_000"), ("0b1", "0b1"), ("010", 10),
        ("0o17", 15), ("0x1F", 31), ("+1", 1), ("-0x1", "-0x1"), ("1.10", 1.1), (".5", 0.5),
        ("1e3", 1000.0), (".", "."), ("true", True), ("False", False), ("~", None),
        ("null", None), ("''", ""), ("'1'", "1"), ('"true"', "true"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    checked = load_documents(f"a: {text}\n", "f.yaml")
    assert checked.value is not None
    plain = checked.value[0].to_plain()
    assert plain == {"a": value}
    assert isinstance(plain, dict)
    assert type(plain["a"]) is type(value)


def test_keys_are_texts_whatever_they_look_like() -> None:
    checked = load_documents("1: a\nno: b\nnull: c\n", "f.yaml")
    assert checked.value is not None
    assert checked.value[0].to_plain() == {"1": "a", "no": "b", "null": "c"}


def test_a_file_may_hold_several_documents_or_none() -> None:
    checked = load_documents("a: 1\n---\n- b\n", "f.yaml")
    assert checked.value is not None
    assert [one.to_plain() for one in checked.value] == [{"a": 1}, ["b"]]
    assert load_documents("# nothing\n", "f.yaml").value == ()


def test_a_byte_order_mark_moves_no_column() -> None:
    (fault,) = load_documents("\ufeffa: 1\na: 2\n", "f.yaml").diagnostics
    assert fault.span is not None
    assert (fault.span.start.line, fault.span.start.column, fault.span.start.byte) == (2, 1, 8)


def test_what_is_not_utf_8_is_told_with_its_place() -> None:
    (fault,) = decode_source(b"a: 1\nb: \xff\n", "f.yaml").diagnostics
    assert (fault.code, str(fault.span)) == ("not-utf8", "f.yaml:2:4")


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    assert faults("#" * (MOST_BYTES + 1)) == [("file-too-large", 1, 1)]
    (fault,) = decode_source(b"#" * (MOST_BYTES + 1), "f.yaml").diagnostics
    assert fault.code == "file-too-large"


def test_faults_without_end_are_cut_off() -> None:
    assert len(faults("a: 1\n" * 5000)) == MOST_FAULTS


def test_a_large_list_is_read_to_its_end() -> None:
    assert faults("[" + "1," * 100_000 + "1]") == []


def test_a_syntax_fault_in_one_file_does_not_hide_those_of_another() -> None:
    broken = "a: 'x\n"
    assert codes(broken, with_function("inferencePort: many\n")) == ["yaml-syntax", "wrong-type"]


def test_structural_faults_do_not_hide_those_of_the_schema() -> None:
    text = with_function("inferencePort: 1\ninferencePort: 2\ntags: 3\n")
    assert codes(text) == ["duplicate-key", "wrong-type"]


def test_an_empty_file_is_told() -> None:
    assert codes("") == ["empty-file"]
    assert codes("# nothing but this\n", with_function("")) == ["empty-file"]


def test_a_syntax_message_never_quotes_the_text() -> None:
    (fault,) = load("vars: {password: hunter2hunter2, x: 'y\n").diagnostics
    assert "hunter2" not in fault.summary + fault.detail + fault.remedy


@settings(max_examples=examples(2000))
@given(
    st.text(alphabet=st.characters(), max_size=60)
    | st.text("ab:-{}[]&*!|>'\"%#\n\t ,?", max_size=40)
)
@example("? \n")
@example("- - - ?\n")
def test_no_text_makes_the_parser_raise(text: str) -> None:
    for fault in load_documents(text, "f.yaml").diagnostics:
        assert fault.span is not None
        assert fault.remedy


@settings(max_examples=examples(300))
@given(st.binary(max_size=200))
def test_no_bytes_make_loading_raise(content: bytes) -> None:
    assert read(content).stack.diagnostics
