"""Learning to rank from lessons: what retrieval proposed at a past moment, and what of it was then played.

A lesson of the next track is a conditional logit (McFadden 1974): −log softmax(scores)[played]. A lesson of a week has
many right answers, each judged by itself: logistic loss. Candidates that were not played are sampled and weighted up.
Both are convex in the weights; Adam (Kingma & Ba 2015) with a falling step, from zero, in a fixed order.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.ranker.blend import SIZE, Bends, Blend, Matrix
from models.ranker.settings import RankerSettings

SAMPLE = 7  # every so manieth candidate says where features are bent
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
NEVER = -30.0


class Lesson(NamedTuple):
    """One list that could have been made, and what followed; parallel columns over its candidates."""

    listener: int
    features: Matrix  # (candidates, features)
    plays: Matrix  # how often each was played then; of the next track 1
    weights: Matrix  # of a sampled candidate: how many it stands for
    fused: NDArray[np.float64]  # what the sources say together

    @property
    def played(self) -> NDArray[np.bool_]:
        """What was played at all."""
        return self.plays > 0

    @property
    def useful(self) -> bool:
        """Whether anything can be learned from it."""
        return bool(self.played.any()) and not self.played.all()


def sampled(lesson: Lesson, most: int, rng: np.random.Generator) -> Lesson:
    """All that was played and at most `most` of the rest, which then stand for all of it."""
    rest = np.flatnonzero(~lesson.played)
    if len(rest) <= most:
        return lesson
    drawn = rng.choice(rest, most, replace=False)
    kept = np.sort(np.concatenate((np.flatnonzero(lesson.played), drawn)))
    weights = np.where(lesson.played[kept], 1.0, len(rest) / most).astype(np.float32)
    return Lesson(lesson.listener, lesson.features[kept], lesson.plays[kept], weights, lesson.fused[kept])


def fit(
    lessons: Sequence[Lesson],
    settings: RankerSettings,
    one_answer: bool,
    progress: Callable[[float], None] = lambda _: None,
) -> Blend | None:
    """The blend that these lessons teach; None when they teach nothing. `one_answer`: of the next track."""
    useful = [lesson for lesson in lessons if lesson.useful]
    if not useful:
        return None
    bends = Bends.of(np.concatenate([lesson.features[::SAMPLE] for lesson in useful]))
    rng = np.random.default_rng(settings.seed)
    weights, mean, square = (np.zeros(SIZE, np.float64) for _ in range(3))
    step, steps = 0, settings.epochs * -(-len(useful) // settings.batch)
    for _ in range(settings.epochs):
        order = rng.permutation(len(useful))
        for start in range(0, len(order), settings.batch):
            chosen = [useful[at] for at in order[start : start + settings.batch]]
            slope = _slope(chosen, bends, weights, one_answer) + 2.0 * settings.l2 * weights
            step += 1
            mean = BETA1 * mean + (1.0 - BETA1) * slope
            square = BETA2 * square + (1.0 - BETA2) * slope**2
            rate = settings.rate * (1.0 - (step - 1) / steps)
            weights -= rate * (mean / (1.0 - BETA1**step)) / (np.sqrt(square / (1.0 - BETA2**step)) + EPSILON)
        progress(step / steps)
    return Blend(bends, weights.astype(np.float32))


def _slope(lessons: Sequence[Lesson], bends: Bends, weights: NDArray[np.float64], one: bool) -> NDArray[np.float64]:
    """The mean gradient of the loss."""
    bent = bends.apply(np.concatenate([lesson.features for lesson in lessons]))
    scores = bent @ weights
    errors = np.empty(len(scores))
    at = 0
    for lesson in lessons:
        here = slice(at, at := at + len(lesson.plays))
        errors[here] = (_softmax_error if one else _logistic_error)(scores[here], lesson)
    return np.asarray(errors @ bent) / len(lessons)


def _softmax_error(scores: NDArray[np.float64], lesson: Lesson) -> NDArray[np.float64]:
    share = lesson.weights * np.exp(scores - scores.max())
    return np.asarray(share / share.sum() - lesson.played / lesson.played.sum())


def _logistic_error(scores: NDArray[np.float64], lesson: Lesson) -> NDArray[np.float64]:
    chance = 1.0 / (1.0 + np.exp(-np.clip(scores, NEVER, -NEVER)))
    # Ten times the mean over candidates: a loss of about the size that one right answer has.
    return np.asarray(lesson.weights * (chance - lesson.played) * (10.0 / lesson.weights.sum()))
