"""The command line: the table of commands, and the one place where failures become exit codes.

Only click is imported here; each command brings its own libraries when it is called.
"""

from __future__ import annotations

import errno
import gc
import sys
from typing import TYPE_CHECKING, Final

import click

from nvcfplan import __version__
from nvcfplan.errors import NvcfplanError
from nvcfplan.frontends.click_parts import Entry, LazyGroup, Section
from nvcfplan.frontends.exits import Exit, Terminated, exit_of_error
from nvcfplan.frontends.terminal import ReportUnwritten, Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS: Final = "nvcfplan.frontends.commands"

SECTIONS: Final = (
    Section(
        "Main commands",
        (
            Entry("validate", f"{_COMMANDS}.validate:validate", "Check stack files, offline"),
            Entry("plan", f"{_COMMANDS}.plan:plan", "Show what would be done, and that it fits"),
            Entry("apply", f"{_COMMANDS}.apply:apply", "Make the account match the stack"),
            Entry("destroy", f"{_COMMANDS}.apply:destroy", "Remove everything the stack manages"),
        ),
    ),
    Section(
        "After an apply that did not end well",
        (
            Entry("resume", f"{_COMMANDS}.recover:resume", "Go on with an interrupted apply"),
            Entry("rollback", f"{_COMMANDS}.recover:rollback", "Undo the open or the last apply"),
            Entry("history", f"{_COMMANDS}.history:history", "What every apply did"),
            Entry("adopt", f"{_COMMANDS}.adopt:adopt", "Rebuild lost state from the account"),
            Entry("unlock", f"{_COMMANDS}.unlock:unlock", "Take the lock away from who is gone"),
        ),
    ),
    Section(
        "Looking",
        (
            Entry("show", f"{_COMMANDS}.show:show", "Show a saved plan, a run, or the state"),
            Entry("verify", f"{_COMMANDS}.verify:verify", "Prove a saved plan again, on its own"),
            Entry("graph", f"{_COMMANDS}.graph:graph", "Draw the steps and why each one waits"),
            Entry("snapshot", f"{_COMMANDS}.snapshot:snapshot", "Save what offline plans need"),
            Entry("drift", f"{_COMMANDS}.drift:drift", "Look for what others changed"),
            Entry("state", f"{_COMMANDS}.state:state", "List or show what is remembered"),
        ),
    ),
    Section(
        "On a request",
        (Entry("comment", f"{_COMMANDS}.comment:comment", "Say it on a pull or merge request"),),
    ),
    Section(
        "Trying things out",
        (
            Entry("simulate", f"{_COMMANDS}.simulate:simulate", "Rehearse a saved plan"),
            Entry("demo", f"{_COMMANDS}.demo:demo", "The whole story in under a minute"),
            Entry("emulator", f"{_COMMANDS}.emulator:emulator", "An NVCF of your own, on disk"),
        ),
    ),
    Section(
        "More",
        (
            Entry("schema", f"{_COMMANDS}.schema:schema", "Print a published JSON Schema"),
            Entry("version", f"{_COMMANDS}.version:version", "Print the version"),
            Entry("completion", f"{_COMMANDS}.completion:completion", "Print a completion script"),
        ),
    ),
)

HELP: Final = """
Plans and applies deployments on NVIDIA Cloud Functions from YAML stacks: every plan
is proved to fit the capacity it read, every apply that fails is rolled back.

Long options may be typed with one dash or two.
"""

EPILOG: Final = """
Start here, without an account:

  nvcfplan demo
  nvcfplan plan --emulator examples/stacks/quickstart

Against a real one, NGC_API_KEY (or NVCF_TOKEN) and NGC_ENDPOINT (or
NVCF_BASE_HTTP_URL) are read; every command's --help says its exit codes.
"""


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    del parameter
    if value and not ctx.resilient_parsing:
        click.echo(f"nvcfplan {__version__}")
        ctx.exit()


GROUP: Final = LazyGroup(
    name="nvcfplan",
    sections=SECTIONS,
    help=HELP,
    epilog=EPILOG,
    context_settings={"help_option_names": ["--help", "-help", "-h"], "max_content_width": 80},
    params=[
        click.Option(
            ["-version", "--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the version and exit.",
        )
    ],
)


def main() -> None:
    """The script. The cyclic collector stays off until a run begins to wait: commands that only
    look are short-lived, and it would cost them more than their work."""
    gc.disable()
    terminal = Terminal.of_process()
    try:
        sys.exit(run(sys.argv[1:], terminal))
    except Exception:
        import traceback

        terminal.say(traceback.format_exc())  # a bug: shown whole, but for the secrets in it
        sys.exit(Exit.ERROR)


def run(argv: Sequence[str], terminal: Terminal) -> int:
    """One command, from its arguments to its exit code; what tests and the demo call too."""
    try:
        return _run(argv, terminal)
    finally:
        if terminal.log is not None:
            from nvcfplan.frontends.logs import end_logging

            end_logging(terminal)


def _run(argv: Sequence[str], terminal: Terminal) -> int:
    try:
        return _exit_code(GROUP.main(
            args=list(argv), prog_name="nvcfplan", standalone_mode=False, obj=terminal
        ))  # fmt: skip
    except click.UsageError as error:
        return _usage(error, terminal)
    except click.ClickException as error:
        terminal.say(f"error[usage]: {error.format_message()}")
        return Exit.USAGE
    except NvcfplanError as error:
        from nvcfplan.frontends.reporting import report_error

        code = exit_of_error(error)
        report_error(terminal, error, code)
        return code
    except (KeyboardInterrupt, click.Abort) as stopped:
        terminal.say("Interrupted; nothing was changed.")
        return Exit.TERMINATED if isinstance(stopped, Terminated) else Exit.INTERRUPTED
    except ReportUnwritten as error:
        return _unwritten(error, terminal)
    except Exception as error:
        return _of_the_emulator(error, terminal)


def _unwritten(error: ReportUnwritten, terminal: Terminal) -> int:
    terminal.drop_reports()
    terminal.say(f"error[output]: {error}")
    return Exit.ERROR


def _of_the_emulator(error: Exception, terminal: Terminal) -> int:
    """The emulator has an error of its own, for it knows nothing of us; all else is a bug."""
    from nvcfplan.emulator.refusals import EmulatorError
    from nvcfplan.errors import SettingsError
    from nvcfplan.frontends.reporting import report_error

    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
        return _unwritten(ReportUnwritten(error), terminal)  # click's own help and version
    if not isinstance(error, EmulatorError):
        raise error
    told = SettingsError(error.summary, detail=error.detail, remedy=error.remedy)
    report_error(terminal, told, Exit.ERROR)
    return Exit.ERROR


def _exit_code(returned: object) -> int:
    return returned if isinstance(returned, int) else Exit.OK


def _usage(error: click.UsageError, terminal: Terminal) -> int:
    path = error.ctx.command_path if error.ctx else "nvcfplan"
    terminal.say(f"error[usage]: {error.format_message()}\n  fix: see `{path} --help`")
    return Exit.USAGE
