"""The recommenders that make the lists, one a variant, all on one loaded release."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models.beginner import beginner
from models.excluded import BadExclude
from models.profile import ProfileView
from models.recommender import Recommender
from models.release import Release
from models.sources.settings import ListSettings
from schemas.profile import ProfileChanged
from services.scorer.split import A, B, Split

Usable = tuple[ProfileChanged, ProfileView]


class Arm(NamedTuple):
    """One variant at work."""

    name: str
    recommender: Recommender
    settings: ListSettings


class Arms:
    """Every variant at work."""

    def __init__(self, release: Release, split: Split) -> None:
        """Raises BadSources, BadExclude, or what Recommender raises of a release."""
        self.release = release
        self.a = Arm(A, Recommender(release, split.a), split.a)
        self.b = Arm(B, Recommender(release, split.b), split.b) if split.share > 0 else None
        self._split = split

    def shared(self, usable: list[Usable]) -> Iterator[tuple[Arm, list[Usable]]]:
        """Who is made a list by which; an arm without listeners is left out, unless it is the only one."""
        if self.b is None:
            yield self.a, usable
            return
        mine: dict[str, list[Usable]] = {A: [], B: []}
        for each in usable:
            mine[self._split.of(each[0].user_id)].append(each)
        for arm in (self.a, self.b):
            if mine[arm.name]:
                yield arm, mine[arm.name]

    def warm(self, views: Sequence[ProfileView]) -> None:
        """Make lists nobody gets: the first real one is then as fast as any. Raises what a bad release raises.

        A beginner and a stranger are among them, so that everything is compiled even if nobody has been seen yet.
        """
        newcomer = beginner(self.release.catalogue)
        everybody = [*views, newcomer, None]
        for arm in (self.a, self.b):
            if arm is not None:
                arm.recommender.recommend_all(everybody, arm.settings.length)
                arm.recommender.ask_for_words(newcomer, arm.settings.length)

    def refresh(self) -> None:
        """See whether what is excluded has changed. Raises BadExclude; every arm has looked then."""
        troubles: list[BadExclude] = []
        for arm in (self.a, self.b):
            if arm is not None:
                try:
                    arm.recommender.refresh()
                except BadExclude as error:
                    troubles.append(error)
        if troubles:
            raise troubles[0]
