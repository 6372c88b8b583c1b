"""The networks and the song model. torch is in an extra of its own (docs/decisions/0005)."""

import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'segue[neural]'")
pytest.importorskip("sklearn", reason="needs segue[lyrics]")

from models.lyrics.fit import CONTENDERS, Lessons, fit, logits
from models.lyrics.judge import LINEAR, Contender, chosen, compare, distinct, splits
from models.lyrics.packed import Packed, Vocabulary
from models.lyrics.record.apart import Died, time_apart
from models.lyrics.record.corpus import Corpus, corpus
from models.lyrics.record.ours import Ours
from models.lyrics.record.plain import Plain
from models.lyrics.record.run import Lap, Limits, time_to, time_warm
from models.lyrics.record.tensor_flow import tensor_flow
from models.lyrics.settings import LyricsSettings
from models.lyrics.songs import TooFew
from models.lyrics.tfidf import Tfidf
from models.lyrics.topics import usual
from tests.unit.models.lyrics.worlds import TOPICS, dies, sung


def songs(count: int, seed: int = 5) -> tuple[list[list[str]], list[str]]:
    rng = np.random.default_rng(seed)
    topics = [TOPICS[at % 3] for at in range(count)]
    return [sung(topic, rng).split() for topic in topics], topics


def lessons(count: int = 60) -> Lessons:
    words, topics = songs(count)
    labels = np.array([TOPICS.index(topic) for topic in topics])
    return Lessons(Tfidf.fit(words, 300).bags(words), labels, 3, np.arange(count - 9), np.arange(count - 9, count))


@pytest.mark.parametrize("name", CONTENDERS)
def test_each_network_learns_and_onnx_says_the_same(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs segue[neural]")
    from models.lyrics.export import ExportFailed, export, prove

    taught = lessons()
    made = fit(name, taught, 3, 1)
    assert (logits(made, taught.bags).argmax(axis=1) == taught.labels).mean() > 0.95
    dense = torch.from_numpy(taught.bags.dense(0, 9))
    with torch.inference_mode():
        assert made(dense).numpy() == pytest.approx(logits(made, taught.bags)[:9], abs=1e-4)
    export(made, tmp_path / "x.onnx")
    assert prove(made, tmp_path / "x.onnx", taught.bags) < 1e-4
    with torch.no_grad():
        made.first.weight.add_(torch.randn_like(made.first.weight))
    with pytest.raises(ExportFailed, match="apart"):
        prove(made, tmp_path / "x.onnx", taught.bags)


def test_the_same_seed_makes_the_same_network() -> None:
    one, two = (logits(fit("paper", lessons(), 3, 1), lessons().bags) for _ in range(2))
    assert np.array_equal(one, two)


def test_no_artist_is_learned_from_and_asked_about() -> None:
    groups = np.random.default_rng(1).integers(0, 30, 200)
    groups = np.unique(groups, return_inverse=True)[1]
    parts = splits(groups, 3)
    assert sum(map(len, parts)) == 200
    artists = [set(groups[part].tolist()) for part in parts]
    assert not artists[0] & artists[1]
    assert not artists[0] & artists[2]
    assert not artists[1] & artists[2]


def test_copies_are_left_out_but_for_the_first() -> None:
    words, _ = songs(12)
    assert distinct([*words, words[3], [*words[5], "river"]], 300).tolist() == list(range(12))


def test_the_comparison_tells_topics_that_words_tell() -> None:
    words, topics = songs(60)
    artists = [f"A{at // 2}" for at in range(60)]
    found = compare(words, topics, artists, 300, [1], 0.01, 1)
    assert [each.name for each in found.contenders] == list(CONTENDERS)
    linear = found.contenders[0]
    assert linear.macro_f1 > 0.9
    assert np.array(linear.confusion).sum() == 12
    assert set(linear.by_topic) <= set(TOPICS)
    shuffled = compare(words, list(np.random.default_rng(1).permutation(topics)), artists, 300, [1], 0.01, 1)
    assert shuffled.contenders[0].macro_f1 < 0.7


def test_artists_too_few_to_split_are_refused_with_what_is_needed() -> None:
    words, topics = songs(12)
    with pytest.raises(TooFew, match=r"of 1 artists: .*label songs of more artists"):
        compare(words, topics, ["Ann"] * 12, 300, [1, 2], 0.01, 1)
    with pytest.raises(TooFew, match="of 2 artists"):  # one is asked about, one says when to stop: none is learned from
        compare(words, ["love", "war"] * 6, ["Ann", "Ann", "Bob"] * 4, 300, [1, 2], 0.01, 1)
    with pytest.raises(TooFew, match="of 3 artists"):  # two of them sing of one topic, one of the other
        compare(words, ["love", "love", "war"] * 4, ["Ann", "Bob", "Cid"] * 4, 300, [seed_asking(2, 3)], 0.01, 1)


def test_a_split_that_leaves_one_topic_to_learn_from_is_passed_over() -> None:
    words, _ = songs(12)
    seeds = [seed_asking(2, 3), seed_asking(0, 3)]
    found = compare(words, ["love", "love", "war"] * 4, ["Ann", "Bob", "Cid"] * 4, 300, seeds, 0.01, 1)
    assert {len(each.seeds) for each in found.contenders} == {1}


def seed_asking(artist: int, artists: int) -> int:
    """The first seed that asks about this artist."""
    return next(seed for seed in range(99) if splits(np.arange(artists), seed)[0].tolist() == [artist])


def test_copies_count_once_towards_the_songs_that_a_topic_needs() -> None:
    words, _ = songs(4)
    labels = ["love", "war", "love", "war", "love", "love", None]
    asked = [*words, words[0], ["alone"], words[1]]
    at_least = lambda least: usual(labels, asked, LyricsSettings(topic_songs=least))  # noqa: E731  # shorter so
    assert at_least(2) == [0, 1, 2, 3, 4, 5]
    assert at_least(3) == [0, 2, 4, 5]
    assert at_least(4) == []
    assert usual([None], [["alone"]], LyricsSettings()) == []


def test_a_network_ships_only_above_the_margin() -> None:
    def contender(name: str, macro: float) -> Contender:
        return Contender(name, 0, 0, macro, 0, 0, "a", {}, round(macro - 0.7, 4), [], [])

    assert chosen([contender(LINEAR, 0.7), contender("paper", 0.705)], 0.01) == LINEAR
    assert chosen([contender(LINEAR, 0.7), contender("paper", 0.72), contender("tuned", 0.715)], 0.01) == "paper"


def sung_by(count: int, size: int) -> Corpus:
    lines = [
        [line.split() for line in sung(TOPICS[at % 3], np.random.default_rng(at)).split("\n")] for at in range(count)
    ]
    return corpus(lines, size, 100, 120, 3, 30)


@pytest.mark.parametrize("who", ["plain", "ours", "learned"])
def test_the_song_model_comes_to_know_its_songs(who: str) -> None:
    made = sung_by(30, 40)
    assert (len(made.songs), made.real) == (40, 30)
    makers = {
        "plain": lambda made: Plain(made.songs, made.words, 120, 16, 3, 1),
        "ours": lambda made: Ours(made.songs, made.words, 16, 3, 1),
        "learned": lambda made: Ours(made.songs, made.words, 16, 3, 1, rows="learned"),
    }
    found = time_to(
        makers[who], made, Limits(0.4 if who == "plain" else 0.9, 400, 60.0, 3)
    )  # plain: few steps an epoch
    assert found.reached
    assert found.epochs == len(found.laps)
    assert found.laps[0].recall < 0.4 or who != "plain"  # the others are quick: that is their point
    one = time_to(makers[who], made, Limits(1.1, 1, 60.0, 3))
    assert (one.epochs, one.reached) == (1, False)


@pytest.mark.parametrize("who", ["plain", "ours"])
def test_songs_without_a_line_to_hold_out_have_no_line_recall(who: str) -> None:
    made = corpus([[sung(TOPICS[at % 3], np.random.default_rng(at)).split()] for at in range(30)], 40, 100, 120, 3, 30)
    assert not len(made.of)
    makers = {
        "plain": lambda made: Plain(made.songs, made.words, 120, 16, 3, 1),
        "ours": lambda made: Ours(made.songs, made.words, 16, 3, 1),
    }
    found = time_warm(makers[who], made, made, Limits(1.1, 1, 60.0, 3))
    assert (found.epochs, found.line_recall) == (1, None)


def test_tensorflow_comes_to_know_its_songs_in_a_process_of_its_own() -> None:
    if find_spec("tensorflow") is None:  # never imported here: with torch loaded it ends the process
        pytest.skip("needs tensorflow: pip install tensorflow-cpu")
    drawn = np.random.default_rng(3).integers(300, size=(200, 3, 5))
    lines = [[[f"word{number}" for number in line] for line in song] for song in drawn.tolist()]
    laps: list[Lap] = []
    made, limits = partial(tensor_flow, 12, 64, 3, 1), Limits(0.5, 60, 300.0, 3)
    found = time_apart(made, sung_by(30, 9), corpus(lines, 200, 300, 12, 3, 30), limits, laps.append)
    assert found.reached
    assert found.laps == laps
    assert found.laps[0].recall < 0.3
    assert "tensorflow" not in sys.modules


def test_a_contestant_whose_process_dies_is_told_of() -> None:
    with pytest.raises(Died, match="ended with code 3"):
        time_apart(dies, sung_by(30, 9), sung_by(30, 40), Limits(0.4, 1, 60.0, 3))


def test_packing_cuts_pads_and_numbers() -> None:
    vocabulary = Vocabulary.fit([["a", "b", "a"], ["a", "c"]], 2)
    assert vocabulary.words == ["a", "b"]
    packed = vocabulary.pack([["b", "x", "a"], [], ["a"]], 2)
    assert packed.padded(3).tolist() == [[3, 1, 0], [0, 0, 0], [2, 0, 0]]
    again = packed.rows(np.array([2, 0]))
    assert again.padded(2).tolist() == [[2, 0], [3, 1]]
    assert isinstance(again, Packed)
