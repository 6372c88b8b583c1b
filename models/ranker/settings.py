"""How a ranker is taught; defaults: docs/training.md."""

from typing import Annotated

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]


class RankerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Lessons come from the newest part of the history, with models fitted on what came before it."""

    days: Annotated[float, Meta(gt=0)] = 84.0  # the last so many days are lessons …
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.3  # … but never more than this share of the listens
    listeners: Annotated[int, Meta(ge=0)] = 400  # who are learned from, at most; 0: no ranker is taught
    weeks: Positive = 2_500  # weeks to guess, in all: they overlap where listeners are few
    guesses: Positive = 12_000  # plays to guess, in all
    rest: Positive = 100  # candidates of a lesson that were not played; of a week five times as many
    epochs: Positive = 15
    batch: Positive = 16
    rate: Annotated[float, Meta(gt=0)] = 0.015
    l2: Annotated[float, Meta(ge=0)] = 1e-4
    # The neural ranker, where torch is installed (models.ranker.network).
    members: Positive = 3
    hidden: Positive = 32
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    network_epochs: Annotated[int, Meta(ge=0)] = 10  # 0: no network
    network_batch: Positive = 8
    network_rate: Annotated[float, Meta(gt=0)] = 0.002
    network_decay: Annotated[float, Meta(ge=0)] = 1e-4
    held_out: Annotated[float, Meta(gt=0, lt=1)] = 0.2  # of the listeners, to see whether it is worth having
    seed: Annotated[int, Meta(ge=0)] = 42
