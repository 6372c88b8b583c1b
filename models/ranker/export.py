"""The neural ranker as an ONNX graph, proved to say what torch says."""

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.ranker.features import NAMES
from models.ranker.network import RankerNetwork
from models.ranker.serve import INPUT, OUTPUT, NetworkScorer

TOLERANCE = 1e-4  # of a score
OPSET, IR = 17, 9


class NotEqual(ValueError):
    """The graph does not say what the network says."""


def export(network: RankerNetwork, sample: NDArray[np.float32]) -> bytes:
    """The graph's bytes. `sample`: features (n, features) that both are asked. Raises NotEqual."""
    data: bytes = _graph(network).SerializeToString()
    with torch.inference_mode():
        wanted = network(torch.from_numpy(sample)).numpy()
    found = NetworkScorer(data).scores(sample)
    apart = float(np.abs(found - wanted).max(initial=0.0))
    if not apart <= TOLERANCE:
        raise NotEqual(f"the exported ranker differs from the network by {apart:g}, more than {TOLERANCE:g}")
    return data


def _graph(network: RankerNetwork) -> onnx.ModelProto:
    """The network with its members side by side and candidates as columns: as served a quarter of the time less.

    The features' deviations are worked into the first weights, but not their means, for a feature that hardly varies
    would drown in rounding. Of the first layer's rows the last is the linear part, which goes straight to the score.
    """
    kept = {name: value.detach().numpy().astype(np.float64) for name, value in network.state_dict().items()}
    members, _, hidden = kept["first"].shape
    units = members * hidden
    first = np.vstack([*kept["first"].swapaxes(1, 2), kept["linear"].T]) / kept["deviation"]  # (units + 1, features)
    biases = np.append(kept["first_bias"], kept["last_bias"].mean())
    weights = {
        "mean": kept["mean"], "first": first, "first_bias": biases[:, None],
        "second": kept["second"].swapaxes(1, 2), "second_bias": kept["second_bias"].swapaxes(1, 2),
        "last": kept["last"].reshape(1, units) / members,
    }  # fmt: skip
    shapes = {"parts": [units, 1], "apart": [members, hidden, -1], "together": [units, -1], "column": [-1, 1]}
    steps = [
        ("Split", ("all", "parts"), ("inside", "straight")),
        ("Relu", ("inside",), ("h1",)),
        ("Reshape", ("h1", "apart"), ("h1_apart",)),
        ("MatMul", ("second", "h1_apart"), ("second_sum",)),
        ("Add", ("second_sum", "second_bias"), ("second_all",)),
        ("Relu", ("second_all",), ("h2",)),
        ("Reshape", ("h2", "together"), ("h2_together",)),
        ("MatMul", ("last", "h2_together"), ("mean_score",)),
        ("Add", ("mean_score", "straight"), ("row",)),
        ("Reshape", ("row", "column"), (OUTPUT,)),
    ]
    nodes = [
        helper.make_node("Sub", [INPUT, "mean"], ["centred"]),
        helper.make_node("Gemm", ["first", "centred", "first_bias"], ["all"], transB=1),
    ]
    nodes += [helper.make_node(kind, list(inputs), list(outputs)) for kind, inputs, outputs in steps]
    graph = helper.make_graph(
        nodes,
        "ranker",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["candidates", len(NAMES)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["candidates", 1])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
        + [numpy_helper.from_array(np.array(shape, np.int64), name) for name, shape in shapes.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    helper.set_model_props(model, {"features": " ".join(NAMES)})
    onnx.checker.check_model(model)
    return model
