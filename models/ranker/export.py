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
    kept = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    steps = [
        ("Sub", (INPUT, "mean"), "centred"),
        ("Div", ("centred", "deviation"), "x"),
        ("MatMul", ("x", "first"), "first_sum"),
        ("Add", ("first_sum", "first_bias"), "first_all"),
        ("Relu", ("first_all",), "h1"),
        ("MatMul", ("h1", "second"), "second_sum"),
        ("Add", ("second_sum", "second_bias"), "second_all"),
        ("Relu", ("second_all",), "h2"),
        ("MatMul", ("h2", "last"), "last_sum"),
        ("Add", ("last_sum", "last_bias"), "apart"),
    ]
    nodes = [helper.make_node(kind, list(inputs), [output]) for kind, inputs, output in steps]
    nodes += [
        helper.make_node("ReduceMean", ["apart"], ["together"], axes=[0], keepdims=0),
        helper.make_node("MatMul", ["x", "linear"], ["straight"]),
        helper.make_node("Add", ["together", "straight"], [OUTPUT]),
    ]
    graph = helper.make_graph(
        nodes,
        "ranker",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["candidates", len(NAMES)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["candidates", 1])],
        [numpy_helper.from_array(value, name) for name, value in kept.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    helper.set_model_props(model, {"features": " ".join(NAMES)})
    onnx.checker.check_model(model)
    return model
