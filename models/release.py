"""A release: what the trainer hands the scorer, as a folder of plain files under one manifest. No pickle anywhere.

manifest.json       ids, hashes, window, metrics, settings; written last: a folder without it is not a release
catalogue.parquet   one row a track, most popular first: row r is item r of every other file
keys.npy            int64 (2, rows): the keys of tracks and of their artists; not in releases of earlier versions
als_factors.npy     float32 (items, factors): the first `items` rows of the catalogue
als_gram.npy        float32 (factors, factors): YᵀY of the factors, for the fold-in
followers*.npy      for the first rows what is played next, a models.neighbours.table.Table
neighbours*.npy     for each what is played around it, another
beside*.npy         for the first row of each artist those of artists played beside; not in releases of earlier versions
ranker_<mix>.onnx   the neural ranker of a mix (models.ranker.network), where one was worth having; or
ranker_<mix>.npz    a models.ranker.blend.Blend, where that was
als.faiss           inner-product index over the factors; its ids are catalogue rows
lyrics*             what is known of songs by their words, models.lyrics.songs; not in every release
audio*              what its tracks sound like, where recordings were known: models.audio.part
bridge*             factors of tracks that nobody has played, by what is known of them: models.bridge.part
"""

import hashlib
import re
import shutil
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any
from uuid import uuid4

import faiss
import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.audio.part import FILES as SOUNDS
from models.audio.part import Sounds
from models.bridge import part as bridge
from models.catalogue import Catalogue
from models.disk import flush
from models.lyrics import songs
from models.neighbours.table import EMPTY, Table
from models.places import places_in
from models.ranker.taught import load_ranker
from models.sources.settings import RANKED
from schemas.release import Manifest, ReleaseFile

FORMAT = 2
MANIFEST = "manifest.json"
READ = 8 << 20  # bytes at once: each piece asks for Python's lock, which another thread makes lists with
CATALOGUE, FACTORS, GRAM, INDEX = "catalogue.parquet", "als_factors.npy", "als_gram.npy", "als.faiss"
KEYS = "keys.npy"
FOLLOWERS, NEIGHBOURS, BESIDE = "followers", "neighbours", "beside"  # two files each
REQUIRED = (CATALOGUE, FACTORS, GRAM, INDEX, *Table.files(FOLLOWERS), *Table.files(NEIGHBOURS))


_ASIDE = re.compile(r"\..+\.[0-9a-f]{8}")  # what make_aside makes


def has_sounds(manifest: Manifest) -> bool:
    """Whether a release has the optional part models.audio.part.Sounds."""
    return all(name in manifest.files for name in SOUNDS)


class BadRelease(ValueError):
    """A folder that is not a whole, unaltered release of a known format; the text names the file."""


class Release:
    """A release in memory, ready to answer. Read only; shared by everything that makes one list."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.id = manifest.release_id
        self.manifest = manifest
        files = manifest.files or {path.name for path in folder.iterdir()}  # of one under way none are named yet
        keys = np.load(folder / KEYS, allow_pickle=False) if KEYS in files else None
        self.catalogue = Catalogue(pl.read_parquet(folder / CATALOGUE), keys=keys)
        self.factors: NDArray[np.float32] = np.load(folder / FACTORS, allow_pickle=False)
        self.gram: NDArray[np.float32] = np.load(folder / GRAM, allow_pickle=False)
        self.index = faiss.read_index(str(folder / INDEX))
        self.followers = Table.load(folder / FOLLOWERS)
        self.neighbours = Table.load(folder / NEIGHBOURS)
        there = all(name in files for name in Table.files(BESIDE))
        self.beside = Table.load(folder / BESIDE) if there else EMPTY
        found = ((mix, load_ranker(folder, mix, manifest.files)) for mix in RANKED)
        self.rankers = {mix: ranker for mix, ranker in found if ranker is not None}
        self.lyrics = songs.load(folder, set(manifest.files), len(self.catalogue))
        self.sounds = Sounds(folder, len(self.catalogue)) if has_sounds(manifest) else None
        self.cold = bridge.load(folder, set(manifest.files), len(self.catalogue), self.factors.shape)
        self._check(folder)

    def _check(self, folder: Path) -> None:
        items, factors = self.factors.shape
        if items > len(self.catalogue) or self.index.ntotal != items or self.gram.shape != (factors, factors):
            raise BadRelease(
                f"{folder}: shapes disagree: {len(self.catalogue)} tracks, factors {self.factors.shape}, "
                f"gram {self.gram.shape}, index {self.index.ntotal}"
            )
        for table in (self.followers, self.neighbours, self.beside):
            if not table.fits(len(self.catalogue)):
                raise BadRelease(
                    f"{folder}: {FOLLOWERS}, {NEIGHBOURS} or {BESIDE} is no table of rows of the catalogue"
                )
        if not (np.isfinite(self.factors).all() and np.isfinite(self.gram).all()):
            raise BadRelease(f"{folder}: {FACTORS} or {GRAM} holds a value that is not finite")

    def with_tracks(self, tracks: pl.DataFrame) -> "Release":
        """The same with tracks that came since: rows that no model knows, for the listeners who have played them.

        See Catalogue.with_tracks. Everything else is shared.
        """
        more = copy(self)
        more.catalogue = self.catalogue.with_tracks(tracks)
        more.lyrics = self.lyrics and self.lyrics.of_tracks(len(more.catalogue))
        return more

    def factors_of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(rows, factors): those that listeners made; else those of the bridge; else zeros."""
        known = (rows >= 0) & (rows < len(self.factors))
        if known.all():
            return self.factors.take(rows, axis=0)  # twice as fast as by index
        found = np.zeros((len(rows), self.factors.shape[1]), dtype=np.float32)
        found[known] = self.factors[rows[known]]
        if self.cold is not None:
            at = places_in(self.cold.rows, rows)
            found[at >= 0] = self.cold.factors[at[at >= 0]]
        return found

    def setting(self, section: str, name: str) -> Any:
        """One of the settings the models were fitted with, e.g. ("als", "regularization")."""
        return self.manifest.settings[section][name]


def load(folder: Path, manifest_sha256: str | None = None) -> Release:
    """Check every hash, then load. Raises BadRelease naming what is missing, altered or of another version."""
    manifest = check(folder, manifest_sha256)
    try:
        return Release(folder, manifest)
    except (KeyError, ValueError) as error:
        raise BadRelease(f"{folder}: {error}") from error


def check(folder: Path, manifest_sha256: str | None = None) -> Manifest:
    """The manifest of a folder whose files are all there and unaltered. Raises BadRelease."""
    manifest = read_manifest(folder, manifest_sha256)
    for name, file in manifest.files.items():
        path = folder / name
        if path.parent != folder or not path.is_file():
            raise BadRelease(f"{path}: named in the manifest but not there")
        if path.stat().st_size != file.bytes or sha256_of(path) != file.sha256:
            raise BadRelease(f"{path}: not the file that was published (its SHA-256 differs from the manifest's)")
    for name in REQUIRED:
        if name not in manifest.files:
            raise BadRelease(f"{folder / name}: missing from the manifest")
    return manifest


def read_manifest(folder: Path, manifest_sha256: str | None = None) -> Manifest:
    """Only the manifest; its files are not checked. Raises BadRelease."""
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
        manifest = msgspec.json.decode(data, type=Manifest)
    except OSError as error:
        raise BadRelease(f"{path}: {error.strerror}; not a release folder?") from error
    except msgspec.MsgspecError as error:
        raise BadRelease(f"{path}: {error}") from error
    if manifest_sha256 and hashlib.sha256(data).hexdigest() != manifest_sha256:
        raise BadRelease(f"{path}: not the manifest that was announced (its SHA-256 differs)")
    if manifest.format != FORMAT:
        raise BadRelease(f"{path}: format {manifest.format}, but this version reads format {FORMAT}")
    return manifest


def publish(
    aside: Path, folder: Path, manifest: Manifest, probe: Callable[[Release], None] = lambda _release: None
) -> str:
    """Write the manifest over the files in `aside`, flush all to disk, load and probe it, and rename it to `folder`.

    `manifest.files` is filled in here. Returns the manifest's SHA-256. Raises FileExistsError when `folder` is there,
    BadRelease and whatever `probe` raises; then nothing was renamed.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists: a release is never overwritten")
    files = {path.name: ReleaseFile(sha256_of(path), path.stat().st_size) for path in sorted(aside.iterdir())}
    data = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(manifest, files=files)), indent=2)
    (aside / MANIFEST).write_bytes(data)
    for path in aside.iterdir():
        flush(path)
    sha256 = hashlib.sha256(data).hexdigest()
    probe(load(aside, sha256))
    aside.rename(folder)
    flush(folder.parent)
    return sha256


def make_aside(folder: Path) -> Path:
    """An empty working folder beside the release to come; `publish` renames it, `discard` removes it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.parent / f".{folder.name}.{uuid4().hex[:8]}"
    aside.mkdir()
    return aside


def discard(aside: Path) -> None:
    """Remove a working folder that will not become a release."""
    shutil.rmtree(aside, ignore_errors=True)


def sweep(root: Path) -> list[Path]:
    """Remove the working folders that a killed trainer left in `root`; which."""
    left = [path for path in sorted(root.glob(".*")) if path.is_dir() and _ASIDE.fullmatch(path.name)]
    for path in left:
        discard(path)
    return left


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    hashed, some = hashlib.sha256(), np.empty(min(READ, path.stat().st_size + 1), np.uint8).data
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(some):
            hashed.update(some[:size])
    return hashed.hexdigest()
