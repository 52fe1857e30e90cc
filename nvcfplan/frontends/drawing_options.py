"""How a report is drawn, and how much of it: told to the terminal as the options are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from nvcfplan.frontends.click_parts import F, option
from nvcfplan.frontends.options import decorated, the_one_form

if TYPE_CHECKING:
    from collections.abc import Callable


def format_option(*forms: str) -> Callable[[F], F]:
    """Of a command whose report can be drawn for others than a person at a terminal."""
    return option(
        "format", metavar="FORM", type=click.Choice(forms), expose_value=False,
        callback=_set_form, help=f"{', '.join(forms[:-1])} or {forms[-1]}.  [default: text]",
    )  # fmt: skip


def size_option(function: F) -> F:
    """Of a command that draws Markdown."""
    return option(
        "max-bytes", type=click.IntRange(min=4_096), default=65_536, metavar="N",
        expose_value=False, callback=_set_most_bytes,
        help="With -format=markdown: details give way to stay below.  [default: 65536]",
    )(function)  # fmt: skip


def drawing_options(*forms: str) -> Callable[[F], F]:
    """How a plan is drawn, and how much of it."""

    def decorate(function: F) -> F:
        return decorated(
            function,
            format_option(*forms),
            size_option,
            option(
                "summary", is_flag=True, expose_value=False, callback=_set_level,
                help="Only what must not be missed: a line for each function.",
            ),
            option(
                "full", is_flag=True, expose_value=False, callback=_set_level,
                help="Also what stays as it is, and how each step is undone.",
            ),
        )  # fmt: skip

    return decorate


def _set_form(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    del parameter
    if value is not None:
        ctx.obj.form = the_one_form(ctx, value)
    _refuse_ignored(ctx, is_complete=True)


def _set_most_bytes(ctx: click.Context, parameter: click.Parameter, value: int) -> None:
    del parameter
    ctx.obj.most_bytes = value
    _refuse_ignored(ctx, is_complete=False)


def _set_level(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value:
        return
    if ctx.obj.level != "default":
        raise click.UsageError("-summary and -full are two levels; give one of them.", ctx)
    ctx.obj.level = parameter.name
    _refuse_ignored(ctx, is_complete=False)


def _refuse_ignored(ctx: click.Context, *, is_complete: bool) -> None:
    """Raises: click.UsageError for what the form that was asked for cannot heed.

    Options are read as they are typed, those left out after them: not `is_complete`, the form may
    still come.
    """
    from nvcfplan.frontends.terminal import Form

    form: Form = ctx.obj.form
    if ctx.obj.level != "default" and form is not Form.TEXT:
        raise click.UsageError(
            f"-{ctx.obj.level} is a level of text; -format={form} has none.", ctx
        )
    is_typed = ctx.get_parameter_source("max_bytes") is ParameterSource.COMMANDLINE
    is_wrong = form is not Form.MARKDOWN and (is_complete or form is not Form.TEXT)
    if is_typed and is_wrong:
        raise click.UsageError("-max-bytes is for -format=markdown.", ctx)
