"""The lease of one stack in its directory: taken, kept up, given back, broken.

Each function is called while the directory's lock is held; none takes it.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.files import (
    make_directory,
    read_file,
    replace_file,
    store_errors,
    sync_directory,
)
from nvcfplan.adapters.storage.leases import LeaseRecord, Process, decode_lease
from nvcfplan.errors import LeaseLostError, LockHeld

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nvcfplan.applying import Errand, Lease, LeaseSeen

LEASE: Final = "lease.json"
_EPOCH: Final = "epoch"
_MOST_BYTES: Final = 65_536
KEPT_BROKEN: Final = 50
"""How many broken leases stay in `history/`."""


def lease_of(directory: Path) -> LeaseRecord | None:
    path = directory / LEASE
    content = read_file(path, most_bytes=_MOST_BYTES)
    return None if content is None else decode_lease(content, path)


def take_lease(
    directory: Path, owner: str, *, since: str, ttl_seconds: int, errand: Errand
) -> LeaseRecord:
    """The epoch is durable before the lease is: no two leases ever have the same."""
    record = LeaseRecord(
        epoch=_raise_epoch(directory),
        owner=owner,
        token=secrets.token_hex(16),
        since=since,
        ttl_seconds=ttl_seconds,
        process=Process.current(),
        errand=errand,
    )
    replace_file(directory / LEASE, record.encode())
    return record


def beat(directory: Path, lease: Lease) -> None:
    """Raises: LeaseLostError."""
    record = require(directory, lease)
    replace_file(directory / LEASE, replace(record, heartbeat=record.heartbeat + 1).encode())


def give_back(directory: Path, lease: Lease) -> None:
    """Leaves alone what somebody else holds by now."""
    record = lease_of(directory)
    if record is not None and record.token == lease.token:
        _remove(directory)


def break_lease(directory: Path, seen: LeaseSeen, *, by: str, at: str) -> None:
    """What was broken, by whom and when, is kept: its holder may come back and ask.

    Raises: LockHeld, when it is another lease than was seen.
    """
    record = lease_of(directory)
    if record is None:
        return
    if record.token != seen.token:
        raise lock_held(directory, record)
    _raise_epoch(directory)
    broken = asdict(record) | {"broken_by": by, "broken_at": at}
    history = directory / "history"
    make_directory(history)
    content = json.dumps(broken, sort_keys=True, indent=1).encode("utf-8") + b"\n"
    replace_file(_broken_path(directory, record.epoch), content)
    _remove(directory)
    with store_errors(history, "write"):
        for old in sorted(history.glob("lease-*.json"))[:-KEPT_BROKEN]:
            old.unlink(missing_ok=True)


def refuse_held(directory: Path) -> None:
    """Raises: LockHeld, but not of a process that is known to be dead."""
    record = lease_of(directory)
    if record is not None and not record.process.is_known_dead():
        raise lock_held(directory, record)


def lock_held(directory: Path, record: LeaseRecord) -> LockHeld:
    link = f", see {record.errand.link}" if record.errand.link else ""
    return LockHeld(
        f"{directory.name} is held by another run",
        holder=record.holder,
        since=record.since,
        epoch=record.epoch,
        remedy=f"wait until it has ended{link} (-lock-timeout=10m waits for you); if it never"
        " will, `nvcfplan unlock` looks whether it still lives and takes the lease away",
    )


def require(directory: Path, lease: Lease) -> LeaseRecord:
    """Raises: LeaseLostError, unless `lease` is the one that holds the stack."""
    record = lease_of(directory)
    if record is not None and record.token == lease.token:
        return record
    broken = _broken(directory, lease.epoch)
    told = f"broken by {broken.get('broken_by')} at {broken.get('broken_at')}, " if broken else ""
    holder = record.holder if record else "nobody"
    raise LeaseLostError(
        f"the lease of {lease.stack} is no longer ours: {told}held by {holder}",
        detail=f"ours was epoch {lease.epoch}",
        remedy="nothing more is sent; see how things stand with `nvcfplan resume`",
    )


def last_epoch(directory: Path) -> int:
    """Kept beside the lease, so that it rises even when somebody removed that by hand."""
    content = read_file(directory / _EPOCH, most_bytes=64) or b"0"
    written = int(content) if content.strip().isdigit() else 0
    record = lease_of(directory)
    return max(written, record.epoch if record else 0)


def _raise_epoch(directory: Path) -> int:
    epoch = last_epoch(directory) + 1
    replace_file(directory / _EPOCH, b"%d\n" % epoch)
    return epoch


def _remove(directory: Path) -> None:
    path = directory / LEASE
    with store_errors(path, "remove"):
        path.unlink(missing_ok=True)
        sync_directory(directory)


def _broken_path(directory: Path, epoch: int) -> Path:
    return directory / "history" / f"lease-{epoch:08d}.json"


def _broken(directory: Path, epoch: int) -> Mapping[str, object]:
    """Empty, too, where it does not read: it only explains."""
    content = read_file(_broken_path(directory, epoch), most_bytes=_MOST_BYTES)
    try:
        found: object = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
