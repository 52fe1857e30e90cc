"""A secret in a stack file is shown by nothing that loading gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.diagnostics import Position, Span
from nvcfplan.model import is_sensitive_key
from tests.budget import examples
from tests.loading.builders import HEAD, read, with_function

if TYPE_CHECKING:
    from nvcfplan.loading import StackReading

CANARY = "canary-7f3a9"


def everything_shown(reading: StackReading, text: str) -> str:
    """All diagnostics, and every line of the file as it would be drawn under a caret."""
    shown = [
        str(reading.stack.diagnostics),
        repr(reading.stack.value and reading.stack.value.stack),
    ]
    files = {one.span.file for one in reading.stack.diagnostics if one.span}
    for file in files:
        for line in range(1, text.count("\n") + 2):
            span = Span(file, Position(line, 1), Position(line, 1))
            shown.append(str(reading.sources.snippet(span)))
    return "\n".join(shown)


@pytest.mark.parametrize(
    "body",
    [
        f"containerEnvironment: {{ API_TOKEN: {CANARY}, A: 3 }}",
        f"containerEnvironment: {{ NOTE: {{ value: {CANARY}, sensitive: true }} }}\nname: 3",
        f"containerEnvironment: {{ NOTE: {{ value: {CANARY}, sensitive: 3 }} }}",
        f"containerEnvironment: {{ NOTE: {{ sensitive: true, value: [{CANARY}] }} }}",
        f"containerEnvironment:\n  DB_PASSWORD: |\n    first\n    {CANARY}\nname: 3",
        f"secrets: {{ HF_TOKEN: {CANARY} }}",
        f"secrets: {{ ORDINARY: {CANARY} }}",
        f"secrets: {{ ORDINARY: {{ value: {CANARY} }} }}",
        f"secrets: {{ ORDINARY: {{ fromEnv: [{CANARY}] }} }}",
        f"secrets: {CANARY}",
        f"secrets: [{CANARY}]",
        f"containerEnvironment: {{ SECRET: '{CANARY} }}",
        f'containerEnvironment:\n  API_TOKEN: "{CANARY}\n  B: [',
        f"containerEnvironment:\n  KEY: >\n    {CANARY}\n  B: [",
        f"apiToken: {CANARY}",
        f"containerEnvironment: {{ API_TOKEN: {CANARY}, API_TOKEN: {CANARY}x }}",
        f"containerEnvironment: {{ API_TOKEN: &a {CANARY} }}",
        f'containerEnvironment: {{ API_TOKEN: "{CANARY} {{{{ vars.x }}}}" }}',
        f'containerEnvironment: {{ API_TOKEN: "{CANARY} {{{{ vars. }}}}" }}',
        f"containerEnvironment: {{ API_TOKEN: {{{{ vars.x }}}}{CANARY} }}",
    ],
)
def test_a_secret_is_never_shown(body: str) -> None:
    text = with_function(body + "\n")
    reading = read(text)
    assert CANARY not in everything_shown(reading, text)


def test_a_secret_variable_is_never_shown() -> None:
    head = HEAD + f"vars: {{ api_token: {CANARY}, api_token: 3 }}\n"
    text = with_function('containerEnvironment: { TOKEN: "{{ vars.api_token }}" }\n', head=head)
    assert CANARY not in everything_shown(read(text), text)


def test_an_override_is_never_shown() -> None:
    head = HEAD + "vars: { token: 3 }\n"
    text = with_function("", head=head)
    reading = read(text, variables=(("token", CANARY), ("tokne", CANARY)))
    assert len(reading.stack.diagnostics) == 2
    assert CANARY not in everything_shown(reading, text)


@settings(max_examples=examples(500))
@given(
    position=st.integers(0, 400),
    noise=st.sampled_from(
        ["'", '"', "{", "[", "&a ", "*a", "\t", "!x ", ": ", "\n", "|", "\u202e"]
    ),
)
def test_damage_anywhere_does_not_bring_a_secret_to_light(position: int, noise: str) -> None:
    text = with_function(
        f"containerEnvironment:\n  LOG_LEVEL: info\n  API_TOKEN: {CANARY}\nname: chat\n"
        f"secrets:\n  HF_TOKEN: {CANARY}\n"
    )
    place = min(position, text.index("API_TOKEN"))
    damaged = text[:place] + noise + text[place:]
    assert CANARY not in everything_shown(read(damaged), damaged)


@pytest.mark.parametrize(
    "key",
    ["TOKEN", "HF_TOKEN", "api-key", "apiKey", "db.password", "clientSecret", "APIKey", "KEYS"],
)
def test_a_key_that_is_sensitive_key(key: str) -> None:
    assert is_sensitive_key(key)


@pytest.mark.parametrize("key", ["MAX_TOKENS", "MONKEY", "LOG_LEVEL", "TOKENIZER", "keyboard", ""])
def test_a_key_that_does_not_look_secret(key: str) -> None:
    assert not is_sensitive_key(key)
