"""Tracks that nobody has played: who finds them for the listeners who will? recall@100 of the bridge beside others.

A tenth of the tracks that have factors are hidden: their listens are taken out, ALS is fitted on what is left, and the
hidden tracks are put in order for every listener who did play some of them. `recall@100`: of the hidden tracks that a
listener played (at most 100), how many are among the first 100 of all hidden tracks; the mean over listeners.

    bridge        factors by what is known of the tracks (models.bridge), times the listener's vector; by blocks
    content       how near the track's blocks are to the mean of what the listener plays
    artist        how much the listener plays of the artist
    popularity    by how many listeners the track will have had, which nobody knows of a new track
    chance

Two histories. The simulated crowd, whose tracks have recordings: each is rendered as a second of eight bands of noise,
as loud as its true place in the space of tastes says, and heard by three networks taught by the genres. And a real log
(`--listens`, Parquet with user_id, listened_at in s, artist, track, ms_played), of which only the artists are known;
with `--lyrics` (CSV with artist, song, text) the words of some of its tracks too, joined by artist and title without
case, marks and brackets. Only tracks with words are hidden then, so that every system knows something of each.

    python -m benchmarks.bridge
    python -m benchmarks.bridge --listens ../shared/data/listens.parquet [--lyrics ../shared/data/lyrics/songs.csv]
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models import interactions
from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.audio.extract import Heard
from models.audio.logmel import logmel
from models.audio.serve import Ears, evened
from models.audio.settings import RATE, VECTOR, AudioSettings, MelSettings
from models.audio.teach import teach
from models.bridge.content import Content
from models.bridge.fit import bridge
from models.bridge.settings import BridgeSettings
from models.fitted import Weighed, weigh
from models.lyrics import part as lyrics
from models.lyrics import songs
from models.lyrics.settings import LyricsSettings
from models.lyrics.songs import Songs
from models.taste import TasteSettings
from services.simulator.crowd import make_crowd
from services.simulator.frames import listens_frame, tracks_frame
from services.simulator.settings import CrowdSettings

Table = NDArray[np.float32]
Rows = NDArray[np.int64]
Sounds = Callable[[list[str]], Table]  # of these tracks

TOP, HIDDEN, SEED = 100, 0.1, 42
NOTHING = -1e9  # the score of what a system knows nothing of
TASTE = TasteSettings()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listens", type=Path, help="a real log, in place of the simulated crowd")
    parser.add_argument("--lyrics", type=Path, help="words of its tracks")
    parser.add_argument("--tracks", type=int, default=4_000, help="of the simulated crowd")
    parser.add_argument("--listeners", type=int, default=400)
    parser.add_argument("--days", type=int, default=60)
    args = parser.parse_args()
    if args.listens:
        real(args.listens, args.lyrics)
    else:
        simulated(args.tracks, args.listeners, args.days)


def simulated(count: int, listeners: int, days: int) -> None:
    settings = CrowdSettings(artists=count // 8, tracks=count, listeners=listeners, new_share=0.0)
    crowd = make_crowd(settings, np.random.default_rng(SEED))
    listens, tracks = listens_frame(crowd.history(days)), tracks_frame(crowd.tracks())
    places = crowd.sounds()
    genres = dict(tracks.select("track_id", "genre").iter_rows())
    heard = [Heard(f"{at:064x}", rendered(place, at)) for at, place in enumerate(places)]
    vectors = networks(heard, [genres[track] for track in crowd.track_ids])
    index = {track: at for at, track in enumerate(crowd.track_ids)}
    print(f"simulated: {len(listens):,} listens of {listeners} listeners, {count:,} tracks")
    measure(listens, tracks, lambda ids: vectors[[index[each] for each in ids]])


def rendered(place: Table, seed: int) -> NDArray[np.float16]:
    """The log-mel of a second of noise: of each number of `place` a band."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=RATE))
    edges = np.geomspace(60, RATE / 2, len(place) + 1).astype(int)  # a second: bin k is k Hz
    gains = np.zeros(len(spectrum))
    for low, high, number in zip(edges, edges[1:], place, strict=False):
        gains[low:high] = 10.0**number
    samples = np.fft.irfft(spectrum * gains, n=RATE)
    return logmel((0.3 * samples / np.abs(samples).max()).astype(np.float32), MelSettings()).astype(np.float16)


def networks(heard: list[Heard], genres: list[str]) -> Table:
    """(tracks, VECTOR), as a release has them."""
    labels = [{"genre": {genre: 1.0}} for genre in genres]
    with TemporaryDirectory() as folder:
        about = teach(heard, labels, Path(folder), MelSettings(), AudioSettings(cache="", crops=8_000), 1)
        ears = Ears(Path(folder), about)
        raw = np.stack([ears.hear(each.mel)[0] for each in heard]).reshape(-1, VECTOR)
    return evened(raw, raw.mean(axis=0))


def real(path: Path, words: Path | None) -> None:
    log = pl.read_parquet(path).filter(pl.col("artist").is_not_null() & pl.col("track").is_not_null())
    log = log.with_columns(track_id=pl.col("artist") + "\n" + pl.col("track"), listened_at=pl.col("listened_at") * 1000)
    tracks = log.select("track_id", "artist", title="track").unique("track_id", maintain_order=True)
    print(f"real: {len(log):,} listens of {log['user_id'].n_unique()} listeners, {len(tracks):,} tracks")
    if words:
        tracks = with_words(tracks, pl.read_csv(words))
        print(f"  {tracks['lyrics'].is_not_null().sum():,} tracks with words")
    measure(log.select("user_id", "track_id", "listened_at", "artist", "ms_played"), tracks, None)


def with_words(tracks: pl.DataFrame, sung: pl.DataFrame) -> pl.DataFrame:
    plain = [plainly(name).alias(name) for name in ("artist", "title")]
    texts = sung.select("artist", title="song", lyrics="text").with_columns(*plain).unique(["artist", "title"])
    named = tracks.select("track_id", "artist", "title").with_columns(*plain)
    found = named.join(texts, on=["artist", "title"]).select("track_id", "lyrics")
    return tracks.join(found, on="track_id", how="left", maintain_order="left")


def plainly(name: str) -> pl.Expr:
    bare = pl.col(name).str.to_lowercase().str.replace_all(r"\(.*?\)|\[.*?\]|[^a-z0-9 ]", "")
    return bare.str.replace_all(" +", " ").str.strip_chars()


def measure(listens: pl.DataFrame, tracks: pl.DataFrame, sounds: Sounds | None) -> None:
    settings = AlsSettings()
    listens = interactions.distinct(listens)
    whole = weigh(listens, tracks, TASTE, settings, lambda *_: None)
    ids = whole.ranked["track_id"].to_list()
    if "lyrics" in tracks.columns:
        sung = set(tracks.filter(pl.col("lyrics").is_not_null())["track_id"])
        candidates = np.array([row for row in range(whole.items) if ids[row] in sung])
    else:
        candidates = np.arange(whole.items)
    rng = np.random.default_rng(SEED)
    gone = np.sort(rng.permutation(candidates)[: int(HIDDEN * len(candidates))])
    hidden = {ids[row] for row in gone.tolist()}
    rest = weigh(listens.filter(~pl.col("track_id").is_in(list(hidden))), tracks, TASTE, settings, lambda *_: None)
    factors, used = rest.factors(settings, 0, lambda *_: None)
    world = World(whole, rest, factors, used, sorted(hidden), sounds, words_of(tracks, rest.ranked))
    print(f"  {len(hidden):,} tracks hidden, {len(world.true)} listeners who played some of them")
    for name, scores in world.systems(rng).items():
        print(f"  {name:32} recall@{TOP} {world.recall(scores):.3f}", flush=True)


def words_of(tracks: pl.DataFrame, catalogue: pl.DataFrame) -> Songs | None:
    """As a release has them."""
    if "lyrics" not in tracks.columns:
        return None
    with TemporaryDirectory() as folder:
        lyrics.add(tracks, catalogue, Path(folder), LyricsSettings(), lambda _: None)
        return songs.load(Path(folder), {path.name for path in Path(folder).iterdir()}, catalogue.height)


class World:
    """What is left of a history, and who played what is hidden. Scores are (listeners, hidden tracks)."""

    def __init__(
        self,
        whole: Weighed,
        rest: Weighed,
        factors: Table,
        als: AlsSettings,
        hidden: list[str],
        sounds: Sounds | None,
        words: Songs | None,
    ) -> None:
        ids = rest.ranked["track_id"].to_list()
        row_of = {track: row for row, track in enumerate(ids)}
        self.cold: Rows = np.sort(np.array([row_of[track] for track in hidden], dtype=np.int64))
        self.rest, self.factors, self.als, self.words = rest, factors, als, words
        self.vectors = sounds(ids) if sounds else None
        place = {ids[row]: at for at, row in enumerate(self.cold.tolist())}
        known = set(rest.users)
        names = whole.ranked["track_id"].to_list()
        liked = whole.pairs.filter(pl.col("weight") > 0)
        self.true: dict[str, list[int]] = {}
        for user, row in liked.select("user", "row").iter_rows():
            if names[row] in place and whole.users[user] in known:
                self.true.setdefault(whole.users[user], []).append(place[names[row]])
        listeners = dict(whole.ranked.select("track_id", "listeners").iter_rows())
        self.popularity = np.array([listeners[ids[row]] for row in self.cold.tolist()], dtype=np.float32)
        number = {user: at for at, user in enumerate(rest.users)}
        own = dict(rest.pairs.partition_by("user", as_dict=True))
        self.own = [
            (own[(number[user],)]["row"].to_numpy(), own[(number[user],)]["weight"].to_numpy()) for user in self.true
        ]

    def recall(self, scores: Table) -> float:
        found = []
        for line, true in zip(scores, self.true.values(), strict=True):
            first = np.argsort(-line, kind="stable")[:TOP]
            found.append(np.isin(first, true).sum() / min(TOP, len(true)))
        return float(np.mean(found))

    def systems(self, rng: np.random.Generator) -> dict[str, Table]:
        count = (len(self.own), len(self.cold))
        found = {"bridge": self.bridge(BridgeSettings(), of_names_alone=False)}
        if self.vectors is not None or self.words is not None:
            found["bridge, artist and genre alone"] = self.bridge(BridgeSettings(), of_names_alone=True)
        if self.vectors is not None:
            found["content: sounds"] = self.alike(self.vectors)
        if self.words is not None:
            vectors = np.zeros((self.rest.ranked.height, self.words.vectors.shape[1]), dtype=np.float32)
            vectors[self.words.rows] = self.words.vectors
            found["content: words"] = self.alike(vectors)
        found["artist"] = self.by_artist()
        found["popularity"] = np.tile(self.popularity, (count[0], 1))
        found["chance"] = rng.random(count, dtype=np.float32)
        return found

    def bridge(self, settings: BridgeSettings, of_names_alone: bool) -> Table:
        every = np.arange(self.rest.ranked.height)
        sounds = (every, self.vectors) if self.vectors is not None and not of_names_alone else None
        words = None if of_names_alone else self.words
        made = bridge(
            Content(self.rest.ranked, self.factors, sounds, words, settings), self.factors, self.cold, settings
        )
        print(f"  bridged: {made.measured}")
        listeners = FoldIn(self.factors, self.factors.T @ self.factors, self.als).vectors(self.own)
        scores = np.full((len(listeners), len(self.cold)), NOTHING, dtype=np.float32)
        scores[:, np.searchsorted(self.cold, made.rows)] = listeners @ made.factors.T
        return scores

    def by_artist(self) -> Table:
        artists = self.rest.ranked["artist"].rank("dense").to_numpy().astype(np.int64) - 1
        scores = np.empty((len(self.own), len(self.cold)), dtype=np.float32)
        for at, (rows, weights) in enumerate(self.own):
            total = np.bincount(artists[rows], np.maximum(weights, 0.0), int(artists.max()) + 1)
            scores[at] = total[artists[self.cold]]
        return scores

    def alike(self, vectors: Table) -> Table:
        liked = np.stack([np.maximum(weights, 0.0) @ vectors[rows] for rows, weights in self.own])
        return np.asarray(liked @ vectors[self.cold].T, dtype=np.float32)


if __name__ == "__main__":
    main()
