"""A taught topic classifier to ONNX, checked against torch before anybody serves it."""

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.lyrics.fit import logits
from models.lyrics.network import TopicNetwork
from models.lyrics.serve import Topics
from models.lyrics.tfidf import Bags

TOLERANCE = 1e-4  # of a probability
CHECKED = 64  # songs


class ExportFailed(ValueError):
    """ONNX Runtime says another thing than torch; the text says how far apart they are."""


class _Probabilities(nn.Module):
    def __init__(self, network: TopicNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, tfidf: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.network(tfidf), dim=1)


def export(network: TopicNetwork, path: Path) -> None:
    """Write the network with a softmax behind it: input `tfidf` (songs, terms), output `topics` (songs, topics)."""
    whole = _Probabilities(network).eval()
    example = torch.zeros(2, network.first.weight.shape[0])
    loud = logging.getLogger("torch.onnx")
    level = loud.level
    loud.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own, about its own parts
            torch.onnx.export(
                whole, (example,), str(path), input_names=["tfidf"], output_names=["topics"], dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("songs")},), external_data=False, verbose=False,
            )  # fmt: skip
    finally:
        loud.setLevel(level)


def prove(network: TopicNetwork, path: Path, bags: Bags) -> float:
    """The largest difference of a probability on these songs. Raises ExportFailed beyond TOLERANCE."""
    some = bags.rows(np.arange(min(CHECKED, len(bags))))
    wanted = torch.softmax(torch.from_numpy(logits(network, some)), dim=1).numpy()
    apart = float(np.abs(Topics.load(path).probabilities(some) - wanted).max()) if len(some) else 0.0
    if not apart <= TOLERANCE:
        raise ExportFailed(f"{path.name}: ONNX Runtime and torch are {apart:.2g} apart, more than {TOLERANCE:g}")
    return apart
