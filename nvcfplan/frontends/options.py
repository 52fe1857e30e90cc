"""The options that several commands share, and the frozen arguments they turn into.

A command's arguments are one dataclass, put together from the parts below; each part stands beside
the decorator that declares its options, under the same names.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import click

from nvcfplan.frontends.click_parts import F, LongOption, option

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nvcfplan.frontends.terminal import Form, Terminal

A = TypeVar("A")

REQUIRABLE: Final = ("inventory", "capacity", "quota")
STRATEGIES: Final = ("auto", "no-downtime", "no-extra-gpus")


DEFAULT_ENVIRONMENT: Final = "default"


@dataclass(frozen=True, kw_only=True)
class NoArguments:
    """Of commands that have none but the shared output options."""


@dataclass(frozen=True, kw_only=True)
class StackArguments:
    """Which files, for which environment, with which variables laid over the files' own."""

    paths: tuple[Path, ...]
    environment: str
    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class AccountArguments:
    """`emulator` None: a real account; empty: the emulator's file beside the stack; else a file,
    or the address of one that is served. `state_dir` None: beside the stack's files.
    """

    endpoint: str | None
    emulator: str | None
    world: Path | None
    state_dir: Path | None


@dataclass(frozen=True, kw_only=True)
class PlanningArguments:
    """`now`: a new name or description alone makes a new version. `strategy` None: not asked."""

    target: str | None
    now: bool
    with_secrets: bool
    require: frozenset[str]
    strategy: str | None
    is_safe: bool
    climbs: bool


class Leading(Protocol):
    """What every command that runs has been told of where to run."""

    @property
    def paths(self) -> tuple[Path, ...]: ...
    @property
    def environment(self) -> str: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def emulator(self) -> str | None: ...
    @property
    def state_dir(self) -> Path | None: ...


def leading_back(arguments: Leading) -> str:
    """The options and paths that lead another command to the same run; empty for the defaults."""
    words: list[str] = []
    if arguments.environment != DEFAULT_ENVIRONMENT:
        words += ["-env", arguments.environment]
    if arguments.endpoint is not None:
        words += ["-endpoint", arguments.endpoint]
    if arguments.emulator is not None:
        words.append(f"--emulator={arguments.emulator}" if arguments.emulator else "--emulator")
    is_rehearsal = arguments.emulator is not None and not is_address(arguments.emulator)
    if arguments.state_dir is not None and not is_rehearsal:
        words += ["-state-dir", str(arguments.state_dir)]
    words += (str(path) for path in arguments.paths if path != Path())
    return "".join(f" {shlex.quote(word)}" for word in words)


def taking(arguments: type[A]) -> Callable[[Callable[[Terminal, A], int]], Callable[..., int]]:
    """Makes a command of a function of the terminal and the command's arguments."""

    def decorate(function: Callable[[Terminal, A], int]) -> Callable[..., int]:
        @click.pass_obj
        def callback(terminal: Terminal, /, **values: Any) -> int:  # what click parsed, by name
            parsed = arguments(**values)
            if isinstance(parsed, AccountArguments):
                _refuse_contradiction(parsed)
            return function(terminal, parsed)

        callback.__doc__ = function.__doc__
        callback.__name__ = function.__name__
        return callback

    return decorate


def _refuse_contradiction(chosen: AccountArguments) -> None:
    """Raises: click.UsageError for options of which one would be ignored."""
    if chosen.emulator is not None and chosen.endpoint is not None:
        raise usage_error("-emulator and -endpoint name two accounts; give one of them.")
    is_rehearsal = chosen.emulator is not None and not is_address(chosen.emulator)
    if is_rehearsal and is_typed("state_dir"):
        raise usage_error("-state-dir: the state of a rehearsal lies beside the emulator's file.")
    if chosen.world is not None and chosen.emulator is None:
        raise usage_error("-world is the world of an emulator; give -emulator too.")
    if chosen.world is not None and is_address(chosen.emulator or ""):
        raise usage_error("-world makes a new emulator; one that is served has its world.")


def is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def usage_error(message: str) -> click.UsageError:
    """Of the command that is running."""
    return click.UsageError(message, click.get_current_context(silent=True))


def is_typed(parameter: str) -> bool:
    """On the command line of the command that is running, not by the environment or default."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is click.core.ParameterSource.COMMANDLINE


def stack_options(function: F) -> F:
    return decorated(
        function,
        click.argument("paths", nargs=-1, metavar="[STACK]...", callback=_paths),
        option(
            "env", "environment", metavar="NAME", callback=_environment,
            help="Environment of the stack.  [NVCFPLAN_ENV; default: default]",
        ),
        option(
            "var", "variables", multiple=True, metavar="NAME=VALUE", callback=_variables,
            help="Set a variable of the stack; repeatable. So does NVCFPLAN_VAR_name.",
        ),
    )  # fmt: skip


def account_options(function: F) -> F:
    """And how much is told of what is asked there."""
    return decorated(
        function,
        option(
            "endpoint", metavar="URL",
            help="Where the account is.  [NGC_ENDPOINT, NVCF_BASE_HTTP_URL]",
        ),
        option(
            "emulator", may_stand_alone=True, metavar="FILE|URL",
            help="Use the emulator kept in FILE, or in .nvcfplan/ beside the stack, or the one"
            " served at URL, by its clock.",
        ),
        option(
            "world", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="With --emulator: the world of a new one.",
        ),
        *_verbosity(),
        option(
            "state-dir", metavar="DIR", callback=_state_dir,
            type=click.Path(path_type=Path, file_okay=False),
            help="Keep state, locks and journals in DIR instead of beside the stack, for several"
            " stacks to share.  [NVCFPLAN_STATE_DIR]",
        ),
    )  # fmt: skip


def planning_options(function: F) -> F:
    return decorated(
        function,
        option(
            "target", metavar="ADDRESS",
            help="Only this function, such as function.chat, and what it depends on.",
        ),
        option("now", is_flag=True, help="Roll for a changed name or description alone, too."),
        option(
            "with-secrets", is_flag=True,
            help="Read secret values here, to tell whether they differ from those last applied.",
        ),
        option(
            "require", default="", metavar="WORDS", callback=_required,
            help="Fail on doubt about: inventory, capacity, quota (separated by commas).",
        ),
        option(
            "strategy", metavar="NAME", type=click.Choice(STRATEGIES),
            help="auto, no-downtime or no-extra-gpus; shows what each would cost.",
        ),
        option(
            "safe", "is_safe", is_flag=True,
            help="Give up what ran before only when all the rest is done.",
        ),
        option(
            "climb", "climbs", is_flag=True,
            help="Bring functions that stand on a rung of onNoCapacity back to what is asked for "
            "first.",
        ),
    )  # fmt: skip


def output_options(function: F) -> F:
    """`-json` and `-no-color` are told to the terminal and to nobody else."""
    return decorated(
        function,
        option(
            "json", is_flag=True, expose_value=False, is_eager=True, callback=_set_json,
            help="Report as JSON on standard output.",
        ),
        _no_color(),
    )  # fmt: skip


def stream_options(function: F) -> F:
    """As `output_options`, of a command that runs."""
    return decorated(
        function,
        option(
            "json", is_flag=True, expose_value=False, is_eager=True, callback=_set_stream,
            help="Report as JSON on standard output: a line for each event.",
        ),
        _no_color(),
    )  # fmt: skip


def _verbosity() -> tuple[Callable[[F], F], ...]:
    return (
        click.option(
            "-v", "is_verbose", is_flag=True, expose_value=False, callback=_set_verbose,
            help="Log each request: its route, and what came of it.  [NVCFPLAN_LOG=info]",
        ),
        click.option(
            "-vv", "is_very_verbose", is_flag=True, expose_value=False, cls=LongOption,
            callback=_set_very_verbose,
            help="Log more; to a file with NVCFPLAN_LOG_PATH.  [NVCFPLAN_LOG=debug]",
        ),
    )  # fmt: skip


def _no_color() -> Callable[[F], F]:
    return option(
        "no-color", is_flag=True, expose_value=False, callback=_set_plain,
        help="No colours; NO_COLOR does the same.",
    )  # fmt: skip


def decorated(function: F, *decorators: Callable[[F], F]) -> F:
    """Help lists them in this order."""
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _paths(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[Path, ...]:
    del ctx, parameter
    return tuple(Path(value) for value in values or (".",))


def _variables(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """NVCFPLAN_VAR_name first, so that the option wins; of two, the last. Sorted by name."""
    prefix = "NVCFPLAN_VAR_"
    found = {
        name.removeprefix(prefix): value
        for name, value in _env(ctx).items()
        if name.startswith(prefix)
    }
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"'{text}' is not NAME=VALUE.", ctx, parameter)
        found[name] = value
    return tuple(sorted(found.items()))


def _environment(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str:
    from nvcfplan.model import NAME_PATTERN, is_name

    chosen = value or _env(ctx).get("NVCFPLAN_ENV") or DEFAULT_ENVIRONMENT
    if not is_name(chosen):
        raise click.BadParameter(
            f"'{chosen}' does not name an environment: it must match {NAME_PATTERN}.",
            ctx,
            parameter,
        )
    return chosen


def _state_dir(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    del parameter
    named = _env(ctx).get("NVCFPLAN_STATE_DIR")
    return value or (Path(named) if named else None)


def _required(ctx: click.Context, parameter: click.Parameter, value: str) -> frozenset[str]:
    words = frozenset(word.strip() for word in value.split(",") if word.strip())
    unknown = sorted(words.difference(REQUIRABLE))
    if unknown:
        raise click.BadParameter(
            f"'{unknown[0]}' is none of {', '.join(REQUIRABLE)}.", ctx, parameter
        )
    return words


def _env(ctx: click.Context) -> Mapping[str, str]:
    terminal: Terminal = ctx.obj
    return terminal.environment


def _set_json(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    if value:
        ctx.obj.form = the_one_form(ctx, "json")


def the_one_form(ctx: click.Context, name: str) -> Form:
    """Raises: click.UsageError for a second one that differs, as in `-json -format=html`."""
    from nvcfplan.frontends.terminal import Form

    before: Form = ctx.obj.form
    if before not in (Form.TEXT, Form(name)):
        raise click.UsageError(f"-{before} and -format={name} are two forms; give one.", ctx)
    return Form(name)


def _set_stream(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    _set_json(ctx, parameter, value)
    if value:
        ctx.obj.is_stream = True


def _set_verbose(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    _set_logging(ctx, "info" if value else None)


def _set_very_verbose(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    _set_logging(ctx, "debug" if value else None)


def _set_logging(ctx: click.Context, asked: str | None) -> None:
    """What is typed wins over the environment, and the more over the less."""
    level = asked or (None if ctx.obj.log else _env(ctx).get("NVCFPLAN_LOG", "").lower())
    if not level:
        return
    from nvcfplan.frontends.logs import LEVELS, PATH_VARIABLE, begin_logging, end_logging

    if level not in LEVELS:
        raise click.UsageError(f"NVCFPLAN_LOG={level} is none of {', '.join(LEVELS)}.", ctx)
    path = _env(ctx).get(PATH_VARIABLE) or None
    end_logging(ctx.obj)
    try:
        begin_logging(ctx.obj, LEVELS[level], path)
    except OSError as error:
        why = error.strerror or error
        raise click.UsageError(f"{PATH_VARIABLE}={path} cannot be written: {why}.", ctx) from error


def _set_plain(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    if value:
        ctx.obj.is_plain = True
