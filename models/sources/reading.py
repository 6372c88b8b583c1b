"""The first stage: a batch of profiles' bytes, read into rows of the release, all listeners at once."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.profile import ProfileView
from models.sources.base import NO_ROWS, Listener, Rows
from models.sources.settings import ListSettings
from models.sources.shelf import Shelf
from models.taste import DAY, UNIT

STRANGER = Listener()


class Reader:
    """Reads profiles for one release. `half_life_days` is what the profiles' weights were folded with."""

    def __init__(self, shelf: Shelf, settings: ListSettings, half_life_days: float) -> None:
        self._shelf = shelf
        self._plays = settings.just_played
        self._seconds = settings.just_played_minutes * 60
        self._rate = 1.0 / (half_life_days * DAY)

    def read(self, views: Sequence[ProfileView | None]) -> list[Listener]:
        """One Listener a view; STRANGER for None. Only event times count, never a clock."""
        known = [view for view in views if view is not None]
        if not known:
            return [STRANGER] * len(views)
        read = iter(self._read_known(known))
        return [STRANGER if view is None else next(read) for view in views]

    def _read_known(self, views: list[ProfileView]) -> list[Listener]:
        counts = [len(view.tracks) for view in views]
        rows = self._shelf.catalogue.rows_of(_flat([view.tracks for view in views]))
        lasts = _flat([view.lasts for view in views]).astype(np.int64)
        age = np.repeat([view.newest for view in views], counts) - lasts
        weights = _flat([view.weights for view in views]) * (np.exp2(age * -self._rate) / UNIT)
        plays = _flat([view.track_plays for view in views]).astype(np.int64)
        skips = _flat([view.track_skips for view in views]).astype(np.int64)
        recent = np.split(
            self._shelf.catalogue.rows_of(_flat([view.recent for view in views])), _ends(view.recent for view in views)
        )
        past = np.split(
            self._shelf.catalogue.rows_of_prefixes(np.concatenate([view.past for view in views])),
            _ends(view.past for view in views),
        )
        # What a release knows of each listener, still one after the other.
        kept = rows >= 0
        ends = np.append(0, np.cumsum(kept))[np.cumsum(counts)]
        rows, weights, plays, skips, lasts = rows[kept], weights[kept], plays[kept], skips[kept], lasts[kept]
        dropped = self._dropped(views)
        listeners, start = [], 0
        for at, (view, (banned, works), end) in enumerate(zip(views, dropped, ends.tolist(), strict=True)):
            own = slice(start, end)
            artists = self._shelf.artists_of(view.banned_artists) if len(view.banned_artists) else NO_ROWS
            if len(banned):
                weights[own][np.isin(rows[own], banned)] = 0.0
            if len(artists):
                weights[own][np.isin(self._shelf.artists[rows[own]], artists)] = 0.0
            heard = _in_order(
                np.concatenate((past[at], recent[at])),
                np.concatenate((view.past_times, view.recent_times)).astype(np.int64),
                np.concatenate((view.past_played, view.recent_played)).astype(bool),
            )
            listeners.append(
                Listener(
                    newest=view.newest,
                    rows=rows[own],
                    weights=weights[own],
                    plays=plays[own],
                    skips=skips[own],
                    lasts=lasts[own],
                    recent=heard.rows,
                    recent_times=heard.times,
                    recent_played=heard.played,
                    met=view.met,
                    works=works,
                    artists=artists,
                )
            )
            start = end
        return listeners

    def _dropped(self, views: list[ProfileView]) -> list[tuple[Rows, Rows]]:
        """For each view the rows of its banned tracks, and the works of these and of what was just played."""
        just = [self._just_played(view) for view in views]
        keys = [key for view, played in zip(views, just, strict=True) for key in (view.banned, played)]
        rows = self._shelf.catalogue.rows_of(_flat(keys))
        bounds = np.cumsum([0, *map(len, keys)]).tolist()
        dropped = []
        for at in range(0, 2 * len(views), 2):
            banned, both = rows[bounds[at] : bounds[at + 1]], rows[bounds[at] : bounds[at + 2]]
            dropped.append((banned[banned >= 0], self._shelf.works[both[both >= 0]] if len(both) else NO_ROWS))
        return dropped

    def _just_played(self, view: ProfileView) -> NDArray[np.int64]:
        """Keys of the last plays, by number and by time; a skipped track counts as played."""
        since = int(np.searchsorted(view.recent_times, view.newest - self._seconds, side="right"))
        return view.recent[max(0, min(len(view.recent) - self._plays, since)) :]


class _Heard(NamedTuple):
    """Plays and skips, oldest first; parallel."""

    rows: Rows
    times: Rows
    played: NDArray[np.bool_]


def _in_order(rows: Rows, times: Rows, played: NDArray[np.bool_]) -> _Heard:
    """By their times. A head is so; a past is not when old listens came in after newer ones had been sealed."""
    if len(times) < 2 or bool((times[1:] >= times[:-1]).all()):
        return _Heard(rows, times, played)
    order = np.argsort(times, kind="stable")
    return _Heard(rows[order], times[order], played[order])


def _ends(columns: Iterable[NDArray[np.generic]]) -> NDArray[np.int64]:
    return np.cumsum([len(column) for column in columns])[:-1]


def _flat(columns: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(columns)
