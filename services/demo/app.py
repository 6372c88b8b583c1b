"""The main job, end to end: a history is imported, a release trained, then the log goes on live."""

import asyncio
import shlex
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

from kafka import TopicPartition
from rich.console import Console
from rich.live import Live as Screen

from models.profile import ProfileView
from schemas.topics import DEAD, LISTENS, TRACKS
from services.demo.data import Data, make_data
from services.demo.live import Live
from services.demo.options import DemoOptions
from services.demo.processes import Service
from services.demo.seen import Seen
from services.demo.summary import Summary, install_seconds
from services.demo.view import View
from services.importer.ledger import EventLedger, TrackLedger
from services.importer.progress import Meter
from services.importer.report import Report
from services.importer.sending import send_listens, send_tracks
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.bulk_producer import BulkProducer
from services.runtime.errors import Fatal, Transient
from services.runtime.keys import cursor_key
from services.runtime.redis_client import sync_redis
from services.runtime.settings import KafkaSettings, RedisSettings

NAMES = ("track_id", "title", "artist")
RELEASE_S = 1_800.0
CAUGHT_UP_S = 600.0
END_S = 3.0
TRAINED_SHARE = 0.99  # of the history must be read before the first release; some of it may be dead letters

# No ranker is taught and no release is rehearsed: people wait for the first one, and each takes half a minute.
BRIEF = {"SEGUE_RANKER_LISTENERS": "0", "SEGUE_TRAINER_CHECK_LISTENERS": "0"}

FAREWELL = """
While a demo runs (on a terminal: until Ctrl-C; elsewhere: --for 10m), send one listen and watch one listener with
{commands}"""


class Demo:
    """One run. Everything it starts ends with it."""

    def __init__(self, options: DemoOptions, console: Console) -> None:
        self._options, self._console = options, console
        self._seconds: dict[str, float] = install_seconds()
        self._began = time.perf_counter()
        self.farewell = ""  # what to type next, known once there is a list

    def run(self) -> Summary:
        """Raises Fatal, Transient or LocalError naming what did not work."""
        with ExitStack() as closing:
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="segue-demo-")))
            with self._step("broker"):
                stack = closing.enter_context(LocalStack())
            self._kafka = KafkaSettings(bootstrap=stack.bootstrap)
            self._redis = RedisSettings(url=stack.redis_url)
            topics.apply(self._kafka)
            services: dict[str, Service] = {}
            closing.callback(_stop, services)
            closing.enter_context(_with_their_logs(services))
            with self._step("import"):
                data = make_data(self._options, self._say)
                self._start_bulk(services, folder, data)
                asyncio.run(self._import(data, folder))
                self._wait_folded(services)
            services.pop("profiler").stop()
            services["profiler"] = self._service("profiler", folder, SEGUE_PROFILER_LOOP="faust")
            return asyncio.run(self._go_live(services, data))

    def _start_bulk(self, services: dict[str, Service], folder: Path, data: Data) -> None:
        """What takes in the history: the trainer begins a release as soon as it has read (nearly) all of it."""
        enough = str(max(1, int(data.listens.height * TRAINED_SHARE)))
        services["profiler"] = self._service("profiler", folder, SEGUE_PROFILER_LOOP="bulk")
        services["trainer"] = self._service(
            "trainer", folder,
            SEGUE_TRAINER_HISTORY=str(folder / "history"), SEGUE_TRAINER_RELEASES=str(folder / "releases"),
            SEGUE_TRAINER_MIN_LISTENS=enough, SEGUE_TRAINER_EVERY_LISTENS=enough, **BRIEF,
        )  # fmt: skip
        # Lists are judged by what is played next, so they are made for that.
        services["scorer"] = self._service("scorer", folder, SEGUE_LIST_MIX="up-next")

    def _service(self, name: str, folder: Path, **settings: str) -> Service:
        servers = {"SEGUE_KAFKA_BOOTSTRAP": self._kafka.bootstrap, "SEGUE_REDIS_URL": self._redis.url}
        return Service(name, folder, {**servers, **settings})

    async def _import(self, data: Data, folder: Path) -> None:
        self._say(f"importing {data.listens.height:,} listens of {data.tracks.height:,} tracks")
        events, tracks = EventLedger(folder / "events.npz"), TrackLedger(folder / "tracks.npz")
        with Meter(self._console) as meter:
            async with (
                BulkProducer(self._kafka, LISTENS.name) as to_listens,
                BulkProducer(self._kafka, TRACKS.name) as to_tracks,
            ):
                await send_tracks(data.tracks, True, to_tracks, tracks, Report(), meter)
                await send_listens(data.listens, to_listens, events, meter)

    def _wait_folded(self, services: dict[str, Service]) -> None:
        """Until every profile reflects the whole history."""
        ends = self._ends(LISTENS.name)
        with sync_redis(self._redis) as redis:

            def missing() -> int:
                cursors = {p: redis.hget(cursor_key(p), "folded") for p, end in ends.items() if end}
                return sum(ends[p] - 1 - (-1 if cursor is None else int(cursor)) for p, cursor in cursors.items())

            self._wait(lambda: missing() <= 0, services, CAUGHT_UP_S, lambda: f"{missing():,} listens to fold")

    async def _go_live(self, services: dict[str, Service], data: Data) -> Summary:
        seen = Seen()
        async with Live(self._kafka, seen) as live:
            with self._step("train"):
                self._say("training the first release")
                await services["scorer"].ready(RELEASE_S)
            with self._step("first_list"):
                await live.first_list(60)
            with self._step("lists"):  # of all who are in the history; live listening begins with nothing left to do
                versions = self._profile_versions()
                self._say(f"a list for each of {len(versions):,} listeners")
                await live.caught_up(versions, CAUGHT_UP_S)
            await services["profiler"].ready()
            seen.lists = 0  # from here on: live ones
            names = {track: (title, artist) for track, title, artist in data.tracks.select(NAMES).iter_rows()}
            release = next(iter(seen.newest.values())).release_id
            self._seconds["live_list"] = round(time.perf_counter() - self._began, 2)
            commands = self._commands(seen)
            self.farewell = FAREWELL.format(commands=commands)
            await self._play(live, data, View(seen, names, release, commands))
            for service in services.values():
                service.check()
            return self._summary(seen, data, live.unanswered)

    async def _play(self, live: Live, data: Data, view: View) -> None:
        seconds = self._options.live_s
        until = None if seconds is None else time.perf_counter() + seconds
        with _ctrl_c() as told:
            playing = live.play(data.live, self._options.rate, until, told.is_set)
            if self._console.is_terminal:
                with Screen(view, console=self._console, refresh_per_second=4, screen=False):
                    await playing
            else:
                self._say(f"{self._options.rate:g} listens/s live" + (f" for {seconds:g} s" if seconds else ""))
                await playing

    def _summary(self, seen: Seen, data: Data, unanswered: int) -> Summary:
        releases = {made.release_id for made in seen.newest.values()}
        return Summary(
            listens=seen.listens, lists=seen.lists, listeners=len(seen.newest),
            dead=sum(self._ends(DEAD.name).values()),
            release=max(releases, default=""), seconds=self._seconds, latency_ms=seen.percentiles(),
            hit_rate_at_20=seen.hit_rate(), imported=data.listens.height, tracks=data.tracks.height, bad=data.bad,
            unanswered=unanswered,
        )  # fmt: skip

    def _commands(self, seen: Seen) -> str:
        """How to send one listen and watch one listener of this stack."""
        user, made = next(iter(seen.newest.items()))
        track = made.items[0].track_id if made.items else "TRACK"
        return (
            f"export SEGUE_KAFKA_BOOTSTRAP={self._kafka.bootstrap} SEGUE_REDIS_URL={self._redis.url}\n"
            f"segue listen {shlex.quote(user)} {shlex.quote(track)}\n"
            f"segue watch {shlex.quote(user)}"
        )

    def _profile_versions(self) -> dict[str, int]:
        with sync_redis(self._redis) as redis:
            keys: list[bytes] = list(redis.scan_iter("profile:*", count=1_000))
            stored = cast(list[bytes], redis.mget(keys)) if keys else []
        users = [key.partition(b"}:")[2].decode() for key in keys]
        return {user: ProfileView(data).version for user, data in zip(users, stored, strict=True)}

    def _ends(self, topic: str) -> dict[int, int]:
        consumer = kafka_clients.consumer(self._kafka)
        try:
            found = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic) or ()]
            return {tp.partition: end for tp, end in consumer.end_offsets(found).items()}
        finally:
            consumer.close()

    def _wait(
        self, done: Callable[[], bool], services: dict[str, Service], seconds: float, what: Callable[[], str]
    ) -> None:
        end = time.monotonic() + seconds
        while not done():
            for service in services.values():
                service.check()
            if time.monotonic() > end:
                raise Fatal(f"after {seconds:.0f} s still waiting: {what()}")
            time.sleep(0.05)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._seconds[name] = round(time.perf_counter() - began, 2)

    def _say(self, text: str) -> None:
        self._console.print(f"[{time.perf_counter() - self._began:5.1f} s] {text} …", markup=False, highlight=False)


@contextmanager
def _ctrl_c() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C, which thus ends the listening and not the demo; a second one ends everything at once."""
    loop, told, before = asyncio.get_running_loop(), asyncio.Event(), signal.getsignal(signal.SIGINT)

    def once() -> None:
        told.set()
        loop.remove_signal_handler(signal.SIGINT)  # which brings Python's own back

    loop.add_signal_handler(signal.SIGINT, once)
    try:
        yield told
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


@contextmanager
def _with_their_logs(services: Mapping[str, Service]) -> Iterator[None]:
    """What is waited for in vain is told with the ends of the services' logs, which go with the demo."""
    try:
        yield
    except Transient as error:
        raise Fatal("\n".join([str(error), *(service.told() for service in services.values())])) from error


def _stop(services: dict[str, Service]) -> None:
    """All at once, and not for long: what they hold goes with them."""
    for service in services.values():
        service.ask_to_stop()
    for service in services.values():
        service.stop(END_S)
