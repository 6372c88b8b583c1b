"""Lessons are of the past only, and a history that teaches something gives a release with rankers."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models import release
from models.als.settings import AlsSettings
from models.interactions import distinct
from models.ranker.features import NAMES
from models.ranker.lessons import lessons
from models.ranker.settings import RankerSettings
from models.ranker.taught import TaughtRanker
from models.recommender import Recommender
from models.rehearsal import CheckSettings
from models.sources.settings import ListSettings
from models.taste import TasteSettings
from models.train import TrainSettings, train

NOW, DAY = 1_700_000_000, 86_400
ALBUM, ALBUMS, PLAYS = 10, 6, 4  # tracks of an album, albums of a listener, plays of each
SETTINGS = TrainSettings(
    als=AlsSettings(factors=8, iterations=3),
    ranker=RankerSettings(listeners=40, guesses=200, days=8.0, share=0.3, epochs=6, rest=60),
    check=CheckSettings(listeners=0),
)
NO_TRACKS = pl.DataFrame(schema={"track_id": pl.String, "title": pl.String, "artist": pl.String})


def crowd(listeners: int = 40, days: int = 30) -> pl.DataFrame:
    """Everybody plays whole albums in order, one a day, of the few that are theirs; the last day has a new one."""
    rng = np.random.default_rng(3)
    rows: list[tuple[str, str, int, str]] = []
    for user in range(listeners):
        own = rng.permutation(30)[:ALBUMS]
        for day in range(days):
            album = 99 if day == days - 1 else int(rng.choice(own))
            start = NOW + day * DAY + 600 * user
            rows += [(f"u{user}", f"t{album}-{k}", (start + 200 * k) * 1000, f"band {album}") for k in range(ALBUM)]
    return pl.DataFrame(rows, schema=["user_id", "track_id", "listened_at", "artist"], orient="row")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> release.Release:
    folder = train(crowd(), NO_TRACKS, tmp_path_factory.mktemp("r"), SETTINGS, release_id="r1", now_ms=0, window={})
    return release.load(folder)


def test_a_history_of_habits_gives_a_ranker_that_is_worth_having(made: release.Release) -> None:
    found = made.manifest.metrics["ranker_up-next"]
    assert found["shipped"] == 1.0
    assert found["mrr"] > found["fusion_mrr"]
    assert isinstance(Recommender(made, ListSettings(mix="up-next"))._main.ranker, TaughtRanker)


def test_no_working_folder_is_left(made: release.Release, tmp_path: Path) -> None:
    train(crowd(10, 12), NO_TRACKS, tmp_path, SETTINGS, release_id="r1", now_ms=0, window={})
    assert [path.name for path in tmp_path.iterdir()] == ["r1"]


def test_a_history_without_a_past_teaches_no_ranker(tmp_path: Path) -> None:
    folder = train(crowd(5, 1), NO_TRACKS, tmp_path, SETTINGS, release_id="r1", now_ms=0, window={})
    assert release.load(folder).rankers == {}


def test_lessons_know_nothing_of_what_comes_after_their_moment(made: release.Release) -> None:
    listens = distinct(crowd().sort("listened_at"))
    cut = NOW + 22 * DAY
    past = Recommender(made, ListSettings(artist_cap=0, just_played=0, just_played_minutes=0))
    settings = RankerSettings(listeners=6, guesses=60)
    asked: list[int] = []
    described = past.described

    def noting(views, n):  # type: ignore[no-untyped-def]  # as the method it stands before
        asked.append(views[0].newest)
        return described(views, n)

    past.described = noting  # type: ignore[method-assign]
    whole = lessons(past, listens, cut, TasteSettings(), settings, lambda _: None)
    assert len(whole.taught["up-next"]) == 60
    assert min(asked) < cut  # at the cut itself the newest listen lies before it
    going_on = [
        each.features[each.played, NAMES.index("back")] for each in whole.taught["up-next"] if each.played.any()
    ]
    assert len(going_on) > 30
    # What is to be guessed has not been played yet: nobody plays a track twice in a row here.
    assert min(float(back.min()) for back in going_on) > np.log1p(1.0)


def rankers_of(release_made: release.Release) -> dict[str, str]:
    return {name: file.sha256 for name, file in release_made.manifest.files.items() if name.startswith("ranker")}


def test_the_same_history_teaches_the_same(made: release.Release, tmp_path: Path) -> None:
    again = release.load(train(crowd(), NO_TRACKS, tmp_path, SETTINGS, release_id="r1", now_ms=0, window={}))
    assert again.manifest.metrics["ranker_up-next"] == made.manifest.metrics["ranker_up-next"]
    assert rankers_of(again) == rankers_of(made) != {}


def weeks_asked(made: release.Release, weeks: int, listeners: int = 10) -> tuple[int, int]:
    """How many weeks are taught, and how many are held out."""
    listens = distinct(crowd(listeners).sort("listened_at"))
    past = Recommender(made, ListSettings())
    settings = RankerSettings(listeners=listeners, guesses=1, weeks=weeks)
    found = lessons(past, listens, NOW + 8 * DAY, TasteSettings(), settings, lambda _: None)
    return len(found.taught["for-you"]), len(found.whole["for-you"])


def test_weeks_overlap_where_listeners_are_few_but_not_those_that_are_held_out(made: release.Release) -> None:
    apart, held = weeks_asked(made, weeks=10)
    assert (apart, held) == (10 * 3, 2 * 3)  # 22 days, a week each
    assert weeks_asked(made, weeks=70) == (10 * 5, held)
    assert weeks_asked(made, weeks=10_000) == (10 * 7, held)  # three a week, and no more
