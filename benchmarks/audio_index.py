"""The sound index at 10 k, 100 k and 1 M vectors of 2,304: recall@5, ms a query and bytes a vector, beside Flat.

The vectors are synthetic, of unit length: groups around centres in DIRECTIONS directions, some wider than others. What
is asked is of these groups too and stands in no index, so that nothing finds itself.

A million of them are 9.2 GB. They are made block after block, and again when they are needed again. What keeps them as
they are, Flat and IVF, holds one block at a time: a query's answers are the best of all blocks, its time the sum over
them (its nearest lists are found once, as they are the same in each block). So a million takes about 5 GB.

Times are CPU time, one thread, asked one at a time; the ratio is how many times as fast as Flat of the same run.

    python benchmarks/audio_index.py --sizes 10000 100000
"""

import argparse
import resource
from collections.abc import Callable, Iterator
from time import process_time

import faiss
import numpy as np
from numpy.typing import NDArray

from models.audio.index import FORMS, PROBES, TAUGHT, TOP, size_of, trained
from models.audio.settings import VECTOR
from models.index import recall

DIRECTIONS, GROUP, SPREAD, QUERIES = 128, 20, 0.35, 200
BLOCK = 50_000
LOOKED_INTO = PROBES[:3]  # lists

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Found = tuple[Vectors, Rows]  # scores and rows, best first
Ask = Callable[[faiss.Index, int], Found]  # an index, and the number of a query


class Asked:
    """The TOP of each query over all blocks seen, and the CPU seconds that asking took."""

    def __init__(self, ask: Ask, seconds: float = 0.0) -> None:
        self._ask, self.seconds = ask, seconds
        self._scores = np.full((QUERIES, TOP), -np.inf, dtype=np.float32)
        self.rows: Rows = np.full((QUERIES, TOP), -1, dtype=np.int64)

    def see(self, index: faiss.Index, since: int) -> None:
        """Ask an index whose row 0 is row `since` of all."""
        begun = process_time()
        found = [self._ask(index, query) for query in range(QUERIES)]
        self.seconds += process_time() - begun
        own = np.concatenate([rows for _, rows in found])
        scores = np.concatenate((self._scores, np.concatenate([scores for scores, _ in found])), axis=1)
        rows = np.concatenate((self.rows, np.where(own >= 0, own + since, -1)), axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        self._scores, self.rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)


def blocks(count: int) -> Iterator[Vectors]:
    """(≤ BLOCK, VECTOR) until there are `count`; the same ones each time."""
    rng = np.random.default_rng(1)
    widths = np.sqrt(np.arange(1, DIRECTIONS + 1, dtype=np.float32))[:, None]
    axes = rng.standard_normal((DIRECTIONS, VECTOR), dtype=np.float32) / widths
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        centres = rng.standard_normal((-(-size // GROUP), DIRECTIONS), dtype=np.float32).repeat(GROUP, axis=0)[:size]
        made = (centres + np.float32(SPREAD) * rng.standard_normal(centres.shape, dtype=np.float32)) @ axes
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        yield made


def measure(count: int) -> None:
    """Print a line for Flat, IVF and each compressed form."""
    faiss.omp_set_num_threads(1)
    total = count + QUERIES
    drawn = np.random.default_rng(2).permutation(total)
    asked, taught = np.sort(drawn[:QUERIES]), np.sort(drawn[QUERIES : QUERIES + TAUGHT])
    sample, lessons = picked(total, asked), picked(total, taught)
    forms = [(f"PCA {axes}, {code}", trained(lessons, count, axes, code), size_of(axes, code)) for axes, code in FORMS]
    ivf = plain(lessons, count)
    flat = Asked(lambda index, query: index.search(sample[query : query + 1], TOP))
    lists = {probes: looked_into(ivf, sample, probes) for probes in LOOKED_INTO}
    since = 0
    for block in without(total, asked):
        for _, index, _ in forms:
            index.add(block)
        whole = faiss.IndexFlatIP(VECTOR)
        whole.add(block)
        flat.see(whole, since)
        ivf.reset()
        ivf.add(block)
        for each in lists.values():
            each.see(ivf, since)
        since += len(block)
    print(f"{since:,} vectors", flush=True)
    told("Flat", flat, flat, 4 * VECTOR)
    for probes, each in lists.items():
        told(f"IVF{ivf.nlist}, {probes} lists", each, flat, 4 * VECTOR)
    for name, index, size in forms:
        for probes in LOOKED_INTO:
            faiss.extract_index_ivf(index).nprobe = probes
            each = Asked(lambda index, query: index.search(sample[query : query + 1], TOP))
            each.see(index, 0)
            told(f"{name}, {probes} lists", each, flat, size)
    print(f"  at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB in memory", flush=True)


def told(name: str, each: Asked, flat: Asked, size: int) -> None:
    print(
        f"  {name:28} recall@5 {recall(flat.rows, each.rows):.3f}  {1000 * each.seconds / QUERIES:9.3f} ms a query "
        f"({flat.seconds / each.seconds:6.1f} x Flat)  {size:5d} bytes a vector (1/{4 * VECTOR / size:.0f})",
        flush=True,
    )


def picked(count: int, rows: Rows) -> Vectors:
    """These of the vectors; rows rising."""
    return np.concatenate(
        [block[own - since] for since, block in numbered(count) if len(own := inside(rows, since, block))]
    )


def without(count: int, rows: Rows) -> Iterator[Vectors]:
    """All but these, block after block."""
    for since, block in numbered(count):
        yield np.delete(block, inside(rows, since, block) - since, axis=0)


def numbered(count: int) -> Iterator[tuple[int, Vectors]]:
    for at, block in enumerate(blocks(count)):
        yield at * BLOCK, block


def inside(rows: Rows, since: int, block: Vectors) -> Rows:
    return rows[(rows >= since) & (rows < since + len(block))]


def plain(lessons: Vectors, count: int) -> faiss.IndexIVF:
    """Inverted lists of the vectors as they are, as many as the compressed forms have; none in it yet."""
    lists = max(1, min(4 * int(count**0.5), len(lessons) // 40))
    index = faiss.index_factory(VECTOR, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
    index.train(lessons)
    return index


def looked_into(ivf: faiss.IndexIVF, sample: Vectors, probes: int) -> Asked:
    """Asks the `probes` lists nearest to each query, found once."""
    begun = process_time()
    near = [ivf.quantizer.search(sample[query : query + 1], probes) for query in range(QUERIES)]

    def ask(index: faiss.Index, query: int) -> Found:
        scores, lists = near[query]
        index.nprobe = probes
        found: Found = index.search_preassigned(sample[query : query + 1], TOP, lists, scores)
        return found

    return Asked(ask, process_time() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    for count in parser.parse_args().sizes:
        measure(count)


if __name__ == "__main__":
    main()
