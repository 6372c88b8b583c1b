"""Several lists of one listener, made of the same candidates."""

from pathlib import Path

import numpy as np
import pytest

from models.ranker.blend import SIZE, Bends, Blend
from models.ranker.features import NAMES, Features
from models.recommender import Recommender
from models.release import Release
from models.sources.base import Batch, Rows
from models.sources.settings import BadSources, ListSettings
from tests.unit.scorer.worlds import checkerboard, player_of

MORE = "up-next=4 discover familiar=3"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return checkerboard(tmp_path_factory.mktemp("board") / "r")


def test_the_first_list_is_the_same_with_others_beside_it(board: Release) -> None:
    views = [player_of([1, 3, 5]), player_of([2, 4]), None]
    alone = Recommender(board, ListSettings(length=8)).recommend(views, 8)
    found = Recommender(board, ListSettings(length=8, mixes=MORE)).recommend_all(views, 8)
    assert [items for items, _ in found] == alone
    assert [list(mixes) for _, mixes in found] == [["up-next", "discover", "familiar"]] * 3
    assert [(len(mixes["up-next"]), len(mixes["discover"])) for _, mixes in found] == [(4, 8)] * 3


def test_each_mix_is_what_it_says(board: Release) -> None:
    [(_, mixes), (_, strangers)] = Recommender(board, ListSettings(length=8, mixes=MORE, just_played=0)).recommend_all(
        [player_of([1, 3, 5]), None], 8
    )
    heard = {"t1", "t3", "t5"}
    assert {item.track_id for item in mixes["familiar"]} == heard
    assert not heard & {item.track_id for item in mixes["discover"]}
    assert all(item.reason for items in mixes.values() for item in items)
    assert strangers["familiar"] == []


def test_a_mix_beside_others_is_as_it_is_alone_where_candidates_are_the_same(board: Release) -> None:
    views = [player_of([1, 3, 5])]
    [(_, mixes)] = Recommender(board, ListSettings(length=8, mixes="discover=8")).recommend_all(views, 8)
    alone = Recommender(board, ListSettings(length=8, mix="discover")).recommend(views, 8)[0]
    assert [item.track_id for item in mixes["discover"]] == [item.track_id for item in alone]


def test_rankers_of_several_mixes_share_the_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked, rng = checkerboard(tmp_path / "r"), np.random.default_rng(1)
    bends = Bends.of(rng.random((50, len(NAMES)), dtype=np.float32))
    weights = rng.random(SIZE, dtype=np.float32)
    ranked.rankers = {"for-you": Blend(bends, weights), "up-next": Blend(bends, -weights)}
    made, plain = [0], Features.of

    def counted(self: Features, batch: Batch, at: int, rows: Rows) -> np.ndarray:
        made[0] += 1
        return plain(self, batch, at, rows)

    monkeypatch.setattr(Features, "of", counted)
    views = [player_of([1, 3, 5]), player_of([2, 4]), None]
    found = Recommender(ranked, ListSettings(length=8, mixes=MORE)).recommend_all(views, 8)
    assert made[0] == len(views)
    [(items, mixes), *_] = found
    assert [item.track_id for item in items[:4]] != [item.track_id for item in mixes["up-next"]]  # ranked by its own
    again = Recommender(ranked, ListSettings(length=8, mix="up-next")).recommend(views, 8)
    assert [item.track_id for item in mixes["up-next"]] == [item.track_id for item in again[0][:4]]


@pytest.mark.parametrize("mixes", ["jazz", "for-you", "discover discover", "discover=0", "discover=x", "discover="])
def test_a_mix_that_is_none_is_named(mixes: str) -> None:
    with pytest.raises(BadSources, match="SEGUE_LIST_MIXES"):
        ListSettings(mixes=mixes).more()


def test_lengths_are_the_list_s_own_unless_given() -> None:
    assert ListSettings(length=7, mixes="discover, up-next=20").more() == {"discover": 7, "up-next": 20}
