"""`nvcfplan emulator grab|give-back|fault`: what other tenants and failures do to the account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nvcfplan.frontends.click_parts import Entry, F, LazyGroup, Section, TeachingCommand, option
from nvcfplan.frontends.commands.emulator import EXITS, PlaceArguments, place_argument
from nvcfplan.frontends.options import output_options, taking, usage_error

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal

_HERE: Final = "nvcfplan.frontends.commands.emulator_trouble"

fault = LazyGroup(
    name="fault",
    help="""
Failures in store for requests to come: each waits for the requests it is meant
for, acts, and is over.
""",
    epilog="""
Example:
  nvcfplan emulator fault add answer create-function -set status=503 .
  nvcfplan emulator fault list .
""",
    sections=(
        Section(
            "Commands",
            (
                Entry("add", f"{_HERE}:add", "Script one, or those of a file"),
                Entry("list", f"{_HERE}:list_faults", "What is in store, and what is over"),
                Entry("clear", f"{_HERE}:clear", "Forget some, or all"),
            ),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class TenantArguments(PlaceArguments):
    """`pool`: the cluster and the name of the GPU."""

    pool: tuple[str, str]
    gpus: int
    tenant: str


@dataclass(frozen=True, kw_only=True)
class AddArguments:
    """`words`: kind, route and place, or with a `file` of faults the place alone.

    `details`: what else the fault says, in the words of a world file.
    """

    words: tuple[str, ...]
    details: tuple[tuple[str, object], ...]
    file: Path | None


@dataclass(frozen=True, kw_only=True)
class ClearArguments(PlaceArguments):
    """`numbers`: as the list has them; empty: all."""

    numbers: tuple[int, ...]


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
        found.append((name, _scalar(value)))
    return tuple(found)


def _scalar(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text


def _tenant_arguments(function: F) -> F:
    for decorate in (
        option("tenant", default="other", metavar="NAME", help="Who it is.  [default: other]"),
        place_argument,
        click.argument("gpus", type=click.IntRange(min=1)),
        click.argument("pool", metavar="CLUSTER/GPU", callback=_pool),
    ):
        function = decorate(function)
    return function


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
    from nvcfplan.frontends.emulation import operated

    (cluster, gpu), gpus, tenant = arguments.pool, arguments.gpus, arguments.tenant
    with operated(arguments.place, terminal.environment) as emulated:
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
    from nvcfplan.frontends.emulation import operated

    (cluster, gpu), gpus, tenant = arguments.pool, arguments.gpus, arguments.tenant
    with operated(arguments.place, terminal.environment) as emulated:
        emulated.give_back(cluster, gpu, gpus, tenant=tenant)
    terminal.say(f"{tenant} returned {gpus} {gpu} in {cluster}")
    return 0


@click.command(
    cls=TeachingCommand,
    epilog="""
KIND: capacity-sync, capacity-async, break, lose, grab, pause, stuck, kill,
answer, garble, drop-reply, cut-reply, late, duplicate.
ROUTE: the request it meets: deploy, create-function, create-version, undeploy,
update-specification, delete-version, metadata, ..., any.
NAME=VALUE, as in a world file. Which requests: function, nth, count, every,
from, until. What it does: when, seconds, instanceType, failure, silent,
instances, cluster, gpu, gpus, tenant, status, retryAfter, body, text.
FILE, YAML or JSON: one fault, a list of them, or a list under `faults`.

Examples:
  nvcfplan emulator fault add grab deploy -set function=chat \\
      -set cluster=byoc-cluster-1 -set gpu=L40S examples/stacks/quickstart
  nvcfplan emulator fault add answer create-function -set status=503 .
  nvcfplan emulator fault add -file=faults.yaml http://127.0.0.1:8080

Exit codes: 0; 1 when a fault could never act: then none is added.
""",
)
@click.argument("words", nargs=-1, metavar="[KIND ROUTE] [PLACE]")
@option(
    "set", "details", multiple=True, metavar="NAME=VALUE", callback=_details,
    help="A detail of the fault; may be repeated.",
)  # fmt: skip
@option(
    "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Faults as a world file has them, in place of KIND and ROUTE.",
)  # fmt: skip
@taking(AddArguments)
def add(terminal: Terminal, arguments: AddArguments) -> int:
    """Scripts failures for requests to come."""
    from nvcfplan.frontends.emulation import fault_from, faults_in, operated

    least = 0 if arguments.file is not None else 2
    if not least <= len(arguments.words) <= least + 1:
        raise usage_error("give KIND and ROUTE, or -file, and at most one PLACE.")
    place = arguments.words[least] if len(arguments.words) > least else "."
    if arguments.file is None:
        stated = {"kind": arguments.words[0], "route": arguments.words[1]}
        faults = [fault_from({**stated, **dict(arguments.details)})]
    elif arguments.details:
        raise usage_error("-set is for the fault given by KIND and ROUTE, not for those of a file.")
    else:
        faults = faults_in(arguments.file)
    with operated(place, terminal.environment) as emulated:
        for one in faults:
            emulated.add_fault(one)
    for one in faults:
        terminal.say(f"in store: {one.kind} on {one.route}")
    return 0


@click.command(
    "list",
    cls=TeachingCommand,
    epilog=f"""
Example:
  nvcfplan emulator fault list examples/stacks/quickstart

{EXITS}
""",
)
@place_argument
@output_options
@taking(PlaceArguments)
def list_faults(terminal: Terminal, arguments: PlaceArguments) -> int:
    """Prints the faults by number: how many requests each has met, and which are over."""
    from nvcfplan.frontends.emulation import operated
    from nvcfplan.frontends.emulator_views import faults_json, faults_lines

    with operated(arguments.place, terminal.environment) as emulated:
        faults = emulated.overview().faults
    if terminal.wants_json:
        terminal.report(faults_json(faults))
    else:
        terminal.report("\n".join(faults_lines(faults)) or "no fault is in store")
    return 0


@click.command(
    cls=TeachingCommand,
    epilog="""
Example:
  nvcfplan emulator fault clear -number=2 examples/stacks/quickstart

Exit codes: 0; 1 when there is no fault of that number: then none is cleared.
""",
)
@place_argument
@option(
    "number", "numbers", multiple=True, type=click.IntRange(min=1), metavar="N",
    help="As the list has it; may be repeated.  [default: all]",
)  # fmt: skip
@taking(ClearArguments)
def clear(terminal: Terminal, arguments: ClearArguments) -> int:
    """Forgets faults, whether they have acted or not. What they did stays done."""
    from nvcfplan.frontends.emulation import operated

    with operated(arguments.place, terminal.environment) as emulated:
        count = emulated.clear_faults(arguments.numbers)
    terminal.say(f"{count} {'fault' if count == 1 else 'faults'} cleared")
    return 0
