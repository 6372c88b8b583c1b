"""Of the tracks that listeners play for the first time next week: how many do lyrics-alikes know of beforehand?

    python benchmarks/lyrics_lists.py LISTENS SONGS.csv [--listeners 12] [--weeks 4]

LISTENS is any log that `segue import` reads, SONGS.csv has lyrics (artist, song, link, text). One release is fitted on
what came before the first of the last weeks; at the start of each week every listener's profile is folded anew and each
way proposes 300 unheard tracks. Chance is what 300 tracks drawn from all unheard ones would find. Beside recall over
all new tracks stands that over those with lyrics: of the others this source cannot know. It says nothing of ranking.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from models import release
from models.als.settings import AlsSettings
from models.evaluation.log import Log, Numbers
from models.evaluation.protocol import Protocol, Window, weekly, windows
from models.evaluation.replay import Replay
from models.evaluation.systems import tracks_of
from models.profile import ProfileView
from models.ranker.settings import RankerSettings
from models.recommender import Recommender
from models.rehearsal import CheckSettings
from models.release import Release
from models.sources.settings import ListSettings
from models.taste import TasteSettings
from models.train import TrainSettings, train

PROPOSED = 300
WAYS = ("lyrics", "popular", "als", "artists")
CHANCE = "chance"


class Asked(NamedTuple):
    """One listener in one week: recall of all new tracks, and of those with lyrics, by way."""

    new: int
    with_lyrics: int
    of_all: dict[str, float]
    of_lyrics: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listens", type=Path, nargs="?")
    parser.add_argument("songs", type=Path, nargs="?")
    parser.add_argument("--listeners", type=int, default=12, help="drawn from the log by a fixed seed")
    parser.add_argument("--weeks", type=int, default=4)
    args = parser.parse_args()
    if args.songs is None:
        print("skipped: name a log and a CSV of lyrics (python benchmarks/lyrics_lists.py LISTENS SONGS.csv)")
        return
    listens, tracks = read(args.listens, args.songs, args.listeners)
    log = Log(listens)
    weeks = windows(log, Protocol(weeks=args.weeks))
    with tempfile.TemporaryDirectory() as folder:
        made = fit(listens, tracks, weeks[0].start, Path(folder))
        show(list(ask(log, made, weeks)))


def read(file: Path, songs: Path, listeners: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The listens of some listeners, and their tracks joined to the songs, which are there whether played or not."""
    from services.importer.loading import load
    from services.importer.lyrics import join, read_lyrics, read_topics
    from services.importer.report import Report
    from services.importer.rows import Options

    report = Report(print)
    frames = load([file], (), options=Options(now_ms=time.time_ns() // 1_000_000), report=report)
    names = np.array(frames.listens["user_id"].unique().sort().to_list())
    drawn = np.random.default_rng(7).permutation(names)[:listeners].tolist()
    listens = frames.listens.filter(pl.col("user_id").is_in(drawn))
    heard = frames.tracks.join(listens.select("track_id").unique(), on="track_id", how="semi")
    return listens, join(heard, read_lyrics([songs], report), read_topics((), report))


def fit(listens: pl.DataFrame, tracks: pl.DataFrame, start: int, folder: Path) -> Release:
    """A release of what was before `start` (s); its catalogue has all tracks, played by then or not."""
    settings = TrainSettings(als=AlsSettings(), ranker=RankerSettings(listeners=0), check=CheckSettings(listeners=0))
    before = listens.filter(pl.col("listened_at") < start * 1000)
    return release.load(train(before, tracks, folder, settings, release_id="r", now_ms=start * 1000, window={}))


def ask(log: Log, made: Release, weeks: list[Window]) -> Iterator[Asked]:
    """Every listener, week after week."""
    if made.lyrics is None:
        raise SystemExit("no track of the log has lyrics, or a package is missing: there is nothing to measure")
    replay, tracks = Replay(log, TasteSettings()), tracks_of(log, made)
    sung = np.any(made.lyrics.vectors != 0, axis=1)
    lyrics = tracks[made.lyrics.rows[sung]]
    ways = {
        name: Recommender(made, ListSettings(length=PROPOSED, kind_cap=0, sources=f"{name}=1", mix="discover"))
        for name in WAYS
    }
    for week in weeks:
        right = weekly(log, week)
        for user in right.asked.tolist():
            [profile] = replay.at(user, [week.start], week.start)
            _, met = log.known(user, week.start)
            new = np.setdiff1d(np.intersect1d(right.wanted(user), tracks), met)
            if profile is None or not len(new):
                continue
            proposed = {
                name: tracks[[pick.row for pick in way.choose([ProfileView(profile)], PROPOSED)[0].picks]]
                for name, way in ways.items()
            }
            with_lyrics = np.intersect1d(new, lyrics)
            yield Asked(
                len(new), len(with_lyrics),
                recalls(proposed, new, len(tracks) - len(met)),
                recalls(proposed, with_lyrics, int((~np.isin(lyrics, met)).sum())),
            )  # fmt: skip


def recalls(proposed: dict[str, Numbers], wanted: Numbers, unheard: int) -> dict[str, float]:
    """Share of `wanted` among what each way proposed; NaN of nothing. Chance draws from so many `unheard`."""
    if not len(wanted):
        return dict.fromkeys((*WAYS, CHANCE), float("nan"))
    found = {name: float(np.isin(wanted, items).mean()) for name, items in proposed.items()}
    return {**found, CHANCE: min(1.0, PROPOSED / max(1, unheard))}


def show(asked: list[Asked]) -> None:
    """Means over listener-weeks, with the deviation of the mean."""
    new, sung = (np.array([getattr(each, name) for each in asked]) for name in ("new", "with_lyrics"))
    print(f"{len(asked)} listener-weeks, {new.sum():,} new tracks, {sung.sum():,} of them with lyrics")
    print(f"{'':10} {f'recall@{PROPOSED} of all new':>24} {'of those with lyrics':>24}")
    columns: tuple[Callable[[Asked], dict[str, float]], ...] = (lambda a: a.of_all, lambda a: a.of_lyrics)
    for way in (*WAYS, CHANCE):
        cells = []
        for column in columns:
            values = np.array([column(each)[way] for each in asked])
            values = values[~np.isnan(values)]
            cells.append(f"{values.mean():.4f} ± {values.std() / max(1, len(values)) ** 0.5:.4f}")
        print(f"{way:10} {cells[0]:>24} {cells[1]:>24}")


if __name__ == "__main__":
    main()
