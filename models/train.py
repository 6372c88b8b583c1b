"""Training: a history in, a checked release folder out. Knows no broker; the trainer and `segue train` both call it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import faiss
import msgspec
import numpy as np
import polars as pl
from msgspec import Struct

from models import fitted, heldout, index, interactions, release, sound
from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.audio.settings import AudioSettings
from models.fitted import Fitted, Progress
from models.neighbours.settings import NeighbourSettings
from models.ranker.blend import Blend
from models.ranker.lessons import lessons
from models.ranker.settings import RankerSettings
from models.ranker.teach import teach
from models.recommender import Recommender
from models.sources.settings import ListSettings
from models.taste import TasteSettings
from schemas.release import Manifest, Span

EVERYTHING = ListSettings(artist_cap=0, just_played=0, just_played_minutes=0)  # a ranker is taught without filters
MADE_BY = ("faiss-cpu", "implicit", "numpy", "polars", "scipy", "segue")
QUERIES = 1_000  # listeners whose vectors the index is measured with


class CheckSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a release's worth is measured before it is made: fit on the past, ask for what came after."""

    days: float = 7.0  # the last so many days are held out …
    share: float = 0.05  # … but never more than this share of the listens
    listeners: int = 500  # drawn at random; 0: no held-out check
    seed: int = 42


class TrainSettings(Struct, frozen=True):
    """Everything that decides what a release holds; kept in its manifest, but for `threads`."""

    taste: TasteSettings = TasteSettings()
    als: AlsSettings = AlsSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    ranker: RankerSettings = RankerSettings()
    check: CheckSettings = CheckSettings()
    audio: AudioSettings = AudioSettings()
    threads: int = 0  # 0: every core


def train(
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    root: Path,
    settings: TrainSettings,
    *,
    release_id: str,
    now_ms: int,
    window: dict[str, Span],
    gaps: dict[str, list[Span]] | None = None,
    progress: Progress = lambda _step, _done: None,
) -> Path:
    """Train on everything and write the release folder root/release_id, whole and checked; its path.

    `listens`: models.interactions.COLUMNS (some may be missing), in the log's order. `tracks`: fields of `Track`, each
    track once. Neither need have any row. `gaps` are offsets inside `window` that the log had dropped unread; they are
    told under `history` in the manifest's settings. Raises DuplicateKey, FitFailed, BadRelease, or FileExistsError; in
    all cases no working folder is left.
    """
    folder = root / release_id
    if folder.exists():
        raise FileExistsError(f"{folder} exists: a release is never overwritten")
    steps = Steps(progress)
    with steps("read"):
        listens = interactions.distinct(listens)
    metrics = {}
    if settings.check.listeners:
        with steps("check"):
            metrics = _held_out(listens, tracks, settings, steps)
    rankers: dict[str, Blend] = {}
    if settings.ranker.listeners:
        with steps("ranker"):
            rankers, taught = _teach(listens, tracks, folder, settings, steps)
            metrics |= taught
    made = fitted.fit(listens, tracks, settings.taste, settings.als, settings.neighbours, settings.threads, steps.part)
    aside = release.make_aside(folder)
    try:
        with steps("index"):
            metrics["index"] = _write(made, aside)
            for mix, ranker in rankers.items():
                ranker.save(aside / release.ranker_file(mix))
        if settings.audio.on and sound.there_is(tracks):
            with steps("audio"):
                told = partial(steps.part, "audio")
                metrics |= sound.add(made, tracks, aside, settings.audio, settings.threads, told)
        metrics["seconds"] = steps.seconds
        manifest = Manifest(
            release_id=release_id,
            format=release.FORMAT,
            created_at=now_ms,
            files={},
            tracks=made.catalogue.height,
            listeners=len(made.users),
            listens=listens.height,
            window=window,
            settings=_settings(made, settings, gaps or {}),
            metrics=metrics,
            versions={name: version(name) for name in MADE_BY},
        )
        release.publish(aside, folder, manifest, probe)
    finally:
        release.discard(aside)
    return folder


class Steps:
    """Tells what is being done, and how long each step took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun: dict[str, float] = {}
        self.seconds: dict[str, float] = {}

    def part(self, step: str, done: float) -> None:
        """A step is so far (0 to 1)."""
        now = perf_counter()
        if done == 0.0:
            self._begun[step] = now
        self.seconds[step] = round(now - self._begun.setdefault(step, now), 3)
        self._progress(step, done)

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time a step from beginning to end."""
        self.part(step, 0.0)
        yield
        self.part(step, 1.0)


def _held_out(
    listens: pl.DataFrame, tracks: pl.DataFrame, settings: TrainSettings, steps: Steps
) -> dict[str, dict[str, float]]:
    """Fit on the past only and ask for what came after; {} when there is no past or nothing after it."""
    cut = heldout.cut(listens, settings.check.days, settings.check.share)
    past, after = listens.filter(pl.col("listened_at") < cut), listens.filter(pl.col("listened_at") >= cut)
    if past.is_empty() or after.is_empty():
        return {}
    later = interactions.weigh(after, settings.taste).filter(pl.col("plays") > 0).select("user_id", "track_id")
    made = fitted.fit(
        past,
        tracks,
        settings.taste,
        settings.als,
        settings.neighbours,
        settings.threads,
        lambda step, done: steps.part("check", 0.01 + 0.9 * done) if step == "als" else None,
    )
    return heldout.evaluate(made, later, settings.check.listeners, settings.check.seed)


def _teach(
    listens: pl.DataFrame, tracks: pl.DataFrame, folder: Path, settings: TrainSettings, steps: Steps
) -> tuple[dict[str, Blend], dict[str, dict[str, float]]]:
    """Rankers from what listeners played after lists that a release of the past would have made."""
    cut = heldout.cut(listens, settings.ranker.days, settings.ranker.share)
    past = listens.filter(pl.col("listened_at") < cut)
    if past.is_empty() or past.height == listens.height:
        return {}, {}
    # Of the past also in that it knows no track that nobody had heard: that it will be played would be told by that.
    met = tracks.join(past.select("track_id").unique(), on="track_id", how="semi", maintain_order="left")
    made = fitted.fit(
        past, met, settings.taste, settings.als, settings.neighbours, settings.threads,
        lambda step, done: steps.part("ranker", 0.01 + 0.2 * done) if step == "als" else None,
    )  # fmt: skip
    aside = release.make_aside(folder)
    try:
        _write(made, aside)
        manifest = Manifest(
            "past", release.FORMAT, 0, {}, made.catalogue.height, 0, 0, {}, _settings(made, settings, {}), {}, {}
        )
        recommender = Recommender(release.Release(aside, manifest), EVERYTHING)
        done = lessons(
            recommender, listens, cut // 1000, settings.taste, settings.ranker,
            lambda share: steps.part("ranker", 0.3 + 0.4 * share),
        )  # fmt: skip
    finally:
        release.discard(aside)
    return teach(done, settings.ranker, lambda share: steps.part("ranker", 0.7 + 0.29 * share))


def _write(made: Fitted, aside: Path) -> dict[str, float]:
    """Write every file but the manifest; what was measured of the index."""
    gram = made.factors.T @ made.factors
    vectors = FoldIn(made.factors, gram, made.als).vectors([made.of(user) for user in _spread(len(made.users))])
    found, measured = index.build(made.factors, vectors, made.als.exact_items, made.als.min_recall, made.als.seed)
    made.catalogue.write_parquet(aside / release.CATALOGUE, compression="zstd")
    np.save(aside / release.FACTORS, made.factors, allow_pickle=False)
    np.save(aside / release.GRAM, gram, allow_pickle=False)
    made.followers.save(aside / release.FOLLOWERS)
    made.neighbours.save(aside / release.NEIGHBOURS)
    faiss.write_index(found, str(aside / release.INDEX))
    return measured


def _spread(users: int) -> list[int]:
    return np.unique(np.linspace(0, users - 1, min(users, QUERIES)).astype(int)).tolist() if users else []


def _settings(made: Fitted, settings: TrainSettings, gaps: dict[str, list[Span]]) -> dict[str, Any]:
    used = {
        "taste": settings.taste,
        "als": made.als,
        "neighbours": settings.neighbours,
        "ranker": settings.ranker,
        "check": settings.check,
        "audio": settings.audio,
        "history": {"gaps": gaps},
    }
    builtins: dict[str, Any] = msgspec.to_builtins(used)
    return builtins


def probe(made: release.Release) -> None:
    """Ask a loaded release what a scorer will ask. Raises BadRelease when it does not answer sensibly."""
    catalogue = made.catalogue
    if len(catalogue) != made.manifest.tracks:
        raise release.BadRelease(f"{made.id}: {len(catalogue)} tracks, but the manifest says {made.manifest.tracks}")
    if not np.array_equal(catalogue.rows_of(catalogue.keys), np.arange(len(catalogue))):
        raise release.BadRelease(f"{made.id}: the catalogue does not find its own tracks")
    if not (np.all(np.diff(catalogue.popularity) <= 0) and np.all(catalogue.popularity > 0)):
        raise release.BadRelease(f"{made.id}: popularity must fall along the catalogue and stay above 0")
    items = len(made.factors)
    if not items:
        return
    first = np.arange(min(items, 3), dtype=np.int64)
    vectors = FoldIn.of(made).vectors([(first, np.ones(len(first))), (first[:0], np.empty(0))])
    if not np.isfinite(vectors).all() or vectors[1].any():
        raise release.BadRelease(f"{made.id}: the fold-in gives no sensible vector")
    scores, rows = index.search(made.index, vectors[:1], index.TOP)
    if not np.isfinite(scores[rows >= 0]).all() or not ((rows >= -1) & (rows < items)).all() or (rows[0] < 0).all():
        raise release.BadRelease(f"{made.id}: {release.INDEX} does not answer")
