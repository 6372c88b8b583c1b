"""A crowd small enough to make in a second, large enough to have statistics."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from services.simulator.crowd import Crowd, History, make_crowd
from services.simulator.frames import listens_frame
from services.simulator.settings import CrowdSettings

SMALL = CrowdSettings(listeners=150, artists=1_000, tracks=10_000)
DAYS = 84


@dataclass(frozen=True)
class Lived:
    """A crowd and what it has lived through. Do not move it further: it is shared."""

    crowd: Crowd
    history: History
    listens: pl.DataFrame
    played: pl.DataFrame  # plays and skips only


@pytest.fixture(scope="session")
def lived() -> Lived:
    crowd = make_crowd(SMALL, np.random.default_rng(11))
    history = crowd.history(DAYS)
    listens = listens_frame(history)
    return Lived(crowd, history, listens, listens.filter(pl.col("kind").is_in(["play", "skip"])))
