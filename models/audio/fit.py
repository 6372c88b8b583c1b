"""Fitting a network that hears: crops by chance, SpecAugment (Park 2019), mixup (Zhang 2018), one cycle of AdamW."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.audio.network import Ear, network
from models.audio.segments import SEGMENT_S, AnyMel, crop, heard_at_once, thirds, windows
from models.audio.settings import MelSettings, NetworkSettings

MASK_BANDS, MASK_TIME = 0.15, 0.2  # the most that one mask blanks


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
        rng = np.random.default_rng(settings.seed)
        made = network(heard, targets.shape[1], settings)
        _even(made, mels)
        weights = class_weights(targets)
        epochs = max(1, min(settings.epochs, settings.crops // max(1, len(mels))))
        steps = epochs * -(-len(mels) // settings.batch)
        optimizer = torch.optim.AdamW(made.parameters(), lr=settings.rate, weight_decay=settings.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=steps, pct_start=0.2)
        lesson = Lesson(mels, _smoothed(targets, settings.smoothing), heard, settings, rng)
        for epoch in range(epochs):
            made.train()
            for batch, wanted in lesson.batches():
                optimizer.zero_grad()
                logits, _ = made(batch)
                loss = -(wanted * torch.log_softmax(logits, dim=1) * weights).sum(dim=1).mean()
                loss.backward()
                optimizer.step()
                schedule.step()
            progress((epoch + 1) / epochs)
    made.eval()
    return made


class Lesson:
    """An epoch's batches, freshly cropped and altered each time."""

    def __init__(
        self,
        mels: Sequence[AnyMel],
        targets: NDArray[np.float32],
        heard: MelSettings,
        settings: NetworkSettings,
        rng: np.random.Generator,
    ) -> None:
        self._mels, self._targets, self._settings, self._rng = mels, targets, settings, rng
        self._frames = heard_at_once(mels, heard, settings.crop_seconds)

    def batches(self) -> "list[tuple[Tensor, Tensor]]":
        """Log-mels (batch, bands, frames) and their targets (batch, classes)."""
        order = self._rng.permutation(len(self._mels))
        size = self._settings.batch
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        return [self._batch(group) for group in groups if len(group) > 1]  # one alone has no spread to be evened by

    def _batch(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        rng = self._rng
        parts = np.stack([crop(self._mels[row], self._frames, rng) for row in rows.tolist()]).astype(np.float32)
        wanted = self._targets[rows]
        if not self._settings.original:
            parts += rng.uniform(-1.0, 1.0, (len(rows), 1, 1)).astype(np.float32) * np.float32(self._settings.louder)
            shifts = rng.integers(-self._settings.shift, self._settings.shift + 1, len(rows))
            parts = np.stack([_shifted(part, by) for part, by in zip(parts, shifts.tolist(), strict=True)])
            parts, wanted = self._mixed(parts, wanted)
            for part in parts:
                self._mask(part)
        return torch.from_numpy(parts), torch.from_numpy(wanted)

    def _mixed(
        self, parts: NDArray[np.float32], wanted: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if not self._settings.mixup:
            return parts, wanted
        alpha = self._settings.mixup
        share = self._rng.beta(alpha, alpha, len(parts)).astype(np.float32)
        share = np.maximum(share, 1 - share)
        other = self._rng.permutation(len(parts))
        of_parts, of_wanted = share[:, None, None], share[:, None]
        return (
            of_parts * parts + (1 - of_parts) * parts[other],
            of_wanted * wanted + (1 - of_wanted) * wanted[other],
        )

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


def _shifted(part: NDArray[np.float32], bands: int) -> NDArray[np.float32]:
    if not bands:
        return part
    moved = np.roll(part, bands, axis=0)
    edge = slice(0, bands) if bands > 0 else slice(bands, None)
    moved[edge] = part[0 if bands > 0 else -1]
    return moved


def _even(made: Ear, mels: Sequence[AnyMel]) -> None:
    """Tell the network the mean and spread of each band."""
    thinned = np.concatenate([mel[:, :: max(1, mel.shape[1] // 64)] for mel in mels], axis=1).astype(np.float32)
    made.mean.copy_(torch.from_numpy(thinned.mean(axis=1, keepdims=True)))
    made.scale.copy_(torch.from_numpy(thinned.std(axis=1, keepdims=True) + 1e-3))
