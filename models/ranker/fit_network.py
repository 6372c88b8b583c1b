"""Teaching the neural ranker: of what retrieval proposed at a past moment, which would be played?

Of the next track: −log softmax(scores)[played], where a candidate that was not played stands for as many as were left
out, so log(weight) is added to its score. Of a week: how often each is played, as a Poisson regression, the score being
the logarithm of a rate; what is sure to be played is told so from what may be, which "played at all" tells less well
(docs/evaluation.md). Most of what is new to the listener is not played at all, and its rates hardly count there; so
what they have not played is put in order once more, among itself, as for the next track. AdamW with one cycle of the
step (Smith & Topin 2018).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import poisson_nll_loss

from models.ranker.features import NAMES
from models.ranker.fit import Lesson
from models.ranker.network import RankerNetwork
from models.ranker.settings import RankerSettings

USUAL = -4.0  # the logarithm of the plays that a score of 0 stands for: about what a candidate has in a week
MOST_PLAYS = 5.0  # of a track in a week; more say no more
NEW = 0.3  # what the order of the new tracks among themselves counts beside all rates
KNOWN = NAMES.index("known")
FLAT = 1e-6  # a feature that hardly varies is left as it is


class Taught(NamedTuple):
    """A lesson as tensors, parallel over its candidates."""

    features: Tensor
    plays: Tensor
    weights: Tensor


Loss = Callable[[Tensor, Taught], Tensor]


def fit_network(
    lessons: Sequence[Lesson],
    settings: RankerSettings,
    one_answer: bool,
    progress: Callable[[float], None] = lambda _: None,
) -> RankerNetwork | None:
    """The network that these lessons teach; None when they teach nothing. `one_answer`: of the next track.

    One thread: batches are small. The same lessons and seed give the same network; torch's own chance is as before.
    """
    useful = [lesson for lesson in lessons if lesson.useful]
    if not useful:
        return None
    mean, deviation = _spread(useful)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = RankerNetwork(mean, deviation, settings.members, settings.hidden, settings.dropout)
            taught = [Taught(*map(torch.from_numpy, (each.features, each.plays, each.weights))) for each in useful]
            _learn(network, taught, _one_of_them if one_answer else _how_often, settings, progress)
    finally:
        torch.set_num_threads(before)
    network.eval()
    return network


def _learn(
    network: RankerNetwork,
    lessons: Sequence[Taught],
    loss: Loss,
    settings: RankerSettings,
    progress: Callable[[float], None],
) -> None:
    steps = settings.network_epochs * -(-len(lessons) // settings.network_batch)
    optimizer = torch.optim.AdamW(network.parameters(), settings.network_rate, weight_decay=settings.network_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.network_rate, total_steps=steps)
    rng = np.random.default_rng(settings.seed)
    step = 0
    for _ in range(settings.network_epochs):
        order = rng.permutation(len(lessons)).tolist()
        for start in range(0, len(order), settings.network_batch):
            chosen = [lessons[at] for at in order[start : start + settings.network_batch]]
            optimizer.zero_grad()
            scores = network(torch.cat([each.features for each in chosen])).split([len(each.plays) for each in chosen])
            torch.stack([loss(own, each) for own, each in zip(scores, chosen, strict=True)]).mean().backward()
            optimizer.step()
            cycle.step()
            step += 1
            progress(step / steps)


def _one_of_them(scores: Tensor, lesson: Taught) -> Tensor:
    """ListNet (Cao et al. 2007): −Σ log softmax(scores)[played] / played."""
    played = (lesson.plays > 0).to(scores.dtype)
    shares = torch.log_softmax(scores + lesson.weights.log(), dim=0)
    return -(shares * played).sum() / played.sum()


def _how_often(scores: Tensor, lesson: Taught) -> Tensor:
    losses = poisson_nll_loss(scores + USUAL, lesson.plays.clamp(max=MOST_PLAYS), reduction="none")
    loss = (losses * lesson.weights).sum() * (10.0 / lesson.weights.sum())
    new = lesson.features[:, KNOWN] == 0
    if not lesson.plays[new].any():
        return loss
    return loss + NEW * _one_of_them(scores[new], Taught(*(column[new] for column in lesson)))


def _spread(lessons: Sequence[Lesson]) -> tuple[Tensor, Tensor]:
    features = np.concatenate([lesson.features for lesson in lessons])
    deviation = features.std(axis=0, dtype=np.float64)
    mean = features.mean(axis=0, dtype=np.float64)
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(
        np.where(deviation > FLAT, deviation, 1.0).astype(np.float32)
    )
