"""A network (torch) to an ONNX graph that says the same, or no graph at all."""

import logging
from pathlib import Path

import numpy as np
import torch

from models.audio.network import Ear
from models.ort import onnxruntime

TOLERANCE = 1e-4
CHECKED = (1, 3, 7)  # windows at once


class NotTheSame(RuntimeError):
    """The exported graph says something else than the network; the text says by how much."""


def export(made: Ear, bands: int, frames: int, path: Path) -> float:
    """Write the graph: `mels` (n, bands, frames) -> `logits`, `vector`; the largest difference that was seen.

    Raises NotTheSame when that is over TOLERANCE.
    """
    made.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is not there
    program = torch.onnx.export(
        made, (torch.zeros((2, bands, frames)),), dynamo=True, verbose=False,
        input_names=["mels"], output_names=["logits", "vector"], dynamic_shapes={"mels": {0: torch.export.Dim("n")}},
    )  # fmt: skip
    if program is None:
        raise NotTheSame(f"{path.name}: torch made no graph")
    program.save(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng, worst = np.random.default_rng(0), 0.0
    for size in CHECKED:
        mel = rng.uniform(-8, 1, (size, bands, frames)).astype(np.float32)
        with torch.inference_mode():
            wanted = [out.numpy() for out in made(torch.from_numpy(mel))]
        got = session.run(["logits", "vector"], {"mels": mel})
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(wanted, got, strict=True)))
    if not worst <= TOLERANCE:
        raise NotTheSame(f"{path.name}: differs from the network by {worst:.2g}, more than {TOLERANCE:g}")
    return worst
