"""Fitting the pair network: all pairs among some recordings at a time, those alike weighing as much as the others."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from models.pair.network import Head, Tower
from models.pair.pictures import Picture
from models.pair.settings import PairSettings

LOUDER = 0.3  # ± of log10 power by chance


class NoPairs(ValueError):
    """Nothing to learn: no two recordings are known to be alike, or all are."""


def fit(
    pictures: Picture,
    vectors: NDArray[np.floating],
    alike: NDArray[np.bool_],
    settings: PairSettings,
    threads: int = 1,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[Tower, Head]:
    """Taught with (n, BANDS, FRAMES), (n, VECTOR) and who is alike, (n, n), symmetric.

    The same input, seed and threads give the same networks. Raises NoPairs.
    """
    known = alike[np.triu_indices(len(pictures), 1)]
    if not known.any() or known.all():
        raise NoPairs("no two recordings are known to be alike, or all are")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        torch.set_num_threads(threads)
        rng = np.random.default_rng(settings.seed)
        tower, head = Tower(settings.dropout, settings.unseen), Head(settings.dropout)
        both = [*tower.parameters(), *head.parameters()]
        optimizer = torch.optim.AdamW(both, lr=settings.rate, weight_decay=settings.decay)
        steps = max(2, settings.steps)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=0.2)
        for step in range(steps):
            rows = drawn(alike, settings.batch, rng)
            optimizer.zero_grad()
            seen = tower(_shown(pictures, rows, rng), torch.from_numpy(vectors[rows].astype(np.float32)))
            one, other = np.triu_indices(len(rows), 1)
            distinct = rows[one] != rows[other]
            one, other = one[distinct], other[distinct]
            wanted, weights = _even(alike[rows[one], rows[other]])
            binary_cross_entropy_with_logits(head(seen[one], seen[other]), wanted, weights, reduction="sum").backward()
            optimizer.step()
            schedule.step()
            progress((step + 1) / steps)
    tower.eval()
    head.eval()
    return tower, head


def drawn(alike: NDArray[np.bool_], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Recordings by chance, and for each one that is alike, by chance too; any other where none is."""
    first = rng.integers(len(alike), size=count // 2)
    chances = alike[first] + 1e-9 * rng.random((len(first), len(alike)))
    partners = (chances * rng.random(chances.shape)).argmax(axis=1)
    return np.concatenate((first, partners))


def _even(known: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    """What is wanted of pairs, and weights by which those alike and the others count half each."""
    alike = max(1, int(known.sum()))
    others = max(1, len(known) - int(known.sum()))
    weights = np.where(known, 0.5 / alike, 0.5 / others).astype(np.float32)
    return torch.from_numpy(known.astype(np.float32)), torch.from_numpy(weights)


def _shown(pictures: Picture, rows: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
    """Louder or softer by chance, and turned around in time by chance where they begin."""
    chosen = pictures[rows] + rng.uniform(-LOUDER, LOUDER, (len(rows), 1, 1)).astype(np.float32)
    shift = int(rng.integers(chosen.shape[2]))
    return torch.from_numpy(np.roll(chosen, shift, axis=2))
