"""A made-up past of any size, in the trainer's own Parquet segments, made in columns: millions of listens a minute.

Everybody keeps to a few groups of tracks and, within them, to tracks of their own; a session is a pause of hours after
the last, and half of what is played is the next track of the same artist. So matrices, neighbours and followers are as
full as a real history's; nothing else about it is meant to be believable (`segue simulate` is for that).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from services.trainer.columns import LISTENS

DAY_MS = 86_400_000
BEGUN_MS = 1_672_531_200_000  # 2023-01-01
DAYS = 365
AT_ONCE = 1_000_000  # listens, about: a segment
GROUPS = 200  # of tracks
OWN_GROUPS = (0.6, 0.9, 1.0)  # of a listener, by how much they play of each: adding up
OF_AN_ARTIST = 10  # tracks
REPEATED = 0.75  # of what is chosen, the share that is of the listener's own tracks
GOES_ON = 0.5  # how often the next track of the artist follows
SKIPPED = 0.25
SESSION = 12  # plays, in the mean
PLAY_MS = 210_000

Numbers = NDArray[np.int64]


class Size(Struct, frozen=True):
    """How large the made-up past is."""

    listens: int = 20_000_000
    listeners: int = 10_000
    tracks: int = 200_000
    seed: int = 7


class _Some(NamedTuple):
    """Listeners of one segment: each one's number, how many listens they have, and their own tracks."""

    users: Numbers
    counts: Numbers
    pools: Numbers  # (users, tracks of their own), the dearest first


def write(folder: Path, size: Size, told: Callable[[str], None]) -> list[Path]:
    """Write it into `folder` as the trainer's history would have it, one segment after the other; their paths."""
    rng = np.random.default_rng(size.seed)
    paths: list[Path] = []
    first = 0
    for some in _by_segment(size, rng):
        frame = _frame(some, first, size, rng)
        path = folder / f"{first:020d}-{first + frame.height - 1:020d}.parquet"
        frame.write_parquet(path, compression="zstd", compression_level=1)
        paths.append(path)
        first += frame.height
        told(f"made {first:,} listens")
    return paths


def _by_segment(size: Size, rng: np.random.Generator) -> Iterator[_Some]:
    busy = rng.lognormal(sigma=0.8, size=size.listeners)
    counts = np.maximum(1, np.diff(np.round(np.cumsum(busy) / busy.sum() * size.listens), prepend=0)).astype(np.int64)
    bounds = np.searchsorted(np.cumsum(counts), np.arange(AT_ONCE, size.listens, AT_ONCE))
    for users in np.split(np.arange(size.listeners), np.unique(bounds)):
        if len(users):
            groups = rng.integers(GROUPS, size=(len(users), len(OWN_GROUPS)))
            many = max(1, int(np.median(counts)) // 6)
            pools = _chosen(np.repeat(groups, many, axis=0), size, rng).reshape(len(users), many)
            yield _Some(users, counts[users], pools)


def _frame(some: _Some, first: int, size: Size, rng: np.random.Generator) -> pl.DataFrame:
    who = np.repeat(np.arange(len(some.users)), some.counts)
    number = len(who)
    # Of one's own tracks the dearest most: the square makes the first of a hundred a tenth of all.
    own = some.pools[who, (some.pools.shape[1] * rng.random(number) ** 2).astype(np.int64)]
    any_track = (size.tracks * rng.random(number) ** 2).astype(np.int64)
    chosen = np.where(rng.random(number) < REPEATED, own, any_track)
    tracks = _going_on(chosen, who, rng) % size.tracks
    skipped = rng.random(number) < SKIPPED
    heard = np.where(skipped, rng.integers(1_000, 30_000, size=number), rng.integers(60_000, PLAY_MS, size=number))
    frame = pl.DataFrame({
        "offset": np.arange(first, first + number),
        "number": some.users[who],
        "track": tracks,
        "listened_at": _times(who, rng),
        "ms_played": heard,
    })  # fmt: skip
    made = frame.sort("number", "listened_at").with_columns(
        pl.col("offset").sort(),
        event_id=pl.format("made-up:{}", pl.col("offset").cast(pl.String).str.zfill(16)),
        user_id=pl.format("listener-{}", "number"),
        track_id=pl.format("made-up:track:{}", pl.col("track").cast(pl.String).str.zfill(9)),
        artist=pl.format("artist {}", pl.col("track") // OF_AN_ARTIST),
        appended_ms=pl.col("listened_at"),
        kind=pl.lit("play"),
        scope=pl.lit("track"),
    )
    absent = [pl.lit(None, kind).alias(name) for name, kind in LISTENS.items() if name not in made.columns]
    return made.with_columns(absent).select([pl.col(name).cast(kind) for name, kind in LISTENS.items()])


def _chosen(groups: Numbers, size: Size, rng: np.random.Generator) -> Numbers:
    """For each row of groups a track of one of them, the group's first tracks most."""
    which = np.searchsorted(OWN_GROUPS, rng.random(len(groups)))
    group = groups[np.arange(len(groups)), which]
    wide = max(1, size.tracks // GROUPS)
    return np.asarray(group * wide + wide * rng.random(len(groups)) ** 3, np.int64) % size.tracks


def _going_on(chosen: Numbers, who: Numbers, rng: np.random.Generator) -> Numbers:
    """Where a listener goes on with the artist, the track after the one before; else the chosen one."""
    goes_on = rng.random(len(chosen)) < GOES_ON
    goes_on[np.flatnonzero(np.diff(who, prepend=-1))] = False
    begun = np.maximum.accumulate(np.where(goes_on, -1, np.arange(len(chosen))))
    return np.asarray(chosen[begun] + np.arange(len(chosen)) - begun, np.int64)


def _times(who: Numbers, rng: np.random.Generator) -> Numbers:
    """Rising within a listener: sessions begin at any time of the year, plays follow each other in them."""
    begins = rng.random(len(who)) < 1 / SESSION
    begins[np.flatnonzero(np.diff(who, prepend=-1))] = True
    session = np.cumsum(begins) - 1
    starts = np.sort(who[begins] * (DAYS * DAY_MS) + rng.integers(DAYS * DAY_MS, size=int(begins.sum())))
    starts -= who[begins] * (DAYS * DAY_MS)
    inside = np.arange(len(who)) - np.maximum.accumulate(np.where(begins, np.arange(len(who)), 0))
    return np.asarray(BEGUN_MS + starts[session] + inside * PLAY_MS, np.int64)
