"""Transitions: what everybody goes on with after the listener's last plays."""

from models.explain import OFTEN_HERE, often_after
from models.release import Release
from models.sources.signalled import Signalled


class Transitions(Signalled):
    """The likeliest followers of the last five plays."""

    name = "transitions"

    def __init__(self, release: Release) -> None:
        super().__init__(
            release, lambda said: said.everybody.then, OFTEN_HERE, lambda said: said.everybody.next, often_after
        )
