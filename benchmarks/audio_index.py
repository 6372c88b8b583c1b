"""The sound index at 10 k, 100 k and 1 M vectors of 2,304: recall@5 and ms a query beside Flat, and bytes a vector.

The vectors are synthetic: groups around centres in so many directions as networks' vectors have, unit length. Flat and
IVF hold 9,216 bytes a vector, so a million needs 9 GB each; sizes that do not fit in memory are left out and named.

    python benchmarks/audio_index.py --sizes 10000 100000
"""

import argparse
from collections.abc import Iterator

import faiss
import numpy as np
import psutil
from numpy.typing import NDArray

from models.audio.index import FORMS, PROBES, TOP, compressed, measured, size_of
from models.audio.settings import VECTOR

DIRECTIONS, GROUP, SPREAD, QUERIES = 128, 20, 0.35, 200
BLOCK = 50_000

Vectors = NDArray[np.float32]


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
    vectors = np.concatenate(list(blocks(count, 1)))
    sample = vectors[np.random.default_rng(2).permutation(count)[:QUERIES]]
    flat = faiss.IndexFlatIP(VECTOR)
    flat.add(vectors)
    _, true = flat.search(sample, TOP)
    reference = measured(flat, sample, true, 4 * VECTOR)
    told("Flat", reference, reference)
    del flat
    lists = max(1, min(4 * int(count**0.5), count // 40))
    ivf = faiss.index_factory(VECTOR, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
    ivf.train(vectors[:: max(1, count // 40_000)])
    ivf.add(vectors)
    for probes in PROBES[:3]:
        ivf.nprobe = probes
        told(f"IVF{lists}, {probes} lists", measured(ivf, sample, true, 4 * VECTOR), reference)
    del ivf
    for axes, code in FORMS:
        index = compressed(vectors, axes, code, 1)
        for probes in PROBES[:3]:
            faiss.extract_index_ivf(index).nprobe = probes
            told(f"PCA{axes}, {code}, {probes} lists", measured(index, sample, true, size_of(axes, code)), reference)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    for count in parser.parse_args().sizes:
        needed, free = 3 * 4 * VECTOR * count, psutil.virtual_memory().available
        if needed > free:
            print(f"{count:,} vectors: left out, needs {needed / 1e9:.0f} GB and {free / 1e9:.0f} are free")
        else:
            measure(count)


if __name__ == "__main__":
    main()
