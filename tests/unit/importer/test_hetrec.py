from pathlib import Path

import polars as pl
import pytest

from tests.unit.importer.conftest import read_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "user_artists.dat").write_text("userID\tartistID\tweight\n2\t51\t1\n2\t52\t7\n2\t53\t8\n3\t51\t13883\n")
    (tmp_path / "artists.dat").write_text("id\tname\turl\tpictureURL\n51\tAnn\tu\tp\n52\tBøb\tu\tp\n")
    return tmp_path


def test_a_count_becomes_so_many_listens_as_it_has_binary_digits(folder: Path) -> None:
    found = read_file(folder)
    assert found.bad == []
    plays = found.listens.group_by("user_id", "artist").len().sort("user_id", "artist").rows()
    assert plays == [("2", "Ann", 1), ("2", "Bøb", 3), ("2", "artist 53", 4), ("3", "Ann", 14)]
    assert set(found.tracks.select("track_id", "title", "artist").rows()) == {
        ("hetrec:artist:51", "Ann", "Ann"),
        ("hetrec:artist:52", "Bøb", "Bøb"),
        ("hetrec:artist:53", "artist 53", "artist 53"),
    }


def test_it_is_the_same_on_every_run_and_within_one_year(folder: Path) -> None:
    first, again = read_file(folder), read_file(folder / "user_artists.dat")
    assert first.listens.equals(again.listens)
    assert first.listens["event_id"].n_unique() == first.listens.height
    year = pl.Series([1_275_350_400_000, 1_275_350_400_000 + 365 * 86_400_000])
    assert first.listens["listened_at"].is_between(year[0], year[1]).all()


def test_bad_counts_are_told(folder: Path) -> None:
    (folder / "user_artists.dat").write_text("userID\tartistID\tweight\n2\t51\tmany\n2\t51\t-3\n2\t51\t0\n2\t51\t1\n")
    found = read_file(folder)
    assert found.listens.height == 1
    assert found.bad == [f"user_artists.dat: row {n}: not three positive whole numbers" for n in (2, 3, 4)]


def test_a_folder_without_counts_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_text("")
    found = read_file(tmp_path / "x.dat", "hetrec")
    assert found.bad == ["x.dat: no user_artists.dat in the folder"]


def test_the_real_set_gives_a_listen_a_digit() -> None:
    real = Path(__file__).parents[4] / "shared/data/hetrec2011-lastfm-2k"
    if not real.is_dir():
        pytest.skip("needs ../shared/data/hetrec2011-lastfm-2k")
    counts = pl.read_csv(real / "user_artists.dat", separator="\t")
    found = read_file(real)
    assert found.listens.height == sum(count.bit_length() for count in counts["weight"])
    assert (found.tracks.height, found.bad) == (counts["artistID"].n_unique(), [])
