"""From options and environment to ports: which account, as whom, where things are kept.

The one place where adapters are put together; nothing below knows which ones they are.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nvcfplan import __version__
from nvcfplan.adapters.nvcf.client import Allowance, Client
from nvcfplan.adapters.nvcf.performer import NvcfPerformer
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.nvcf.resources import ResourceReader
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.adapters.nvcf.words import KnownSecrets
from nvcfplan.adapters.settings.credentials import VARIABLES, Credential, resolve_credential
from nvcfplan.adapters.settings.endpoints import resolve_endpoint
from nvcfplan.adapters.settings.origins import commit_of, job_page
from nvcfplan.adapters.settings.secrets import LocalSecrets
from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.adapters.storage.notices import LocalBoard
from nvcfplan.applying import Clock, LiveReader, SecretSource, StateStore
from nvcfplan.diagnostics import Diagnostic
from nvcfplan.frontends.options import is_address
from nvcfplan.frontends.wall_clock import FastClock, WallClock
from nvcfplan.model import (
    AccountIdentity,
    RunId,
    Secret,
    SecretOrigin,
    SecretReference,
    is_sensitive_key,
)
from nvcfplan.workflows import Actor, LookPorts, Minted, RunPorts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from nvcfplan.adapters.settings.endpoints import Endpoint
    from nvcfplan.frontends.options import AccountArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.model import Stack

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenAccount:
    """Where to go, decided but not yet contacted. `secrets` None: those of this machine."""

    target: Target
    clock: Clock
    client: Callable[[Allowance], Client]
    keeps_state_in: Path
    known: KnownSecrets
    warnings: tuple[Diagnostic, ...] = ()
    secrets: SecretSource | None = None


def choose_account(choice: AccountArguments, root: Path, terminal: Terminal) -> ChosenAccount:
    """`root`: the directory of the stack's files, beside which state is kept.

    Raises: SettingsError.
    """
    given = terminal.environment.items()
    terminal.known.learn(*(text.strip() for name, text in given if is_sensitive_key(name)))
    if choice.emulator is not None and not is_address(choice.emulator):
        return _emulated(choice, root, terminal.known)
    endpoint = resolve_endpoint(choice.emulator or choice.endpoint, terminal.environment)
    clock = _clock_of(endpoint) if choice.emulator else WallClock()
    credential = _credential(choice, terminal.environment)
    target = Target(
        base_url=endpoint.base_url,
        token=credential.token,
        token_source=credential.source,
        looked_at=credential.looked_at,
        org=endpoint.org,
        nca_id=endpoint.nca_id,
    )
    return ChosenAccount(
        target=target,
        clock=clock,
        client=lambda allowance: Client(
            target,
            clock=WallClock(),
            listener=terminal.say,
            known=terminal.known,
            allowance=allowance,
        ),
        keeps_state_in=place_of_state(choice, root),
        known=terminal.known,
        warnings=endpoint.warnings,
    )


def _credential(choice: AccountArguments, environment: Mapping[str, str]) -> Credential:
    """An emulator may ask for a key, as the service does, or take any."""
    if choice.emulator is None or any(environment.get(one, "").strip() for one in VARIABLES):
        return resolve_credential(None, environment)
    return Credential(token=emulator_key(), source="the emulator")


def _clock_of(endpoint: Endpoint) -> Clock:
    """Asks what is served there. Raises EmulatorError: it is no emulator."""
    from nvcfplan.emulator.operating import ServedEmulator

    parts = urlsplit(endpoint.base_url)
    served = ServedEmulator(f"{parts.scheme}://{parts.netloc}", token="")
    return FastClock(served.speed)


def clock_beside(choice: AccountArguments, root: Path) -> Clock:
    """By which looks at the account go, for what is dated without going there."""
    if choice.emulator is None or is_address(choice.emulator):
        return WallClock()
    from nvcfplan.frontends.emulation import open_emulator

    return open_emulator(_emulator_path(choice.emulator, root), choice.world).clock


def place_of_state(choice: AccountArguments, root: Path) -> Path:
    """Beside the stack's files, or where several stacks share it; of a rehearsal, beside the
    emulator's file, apart from that.
    """
    shared = choice.state_dir or root
    if choice.emulator is None:
        return shared
    is_served = is_address(choice.emulator)
    path = _emulator_path(choice.emulator, shared if is_served else root)
    return path.with_name(f"{path.name}.stacks")


def _emulator_path(named: str, root: Path) -> Path:
    """Of one that is served elsewhere: where its file would be, under its address."""
    if named and not is_address(named):
        return Path(named)
    host = urlsplit(named).netloc.replace(":", "-") if named else ""
    return root / ".nvcfplan" / (f"emulator-{host}.db" if host else "emulator.db")


def _emulated(choice: AccountArguments, root: Path, known: KnownSecrets) -> ChosenAccount:
    from nvcfplan.frontends.emulation import open_emulator

    emulator = open_emulator(_emulator_path(choice.emulator or "", root), choice.world)
    emulator.ask_for_no_key()  # whoever may write its file needs none of the keys it names
    target = Target(
        base_url=emulator.base_url,
        token=emulator_key(),
        token_source="the emulator",
        org=emulator.org,
        nca_id=emulator.nca_id,
    )
    return ChosenAccount(
        target=target,
        clock=emulator.clock,
        client=lambda allowance: Client(
            target,
            clock=emulator.clock,
            transport=emulator.transport(),
            known=known,
            allowance=allowance,
        ),
        keeps_state_in=place_of_state(choice, root),
        known=known,
    )


@asynccontextmanager
async def connected(
    account: ChosenAccount, stack: Stack | None, root: Path, environment: Mapping[str, str]
) -> AsyncIterator[RunPorts]:
    """Ports on one pool of connections. `stack` None: its sensitive literals are out of reach."""
    store = LocalStore(account.keeps_state_in)
    try:
        async with account.client(Allowance()) as client:
            secrets_here = secrets_for(account, stack, root, environment)
            look = look_ports(account, NvcfReader(client), store, secrets_here)
            yield RunPorts(
                look=look,
                performer=NvcfPerformer(client, look.secrets),
                queues=ResourceReader(client),
            )
    finally:
        store.close()


def secrets_for(
    account: ChosenAccount, stack: Stack | None, root: Path, environment: Mapping[str, str]
) -> SecretSource:
    """`root`: the directory of the stack's files, within which files of secrets lie."""
    if account.secrets is not None:
        return account.secrets
    sources = LocalSecrets(
        environment, stack=_literals(stack), root=root, learn=account.known.learn
    )
    for reference in _references(stack):
        sources.resolve(reference)  # so that it is known, should the service say it
    return sources


def look_ports(
    account: ChosenAccount, reader: LiveReader, store: StateStore, secrets: SecretSource
) -> LookPorts:
    """For one stack of the account that `reader` reads."""
    target = account.target
    return LookPorts(
        identity=AccountIdentity(endpoint=target.root, org=target.org, nca_id=target.nca_id),
        reader=reader,
        store=store,
        secrets=secrets,
        clock=account.clock,
        board=LocalBoard(account.keeps_state_in),
    )


def this_actor() -> Actor:
    return Actor(name=f"{_user()}@{socket.gethostname()}", tool_version=__version__)


def acting_from(root: Path, environment: Mapping[str, str]) -> Actor:
    """With where it comes from, for the journal. `root`: the directory of the stack's files."""
    return replace(this_actor(), link=job_page(environment), commit=commit_of(root))


def mint(clock: Clock) -> Minted:
    """A run's id sorts by its time; the state's are used only where there is no state yet."""
    return Minted(
        run=_run_id(clock.now()),
        lineage=secrets.token_hex(16),
        secret_key=secrets.token_hex(32),
    )


def _run_id(now: datetime) -> RunId:
    """A ULID: 48 bits of milliseconds, 80 of chance."""
    milliseconds = int(now.astimezone(UTC).timestamp() * 1000)
    number = (milliseconds << 80) | secrets.randbits(80)
    digits = (_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))
    return RunId("".join(digits))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def emulator_key() -> Secret:
    """Any key will do there, and it never leaves the process.

    By chance, not a word: what is redacted wherever it shows must not be a word that people use.
    """
    key = secrets.token_hex(16)
    return Secret(key, SecretReference("emulator", SecretOrigin.ENV, "emulator"))


def _references(stack: Stack | None) -> Iterator[SecretReference]:
    for function in stack.functions if stack else ():
        yield from function.secrets
        for variable in function.config.container_environment:
            match variable.value:
                case SecretReference():
                    yield variable.value
                case Secret(reference=reference):
                    yield reference
                case str():
                    pass


def _literals(stack: Stack | None) -> Mapping[str, Secret]:
    """The stack's own sensitive values, by locator."""
    return {
        variable.value.reference.locator: variable.value
        for function in (stack.functions if stack else ())
        for variable in function.config.container_environment
        if isinstance(variable.value, Secret)
        and variable.value.reference.origin is SecretOrigin.STACK
    }
