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

import numpy as np
from numpy.typing import NDArray

from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.index import search
from models.profile import ProfileView
from models.recommender import Recommender
from models.sources.settings import ListSettings
from schemas.codec import encode
from services.bench.made import make, profile

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
        release = make(Path(folder) / "made-up", args.tracks, args.items or args.tracks, rng, print)
        made = perf_counter()
        recommender = Recommender(release, ListSettings())
        print(f"release made and loaded in {made - begun:.1f} s, recommender ready in {perf_counter() - made:.2f} s")
        data = [profile(release, args.known, rng).encode() for _ in range(args.listeners)]
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


if __name__ == "__main__":
    main()
