"""`segue evaluate` from files to tables, JSON, lists and a page."""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from models.sources.settings import ListSettings
from tests.unit.cli.conftest import Said, Segue
from tests.unit.models.evaluation.logs import crowd, log_of

WEEKLY_METRICS = {f"{kind}{name}" for kind in ("", "rep_", "exp_", "unseen_") for name in
                  ("ndcg@10", "ndcg@100", "recall@100", "recall@300")}  # fmt: skip
NEXT_METRICS = {f"{age}{kind}{name}" for age in ("", "stale_1h_", "stale_24h_") for kind in ("", "repeat_", "new_")
                for name in ("hr@20", "mrr@20")}  # fmt: skip
LISTS_METRICS = {"popularity_percentile@100", "novelty@100", "share_new@10"}
WHOLE_METRICS = {"coverage@100", "gini@100"}
QUICK = ("--listens", "listens.parquet", "--weeks", "2")


@pytest.fixture(autouse=True)
def small(tmp_path: Path) -> None:
    """A log such as people have: seconds, artist and track, no ids."""
    listens = crowd(21).select(
        "user_id", pl.col("listened_at") // 1000, pl.col("artist"), pl.col("track_id").alias("track"), "ms_played"
    )
    listens.write_parquet(tmp_path / "listens.parquet")


@pytest.fixture
def quick(segue: Segue, monkeypatch: pytest.MonkeyPatch) -> Segue:
    monkeypatch.setenv("SEGUE_ALS_FACTORS", "8")  # `segue` has removed every setting
    monkeypatch.setenv("SEGUE_RANKER_LISTENERS", "0")
    return segue


def test_other_settings_and_each_source_left_out_are_judged_beside(quick: Segue) -> None:
    worded = "sources=history=1,popular=1,lyrics=1"
    few = ("--no-baselines", "--also", "artist_cap=1", "--also", "sources=popular=1", "--also", worded, "--leave-out")
    said = quick("evaluate", *QUICK, *few, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    left_out = {f"without_{name}" for name in ListSettings().quotas()}
    assert found["differences"].keys() == {"artist_cap=1", "sources=popular=1", worded} | left_out
    assert found["sources=popular=1"]["rep_recall@300"] == 0 < found["served"]["rep_recall@300"]
    assert found["artist_cap=1"]["recall@300"] < found["served"]["recall@300"]
    assert found["without_sounds"].items() <= found["served"].items()  # there are none
    by_source = found["sources"]
    assert by_source.keys() == {"served", "artist_cap=1", worded} | left_out
    assert by_source["served"].keys() == ListSettings().quotas().keys()
    assert by_source[worded].keys() == {"history", "popular", "lyrics"}
    for name in ("share_of_places@300", "share_of_hits@300", "share_of_places@20", "share_of_hits@20"):
        shares = [figures[name][0] for figures in by_source[worded].values()]
        assert sum(shares) == pytest.approx(1)
        assert by_source[worded]["lyrics"][name][0] == 0  # nobody's words are known


def test_settings_that_cannot_be_changed_are_told_at_once(quick: Segue) -> None:
    for changes, why in (
        ("magic=1", "'magic=1' is not one `name=value`"),
        ("artist_cap=-3", "Expected `int` >= 0 - at `$.artist_cap`"),
    ):
        said = quick("evaluate", *QUICK, "--also", changes)
        assert said.code == 2
        assert f"--also '{changes}': {why}" in said.one_line


@pytest.mark.parametrize("changes", ["mix=discover", "artist_cap=1 mixes=familiar=3", "length=20"])
def test_what_the_evaluation_sets_itself_cannot_be_changed(quick: Segue, changes: str) -> None:
    said = quick("evaluate", *QUICK, "--also", changes)
    assert said.code == 2
    assert "would change nothing" in said.err


def test_json_is_one_object_with_every_figure_and_its_interval(quick: Segue) -> None:
    said = quick("evaluate", *QUICK, "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert found["served"].keys() == WEEKLY_METRICS | NEXT_METRICS | LISTS_METRICS | WHOLE_METRICS
    systems = found.keys() - {"intervals", "differences", "sources", "about"}
    assert {"random", "popular", "decayed_popular", "personal", "item_neighbours", "ease", "als"} < systems
    for system in systems:
        assert found[system].keys() - found["intervals"][system].keys() == WHOLE_METRICS
        for metric, (low, high, rows) in found["intervals"][system].items():
            if not rows:
                assert (low, found[system][metric], high) == (None, None, None)
                continue
            assert low <= found[system][metric] + 1e-9
            assert found[system][metric] <= high + 1e-9
    assert found["differences"].keys() == systems - {"served"}
    assert found["about"]["settings"]["als"]["factors"] == 8
    assert found["about"]["settings"]["lists"]["weekly"]["length"] == 300


def test_tables_show_every_system_and_progress_goes_to_standard_error(quick: Segue) -> None:
    said = quick("evaluate", *QUICK)
    assert said.code == 0
    for name in (
        "a week ahead",
        "next track",
        "24h old",
        "served minus",
        "decayed_personal_4d",
        "source_als",
        "served, by source",
    ):
        assert name in said.out
    assert "Folding profiles, asking, judging: 100 %" in said.err
    assert "100 %" not in said.out


def test_no_baselines_is_served_only(quick: Segue) -> None:
    found = json.loads(quick("evaluate", *QUICK, "--no-baselines", "--json").out)
    assert found.keys() == {"served", "intervals", "differences", "sources", "about"}
    assert found["differences"] == {}


def test_without_a_play_to_guess_the_weeks_are_judged_all_the_same(quick: Segue, tmp_path: Path) -> None:
    nothing = ("--share", "0", "--lists", "lists.parquet", "--html", "report.html")
    told = json.loads(quick("evaluate", *QUICK, "--share", "0", "--json").out)
    assert told["served"]["hr@20"] is None
    assert told["intervals"]["served"]["hr@20"] == [None, None, 0]
    assert told["differences"]["popular"]["hr@20"] == [None, None, None, 0]
    assert told["served"]["ndcg@100"] > 0
    said = quick("evaluate", *QUICK, *nothing)
    assert said.code == 0, said.err
    assert "0 plays to guess" in said.out
    assert pl.read_parquet(tmp_path / "lists.next.parquet").is_empty()
    assert (tmp_path / "report.html").exists()


def test_lists_are_written_as_two_tables_by_name(quick: Segue, tmp_path: Path) -> None:
    said = quick("evaluate", *QUICK, "--no-baselines", "--lists", "lists.parquet")
    assert said.code == 0, said.err
    weekly, guesses = pl.read_parquet(tmp_path / "lists.parquet"), pl.read_parquet(tmp_path / "lists.next.parquet")
    assert weekly.columns == ["window_start", "user_id", "rank", "artist", "track"]
    assert guesses.columns == ["user_id", "at", "rank", "artist", "track"]
    log = pl.read_parquet(tmp_path / "listens.parquet")
    for lists, keys in ((weekly, ["window_start", "user_id"]), (guesses, ["user_id", "at"])):
        assert lists.join(log, on=["artist", "track"], how="anti").is_empty()
        assert lists.group_by(keys).agg(pl.col("rank").sort() == pl.int_range(1, pl.len() + 1))["rank"].list.all().all()
    assert weekly["window_start"].n_unique() == 2
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("lists*.parquet")} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir() if "lists" in path.name) == [
        "lists.next.parquet", "lists.parquet",
    ]  # fmt: skip


class Page(HTMLParser):
    """Tags and what they point to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_the_page_has_plots_and_figures_and_needs_nothing_else(quick: Segue, tmp_path: Path) -> None:
    said = quick("evaluate", *QUICK, "--html", "report.html", "--json")
    assert said.code == 0, said.err
    text = (tmp_path / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert page.tags.count("svg") == 5
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert all(target.startswith("#") for target in page.targets)
    assert not re.search(r"url\((?!#)|@import", text)
    told = json.loads(said.out)
    for value in told["served"].values():
        assert value is None or f"{value:.4f}" in text
    assert "served: each source's share" in text
    for columns in told["sources"]["served"].values():
        for mean, low, high, rows in columns.values():
            assert not rows or f"{mean:.4f}<br><small>{low:.4f} to {high:.4f}" in text


def refused(said: Said) -> str:
    assert said.code == 1
    assert "Traceback" not in said.err
    return said.err.splitlines()[-1]


def test_a_log_that_is_too_short_is_named(quick: Segue, tmp_path: Path) -> None:
    short = log_of([("ann", f"a{track}", 50 + track, 60_000) for track in range(9)])
    short.select("user_id", "listened_at", "artist", "ms_played", track="track_id").write_parquet(
        tmp_path / "s.parquet"
    )
    assert "nobody can be judged in the last 4 weeks" in refused(quick("evaluate", "--listens", "s.parquet"))


def test_what_cannot_be_written_is_refused_before_the_work(quick: Segue, tmp_path: Path) -> None:
    for option in ("--lists", "--html"):
        assert "nowhere/x: cannot be written there" in refused(quick("evaluate", *QUICK, option, "nowhere/x"))
    assert quick("evaluate", "--listens", "missing.parquet").code == 1


def test_an_output_that_is_the_log_or_another_output_is_refused_and_the_log_is_left(
    quick: Segue, tmp_path: Path
) -> None:
    before = (tmp_path / "listens.parquet").read_bytes()
    (tmp_path / "link.parquet").symlink_to("listens.parquet")
    (tmp_path / "a.next.parquet").symlink_to("listens.parquet")
    for options, named in (
        (("--lists", "./listens.parquet"), "--listens listens.parquet and --lists listens.parquet are one file"),
        (("--html", "link.parquet"), "--listens listens.parquet and --html link.parquet are one file"),
        (("--lists", "a.parquet"), "and the lists beside --lists, a.next.parquet are one file"),
        (("--lists", "x", "--html", "x"), "--lists x and --html x are one file"),
        (("--lists", "x.h", "--html", "x.next.h"), "the lists beside --lists, x.next.h and --html x.next.h are one"),
    ):
        assert named in refused(quick("evaluate", *QUICK, *options))
    assert (tmp_path / "listens.parquet").read_bytes() == before


def test_without_the_library_that_draws_the_extra_is_named(quick: Segue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'segue[evaluate]'" in refused(quick("evaluate", *QUICK, "--html", "report.html"))


def test_a_wrong_setting_of_lists_is_named(quick: Segue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_LIST_SOURCES", "magic=1")
    said = quick("evaluate", *QUICK)
    assert said.code == 2
    assert "no source 'magic'" in said.err
