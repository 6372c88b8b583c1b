"""What putting candidates in order costs: the network as served (ONNX Runtime), the blend, torch, and bare products.

    python -m benchmarks.ranker [--candidates 100,1000,10000]

Weights are made up, the shapes are those of a release with default settings. The reference is numpy's product of the
candidates' factors with a listener's vector (64 wide), which is what a list without a ranker would be ordered by. CPU
time of one thread, the median of 200 rounds. Needs torch (segue[neural]).
"""

import argparse
from collections.abc import Callable
from time import process_time

import numpy as np
import torch
from numpy.typing import NDArray

from models.ranker.blend import SIZE, Bends, Blend
from models.ranker.export import export
from models.ranker.features import NAMES
from models.ranker.network import RankerNetwork
from models.ranker.serve import NetworkScorer
from models.ranker.settings import RankerSettings

FACTORS = 64
ROUNDS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", default="100,1000,10000")
    args = parser.parse_args()
    torch.set_num_threads(1)
    settings, rng = RankerSettings(), np.random.default_rng(7)
    network = RankerNetwork(
        torch.zeros(len(NAMES)), torch.ones(len(NAMES)), settings.members, settings.hidden, settings.dropout
    ).eval()
    sample = made(1_000, rng)
    served = NetworkScorer(export(network, sample))  # refuses a difference above 1e-4
    blend = Blend(Bends.of(sample), rng.normal(size=SIZE).astype(np.float32))
    print(
        f"µs of CPU; {len(NAMES)} features, {settings.members} networks of {settings.hidden}, {settings.hidden} units"
    )
    print(f"{'candidates':>12}{'network':>10}{'blend':>10}{'torch':>10}{'product':>10}{'network/torch':>15}")
    for candidates in (int(each) for each in args.candidates.split(",")):
        table, vector = made(candidates, rng), rng.normal(size=FACTORS).astype(np.float32)
        factors, tensor = rng.normal(size=(candidates, FACTORS)).astype(np.float32), torch.from_numpy(table)

        def torchs(tensor: torch.Tensor = tensor) -> object:
            with torch.inference_mode():
                return network(tensor)

        ours, bent, plain, bare = (
            median(call)
            for call in (
                lambda table=table: served.scores(table),
                lambda table=table: blend.scores(table),
                torchs,
                lambda factors=factors, vector=vector: factors @ vector,
            )
        )
        print(f"{candidates:>12,}{ours:>10.0f}{bent:>10.0f}{plain:>10.0f}{bare:>10.1f}{ours / plain:>15.2f}")


def made(candidates: int, rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.normal(size=(candidates, len(NAMES))).astype(np.float32)


def median(call: Callable[[], object]) -> float:
    """µs."""
    for _ in range(20):
        call()
    took = []
    for _ in range(ROUNDS):
        begun = process_time()
        call()
        took.append(process_time() - begun)
    return float(np.median(took)) * 1e6


if __name__ == "__main__":
    main()
