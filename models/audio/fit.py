"""Fitting a network that hears: crops by chance, SpecAugment (Park 2019), mixup (Zhang 2018), one cycle of AdamW.

What `Words` sees of a crop is not taught by labels, so it is worked out once for some crops of each recording, and
mixup mixes that (Verma 2019).
"""

from collections.abc import Callable, Iterator, Sequence

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio.network import Ear, network
from models.audio.segments import SEGMENT_S, AnyMel, crop, heard_at_once, thirds, windows
from models.audio.settings import MelSettings, NetworkSettings

MASK_BANDS, MASK_TIME = 0.15, 0.2  # the most that one mask blanks
LOOK = 32  # crops looked at together
LOOKING = 0.8  # of the time goes into looking at crops, where each is looked at once


def fit(
    mels: Sequence[AnyMel],
    targets: NDArray[np.float32],
    heard: MelSettings,
    settings: NetworkSettings,
    threads: int = 1,
    progress: Callable[[float], None] = lambda _: None,
) -> Ear:
    """A network taught that recording i is targets[i] (classes; rows sum to 1: one class, or shares of several).

    The same input, seed and number of threads give the same network; torch's own chance is as it was before.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        torch.set_num_threads(threads)
        faiss.omp_set_num_threads(threads)
        rng = np.random.default_rng(settings.seed)
        made = network(heard, targets.shape[1], settings)
        made.learn(mels, rng)
        weights = class_weights(targets)
        epochs = max(1, min(settings.epochs, settings.crops // max(1, len(mels))))
        steps = epochs * -(-len(mels) // settings.batch)
        optimizer = torch.optim.AdamW(made.parameters(), lr=settings.rate, weight_decay=settings.decay)
        total = max(6, steps)  # a rise of one step, a fifth of five, is divided by zero in torch
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=total, pct_start=0.2)
        crops = Crops(mels, heard, settings, rng)
        share = LOOKING if made.width else 0.0
        source: Fresh | Views = Fresh(made, crops)
        if made.width:
            source = Views(made, crops, min(settings.views, epochs), lambda done: progress(LOOKING * done))
        lesson = Lesson(source, _smoothed(targets, settings.smoothing), settings, rng)
        for epoch in range(epochs):
            made.train()
            for batch, wanted in lesson.batches():
                optimizer.zero_grad()
                logits, _ = made.told(batch)
                loss = -(wanted * torch.log_softmax(logits, dim=1) * weights).sum(dim=1).mean()
                loss.backward()
                optimizer.step()
                schedule.step()
            progress(share + (1 - share) * (epoch + 1) / epochs)
    made.eval()
    return made


class Crops:
    """Parts of recordings by chance, altered as recordings differ without being others."""

    def __init__(
        self, mels: Sequence[AnyMel], heard: MelSettings, settings: NetworkSettings, rng: np.random.Generator
    ) -> None:
        self.count, self._bands = len(mels), heard.bands
        self._frames = heard_at_once(mels, heard, settings.crop_seconds)
        self._mels, self._settings, self._rng = mels, settings, rng

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """One of each recording: (recordings, the rows of its log-mel, frames)."""
        rng, settings = self._rng, self._settings
        parts = np.stack([crop(self._mels[row], self._frames, rng) for row in rows.tolist()]).astype(np.float32)
        parts += rng.uniform(-1.0, 1.0, (len(rows), 1, 1)).astype(np.float32) * np.float32(settings.louder)
        if settings.shift:
            shifts = rng.integers(-settings.shift, settings.shift + 1, len(rows))
            parts = np.stack([self._shifted(part, by) for part, by in zip(parts, shifts.tolist(), strict=True)])
        for part in parts:
            self._mask(part)
        return parts

    def _shifted(self, part: NDArray[np.float32], by: int) -> NDArray[np.float32]:
        """Higher or lower; the semitones by as many, as a band is about one."""
        return np.concatenate([_moved(rows, by) for rows in (part[: self._bands], part[self._bands :]) if len(rows)])

    def _mask(self, part: NDArray[np.float32]) -> None:
        bands, frames = part.shape
        blank = part.mean()
        for _ in range(self._settings.masks):
            high, long = (
                self._rng.integers(int(MASK_BANDS * bands) + 1),
                self._rng.integers(int(MASK_TIME * frames) + 1),
            )
            low, since = self._rng.integers(bands - high + 1), self._rng.integers(frames - long + 1)
            part[low : low + high] = blank
            part[:, since : since + long] = blank


class Fresh:
    """What a network sees of crops that are made anew each time."""

    def __init__(self, made: Ear, crops: Crops) -> None:
        self.count = crops.count
        self._made, self._crops = made, crops

    def of(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Tensor:  # noqa: ARG002  # as Views
        """One of each."""
        return self._made.seen(torch.from_numpy(self._crops.of(rows)))


class Views:
    """What a network sees of some crops of each recording, looked at once: that part of it does not change."""

    def __init__(self, made: Ear, crops: Crops, each: int, progress: Callable[[float], None]) -> None:
        self.count = crops.count
        self._seen = torch.empty((each, crops.count, made.width))
        with torch.inference_mode():
            for view in range(each):
                for start in range(0, crops.count, LOOK):
                    rows = np.arange(start, min(start + LOOK, crops.count))
                    self._seen[view, start : start + LOOK] = made.seen(torch.from_numpy(crops.of(rows)))
                progress((view + 1) / each)

    def of(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        """One of each, by chance."""
        views = rng.integers(len(self._seen), size=len(rows))
        return self._seen[torch.from_numpy(views), torch.from_numpy(rows)]


class Lesson:
    """An epoch's batches."""

    def __init__(
        self, source: Fresh | Views, targets: NDArray[np.float32], settings: NetworkSettings, rng: np.random.Generator
    ) -> None:
        self._source, self._targets, self._settings, self._rng = source, targets, settings, rng

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """What is seen of a batch of recordings, and their targets (batch, classes)."""
        order = self._rng.permutation(self._source.count)
        for at in range(0, len(order), self._settings.batch):
            rows = order[at : at + self._settings.batch]
            if len(rows) > 1:  # one alone has no spread to be evened by
                yield self._mixed(self._source.of(rows, self._rng), torch.from_numpy(self._targets[rows]))

    def _mixed(self, seen: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        alpha = self._settings.mixup
        if not alpha:
            return seen, wanted
        share = torch.from_numpy(self._rng.beta(alpha, alpha, len(seen)).astype(np.float32))[:, None]
        share = torch.maximum(share, 1 - share)
        other = torch.from_numpy(self._rng.permutation(len(seen)))
        of_seen = share.reshape(-1, *([1] * (seen.ndim - 1)))
        return of_seen * seen + (1 - of_seen) * seen[other], share * wanted + (1 - share) * wanted[other]


def listen(
    made: Ear, mels: Sequence[AnyMel], heard: MelSettings, frames: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shares of the classes (n, classes) and vectors (n, SEGMENTS·WIDTH), as models.audio.serve.Ears has them."""
    segment = heard.frames(SEGMENT_S)
    shares, vectors = [], []
    with torch.inference_mode():
        for mel in mels:
            outs = [made(torch.from_numpy(windows(part, frames))) for part in thirds(mel, segment)]
            shares.append(torch.stack([logits.softmax(dim=1).mean(dim=0) for logits, _ in outs]).mean(dim=0).numpy())
            vectors.append(torch.cat([vector.mean(dim=0) for _, vector in outs]).numpy())
    return np.stack(shares), np.stack(vectors)


def class_weights(targets: NDArray[np.float32]) -> Tensor:
    """So that a rare class counts nearly as much as a frequent one: 1/√share, 1 on average over the examples."""
    shares = targets.mean(axis=0)
    weights = 1.0 / np.sqrt(np.maximum(shares, 1e-6))
    return torch.from_numpy((weights / (weights * shares).sum()).astype(np.float32))


def _smoothed(targets: NDArray[np.float32], smoothing: float) -> NDArray[np.float32]:
    return np.asarray((1 - smoothing) * targets + smoothing / targets.shape[1], dtype=np.float32)


def _moved(part: NDArray[np.float32], bands: int) -> NDArray[np.float32]:
    if not bands:
        return part
    moved = np.roll(part, bands, axis=0)
    edge = slice(0, bands) if bands > 0 else slice(bands, None)
    moved[edge] = part[0 if bands > 0 else -1]
    return moved
