"""The neural ranker: it learns what a rule says, its graph says what torch says, and it ships where it is better."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from models.ranker import teach as teaching
from models.ranker.features import NAMES
from models.ranker.fit import Lesson
from models.ranker.serve import NetworkScorer
from models.ranker.settings import RankerSettings
from models.ranker.taught import load_ranker
from models.ranker.teach import teach
from tests.unit.models.test_blend import AGE, OWN, features, lesson, taught

pytest.importorskip("torch", reason="torch is in requirements-neural.lock (docs/decisions/0005)")
pytest.importorskip("onnx", reason="onnx is in requirements-neural.lock")

from models.ranker.export import NotEqual, export
from models.ranker.fit_network import KNOWN, fit_network
from models.ranker.network import RankerNetwork

SMALL = RankerSettings(hidden=16, members=2, network_epochs=15, network_rate=0.02, epochs=3)


def both(number: int, seed: int) -> object:
    """Right is what has much of one feature and little of another: a product, which no sum of bends can say."""
    made = lesson(number, seed, OWN, answers=3)
    product = made.features[:, 3] * made.features[:, 5]
    return made._replace(plays=(product >= np.sort(product)[-3]).astype(np.float32))


def test_it_learns_a_rule_and_the_graph_says_what_torch_says() -> None:
    lessons = [lesson(n % 30, n, OWN, answers=3) for n in range(120)]
    network = fit_network(lessons, SMALL, one_answer=True)
    assert network is not None
    unseen = [lesson(99, 1_000 + n, OWN, answers=3) for n in range(100)]
    scorer = NetworkScorer(export(network, lessons[0].features))  # raises where they differ by 1e-4
    right = [each.played[np.argmax(scorer.scores(each.features))] for each in unseen]
    assert np.mean(right) > 0.85  # by three seeds 0.91 to 0.94; chance: 0.05


def test_of_a_week_it_learns_how_often_each_is_played() -> None:
    """What has much of one feature is played once, what has much of another four times: both are played as surely."""

    def week(number: int) -> Lesson:
        made = lesson(number, number, OWN)
        once, often = made.features[:, OWN] > 2.5, made.features[:, AGE] > 2.5
        return made._replace(plays=np.where(often, 4.0, np.where(once, 1.0, 0.0)).astype(np.float32))

    network = fit_network([week(number) for number in range(120)], SMALL, one_answer=False)
    assert network is not None
    unseen = features(2_000, 999)
    scores = NetworkScorer(export(network, unseen)).scores(unseen)
    often = unseen[:, AGE] > 3.0
    once = (unseen[:, OWN] > 3.0) & ~often
    assert np.median(scores[often]) - np.median(scores[once]) == pytest.approx(np.log(4.0), abs=0.5)


def test_what_is_new_is_put_in_order_though_it_is_hardly_ever_played(monkeypatch: pytest.MonkeyPatch) -> None:
    def week(number: int) -> Lesson:
        made = lesson(number, number, OWN)
        table = made.features.copy()
        table[:, KNOWN] = np.arange(len(table)) < 30
        plays = np.where(table[:, KNOWN] == 1, np.floor(2.0 * table[:, OWN]), 0.0).astype(np.float32)
        if number % 3 == 0:
            plays[30 + np.argmax(table[30:, AGE])] = 1.0
        return made._replace(features=table, plays=plays)

    def found(network: RankerNetwork | None) -> float:
        """The share of weeks in which the new track to be played is among the first three new ones."""
        assert network is not None
        scorer = NetworkScorer(export(network, features(3, 1)))
        hits = []
        for number in range(900, 1_000):
            table = week(number).features[30:]
            hits.append(np.argmax(table[:, AGE]) in np.argsort(-scorer.scores(table))[:3])
        return float(np.mean(hits))

    weeks = [week(number) for number in range(90)]
    with_order = found(fit_network(weeks, SMALL, one_answer=False))
    monkeypatch.setattr("models.ranker.fit_network.NEW", 0.0)
    assert with_order > found(fit_network(weeks, SMALL, one_answer=False)) + 0.1


def test_the_same_lessons_give_the_same_graph_and_leave_torch_as_it_was() -> None:
    import torch

    lessons = [lesson(n % 30, n, OWN) for n in range(30)]
    torch.manual_seed(5)
    first = torch.rand(1)
    torch.manual_seed(5)
    networks = [fit_network(lessons, SMALL, one_answer=True) for _ in range(2)]
    made = [export(network, features(3, 1)) for network in networks if network is not None]
    assert made[0] == made[1]
    assert torch.equal(torch.rand(1), first)


def test_a_graph_that_says_something_else_is_not_let_out(monkeypatch: pytest.MonkeyPatch) -> None:
    network = fit_network([lesson(n, n, OWN) for n in range(9)], replace(SMALL, network_epochs=1), one_answer=True)
    monkeypatch.setattr(NetworkScorer, "scores", lambda _, table: np.full(len(table), 7, np.float32))
    with pytest.raises(NotEqual, match="differs from the network by"):
        export(network, features(4, 2))


def test_a_feature_that_hardly_varies_is_exported_too() -> None:
    def week(number: int) -> Lesson:
        made = lesson(number, number, OWN)
        table = made.features.copy()
        table[:, AGE] = 10.0
        return made._replace(features=table)

    lessons = [week(number) for number in range(9)]
    network = fit_network(lessons, replace(SMALL, network_epochs=1), one_answer=True)
    assert network is not None
    network.deviation[AGE] = 2e-6  # a deviation just above what counts as none
    export(network, lessons[0].features)  # raises where they differ by 1e-4


def test_lessons_that_teach_nothing_give_nothing() -> None:
    nothing = lesson(1, 1, OWN)
    nothing = nothing._replace(plays=np.zeros(len(nothing.plays), np.float32))
    assert fit_network([nothing], SMALL, one_answer=False) is None


def test_what_is_no_graph_or_of_other_features_is_refused(tmp_path: Path) -> None:
    import onnx

    path = tmp_path / "ranker_up-next.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(ValueError, match=r"ranker_up-next.onnx: not a graph"):
        load_ranker(tmp_path, "up-next", [path.name])
    network = fit_network([lesson(n, n, OWN) for n in range(9)], replace(SMALL, network_epochs=1), one_answer=True)
    model = onnx.load_from_string(export(network, features(4, 2)))
    model.metadata_props[0].value = " ".join(NAMES[:-1])
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match="other features"):
        load_ranker(tmp_path, "up-next", [path.name])
    assert load_ranker(tmp_path, "up-next", []) is None


def test_the_network_ships_where_it_does_better_and_comes_back_from_its_file(tmp_path: Path) -> None:
    lessons = taught(AGE)
    lessons = lessons._replace(
        taught={mix: [both(each.listener, n) for n, each in enumerate(made)] for mix, made in lessons.taught.items()}
    )
    held = [each for each in lessons.taught["for-you"] if each.listener % 5 == 0]
    lessons = lessons._replace(whole={"for-you": held, "up-next": held})
    rankers, metrics = teach(lessons, replace(SMALL, hidden=32, network_epochs=40), lambda _: None)
    found = metrics["ranker_for-you"]
    assert found["network"] == 1.0, found
    assert found["ndcg@100"] == found["onnx_ndcg@100"] > found["npz_ndcg@100"]
    rankers["for-you"].save(tmp_path, "for-you")
    again = load_ranker(tmp_path, "for-you", ["ranker_for-you.onnx"])
    assert again is not None
    np.testing.assert_array_equal(again.scores(held[0].features), rankers["for-you"].ranker.scores(held[0].features))


def test_without_torch_a_blend_is_taught_and_somebody_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(teaching, "find_spec", lambda _: None)
    rankers, metrics = teach(taught(AGE), SMALL, lambda _: None)
    assert {each.kind for each in rankers.values()} == {"npz"}
    assert "onnx_mrr" not in metrics["ranker_up-next"]
    assert "segue[neural]" in caplog.text


def test_of_many_lessons_the_blend_is_taught_only_where_there_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "MANY", 1)
    _, metrics = teach(taught(AGE), SMALL, lambda _: None)
    assert "onnx_mrr" in metrics["ranker_up-next"]
    assert "npz_mrr" not in metrics["ranker_up-next"]
    monkeypatch.setattr(teaching, "_network", lambda *_: None)  # as when ONNX Runtime says something else
    rankers, _ = teach(taught(AGE), SMALL, lambda _: None)
    assert {each.kind for each in rankers.values()} == {"npz"}
