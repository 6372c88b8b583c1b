"""The figures are those of an independent judge, on the same lists."""

import importlib.util
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from models.als.settings import AlsSettings
from models.evaluation import judging
from models.evaluation.bootstrap import Figure
from models.evaluation.protocol import Protocol
from models.evaluation.result import Evaluation, Served
from models.evaluation.run import evaluate
from models.evaluation.settings import Settings
from models.ranker.settings import RankerSettings
from services.evaluate.lists import next_lists, numbers_of, weekly_lists
from tests.unit.models.evaluation.logs import crowd, tracks_of

SHARED = Path(__file__).parents[5] / "shared"
JUDGE = SHARED / "judge" / "protocol.py"
LISTENS = SHARED / "data" / "listens.parquet"
SMALL = AlsSettings(factors=8, iterations=3)
QUICK = RankerSettings(listeners=20, guesses=100, rest=60, epochs=2)

WEEKLY = {
    f"{name}{suffix}": f"{prefix}{name.lower()}"
    for suffix, prefix in (("", ""), (" Rep", "rep_"), (" Exp", "exp_"), (" Unseen", "unseen_"))
    for name in ("NDCG@10", "NDCG@100", "Recall@100")
}
NEXT = {
    f"{name}{suffix}": f"{prefix}{name.lower()}"
    for suffix, prefix in (("", ""), (" repeat", "repeat_"), (" new", "new_"))
    for name in ("HR@20", "MRR@20")
}
WHOLE = {
    "coverage@100": "coverage@100",
    "popularity percentile@100": "popularity_percentile@100",
    "share new@10": "share_new@10",
}


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    if not JUDGE.exists():
        pytest.skip(f"needs the judge, {JUDGE.name}, in a folder shared/ beside the repository")
    spec = importlib.util.spec_from_file_location("judge", JUDGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Judged:
    """A log judged by us; our lists, and the log in the judge's form, as files. `users`: the type of their ids."""

    def __init__(
        self, folder: Path, listens: pl.DataFrame, settings: Settings, users: pl.DataType | None = None
    ) -> None:
        self.users = users
        (folder / "releases").mkdir()
        tracks = tracks_of(listens) if "track" not in listens.columns else listens.select(
            "track_id", "artist", title="track").unique("track_id", keep="last")  # fmt: skip
        self.found, self.served = evaluate(listens, tracks, folder / "releases", settings, lambda *_: None)
        names = tracks.select("track_id", track="title")
        self.log = folder / "log.parquet"
        theirs = listens.drop("track", strict=False).join(names, on="track_id", how="left", maintain_order="left")
        theirs = theirs.with_columns(pl.col("listened_at") // 1000).cast({"user_id": users or pl.String()})
        theirs.select("user_id", "listened_at", "artist", "track", "ms_played").write_parquet(self.log)
        self.weekly, self.next = self._write(folder, "", self.served, tracks)
        self.folder, self.tracks = folder, tracks

    def _write(self, folder: Path, name: str, served: Served, tracks: pl.DataFrame) -> tuple[Path, Path]:
        weekly, guesses = folder / f"{name}weekly.parquet", folder / f"{name}next.parquet"
        weekly_lists(served, tracks, self.users).write_parquet(weekly)
        next_lists(served, tracks, self.users).write_parquet(guesses)
        return weekly, guesses

    def write(self, name: str, served: Served) -> tuple[Path, Path]:
        return self._write(self.folder, name, served, self.tracks)


@pytest.fixture(scope="module", params=[1, 2])
def judged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    settings = Settings(Protocol(share=0.08), als=SMALL, ranker=QUICK)
    return Judged(tmp_path_factory.mktemp("judged"), crowd(request.param), settings)


def agree(ours: Figure, theirs: tuple[float, float, float, int]) -> None:
    assert (ours.mean, ours.low, ours.high) == pytest.approx(theirs[:3], abs=1e-9)
    assert ours.n == theirs[3]


def compare(judge: ModuleType, judged: Judged) -> None:
    log = judge.load_listens(str(judged.log))
    figures = judged.found.figures["served"]
    scores, whole = judge.weekly_scores(log, judge.load_lists(str(judged.weekly), judge.WEEK_KEYS))
    theirs = judge.summary(scores, judge.WEEK_KEYS)
    assert theirs.keys() == WEEKLY.keys()
    for name, figure in theirs.items():
        agree(figures[WEEKLY[name]], figure)
    values = judged.found.values("served")
    assert {name: values[WHOLE[name]] for name in whole} == pytest.approx(whole, abs=1e-9)
    scores = judge.next_scores(log, judge.load_lists(str(judged.next), judge.NEXT_KEYS))
    theirs = judge.summary(scores, judge.NEXT_KEYS)
    assert theirs.keys() == NEXT.keys()
    for name, figure in theirs.items():
        agree(figures[NEXT[name]], figure)


def test_every_figure_and_interval_of_a_made_up_log_is_the_judges(judge: ModuleType, judged: Judged) -> None:
    compare(judge, judged)
    counted = {name: figure.n for name, figure in judged.found.figures["served"].items()}
    assert 0 < counted["unseen_ndcg@100"] < counted["exp_ndcg@100"] < counted["ndcg@100"]  # the odd cases are there
    assert 0 < counted["new_hr@20"] < counted["repeat_hr@20"] < counted["hr@20"]


def test_a_play_of_unknown_length_is_none_where_others_have_one(judge: ModuleType, tmp_path: Path) -> None:
    listens = crowd(3).with_columns(ms_played=pl.when(pl.int_range(pl.len()) % 7 != 0).then("ms_played"))
    compare(judge, Judged(tmp_path, listens, Settings(als=SMALL, ranker=QUICK, baselines=False)))


def test_listeners_may_be_numbers(judge: ModuleType, tmp_path: Path) -> None:
    listens = crowd(4).with_columns(  # of which the shorter are not the earlier as text, some in one second
        user_id=(pl.col("user_id").str.slice(1).cast(pl.Int32) * 7 + 5).cast(pl.String),
        listened_at=pl.col("listened_at") // 60_000 * 60_000,
    )
    settings = Settings(als=SMALL, ranker=QUICK, baselines=False, numbered=True)
    judged = Judged(tmp_path, listens, settings, pl.Int32())
    compare(judge, judged)
    assert numbers_of([judged.log, judged.weekly]) == pl.Int32()
    assert numbers_of([judged.log, Path(__file__)]) is None


def test_the_judges_command_line_reads_the_lists(judge: ModuleType, judged: Judged) -> None:
    said = io.StringIO()
    with redirect_stdout(said):
        judge.main(["weekly", str(judged.log), str(judged.weekly)])
        judge.main(["next", str(judged.log), str(judged.next)])
    told = [json.loads(line) for line in said.getvalue().splitlines() if line.startswith("{")]
    values = judged.found.values("served")
    assert told[0]["NDCG@100"] == pytest.approx(values["ndcg@100"], abs=1e-5)
    assert told[1]["MRR@20"] == pytest.approx(values["mrr@20"], abs=1e-5)


def test_what_is_asked_is_what_the_judge_asks(judge: ModuleType, judged: Judged) -> None:
    log = judge.load_listens(str(judged.log))
    asked = {(each.window_start, judged.served.names[each.user]) for each in judged.served.weekly}
    assert asked == set(judge.weekly_queries(log).select("window_start", "user_id").iter_rows())
    moments = {(judged.served.names[each.user], each.at) for each in judged.served.next}
    assert moments == set(judge.next_queries(log).select("user_id", "at").iter_rows())


def test_differences_to_a_baseline_are_the_judges(
    judge: ModuleType, judged: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "SERVED", "decayed_popular")  # whose lists are kept
    listens = pl.read_parquet(judged.log).with_columns(
        track_id="track", listened_at=pl.col("listened_at") * 1000, kind=pl.lit("play")
    )
    settings = Settings(Protocol(share=0.08), als=SMALL, ranker=QUICK)
    _, others = evaluate(listens.drop("track"), judged.tracks, tmp_path, settings, lambda *_: None)
    weekly, guesses = judged.write("other-", others)
    log, apart = judge.load_listens(str(judged.log)), judged.found.differences["decayed_popular"]
    for paths, keys, score, names in (
        ((judged.weekly, weekly), judge.WEEK_KEYS, judge.weekly_scores, WEEKLY),
        ((judged.next, guesses), judge.NEXT_KEYS, judge.next_scores, NEXT),
    ):
        pair = [score(log, judge.load_lists(str(path), keys)) for path in paths]
        scores = [part[0] if isinstance(part, tuple) else part for part in pair]
        for name, figure in judge.difference(*scores, keys).items():
            agree(apart[names[name]], figure)
        assert apart[names["NDCG@100" if names is WEEKLY else "MRR@20"]].mean != 0


@pytest.mark.slow
def test_figures_of_real_listeners_are_the_judges(judge: ModuleType, tmp_path: Path) -> None:
    if not LISTENS.exists():
        pytest.skip(f"needs {LISTENS.name} in a folder shared/data beside the repository")
    log = pl.read_parquet(LISTENS).with_columns(
        track_id=pl.concat_str("artist", "track", separator="␟"),
        listened_at=pl.col("listened_at") * 1000,
        kind=pl.lit("play"),
    )
    few = log["user_id"].unique().sort().head(3)
    listens = log.filter(pl.col("user_id").is_in(few.implode())).sort("listened_at", maintain_order=True)
    compare(judge, Judged(tmp_path, listens, Settings(als=SMALL, ranker=QUICK, baselines=False)))


def test_the_lists_are_the_same_every_time(judged: Judged, tmp_path: Path) -> None:
    listens = pl.read_parquet(judged.log).with_columns(
        track_id="track", listened_at=pl.col("listened_at") * 1000, kind=pl.lit("play")
    )
    settings = Settings(Protocol(share=0.08), als=SMALL, ranker=QUICK)
    again: tuple[Evaluation, Served] = evaluate(
        listens.drop("track"), judged.tracks, tmp_path, settings, lambda *_: None
    )
    assert again[0].figures == judged.found.figures
    assert again[0].differences == judged.found.differences
