"""The sound index at 10 k, 100 k and 1 M vectors of 2,304: recall@5 and ms a query beside Flat, and bytes a vector.

The vectors are synthetic: groups around centres in so many directions as networks' vectors have, unit length. They are
made block after block, and again when they are needed again, so that of Flat's 9,216 bytes a vector never more than a
block is in memory: a query's time by Flat is the sum over the blocks. IVF without compression is measured where twice
its size is free, else it is left out and named.

    python benchmarks/audio_index.py --sizes 10000 100000
"""

import argparse
from collections.abc import Iterator
from time import perf_counter

import faiss
import numpy as np
import psutil
from numpy.typing import NDArray

from models.audio.index import FORMS, PROBES, TAUGHT, TOP, measured, size_of, trained
from models.audio.settings import VECTOR

DIRECTIONS, GROUP, SPREAD, QUERIES = 128, 20, 0.35, 200
BLOCK = 50_000

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


def blocks(count: int, seed: int) -> Iterator[Vectors]:
    """(≤ BLOCK, VECTOR) until there are `count`."""
    rng = np.random.default_rng(seed)
    axes = rng.normal(size=(DIRECTIONS, VECTOR)).astype(np.float32) / np.sqrt(np.arange(1, DIRECTIONS + 1))[:, None]
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        centres = rng.normal(size=(-(-size // GROUP), DIRECTIONS)).repeat(GROUP, axis=0)[:size]
        made = ((centres + SPREAD * rng.normal(size=centres.shape)) @ axes).astype(np.float32)
        yield made / np.linalg.norm(made, axis=1, keepdims=True)


def told(name: str, figures: dict[str, float], flat: dict[str, float]) -> None:
    smaller = 4 * VECTOR / figures["bytes"]
    print(
        f"  {name:28} recall@5 {figures['recall@5']:.3f}  {figures['query_ms']:8.3f} ms a query "
        f"(Flat {flat['query_ms']:.3f})  {figures['bytes']:5.0f} bytes a vector (1/{smaller:.0f})",
        flush=True,
    )


def measure(count: int) -> None:
    print(f"{count:,} vectors", flush=True)
    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(2)
    asked, taught = (np.sort(rng.permutation(count)[:size]) for size in (QUERIES, TAUGHT))
    sample, lessons = picked(count, asked), picked(count, taught)
    forms = {f"PCA{axes}, {code}": (trained(lessons, count, axes, code), size_of(axes, code)) for axes, code in FORMS}
    needed, free = 2 * 4 * VECTOR * count, psutil.virtual_memory().available
    if needed < free:
        forms |= {"": (plain(lessons, count), 4 * VECTOR)}
    true, seconds = exact(count, sample, [index for index, _ in forms.values()])
    flat = {"recall@5": 1.0, "query_ms": 1000 * seconds / len(sample), "bytes": 4.0 * VECTOR}
    told("Flat", flat, flat)
    for name, (index, size) in forms.items():
        inner = faiss.extract_index_ivf(index)
        for probes in PROBES[:3]:
            inner.nprobe = probes
            label = f"{name or f'IVF{inner.nlist}'}, {probes} lists"
            told(label, measured(index, sample, true, size), flat)
    if needed >= free:
        print(f"  IVF without compression: left out, {needed / 1e9:.0f} GB are not free")


def picked(count: int, rows: Rows) -> Vectors:
    """These of the vectors; rows rising."""
    parts = []
    for at, block in enumerate(blocks(count, 1)):
        own = rows[(rows >= at * BLOCK) & (rows < at * BLOCK + len(block))]
        parts.append(block[own - at * BLOCK])
    return np.concatenate(parts)


def plain(lessons: Vectors, count: int) -> faiss.Index:
    lists = max(1, min(4 * int(count**0.5), len(lessons) // 40))
    index = faiss.index_factory(VECTOR, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
    index.train(lessons)
    return index


def exact(count: int, sample: Vectors, others: list[faiss.Index]) -> tuple[Rows, float]:
    """The true five of each query, and the seconds that all took, asked one at a time; fills the other indexes."""
    scores = np.full((len(sample), 0), 0.0, dtype=np.float32)
    rows = np.full((len(sample), 0), 0, dtype=np.int64)
    seconds = 0.0
    for at, block in enumerate(blocks(count, 1)):
        for index in others:
            index.add(block)
        flat = faiss.IndexFlatIP(VECTOR)
        flat.add(block)
        begun = perf_counter()
        found = [flat.search(sample[row : row + 1], TOP) for row in range(len(sample))]
        seconds += perf_counter() - begun
        scores = np.concatenate((scores, np.concatenate([each[0] for each in found])), axis=1)
        rows = np.concatenate((rows, np.concatenate([each[1] for each in found]) + at * BLOCK), axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        scores, rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
    return rows, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    for count in parser.parse_args().sizes:
        measure(count)


if __name__ == "__main__":
    main()
