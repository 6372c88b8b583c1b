"""Fitting the pair network: pairs drawn half alike and half not, binary cross entropy."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from models.pair.network import Head, Tower
from models.pair.pictures import Picture
from models.pair.settings import PairSettings

LOUDER = 0.3  # ± of log10 power by chance


class NoPairs(ValueError):
    """Nothing to learn: no two recordings are known to be alike, or all are."""


def fit(
    pictures: Picture,
    alike: NDArray[np.bool_],
    settings: PairSettings,
    threads: int = 1,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[Tower, Head]:
    """Taught with (n, BANDS, FRAMES) and who is alike, (n, n), symmetric.

    The same input, seed and threads give the same networks. Raises NoPairs.
    """
    rows, others = np.triu_indices(len(pictures), 1)
    is_alike = alike[rows, others]
    lanes = [np.flatnonzero(is_alike), np.flatnonzero(~is_alike)]
    if not all(map(len, lanes)):
        raise NoPairs("no two recordings are known to be alike, or all are")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        torch.set_num_threads(threads)
        rng = np.random.default_rng(settings.seed)
        tower, head = Tower(settings.dropout), Head(settings.dropout)
        both = [*tower.parameters(), *head.parameters()]
        optimizer = torch.optim.AdamW(both, lr=settings.rate, weight_decay=settings.decay)
        steps = max(2, settings.pairs // settings.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=0.2)
        half = settings.batch // 2
        wanted = torch.cat((torch.ones(half), torch.zeros(half)))
        for step in range(steps):
            drawn = np.concatenate([lane[rng.integers(len(lane), size=half)] for lane in lanes])
            optimizer.zero_grad()
            seen = [_shown(pictures, side[drawn], rng) for side in (rows, others)]
            loss = binary_cross_entropy_with_logits(head(tower(seen[0]), tower(seen[1])), wanted)
            loss.backward()
            optimizer.step()
            schedule.step()
            progress((step + 1) / steps)
    tower.eval()
    head.eval()
    return tower, head


def _shown(pictures: Picture, rows: NDArray[np.int64], rng: np.random.Generator) -> torch.Tensor:
    """Louder or softer by chance, and turned around in time by chance where they begin."""
    chosen = pictures[rows] + rng.uniform(-LOUDER, LOUDER, (len(rows), 1, 1)).astype(np.float32)
    shift = int(rng.integers(chosen.shape[2]))
    return torch.from_numpy(np.roll(chosen, shift, axis=2))
