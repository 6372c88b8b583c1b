"""Factors for tracks that nobody has played, in a world whose factors follow from what is known of a track."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from models import release
from models.als.settings import AlsSettings
from models.bridge import part
from models.bridge.content import Content
from models.bridge.fit import bridge
from models.bridge.part import Cold
from models.bridge.settings import BridgeSettings
from models.ranker.settings import RankerSettings
from models.rehearsal import CheckSettings
from models.sources.als import COLD_EVERY, Als
from models.sources.shelf import Shelf
from models.train import TrainSettings, train
from tests.unit.models.listeners import batch, line, read, rows
from tests.unit.scorer.worlds import player_of

SETTINGS = BridgeSettings(axes=8)
ARTISTS, EACH, WIDTH = 40, 10, 6


class World:
    """400 tracks with factors near those of their artists; 40 more, one an artist; and 40 by artists that are new.

    What a track sounds like is its true place, seen from elsewhere.
    """

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        artists = rng.normal(size=(2 * ARTISTS, WIDTH))
        self.artist = np.concatenate((np.repeat(np.arange(ARTISTS), EACH), np.arange(2 * ARTISTS)))
        self.true = (artists[self.artist] + 0.3 * rng.normal(size=(len(self.artist), WIDTH))).astype(np.float32)
        self.items = ARTISTS * EACH
        self.sounds = self.true @ rng.normal(size=(WIDTH, 32)) + 0.1 * rng.normal(size=(len(self.true), 32))
        names = [f"Artist {number}" for number in self.artist]
        self.catalogue = pl.DataFrame({"artist": names, "genre": None}, schema={"artist": str, "genre": str})
        self.cold = np.arange(self.items, len(self.true))

    def cosines(self, heard: bool) -> dict[int, float]:
        """Of each cold row, what is said of it with the truth."""
        sounds = (np.arange(len(self.true)), self.sounds.astype(np.float32)) if heard else None
        content = Content(self.catalogue, self.true[: self.items], sounds, None, SETTINGS)
        made = bridge(content, self.true[: self.items], self.cold, SETTINGS)
        assert made.measured["tracks"] == len(made.rows)
        said, true = made.factors, self.true[made.rows]
        found = (said * true).sum(axis=1) / np.linalg.norm(said, axis=1) / np.linalg.norm(true, axis=1)
        return dict(zip(made.rows.tolist(), found.tolist(), strict=True))


def test_a_new_track_lies_where_its_artist_does() -> None:
    world = World()
    found = world.cosines(heard=False)
    assert sorted(found) == world.cold[:ARTISTS].tolist()  # of a new artist nothing is known
    assert np.mean(list(found.values())) > 0.9


def test_a_new_artist_lies_where_the_sound_does() -> None:
    world = World()
    found = world.cosines(heard=True)
    assert sorted(found) == world.cold.tolist()
    new = [found[row] for row in world.cold[ARTISTS:].tolist()]
    assert np.mean(new) > 0.95


def test_an_artists_mean_leaves_out_the_track_itself() -> None:
    catalogue = pl.DataFrame(
        {"artist": ["A", "A", "B", "", "A"], "genre": [None] * 5}, schema={"artist": str, "genre": str}
    )
    factors = np.array([[1.0], [3.0], [5.0], [7.0]], dtype=np.float32)
    content = Content(catalogue, factors, None, None, BridgeSettings(artist_shrink=1.0))
    assert content.there["artist"].tolist() == [True, True, False, False, True]
    assert content.blocks["artist"][[0, 1, 4], 0].tolist() == pytest.approx([3 / 2, 1 / 2, 4 / 3])


def test_als_gives_one_place_in_ten_to_what_nobody_has_played(tmp_path: Path) -> None:
    made = line(tmp_path / "r", 40)
    made.factors = made.factors[:30]
    made.index = part_index(made.factors)
    angles = np.linspace(0, np.pi / 2, 10)
    cold = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    shelf = Shelf(made.catalogue)
    listeners = read(shelf, player_of([0]))
    vectors = made.factors[:1]
    without = rows(Als(made, 1.0).candidates(batch(shelf, listeners, vectors), 20)[0])
    made.cold = Cold(np.arange(30, 40), cold)
    proposed = Als(made, 1.0).candidates(batch(shelf, listeners, vectors), 20)[0]
    assert [at for at, row in enumerate(rows(proposed)) if row >= 30] == [COLD_EVERY - 1, 2 * COLD_EVERY - 1]
    assert [row for row in rows(proposed) if row >= 30] == [30, 31]  # the nearest to the listener
    assert [row for row in rows(proposed) if row < 30] == without[:18]
    assert proposed.reasons([COLD_EVERY - 1]) == ["Because you play “Song 0” by Artist 0"]


class Counting:
    """An index, and how often it is searched."""

    def __init__(self, index: object) -> None:
        self.index, self.ntotal, self.asked = index, index.ntotal, 0

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        self.asked += 1
        return self.index.search(vectors, k)


def test_a_batch_of_listeners_is_one_search_and_each_gets_what_is_near_alone(tmp_path: Path) -> None:
    made = line(tmp_path / "r", 40)
    made.factors = made.factors[:30]
    made.index = part_index(made.factors)
    angles = np.linspace(0, np.pi / 2, 10)
    made.cold = Cold(np.arange(30, 40), np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
    shelf = Shelf(made.catalogue)
    vectors = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32)  # of the last nothing is known
    source = Als(made, 1.0)
    counted = Counting(source._cold)
    source._cold = counted
    people = [read(shelf, player_of([at]))[0] for at in (0, 29, 3)]
    together = [rows(each) for each in source.candidates(batch(shelf, people, vectors), 20)]
    assert counted.asked == 1
    assert [[row for row in each if row >= 30] for each in together] == [[30, 31], [39, 38], []]
    alone = [source.candidates(batch(shelf, people[at : at + 1], vectors[at : at + 1]), 20)[0] for at in range(3)]
    assert together == [rows(each) for each in alone]


def part_index(factors: np.ndarray) -> object:
    from models.index import flat_of

    return flat_of(factors)


def test_a_catalogued_track_enters_the_release_with_factors_of_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kind = np.arange(120) % 2
    listens = [
        {
            "user_id": f"u{user}",
            "track_id": f"t{track}",
            "listened_at": 1_700_000_000_000 + 1000 * at,
            "artist": f"A{track % 20}",
        }
        for user in range(30)
        for at, track in enumerate(rng.permutation(np.flatnonzero(kind == user % 2))[:25].tolist())
    ]
    tracks = [{"track_id": f"t{track}", "title": f"T{track}", "artist": f"A{track % 20}"} for track in range(122)]
    tracks.append({"track_id": "stranger", "title": "S", "artist": "Nobody else"})
    settings = TrainSettings(
        als=AlsSettings(factors=4, regularization=1.0),
        check=CheckSettings(listeners=0),
        ranker=RankerSettings(listeners=0),
    )
    folder = train(pl.DataFrame(listens), pl.DataFrame(tracks), tmp_path, settings, release_id="r", now_ms=0, window={})
    made = release.load(folder)
    assert made.cold is not None
    assert sorted(made.catalogue.track_ids[row] for row in made.cold.rows) == ["t120", "t121"]
    assert made.manifest.metrics["bridge"]["tracks"] == 2
    assert made.manifest.metrics["bridge"]["cosine"] > 0.8  # an artist's tracks are all of one kind
    assert made.manifest.settings["bridge"]["on"] is True
    new = made.factors_of(made.cold.rows)
    own = made.factors_of(np.array([made.catalogue.row_of["t100"], made.catalogue.row_of["t101"]]))
    by_name = {made.catalogue.track_ids[row]: at for at, row in enumerate(made.cold.rows.tolist())}
    near = new[[by_name["t120"], by_name["t121"]]] @ own.T
    assert near[0, 0] > near[0, 1]  # t120 is by the artist of t100
    assert near[1, 1] > near[1, 0]


def test_turned_off_nothing_has_factors_but_what_was_played(tmp_path: Path) -> None:
    listens = [{"user_id": f"u{user}", "track_id": f"t{track}", "listened_at": 1_700_000_000_000 + track, "artist": "A"}
               for user in range(4) for track in range(60)]  # fmt: skip
    tracks = pl.DataFrame([{"track_id": f"t{track}", "title": f"T{track}", "artist": "A"} for track in range(61)])
    quick = TrainSettings(
        als=AlsSettings(factors=4), check=CheckSettings(listeners=0), ranker=RankerSettings(listeners=0)
    )
    for on in (True, False):
        told = replace(quick, bridge=BridgeSettings(on=on))
        folder = train(pl.DataFrame(listens), tracks, tmp_path, told, release_id=f"r{on}", now_ms=0, window={})
        assert (release.load(folder).cold is not None) == on


def test_rows_that_have_factors_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / part.ROWS, np.array([3, 5]))
    np.save(tmp_path / part.FACTORS, np.zeros((2, 4), dtype=np.float32))
    assert part.load(tmp_path, set(part.FILES), 6, (3, 4)) is not None
    for tracks, items in ((5, 3), (6, 4)):
        with pytest.raises(ValueError, match="names rows that have factors"):
            part.load(tmp_path, set(part.FILES), tracks, (items, 4))
    with pytest.raises(ValueError, match="does not fit"):
        part.load(tmp_path, set(part.FILES), 6, (3, 5))
    assert part.load(tmp_path, set(), 6, (3, 4)) is None
