"""The served lists are the scorer's, of the past only; sources and baselines stand beside them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from models import release
from models.als.settings import AlsSettings
from models.evaluation.bootstrap import Figure
from models.evaluation.log import Log
from models.evaluation.panel import NONE
from models.evaluation.protocol import Protocol, windows
from models.evaluation.replay import Replay
from models.evaluation.result import Evaluation, Served
from models.evaluation.run import evaluate
from models.evaluation.settings import Settings
from models.evaluation.systems import Asked, Lists, alone
from models.evaluation.systems import Served as ServedLists
from models.evaluation.systems import tracks_of as numbers_of
from models.profile import ProfileView
from models.ranker.settings import RankerSettings
from models.recommender import Recommender
from models.rehearsal import CheckSettings
from models.sources.settings import SOURCES, ListSettings
from models.train import TrainSettings, train
from tests.unit.models.evaluation.logs import END, WEEK, crowd, tracks_of

# Without a network: what it learns from so few makes much of the last bits in which two fits differ.
QUICK = RankerSettings(listeners=30, guesses=150, rest=60, epochs=2, network_epochs=0)
SETTINGS = Settings(Protocol(weeks=2, share=0.1), als=AlsSettings(factors=8, iterations=3), ranker=QUICK)


def run(listens: pl.DataFrame, folder: Path, settings: Settings = SETTINGS) -> tuple[Evaluation, Served]:
    folder.mkdir(exist_ok=True)
    return evaluate(listens, tracks_of(listens), folder, settings, lambda *_: None)


@pytest.fixture(scope="module")
def listens() -> pl.DataFrame:
    return crowd(11)


@pytest.fixture(scope="module")
def made(listens: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Served]:
    return run(listens, tmp_path_factory.mktemp("made"))


def test_served_is_what_the_recommender_makes_of_the_profile_and_the_release_of_that_time(
    listens: pl.DataFrame, made: tuple[Evaluation, Served], tmp_path: Path
) -> None:
    log = Log(listens)
    window = windows(log, SETTINGS.protocol)[1]
    before = listens.filter(pl.col("listened_at") < window.start * 1000)
    trained = TrainSettings(
        taste=SETTINGS.taste, als=SETTINGS.als, ranker=SETTINGS.ranker, check=CheckSettings(listeners=0)
    )
    folder = train(before, tracks_of(before), tmp_path, trained, release_id="r", now_ms=0, window={})
    made_then = release.load(folder)
    weekly = [each for each in made[1].weekly if each.window_start == window.start]
    guesses = [each for each in made[1].next if each.at >= window.start]
    assert len(weekly) > 5
    assert len(guesses) > 5
    for mix, lists, n, moments in (
        ("for-you", weekly, 300, [window.start] * len(weekly)),
        ("up-next", guesses, 20, [each.at for each in guesses]),
    ):
        recommender = Recommender(made_then, ListSettings(mix=mix))
        for each, moment in zip(lists, moments, strict=True):
            data = Replay(log, SETTINGS.taste).at(each.user, [moment], moment)[0]
            items = recommender.recommend([None if data is None else ProfileView(data)], n)[0]
            assert [made[1].ids[item] for item in each.tracks] == [item.track_id for item in items]
            if mix == "for-you":
                views = [None if data is None else ProfileView(data)]
                at = np.array([each.user]), np.array([moment])
                asked = Asked("weekly", *at, views, [NONE], [NONE])
                [(ranked, owed)] = ServedLists(made_then, numbers_of(log, made_then), SETTINGS.lists).owed(asked)
                assert ranked.tolist() == each.tracks.tolist()
                assert [owed.names[source] for source in owed.of] == [item.source for item in items]


def test_the_future_changes_no_list(listens: pl.DataFrame, made: tuple[Evaluation, Served], tmp_path: Path) -> None:
    """Other plays in the last week: the lists for its beginning stay as they were."""
    start = (END - WEEK) * 1000
    later = pl.col("listened_at") >= start
    newest = pl.col("listened_at") == pl.col("listened_at").max()
    changed = listens.with_columns(track_id=pl.when(later & ~newest).then(pl.lit("zzz")).otherwise("track_id"))
    _, served = run(changed, tmp_path / "changed")
    mine = {each.user: [made[1].ids[item] for item in each.tracks] for each in made[1].weekly
            if each.window_start == END - WEEK}  # fmt: skip
    theirs = {each.user: [served.ids[item] for item in each.tracks] for each in served.weekly
              if each.window_start == END - WEEK}  # fmt: skip
    assert mine == theirs
    assert mine


def test_every_source_and_baseline_is_judged_on_the_same_questions(made: tuple[Evaluation, Served]) -> None:
    systems = {
        "served", "served_discover", "served_familiar", *(f"source_{name}" for name in SOURCES), "random", "chain",
        "popular", "decayed_popular", "personal", "decayed_personal_4d", "decayed_personal_14d",
        "item_neighbours", "ease", "als",
    }  # fmt: skip
    found = made[0]
    assert found.figures.keys() == systems
    assert found.differences.keys() == systems - {"served"}
    assert {columns["ndcg@100"].n for columns in found.figures.values()} == {found.counts.listener_weeks}
    assert {columns["hr@20"].n for columns in found.figures.values()} == {found.counts.guesses}


def test_a_difference_is_that_of_the_means(made: tuple[Evaluation, Served]) -> None:
    found = made[0]
    for system, columns in found.differences.items():
        for name, figure in columns.items():
            apart = found.figures["served"][name].mean - found.figures[system][name].mean
            assert figure.mean == pytest.approx(apart)
            assert figure.low <= figure.mean <= figure.high


def test_what_knows_only_the_known_finds_nothing_new(made: tuple[Evaluation, Served]) -> None:
    for system in ("personal", "decayed_personal_4d", "decayed_personal_14d"):
        figures = made[0].figures[system]
        assert figures["exp_ndcg@100"].mean == figures["new_hr@20"].mean == 0
        assert figures["rep_ndcg@100"].mean > 0


def test_stale_profiles_are_judged_for_served_only_and_know_less(made: tuple[Evaluation, Served]) -> None:
    served = made[0].figures["served"]
    assert {"stale_1h_hr@20", "stale_24h_mrr@20"} <= served.keys()
    assert not [name for name in made[0].figures["popular"] if name.startswith("stale")]


def test_a_profile_that_is_so_old_has_not_heard_what_came_since(listens: pl.DataFrame, tmp_path: Path) -> None:
    """From profiles of before the log began, everyone is a stranger: the same as popular for those who know nothing."""
    weeks = 52
    settings = replace(SETTINGS, protocol=Protocol(weeks=1, share=0.1, stale_hours=(24 * 7 * weeks,)), baselines=False)
    found, _ = run(listens, tmp_path / "r", settings)
    stale: Figure = found.figures["served"][f"stale_{24 * 7 * weeks}h_repeat_mrr@20"]
    assert stale.mean != found.figures["served"]["repeat_mrr@20"].mean
    assert stale.n == found.figures["served"]["repeat_hr@20"].n


def test_the_settings_of_a_kind_are_its_own(listens: pl.DataFrame, tmp_path: Path) -> None:
    lists = Lists(weekly=ListSettings(length=30, familiar=1.0), next=ListSettings(length=7, familiar=0.0))
    _, served = run(listens, tmp_path / "r", replace(SETTINGS, lists=lists, baselines=False))
    assert {len(each.tracks) for each in served.weekly} == {30}
    assert {len(each.tracks) for each in served.next} == {7}


def test_what_was_shown_and_not_played_rests_in_evaluation_too(listens: pl.DataFrame, tmp_path: Path) -> None:
    lists, same = Lists.of(ListSettings(shown_days=1, shown_rest_days=30)), "shown_days=1"
    found, served = run(
        listens, tmp_path / "r", replace(SETTINGS, lists=lists, also=(same, "shown_rest_days=1"), baselines=False)
    )
    weekly = [name for name, figure in found.figures["served"].items() if figure.n == found.counts.listener_weeks]
    # What is judged beside remembers from week to week as well.
    assert all(found.figures[same][name] == found.figures["served"][name] for name in weekly)
    assert any(found.figures["shown_rest_days=1"][name] != found.figures["served"][name] for name in weekly)
    first, second = ({each.user: each for each in served.weekly if each.window_start == END - weeks * WEEK}
                     for weeks in (2, 1))  # fmt: skip
    log = Log(listens)
    rested = 0
    for user in first.keys() & second.keys():
        events = log.events[slice(*log.events_before(user, END - WEEK))]["track_id"]
        answered = set(events.tail(50).to_list())
        shown = {served.ids[item] for item in first[user].tracks[:20]} - answered
        assert not shown & {served.ids[item] for item in second[user].tracks}
        rested += len(shown)
    assert rested > 20


def test_a_source_alone_keeps_its_quota_and_one_that_is_off_gets_one() -> None:
    only = alone(Lists.of(ListSettings(sources="history=3 als=1.5")))
    assert only["source_als"].weekly.sources == "als=1.5"
    assert only["source_popular"].next.sources == "popular=4"


def test_progress_rises_to_the_end(listens: pl.DataFrame, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    settings = replace(SETTINGS, baselines=False)
    evaluate(listens, tracks_of(listens), tmp_path, settings, lambda step, done: told.append((step, done)))
    for step in ("log", "fit", "ask"):
        shares = [done for name, done in told if name == step]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
    assert not list(tmp_path.iterdir())  # no release is left
