"""Listens a second that one process of live evaluation judges, beside a loop that reads the same and does nothing.

Every listener has a list and gets another with each listen, as a scorer makes them, so as many lists as listens are
read, side by side by their times. Of the listens one in PLAYED is of a track of the list.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from schemas.codec import encode
from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from schemas.topics import LISTENS, OUTCOMES, RECOMMENDATIONS
from services.bench.rates import Rate, bare_rate, beside, rate_of, watched
from services.bench.system import System, user
from services.outcomes.metrics import now_ms
from services.runtime.bulk_producer import partition_of
from services.runtime.kafka_log import KafkaLog

LENGTH = 50  # tracks a list
TRACKS = 100_000
PLAYED = 5
BEFORE_MS = 1_000  # that everybody's first list is older than the first listen
OURS, BARE = "outcomes", "bare_aiokafka"

Told = Callable[[str], None]
Message = tuple[bytes, bytes]


class OutcomesBench(Struct, frozen=True):
    """See `segue bench outcomes --help`."""

    listens: int = 50_000
    listeners: int = 2_000
    seed: int = 7


def measure(options: OutcomesBench, told: Told) -> dict[str, Rate]:
    """Ours and the bare loop, listens a second. Raises Fatal naming what did not come to the end."""
    with System() as system:
        lists = options.listeners + options.listens
        told(f"sending {options.listens:,} listens and {lists:,} lists of {options.listeners:,} listeners")
        judged = asyncio.run(_fill(system, options))
        told(f"{BARE} ...")
        read = bare_rate(system, BARE, options.listens + lists, [LISTENS.name, RECOMMENDATIONS.name])
        share = options.listens / (options.listens + lists)
        reference = replace(
            read, listens=int(read.listens * share), listens_per_second=round(read.listens_per_second * share, 1)
        )
        told(f"{OURS} ...")
        ours = _ours(system, options, judged)
    return {BARE: reference, OURS: beside(ours, reference)}


def _ours(system: System, options: OutcomesBench, judged: int) -> Rate:
    """The service, watched by what it has put on its topic."""
    with KafkaLog(system.kafka, "segue-bench") as log:
        service = system.start(OURS, {"SEGUE_OUTCOMES_REMEMBER": str(options.listeners)})  # else it judges fewer
        done = watched(lambda: sum(span.end for span in log.spans(OUTCOMES.name).values()), judged, service.check)
    return rate_of(*done)


async def _fill(system: System, options: OutcomesBench) -> int:
    """Both topics; how many of the listens will be judged: all but those at offset 0, which every list may know of."""
    rng = np.random.default_rng(options.seed)
    who = rng.integers(options.listeners, size=options.listens).tolist()
    begins = rng.integers(TRACKS, size=options.listeners).tolist()
    begun = now_ms()
    await system.send(LISTENS.name, _listens(who, begins, rng))
    times = np.linspace(begun, now_ms(), options.listens).astype(int).tolist()
    await system.send(RECOMMENDATIONS.name, _lists(who, begins, times))
    return options.listens - len({partition_of(user(each).encode(), system.partitions) for each in set(who)})


def _listens(who: Sequence[int], begins: Sequence[int], rng: np.random.Generator) -> Iterator[Message]:
    for number, listener in enumerate(who):
        row = begins[listener] + int(rng.integers(LENGTH)) if number % PLAYED == 0 else int(rng.integers(TRACKS))
        name = user(listener)
        yield name.encode(), encode(Listen(f"e{number}", name, _track(row), now_ms()))


def _lists(who: Sequence[int], begins: Sequence[int], times: Sequence[int]) -> Iterator[Message]:
    """Everybody's first, then one for each listen, as it came."""
    items = [[_item(begin + place, place) for place in range(LENGTH)] for begin in begins]
    first = times[0] - BEFORE_MS
    for number, (listener, at) in enumerate(
        [*((each, first) for each in range(len(begins))), *zip(who, times, strict=True)]
    ):
        name = user(listener)
        made = Recommendations(f"list-{number}", name, 0, 0, "made-up", at, at, at, items[listener])
        yield name.encode(), encode(made)


def _item(row: int, place: int) -> Item:
    return Item(_track(row), 1 / (1 + place), "You have played it 5 times, last 3 days ago", f"source-{place % 9}")


def _track(row: int) -> str:
    return f"made-up:track:{row % TRACKS:09d}"
