"""A trace and its replay: what the client sends, and how it reads what comes back."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import yaml
from pydantic import BaseModel, ConfigDict

from tests.traces.gojson import Struct, decode, find

if TYPE_CHECKING:
    import httpx2

TRACES = Path(__file__).parent

_OPERATOR = {"Authorization": "Bearer traces.operator"}

Json = dict[str, object]


class Written(BaseModel):
    """Part of a file: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Client(Written):
    """`functions`: those of its source that send a request; a trace must replay each.

    `is_error_parsed`: an error is shown as `statusDescription`, else `detail`; or the body whole.
    """

    source: str
    headers: dict[str, str]
    functions: tuple[str, ...]
    structs: dict[str, Struct]
    is_error_parsed: bool


class Poll(Written):
    """Asks again `every` so many seconds while `path` is one of `during`, `most` seconds long.

    The client's own rule: without `during` it asks on whatever it sees but `until`.
    """

    path: str
    until: tuple[str, ...]
    during: tuple[str, ...] = ()
    every: int
    most: int


class Step(Written):
    """`sends`: method and path. `source`: file and functions of the client that send it.

    `reads`: the struct it decodes a good answer into; `sees`: paths in it and what they hold.
    `shows`: text in what it shows of a refusal; `empty`: there is no body. `keep`: name -> path
    of what later steps name.
    `world`: instead of a request, what happens meanwhile: an admin call and its body.
    """

    sends: str = ""
    source: str = ""
    key: str = ""
    body: object = None
    status: int = 200
    reads: str = ""
    sees: Json = {}
    shows: str = ""
    empty: bool = False
    keep: dict[str, str] = {}
    poll: Poll | None = None
    world: Json = {}


class Trace(Written):
    """`name`: the client's folder and the file."""

    name: str
    story: str
    client: Client
    steps: tuple[Step, ...]


@cache
def client(folder: str) -> Client:
    return Client.model_validate(_yaml(TRACES / folder / "client.yaml"))


def names() -> list[str]:
    paths = sorted(TRACES.glob("*/*.yaml"))
    return [f"{one.parent.name}/{one.stem}" for one in paths if one.name != "client.yaml"]


@cache
def trace(name: str) -> Trace:
    content = _yaml(TRACES / f"{name}.yaml")
    return Trace.model_validate({**content, "name": name, "client": client(name.split("/")[0])})


def _yaml(path: Path) -> Json:
    return cast("Json", yaml.safe_load(path.read_text(encoding="utf-8")))


class Replay:
    """One run of a trace over a client that has the emulator's base URL."""

    def __init__(self, trace: Trace, http: httpx2.AsyncClient) -> None:
        self._client = trace.client
        self._http = http
        self._kept: dict[str, str] = {}

    async def run(self, trace: Trace) -> None:
        for number, step in enumerate(trace.steps, 1):
            try:
                await self._run(step)
            except AssertionError as error:
                what = step.sends or json.dumps(step.world)
                raise AssertionError(f"{trace.name}, step {number}, {what}: {error}") from error

    async def _run(self, step: Step) -> None:
        for call, body in step.world.items():
            await self._tell(call, self._filled(body))
        if step.sends:
            answer = await self._asked(step)
            assert answer.status_code == step.status, f"{answer.status_code} {answer.text}"
            self._judge(step, answer)

    async def _tell(self, call: str, body: object) -> None:
        answer = await self._http.post(f"/emulator/{call}", json=body, headers=_OPERATOR)
        assert answer.status_code == 200, answer.text

    async def _asked(self, step: Step) -> httpx2.Response:
        answer = await self._send(step)
        poll, waited = step.poll, 0
        while poll is not None:
            state = find(self._read(step, answer), poll.path)
            if state in poll.until:
                break
            assert not poll.during or state in poll.during, f"the client gives up on {state}"
            assert waited < poll.most, f"still {state} after {waited} s"
            await self._tell("advance", {"seconds": poll.every})
            waited += poll.every
            answer = await self._send(step)
        return answer

    async def _send(self, step: Step) -> httpx2.Response:
        method, _, path = self._text(step.sends).partition(" ")
        headers = dict(self._client.headers)
        if step.key:
            headers["Authorization"] = f"Bearer {step.key}"
        content = None if step.body is None else json.dumps(self._filled(step.body)).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        return await self._http.request(method, path, headers=headers, content=content)

    def _read(self, step: Step, answer: httpx2.Response) -> object:
        return decode(json.loads(answer.content), step.reads, self._client.structs)

    def _judge(self, step: Step, answer: httpx2.Response) -> None:
        assert not (step.empty and answer.content), answer.text
        if step.shows:
            shown = self._shown(answer)
            assert self._text(step.shows) in shown, shown
        if not step.reads:
            return
        seen = self._read(step, answer)
        for path, wanted in step.sees.items():
            _compare(find(seen, self._text(path)), self._filled(wanted), path)
        for name, path in step.keep.items():
            kept = find(seen, self._text(path))
            assert isinstance(kept, str), f"{path}: {kept!r} cannot be kept"
            assert kept, f"{path} is empty"
            self._kept[name] = kept

    def _shown(self, answer: httpx2.Response) -> str:
        """What the user gets to see of a refusal."""
        if not self._client.is_error_parsed:
            return answer.text
        if answer.status_code == 401:
            return "not authenticated"
        seen = decode(json.loads(answer.content), "ErrorResponse", self._client.structs)
        return str(find(seen, "requestStatus.statusDescription") or find(seen, "detail"))

    def _text(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self._kept[found[1]], text)

    def _filled(self, value: object) -> object:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        if isinstance(value, dict):
            return {key: self._filled(one) for key, one in value.items()}
        return value


def _compare(found: object, wanted: object, path: str) -> None:
    """`{matches: regex}`, `{count: n}`, or the very value."""
    match wanted:
        case {"matches": str() as pattern}:
            assert re.fullmatch(pattern, str(found)), f"{path}: {found!r} is not {pattern}"
        case {"count": int() as number}:
            assert isinstance(found, list), f"{path}: {found!r} is no list"
            assert len(found) == number, f"{path}: {len(found)} of {number}: {found}"
        case _:
            assert found == wanted, f"{path}: {found!r} is not {wanted!r}"
