"""A run of faults: load on, strike after strike, then strikes together, then the audit."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from models.taste import TasteSettings
from services.audit.app import audit
from services.audit.settings import AuditOptions, AuditSettings
from services.faults.injuries import FAULTS, LAST, SPARING, Fault, Scene
from services.faults.load import Load
from services.faults.mirror import Found, Mirror
from services.faults.options import FaultOptions
from services.faults.proxy import Proxy
from services.faults.result import Result, Row
from services.faults.usage import Sampler
from services.faults.watch import Watch
from services.faults.world import BROKER, World
from services.local.stack import LocalStack
from services.runtime import topics
from services.runtime.errors import Fatal
from services.runtime.redis_client import async_redis

WITHOUT_TOPICS_S = 3.0
WARM_S = 120.0
BREATH_S = 1.0  # of quiet load between two strikes

Say = Callable[[str], None]


class Run:
    """One run; `run` once."""

    def __init__(self, options: FaultOptions, say: Say) -> None:
        """Raises Fatal for a fault that there is none of."""
        unknown = set(options.faults) - FAULTS.keys()
        if unknown:
            raise Fatal(f"no fault {', '.join(sorted(unknown))}; there are: {', '.join(FAULTS)}")
        chosen = [fault for name, fault in FAULTS.items() if not options.faults or name in options.faults]
        chosen = [fault for fault in chosen if not (options.spare and fault.name in SPARING)]
        self._alone = [fault for fault in chosen if fault.name != LAST]
        self._last = [fault for fault in chosen if fault.name == LAST]
        self._options, self._say = options, say
        # As world.UNGUARDED has it.
        self._taste = TasteSettings() if options.guarded else TasteSettings(max_event_ids=1)
        self._result = Result(seed=options.seed, guarded=options.guarded)

    async def run(self) -> Result:
        """All of it. Raises Fatal when the system does not even start."""
        begun = time.monotonic()
        async with AsyncExitStack() as closing:
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="segue-faults-")))
            stack = LocalStack(kafka_properties=BROKER)
            await asyncio.to_thread(stack.start)
            closing.callback(stack.stop)
            proxy = await closing.enter_async_context(Proxy(stack.redis.port))
            world = World(folder, proxy, stack, not self._options.guarded)
            if self._options.logs:
                closing.callback(world.copy_logs, Path(self._options.logs))
            closing.callback(world.kill)
            world.start(self._options.rate)
            await asyncio.sleep(WITHOUT_TOPICS_S)
            await asyncio.to_thread(topics.apply, world.kafka)
            rng = Random(self._options.seed)
            load = Load(world.kafka, Random(self._options.seed), self._options.rate)
            mirror, self._watch = Mirror(world.kafka, self._taste), Watch(world.kafka)
            redis = async_redis(world.redis, retry=Retry(ConstantBackoff(0.2), 100))  # it is hurt itself now and then
            closing.push_async_callback(redis.aclose)
            self._scene = Scene(
                world, load, mirror, redis, rng, self._options.zombie_s, self._options.away_s, self._options.spare
            )
            sampler = Sampler(world)
            async with _background(
                mirror.run(), self._watch.run(), self._watch.follow(mirror.versions), world.mind(), sampler.run()
            ):
                loading = asyncio.create_task(load.run())
                try:
                    await self._strikes(begun)
                finally:
                    load.stop.set()
                await loading
                await self._final()
            self._result.crashed = sum(max(0, each.restarts - each.killed) for each in world.processes.values())
            self._result.processes = sampler.usages()
            took = await world.stop()
            self._say("ended after SIGTERM: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))
            self._result.stop_s = max(took.values())
            await self._second_opinion(history=folder / "history")
            self._result.seconds = round(time.monotonic() - begun, 1)
        return self._result

    async def _strikes(self, begun: float) -> None:
        self._say("starting without topics, until the first lists are fresh")
        await self._row(Row("topics_missing", "the topics are made after the services start", 1), WARM_S)
        for fault in self._alone * self._options.repeats:
            self._say(f"{fault.name}: {fault.about}")
            row = Row(fault.name, fault.about, 1)
            await self._row(row, self._options.recover_s, fault)
            await asyncio.sleep(BREATH_S)
        left = self._options.seconds - (time.monotonic() - begun)
        if len(self._alone) > 1 and left > self._options.every_s:
            await self._together(left)
        if self._last:  # after it there is little left that can be audited from the log alone
            await self._second_opinion()
        for fault in self._last:
            self._say(f"{fault.name}: {fault.about}")
            await self._row(Row(fault.name, fault.about, 1), self._options.recover_s, fault)

    async def _together(self, seconds: float) -> None:
        """Strikes that do not wait for the recovery from the one before."""
        row = Row("together", "all of them, overlapping")
        end = time.monotonic() + seconds
        locks = {fault.on: asyncio.Lock() for fault in self._alone}

        async def strike(fault: Fault) -> None:
            async with locks[fault.on]:
                await fault.strike(self._scene)

        async def strikes() -> None:
            async with asyncio.TaskGroup() as group:
                while time.monotonic() < end:
                    fault = self._scene.rng.choice([f for f in self._alone if not locks[f.on].locked()] or self._alone)
                    self._say(f"together: {fault.name}")
                    row.injected += 1
                    group.create_task(strike(fault))
                    await asyncio.sleep(self._options.every_s)

        await self._row(row, self._options.recover_s * 2, Fault("together", "all", lambda _: strikes(), row.about))

    async def _row(self, row: Row, within_s: float, fault: Fault | None = None) -> None:
        """Strike, wait until every list is fresh, audit."""
        sent, letters = self._scene.load.sent, len(self._scene.mirror.letters)
        self._watch.longest_s = 0.0
        if fault:
            await fault.strike(self._scene)
        else:
            await self._begun(within_s)
        await self._fresh(row, within_s)
        found = await self._audit()
        row.lost, row.doubled = found.lost + found.other, found.doubled
        row.stale_s = round(self._watch.longest_s, 2)
        row.sent = self._scene.load.sent - sent
        row.dead = len(self._scene.mirror.letters) - letters
        self._add(row)
        took = "not in time" if row.late else f"in {row.recover_s:.1f} s"
        self._say(f"{row.fault}: recovered {took}, lost {row.lost}, doubled {row.doubled}, stale {row.stale}")

    async def _begun(self, within_s: float) -> None:
        """Until there is a first list: by then topics are there, listens folded and a release trained."""
        end = time.monotonic() + within_s
        while not self._watch.versions:
            if time.monotonic() > end:
                raise Fatal(
                    f"no list came within {within_s:.0f} s of {self._scene.load.sent:,} listens; the services' logs "
                    f"say why:\n{self._logs()}"
                )
            await asyncio.sleep(0.1)

    async def _fresh(self, row: Row, within_s: float) -> None:
        """Until every listener's list is of what the log holds now."""
        begun = time.monotonic()
        await self._scene.mirror.level()
        wanted = self._scene.mirror.versions()
        if not await self._watch.fresh(wanted, within_s):
            row.late += 1
            row.stale += len(self._watch.stale(wanted))
        row.recover_s = max(row.recover_s, round(time.monotonic() - begun, 2))

    async def _audit(self) -> Found:
        return await self._scene.mirror.audit(self._scene.redis)

    def _add(self, row: Row) -> None:
        """To the row of its kind. A profile found wrong stays wrong, so losses are not summed over audits."""
        for known in self._result.faults:
            if known.fault == row.fault:
                known.injected, known.sent = known.injected + row.injected, known.sent + row.sent
                known.lost, known.doubled = max(known.lost, row.lost), max(known.doubled, row.doubled)
                known.stale, known.dead = known.stale + row.stale, known.dead + row.dead
                known.stale_s = max(known.stale_s, row.stale_s)
                known.recover_s, known.late = max(known.recover_s, row.recover_s), known.late + row.late
                return
        self._result.faults.append(row)

    async def _final(self) -> None:
        """With the load off and nothing under way: everything, once more."""
        row = Row("end")
        await self._fresh(row, self._options.recover_s)
        found, scene, result = await self._audit(), self._scene, self._result
        result.injected = sum(each.injected for each in result.faults)
        result.sent, result.retries = scene.load.sent, scene.load.retried
        # What one audit found counts, also when a later rewind has mended it.
        result.lost = max(found.lost + found.other, *(each.lost for each in result.faults))
        result.doubled = max(found.doubled, *(each.doubled for each in result.faults))
        result.stale = row.stale + sum(each.stale for each in result.faults)
        ends = {number: part.end for number, part in scene.mirror.partitions.items()}
        result.unfound = sum(newest >= ends[p] for p, newest in scene.load.acknowledged.items())
        result.missed = scene.missed
        result.dead, result.undelivered = len(scene.mirror.letters), scene.mirror.undelivered()
        result.gone, result.lists = scene.world.gone, self._watch.lists

    async def _second_opinion(self, history: Path | None = None) -> None:
        """`segue audit`, which reads the log for itself and looks at lists, dead letters and the history too."""
        self._say("segue audit")
        world, result = self._scene.world, self._result
        settings = AuditSettings(world.kafka, world.redis, self._taste)
        options = AuditOptions(history=history, grace_s=30)
        found = await asyncio.to_thread(audit, settings, options)
        result.audited = max(result.audited, found.total.profiles - found.total.unauditable)
        result.audit_clean = result.audit_clean and found.clean and not found.left
        result.audit_says += [f"{each.kind} {each.partition}-{each.offset}: {each.says}" for each in found.examples]
        if kept := found.history:
            result.history_wrong = kept.missing + kept.doubled + kept.foreign + kept.gaps + kept.outside
        result.lost = max(result.lost, found.total.events_lost)
        result.doubled = max(result.doubled, found.total.events_doubled)

    def _logs(self) -> str:
        return "\n".join(f"{name}:\n{p.child.tail(8)}" for name, p in self._scene.world.processes.items())


@asynccontextmanager
async def _background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these beside the body; what one of them dies of ends the body."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except* Fatal as errors:
        raise errors.exceptions[0] from None
