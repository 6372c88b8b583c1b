"""The source `lyrics` is judged where tracks have lyrics: alone, among the served lists, and by what its lack costs."""

from pathlib import Path

import polars as pl
import pytest

from models.als.settings import AlsSettings
from models.evaluation.protocol import Protocol
from models.evaluation.run import evaluate
from models.evaluation.settings import Settings
from models.evaluation.systems import Lists
from models.lyrics import part
from models.ranker.settings import RankerSettings
from models.sources.settings import ListSettings
from tests.unit.models.evaluation.logs import crowd, tracks_of
from tests.unit.models.lyrics.worlds import tracks

LISTS = Lists.of(ListSettings(sources="history=1 lyrics=3"))
SETTINGS = Settings(
    Protocol(weeks=1, share=0.02), LISTS, als=AlsSettings(factors=4, iterations=2),
    ranker=RankerSettings(listeners=0), leave_out=True,
)  # fmt: skip


def judged(listens: pl.DataFrame, catalogue: pl.DataFrame, folder: Path) -> tuple[dict[str, float], float]:
    """Each system's recall@300, and what the words have of the hits of the served lists."""
    folder.mkdir()
    found, _ = evaluate(listens, catalogue, folder, SETTINGS, lambda *_: None)
    recall = {name: figures["recall@300"].mean for name, figures in found.figures.items()}
    return recall, found.sources["served"]["lyrics"]["share_of_hits@300"].mean


@pytest.mark.slow
def test_what_songs_with_like_words_find_is_reported(tmp_path: Path) -> None:
    for package in part.NEEDED:
        pytest.importorskip(package, reason="needs segue[lyrics,neural]")
    listens = crowd(11, tracks=40)
    catalogue = tracks_of(listens)
    sung = catalogue.with_columns(tracks(catalogue.height)["lyrics"])
    with_words, share = judged(listens, sung, tmp_path / "with")
    assert with_words["source_lyrics"] > 0
    assert with_words["served"] > with_words["without_lyrics"]
    assert 0 < share < 1
    without, share = judged(listens, catalogue, tmp_path / "without")
    assert without["source_lyrics"] == 0.0
    assert without["served"] == without["without_lyrics"]
    assert share == 0.0
