"""`-compact-warnings`: told to the terminal and to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nvcfplan.frontends.click_parts import option

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

F = TypeVar("F", bound="Callable[..., object]")


def warning_options(function: F) -> F:
    return option(
        "compact-warnings", is_flag=True, expose_value=False, callback=_set_compact,
        help="Warnings and notes in a line each, those that are alike together; errors whole.",
    )(function)  # fmt: skip


def _set_compact(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    ctx.obj.is_compact = value
