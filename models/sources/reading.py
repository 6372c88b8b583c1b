"""The first stage: a batch of profiles' bytes, read into rows of the release, all listeners at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.flat import Flat
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
        flat = Flat(views)
        all_rows = self._shelf.catalogue.rows_of_short(flat.keys)
        age = np.repeat([view.newest for view in views], np.diff(flat.track_starts)) - flat.steps
        weights = flat.weights * (np.exp2(age * -self._rate) / UNIT)
        lasts, plays, skips = flat.lasts, flat.plays, flat.skips
        played = flat.skipped == 0
        recent = all_rows[flat.places]
        past = np.split(
            self._shelf.catalogue.rows_of_prefixes(np.concatenate([view.past for view in views])),
            np.cumsum([len(view.past) for view in views])[:-1],
        )
        # What a release knows of each listener, still one after the other.
        kept = all_rows >= 0
        ends = np.append(0, np.cumsum(kept))[flat.track_starts[1:]]
        rows, weights, plays, skips, lasts = all_rows[kept], weights[kept], plays[kept], skips[kept], lasts[kept]
        bounds = flat.play_starts.tolist()
        listeners, start = [], 0
        for at, (view, end) in enumerate(zip(views, ends.tolist(), strict=True)):
            own, latest = slice(start, end), slice(bounds[at], bounds[at + 1])
            heard = _Heard(recent[latest], flat.times[latest], played[latest])
            banned, works = self._dropped(view, heard)
            artists = self._shelf.artists_of(view.banned_artists) if len(view.banned_artists) else NO_ROWS
            if len(banned):
                weights[own][np.isin(rows[own], banned)] = 0.0
            if len(artists):
                weights[own][np.isin(self._shelf.artists[rows[own]], artists)] = 0.0
            if len(past[at]):
                heard = _in_order(past[at], view, heard)
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

    def _dropped(self, view: ProfileView, latest: "_Heard") -> tuple[Rows, Rows]:
        """The rows of the banned tracks, and the works of these and of what was just played.

        Just played are the last plays, by number and by time; a skipped track counts as played.
        """
        since = int(np.searchsorted(latest.times, view.newest - self._seconds, side="right"))
        both = latest.rows[max(0, min(len(latest.rows) - self._plays, since)) :]
        banned = NO_ROWS
        if len(view.banned):
            banned = self._shelf.catalogue.rows_of(view.banned)
            banned = banned[banned >= 0]
            both = np.concatenate((banned, both))
        return banned, self._shelf.works[both[both >= 0]] if len(both) else NO_ROWS


class _Heard(NamedTuple):
    """Plays and skips, oldest first; parallel."""

    rows: Rows
    times: Rows
    played: NDArray[np.bool_]


def _in_order(rows: Rows, view: ProfileView, latest: _Heard) -> _Heard:
    """The past and the latest by their times. A past is not so when old listens came after newer ones were sealed."""
    heard = _Heard(
        np.concatenate((rows, latest.rows)),
        np.concatenate((view.past_times, latest.times)),
        np.concatenate((view.past_played, latest.played)),
    )
    if bool((heard.times[1:] >= heard.times[:-1]).all()):
        return heard
    order = np.argsort(heard.times, kind="stable")
    return _Heard(heard.rows[order], heard.times[order], heard.played[order])
