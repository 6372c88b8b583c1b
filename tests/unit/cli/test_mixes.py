"""`segue recommend --mix` on a folder, and `segue watch --mix` on messages made up."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.release import BadRelease
from schemas.recommendation import Item, Recommendations
from services.cli import stream
from services.cli.__main__ import app
from services.runtime.settings import KafkaSettings
from tests.unit.cli.conftest import Segue
from tests.unit.models.evaluation.logs import crowd

SMALL = {"SEGUE_ALS_ITERATIONS": "2", "SEGUE_RANKER_LISTENERS": "0", "SEGUE_TRAINER_CHECK_LISTENERS": "0"}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    crowd(5).write_parquet(folder / "listens.parquet")
    asked = ["train", "--listens", str(folder / "listens.parquet"), "--out", str(folder / "r1")]
    assert CliRunner().invoke(app, asked, env=SMALL).exit_code == 0
    return folder / "r1"


def recommended(segue: Segue, release: Path, *more: str) -> dict[str, Any]:
    said = segue("recommend", "u05", "--release", str(release), "--json", *more)
    assert said.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_a_list_of_another_mix_is_made_alone(segue: Segue, release: Path) -> None:
    weekly, unheard = recommended(segue, release), recommended(segue, release, "--mix", "discover")
    assert weekly["mixes"] == unheard["mixes"] == {}
    assert len(unheard["items"]) == 10
    assert "history" in {item["source"] for item in weekly["items"]}
    assert "history" not in {item["source"] for item in unheard["items"]}
    assert weekly["items"] == recommended(segue, release, "--mix", "for-you")["items"]


def test_the_lists_beside_it_are_made_as_a_scorer_makes_them(
    segue: Segue, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_LIST_MIXES", "discover=3 familiar")
    both = recommended(segue, release)
    assert {mix: len(items) for mix, items in both["mixes"].items()} == {"discover": 3, "familiar": 50}
    alone = recommended(segue, release, "--mix", "discover")
    assert alone["items"] == both["mixes"]["discover"]
    assert alone["mixes"] == {}
    shown = segue("recommend", "u05", "--release", str(release))
    assert "beside it: discover, familiar (--mix)" in shown.out
    shown = segue("recommend", "u05", "--release", str(release), "--mix", "discover")
    assert ", discover" in shown.out.splitlines()[0]
    assert "beside it" not in shown.out
    monkeypatch.setenv("SEGUE_LIST_MIXES", "for-you")
    assert "is not one `mix`" in segue("recommend", "u05", "--release", str(release), "--mix", "familiar").one_line


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_playlist_of_a_release_without_recordings_says_why_it_is_empty(
    segue: Segue, release: Path, more: tuple[str, ...]
) -> None:
    said = segue("recommend", "u05", "--release", str(release), "--mix", "playlist", *more)
    assert said.code == 0
    assert "release r1 knows no recordings, so there is no playlist: segue train --audio" in said.one_line


def item(track: str) -> Item:
    return Item(track, 1.0, "why", "history")


class Lists:
    """In place of stream.Lists: one message of two lists stands, of this variant."""

    variant = "a"

    def __init__(self, _settings: KafkaSettings, _user: str) -> None:
        pass

    def newest(self) -> Recommendations:
        beside = {"discover": [item("unheard")]}
        return Recommendations("3-7-r1", "ann", 3, 7, "r1", 2, 1, 1, [item("main [live] [/b]")], self.variant, beside)

    def follow(self, _seconds: float | None = None) -> Iterator[Recommendations]:
        return iter(())

    def __enter__(self) -> "Lists":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> None:
    def current_release(_settings: KafkaSettings) -> None:
        raise BadRelease("none")

    monkeypatch.setattr(stream, "Lists", Lists)
    monkeypatch.setattr(stream, "current_release", current_release)


@pytest.mark.usefixtures("standing")
def test_the_first_list_is_shown_by_the_name_of_its_mix(segue: Segue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "main [live] [/b]" in segue("watch", "ann", "--mix", "for-you").out
    shown = segue("watch", "ann", "--mix", "discover").out
    assert "unheard" in shown
    assert "main" not in shown
    refused = segue("watch", "ann", "--mix", "familiar")
    assert refused.code == 1
    assert "no mix 'familiar' beside the first, which is for-you; it has discover" in refused.one_line
    assert segue("watch", "ann", "--mix", "rubbish").code == 2
    monkeypatch.setenv("SEGUE_LIST_MIX", "familiar")
    assert "main" in segue("watch", "ann", "--mix", "familiar").out
    assert segue("watch", "ann", "--mix", "for-you").code == 1


@pytest.mark.usefixtures("standing")
def test_the_first_list_of_variant_b_is_of_its_own_mix(segue: Segue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lists, "variant", "b")
    monkeypatch.setenv("SEGUE_SCORER_B_LIST", "mix=up-next")
    assert "main" in segue("watch", "ann", "--mix", "up-next").out
    assert "which is up-next" in segue("watch", "ann", "--mix", "for-you").one_line
