"""`nvcfplan emulator`: an account of one's own: serve it, look into it, make trouble in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nvcfplan.frontends.click_parts import Entry, F, LazyGroup, Section, TeachingCommand, option
from nvcfplan.frontends.options import is_address, output_options, taking, usage_error

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal

_HERE: Final = "nvcfplan.frontends.commands.emulator"
_TROUBLE: Final = "nvcfplan.frontends.commands.emulator_trouble"
EXITS: Final = "Exit codes: 0; 1 when there is no emulator in PLACE."

emulator = LazyGroup(
    name="emulator",
    help="""
An NVCF of your own, kept in a file between runs: `plan --emulator` and
`apply --emulator` use the same one in process.

PLACE is the emulator's file, a stack's directory (then its
.nvcfplan/emulator.db), or the address of one that is being served, such as
http://127.0.0.1:8080. The default is the current directory. Where the world
names keys, one of NVCF_TOKEN, NGC_CLI_API_KEY, NGC_API_KEY, NVCF_API_KEY opens
a served one.
""",
    epilog="""
Examples:
  nvcfplan apply --emulator examples/stacks/quickstart
  nvcfplan emulator show examples/stacks/quickstart
  nvcfplan emulator advance 30m http://127.0.0.1:8080
""",
    sections=(
        Section(
            "Commands",
            (
                Entry("serve", f"{_HERE}:serve", "Answer over HTTP, on loopback"),
                Entry("reset", f"{_HERE}:reset", "Begin again with an empty account"),
                Entry("show", f"{_HERE}:show", "Pools, versions, faults, demand, events"),
                Entry("ledger", f"{_HERE}:ledger", "Every demand for GPUs and how it was met"),
                Entry("events", f"{_HERE}:events", "What happened, in order"),
                Entry("advance", f"{_HERE}:advance", "Let time pass"),
                Entry("grab", f"{_TROUBLE}:grab", "Another tenant takes GPUs"),
                Entry("give-back", f"{_TROUBLE}:give_back", "Another tenant returns GPUs"),
                Entry("fault", f"{_TROUBLE}:fault", "Script failures: add, list, clear"),
            ),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class PlaceArguments:
    """The emulator's file, the directory of a stack, or an address."""

    place: str


@dataclass(frozen=True, kw_only=True)
class ServeArguments(PlaceArguments):
    """`is_open`: any token is good, whatever keys the world names."""

    host: str
    port: int
    speed: float
    world: Path | None
    certificate: Path | None
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class AdvanceArguments(PlaceArguments):
    duration: timedelta


def place_argument(function: F) -> F:
    return click.argument("place", default=".")(function)


def _duration(ctx: click.Context, parameter: click.Parameter, value: str) -> timedelta:
    from nvcfplan.model import parse_duration

    found = parse_duration(value)
    if found is None:
        raise click.BadParameter(
            f"'{value}' is not a duration; write 90s, 20m or 1h30m.", ctx, parameter
        )
    return found


@click.command(
    cls=TeachingCommand,
    epilog="""
Example, in two terminals:
  nvcfplan emulator serve -port=8080 -speed=60
  nvcfplan apply --emulator=http://127.0.0.1:8080

Other commands may use the same file meanwhile; time goes on from wherever they
moved it.

Exit codes: 0 when stopped by Ctrl-C or SIGTERM; 1 when the port is taken.
""",
)
@place_argument
@option("host", default="127.0.0.1", metavar="ADDRESS", help="[default: 127.0.0.1]")
@option(
    "port", default=8080, type=click.IntRange(0, 65535), metavar="N",
    help="0: any free one.  [default: 8080]",
)  # fmt: skip
@option(
    "speed", default=1.0, type=click.FloatRange(min=0, min_open=True), metavar="X",
    help="Virtual seconds for each real one.  [default: 1]",
)  # fmt: skip
@option(
    "world", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The world of a new emulator: clusters, capacity, quotas.",
)  # fmt: skip
@option(
    "certificate", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Speak https: a certificate and its key, PEM.",
)  # fmt: skip
@option(
    "open", "is_open", is_flag=True,
    help="Take any token for good, also where others can reach it.",
)  # fmt: skip
@taking(ServeArguments)
def serve(terminal: Terminal, arguments: ServeArguments) -> int:
    """Answers NVCF's API over HTTP until it is stopped; time goes by the clock on the wall."""
    import asyncio
    import gc
    from contextlib import closing, suppress

    from nvcfplan.emulator.serving import serve as serve_http
    from nvcfplan.frontends.emulation import emulator_file, open_emulator

    if is_address(arguments.place):
        raise usage_error("PLACE is the file to serve; the address is given by -host and -port.")
    path = emulator_file(Path(arguments.place))

    def told(address: str) -> None:
        terminal.say(f"serving {path} on {address} at {arguments.speed:g}x; Ctrl-C stops it")

    with closing(open_emulator(path, arguments.world)) as emulated, suppress(KeyboardInterrupt):
        if arguments.is_open:
            emulated.ask_for_no_key()
        gc.enable()  # commands run without; this one stays
        asyncio.run(
            serve_http(
                emulated,
                host=arguments.host,
                port=arguments.port,
                speed=arguments.speed,
                started=told,
                certificate=arguments.certificate,
            )
        )
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator reset examples/stacks/quickstart

{EXITS}
""",
)
@place_argument
@taking(PlaceArguments)
def reset(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Begins again: no function, no tenant's grab, no fault, the same clusters.

    What a stack remembers of it is left alone: it will find its functions missing.
    """
    from nvcfplan.frontends.emulation import operated, spoken_of

    with operated(arguments.place, terminal.environment) as emulated:
        emulated.reset()
    terminal.say(f"the emulator {spoken_of(arguments.place)} is as new")
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator show examples/stacks/quickstart
  nvcfplan emulator show -json . | jq .pools

{EXITS}
""",
)
@place_argument
@output_options
@taking(PlaceArguments)
def show(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Prints who holds which GPUs, what is deployed, the faults in store, and the last events.

    With -json everything there is, the whole demand ledger and all events with it.
    """
    from nvcfplan.frontends.emulation import operated
    from nvcfplan.frontends.emulator_views import overview_json, overview_text

    with operated(arguments.place, terminal.environment) as emulated:
        seen, ledger, events = emulated.overview(), emulated.ledger(), emulated.events()
        if terminal.wants_json:
            terminal.report(overview_json(seen, ledger, events, emulated.snapshot()))
        else:
            terminal.report(overview_text(seen, ledger, events))
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator ledger examples/stacks/quickstart

{EXITS}
""",
)
@place_argument
@output_options
@taking(PlaceArguments)
def ledger(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Prints every demand for GPUs: served at once, kept waiting, refused, never served.

    A plan that fits is never refused nor kept waiting, so this is where to check one.
    """
    from nvcfplan.frontends.emulation import operated
    from nvcfplan.frontends.emulator_views import ledger_json, ledger_text

    with operated(arguments.place, terminal.environment) as emulated:
        entries = emulated.ledger()
    terminal.report(ledger_json(entries) if terminal.wants_json else ledger_text(entries))
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator events examples/stacks/quickstart

{EXITS}
""",
)
@place_argument
@output_options
@taking(PlaceArguments)
def events(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Prints what happened in the emulated account, oldest first."""
    from nvcfplan.frontends.emulation import operated
    from nvcfplan.frontends.emulator_views import events_json, events_text

    with operated(arguments.place, terminal.environment) as emulated:
        found = emulated.events()
    terminal.report(events_json(found) if terminal.wants_json else events_text(found))
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator advance 20m examples/stacks/quickstart

{EXITS}
""",
)
@click.argument("duration", callback=_duration)
@place_argument
@taking(AdvanceArguments)
def advance(terminal: Terminal, arguments: AdvanceArguments) -> int:
    """Lets virtual time pass: instances start, released GPUs show up, requests expire."""
    from nvcfplan.frontends.emulation import operated

    with operated(arguments.place, terminal.environment) as emulated:
        now = emulated.advance(arguments.duration.total_seconds())
    terminal.say(f"it is {now.isoformat(timespec='seconds')} now")
    return 0
