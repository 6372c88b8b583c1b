"""A network (torch) to an ONNX graph that says the same, or no graph at all."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.ort import onnxruntime

TOLERANCE = 1e-4
CHECKED = (1, 3, 7)  # examples at once
LOW, HIGH = -8.0, 1.0  # of what both are asked: log-mels and what towers make of them lie within


class NotTheSame(RuntimeError):
    """The exported graph says something else than the network; the text says by how much."""


def export(made: nn.Module, inputs: Mapping[str, tuple[int, ...]], outputs: Sequence[str], path: Path) -> float:
    """Write the graph; the largest difference from the network that was seen.

    `inputs`: the shape of one example of each, in the order in which the network takes them; a graph takes any number
    of examples at once. Raises NotTheSame when the difference is over TOLERANCE.
    """
    made.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is not there
    many = torch.export.Dim("n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about its own parts
        program = torch.onnx.export(
            made, tuple(torch.zeros((2, *shape)) for shape in inputs.values()), dynamo=True, verbose=False,
            input_names=list(inputs), output_names=list(outputs), dynamic_shapes={name: {0: many} for name in inputs},
        )  # fmt: skip
    if program is None:
        raise NotTheSame(f"{path.name}: torch made no graph")
    program.save(path)
    worst = _difference(made, inputs, outputs, path)
    if not worst <= TOLERANCE:
        raise NotTheSame(f"{path.name}: differs from the network by {worst:.2g}, more than {TOLERANCE:g}")
    return worst


def _difference(made: nn.Module, inputs: Mapping[str, tuple[int, ...]], outputs: Sequence[str], path: Path) -> float:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng, worst = np.random.default_rng(0), 0.0
    for size in CHECKED:
        given = {name: rng.uniform(LOW, HIGH, (size, *shape)).astype(np.float32) for name, shape in inputs.items()}
        with torch.inference_mode():
            said = made(*(torch.from_numpy(each) for each in given.values()))
        wanted = [out.numpy() for out in (said if isinstance(said, tuple) else (said,))]
        got = session.run(list(outputs), given)
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(wanted, got, strict=True)))
    return worst
