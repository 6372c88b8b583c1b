"""`segue compare` from a file to a table and to JSON."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from models.counts.contenders import CONTENDERS
from services.cli.comparing import MODELS
from tests.unit.cli.conftest import Said, Segue
from tests.unit.models.counts.worlds import two_camps

QUICK = ("--seeds", "2", "--trials", "2", "--models", "popular,ease")
REAL = Path(__file__).parents[4] / "shared/data/hetrec2011-lastfm-2k/user_artists.dat"


@pytest.fixture
def frame() -> pl.DataFrame:
    pairs = two_camps().tocoo()
    return pl.DataFrame({"userID": pairs.row, "artistID": pairs.col, "weight": pairs.data.astype(int)})


@pytest.fixture(autouse=True)
def files(tmp_path: Path, frame: pl.DataFrame) -> None:
    """The same counts in every form that is read."""
    frame.write_csv(tmp_path / "counts.dat", separator="\t")
    frame.write_csv(tmp_path / "bare.csv", include_header=False)
    frame.with_columns("user " + pl.col("userID").cast(pl.String)).write_parquet(tmp_path / "counts.parquet")


def test_the_table_has_intervals_differences_and_what_was_skipped(
    segue: Segue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTENDERS, "ncf", CONTENDERS["ncf"]._replace(needs="no_such_library"))
    said = segue("compare", "--counts", "counts.dat", *QUICK[:-1], "popular,ease,ncf")
    assert said.code == 0, said.err
    for part in ("1,200 counts of 80 listeners and 60 items", "20% of each", "auc_truncated@10", "minus ease",
                 "ncf: skipped, needs no_such_library"):  # fmt: skip
        assert part in said.out
    assert "ease: 100 %" in said.err


def test_every_form_of_the_same_counts_gives_the_same_figures(segue: Segue) -> None:
    found = [json.loads(segue("compare", "--counts", name, *QUICK, "--json").out) for name in
             ("counts.dat", "bare.csv")]  # fmt: skip
    assert found[0]["by_split"] == found[1]["by_split"]
    named = json.loads(segue("compare", "--counts", "counts.parquet", *QUICK, "--json").out)
    assert named["counts"] == found[0]["counts"]
    assert found[0]["counts"] | {"held_out": 0} == {
        "listeners": 80, "items": 60, "pairs": 1200, "judged": 80, "held_out": 0,
    }  # fmt: skip


def test_without_torch_ncf_is_skipped_and_the_rest_is_there(segue: Segue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("models.counts.contenders.find_spec", lambda _name: None)
    found = json.loads(segue("compare", "--counts", "counts.dat", "--seeds", "1", "--trials", "0", "--json").out)
    assert list(found["figures"]) == MODELS.split(",")[:-1]
    assert "segue[neural]" in found["skipped"]["ncf"]


def test_the_models_by_default_are_all_there_are() -> None:
    assert MODELS.split(",") == list(CONTENDERS)


def refused(said: Said) -> str:
    assert said.code == 1
    assert "Traceback" not in said.err
    return said.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("u\ti\tn\n1\t2\t3\n1\t3\tmany\n1\t4\t-1\n", "row 2 of the counts, and 1 more"),
        ("u\ti\tn\n1\t2\t\n", "row 1 of the counts"),
        ("u\ti\tn\n1\t2\tinf\n", "row 1 of the counts"),
        ("u\ti\tn\n\t2\t1\n", "row 1 of the counts"),
        ("u\ti\tn\n", "no counts in it"),
        ("", "cannot be read as counts"),
        ('u,i,n\n1,2,3\n1,3,"mine\n', "cannot be read as counts: could not parse a cell (an unclosed quote?)"),
        ("1,2\n3,4\n", "2 columns where"),
        ("u\ti\tn\n1\t2\t3\n", "nothing can be held out"),
    ],
)
def test_what_cannot_be_compared_is_named(segue: Segue, tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "wrong.dat").write_text(text)
    said = refused(segue("compare", "--counts", "wrong.dat", *QUICK))
    assert said.startswith("segue: wrong.dat: ") or "\x1b" in said
    assert why in said


def test_wrong_options_are_named(segue: Segue) -> None:
    counts = ("compare", "--counts", "counts.dat")
    assert "no model 'magic'; there are popular, item_knn" in refused(segue(*counts, "--models", "ease,magic"))
    assert "no model is named" in refused(segue(*counts, "--models", ","))
    assert "--held-out 1: takes a share" in refused(segue(*counts, "--held-out", "1"))
    assert segue("compare", "--counts", "missing.dat").code == 1


def test_the_real_counts_are_read_whole_and_ease_doubles_popularity(segue: Segue) -> None:
    if not REAL.is_file():
        pytest.skip("needs ../shared/data/hetrec2011-lastfm-2k")
    said = segue(
        "compare", "--counts", str(REAL), "--seeds", "1", "--trials", "0", "--models", "popular,ease", "--json"
    )
    found = json.loads(said.out)
    assert (found["counts"]["listeners"], found["counts"]["items"], found["counts"]["pairs"]) == (1892, 17632, 92834)
    assert found["figures"]["ease"]["ndcg@100"][0] > 2 * found["figures"]["popular"]["ndcg@100"][0]
    assert 0.53 < found["figures"]["popular"]["auc_truncated@10"][0] < 0.54 < found["figures"]["popular"]["auc"][0]
