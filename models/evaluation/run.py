"""An evaluation from beginning to end: fit before each window, ask during it, judge.

Time grows with listens (each is folded once), with questions times systems, and with one fit a window; memory with
listens, with at most 148 KB a listener for the profiles kept between windows, and with one release.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import polars as pl

from models import release
from models.evaluation.contenders import contenders
from models.evaluation.judging import HOUR, Verdicts
from models.evaluation.log import Log
from models.evaluation.panel import Panel, Question
from models.evaluation.protocol import Next, Window, next_plays, prove, weekly, windows
from models.evaluation.replay import Replay
from models.evaluation.result import Evaluation, Served
from models.evaluation.settings import Settings
from models.evaluation.systems import SERVED, Memory, System, memory
from models.fitted import Progress
from models.rehearsal import CheckSettings
from models.release import Release
from models.train import TrainSettings, train


def evaluate(
    listens: pl.DataFrame, tracks: pl.DataFrame, scratch: Path, settings: Settings, progress: Progress
) -> tuple[Evaluation, Served]:
    """Judge the lists that would have been served, and everything beside them.

    `listens` and `tracks` as for models.train.train; `scratch` is a folder that exists, for releases under way.
    `progress` hears of `log`, `fit` and `ask`, and the share done. Raises NothingToJudge, ValueError, BadSources.
    """
    progress("log", 0.0)
    log = Log(listens, timed=True, numbered=settings.numbered)
    prove(log, settings.protocol)
    progress("log", 1.0)
    run = _Run(log, tracks, scratch, settings, progress)
    spans = windows(log, settings.protocol)
    for at, span in enumerate(spans):
        run.window(at, span, len(spans))
    return run.verdicts.evaluation([span.start for span in spans], run.seconds), run.verdicts.served


class _Run:
    def __init__(self, log: Log, tracks: pl.DataFrame, scratch: Path, settings: Settings, progress: Progress) -> None:
        self._log = log
        # Without labels: topics stand in no list, and teaching a classifier for each window would take minutes.
        self._tracks = tracks.drop("labels", strict=False).unique("track_id", keep="last", maintain_order=True)
        self._scratch = scratch
        self._settings = settings
        self._progress = progress
        self._shown: defaultdict[str, Memory] = defaultdict(memory)
        self._replay = Replay(log, settings.taste)
        self._guesses = next_plays(log, settings.protocol)
        self.verdicts = Verdicts(log, self._guesses, settings.protocol.stale_hours)
        self.seconds = {"fit": 0.0, "ask": 0.0}

    def window(self, at: int, window: Window, of: int) -> None:
        """Fit on what came before, then ask and judge. Windows come in order."""
        begun = perf_counter()
        made = self._fit(at, window, lambda done: self._progress("fit", (at + done) / of))
        systems = contenders(self._log, made, window.start, self._settings, self._shown)
        self._progress("fit", (at + 1) / of)
        fitted = perf_counter()
        self._ask(window, systems, lambda done: self._progress("ask", (at + done) / of))
        self.seconds["fit"] += round(fitted - begun, 3)
        self.seconds["ask"] += round(perf_counter() - fitted, 3)

    def _fit(self, at: int, window: Window, progress: Callable[[float], None]) -> Release:
        """A release of the listens before the window: no model in it knows a track that nobody had met by then."""
        progress(0.0)
        settings = self._settings
        before = self._log.events.filter(pl.col("listened_at") < window.start * 1000)
        folder = train(
            before.drop("event_id"),  # each is there once; no need to look again
            self._tracks.join(before.select("track_id").unique(), on="track_id", how="semi", maintain_order="left"),
            self._scratch,
            TrainSettings(
                taste=settings.taste,
                als=settings.als,
                neighbours=settings.neighbours,
                ranker=settings.ranker,
                check=CheckSettings(listeners=0),
                threads=settings.threads,
            ),
            release_id=f"window-{at}",
            now_ms=window.start * 1000,
            window={},
            progress=lambda step, done: progress(done) if step == "ranker" else None,
        )
        made = release.load(folder)
        release.discard(folder)
        # What is first met in the window joins as it does in a scorer: for those who have played it, nobody else.
        met = self._log.events.filter(pl.col("listened_at").is_between(window.start * 1000, window.end * 1000, "left"))
        new = self._tracks.join(met.select("track_id").unique(), on="track_id", how="semi", maintain_order="left")
        return made.with_tracks(new)

    def _ask(self, window: Window, systems: dict[str, System], progress: Callable[[float], None]) -> None:
        week = weekly(self._log, window)
        mine = _by_user(self._guesses, window)
        asked = set(week.asked.tolist())
        panels = self._panels(systems)
        self.verdicts.begin(week, list(systems))
        listeners = sorted(asked | mine.keys())
        for done, user in enumerate(listeners):
            progress(done / len(listeners))
            questions = [(panels[None], window.start, -1)] if user in asked else []
            for key in mine.get(user, ()):
                moment = int(self._guesses.moments[key])
                questions += [(panel, moment - HOUR * old, key) for old, panel in panels.items() if old is not None]
            self._put(user, sorted(questions, key=lambda question: question[1]), window)
        for panel in panels.values():
            panel.end()
        self.verdicts.end()
        progress(1.0)

    def _panels(self, systems: dict[str, System]) -> dict[int | None, Panel]:
        """By how many hours old the profiles are that lists are made from; None: the weekly lists."""
        verdicts, served = self.verdicts, {SERVED: systems[SERVED]}
        return {
            None: Panel(self._log, "weekly", systems, verdicts.of_week),
            0: Panel(self._log, "next", systems, verdicts.of_guess),
            **{
                hours: Panel(self._log, "next", served, partial(verdicts.of_stale_guess, hours))
                for hours in self._settings.protocol.stale_hours
            },
        }

    def _put(self, user: int, questions: list[tuple[Panel, int, int]], window: Window) -> None:
        """Put a listener's questions (panel, moment, key), which come by moment, with the profile as it then was."""
        oldest = HOUR * max(self._settings.protocol.stale_hours, default=0)
        profiles = self._replay.at(user, [moment for _, moment, _ in questions], window.end - oldest)
        for (panel, moment, key), profile in zip(questions, profiles, strict=True):
            panel.ask(Question(user, moment, profile, key))


def _by_user(guesses: Next, window: Window) -> dict[int, list[int]]:
    """The positions of a window's plays to guess, by listener."""
    found: dict[int, list[int]] = {}
    for key, (user, moment) in enumerate(zip(guesses.users.tolist(), guesses.moments.tolist(), strict=True)):
        if window.start <= moment < window.end:
            found.setdefault(user, []).append(key)
    return found
