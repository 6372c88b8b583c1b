"""A simulated crowd on a running stream: its past is imported once, then it listens live and plays from its lists."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.live import Live as Screen

from schemas.recommendation import Recommendations
from schemas.track import Track
from services.demo.data import lived
from services.demo.live import Live
from services.demo.past import Sent, send_past, whole_weeks
from services.demo.player import Message
from services.demo.seen import Seen
from services.demo.view import View
from services.importer.app import identify
from services.importer.progress import Meter
from services.runtime.errors import Stopped
from services.runtime.settings import KafkaSettings
from services.simulator.crowd import Crowd, make_crowd
from services.simulator.settings import CrowdSettings
from services.simulator.turns import Offer

NAMES = ("track_id", "title", "artist")
LOOK_S = 0.1
LINE_S = 10.0

Stop = Callable[[], bool]


class CrowdOptions(Struct, frozen=True):
    """Everything that `segue simulate` can be told when it plays to a stream."""

    listeners: int = 500
    days: int = 45  # of the past; 0: none
    seed: int = 42
    rate: float = 20.0  # live listens a second
    live_s: float | None = None  # seconds of live listening, 0: none; None: until stopped


class Played(Struct):
    """What came of it. Everything sent was acknowledged by the broker."""

    history: int  # listens of the past, sent
    already: int  # listens of the past that were there before
    tracks: int  # sent
    listens: int  # sent live
    lists: int  # seen while it was live
    plays_from_list: int  # plays and skips of what a list offered
    acceptance: float | None  # of those, the share that was heard long enough to be positive
    hit_rate_at_20: float | None  # other live plays whose track was in the list that stood before
    latency_ms: dict[str, float]  # listen acknowledged to its list read
    unanswered: int  # live listens whose list had not come 5 s after the last
    seconds: dict[str, float]
    stopped: bool = False  # before the past was sent


class Stream(Struct, frozen=True):
    """Where to play to."""

    kafka: KafkaSettings
    state: Path  # the importer's folder
    stop: Stop  # told to end?


def play_crowd(stream: Stream, options: CrowdOptions, console: Console) -> Played:
    """Play it. Raises BrokerAway and Fatal; when told to stop it ends soon and says what was sent until then."""
    return _Run(stream, options, console).run()


class _Run:
    def __init__(self, stream: Stream, options: CrowdOptions, console: Console) -> None:
        self._stream, self._options, self._console = stream, options, console
        self._sent, self._seen = Sent(), Seen()
        self._seconds: dict[str, float] = {}
        self._stopping = False

    def run(self) -> Played:
        cluster = identify(self._stream.kafka)  # first, so that what is wrong with the broker is told at once
        try:
            crowd, listens, tracks = self._imagine()
        except Stopped:
            return self._played(stopped=True)
        now_ms = _now_ms()
        moved = listens.with_columns(pl.col("listened_at") + whole_weeks(crowd.now_ms, now_ms))
        began = time.perf_counter()
        with Meter(self._console) as meter:
            sending = send_past(self._stream.kafka, cluster, self._stream.state, moved, tracks, self._sent, meter)
            whole = asyncio.run(unless(self._stop, sending))
        self._seconds["history"] = round(time.perf_counter() - began, 2)
        if whole:
            self._say(
                f"{self._sent.listens:,} listens of {self._sent.tracks:,} tracks sent, {self._sent.already:,} listens "
                "were there already"
            )
            if self._options.live_s != 0:
                crowd.part_ways(np.random.default_rng([self._options.seed, now_ms]))
                asyncio.run(self._live(crowd, tracks, f"{now_ms:x}"))
        return self._played(stopped=not whole)

    def _imagine(self) -> tuple[Crowd, pl.DataFrame, pl.DataFrame]:
        options, began = self._options, time.perf_counter()
        self._say(f"imagining {options.listeners:,} listeners and {options.days} days of theirs …")

        def on_day(day: int) -> None:
            meter.at(day)
            if self._stop():
                raise Stopped

        with Meter(self._console) as meter:
            meter.begin("days", options.days)
            crowd = make_crowd(CrowdSettings(listeners=options.listeners), np.random.default_rng(options.seed))
            listens, tracks = lived(crowd, options.days, on_day)
        self._seconds["imagine"] = round(time.perf_counter() - began, 2)
        return crowd, listens, tracks

    async def _live(self, crowd: Crowd, tracks: pl.DataFrame, mark: str) -> None:
        options, seen = self._options, self._seen
        async with Live(self._stream.kafka, seen, "segue-simulate") as live:
            await live.standing()
            messages = going_on(crowd, seen.newest, set(tracks["track_id"]), mark, _now_ms)
            began = time.perf_counter()
            until = None if options.live_s is None else began + options.live_s
            self._say(
                f"{options.rate:g} listens/s live" + (f" for {options.live_s:g} s" if until else ", until Ctrl-C")
            )
            playing = asyncio.create_task(live.play(messages, options.rate, until, self._stop))
            try:
                await self._watch(playing, tracks)
            finally:
                playing.cancel()
                self._seconds["live"] = round(time.perf_counter() - began, 2)

    async def _watch(self, playing: "asyncio.Task[None]", tracks: pl.DataFrame) -> None:
        if self._console.is_terminal:
            names = {track: (title, artist) for track, title, artist in tracks.select(NAMES).iter_rows()}
            with Screen(View(self._seen, names, None, "Ctrl-C ends it"), console=self._console, refresh_per_second=4):
                return await playing
        while not (await asyncio.wait({playing}, timeout=LINE_S))[0]:
            seen = self._seen
            fresh = "".join(f", {name} {value:.1f} ms" for name, value in seen.percentiles().items())
            self._say(f"{seen.listens:,} listens, {seen.lists:,} lists, {seen.from_list:,} plays from a list{fresh}")
        return await playing

    def _played(self, stopped: bool) -> Played:
        sent, seen = self._sent, self._seen
        return Played(
            history=sent.listens, already=sent.already, tracks=sent.tracks + seen.tracks, listens=seen.listens,
            lists=seen.lists, plays_from_list=seen.from_list, acceptance=seen.acceptance(),
            hit_rate_at_20=seen.hit_rate(), latency_ms=seen.percentiles(), unanswered=seen.unanswered,
            seconds=self._seconds, stopped=stopped,
        )  # fmt: skip

    def _stop(self) -> bool:
        if self._stream.stop() and not self._stopping:
            self._stopping = True
            self._say("finishing what is under way; Ctrl-C again ends at once")
        return self._stopping

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def going_on(
    crowd: Crowd, newest: dict[str, Recommendations], known: set[str], mark: str, clock: Callable[[], int]
) -> Iterator[Message]:
    """What the crowd does from here on, playing from the newest lists; tracks that are not `known` as they come out.

    `mark` sets the event ids of this run apart: live, the same crowd does something else each time.
    """

    def offer(user_id: str) -> Offer | None:
        made = newest.get(user_id)
        return None if made is None else Offer(made.list_id, [item.track_id for item in made.items])

    for message in crowd.stream(offer, clock=clock):
        if not isinstance(message, Track):
            yield replace(message, event_id=f"{message.event_id}-{mark}")
        elif message.track_id not in known:
            yield message


async def unless(stop: Stop, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work; whether it was done. Told to stop, it is cancelled."""
    task = asyncio.create_task(work)
    while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
        if stop():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            return False
    await task
    return True


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
