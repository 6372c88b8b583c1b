"""From profiles to lists, in named stages: read, vectors, candidates, rank, compose, explain.

No clock ("now" is a profile's newest event time), no randomness, no I/O but for the file of what is excluded. The same
profiles, release and file give the same lists, whoever asks: scorer, CLI or evaluation.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import faiss
import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.compose import Caps, Composer, Pick
from models.excluded import ExcludeFile, Keys
from models.playlist import QUOTA, ROOM, Alike, spaced
from models.profile import ProfileView
from models.ranker.features import Features
from models.ranker.fusion import Fusion, Ranker
from models.ranker.merge import Merged, merge
from models.ranker.taught import TaughtRanker
from models.release import Release
from models.sources.als import Als
from models.sources.around import Around
from models.sources.artists import Artists
from models.sources.base import KNOWN, NO_ROWS, UNSEEN, Batch, Candidates, Listener, Rows, Source
from models.sources.history import History
from models.sources.lyrics import Lyrics
from models.sources.neighbours import Neighbours
from models.sources.new import New
from models.sources.popular import Popular
from models.sources.reading import Reader
from models.sources.recent import Recent
from models.sources.sequence import OwnSequence
from models.sources.sessions import Sessions
from models.sources.settings import SHORTEST, ListSettings, Mix
from models.sources.shelf import Shelf
from models.sources.signals import Signals
from models.sources.similar import Similar
from models.sources.sounds import Sounds
from models.sources.sparse import ranked
from models.sources.transitions import Transitions
from models.sources.trending import Trending
from models.taste import TasteSettings
from schemas.recommendation import Item

# What a source's word counts where no ranker was trained, which is where few listen: what they play anyway stands
# first, what they have met before what is new (measured: docs/evaluation.md). Of sources that are not named: OTHERS.
VOTES = {
    "for-you": {
        "history": 8.0, "recent": 0.5, "sequence": 0.4, "around": 0.4, "sessions": 0.4,
        "neighbours": 0.1, "popular": 0.01,
    },
    "up-next": {
        "sequence": 8.0, "around": 4.0, "sessions": 2.0, "transitions": 1.0, "history": 0.2, "recent": 0.2,
        "popular": 0.01,
    },
}  # fmt: skip
OTHERS = 0.05
ONLY = {"discover": UNSEEN, "familiar": KNOWN}  # mixes of one kind of track, which the ranker of the week puts in order

STAGES = ("read", "vectors", "candidates", "rank", "compose", "explain")

Lap = Callable[[str], None]  # told the name of each stage as it ends


class Choice(NamedTuple):
    """One listener's list before it is put into words."""

    picks: list[Pick]
    proposals: list[Candidates]  # one a source


class Mixing(NamedTuple):
    """What makes the lists of one mix of a batch's candidates."""

    length: int
    weights: NDArray[np.float64]  # of each source's word
    ranker: Ranker
    composer: Composer
    spaced: bool = False  # no artist twice in a row


class Recommender:
    """Makes lists from one release. Not for several threads at once."""

    def __init__(self, release: Release, settings: ListSettings) -> None:
        """Raises BadSources, BadExclude, or msgspec.ValidationError when the release has unknown settings."""
        # Small queries and small matrices: two threads that wait for each other make one list many times slower,
        # most of all when the other core is busy (measured in the demo: 10 ms of a fold-in instead of 0.3).
        threadpool_limits(1)
        fitted = release.manifest.settings
        als = msgspec.convert(fitted.get("als", {}), AlsSettings)
        taste = msgspec.convert(fitted.get("taste", {}), TasteSettings)
        self.release = release
        self._shelf = Shelf(release.catalogue)
        self._reader = Reader(self._shelf, settings, taste.half_life_days)
        self._fold_in = FoldIn(release.factors, release.gram, als)
        self._quotas, self._sources = _sources(release, self._shelf, settings, als)
        if settings.mix == "playlist":
            self._quotas, self._sources = [QUOTA], [Sounds(release)]
        more = settings.more()
        self._features = Kept(release, self._shelf) if more else Features(release, self._shelf)
        self._rankers: dict[str, Ranker] = {}
        self._main = self._mixing(settings, settings.mix, settings.length)
        self._more: dict[str, Mixing] = {mix: self._mixing(settings, mix, length) for mix, length in more.items()}
        self._file = ExcludeFile(settings.exclude)
        self._excluded = self._file.now.rows(self._shelf)

    def _mixing(self, settings: ListSettings, mix: Mix, length: int) -> Mixing:
        taught = "for-you" if mix in ONLY else mix
        if mix == "playlist":
            self._rankers[mix] = Alike(self.release, Sounds(self.release))
        elif taught not in self._rankers:
            brought = self.release.rankers.get(taught)
            self._rankers[taught] = Fusion() if brought is None else TaughtRanker(self._features, brought)
        votes = VOTES.get(taught, {})
        weights = np.array([votes.get(source.name, OTHERS) for source in self._sources])
        kind_cap = 0 if mix == "playlist" else settings.kind_cap  # all of a playlist is unseen
        caps = Caps(settings.artist_cap, kind_cap, settings.release_cap)
        composer = Composer(self._shelf, settings.familiar, caps, ONLY.get(mix))
        return Mixing(length, weights, self._rankers[taught], composer, spaced=mix == "playlist")

    def refresh(self) -> None:
        """Look whether the file of what is excluded has changed; lists made after this go by it. Raises BadExclude."""
        if self._file.changed():
            self._excluded = self._file.now.rows(self._shelf)

    def recommend(
        self,
        views: Sequence[ProfileView | None],
        n: int,
        lap: Lap = lambda _: None,
        resting: Sequence[Keys] | None = None,
    ) -> list[list[Item]]:
        """One list a profile (None: a stranger), at most `n` tracks each, best first. `resting`: see `choose`."""
        lists = [self._worded(choice) for choice in self.choose(views, n, lap, resting)]
        lap("explain")
        return lists

    def recommend_all(
        self,
        views: Sequence[ProfileView | None],
        n: int,
        lap: Lap = lambda _: None,
        resting: Sequence[Keys] | None = None,
    ) -> list[tuple[list[Item], dict[str, list[Item]]]]:
        """The same, and of the same candidates a list of each mix that the settings name besides, by its name."""
        if not self._more:
            return [(items, {}) for items in self.recommend(views, n, lap, resting)]
        batch = self._read(views, lap, resting)
        proposals = self._propose(batch, n)
        choices = self._chosen(self._main, batch, proposals, n, lap)
        more = {mix: self._chosen(each, batch, proposals, each.length, lap) for mix, each in self._more.items()}
        lists = [
            (self._worded(choice), {mix: self._worded(others[at]) for mix, others in more.items()})
            for at, choice in enumerate(choices)
        ]
        lap("explain")
        return lists

    def choose(
        self,
        views: Sequence[ProfileView | None],
        n: int,
        lap: Lap = lambda _: None,
        resting: Sequence[Keys] | None = None,
    ) -> list[Choice]:
        """The same without the words: for who only counts hits. `lap` hears of each stage as it ends.

        `resting`: for each profile the keys of tracks that its list is to be without.
        """
        batch = self._read(views, lap, resting)
        return self._chosen(self._main, batch, self._propose(batch, n), n, lap)

    def _chosen(
        self, mixing: Mixing, batch: Batch, proposals: list[list[Candidates]], n: int, lap: Lap
    ) -> list[Choice]:
        merged = merge(proposals, mixing.weights, self._shelf.scratch)
        lap("candidates")
        scores = [mixing.ranker.scores(batch, at, each) for at, each in enumerate(merged)]
        lap("rank")
        most = ROOM * n if mixing.spaced else n
        picks = [
            mixing.composer.compose(each, score, batch.kinds(at, each.rows), most)
            for at, (each, score) in enumerate(zip(merged, scores, strict=True))
        ]
        if mixing.spaced:
            picks = [spaced(picked, self._shelf.artists, n) for picked in picks]
        lap("compose")
        return [Choice(picked, proposed) for picked, proposed in zip(picks, proposals, strict=True)]

    def ask_for_words(self, view: ProfileView, n: int) -> None:
        """Ask every source for its words, which a list need not: so that no loop is compiled when one first does."""
        [proposals] = self._propose(self._read([view], lambda _: None), n)
        for proposed in proposals:
            if len(proposed.rows):
                proposed.reasons([0])
        ranked(NO_ROWS, 0)  # by itself it is asked for only by a list that is longer than a signal is deep

    def described(self, views: Sequence[ProfileView | None], n: int) -> list[tuple[Merged, NDArray[np.float32]]]:
        """For each listener the candidates for a list of `n`, and their features: what a ranker is taught with."""
        batch = self._read(views, lambda _: None)
        merged = merge(self._propose(batch, n), self._main.weights, self._shelf.scratch)
        return [(each, self._features.of(batch, at, each.rows)) for at, each in enumerate(merged)]

    def _read(self, views: Sequence[ProfileView | None], lap: Lap, resting: Sequence[Keys] | None = None) -> Batch:
        # OpenMP's limit is one of the calling thread alone, and who makes the lists need not be who loaded the release.
        faiss.omp_set_num_threads(1)
        listeners = self._reader.read(views)
        if resting is not None:
            listeners = [self._without(each, keys) for each, keys in zip(listeners, resting, strict=True)]
        lap("read")
        vectors = self._fold_in.vectors([(listener.rows, listener.weights) for listener in listeners])
        lap("vectors")
        tables = self.release.followers, self.release.neighbours, self._shelf.scratch
        signals = [Signals(listener, *tables) for listener in listeners]
        return Batch(self._shelf, listeners, vectors, signals, self._excluded)

    def _without(self, listener: Listener, keys: Keys) -> Listener:
        if not len(keys):
            return listener
        rows = self.release.catalogue.rows_of(keys)
        return replace(listener, works=np.concatenate((listener.works, self._shelf.works[rows[rows >= 0]])))

    def _propose(self, batch: Batch, n: int) -> list[list[Candidates]]:
        """For each listener what each source proposes to a list of `n`."""
        asked = [
            (source, int(np.ceil(quota * max(n, SHORTEST))))
            for source, quota in zip(self._sources, self._quotas, strict=True)
        ]
        for source, quota in asked:
            if isinstance(source, Als):
                source.begin(batch, quota)
        by_source = [source.candidates(batch, quota) for source, quota in asked]
        return [list(proposed) for proposed in zip(*by_source, strict=True)]

    def _worded(self, choice: Choice) -> list[Item]:
        by_source: list[list[int]] = [[] for _ in self._sources]
        for pick in choice.picks:
            by_source[pick.source].append(pick.position)
        reasons = [
            iter(proposed.reasons(positions)) if positions else iter(())
            for proposed, positions in zip(choice.proposals, by_source, strict=True)
        ]
        names, tracks = [source.name for source in self._sources], self.release.catalogue.track_ids
        return [
            Item(tracks[pick.row], pick.score, next(reasons[pick.source]), names[pick.source]) for pick in choice.picks
        ]


class Kept(Features):
    """Features that are made once a batch, though several mixes rank the same candidates."""

    def __init__(self, release: Release, shelf: Shelf) -> None:
        super().__init__(release, shelf)
        self._batch: Batch | None = None
        self._tables: dict[int, tuple[Rows, NDArray[np.float32]]] = {}

    def of(self, batch: Batch, at: int, rows: Rows) -> NDArray[np.float32]:
        """See Features."""
        if batch is not self._batch:
            self._batch, self._tables = batch, {}
        kept = self._tables.get(at)
        if kept is None or not np.array_equal(kept[0], rows):
            kept = self._tables[at] = (rows, super().of(batch, at, rows))
        return kept[1]


def _sources(
    release: Release, shelf: Shelf, settings: ListSettings, als: AlsSettings
) -> tuple[list[float], list[Source]]:
    """The sources that the settings name, and their quotas."""
    makers: dict[str, Callable[[], Source]] = {
        History.name: History,
        Recent.name: Recent,
        OwnSequence.name: lambda: OwnSequence(release),
        Around.name: lambda: Around(release),
        Sessions.name: lambda: Sessions(release),
        Transitions.name: lambda: Transitions(release),
        Neighbours.name: lambda: Neighbours(release),
        Artists.name: lambda: Artists(release, shelf),
        Similar.name: lambda: Similar(release, shelf),
        New.name: lambda: New(release, shelf),
        Trending.name: lambda: Trending(shelf),
        Als.name: lambda: Als(release, als.regularization),
        Lyrics.name: lambda: Lyrics(release),
        Popular.name: lambda: Popular(shelf, settings.artist_cap),
        Sounds.name: lambda: Sounds(release),
    }
    quotas = settings.quotas()
    return list(quotas.values()), [makers[name]() for name in quotas]
