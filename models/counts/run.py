"""A comparison from beginning to end: split by chance, tune inside the training part, fit on all of it, judge.

Each split is tuned for itself, on a second split within its training part: what one split holds out is trained on by
another, so settings that were sought once for all splits would know something of what they are judged on.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np
from msgspec import Struct, to_builtins
from scipy.sparse import csr_matrix

from models.counts.contenders import CONTENDERS, Contender
from models.counts.data import Split, shuffled, split
from models.counts.judge import RANKED, Judged, judge
from models.counts.result import Comparison, Counted, Outcome, compared
from models.counts.tuning import Settings, search

SEED = 20_260_107
AIM = "ndcg@100"  # what is tuned for

Progress = Callable[[str, float], None]


class Plan(Struct, frozen=True):
    """What is compared, and how."""

    models: tuple[str, ...] = tuple(CONTENDERS)
    seeds: int = 5  # splits
    share: float = 0.2  # of each listener's items that is held out, also for tuning
    tuned_on: int = 1_000  # listeners, at most, that settings are judged on; the same for all models
    trials: int = 24  # of each search; 0: the defaults
    threads: int = 0  # 0: every core


def compare(counts: csr_matrix, plan: Plan, progress: Progress = lambda _step, _done: None) -> Comparison:
    """Fit and judge every model on the same splits. Raises NothingToCompare.

    `progress` is told the model, and the share of its work that is done. A model whose library is missing is skipped,
    and told of.
    """
    skipped = {name: CONTENDERS[name].missing for name in plan.models if CONTENDERS[name].missing}
    names = [name for name in plan.models if name not in skipped]
    found: dict[str, list[Outcome]] = {name: [] for name in names}
    held = []
    for seed in range(plan.seeds):
        rng = np.random.default_rng((SEED, seed))
        outer = split(shuffled(counts, rng), plan.share, rng)
        inner = split(outer.train, plan.share, rng).judging(plan.tuned_on, rng)
        held.append(outer.test.nnz)
        for name in names:
            task = _Task(CONTENDERS[name], plan, seed, lambda done, name=name, seed=seed: progress(  # type: ignore[misc]
                name, (seed + done) / plan.seeds
            ))  # fmt: skip
            found[name].append(task.outcome(outer, inner))
    counted = Counted(*counts.shape, counts.nnz, len(outer.judged), held)
    return compared(found, counted, to_builtins(plan), skipped)


class _Task(NamedTuple):
    """One model on one split."""

    contender: Contender
    plan: Plan
    seed: int
    tell: Callable[[float], None]

    def outcome(self, outer: Split, inner: Split) -> Outcome:
        started = perf_counter()
        chosen, worth = self._tuned(inner)
        tuned = perf_counter()
        settings = self.contender.settings(chosen)
        model = self.contender.fit(outer.train, settings, self.seed, self.plan.threads)
        fitted = perf_counter()
        judged: Judged = judge(model, outer)
        self.tell(1.0)
        seconds = (tuned - started, fitted - tuned, perf_counter() - fitted)
        return Outcome(judged, None if settings is None else to_builtins(settings), worth, seconds)

    def _tuned(self, inner: Split) -> tuple[Settings, Sequence[float]]:
        """The best settings on the split within the training part, and what each trial was worth."""
        trials = round(self.plan.trials * self.contender.trials) if self.contender.space else 0
        if not trials:
            return {}, []
        made = []
        for trial in search(self.contender.space, lambda settings: self._worth(settings, inner), trials, self.seed):
            made.append(trial)
            self.tell(len(made) / (trials + 1))
        return max(made, key=lambda trial: trial.value).settings, [trial.value for trial in made]

    def _worth(self, settings: Settings, inner: Split) -> float:
        model = self.contender.fit(inner.train, self.contender.settings(settings), self.seed, self.plan.threads)
        return float(judge(model, inner).values[:, RANKED.index(AIM)].mean())
