"""Templates in texts: `{{ vars.NAME }}`, after parsing, so that positions survive.

A text that is nothing but one variable takes its typed value; others give a text. What is more than
a reference is rendered by Jinja in an immutable sandbox, and only expressions that are bounded in
time and size get there: a sandbox bounds neither. Source: reliability.md C3.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.loading.findings import Finding
from nvcfplan.loading.variables import TEMPLATE_MARKS, Texts, Variable
from nvcfplan.loading.wording import nearest
from nvcfplan.located import Located, MappingNode, Node, Path, ScalarNode, to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_RESULT: Final = 64 * 1024
_REFERENCE = re.compile(r"\{\{\s*vars\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_JINJA = re.compile(r"\{\{|\{%|\{#|\}\}|%\}|#\}")
_FILTERS: Final = frozenset({"lower", "trim", "upper"})
_BLOCKS: Final = frozenset({"block_begin", "comment_begin", "raw_begin"})
_DROPPED_GLOBALS: Final = ("cycler", "dict", "joiner", "lipsum", "namespace", "range")


@dataclass(frozen=True, slots=True)
class Rendered:
    """`plain`: the document with every template replaced; where one failed, its own text."""

    plain: object
    findings: tuple[Finding, ...]


def render(document: Located, variables: Mapping[str, Variable]) -> Rendered:
    """The document as plain values; in `vars` itself nothing is a template."""
    walk = _Walk(variables)
    plain = walk.plain(document.root, ())
    return Rendered(plain, tuple(walk.findings))


class _Refused(Exception):
    """A template that is not rendered, and why."""

    def __init__(self, code: str, summary: str, *, remedy: str, detail: str = "") -> None:
        super().__init__(summary)
        self.code = code
        self.summary = summary
        self.remedy = remedy
        self.detail = detail


class _Walk:
    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self._variables = variables
        self._renderer: _Renderer | None = None
        self.findings: list[Finding] = []

    def plain(self, node: Node, path: Path) -> object:
        if isinstance(node, ScalarNode):
            value = node.value
            return value if type(value) is not str or "{" not in value else self._text(value, path)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        return [self.plain(child, (*path, index)) for index, child in enumerate(node.nodes)]

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        for entry in node.entries:
            if any(mark in entry.key for mark in TEMPLATE_MARKS):
                self.findings.append(
                    Finding(
                        code="template-in-key",
                        path=(*path, entry.key),
                        summary="a key cannot hold a template",
                        detail="keys are identities, so they must be readable in the file",
                        remedy="write the key out",
                        at_key=True,
                    )
                )
        return {
            entry.key: to_plain(entry.node)
            if entry.key == "vars" and not path
            else self.plain(entry.node, (*path, entry.key))
            for entry in node.entries
        }

    def _text(self, text: str, path: Path) -> object:
        if not any(mark in text for mark in TEMPLATE_MARKS):
            return text
        try:
            if (alone := _REFERENCE.fullmatch(text)) is not None:
                return _variable(self._variables, alone[1]).value
            if _is_simple(text):
                return _joined(self._simple_pieces(text))
            self._renderer = self._renderer or _Renderer(self._variables)
            return self._renderer.render(text)
        except _Refused as refused:
            self.findings.append(
                Finding(
                    code=refused.code,
                    path=path,
                    summary=refused.summary,
                    detail=refused.detail,
                    remedy=refused.remedy,
                )
            )
            return text

    def _simple_pieces(self, text: str) -> Iterator[str]:
        for index, piece in enumerate(_REFERENCE.split(text)):
            yield _as_text(piece, self._variables) if index % 2 else piece


def _is_simple(text: str) -> bool:
    """Nothing but text and plain references: a thousand of these cost Jinja half a second."""
    between = _REFERENCE.split(text)[::2]
    return not any(_JINJA.search(piece) for piece in between) and not any(
        before.endswith("{") or after.startswith("}")
        for before, after in itertools.pairwise(between)
    )


def _as_text(name: str, variables: Mapping[str, Variable]) -> str:
    texts = _variable(variables, name).texts
    if isinstance(texts, str):
        return texts
    raise _not_text(f"vars.{name}", texts)


def _joined(pieces: Iterable[str]) -> str:
    kept: list[str] = []
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST_RESULT:
            raise _Refused(
                "template-too-long",
                f"the rendered text has more than {LONGEST_RESULT} characters",
                remedy="shorten it",
            )
        kept.append(piece)
    return "".join(kept)


def _not_text(name: str, texts: Texts) -> _Refused:
    return _Refused(
        "template-not-text",
        f"`{name}` is {_kind(texts)}: it cannot stand within a text",
        remedy="let the template stand alone, or name a part of it that is a text",
    )


def _variable(variables: Mapping[str, Variable], name: str) -> Variable:
    if name in variables:
        return variables[name]
    raise _undefined(f"vars.{name}", "vars", name, variables)


def _undefined(whole: str, parent: str, name: str, known: Iterable[str]) -> _Refused:
    meant = nearest(name, known)
    return _Refused(
        "undefined-variable",
        f"`{whole}` is not defined" + (f"; did you mean `{parent}.{meant}`?" if meant else ""),
        remedy=f"write `{parent}.{meant}`" if meant else f"add `{name}` under `{parent}`",
    )


class _Renderer:
    """Jinja, imported when the first text needs it."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self._variables = variables
        self._environment = _environment()
        self._texts: dict[str, Texts] = {name: one.texts for name, one in variables.items()}

    def render(self, text: str) -> str:
        """Raises: _Refused."""
        from jinja2 import TemplateSyntaxError

        if "\r" in text:
            raise _Refused(
                "template-unsupported",
                "a carriage return cannot stand in a text with such a template",
                remedy="remove it: Jinja would turn it into a line feed",
            )
        try:
            kinds = {kind for _, kind, _ in self._environment.lex(text)}
            parsed = self._environment.parse(text)
        except TemplateSyntaxError as error:
            raise _Refused(
                "template-syntax",
                "the template does not parse",
                detail="a `{{` begins a template, and a `}}` ends it",
                remedy="write `{{ vars.NAME }}`; write a literal `{{` as `{{ '{{' }}`",
            ) from error
        if kinds & _BLOCKS:
            raise _Refused(
                "template-block",
                "blocks and comments (`{%`, `{#`) are not accepted in templates",
                remedy="use `{{ vars.NAME }}` only; write a literal `{%` as `{{ '{%' }}`",
            )
        for node in parsed.body:
            self._check(node)
        return _joined(self._environment.from_string(text).generate(vars=self._texts))

    def _check(self, node: nodes.Node) -> None:
        """Lets pass literal text, constants, variables, and filters that do not lengthen."""
        from jinja2 import nodes

        match node:
            case nodes.Output():
                for child in node.nodes:
                    self._check(child)
            case nodes.TemplateData() | nodes.Const(value=str()):
                pass
            case nodes.Filter(name=name, node=nodes.Expr() as inner, args=[], kwargs=[]) if (
                name in _FILTERS
            ):
                self._check(inner)
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                self._check_text(node)
            case _:
                raise _Refused(
                    "template-unsupported",
                    "a template may only name a variable",
                    detail=f"`{{{{ vars.NAME }}}}`, with the filters {', '.join(sorted(_FILTERS))}",
                    remedy="compute the value outside, and give it with `--var`",
                )

    def _check_text(self, node: nodes.Expr) -> None:
        name, texts = self._resolved(node)
        if not isinstance(texts, str):
            raise _not_text(name, texts)

    def _resolved(self, node: nodes.Expr) -> tuple[str, Texts]:
        """What `vars.a.b` or `vars.a[0]` stands for, without asking the sandbox."""
        from jinja2 import nodes

        match node:
            case nodes.Name(name="vars"):
                return "vars", self._texts
            case nodes.Getattr(node=inner, attr=step):
                pass
            case nodes.Getitem(node=inner, arg=nodes.Const(value=(str() | int()) as step)):
                pass
            case nodes.Name(name=name):
                raise _undefined(name, "vars", name, self._texts)
            case _:
                raise _Refused(
                    "template-unsupported",
                    "a template may only name a variable",
                    remedy="write `{{ vars.NAME }}`",
                )
        parent, texts = self._resolved(inner)
        if isinstance(texts, dict) and step in texts:
            return f"{parent}.{step}", texts[str(step)]
        if isinstance(texts, list) and isinstance(step, int) and 0 <= step < len(texts):
            return f"{parent}[{step}]", texts[step]
        known = texts if isinstance(texts, dict) else ()
        raise _undefined(f"{parent}.{step}", parent, str(step), known)


def _kind(texts: Texts) -> str:
    if texts is None:
        return "null"
    return "a mapping" if isinstance(texts, dict) else "a list"


def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class _KeysFirst(ImmutableSandboxedEnvironment):
        """`vars.items` is the variable of that name, not a method of the mapping."""

        def getattr(self, obj: object, attribute: str) -> object:
            return self.getitem(obj, attribute)

    environment = _KeysFirst(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    for name in _DROPPED_GLOBALS:
        environment.globals.pop(name, None)
    return environment
