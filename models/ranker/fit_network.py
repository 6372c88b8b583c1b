"""Teaching the neural ranker: of what retrieval proposed at a past moment, which would be played?

Listwise (ListNet, Cao et al. 2007): −Σ log softmax(scores)[played] / played, over one lesson's candidates; one that was
not played stands for as many as were left out, so log(weight) is added to its score. AdamW with one cycle of the step
(Smith & Topin 2018).
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from models.ranker.fit import Lesson
from models.ranker.network import RankerNetwork
from models.ranker.settings import RankerSettings

FLAT = 1e-6  # a feature that hardly varies is left as it is


def fit_network(
    lessons: Sequence[Lesson],
    settings: RankerSettings,
    progress: Callable[[float], None] = lambda _: None,
) -> RankerNetwork | None:
    """The network that these lessons teach; None when they teach nothing.

    One thread: batches are small. The same lessons and seed give the same network; torch's own chance is as before.
    """
    useful = [lesson for lesson in lessons if lesson.played.any() and not lesson.played.all()]
    if not useful:
        return None
    mean, deviation = _spread(useful)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = RankerNetwork(mean, deviation, settings.members, settings.hidden, settings.dropout)
            _learn(network, [_tensors(lesson) for lesson in useful], settings, progress)
    finally:
        torch.set_num_threads(before)
    network.eval()
    return network


def _learn(
    network: RankerNetwork,
    lessons: Sequence[tuple[Tensor, Tensor, Tensor]],
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
            _loss(network, chosen).backward()
            optimizer.step()
            cycle.step()
            step += 1
            progress(step / steps)


def _loss(network: RankerNetwork, lessons: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    scores = network(torch.cat([features for features, _, _ in lessons]))
    losses = []
    for (_, share, offset), own in zip(lessons, scores.split([len(each[1]) for each in lessons]), strict=True):
        losses.append(-(torch.log_softmax(own + offset, dim=0) * share).sum())
    return torch.stack(losses).mean()


def _tensors(lesson: Lesson) -> tuple[Tensor, Tensor, Tensor]:
    """Features; each candidate's share of what was played; the logarithm of how many it stands for."""
    played = torch.from_numpy(lesson.played.astype(np.float32))
    return torch.from_numpy(lesson.features), played / played.sum(), torch.from_numpy(np.log(lesson.weights))


def _spread(lessons: Sequence[Lesson]) -> tuple[Tensor, Tensor]:
    features = np.concatenate([lesson.features for lesson in lessons])
    deviation = features.std(axis=0, dtype=np.float64)
    mean = features.mean(axis=0, dtype=np.float64)
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(
        np.where(deviation > FLAT, deviation, 1.0).astype(np.float32)
    )
