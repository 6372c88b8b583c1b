"""The pair network to two ONNX graphs, checked against it: pair_tower.onnx and pair_head.onnx."""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.audio.export import CHECKED, TOLERANCE, NotTheSame
from models.ort import onnxruntime
from models.pair.network import Head, Tower
from models.pair.serve import HEAD, TOWER
from models.pair.settings import BANDS, FRAMES, WIDTH


def export(tower: Tower, head: Head, folder: Path) -> float:
    """Write both; the largest difference that was seen. Raises NotTheSame when that is over 1e-4."""
    pictures, first, second = torch.zeros((2, BANDS, FRAMES)), torch.zeros((2, WIDTH)), torch.zeros((2, WIDTH))
    return max(
        _written(tower, {"pictures": pictures}, folder / TOWER),
        _written(head, {"first": first, "second": second}, folder / HEAD),
    )


def _written(made: nn.Module, examples: dict[str, Tensor], path: Path) -> float:
    made.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is not there
    many = torch.export.Dim("n")
    program = torch.onnx.export(
        made, tuple(examples.values()), dynamo=True, verbose=False, input_names=list(examples), output_names=["out"],
        dynamic_shapes={name: {0: many} for name in examples},
    )  # fmt: skip
    if program is None:
        raise NotTheSame(f"{path.name}: torch made no graph")
    program.save(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng, worst = np.random.default_rng(0), 0.0
    for size in CHECKED:
        given = {
            name: rng.uniform(-4, 1, (size, *example.shape[1:])).astype(np.float32)
            for name, example in examples.items()
        }
        with torch.inference_mode():
            wanted = made(*(torch.from_numpy(each) for each in given.values())).numpy()
        worst = max(worst, float(np.abs(session.run(["out"], given)[0] - wanted).max()))
    if not worst <= TOLERANCE:
        raise NotTheSame(f"{path.name}: differs from the network by {worst:.2g}, more than {TOLERANCE:g}")
    return worst
