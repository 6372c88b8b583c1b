"""Training: a history in, a checked release folder out. Knows no broker; the trainer and `segue train` both call it."""

from functools import partial
from pathlib import Path

import faiss
import numpy as np
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from models import facts, fitted, heldout, index, interactions, rehearsal, release, sound
from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.audio.settings import AudioSettings
from models.bridge import part as bridge
from models.bridge.settings import BridgeSettings
from models.catalogue import keys_of
from models.evaluation.systems import Lists
from models.fitted import Fitted, Progress
from models.lyrics import part as lyrics
from models.lyrics.settings import LyricsSettings
from models.lyrics.songs import with_sentiment
from models.neighbours.settings import NeighbourSettings
from models.ranker.lessons import Lessons, lessons
from models.ranker.settings import RankerSettings
from models.ranker.teach import Shipped, teach
from models.recommender import Recommender
from models.rehearsal import CheckSettings, Held, Rehearsed
from models.release import Release
from models.repeat import judge as repeat
from models.sources.settings import ListSettings
from models.steps import Steps
from models.taste import TasteSettings
from schemas.release import Manifest, Span

EVERYTHING = ListSettings(artist_cap=0, just_played=0, just_played_minutes=0)  # a ranker is taught without filters
QUERIES = 1_000  # listeners whose vectors the index is measured with


class TrainSettings(Struct, frozen=True):
    """Everything that decides what a release holds; kept in its manifest, but for what is only of the machine."""

    taste: TasteSettings = TasteSettings()
    als: AlsSettings = AlsSettings()
    neighbours: NeighbourSettings = NeighbourSettings()
    ranker: RankerSettings = RankerSettings()
    lyrics: LyricsSettings = LyricsSettings()
    check: CheckSettings = CheckSettings()
    lists: ListSettings = ListSettings()  # how the lists are made that it is judged by
    audio: AudioSettings = AudioSettings()
    bridge: BridgeSettings = BridgeSettings()
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
    service: Release | None = None,
    progress: Progress = lambda _step, _done: None,
) -> Path:
    """Train on everything and write the release folder root/release_id, whole and checked; its path.

    `listens`: models.interactions.COLUMNS (some may be missing), in the log's order. `tracks`: fields of `Track`, each
    track once. Neither need have any row. `gaps` are offsets inside `window` that the log had dropped unread; they are
    told under `history` in the manifest's settings. `service` is the release in service: this one is held against it
    and begins with its factors; the manifest's `gate` says whether it may take its place. Raises DuplicateKey,
    FitFailed, BadRelease, or FileExistsError; in all cases no working folder is left.
    """
    folder = root / release_id
    if folder.exists():
        raise FileExistsError(f"{folder} exists: a release is never overwritten")
    steps = Steps(progress)
    with steps("read"):
        listens = interactions.distinct(listens)
    rehearsed = _rehearse(listens, tracks, folder, settings, service, steps)
    rankers, taught = _teach(listens, tracks, folder, settings, steps)
    again = _again(listens, settings, steps)
    made = fitted.fit(
        listens, tracks, settings.taste, settings.als, settings.neighbours, settings.threads, steps.part, service
    )
    aside = release.make_aside(folder)
    try:
        found = _fill(aside, made, tracks, rankers, settings, steps)
        manifest = Manifest(
            release_id=release_id,
            format=release.FORMAT,
            created_at=now_ms,
            files={},
            tracks=made.catalogue.height,
            listeners=len(made.users),
            listens=listens.height,
            window=window,
            settings=facts.settings(made, settings, gaps or {}, listens),
            metrics={**(rehearsed.metrics if rehearsed else {}), **taught, **again, **found, "seconds": steps.seconds},
            versions=facts.versions(),
            gate=rehearsed.gate if rehearsed else None,
        )
        release.publish(aside, folder, manifest, probe)
    finally:
        release.discard(aside)
    return folder


def _rehearse(
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    folder: Path,
    settings: TrainSettings,
    service: Release | None,
    steps: Steps,
) -> Rehearsed | None:
    """Make a release of the past only and ask it for what came after; None when nothing can be or is to be held out.

    Begun from nothing, not from the factors of `service`, which may know what is asked for.
    """
    if not settings.check.listeners:
        return None
    with steps("check"):
        held = rehearsal.hold(listens, service, settings.check)
        return None if held is None else _judged(listens, tracks, folder, settings, service, held, steps)


def _judged(
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    folder: Path,
    settings: TrainSettings,
    service: Release | None,
    held: Held,
    steps: Steps,
) -> Rehearsed:
    past = listens.filter(pl.col("listened_at") < held.cut)
    met = tracks.join(past.select("track_id").unique(), on="track_id", how="semi", maintain_order="left")
    aside = release.make_aside(folder)
    try:
        made = train(
            past, met, aside, replace(settings, check=CheckSettings(listeners=0)),
            release_id=f"{folder.name}-past", now_ms=held.cut, window={},
            progress=lambda step, done: steps.part("check", 0.01 + 0.5 * done) if step == "ranker" else None,
        )  # fmt: skip
        loaded = release.load(made)
    finally:
        release.discard(aside)
    lists = Lists.of(settings.lists)
    return rehearsal.judge(
        listens, loaded, service, held, settings.check, lists, settings.taste,
        lambda share: steps.part("check", 0.55 + 0.44 * share),
    )  # fmt: skip


def _teach(
    listens: pl.DataFrame, tracks: pl.DataFrame, folder: Path, settings: TrainSettings, steps: Steps
) -> tuple[dict[str, Shipped], dict[str, dict[str, float]]]:
    """Rankers, and their figures, from what listeners played after lists that a release of the past would have made."""
    if not settings.ranker.listeners:
        return {}, {}
    with steps("ranker"):
        done = _lessons(listens, tracks, folder, settings, steps)
        return (
            teach(done, settings.ranker, lambda share: steps.part("ranker", 0.7 + 0.29 * share)) if done else ({}, {})
        )


def _lessons(
    listens: pl.DataFrame, tracks: pl.DataFrame, folder: Path, settings: TrainSettings, steps: Steps
) -> Lessons | None:
    """None when there is no past, or nothing after it."""
    cut = heldout.cut(listens, settings.ranker.days, settings.ranker.share)
    past = listens.filter(pl.col("listened_at") < cut)
    if past.is_empty() or past.height == listens.height:
        return None
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
            "past",
            release.FORMAT,
            0,
            {},
            made.catalogue.height,
            0,
            0,
            {},
            facts.settings(made, settings, {}, past),
            {},
            {},
        )
        # What was first met later joins as it does in a scorer: for those who have played it, nobody else.
        recommender = Recommender(release.Release(aside, manifest).with_tracks(tracks), EVERYTHING)
        return lessons(
            recommender, listens, cut // 1000, settings.taste, settings.ranker,
            lambda share: steps.part("ranker", 0.3 + 0.4 * share),
        )  # fmt: skip
    finally:
        release.discard(aside)


def _again(listens: pl.DataFrame, settings: TrainSettings, steps: Steps) -> dict[str, dict[str, float]]:
    """How well it can be told what will be played again; in no file, as nothing that is served asks it."""
    if not settings.check.listeners:
        return {}
    with steps("repeat"):
        found = repeat.measured(listens, settings.taste, settings.check.seed)
    return {"repeat": found} if found else {}


def _fill(
    aside: Path,
    made: Fitted,
    tracks: pl.DataFrame,
    rankers: dict[str, Shipped],
    settings: TrainSettings,
    steps: Steps,
) -> dict[str, dict[str, float]]:
    """Write every file but the manifest; what was measured of each part."""
    with steps("index"):
        metrics = {"index": _write(made, aside)}
        for mix, ranker in rankers.items():
            ranker.save(aside, mix)
    if lyrics.enough(tracks, settings.lyrics):
        with steps("lyrics"):
            told = lambda done: steps.part("lyrics", 0.01 + 0.98 * done)  # noqa: E731  # shorter so
            metrics |= lyrics.add(tracks, made.catalogue, aside, settings.lyrics, told)
            with_sentiment(made.catalogue, aside).write_parquet(aside / release.CATALOGUE, compression="zstd")
    if settings.audio.on and sound.there_is(tracks):
        with steps("audio"):
            heard = partial(steps.part, "audio")
            metrics |= sound.add(made, tracks, aside, settings.audio, settings.threads, heard)
    if settings.bridge.on:
        with steps("bridge"):
            metrics |= bridge.add(made.catalogue, made.factors, aside, settings.bridge)
    return metrics


def _write(made: Fitted, aside: Path) -> dict[str, float]:
    """Write what every release has; what was measured of the index."""
    gram = made.factors.T @ made.factors
    vectors = FoldIn(made.factors, gram, made.als).vectors([made.of(user) for user in _spread(len(made.users))])
    found, measured = index.build(made.factors, vectors, made.als.exact_items, made.als.min_recall, made.als.seed)
    made.catalogue.write_parquet(aside / release.CATALOGUE, compression="zstd")
    np.save(aside / release.KEYS, keys_of(made.catalogue), allow_pickle=False)
    np.save(aside / release.FACTORS, made.factors, allow_pickle=False)
    np.save(aside / release.GRAM, gram, allow_pickle=False)
    made.followers.save(aside / release.FOLLOWERS)
    made.neighbours.save(aside / release.NEIGHBOURS)
    made.beside.save(aside / release.BESIDE)
    faiss.write_index(found, str(aside / release.INDEX))
    return measured


def _spread(users: int) -> list[int]:
    return np.unique(np.linspace(0, users - 1, min(users, QUERIES)).astype(int)).tolist() if users else []


def probe(made: release.Release) -> None:
    """Ask a loaded release what a scorer will ask. Raises BadRelease when it does not answer sensibly."""
    catalogue = made.catalogue
    if len(catalogue) != made.manifest.tracks:
        raise release.BadRelease(f"{made.id}: {len(catalogue)} tracks, but the manifest says {made.manifest.tracks}")
    if not np.array_equal((catalogue.keys, catalogue.artist_keys), keys_of(catalogue.frame)):
        raise release.BadRelease(f"{made.id}: {release.KEYS} is not of this catalogue")
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
