import numpy as np
import polars as pl
import pytest

from models import catalogue
from models.catalogue import COLUMNS, Catalogue, DuplicateKey, describe, keys_of, prove_distinct
from models.ids import artist_key_of, key_of


def frame(*rows: tuple[str, str]) -> pl.DataFrame:
    """(track, artist)"""
    whole = [
        {"track_id": track, "title": track.upper(), "artist": artist, "popularity": 1.0, "listeners": 1, "plays": 1}
        for track, artist in rows
    ]
    return pl.DataFrame(whole, schema=COLUMNS)


def test_rows_are_found_by_key_and_an_unknown_key_is_minus_one() -> None:
    found = Catalogue(frame(("c", "X"), ("a", "Y"), ("b", "Z")))
    keys = np.array([key_of("b"), key_of("nowhere"), key_of("c"), 0, 2**63 - 1])
    assert found.rows_of(keys).tolist() == [2, -1, 0, -1, -1]


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 4097])
def test_every_row_of_any_catalogue_is_found_and_nothing_else(size: int) -> None:
    names = [f"t{n}" for n in range(size)]
    found = Catalogue(frame(*((name, "X") for name in names)))
    order = np.random.default_rng(size).permutation(size)
    assert found.rows_of(found.keys[order]).tolist() == order.tolist()
    others = np.array([key_of(f"other{n}") for n in range(3000)])
    near = np.concatenate([found.keys - 1, found.keys + 1, others])
    assert set(found.rows_of(near[~np.isin(near, found.keys)]).tolist()) == {-1}


def test_an_empty_catalogue_knows_nothing() -> None:
    found = Catalogue(frame())
    assert len(found) == 0
    assert found.rows_of(np.array([key_of("a")])).tolist() == [-1]


def test_tracks_of_unknown_artists_are_not_one_artists() -> None:
    found = Catalogue(frame(("a", ""), ("b", ""), ("c", "Name"), ("d", " name ")))
    assert len(set(found.artist_keys.tolist())) == 3
    assert found.artist_keys[2] == found.artist_keys[3] == artist_key_of("Name")


def test_keys_that_a_release_brings_are_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = frame(("a", "X"), ("b", ""))
    before, brought = Catalogue(bare), keys_of(bare)
    monkeypatch.setattr(catalogue, "key_of", lambda _: pytest.fail("worked out again"))
    after = Catalogue(bare, keys=brought)
    assert np.array_equal(after.keys, before.keys)
    assert np.array_equal(after.artist_keys, before.artist_keys)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3), np.int64), np.zeros(2, np.int64), np.zeros((2, 2), np.float64)])
def test_keys_that_cannot_be_a_catalogues_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="of 2 tracks"):
        Catalogue(frame(("a", "X"), ("b", "")), keys=wrong)


def test_tracks_that_join_have_keys_as_those_of_the_release() -> None:
    old = frame(("a", "X")).with_columns(pl.lit(None, pl.Float32).alias(catalogue.SENTIMENT))
    grown = Catalogue(old).with_tracks(frame(("b", "Y"), ("c", "")))
    assert grown.keys.tolist() == [key_of("a"), key_of("b"), key_of("c")]
    assert grown.artist_keys.tolist() == [artist_key_of("X"), artist_key_of("Y"), key_of("c")]


def test_equal_keys_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    prove_distinct(["a", "b"])
    monkeypatch.setattr(catalogue, "key_of", lambda _: 1)
    with pytest.raises(DuplicateKey, match="'a' and 'b' share the key 1"):
        prove_distinct(["a", "b"])


def test_a_track_without_a_description_is_called_by_its_id_and_its_newest_artist() -> None:
    listens = pl.DataFrame(
        {
            "track_id": ["known", "heard", "heard", "heard", "bare"],
            "artist": ["Wrong", "Old", "New", None, None],
            "duration_ms": [1, 1000, None, None, None],
        }
    )
    tracks = pl.DataFrame({"track_id": ["known"], "title": ["Known"], "artist": ["Right"], "year": [1999]})
    rows = {row["track_id"]: row for row in describe(listens, tracks).iter_rows(named=True)}
    assert len(rows) == 3
    assert (rows["known"]["title"], rows["known"]["artist"], rows["known"]["year"]) == ("Known", "Right", 1999)
    assert (rows["heard"]["title"], rows["heard"]["artist"], rows["heard"]["duration_ms"]) == ("heard", "New", 1000)
    assert (rows["bare"]["title"], rows["bare"]["artist"]) == ("bare", "")
