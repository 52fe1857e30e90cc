"""A watch over many stacks for most of a day: outages, bursts of 429, and kills."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import tracemalloc
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.client import Allowance, Client
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.adapters.settings.secrets import LocalSecrets
from nvcfplan.drifting import Rota
from nvcfplan.model import AccountIdentity
from nvcfplan.reports import LookOutcome
from nvcfplan.workflows import (
    DriftRequest,
    Look,
    LookPorts,
    OneReading,
    Post,
    Telling,
    Watch,
    look_at_each,
    scope_of,
    tell_channels,
    watch,
)
from tests.budget import examples
from tests.fakes import MemoryStore
from tests.rehearsal import KEY
from tests.watching.fleet import Fleet, Weather, fleet, outages
from tests.workflows.channels import FakeChannel

if TYPE_CHECKING:
    from nvcfplan.drifting import Notice
    from nvcfplan.reports import DriftReport, RoundReport
    from nvcfplan.workflows import Tick

EVERY = 900.0
HOUR = 3_600.0
STACKS = 500 if examples(10_000) == 10_000 else 25
HOURS = 24 if STACKS == 500 else 16
BUDGET = 40
"""Requests of a look: five, and room for the repetitions of a bad hour."""
PATIENCE = 300.0
"""How long a look may go on to ask while it is told to slow down."""


class Receiver(FakeChannel):
    """Keeps of each notice no more than it has to, as its own memory must not look like ours."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = []

    async def tell(self, notice: Notice, report: DriftReport) -> None:
        try:
            await super().tell(notice, report)
        finally:
            for one in self.heard:
                appeared, cleared = (
                    tuple(_copied(found.fingerprint) for found in some)
                    for some in (one.appeared, one.cleared)
                )
                self.told.append((_copied(one.id), _copied(one.stack), appeared, cleared))
            self.heard.clear()


def _copied(text: str) -> str:
    """One that is counted as this file's."""
    return "".join(list(text))


@dataclass
class Life(Post):
    """One account that is watched. `seen`: of each stack, when it was looked at, in seconds."""

    fleet: Fleet
    weather: Weather
    throw: random.Random
    channel: Receiver = field(default_factory=Receiver)
    store: MemoryStore = field(default_factory=MemoryStore)
    seen: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    outcomes: Counter[str] = field(default_factory=Counter)
    is_calm: bool = False

    @property
    def name(self) -> str:
        return "acme"

    async def look(self) -> RoundReport:
        self._befall()
        emulator = self.fleet.emulator
        base = emulator.base_url.removesuffix("/v2/nvcf")
        target = Target(
            base_url=f"{base}/v2/orgs/{emulator.org}/nvcf",
            token=KEY,
            org=emulator.org,
            nca_id=emulator.nca_id,
        )
        allowance = Allowance(BUDGET)
        client = Client(target, clock=emulator.clock, transport=self.weather, allowance=allowance)
        async with client:
            ports = LookPorts(
                identity=AccountIdentity(
                    endpoint=target.root, org=target.org, nca_id=target.nca_id
                ),
                reader=OneReading(NvcfReader(client)),
                store=self.store,
                secrets=LocalSecrets({}, stack={}, root=Path()),
                clock=emulator.clock,
            )
            looks = [
                Look(label=one.name, request=DriftRequest(stack=one), ports=ports)
                for one in self.fleet.stacks
            ]
            return await look_at_each(
                looks, self._told, began=emulator.clock.now(), requests=lambda: allowance.spent
            )

    async def _told(self, report: DriftReport, look: Look) -> DriftReport:
        telling = Telling(channels=(self.channel,))
        scope = scope_of(look.request.stack)
        deliveries = await tell_channels(report, scope, self.store, telling)
        self.seen[look.label].append(self.fleet.emulator.clock.monotonic())
        self.outcomes[report.outcome.value] += 1
        self.outcomes["undelivered"] += sum(one.failure is not None for one in deliveries)
        return report

    def _befall(self) -> None:
        """Others edit; the network, the channel and our own process have their troubles."""
        if self.is_calm:
            self.weather.bursts, self.weather.dies, self.channel.is_down = 0, None, False
            self.channel.is_mute = self.channel.kills = False
            return
        for stack in self.throw.sample(self.fleet.stacks, 2):
            self.fleet.edit(stack.name)
        self.weather.bursts = self.throw.choice([0, 0, 0, 3, 8])
        self.weather.dies = self.throw.choice([None] * 12 + [self.throw.randrange(5)])
        self.channel.is_down = self.throw.random() < 0.1
        self.channel.is_mute = self.throw.random() < 0.1
        self.channel.kills = self.throw.random() < 0.1


def test_nothing_is_missed_told_twice_or_hoarded() -> None:
    throw = random.Random("a long watch")
    watched = fleet(STACKS)
    start = watched.emulator.clock.monotonic()
    end = start + HOURS * HOUR
    gone = tuple((start + one, start + two) for one, two in outages(throw, HOURS * HOUR))
    life = Life(watched, Weather(watched, gone), throw)
    ticks: list[tuple[int, int]] = []
    traced: list[int] = []
    deaths = 0

    def heard(tick: Tick) -> None:
        ticks.append((tick.report.requests, tick.missed))
        now = watched.emulator.clock.monotonic()
        if not tracemalloc.is_tracing() and now > start + 3 * HOUR:
            tracemalloc.start()
        if now > start + 4 * HOUR and not traced:
            traced.append(_ours())
        if now > end:
            stop.set()

    while watched.emulator.clock.monotonic() <= end:
        stop = asyncio.Event()
        settings = Watch(
            rota=Rota(every=EVERY),
            clock=watched.emulator.clock,
            chance=throw.random,
            heard=heard,
            grace=60.0,
        )
        with suppress(BaseExceptionGroup):
            asyncio.run(_until_killed(life, settings, stop))
            continue
        deaths += 1
    traced.append(_ours())
    tracemalloc.stop()

    assert life.outcomes[LookOutcome.DRIFTED.value] > 0
    assert life.outcomes["undelivered"] > 0
    assert deaths > 0
    assert gone
    assert all(requests <= BUDGET for requests, _ in ticks)
    _nothing_missed(life, gone, start, end)
    _calm(life, throw)
    _told_once(life)
    assert traced[1] <= traced[0] * 1.25 + 200_000, traced


async def _until_killed(life: Life, settings: Watch, stop: asyncio.Event) -> None:
    await watch((life,), settings, stop)


def _nothing_missed(
    life: Life, gone: tuple[tuple[float, float], ...], start: float, end: float
) -> None:
    """Between two looks there is no more than an interval, what an outage took, and the patience
    with which a look asks on. A kill is followed by a look at once."""
    for stack in life.fleet.stacks:
        times = [start, *life.seen[stack.name], end]
        for before, after in itertools.pairwise(times):
            lost = sum(max(0.0, min(after, two + EVERY) - max(before, one)) for one, two in gone)
            assert after - before <= EVERY * 1.05 + lost + PATIENCE, (stack.name, before, after)


def _calm(life: Life, throw: random.Random) -> None:
    """All troubles are over: a few looks more."""
    life.is_calm, life.weather.outages = True, ()
    stop, left = asyncio.Event(), [3]

    def heard(tick: Tick) -> None:
        left[0] -= 1
        assert not tick.report.failed, tick.report.failed[0]
        if not left[0]:
            stop.set()

    clock = life.fleet.emulator.clock
    settings = Watch(
        rota=Rota(every=EVERY), clock=clock, chance=throw.random, heard=heard, grace=60.0
    )
    asyncio.run(watch((life,), settings, stop))


def _told_once(life: Life) -> None:
    """A receiver that drops repetitions by their id hears of each change once, and of every one
    that lasts."""
    believed: defaultdict[str, set[str]] = defaultdict(set)
    ids: set[str] = set()
    for number, (id_, stack, appeared, cleared) in enumerate(life.channel.told):
        if id_ in ids:
            continue
        ids.add(id_)
        assert not believed[stack] & set(appeared), number
        assert believed[stack] >= set(cleared), number
        believed[stack] = (believed[stack] | set(appeared)) - set(cleared)
    assert {name for name, some in believed.items() if some} == life.fleet.edited


def _ours() -> int:
    """Bytes that are held and were not allocated by the emulated account itself."""
    gc.collect()
    found = tracemalloc.take_snapshot().filter_traces(
        (
            tracemalloc.Filter(inclusive=False, filename_pattern="*/emulator/*"),
            tracemalloc.Filter(inclusive=False, filename_pattern="*/tests/*"),
            tracemalloc.Filter(inclusive=False, filename_pattern="*tracemalloc.py"),
        )
    )
    return sum(one.size for one in found.statistics("filename"))
