"""A release whose catalogue grows by what came after it was trained."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.catalogue import Catalogue
from models.profile import ProfileView
from models.recommender import Recommender
from models.release import Release
from models.sources.settings import ListSettings
from tests.unit.scorer.worlds import NOON, listen, make_release, view

FACTORS = np.random.default_rng(3).normal(size=(6, 3)).astype(np.float32)
TITLES = [(f"Song {row}", f"Artist {row % 3}") for row in range(6)]
NEW = pl.DataFrame(
    {"track_id": ["new-1", "t2", "new-2", "new-1"], "title": ["New", "Other", None, "Twice"],
     "artist": ["Artist 0", "Nobody", None, "Nobody"]}
)  # fmt: skip


@pytest.fixture
def known(tmp_path: Path) -> Release:
    return make_release(tmp_path / "r", TITLES, FACTORS, None, {0: {1: 0.5}}, {0: {2: 0.5}})


def test_newcomers_stand_behind_the_known_who_stay_as_they_are(known: Release) -> None:
    grown = known.with_tracks(NEW)
    assert grown.catalogue.track_ids == [*known.catalogue.track_ids, "new-1", "new-2"]
    assert grown.catalogue.titles[-2:] == ["New", "new-2"]  # without a title it is called by its id
    assert grown.catalogue.artists[-2:] == ["Artist 0", ""]
    assert grown.catalogue.frame.head(6).equals(known.catalogue.frame)
    assert grown.catalogue.frame["listeners"].tail(2).to_list() == [0, 0]
    assert grown.catalogue.rows_of(Catalogue(grown.catalogue.frame).keys).tolist() == list(range(8))
    assert len(known.catalogue) == 6
    assert known.with_tracks(NEW.head(0)).catalogue.frame.equals(known.catalogue.frame)


def listing(release: Release, who: ProfileView | None) -> dict[str, str]:
    [items] = Recommender(release, ListSettings()).recommend([who], 20)
    return {item.track_id: item.source for item in items}


def test_a_newcomer_is_listed_to_who_has_played_it_and_to_nobody_else(known: Release) -> None:
    grown = known.with_tracks(NEW)
    mine = view([listen("t0", NOON), listen("new-1", NOON + 200), listen("t1", NOON + 400)])
    assert "new-1" in listing(grown, mine)
    assert "new-1" not in listing(known, mine)
    fan = view([listen("t0", NOON, artist="Artist 0"), listen("t3", NOON + 200, artist="Artist 0")])
    assert "new-1" not in listing(grown, fan)


def test_lists_of_what_is_known_stay_the_same(known: Release) -> None:
    who = view([listen(f"t{row}", NOON + 200 * at) for at, row in enumerate([0, 1, 4, 0])])
    few = ListSettings(sources=ListSettings().sources.replace(" popular=1", ""))
    before = Recommender(known, few).recommend([who], 20)
    assert Recommender(known.with_tracks(NEW), few).recommend([who], 20) == before
