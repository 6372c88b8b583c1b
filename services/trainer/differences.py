"""What changed from one release to another: settings, figures, catalogue, sizes. Only files are read."""

from pathlib import Path
from typing import Any

import polars as pl
from msgspec import Struct

from models import release

TOP = 100


class Change(Struct, frozen=True):
    """One value in both; None where one release has it not."""

    before: Any
    after: Any


class Catalogues(Struct, frozen=True):
    """Which tracks there are."""

    before: int
    after: int
    both: int
    top_both: int  # of the TOP most popular of each, those that are so in both

    @property
    def added(self) -> int:
        """Tracks that only the later one has."""
        return self.after - self.both

    @property
    def gone(self) -> int:
        """Tracks that only the earlier one has."""
        return self.before - self.both


class Difference(Struct, frozen=True):
    """Two releases. `settings` and `versions` have only what differs; `metrics` and `files` all there is."""

    before: str
    after: str
    created: Change  # ms since epoch
    listens: Change
    listeners: Change
    settings: dict[str, Change]  # "als.factors"
    versions: dict[str, Change]
    metrics: dict[str, Change]  # "served.ndcg@100"
    files: dict[str, Change]  # bytes
    catalogue: Catalogues


def difference(before: Path, after: Path) -> Difference:
    """From the release in one folder to that in another. Raises BadRelease when either is not whole."""
    one, two = release.check(before), release.check(after)
    settings = _changes(_flat(one.settings), _flat(two.settings))
    versions = _changes(one.versions, two.versions)
    sizes = [{name: file.bytes for name, file in manifest.files.items()} for manifest in (one, two)]
    return Difference(
        before=one.release_id,
        after=two.release_id,
        created=Change(one.created_at, two.created_at),
        listens=Change(one.listens, two.listens),
        listeners=Change(one.listeners, two.listeners),
        settings={name: change for name, change in settings.items() if change.before != change.after},
        versions={name: change for name, change in versions.items() if change.before != change.after},
        metrics=_changes(_flat(_judged(one.metrics)), _flat(_judged(two.metrics))),
        files=_changes(*sizes),
        catalogue=_catalogues(before, after),
    )


def _judged(metrics: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: values for name, values in metrics.items() if name != "seconds"}


def _flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Change]:
    return {name: Change(before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())}


def _catalogues(before: Path, after: Path) -> Catalogues:
    one, two = (
        pl.read_parquet(folder / release.CATALOGUE, columns=["track_id"])["track_id"] for folder in (before, after)
    )
    tops = [set(tracks.head(TOP).to_list()) for tracks in (one, two)]
    return Catalogues(one.len(), two.len(), len(set(one.to_list()) & set(two.to_list())), len(tops[0] & tops[1]))
