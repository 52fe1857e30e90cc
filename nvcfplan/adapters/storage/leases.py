"""Who holds a stack on this machine, and whether that process still lives."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nvcfplan.applying import Errand, LeaseSeen
from nvcfplan.errors import StoreError
from nvcfplan.model import Token

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """`machine` tells hosts, boots and containers apart; `started` tells reused ids apart."""

    machine: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Process:
        pid = os.getpid()
        return cls(machine=_machine(), pid=pid, started=_started(pid) or "")

    def is_known_dead(self) -> bool:
        """False also where it cannot be known: on another machine."""
        if self.machine != _machine():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        fields = _kernel_fields(self.pid)
        if fields[:1] in (["Z"], ["X"]):
            return True
        started = _started(self.pid)
        return bool(self.started and started and started != self.started)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """As it stands in the file. `since` is ISO-8601, shown and never compared.

    `heartbeat` counts renewals: a lease whose count stands still is not being kept up.
    """

    epoch: int
    owner: str
    token: str
    since: str
    ttl_seconds: int
    process: Process
    heartbeat: int = 0
    errand: Errand = field(default_factory=Errand)

    def encode(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode("utf-8") + b"\n"

    @property
    def holder(self) -> str:
        return f"{self.owner} (process {self.process.pid})"

    def seen(self) -> LeaseSeen:
        return LeaseSeen(
            epoch=self.epoch,
            holder=self.holder,
            since=self.since,
            ttl_seconds=self.ttl_seconds,
            heartbeat=self.heartbeat,
            is_dead=self.process.is_known_dead(),
            errand=self.errand,
            token=Token(self.token),
        )


def decode_lease(content: bytes, path: Path) -> LeaseRecord:
    """Raises: StoreError."""
    try:
        fields = json.loads(content)
        process, errand = Process(**fields.pop("process")), Errand(**fields.pop("errand", {}))
        record = LeaseRecord(**fields, process=process, errand=errand)
        numbers = (record.epoch, record.heartbeat, record.ttl_seconds, record.process.pid)
        texts = (record.owner, record.token, record.since, record.process.machine)
        told = (record.errand.operation, record.errand.tool_version, record.errand.link)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _unreadable(path) from None
    if not all(type(one) is int for one in numbers) or not all(
        isinstance(one, str) for one in (*texts, *told)
    ):
        raise _unreadable(path)
    return record


def _unreadable(path: Path) -> StoreError:
    return StoreError(
        f"{path} does not read",
        detail="it says who holds the stack, so nobody can be given it",
        remedy=f"when no other nvcfplan is at work on this stack, remove {path}",
    )


def _machine() -> str:
    """Host, boot and container: process ids mean something only within all three."""
    boot = _text(_PROC / "sys/kernel/random/boot_id")
    try:
        space = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        space = ""
    return " ".join(filter(None, (socket.gethostname(), boot, space)))


def _started(pid: int) -> str | None:
    """The kernel's start time of a process; None where it cannot be read."""
    fields = _kernel_fields(pid)
    return fields[19] if len(fields) > 19 else None


def _kernel_fields(pid: int) -> list[str]:
    """From the state on; the name before it may hold blanks. Empty where there is no /proc."""
    return _text(_PROC / str(pid) / "stat").rpartition(")")[2].split()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
