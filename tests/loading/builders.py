"""Short stacks for tests: a function's YAML in, what loading makes of it out."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent, indent
from typing import TYPE_CHECKING

from nvcfplan.loading import LoadedStack, StackReading, StackSource, read_stack

if TYPE_CHECKING:
    from nvcfplan.diagnostics import Checked, Diagnostic
    from nvcfplan.model import DesiredFunction, Stack

HEAD = "apiVersion: nvcfplan/v1\nstack: demo\n"
IMAGE = 'containerImage: "nvcr.io/acme/chat:2.1.0"\ninferenceUrl: /v1/chat\n'


def with_function(body: str, *, head: str = HEAD, base: str = IMAGE) -> str:
    """A stack whose function `chat` has `base` and `body`; both are dedented first."""
    inside = indent(dedent(base) + dedent(body), "    ")
    return f"{head}functions:\n  chat:\n{inside}\n"


def with_specification(body: str) -> str:
    """A stack whose function `chat` has one GPU specification `h100` with `body` in it."""
    specification = indent(dedent(body), " " * 6)
    return with_function(f"deployment:\n  specifications:\n    h100:\n{specification}\n")


def read(
    *texts: str | bytes, variables: tuple[tuple[str, str], ...] = (), environment: str = "default"
) -> StackReading:
    """The texts as files `0.yaml`, `1.yaml`, ... of one stack."""
    with TemporaryDirectory() as name:
        for index, text in enumerate(texts):
            content = text.encode() if isinstance(text, str) else text
            (Path(name) / f"{index}.yaml").write_bytes(content)
        return read_stack(
            StackSource(paths=(Path(name),), environment=environment, variables=variables)
        )


def load(*texts: str | bytes, variables: tuple[tuple[str, str], ...] = ()) -> Checked[LoadedStack]:
    return read(*texts, variables=variables).stack


def stack_of(*texts: str, variables: tuple[tuple[str, str], ...] = ()) -> Stack:
    checked = load(*texts, variables=variables)
    assert checked.value is not None, [str(one) for one in checked.diagnostics]
    return checked.value.stack


def function_of(body: str, *, base: str = IMAGE, head: str = HEAD) -> DesiredFunction:
    (function,) = stack_of(with_function(body, base=base, head=head)).functions
    return function


def codes(*texts: str | bytes, variables: tuple[tuple[str, str], ...] = ()) -> list[str]:
    return [one.code for one in load(*texts, variables=variables).diagnostics]


def only(*texts: str | bytes, variables: tuple[tuple[str, str], ...] = ()) -> Diagnostic:
    (diagnostic,) = load(*texts, variables=variables).diagnostics
    return diagnostic


def pointed_at(text: str, diagnostic: Diagnostic) -> str:
    """The text that the span covers, by its byte offsets."""
    assert diagnostic.span is not None
    start, end = diagnostic.span.start.byte, diagnostic.span.end.byte
    return text.encode()[start:end].decode()


def told(diagnostic: Diagnostic) -> str:
    """All that a report could show of it."""
    parts = (diagnostic.summary, diagnostic.detail, diagnostic.remedy, str(diagnostic.related))
    return "\n".join(parts)
