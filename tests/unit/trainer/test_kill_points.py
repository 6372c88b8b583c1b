"""Killed at any point, a training leaves a whole release or none, beside older ones, and what else it left is swept.

Each of its changes to the releases' folder (a file opened for writing, a folder made, renamed or removed) is a point;
the process ends itself there with SIGKILL, before the change is made.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import polars as pl
import pytest

from models import release
from models.als.settings import AlsSettings
from models.ranker.settings import RankerSettings
from models.rehearsal import CheckSettings
from models.release import BadRelease
from models.train import TrainSettings
from services.trainer.columns import TRACKS
from services.trainer.job import Job
from services.trainer.releases import unannounced
from tests.unit.models.evaluation.logs import END, crowd, tracks_of

KILLS = 12  # spread over the points; the last ones, where the release appears, are all among them
CHILD = """
import os, signal, sys
root, point, at = sys.argv[1], int(sys.argv[2]), 0
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}

def audit(event, details):
    global at
    if event == "open":
        path, mode, flags = details
        writes = (mode and any(letter in mode for letter in "wax+")) or (flags and flags & (os.O_WRONLY | os.O_RDWR))
        if not writes:
            return
    elif event not in CHANGES:
        return
    if not str(details[0]).startswith(root):
        return
    at += 1
    if at == point:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(audit)
from services.trainer.child import main
main()
print(at, file=sys.stderr)
"""
SETTINGS = TrainSettings(
    als=AlsSettings(factors=4, iterations=2),
    ranker=RankerSettings(listeners=0),
    check=CheckSettings(share=0.3, listeners=5),  # too few to hold it back
    threads=1,
)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("history")
    listens = crowd(3, listeners=8, tracks=40, weeks=4)
    listens.write_parquet(folder / "listens.parquet")
    tracks = tracks_of(listens)
    missing = {name: kind for name, kind in TRACKS.items() if name not in tracks.columns}
    tracks.with_columns(pl_nulls(missing)).select(list(TRACKS)).write_parquet(folder / "tracks.parquet")
    return Job("r1", END * 1000, [str(folder / "listens.parquet")], str(folder / "tracks.parquet"), "", {}, {},
               SETTINGS, 0)  # fmt: skip


def pl_nulls(kinds: dict[str, pl.DataType]) -> list[pl.Expr]:
    return [pl.lit(None).cast(kind).alias(name) for name, kind in kinds.items()]


def trained(job: Job, root: Path, point: int, older: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Train, beside a copy of the release `older`, in a process killed at its `point`-th change; 0: never."""
    root.mkdir()
    if older is not None:
        shutil.copytree(older, root / older.name)
    done = msgspec.structs.replace(job, root=str(root))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
    command = [sys.executable, "-c", CHILD, str(root), str(point)]
    return subprocess.run(command, input=msgspec.json.encode(done), capture_output=True, env=environ, timeout=300)


@pytest.mark.slow
def test_killed_at_any_point_it_leaves_a_whole_release_or_none(job: Job, tmp_path: Path) -> None:
    before = msgspec.structs.replace(job, release_id="r0", now_ms=job.now_ms - 1)
    assert trained(before, tmp_path / "before", 0).returncode == 0
    older = tmp_path / "before" / "r0"
    whole = trained(job, tmp_path / "whole", 0, older)
    assert whole.returncode == 0, whole.stderr.decode()
    points = int(whole.stderr.split()[-1])
    assert points > 20  # the rehearsal's files and the release's own
    chosen = sorted({1 + points * at // KILLS for at in range(KILLS)} | set(range(points - 2, points + 1)))
    found = []
    for point in chosen:
        root = tmp_path / f"at-{point}"
        assert trained(job, root, point, older).returncode == -signal.SIGKILL
        visible = sorted(path for path in root.iterdir() if not path.name.startswith("."))
        assert [release.check(folder).release_id for folder in visible] in (["r0"], ["r0", "r1"])  # none is half made
        assert unannounced(root, None) == visible[-1]
        release.sweep(root)
        assert sorted(root.iterdir()) == visible
        found.append(len(visible) == 2)
    assert (found[0], found[-1]) == (False, True)
    assert found == sorted(found)  # once it is there, it stays


def test_a_release_without_its_manifest_is_none(tmp_path: Path) -> None:
    """What the test above would find if files were written in place."""
    (tmp_path / "r1").mkdir()
    with pytest.raises(BadRelease):
        release.check(tmp_path / "r1")
