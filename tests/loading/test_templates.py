"""Templates: what is put in, what keeps its type, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.budget import examples
from tests.loading.builders import (
    HEAD,
    codes,
    function_of,
    load,
    only,
    pointed_at,
    stack_of,
    with_function,
    with_specification,
)

VARS = (
    'vars: {tag: "2.1.0", plain: 1.10, n: 3, on: true, none: , regions: [eu, us], deep: {a: x}}\n'
)


def description(template: str, variables: tuple[tuple[str, str], ...] = ()) -> str | None:
    text = with_function(f"description: {template}\n", head=HEAD + VARS)
    (function,) = stack_of(text, variables=variables).functions
    return function.config.description


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"{{ vars.tag }}"', "2.1.0"),
        ('"v{{vars.tag}}-x"', "v2.1.0-x"),
        ('"{{ vars.tag }}{{ vars.n }}"', "2.1.03"),
        ('"v{{ vars.plain }}"', "v1.10"),
        ('"is {{ vars.on }}"', "is true"),
        ('"{{ vars.tag | upper }} {{ vars.deep.a | upper }}"', "2.1.0 X"),
        ("\"{{ vars['tag'] }}\"", "2.1.0"),
        ('"{{ vars.regions[1] }}"', "us"),
        ("\"{{ '{{' }} literal {{ '{%' }}\"", "{{ literal {%"),
        ('"{ not a template }"', "{ not a template }"),
        ("'line\n\n      {{ vars.n | trim }}\n\n      '", "line\n3\n"),
    ],
)
def test_a_template_gives_a_text(template: str, expected: str) -> None:
    assert description(template) == expected


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ('"{{ vars.tga }}"', "undefined-variable"),
        ('"v{{ vars.tga }}"', "undefined-variable"),
        ('"v{{ vars.deep.b }}"', "undefined-variable"),
        ('"{{ tag }}"', "undefined-variable"),
        ('"v{{ vars.regions }}"', "template-not-text"),
        ('"v{{ vars.none }}"', "template-not-text"),
        ('"{% if true %}x{% endif %}"', "template-block"),
        ('"{# note #}{{ vars.tag }}"', "template-block"),
        ('"{{ vars.tag"', "template-syntax"),
        ('"{{ vars. }}"', "template-syntax"),
        ("\"{{ 'a' * 100000000 }}\"", "template-unsupported"),
        ('"{{ 9 ** 9 ** 9 }}"', "template-unsupported"),
        ('"{{ vars.tag.__class__ }}"', "undefined-variable"),
        ("\"{{ vars.tag | replace('2', '3') }}\"", "template-unsupported"),
        ("\"{{ vars.tga | default('x') }}\"", "template-unsupported"),
        ('"{{ lipsum(n=5000) }}"', "template-unsupported"),
        ('"{{ cycler.__init__ }}"', "undefined-variable"),
        ('"{{ range(3) }}"', "template-unsupported"),
        ("\"{{ '%s' | format(1) }}\"", "template-unsupported"),
        ('"{{ vars.regions.append(1) }}"', "template-unsupported"),
        ('"{{ vars }}"', "template-not-text"),
        ('"{{{ vars.tag }}}"', "template-syntax"),
    ],
)
def test_a_template_that_is_refused_is_told_at_its_place(template: str, code: str) -> None:
    text = with_function(f"description: {template}\n", head=HEAD + VARS)
    fault = only(text)
    assert (fault.code, pointed_at(text, fault)) == (code, template)


def test_an_undefined_variable_names_the_nearest() -> None:
    fault = only(with_function('description: "{{ vars.tga }}"\n', head=HEAD + VARS))
    assert "did you mean `vars.tag`?" in fault.summary


def test_a_template_alone_takes_the_typed_value() -> None:
    text = with_specification(
        'gpu: H100\ninstanceType: x\nminInstances: "{{ vars.n }}"\nmaxInstances: 4\n'
        'regions: "{{ vars.regions }}"\n'
    ).replace(HEAD, HEAD + VARS)
    (function,) = stack_of(text).functions
    (one,) = function.specifications
    assert (one.specification.min_instances, one.specification.regions) == (3, ("eu", "us"))


def test_a_number_is_no_text_even_from_a_variable() -> None:
    fault = only(with_function('description: "{{ vars.plain }}"\n', head=HEAD + VARS))
    assert fault.code == "wrong-type"


def test_a_quoted_number_stays_a_text() -> None:
    head = HEAD + 'vars: {tag: "1.10"}\n'
    base = 'containerImage: "nvcr.io/acme/chat:{{ vars.tag }}"\ninferenceUrl: /x\n'
    assert function_of("", base=base, head=head).config.container_image == "nvcr.io/acme/chat:1.10"


def test_a_variable_cannot_hold_a_template() -> None:
    head = HEAD + 'vars: {a: x, b: "{{ vars.a }}"}\n'
    assert codes(with_function("", head=head)) == ["template-in-vars"]


def test_a_key_cannot_hold_a_template() -> None:
    text = with_function('containerEnvironment: {"{{vars.tag}}": x}\n', head=HEAD + VARS)
    assert codes(text) == ["template-in-key"]


def test_a_rendered_text_is_bounded() -> None:
    head = HEAD + f"vars: {{long: {'x' * 60000}}}\n"
    text = with_function('containerArgs: "{{ vars.long }} {{ vars.long }}"\n', head=head)
    assert codes(text) == ["template-too-long"]
    text = with_function('containerArgs: "{{ vars.long | trim }} {{ vars.long }}"\n', head=head)
    assert codes(text) == ["template-too-long"]


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("description: {{ vars.tag }}", 'description: "{{ vars.tag }}"'),
        ("description: {{ vars.tag }}-x  # why", 'description: "{{ vars.tag }}-x"  # why'),
        ("health: { uri: {{ vars.tag }}, port: 1 }", 'health: { uri: "{{ vars.tag }}", port: 1 }'),
        ("tags: [{{vars.tag}}]", 'tags: ["{{vars.tag}}"]'),
        ('description: {{ vars["tag"] }}', "description: '{{ vars[\"tag\"] }}'"),
    ],
)
def test_an_unquoted_template_gets_the_mended_line(line: str, mended: str) -> None:
    text = with_function(f"{line}\n", head=HEAD + VARS)
    faults = [one for one in load(text).diagnostics if one.code == "template-needs-quotes"]
    assert [one.remedy for one in faults] == [f"write `{mended}`"]
    assert pointed_at(text, faults[0]).startswith("{{")


def test_an_unquoted_template_does_not_hide_other_faults() -> None:
    text = with_function(
        "description: {{ vars.tag }}-x\nname: {{ vars.tag }}:y\ninferencePort: 0\ntags: [a b]\n",
        head=HEAD + VARS,
    )
    found = load(text).diagnostics
    assert [(one.code, pointed_at(text, one)) for one in found] == [
        ("template-needs-quotes", "{{ vars.tag }}-x"),
        ("template-needs-quotes", "{{ vars.tag }}:y"),
        ("out-of-range", "0"),
        ("malformed-value", "a b"),
    ]


def test_a_mended_line_shows_no_secret() -> None:
    text = with_function("containerEnvironment: {API_TOKEN: hunter2hunter2, A: {{ vars.tag }}}\n",
                         head=HEAD + VARS)  # fmt: skip
    assert "hunter2" not in str(load(text).diagnostics)


def test_the_command_line_overrides_a_default() -> None:
    assert description('"v{{ vars.tag }}"', (("tag", "3"), ("tag", "4"))) == "v4"


@pytest.mark.parametrize(
    ("given_value", "is_taken"), [("5", True), ("five", False), ("5.5", False), ("true", False)]
)
def test_an_override_keeps_the_type_of_the_default(given_value: str, is_taken: bool) -> None:
    text = with_function("", head=HEAD + VARS)
    expected = [] if is_taken else ["variable-type"]
    assert codes(text, variables=(("n", given_value),)) == expected


def test_an_override_may_be_a_list() -> None:
    head = HEAD + "vars: {tags: [a]}\n"
    text = with_function('tags: "{{ vars.tags }}"\n', head=head)
    (function,) = stack_of(text, variables=(("tags", "[b, c]"),)).functions
    assert function.config.tags == ("b", "c")
    assert codes(text, variables=(("tags", "b"),)) == ["variable-type"]


def test_an_unknown_override_is_told_with_the_nearest() -> None:
    fault = only(with_function("", head=HEAD + VARS), variables=(("tga", "hunter2"),))
    assert fault.code == "unknown-variable"
    assert "did you mean `tag`?" in fault.summary
    assert "hunter2" not in str(fault)


def test_a_variable_defined_in_two_files_names_both() -> None:
    other = "apiVersion: nvcfplan/v1\nvars: {tag: x}\n"
    fault = only(with_function("", head=HEAD + VARS), other)
    assert fault.code == "duplicate-variable"
    assert len(fault.related) == 1


def test_variables_serve_all_files() -> None:
    other = "apiVersion: nvcfplan/v1\nvars: {shared: x}\n"
    (function,) = stack_of(with_function('description: "{{ vars.shared }}"\n'), other).functions
    assert function.config.description == "x"


PARTS = st.sampled_from(
    ["a", " ", "{", "}", "%", "#", "\n", "{{ vars.a }}", "{{vars.b}}", "é", "-"]
)


@settings(max_examples=examples(1000))
@given(st.lists(PARTS, max_size=6))
def test_plain_references_give_what_jinja_would(parts: list[str]) -> None:
    """A filter forces the text through Jinja; without it the text may take the short way."""
    from nvcfplan.loading.templates import render
    from nvcfplan.loading.variables import declared_variables
    from nvcfplan.located import Located, ScalarNode, Source, load_documents

    documents = load_documents('vars: {a: "x", b: 1.50}\n', "f.yaml").value
    assert documents is not None
    variables, _ = declared_variables(documents)

    def rendered(text: str) -> object:
        document = Located(Source("g.yaml", ""), ScalarNode(text, 0, 0, False))
        result = render(document, variables)
        return result.plain if not result.findings else result.findings[0].code

    text = "".join(parts) + "{{ vars.a }}."
    slow = rendered(text + "{{ vars.a | trim }}")
    fast = rendered(text)
    assert fast == slow or (isinstance(slow, str) and slow == f"{fast}x")


def test_a_stack_of_plain_references_never_loads_jinja() -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from nvcfplan.loading import StackSource, load_stack;"
        "assert load_stack(StackSource(paths=(Path('examples/stacks/heterogeneous'),))).value;"
        "sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
