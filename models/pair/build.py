"""The pair network of a release: taught by what is known of its recordings, and the tower's word on each."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio.extract import Heard
from models.audio.folder import Shares
from models.audio.serve import session
from models.audio.settings import VECTOR, MelSettings
from models.neighbours.table import Table
from models.pair.pictures import Picture, alike, picture
from models.pair.serve import HEAD, TOWER, VECTORS
from models.pair.settings import BANDS, FRAMES, WIDTH, PairSettings

MOST = 2_000  # recordings that it is taught with, by chance: pairs are their square
STRONG = 0.1  # of a neighbour's weight: heard together often enough to be alike
AT_ONCE = 64  # recordings that the tower is asked about

Vectors = NDArray[np.floating]  # (n, VECTOR), as models.audio.serve.evened leaves them


def build(
    heard: Sequence[Heard],
    labels: Sequence[Mapping[str, Shares]],
    artists: Sequence[str],
    rows: NDArray[np.int64],
    vectors: Vectors,
    neighbours: Table,
    folder: Path,
    mels: MelSettings,
    cache: Path | None,
    threads: int,
    progress: Callable[[float], None] = lambda _: None,
) -> float:
    """Write models.pair.serve.FILES; the graphs' difference from the network. All columns are parallel to `heard`.

    Alike are two by one artist, of the same labels, or heard around each other. Raises models.pair.fit.NoPairs.
    """
    pictures = np.stack([picture(each.mel, mels) for each in heard])
    settings = PairSettings()
    chosen = np.sort(np.random.default_rng(settings.seed).permutation(len(heard))[:MOST])
    known = alike([labels[at] for at in chosen], [artists[at] for at in chosen])
    known |= together(rows[chosen], neighbours)
    np.fill_diagonal(known, val=False)
    difference = taught(pictures[chosen], vectors[chosen], known, folder, settings, cache, threads, progress)
    write_vectors(pictures, vectors, folder)
    return difference


def write_vectors(pictures: Picture, vectors: Vectors, folder: Path) -> None:
    """What the tower in the folder makes of the recordings, beside it."""
    tower = session(folder / TOWER)
    made = []
    for at in range(0, len(pictures), AT_ONCE):
        part = slice(at, at + AT_ONCE)
        made += tower.run(["out"], {"pictures": pictures[part], "vectors": vectors[part].astype(np.float32)})
    np.save(folder / VECTORS, np.concatenate(made).astype(np.float16), allow_pickle=False)


def together(rows: NDArray[np.int64], neighbours: Table) -> NDArray[np.bool_]:
    """(n, n): which of these rows of the catalogue are strong neighbours, either way."""
    place = {row: at for at, row in enumerate(rows.tolist())}
    found = np.zeros((len(rows), len(rows)), dtype=bool)
    at, of = neighbours.entries(rows)
    for entry, seed in zip(at.tolist(), of.tolist(), strict=True):
        other = place.get(int(neighbours.rows[entry]))
        if other is not None and neighbours.weights[entry] >= STRONG:
            found[seed, other] = found[other, seed] = True
    return found


def taught(
    pictures: Picture,
    vectors: Vectors,
    known: NDArray[np.bool_],
    folder: Path,
    settings: PairSettings,
    cache: Path | None,
    threads: int,
    progress: Callable[[float], None] = lambda _: None,
) -> float:
    """Write both graphs, from the cache where the same was taught before; their difference from the network."""
    from models.onnx_graph import export  # torch
    from models.pair.fit import fit

    told = hashlib.sha256(repr(settings).encode() + np.packbits(known).tobytes())
    told.update(pictures.tobytes())
    told.update(vectors.astype(np.float16).tobytes())
    kept = cache / "pairs" / told.hexdigest()[:32] if cache else None
    if kept is None or not (kept / "difference").is_file():
        made_in = kept or folder
        made_in.mkdir(parents=True, exist_ok=True)
        seen, head = fit(pictures, vectors, known, settings, threads, progress)
        difference = max(
            export(seen, {"pictures": (BANDS, FRAMES), "vectors": (VECTOR,)}, ["out"], made_in / TOWER),
            export(head, {"first": (WIDTH,), "second": (WIDTH,)}, ["out"], made_in / HEAD),
        )
        if kept:
            (kept / "difference").write_text(repr(difference), encoding="ascii")  # last: it is whole now
    else:
        difference = float((kept / "difference").read_text(encoding="ascii"))
    if kept:
        for name in (TOWER, HEAD):
            shutil.copyfile(kept / name, folder / name)
    return difference
