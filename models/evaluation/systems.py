"""What is compared: anything that answers a batch of questions with ranked lists."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from models.evaluation.log import Log, Numbers
from models.evaluation.protocol import DEPTH, MEASURED, NEXT
from models.evaluation.shares import Owed
from models.profile import ProfileView
from models.recommender import Choice, Recommender
from models.release import Release
from models.shown import Shown
from models.sources.settings import SOURCES, BadSources, ListSettings, changed

Kind = Literal["weekly", "next"]

SERVED = "served"
MOST_SHOWN = 100_000  # listeners of whom it is remembered what they were shown
ALONE = "source_"  # before the name of a source
WITHOUT = "without_"
OWN = ("length", "mix", "mixes")  # settings that each kind of question has its own of
QUOTA = 4.0  # candidates for each track of the list, from a source that the served lists do not use


class Asked(NamedTuple):
    """Questions of a kind, parallel: a list for this listener, at this moment, from this profile (None: no listens)."""

    kind: Kind
    users: Numbers
    moments: Numbers
    views: Sequence[ProfileView | None]
    known: Sequence[Numbers]  # weekly: the tracks played before; next: not worked out, empty
    met: Sequence[Numbers]  # weekly: those played or skipped


class System(Protocol):
    """One model, fitted on what came before a window."""

    def lists(self, asked: Asked) -> list[Numbers]:
        """A list of tracks (numbers of the log) for each question, best first, no track twice."""
        ...


class Lists(Struct, frozen=True):
    """How lists are made for each kind of question."""

    weekly: ListSettings = field(default_factory=lambda: ListSettings(length=DEPTH))
    next: ListSettings = field(default_factory=lambda: ListSettings(length=NEXT, mix="up-next"))

    @classmethod
    def of(cls, settings: ListSettings) -> "Lists":
        """The same for both, as long as each kind needs."""
        one = replace(settings, mixes="")
        return cls(replace(one, length=DEPTH, mix="for-you"), replace(one, length=NEXT, mix="up-next"))


Memory = dict[Kind, Shown]


def memory() -> Memory:
    """What was shown, nothing yet. Weekly lists and those of the moment are two mixes: each has its own."""
    return {"weekly": Shown(MOST_SHOWN), "next": Shown(MOST_SHOWN)}


class Served:
    """The very lists that a scorer would make: every stage of the recommender, on the release and the profiles."""

    def __init__(self, release: Release, tracks: Numbers, lists: Lists, shown: Memory | None = None) -> None:
        """`tracks[row]` is the log's number of the release's track `row`. Raises BadSources, BadExclude.

        `shown` remembers what was listed, for lists that rest what was shown too often; of a scorer it outlives its
        releases.
        """
        self._tracks = tracks
        self._shown = memory() if shown is None else shown
        self._settings: dict[Kind, ListSettings] = {"weekly": lists.weekly, "next": lists.next}
        self._keys = release.catalogue.keys
        self._names = {kind: tuple(settings.quotas()) for kind, settings in self._settings.items()}
        made: dict[ListSettings, Recommender] = {}  # a recommender does not look at the length: mostly one is enough
        self._by_kind: dict[Kind, tuple[Recommender, int]] = {}
        kinds: tuple[tuple[Kind, ListSettings], ...] = (("weekly", lists.weekly), ("next", lists.next))
        for kind, settings in kinds:
            same = replace(settings, length=1)
            if same not in made:
                made[same] = Recommender(release, settings)
            self._by_kind[kind] = (made[same], settings.length)

    def lists(self, asked: Asked) -> list[Numbers]:
        """See System."""
        return [ranked for ranked, _ in self.owed(asked)]

    def owed(self, asked: Asked) -> list[tuple[Numbers, Owed]]:
        """The same, and which source brought each track."""
        names = self._names[asked.kind]
        return [
            (
                self._tracks[[pick.row for pick in choice.picks]],
                Owed(names, np.array([pick.source for pick in choice.picks], dtype=np.int64)),
            )
            for choice in self._choices(asked)
        ]

    def _choices(self, asked: Asked) -> list[Choice]:
        recommender, length = self._by_kind[asked.kind]
        settings, shown = self._settings[asked.kind], self._shown[asked.kind]
        if not settings.shown_days:
            return recommender.choose(asked.views, length)
        made = []
        # One after the other: of two lists of a listener in a batch the second must know of the first.
        for user, view in zip(asked.users.tolist(), asked.views, strict=True):
            resting = shown.resting(user, view, settings.shown_days, settings.shown_rest_days)
            [choice] = recommender.choose([view], length, resting=[resting])
            rows = [pick.row for pick in choice.picks]
            shown.remember(user, view, self._keys[rows].tolist(), settings.shown_rest_days)
            made.append(choice)
        return made


def alone(lists: Lists) -> dict[str, Lists]:
    """Each source by itself: name -> settings that ask only that one, otherwise as `lists`."""
    return {
        ALONE + source: Lists(_only(lists.weekly, source), _only(lists.next, source)) for source in SOURCES
    }  # fmt: skip


def without(lists: Lists) -> dict[str, Lists]:
    """The served lists without one of their sources: name -> settings that ask all others."""
    sources = lists.weekly.quotas()
    if len(sources) < 2:
        return {}
    return {WITHOUT + source: Lists(_less(lists.weekly, source), _less(lists.next, source)) for source in sources}


def also(lists: Lists, changes: str) -> Lists:
    """The served lists with some settings changed, none of them of OWN. Raises BadSources."""
    for part in changes.split():
        if part.partition("=")[0] in OWN:
            raise BadSources(
                f"--also {changes!r}: {part!r} would change nothing: {', '.join(OWN)} are the evaluation's own, "
                "`for-you` for the week and `up-next` for the next track; `served_discover` and `served_familiar` are "
                "those mixes"
            )
    try:
        made = Lists.of(changed(lists.weekly, changes))
    except BadSources as error:
        raise BadSources(f"--also {changes!r}: {error}") from error
    return Lists(replace(made.weekly, mix=lists.weekly.mix), replace(made.next, mix=lists.next.mix))


def _less(settings: ListSettings, source: str) -> ListSettings:
    left = {name: quota for name, quota in settings.quotas().items() if name != source}
    return replace(settings, sources=" ".join(f"{name}={quota:g}" for name, quota in left.items()))


def _only(settings: ListSettings, source: str) -> ListSettings:
    return replace(settings, sources=f"{source}={settings.quotas().get(source, QUOTA):g}")


def tracks_of(log: Log, release: Release) -> Numbers:
    """The log's number of each track of a release."""
    return log.codes_of(release.catalogue.frame["track_id"])


def best(items: Numbers, scores: NDArray[np.floating], asked: Asked, at: int) -> Numbers:
    """Of `items` (distinct, parallel to `scores`) the best for question `at`; −inf: not to be listed.

    Weekly: the best 100 known, skipped and unseen tracks, merged by score: judged as the full ranking would be.
    Next: the best 20.
    """
    if asked.kind == "next":
        return np.asarray(items[_top(scores, NEXT)])
    met = np.isin(items, asked.met[at])
    known = np.isin(items, asked.known[at])
    parts = [np.flatnonzero(part) for part in (known, met & ~known, ~met)]
    kept = np.concatenate([part[_top(scores[part], MEASURED)] for part in parts])
    return np.asarray(items[kept[np.argsort(-scores[kept], kind="stable")]])


def _top(scores: NDArray[np.floating], k: int) -> Numbers:
    """Positions of the k best, best first; of equals the first."""
    usable = np.flatnonzero(scores > -np.inf)
    if len(usable) > k:
        cut = np.partition(scores[usable], len(usable) - k)[len(usable) - k]
        above = usable[scores[usable] > cut]
        usable = np.concatenate((above, usable[scores[usable] == cut][: k - len(above)]))
        usable.sort()
    return np.asarray(usable[np.argsort(-scores[usable], kind="stable")], dtype=np.int64)
