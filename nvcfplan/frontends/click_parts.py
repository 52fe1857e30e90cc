"""click, bent to the habits of Terraform's users: one dash or two, sections, late loading.

Usage errors come out as `click.UsageError` with the nearest spelling; `cli` makes 64 of them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

F = TypeVar("F", bound="Callable[..., Any]")  # whatever click decorates: a callback of any shape


class LongOption(click.Option):
    """`-out` and `--out` alike; help shows the first. `may_stand_alone`: the value is optional."""

    def __init__(
        self,
        decls: Sequence[str],
        *,
        may_stand_alone: bool = False,
        **attributes: Any,  # click's own, passed through as they are
    ) -> None:
        super().__init__(decls, **attributes)
        self.may_stand_alone = may_stand_alone

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None:
            return None
        spelling, text = record
        for double in (one for one in self.opts if one.startswith("--")):
            spelling = spelling.replace(f", {double}", "")
        if self.may_stand_alone:
            head, _, placeholder = spelling.partition(" ")
            spelling = f"{head}[={placeholder}]"
        return spelling, text


def option(
    name: str,
    parameter: str | None = None,
    **attributes: Any,  # click's own, passed through as they are
) -> Callable[[F], F]:
    """`parameter`: what the callback calls it, when that is not the option's name."""
    names = (parameter,) if parameter else ()
    return click.option(f"-{name}", f"--{name}", *names, cls=LongOption, **attributes)


class TeachingCommand(click.Command):
    """A command whose help ends in examples and exit codes, and whose typos are answered."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spellings = {
            spelling: parameter
            for parameter in self.get_params(ctx)
            for spelling in parameter.opts
            if spelling.startswith("-")
        }
        return super().parse_args(ctx, list(_completed(args, spellings, ctx)))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As written: examples and tables must keep their lines."""
        del ctx
        if self.epilog:
            formatter.write(f"\n{self.epilog.strip()}\n")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        if self.help:
            formatter.write_paragraph()
            formatter.write(f"{_dedented(self.help)}\n")


def _completed(
    args: Sequence[str], spellings: dict[str, click.Parameter], ctx: click.Context
) -> Iterator[str]:
    """Gives optional values their `=`, so that a path that follows is not taken for one.

    Raises: click.UsageError for a long option nobody knows: click itself would go on to read
    `-otu` as three short ones, and name only the first.
    """
    remaining = iter(args)
    for arg in remaining:
        if arg == "--":
            yield arg
            yield from remaining
            return
        name = arg.partition("=")[0]
        found = spellings.get(name)
        if isinstance(found, LongOption):
            yield f"{arg}=" if found.may_stand_alone and "=" not in arg else arg
            if not (found.is_flag or found.may_stand_alone or "=" in arg):
                yield from islice(remaining, 1)
            continue
        if found is None and len(name) > 2 and name.startswith("-"):
            alike = [one for one in spellings if one.startswith("--") == name.startswith("--")]
            raise click.UsageError(f"No such option '{name}'.{_nearest(name, alike)}", ctx)
        yield arg


@dataclass(frozen=True, slots=True)
class Entry:
    """`where` is `module:attribute`, imported when the command is called for."""

    name: str
    where: str
    summary: str


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


class CommandWithVerbs(TeachingCommand):
    """A command of its own, and the parent of others: `drift stacks/`, and `drift ack`.

    A path that is called as one of them is reached as `./ack`. None is imported to be listed.
    """

    def __init__(
        self,
        *,
        verbs: Sequence[Entry],
        **attributes: Any,  # click's own, passed through as they are
    ) -> None:
        super().__init__(**attributes)
        self.verbs = tuple(verbs)

    def verb(self, name: str) -> click.Command | None:
        found = next((one for one in self.verbs if one.name == name), None)
        return None if found is None else _load(found)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # click's own, passed through as they are
    ) -> click.Context:
        verb = self.verb(args[0]) if args else None
        if verb is None:
            return super().make_context(info_name, args, parent, **extra)
        return verb.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Raises: click.UsageError for a verb that does not stand first, unless it is a path."""
        remaining = super().parse_args(ctx, args)
        for path in ctx.params.get("paths") or ():
            if self.verb(str(path)) is not None and not path.exists():
                raise click.UsageError(
                    f"'{path}' is a command and comes first: `{ctx.command_path} {path} ...`.", ctx
                )
        return remaining

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(one.name, one.summary) for one in self.verbs], col_max=14)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        verbs = [
            click.shell_completion.CompletionItem(one.name, help=one.summary)
            for one in self.verbs
            if one.name.startswith(incomplete)
        ]
        return [*verbs, *super().shell_complete(ctx, incomplete)]


class LazyGroup(click.Group):
    """Its help comes from the table alone: no command is imported to be listed."""

    def __init__(
        self,
        *,
        sections: Sequence[Section],
        **attributes: Any,  # click's own, passed through as they are
    ) -> None:
        super().__init__(**attributes)
        self.sections = tuple(sections)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [entry.name for section in self.sections for entry in section.entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        for section in self.sections:
            for entry in section.entries:
                if entry.name == cmd_name:
                    return _load(entry)
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        known = self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"No such command '{name}'.{_nearest(name, known)}", ctx)
        return super().resolve_command(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        formatter.write_paragraph()
        formatter.write(f"{_dedented(self.help or '')}\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for section in self.sections:
            with formatter.section(section.title):
                formatter.write_dl(
                    [(entry.name, entry.summary) for entry in section.entries], col_max=14
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        if self.epilog:
            formatter.write(f"\n{self.epilog.strip()}\n")


def _load(entry: Entry) -> click.Command:
    module, _, attribute = entry.where.partition(":")
    found = getattr(import_module(module), attribute)
    assert isinstance(found, click.Command), entry.where
    return found


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _dedented(text: str) -> str:
    lines = text.strip().splitlines()
    rest = [line for line in lines[1:] if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    return "\n".join([lines[0] if lines else "", *(line[margin:] for line in lines[1:])])
