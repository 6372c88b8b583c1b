"""Training on files, without a broker: `segue train`. The trainer's own code on two frames."""

from functools import partial
from pathlib import Path

import polars as pl

from models.fitted import Progress
from models.interactions import distinct
from models.profile import Profile
from models.release import Release
from models.taste import TasteSettings, fold
from models.train import TrainSettings, train
from schemas.events import Listen
from services.runtime.files import write_private

PROFILES = "profiles.parquet"
STEP = 50_000  # listens between two signs of progress

_FIELDS = tuple(name for name in Listen.__struct_fields__ if name != "event_id")


def train_files(
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    out: Path,
    settings: TrainSettings,
    now_ms: int,
    progress: Progress = lambda _step, _done: None,
    service: Release | None = None,
) -> Path:
    """Write the release `out` and beside its files `profiles.parquet`; `out`.

    `listens` has the fields of `Listen` (user_id, track_id and listened_at at least), `tracks` those of `Track`; of two
    rows of a track the later wins. The profiles are those that a profiler would hold after these listens, in the order
    of their time. They are personal data and no part of the release: the manifest does not name them and no scorer
    reads them. `service`: a release to be held against, as for models.train.train.
    Raises like models.train.train, and ValueError for a column that is missing.
    """
    ordered = distinct(listens).sort("listened_at", maintain_order=True)
    described = tracks.unique("track_id", keep="last", maintain_order=True)
    out = out.absolute()
    train(
        ordered, described, out.parent, settings,
        release_id=out.name, now_ms=now_ms, window={}, service=service, progress=progress,
    )  # fmt: skip
    profiles = fold_all(ordered, settings.taste, progress)
    write_private(out / PROFILES, partial(profiles.write_parquet, compression="zstd"))
    return out


def fold_all(listens: pl.DataFrame, taste: TasteSettings, progress: Progress) -> pl.DataFrame:
    """(user_id, profile): the bytes of every listener's profile after `listens`, folded in their order."""
    profiles: dict[str, Profile] = {}
    present = [name for name in _FIELDS if name in listens.columns]
    ids = listens["event_id"] if "event_id" in listens.columns else [f"row:{row}" for row in range(listens.height)]
    progress("profiles", 0.0)
    rows = listens.select(present).iter_rows(named=True)
    for offset, (event_id, row) in enumerate(zip(ids, rows, strict=True)):
        listen = Listen(event_id=event_id, **row)
        profile = profiles.get(listen.user_id)
        if profile is None:
            profile = profiles[listen.user_id] = Profile()
        fold(profile, listen, offset, taste)
        if offset % STEP == 0:
            progress("profiles", offset / listens.height)
    progress("profiles", 1.0)
    encoded = {"user_id": list(profiles), "profile": [profile.encode() for profile in profiles.values()]}
    return pl.DataFrame(encoded, schema={"user_id": pl.String, "profile": pl.Binary})


def profile_of(release: Path, user_id: str) -> bytes | None:
    """A listener's profile, as `train_files` left it beside a release; None for one it has never met.

    Raises FileNotFoundError when the release was not trained on files.
    """
    path = release / PROFILES
    if not path.is_file():
        raise FileNotFoundError(f"{path}: only a release made by `segue train` has its listeners' profiles beside it")
    found = pl.scan_parquet(path).filter(pl.col("user_id") == user_id).select("profile").collect()
    return bytes(found.item()) if found.height else None
