"""The made-up listener that a release is warmed with."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numba.core.dispatcher import Dispatcher

from models import compose
from models.beginner import TRACKS, beginner
from models.ranker import blend, columns, features, merge
from models.sources import artists, bars, base, history, liked, neighbours, noted, own_past, recent, signals, sparse
from services.bench.made import make
from tests.unit.scorer.worlds import make_release

WARMED = """
import sys
from pathlib import Path
from models.release import load
from services.scorer.arms import Arms
from services.scorer.split import Split
from models.sources.settings import ListSettings
import tests.unit.models.test_beginner as look
plain = ListSettings()
Arms(load(Path(sys.argv[1])), Split(plain, plain)).warm([])
print(*look.cold())
"""
MODULES = (
    artists, bars, base, blend, columns, compose, features, history, liked, merge, neighbours, noted, own_past, recent,
    signals, sparse,
)  # fmt: skip
INSIDE = {  # other compiled functions have these in themselves; and the last, who asks for sources that are off
    "_around", "_followed", "_gathered", "_has_room", "_likeness", "_mark", "_merged", "_newest", "_occurrences",
    "_playing", "_repeated", "_sort", "_unheard", "_voted", "artists_at", "firsts", "is_barred", "is_noted",
    "keyed", "of_artist", "of_artists", "of_context", "of_own", "of_recent", "of_signals", "of_steps", "of_track",
    "session_start", "strongest", "sum_up", "take_out", "_kept",
}  # fmt: skip


def cold() -> list[str]:
    """Compiled functions that nobody has called in this process."""
    found = {
        name: function for module in MODULES for name, function in vars(module).items()
        if isinstance(function, Dispatcher)
    }  # fmt: skip
    return sorted(name for name, function in found.items() if not function.signatures)


def test_it_has_played_the_first_tracks_twice(tmp_path: Path) -> None:
    release = make(tmp_path / "r", 200, 200, np.random.default_rng(2))
    view = beginner(release.catalogue)
    assert sorted(release.catalogue.rows_of_short(view.tracks).tolist()) == list(range(TRACKS))
    assert view.track_plays.tolist() == [2] * TRACKS
    assert view.newest > 0


def test_an_empty_catalogue_has_a_beginner_too(tmp_path: Path) -> None:
    assert len(beginner(make_release(tmp_path / "r", [], np.zeros((0, 3), np.float32)).catalogue).tracks) == 0


def test_after_warming_with_nobody_nothing_waits_to_be_compiled(tmp_path: Path) -> None:
    make(tmp_path / "r", 200, 200, np.random.default_rng(2), ranked=True)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WARMED, str(tmp_path / "r")],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert set(done.stdout.split()) - INSIDE == {"_dialled"}  # for who sets the dial; so this look can fail
