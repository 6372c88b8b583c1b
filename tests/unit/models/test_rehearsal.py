"""A release is judged by lists of the past on what came after, beside the one in service and every baseline."""

from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from models import release
from models.als.settings import AlsSettings
from models.evaluation.contenders import baselines
from models.evaluation.log import Numbers
from models.evaluation.protocol import Protocol
from models.evaluation.run import evaluate
from models.evaluation.settings import Settings
from models.evaluation.shares import Owed
from models.evaluation.systems import Asked, Served
from models.interactions import distinct
from models.neighbours.settings import NeighbourSettings
from models.ranker.settings import RankerSettings
from models.rehearsal import CheckSettings, hold
from models.release import Release
from models.sources.settings import ListSettings
from models.train import TrainSettings, train
from tests.unit.models.evaluation.logs import END, WEEK, crowd, tracks_of

BASELINES = {
    "popular", "decayed_popular", "personal", "decayed_personal_4d", "decayed_personal_14d", "item_neighbours", "ease",
    "als", "chain", "random",
}  # fmt: skip
CHECK = CheckSettings(days=7.0, share=0.5, least=5)
QUICK = TrainSettings(als=AlsSettings(factors=8, iterations=3), ranker=RankerSettings(listeners=0), check=CHECK)
WEEK_MS, END_MS = WEEK * 1000, END * 1000


def made(listens: pl.DataFrame, root: Path, name: str, settings: TrainSettings = QUICK, **more: Release) -> Release:
    folder = train(listens, tracks_of(listens), root, settings, release_id=name, now_ms=END_MS, window={}, **more)
    return release.load(folder)


@pytest.fixture(scope="module")
def listens() -> pl.DataFrame:
    return distinct(crowd(11, listeners=20))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("releases")


@pytest.fixture(scope="module")
def old(listens: pl.DataFrame, root: Path) -> Release:
    return made(listens.filter(pl.col("listened_at") < END_MS - 2 * WEEK_MS), root, "old")


@pytest.fixture(scope="module")
def new(listens: pl.DataFrame, root: Path, old: Release) -> Release:
    return made(listens, root, "new", service=old)


def test_it_is_judged_beside_the_one_in_service_and_every_baseline(new: Release) -> None:
    metrics, gate = new.manifest.metrics, new.manifest.gate
    assert gate is not None
    assert set(metrics) == {"served", "in_service", *BASELINES, "index", "seconds"}
    for metric, ahead in (("ndcg@100", gate.ahead), ("hr@20", gate.ahead_next)):
        assert ahead.keys() == {"in_service", *BASELINES}
        for name, (mean, low, high) in ahead.items():
            assert low <= mean <= high
            assert mean == pytest.approx(metrics["served"][metric] - metrics[name][metric])
    assert gate.listeners == metrics["served"]["listeners"] > 10


def test_its_figures_are_those_of_an_evaluation_of_the_same_week(
    listens: pl.DataFrame, new: Release, tmp_path: Path
) -> None:
    settings = Settings(Protocol(weeks=1, share=0.0), als=QUICK.als, ranker=QUICK.ranker)
    tracks = tracks_of(listens)
    cut = pl.col("listened_at") < END_MS - WEEK_MS
    heard_before = listens.filter(cut)["user_id"].unique().to_list()
    # A newcomer cannot be asked; an evaluation counts an empty list for them, a rehearsal leaves them out.
    found, _ = evaluate(listens.filter(pl.col("user_id").is_in(heard_before)), tracks, tmp_path, settings,
                        lambda *_: None)  # fmt: skip
    for name in ("served", *BASELINES - {"random"}):  # chance goes by a listener's number, which is another here
        for metric in ("ndcg@100", "recall@100", "unseen_ndcg@100"):
            assert new.manifest.metrics[name][metric] == pytest.approx(found.figures[name][metric].mean), (name, metric)


def test_what_is_published_is_fitted_on_everything_and_begins_with_the_old_factors(new: Release, old: Release) -> None:
    assert new.manifest.listens > old.manifest.listens
    assert new.manifest.settings["history"]["until"] == END_MS - 1000
    assert new.manifest.settings["warm_start"]["release"] == "old"
    assert new.manifest.settings["warm_start"]["iterations"] == 4
    assert old.manifest.settings["warm_start"] is None


def test_the_rehearsal_begins_from_nothing(listens: pl.DataFrame, root: Path, new: Release) -> None:
    """The release in service may know what is asked for: its factors must not help the candidate."""
    alone = made(listens, root, "alone")
    assert alone.manifest.metrics["served"] == new.manifest.metrics["served"]
    assert alone.manifest.gate is not None
    assert "in_service" not in alone.manifest.gate.ahead


def test_one_that_has_learned_hardly_anything_is_behind(listens: pl.DataFrame, root: Path, old: Release) -> None:
    """Lists of what follows and lies around only, so that the listener's own plays do not make up for it."""
    crippled = replace(
        QUICK,
        als=AlsSettings(factors=1, iterations=1),
        neighbours=NeighbourSettings(most=1),
        lists=ListSettings(sources="transitions=4 neighbours=4 als=4"),
    )
    worse = made(listens, root, "crippled", crippled, service=old).manifest.gate
    assert worse is not None
    assert worse.ahead["in_service"][2] < 0  # the whole interval
    assert not worse.promoted


def test_one_whose_next_tracks_are_ruined_is_held_back(
    listens: pl.DataFrame, root: Path, old: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists for the week are as good as ever, and nothing else holds it back."""
    owed = Served.owed

    def ruined(self: Served, asked: Asked) -> list[tuple[Numbers, Owed]]:
        made = owed(self, asked)
        spoilt = asked.kind == "next" and self is not first[-1]
        return [(each[::-1][:1], of._replace(of=of.of[::-1][:1])) if spoilt else (each, of) for each, of in made]

    first: list[Served] = []  # as they are made: the candidate, then the one in service
    made_of = Served.__init__
    monkeypatch.setattr(Served, "__init__", lambda self, *rest: first.append(self) or made_of(self, *rest))
    monkeypatch.setattr(Served, "owed", ruined)
    monkeypatch.setattr("models.rehearsal.baselines", lambda *of: {"popular": baselines(*of)["popular"]})
    gate = made(listens, root, "ruined", replace(QUICK, check=replace(CHECK, tolerance=1.0)), service=old).manifest.gate
    assert gate is not None
    assert not gate.promoted
    assert gate.reason.startswith("worse at the next track: ")


def test_without_guesses_only_the_week_decides(listens: pl.DataFrame, root: Path) -> None:
    blind = made(listens, root, "blind", replace(QUICK, check=replace(CHECK, guesses=0))).manifest
    assert blind.gate is not None
    assert blind.gate.ahead_next == {}
    assert "hr@20" not in blind.metrics["served"]


def test_held_out_is_only_what_the_one_in_service_has_not_seen(listens: pl.DataFrame, old: Release) -> None:
    def since(until: int, check: CheckSettings = CHECK) -> tuple[int, str]:
        settings = {**old.manifest.settings, "history": {"until": until}}
        old.manifest, kept = replace(old.manifest, settings=settings), old.manifest
        try:
            held = hold(listens, old, check)
        finally:
            old.manifest = kept
        assert held is not None
        return held

    week = END_MS - 1000 - WEEK_MS
    assert since(week - WEEK_MS) == (week, "behind")  # what is rehearsed knows a week more
    assert since(week - 1) == (week, "level")  # … no more: a week after that one, as after each other
    assert since(week + 86_400_000) == (week + 86_400_001, "level")
    assert since(END_MS) == (week, "seen")  # it has seen all: not comparable
    assert since(week + 86_400_000, replace(CHECK, least=10_000)) == (week, "seen")  # too few could be judged
    assert hold(listens, None, CHECK) == (week, "none")
    assert hold(listens.head(1), None, CHECK) is None


def test_most_listeners_are_drawn_at_random(listens: pl.DataFrame, root: Path) -> None:
    few = made(listens, root, "few", replace(QUICK, check=replace(CHECK, listeners=7)))
    assert few.manifest.gate is not None
    assert few.manifest.gate.listeners == 7


def test_a_long_history_is_judged_on_some_of_its_listeners(
    listens: pl.DataFrame, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.rehearsal.MOST_LISTENS", listens.height // 2)
    some = made(listens, root, "some")
    assert some.manifest.gate is not None
    assert 3 < some.manifest.gate.listeners < 12
    assert some.manifest.listens == listens.height
