"""Lists a second of one process, beside bare numpy + FAISS on the same vectors, and where the time goes.

    python -m benchmarks.scorer_lists [--tracks 100000] [--known 200] [--items 0 (all)] [--seconds 3]

The catalogue, factors and profiles are made up (Zipf popularity, taste groups), so that it runs anywhere.
The reference does only the two steps no ALS recommender can do without: fold-in and nearest neighbours, as many of
them, in the same batches; it drops nothing, explains nothing and words nothing. Ratio: ours / reference.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import faiss
import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.catalogue import COLUMNS
from models.index import build, search
from models.profile import Profile, ProfileView
from models.recommender import Recommender
from models.release import CATALOGUE, FACTORS, FORMAT, GRAM, INDEX, Release, load, make_aside, publish
from models.sources.settings import ListSettings
from models.taste import TasteSettings, fold
from schemas.codec import encode
from schemas.events import Listen
from schemas.release import Manifest

NOON = 1_704_110_400
GROUPS = 50
BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=0, help="tracks with factors; 0: all")
    parser.add_argument("--known", type=int, default=200)
    parser.add_argument("--listeners", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    rng = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        begun = perf_counter()
        release = make(Path(folder) / "made-up", args.tracks, args.items or args.tracks, rng)
        made = perf_counter()
        recommender = Recommender(release, ListSettings())
        print(f"release made and loaded in {made - begun:.1f} s, recommender ready in {perf_counter() - made:.2f} s")
        data = [profile(release, args.known, rng) for _ in range(args.listeners)]
        report(recommender, data, args.seconds)


def report(recommender: Recommender, data: list[bytes], seconds: float) -> None:
    n = ListSettings().length
    laps: defaultdict[str, float] = defaultdict(float)
    last = [0.0]

    def lap(stage: str) -> None:
        now = perf_counter()
        laps[stage] += now - last[0]
        last[0] = now

    def ours(batch: list[bytes]) -> None:
        last[0] = perf_counter()
        views = [ProfileView(each) for each in batch]
        lap("decode")
        lists = recommender.recommend(views, n, lap)
        for items in lists:
            encode(items)
        lap("encode")

    als = AlsSettings()
    fold_in = FoldIn(recommender.release.factors, recommender.release.gram, als)
    views = [ProfileView(each) for each in data]
    read = recommender._reader.read(views)  # noqa: SLF001  # the reference is given what ours must work out
    prepared = [(listener.rows, listener.weights) for listener in read]

    def reference(batch: list[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> None:
        search(recommender.release.index, fold_in.vectors(batch), 4 * n)

    ours(data[:BATCH]), reference(prepared[:BATCH])
    laps.clear()
    rate = rate_of(ours, data, BATCH, seconds)
    total = sum(laps.values())
    print(f"batches of {BATCH}: ours {rate:,.0f} lists/s; stages in µs a list:")
    counted = rate * total / rate if rate else 0.0
    for stage, spent in laps.items():
        print(f"  {stage:<11}{spent / counted / rate * 1e6:8.0f}")
    bare = rate_of(reference, prepared, BATCH, seconds)
    print(f"batches of {BATCH}: reference {bare:,.0f}/s; ratio {rate / bare:.2f}")
    single = times_of(lambda at: ours([data[at]]), len(data))
    bare_single = times_of(lambda at: reference([prepared[at]]), len(data))
    print(f"one at a time: ours p50 {np.percentile(single, 50):.2f} ms, p99 {np.percentile(single, 99):.2f} ms; "
          f"reference p50 {np.percentile(bare_single, 50):.2f} ms; ratio "
          f"{np.percentile(single, 50) / np.percentile(bare_single, 50):.2f}")  # fmt: skip


def rate_of(work: Callable[[list], None], inputs: list, size: int, seconds: float) -> float:  # type: ignore[type-arg]
    begun, done = perf_counter(), 0
    while perf_counter() - begun < seconds:
        start = done % (len(inputs) - size + 1)
        work(inputs[start : start + size])
        done += size
    return done / (perf_counter() - begun)


def times_of(work: Callable[[int], None], count: int) -> list[float]:
    times = []
    for at in range(count):
        begun = perf_counter()
        work(at)
        times.append((perf_counter() - begun) * 1000)
    return times


def make(folder: Path, tracks: int, items: int, rng: np.random.Generator) -> Release:
    als = AlsSettings()
    centres = rng.normal(size=(GROUPS, als.factors))
    vectors = centres[rng.integers(GROUPS, size=items)] + 0.7 * rng.normal(size=(items, als.factors))
    scale = 0.3 / np.sqrt(1 + np.arange(items) / 500)
    factors = np.ascontiguousarray(
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True) * scale[:, None], np.float32
    )
    artists = rng.zipf(1.3, size=tracks) % max(1, tracks // 8)
    frame = pl.DataFrame(
        {
            "track_id": [f"made-up:track:{row:09d}" for row in range(tracks)],
            "title": [f"Song number {row}" + (" (Live)" if row % 11 == 0 else "") for row in range(tracks)],
            "artist": [f"Band {artist}" for artist in artists],
            "release": [None] * tracks,
            "year": [None] * tracks,
            "duration_ms": [None] * tracks,
            "genre": [None] * tracks,
            "popularity": 1 / (1 + np.arange(tracks)),
            "listeners": np.arange(tracks)[::-1],
            "plays": np.arange(tracks)[::-1],
        },
        schema=COLUMNS,
    )
    aside = make_aside(folder)
    frame.write_parquet(aside / CATALOGUE)
    np.save(aside / FACTORS, factors)
    np.save(aside / GRAM, factors.T @ factors)
    queries = factors[rng.integers(items, size=(256, 20))].mean(axis=1)
    index, measured = build(factors, queries, als.exact_items, als.min_recall, 1)
    print(f"{tracks:,} tracks, {items:,} with factors, {type(index).__name__}: {measured}")
    faiss.write_index(index, str(aside / INDEX))
    fitted = {"als": msgspec.to_builtins(als), "taste": msgspec.to_builtins(TasteSettings())}
    publish(aside, folder, Manifest(folder.name, FORMAT, 0, {}, tracks, 0, 0, {}, fitted, {}, {}))
    return load(folder)


def profile(release: Release, known: int, rng: np.random.Generator) -> bytes:
    """Someone who keeps to a few tracks' neighbourhoods, popular ones first."""
    seeds = release.factors[rng.integers(min(5_000, len(release.factors)), size=4)]
    _, near = search(release.index, seeds, known)
    rows = rng.choice(np.unique(near[near >= 0]), size=known)
    folded, taste = Profile(), TasteSettings()
    for offset, row in enumerate(np.concatenate((rows, rng.choice(rows, size=known))).tolist()):
        at = (NOON + offset * 3_600) * 1000
        catalogue = release.catalogue
        listen = Listen(f"e{offset}", "ann", catalogue.track_ids[row], at, "play", catalogue.artists[row])
        fold(folded, listen, offset, taste)
    return folded.encode()


if __name__ == "__main__":
    main()
