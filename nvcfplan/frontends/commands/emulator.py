"""`nvcfplan emulator`: an account of one's own: serve it, look into it, make trouble in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nvcfplan.frontends.click_parts import Entry, F, LazyGroup, Section, TeachingCommand, option
from nvcfplan.frontends.options import output_options, taking

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal

_HERE: Final = "nvcfplan.frontends.commands.emulator"
_EXITS: Final = "Exit codes: 0; 1 when there is no emulator in PLACE."

emulator = LazyGroup(
    name="emulator",
    help="""
An NVCF of your own, kept in a file between runs: `plan --emulator` and
`apply --emulator` use the same one in process.

PLACE is the emulator's file, or a stack's directory (then its
.nvcfplan/emulator.db); the default is the current directory.
""",
    epilog="""
Example:
  nvcfplan apply --emulator examples/stacks/quickstart
  nvcfplan emulator events examples/stacks/quickstart
""",
    sections=(
        Section(
            "Commands",
            (
                Entry("serve", f"{_HERE}:serve", "Answer over HTTP, on loopback"),
                Entry("reset", f"{_HERE}:reset", "Begin again with an empty account"),
                Entry("show", f"{_HERE}:show", "The whole world, as JSON"),
                Entry("ledger", f"{_HERE}:ledger", "Every demand for GPUs and how it was met"),
                Entry("events", f"{_HERE}:events", "What happened, in order"),
                Entry("advance", f"{_HERE}:advance", "Let time pass"),
                Entry("grab", f"{_HERE}:grab", "Another tenant takes GPUs"),
                Entry("give-back", f"{_HERE}:give_back", "Another tenant returns GPUs"),
                Entry("fault", f"{_HERE}:fault", "Script a failure"),
            ),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class PlaceArguments:
    """The emulator's file, or the directory of a stack."""

    place: Path


@dataclass(frozen=True, kw_only=True)
class ServeArguments(PlaceArguments):
    host: str
    port: int
    speed: float
    world: Path | None
    certificate: Path | None


@dataclass(frozen=True, kw_only=True)
class AdvanceArguments(PlaceArguments):
    duration: timedelta


@dataclass(frozen=True, kw_only=True)
class TenantArguments(PlaceArguments):
    """`pool`: the cluster and the name of the GPU."""

    pool: tuple[str, str]
    gpus: int
    tenant: str


@dataclass(frozen=True, kw_only=True)
class FaultArguments(PlaceArguments):
    """`details`: what else the fault says, in the words of a world file."""

    kind: str
    route: str
    details: tuple[tuple[str, object], ...]


def _place(function: F) -> F:
    return click.argument("place", default=".", type=click.Path(path_type=Path))(function)


def _duration(ctx: click.Context, parameter: click.Parameter, value: str) -> timedelta:
    from nvcfplan.model import parse_duration

    found = parse_duration(value)
    if found is None:
        raise click.BadParameter(
            f"'{value}' is not a duration; write 90s, 20m or 1h30m.", ctx, parameter
        )
    return found


def _pool(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, str]:
    cluster, slash, gpu = value.rpartition("/")
    if not (slash and cluster and gpu):
        raise click.BadParameter(
            f"'{value}' is not CLUSTER/GPU, such as byoc-cluster-1/L40S.", ctx, parameter
        )
    return cluster, gpu


def _details(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, object], ...]:
    """Numbers and truth values as such, the rest as text: as YAML would have it."""
    found: list[tuple[str, object]] = []
    for text in values:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"'{text}' is not NAME=VALUE.", ctx, parameter)
        words: dict[str, object] = {"true": True, "false": False}
        found.append((name, int(value) if value.isdecimal() else words.get(value, value)))
    return tuple(found)


def _tenant_arguments(function: F) -> F:
    for decorate in (
        option("tenant", default="other", metavar="NAME", help="Who it is.  [default: other]"),
        _place,
        click.argument("gpus", type=click.IntRange(min=1)),
        click.argument("pool", metavar="CLUSTER/GPU", callback=_pool),
    ):
        function = decorate(function)
    return function


@click.command(
    cls=TeachingCommand,
    epilog="""
Example, in two terminals:
  nvcfplan emulator serve -port=8080 -speed=60
  NGC_API_KEY=any nvcfplan plan -endpoint=http://127.0.0.1:8080

Exit codes: 0 when stopped by Ctrl-C; 1 when the port is taken.
""",
)
@_place
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
@taking(ServeArguments)
def serve(terminal: Terminal, arguments: ServeArguments) -> int:
    """Answers NVCF's API over HTTP until it is stopped; time goes by the clock on the wall."""
    import asyncio
    import contextlib

    from nvcfplan.emulator.serving import serve as serve_http
    from nvcfplan.frontends.emulation import emulator_file, open_emulator

    path = emulator_file(arguments.place)
    emulated = open_emulator(path, arguments.world)

    def told(address: str) -> None:
        terminal.say(f"serving {path} on {address} at {arguments.speed:g}x; Ctrl-C stops it")

    with contextlib.suppress(KeyboardInterrupt):
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

{_EXITS}
""",
)
@_place
@taking(PlaceArguments)
def reset(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Begins again: no function, no tenant's grab, no fault, the same clusters.

    What a stack remembers of it is left alone: it will find its functions missing.
    """
    from nvcfplan.frontends.emulation import emulator_file, existing_emulator

    with existing_emulator(arguments.place) as emulated:
        emulated.reset()
    terminal.say(f"the emulator in {emulator_file(arguments.place)} is as new")
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator show examples/stacks/quickstart

{_EXITS}
""",
)
@_place
@taking(PlaceArguments)
def show(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Prints the whole world as JSON: clusters, use, functions, deployments."""
    import json

    from nvcfplan.frontends.emulation import existing_emulator

    with existing_emulator(arguments.place) as emulated:
        terminal.report(json.dumps(emulated.snapshot(), indent=2, sort_keys=True))
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator ledger examples/stacks/quickstart

{_EXITS}
""",
)
@_place
@output_options
@taking(PlaceArguments)
def ledger(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Prints every demand for GPUs: served at once, kept waiting, refused, never served.

    A plan that fits is never refused nor kept waiting, so this is where to check one.
    """
    from nvcfplan.frontends.emulation import existing_emulator
    from nvcfplan.frontends.emulator_views import ledger_json, ledger_text

    with existing_emulator(arguments.place) as emulated:
        entries = emulated.ledger()
    terminal.report(ledger_json(entries) if terminal.wants_json else ledger_text(entries))
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator events examples/stacks/quickstart

{_EXITS}
""",
)
@_place
@output_options
@taking(PlaceArguments)
def events(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Prints what happened in the emulated account, oldest first."""
    from nvcfplan.frontends.emulation import existing_emulator
    from nvcfplan.frontends.emulator_views import events_json, events_text

    with existing_emulator(arguments.place) as emulated:
        found = emulated.events()
    terminal.report(events_json(found) if terminal.wants_json else events_text(found))
    return 0


@click.command(
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator advance 20m examples/stacks/quickstart

{_EXITS}
""",
)
@click.argument("duration", callback=_duration)
@_place
@taking(AdvanceArguments)
def advance(terminal: Terminal, arguments: AdvanceArguments) -> int:
    """Lets virtual time pass: instances start, released GPUs show up, requests expire."""
    from nvcfplan.frontends.emulation import existing_emulator

    with existing_emulator(arguments.place) as emulated:
        emulated.advance(arguments.duration.total_seconds())
        now = emulated.clock.now()
    terminal.say(f"it is {now.isoformat(timespec='seconds')} now")
    return 0


@click.command(
    cls=TeachingCommand,
    epilog="""
Example:
  nvcfplan emulator grab byoc-cluster-1/L40S 4 examples/stacks/quickstart

Exit codes: 0; 1 when so many are not free.
""",
)
@_tenant_arguments
@taking(TenantArguments)
def grab(terminal: Terminal, arguments: TenantArguments) -> int:
    """Another tenant takes GPUs of a pool at once."""
    from nvcfplan.frontends.emulation import existing_emulator

    (cluster, gpu), gpus, tenant = arguments.pool, arguments.gpus, arguments.tenant
    with existing_emulator(arguments.place) as emulated:
        emulated.grab(cluster, gpu, gpus, tenant=tenant)
    terminal.say(f"{tenant} took {gpus} {gpu} in {cluster}")
    return 0


@click.command(
    "give-back",
    cls=TeachingCommand,
    epilog="""
Example:
  nvcfplan emulator give-back byoc-cluster-1/L40S 4 examples/stacks/quickstart

Exit codes: 0; 1 when the tenant holds fewer.
""",
)
@_tenant_arguments
@taking(TenantArguments)
def give_back(terminal: Terminal, arguments: TenantArguments) -> int:
    """Another tenant returns GPUs that it grabbed."""
    from nvcfplan.frontends.emulation import existing_emulator

    (cluster, gpu), gpus, tenant = arguments.pool, arguments.gpus, arguments.tenant
    with existing_emulator(arguments.place) as emulated:
        emulated.give_back(cluster, gpu, gpus, tenant=tenant)
    terminal.say(f"{tenant} returned {gpus} {gpu} in {cluster}")
    return 0


@click.command(
    cls=TeachingCommand,
    epilog="""
KIND: capacity-sync, capacity-async, grab, pause, kill, answer, drop-reply.
ROUTE: the request it meets: deploy, create-function, create-version, undeploy,
update-specification, delete-version, metadata, ..., any.
NAME=VALUE, as in a world file: function, nth, every, when, seconds, cluster,
gpu, gpus, tenant, status, body, instanceType.

Examples:
  nvcfplan emulator fault grab deploy -set function=chat \\
      -set cluster=byoc-cluster-1 -set gpu=L40S examples/stacks/quickstart
  nvcfplan emulator fault answer create-function -set status=503 .

Exit codes: 0; 1 when the fault could never act.
""",
)
@click.argument("kind")
@click.argument("route")
@_place
@option(
    "set", "details", multiple=True, metavar="NAME=VALUE", callback=_details,
    help="A detail of the fault; may be repeated.",
)  # fmt: skip
@taking(FaultArguments)
def fault(terminal: Terminal, arguments: FaultArguments) -> int:
    """Scripts a failure for a request to come."""
    from nvcfplan.frontends.emulation import existing_emulator, fault_from

    stated = {"kind": arguments.kind, "route": arguments.route, **dict(arguments.details)}
    with existing_emulator(arguments.place) as emulated:
        emulated.add_fault(fault_from(stated))
    terminal.say(f"the next such request meets it: {arguments.kind} on {arguments.route}")
    return 0
