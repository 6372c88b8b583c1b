"""The blend: what φ is, that it learns a planted rule, and when it is worth having."""

from pathlib import Path

import numpy as np
import pytest

from models.ranker.blend import CONTEXT, CROSSED, FLAGS, KNOTS, SIZE, Bends, Blend
from models.ranker.features import NAMES
from models.ranker.fit import Lesson, fit, sampled
from models.ranker.lessons import Lessons
from models.ranker.settings import RankerSettings
from models.ranker.teach import BACK, INPUTS, teach

QUICK = RankerSettings(epochs=8, batch=8, network_epochs=0)
OWN, AGE = NAMES.index("own"), NAMES.index("age")


def features(candidates: int, seed: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return np.random.default_rng(seed).gamma(1.0, 1.0, (candidates, len(NAMES))).astype(np.float32)


def lesson(number: int, seed: int, rule: int, answers: int = 1, candidates: int = 60) -> Lesson:
    """Played is what has most of one feature; the fusion knows nothing."""
    table = features(candidates, seed)
    plays = np.zeros(candidates, np.float32)
    plays[np.argsort(-table[:, rule])[:answers]] = 1.0
    return Lesson(number, table, plays, np.ones(candidates, np.float32), np.random.default_rng(seed).random(candidates))


def test_phi_is_the_feature_its_bends_its_presence_and_its_crosses() -> None:
    table = features(50, 1)
    bends = Bends.of(table)
    found = bends.apply(table)
    assert found.shape == (50, SIZE)
    row, mean, deviation = table[7], table.mean(axis=0), table.std(axis=0)
    expected = [(x - m) / d for x, m, d in zip(row, mean, deviation, strict=True)]
    bent = [at for at, name in enumerate(NAMES) if name not in FLAGS + CONTEXT]
    for share in KNOTS:
        expected += [max(0.0, row[at] - np.quantile(table[:, at], share)) / deviation[at] for at in bent]
    expected += [float(row[at] > 0) for at in bent]
    expected += [row[NAMES.index("known")] * row[at] / deviation[at] for at in bent]
    plain = dict(zip(NAMES, expected[: len(NAMES)], strict=True))
    expected += [plain[name] * plain[context] for context in CONTEXT for name in CROSSED]
    np.testing.assert_allclose(found[7], expected, rtol=2e-4, atol=2e-5)


def test_scores_are_the_weights_times_phi_without_ever_making_it() -> None:
    table = features(200, 3)
    bends = Bends.of(table)
    weights = np.random.default_rng(4).normal(size=SIZE).astype(np.float32)
    slowly = bends.apply(table).astype(np.float64) @ weights
    np.testing.assert_allclose(Blend(bends, weights).scores(table), slowly, rtol=1e-4, atol=1e-3)


def test_a_feature_that_never_varies_does_no_harm() -> None:
    table = np.zeros((20, len(NAMES)), np.float32)
    assert np.isfinite(Bends.of(table).apply(table)).all()


@pytest.mark.parametrize(("one_answer", "answers"), [(True, 1), (False, 6)])
def test_it_learns_what_was_played(one_answer: bool, answers: int) -> None:
    blend = fit([lesson(n, n, OWN, answers) for n in range(400)], QUICK, one_answer)
    assert blend is not None
    unseen = [lesson(0, 1_000 + n, OWN, answers) for n in range(40)]
    hits = [each.played[np.argmax(blend.scores(each.features))] for each in unseen]
    assert np.mean(hits) > 0.7  # by chance it would be 1 in 60


def test_the_same_lessons_teach_the_same() -> None:
    lessons = [lesson(n, n, AGE) for n in range(30)]
    first, second = fit(lessons, QUICK, True), fit(lessons, QUICK, True)
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.weights, second.weights)


def test_lessons_in_which_nothing_or_everything_was_played_teach_nothing() -> None:
    nothing = lesson(0, 1, OWN)._replace(plays=np.zeros(60, np.float32))
    assert fit([nothing, nothing._replace(plays=nothing.plays + 1.0)], QUICK, True) is None
    assert fit([], QUICK, False) is None


def test_a_sample_keeps_every_answer_and_stands_for_the_rest() -> None:
    whole = lesson(0, 3, OWN, answers=5, candidates=500)
    part = sampled(whole, 50, np.random.default_rng(1))
    assert part.played.sum() == 5
    assert len(part.played) == 55
    assert part.weights.sum() == pytest.approx(500)
    assert part.weights[part.played].tolist() == [1.0] * 5
    assert sampled(whole, 495, np.random.default_rng(1)) is whole


def taught(rule: int, listeners: int = 30) -> Lessons:
    lessons = [lesson(n % listeners, n, rule, answers=3) for n in range(4 * listeners)]
    held = [each for each in lessons if each.listener % 5 == 0]
    return Lessons({"for-you": lessons, "up-next": lessons}, {"for-you": held, "up-next": held})


def test_a_ranker_that_beats_its_inputs_on_listeners_it_has_not_seen_is_shipped() -> None:
    rankers, metrics = teach(taught(AGE), QUICK, lambda _: None)
    assert set(rankers) == {"for-you", "up-next"}
    found = metrics["ranker_up-next"]
    assert found["shipped"] == 1.0
    assert found["mrr"] > max(found[f"{name}_mrr"] for name in ("fusion", "recent", *INPUTS))


@pytest.mark.parametrize("name", ["recent", *INPUTS])
def test_one_that_does_not_beat_them_is_not(name: str) -> None:
    """The dot product, or what one source goes by, is the very answer."""
    lessons = taught(NAMES.index(INPUTS.get(name, "back")))
    if name == "recent":  # the fewer plays since, the better
        lessons = Lessons(*({mix: [_turned(each) for each in made] for mix, made in part.items()} for part in lessons))
    rankers, metrics = teach(lessons, QUICK, lambda _: None)
    assert rankers == {}
    assert metrics["ranker_for-you"]["shipped"] == 0.0
    assert metrics["ranker_for-you"][f"{name}_ndcg@100"] == pytest.approx(1.0)


def _turned(made: Lesson) -> Lesson:
    table = made.features.copy()
    table[:, BACK] *= -1.0
    return made._replace(features=table)


def test_of_few_listeners_nothing_can_be_said() -> None:
    rankers, _ = teach(taught(AGE, listeners=5), QUICK, lambda _: None)
    assert set(rankers) == set()


def test_what_is_saved_is_loaded_and_what_is_not_whole_is_refused(tmp_path: Path) -> None:
    blend = fit([lesson(n, n, OWN) for n in range(30)], QUICK, True)
    assert blend is not None
    path = tmp_path / "ranker.npz"
    blend.save(path)
    table = features(10, 5)
    np.testing.assert_array_equal(Blend.load(path).scores(table), blend.scores(table))
    whole = {"names": np.array(NAMES), "weights": blend.weights, **blend.bends._asdict()}
    np.savez(path, **{**whole, "weights": blend.weights[:-1]})
    with pytest.raises(ValueError, match="columns of shapes"):
        Blend.load(path)
    np.savez(path, **{**whole, "weights": np.full(SIZE, np.nan, np.float32)})
    with pytest.raises(ValueError, match="not finite"):
        Blend.load(path)
    np.savez(path, **{**whole, "names": np.array(["older"])})
    with pytest.raises(ValueError, match="other features"):
        Blend.load(path)
