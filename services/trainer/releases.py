"""The folder that releases are published in: what is there, which is newest, which may go."""

import logging
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from msgspec import Struct

from models import release
from schemas.release import Manifest, ReleaseAnnounced

log = logging.getLogger(__name__)


class Listed(Struct, frozen=True):
    """One folder. `manifest` is None and `problem` says why when it is no release that this version reads."""

    folder: Path
    manifest: Manifest | None
    size: int  # bytes
    current: bool
    problem: str = ""


def listing(root: Path, current: str | None = None) -> list[Listed]:
    """The releases in `root`, newest first, then what cannot be read. `current` is the announced release's id.

    Only manifests are read; models.release.check reads every byte.
    """
    folders = [path for path in root.iterdir() if path.is_dir() and path.name[0] != "."] if root.is_dir() else []
    listed = [_listed(folder, current) for folder in sorted(folders)]
    return sorted(listed, key=lambda found: -found.manifest.created_at if found.manifest else 1)


def show(folder: Path, current: str | None = None) -> Listed:
    """One release, every byte checked: `problem` says what is wrong with it."""
    listed = _listed(folder, current)
    try:
        release.check(folder)
    except release.BadRelease as error:
        return Listed(folder, listed.manifest, listed.size, listed.current, str(error))
    return listed


def announcement(folder: Path, now_ms: int, previous: str | None) -> ReleaseAnnounced:
    """The message that puts a release in force. Raises BadRelease when any byte of it is not as published."""
    manifest = release.check(folder)
    flat = {
        f"{model}.{name}": value
        for model, values in manifest.metrics.items()
        if model != "seconds"
        for name, value in values.items()
    }
    return ReleaseAnnounced(
        release_id=manifest.release_id,
        uri=str(folder.resolve()),
        sha256=release.sha256_of(folder / release.MANIFEST),
        announced_at=now_ms,
        metrics=flat,
        previous=previous,
    )


def unannounced(root: Path, current: ReleaseAnnounced | None) -> Path | None:
    """The newest release, if it was made after the current one was announced: a trainer was killed between the two.

    Made before, it was replaced or rolled back on purpose, and is left alone; so is one that its gate held back.
    """
    newest = next((found for found in listing(root) if found.manifest and promoted(found.manifest)), None)
    if newest is None or newest.manifest is None:
        return None
    known = current is not None and (
        newest.manifest.release_id == current.release_id or newest.manifest.created_at <= current.announced_at
    )
    return None if known else newest.folder


def way_back(history: Sequence[ReleaseAnnounced]) -> list[str]:
    """The releases that rollbacks would put in force one after the other, the next one last; from all announcements.

    One that was rolled back stands on it no longer, so to roll back twice is to go two back, not to return.
    """
    way: list[str] = []
    for each in history:
        if each.previous in way:
            del way[way.index(each.previous) + 1 :]
        else:
            way = [each.previous] if each.previous else []
        way.append(each.release_id)
    return way[:-1]


def promoted(manifest: Manifest) -> bool:
    """Whether its gate lets a release be announced; one that nobody judged may be."""
    return manifest.gate is None or manifest.gate.promoted


def folder_of(announced: ReleaseAnnounced) -> Path:
    """Where an announced release was published."""
    return Path(announced.uri.removeprefix("file://"))


def prune(root: Path, keep: int, needed: Collection[str]) -> list[Path]:
    """Remove all but the newest `keep` releases and the `needed` ones; which. What is no release is left alone."""
    readable = [found for found in listing(root) if found.manifest]
    gone = [each.folder for each in readable[keep:] if each.manifest and each.manifest.release_id not in needed]
    for folder in gone:
        # Renamed first: a scorer never finds a release that is half removed.
        aside = release.make_aside(folder)
        folder.rename(aside / folder.name)
        shutil.rmtree(aside)
        log.info("removed release %s", folder.name)
    return gone


def _listed(folder: Path, current: str | None) -> Listed:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    try:
        manifest = release.read_manifest(folder)
    except release.BadRelease as error:
        return Listed(folder, None, size, current=False, problem=str(error))
    return Listed(folder, manifest, size, manifest.release_id == current)
