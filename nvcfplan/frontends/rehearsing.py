"""An emulated account to carry a plan out in; where the process is killed there, copies of it.

A kill is told to the rehearsal instead of the operating system: what it would have left behind is
gone on with from one copy, and undone from another.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.adapters.nvcf.words import KnownSecrets
from nvcfplan.applying import SecretSource
from nvcfplan.emulator.rules import Trouble
from nvcfplan.emulator.serving import Emulator
from nvcfplan.frontends.assembly import ChosenAccount, emulator_key
from nvcfplan.frontends.rehearsal import STAND_IN, set_up
from nvcfplan.model import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.emulator.serving import Fault
    from nvcfplan.frontends.rehearsal import Scene
    from nvcfplan.model import SecretReference

_FILE: Final = "account.db"


class Killed(BaseException):
    """The process would be dead here, so nothing in between may take it for an error."""


class StandIn(SecretSource):
    """A word for every secret: a rehearsal needs none, and looks none up."""

    def resolve(self, reference: SecretReference) -> Secret:
        return Secret(STAND_IN, reference)

    def fingerprint(self, reference: SecretReference, key: bytes) -> None:
        """None of a value that nobody will ever compare."""
        del reference, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`target`: the account by name. `directory`: what is remembered there, and a copied account's
    file.
    """

    target: Target
    known: KnownSecrets
    directory: Path


@contextmanager
def rehearsed(place: Place, scene: Scene, faults: Sequence[Fault]) -> Iterator[ChosenAccount]:
    """The same account by name, in this process: what is sent there goes nowhere else.

    It lies in a file where it may have to be copied. Raises, inside: Killed.
    """
    is_mortal = any(one.kind is Trouble.KILL for one in faults)
    emulator = set_up(scene, faults, place.directory / _FILE if is_mortal else None)
    yield from _opened(place, emulator)


@contextmanager
def copied(place: Place, name: str) -> Iterator[ChosenAccount]:
    """As it is now, again: neither knows of the other. Raises, inside: Killed."""
    elsewhere = place.directory.with_name(name)
    shutil.copytree(place.directory, elsewhere)
    emulator = Emulator.open(elsewhere / _FILE, None)
    yield from _opened(replace(place, directory=elsewhere), emulator)


def is_killed(error: BaseException) -> bool:
    """Alone or among others that its end brought about."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(Killed) is not None
    return isinstance(error, Killed)


def _opened(place: Place, emulator: Emulator) -> Iterator[ChosenAccount]:
    target = replace(place.target, token=emulator_key(), token_source="the emulator")
    emulator.ask_for_no_key()
    emulator.die = _die
    try:
        yield ChosenAccount(
            target=target,
            clock=emulator.clock,
            client=lambda allowance: Client(
                target,
                clock=emulator.clock,
                transport=emulator.transport(),
                known=place.known,
                allowance=allowance,
            ),
            keeps_state_in=place.directory,
            known=place.known,
            secrets=StandIn(),
        )
    finally:
        emulator.close()


def _die() -> NoReturn:
    raise Killed
