from pathlib import Path

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace

from models import release
from models.als.settings import AlsSettings
from models.train import TrainSettings, train
from schemas.release import Gate, ReleaseAnnounced
from services.trainer.releases import announcement, listing, prune, show, unannounced, way_back

LISTENS = pl.DataFrame(
    {"user_id": ["u", "u", "v"], "track_id": ["a", "b", "a"], "listened_at": [1_700_000_000_000] * 3}
)
TRACKS = pl.DataFrame(schema={"track_id": pl.String})


def made(root: Path, name: str, at: int) -> Path:
    return train(
        LISTENS, TRACKS, root, TrainSettings(als=AlsSettings(factors=2)), release_id=name, now_ms=at, window={}
    )


def held_back(folder: Path) -> Path:
    """As if its gate had not let it through."""
    manifest = release.read_manifest(folder)
    gate = Gate(promoted=False, reason="worse than the one in service")
    (folder / release.MANIFEST).write_bytes(msgspec.json.encode(replace(manifest, gate=gate)))
    return folder


def announced(name: str, at: int) -> ReleaseAnnounced:
    return ReleaseAnnounced(name, "x", "0" * 64, at)


def test_releases_are_listed_newest_first_and_what_is_none_last(tmp_path: Path) -> None:
    for name, at in (("b", 20), ("a", 10), ("c", 30)):
        made(tmp_path, name, at)
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()
    listed = listing(tmp_path, current="a")
    assert [found.folder.name for found in listed] == ["c", "b", "a", "notes"]
    assert [found.current for found in listed] == [False, False, True, False]
    assert "not a release folder?" in listed[-1].problem
    assert listed[0].size > 1_000
    assert listing(tmp_path / "nowhere") == []


def test_showing_checks_every_byte(tmp_path: Path) -> None:
    folder = made(tmp_path, "a", 10)
    assert show(folder).problem == ""
    (folder / release.GRAM).write_bytes(b"altered")
    assert release.GRAM in show(folder).problem


def test_an_announcement_names_the_manifest_it_is_of(tmp_path: Path) -> None:
    folder = made(tmp_path, "a", 10)
    message = announcement(folder, 50, "before")
    assert (message.release_id, message.announced_at, message.previous) == ("a", 50, "before")
    assert Path(message.uri) == folder.resolve()
    assert release.load(Path(message.uri), message.sha256).id == "a"
    assert "index.recall@100" in message.metrics


def test_a_release_whose_trainer_was_killed_before_announcing_it_is_found(tmp_path: Path) -> None:
    made(tmp_path, "a", 10)
    newest = made(tmp_path, "b", 20)
    assert unannounced(tmp_path, None) == newest
    assert unannounced(tmp_path, announced("a", 11)) == newest
    assert unannounced(tmp_path, announced("b", 21)) is None


def test_one_that_its_gate_held_back_is_not_announced_after_a_restart(tmp_path: Path) -> None:
    older = made(tmp_path, "a", 10)
    held_back(made(tmp_path, "b", 20))
    assert unannounced(tmp_path, None) == older
    assert unannounced(tmp_path, announced("a", 11)) is None


def test_a_release_that_was_rolled_back_is_not_announced_again(tmp_path: Path) -> None:
    made(tmp_path, "a", 10)
    made(tmp_path, "b", 20)
    assert unannounced(tmp_path, announced("a", 99)) is None


@pytest.mark.parametrize(
    ("history", "way"),
    [
        ("", ""),
        ("a", ""),
        ("a b<a", "a"),
        ("a b<a c<b", "a b"),
        ("a b<a c<b b<a", "a"),  # rolled back once …
        ("a b<a c<b b<a a", ""),  # … and twice
        ("a b<a a b<a", "a"),  # put in force again
        ("a b<a c<b b<a d<b", "a b"),
        ("a b<a a<b", "a b"),  # the older one by hand …
        ("a b<a a<b b<a", "a"),  # … which is then rolled back
        ("a b<a a<b b<a a", ""),
        ("a b<a a<b c<a", "a"),
        ("d<c", "c"),  # what came before has been cleaned away
        ("d<c c", ""),
        ("a c<b", "b"),
    ],
)
def test_the_way_back_never_leads_to_what_was_rolled_back(history: str, way: str) -> None:
    told = [each.partition("<") for each in history.split()]
    messages = [replace(announced(name, at), previous=before or None) for at, (name, _, before) in enumerate(told)]
    assert way_back(messages) == way.split()


def test_pruning_keeps_the_newest_the_current_and_what_is_no_release(tmp_path: Path) -> None:
    for at in range(1, 6):
        made(tmp_path, f"r{at}", at)
    (tmp_path / "notes").mkdir()
    assert sorted(path.name for path in prune(tmp_path, 2, {"r1"})) == ["r2", "r3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes", "r1", "r4", "r5"]
    assert show(tmp_path / "r1").problem == ""
