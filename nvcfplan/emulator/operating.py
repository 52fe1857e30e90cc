"""What whoever runs an emulator can do to it: here, or from outside to one that is served."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from nvcfplan.emulator.admin import PREFIX
from nvcfplan.emulator.codec import reader_of
from nvcfplan.emulator.ledger import LedgerEntry
from nvcfplan.emulator.overview import Overview, stated
from nvcfplan.emulator.refusals import EmulatorError
from nvcfplan.emulator.world import Event

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from urllib.parse import SplitResult

    from nvcfplan.emulator.rules import Fault

T = TypeVar("T")

_PATIENCE_SECONDS = 60.0
_NO_KEY = (401, 403)


class Operated(Protocol):
    """All of it raises EmulatorError when it cannot be."""

    def advance(self, seconds: float) -> datetime:
        """What time it is then."""
        ...

    def grab(self, cluster: str, gpu: str, gpus: int, *, tenant: str) -> None: ...

    def give_back(self, cluster: str, gpu: str, gpus: int, *, tenant: str) -> None: ...

    def add_fault(self, fault: Fault) -> None: ...

    def clear_faults(self, numbers: Sequence[int]) -> int:
        """Those of the overview; without any number, all. How many there were."""
        ...

    def ledger(self) -> tuple[LedgerEntry, ...]: ...

    def events(self) -> tuple[Event, ...]: ...

    def overview(self) -> Overview: ...

    def snapshot(self) -> dict[str, object]: ...

    def reset(self) -> None: ...


class ServedEmulator:
    """At an address. It is asked first whether it is one: NVCF itself must not be meddled with.

    `speed`: of its clock, seconds for each real one.
    """

    def __init__(self, address: str, *, token: str) -> None:
        """Raises EmulatorError: nobody answers there, or no emulator."""
        self._address = address
        self._token = token
        self._split = _split(address)
        content = self._exchange("GET", "/health")[1]
        if content.get("emulator") is not True:
            raise self._error("what answers there is no emulator", "name the address of one")
        self.speed = self._read(float, content.get("speed"))

    def advance(self, seconds: float) -> datetime:
        left = seconds
        while True:
            content = self._call("POST", "advance", {"seconds": left})
            left = self._read(float, content.get("left"))
            if left <= 0:
                return self._read(datetime, content.get("now"))

    def grab(self, cluster: str, gpu: str, gpus: int, *, tenant: str) -> None:
        body = {"cluster": cluster, "gpu": gpu, "gpus": gpus, "tenant": tenant}
        self._call("POST", "grab", body)

    def give_back(self, cluster: str, gpu: str, gpus: int, *, tenant: str) -> None:
        body = {"cluster": cluster, "gpu": gpu, "gpus": gpus, "tenant": tenant}
        self._call("POST", "give-back", body)

    def add_fault(self, fault: Fault) -> None:
        self._call("POST", "fault", stated(fault))

    def clear_faults(self, numbers: Sequence[int]) -> int:
        content = self._call("POST", "clear-faults", {"numbers": list(numbers)})
        return self._read(int, content.get("cleared"))

    def ledger(self) -> tuple[LedgerEntry, ...]:
        return self._read(tuple[LedgerEntry, ...], self._call("GET", "ledger").get("ledger"))

    def events(self) -> tuple[Event, ...]:
        return self._read(tuple[Event, ...], self._call("GET", "events").get("events"))

    def overview(self) -> Overview:
        return self._read(Overview, self._call("GET", "overview"))

    def snapshot(self) -> dict[str, object]:
        return self._call("GET", "snapshot")

    def reset(self) -> None:
        self._call("POST", "reset")

    def _read(self, kind: type[T], value: object) -> T:
        try:
            return cast("T", reader_of(cast("Hashable", kind))(value))
        except (ValueError, TypeError, KeyError) as error:
            raise self._error(
                f"its answer does not read: {error}", "use the version that serves it"
            ) from error

    def _call(self, method: str, word: str, body: object = None) -> dict[str, object]:
        status, content = self._exchange(method, PREFIX + word, body)
        if status in _NO_KEY:
            raise self._error(
                "it asks for a key",
                "export NVCF_TOKEN or NGC_API_KEY: a key of its world that may do everything",
            )
        if status >= 400:
            detail = str(content.get("detail") or f"HTTP status {status}")
            raise EmulatorError(detail, remedy="see what `nvcfplan emulator show` shows")
        return content

    def _exchange(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, dict[str, object]]:
        is_safe = self._split.scheme == "https"
        kind = http.client.HTTPSConnection if is_safe else http.client.HTTPConnection
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection = kind(self._split.hostname or "", self._split.port, timeout=_PATIENCE_SECONDS)
        with closing(connection):
            try:
                connection.request(method, path, json.dumps(body or {}), headers)
                answer = connection.getresponse()
                content: object = json.loads(answer.read() or b"{}")
            except (OSError, http.client.HTTPException) as error:
                raise self._error(
                    f"it cannot be reached: {error or type(error).__name__}",
                    "start it with `nvcfplan emulator serve`, or name its file",
                ) from error
            except ValueError as error:
                raise self._error("its answer is no JSON", "name the address of one") from error
        return answer.status, content if isinstance(content, dict) else {}

    def _error(self, detail: str, remedy: str) -> EmulatorError:
        return EmulatorError(
            f"the emulator at {self._address} cannot be used", detail=detail, remedy=remedy
        )


def _split(address: str) -> SplitResult:
    """Raises EmulatorError for what is not the address of a server."""
    try:
        found = urlsplit(address)
        is_whole = bool(found.hostname) and (found.port is None or found.port > 0)
    except ValueError:
        is_whole = False
    holds_more = "@" in address or "?" in address
    if not is_whole or holds_more or found.path.strip("/"):
        shown = "this" if holds_more else address  # it may hold a password
        raise EmulatorError(
            f"{shown} is not the address of an emulator",
            remedy="write it as http://127.0.0.1:8080",
        )
    return found
