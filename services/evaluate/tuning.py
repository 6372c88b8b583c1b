"""`segue tune` behind the command line: a search with optuna, kept in a study file, that goes on where it was ended.

Two things are sought at once, NDCG@100 and the full AUC (multi-objective TPE: Ozaki et al. 2022). Of the trials that no
other beats in both, the one with the most NDCG@100 is taken among those whose AUC is within AUC_GIVEN of the best.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from msgspec import Struct

from models.als.fit import FitFailed
from models.als.settings import AlsSettings
from models.evaluation.protocol import NothingToJudge, Protocol
from models.taste import TasteSettings
from models.tuning import Bench, Worth, with_half_life
from services.runtime.errors import Fatal

if TYPE_CHECKING:
    import optuna

AUC_GIVEN = 0.01
NAME = "als"
ALS = ("factors", "iterations", "regularization", "alpha")
HALF_LIFE = "half_life_days"
SPACE: dict[str, tuple[float, float]] = {  # all but the iterations by their logarithm; widened to hold what is set
    "factors": (16, 256),
    "iterations": (3, 30),
    "regularization": (0.1, 300.0),
    "alpha": (0.5, 100.0),
    HALF_LIFE: (2.0, 120.0),
}


class Plan(Struct, frozen=True):
    """How long to search, and on what."""

    study: Path  # file of the trials; made when it is not there
    trials: int  # in all, those of earlier runs among them
    weeks: int = 2
    skip: int = 0
    listeners: int = 300  # asked each week, at most
    half_life: bool = True  # is sought too
    seed: int = 42
    threads: int = 0


class Trial(Struct, frozen=True):
    """Settings that were tried, and what they were worth."""

    number: int
    settings: dict[str, float | int]
    worth: Worth


class Tuned(Struct, frozen=True):
    """Every trial, the one to use, and the one with the settings as they were before."""

    trials: list[Trial]
    chosen: Trial
    before: Trial | None
    listener_weeks: int


def tune(
    listens: pl.DataFrame,
    tracks: pl.DataFrame,
    taste: TasteSettings,
    als: AlsSettings,
    plan: Plan,
    progress: Callable[[str, float], None],
    best: Callable[[Trial], None] = lambda _: None,
) -> Tuned:
    """Try settings until there are `plan.trials`; `best` hears of each trial that is the one to use so far.

    Raises Fatal: nothing can be judged, the study is of something else, or no trial could be fitted.
    """
    _space(_settings_of(taste, als, plan))  # before minutes of reading
    progress("log", 0.0)
    try:
        bench = Bench(listens, tracks, Protocol(plan.weeks, plan.skip), plan.listeners, plan.seed)
    except NothingToJudge as error:
        raise Fatal(str(error)) from error
    progress("log", 1.0)
    study = _study(plan, _about(listens, plan, taste, als))
    _try_first(study, taste, als, plan)
    told = -1
    while (done := len(_finished(study))) < plan.trials:
        _one_more(study, bench, taste, als, plan, lambda part, done=done: progress("tune", (done + part) / plan.trials))  # type: ignore[misc]  # binds the loop's value
        trials = _finished(study)
        if trials and (found := chosen(trials)).number != told:
            told = found.number
            best(found)
    progress("tune", 1.0)
    trials = _finished(study)
    return Tuned(trials, chosen(trials), _before(trials, taste, als, plan), bench.listener_weeks)


def chosen(trials: list[Trial]) -> Trial:
    """The one to use. `trials` is not empty."""
    least = max(trial.worth.auc for trial in trials) - AUC_GIVEN
    return max((trial for trial in trials if trial.worth.auc >= least), key=lambda trial: trial.worth.ndcg)


def front(trials: list[Trial]) -> list[Trial]:
    """Those that no other beats in both, by rising NDCG."""
    found: list[Trial] = []
    for trial in sorted(trials, key=lambda each: (each.worth.ndcg, each.worth.auc), reverse=True):
        if not found or trial.worth.auc > found[-1].worth.auc:
            found.append(trial)
    return found[::-1]


def _study(plan: Plan, about: str) -> "optuna.Study":
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise Fatal("tuning needs optuna: pip install 'segue[evaluate]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{plan.study.absolute()}"
    try:
        study = optuna.create_study(
            study_name=NAME, storage=storage, directions=["maximize", "maximize"], load_if_exists=True
        )
    except Exception as error:  # whatever database error a file that is none gives
        raise Fatal(f"{plan.study}: cannot be used as a study file: {str(error).splitlines()[0]}") from error
    known = study.user_attrs.setdefault("about", about)
    if known != about:
        raise Fatal(f"{plan.study} is a study of other listens, weeks or settings; name another --study, or remove it")
    study.set_user_attr("about", about)
    for trial in study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING]):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)  # it was killed
    # Seeded by how far it is: the same study goes on the same way, but does not repeat its draws.
    seed = plan.seed + len(study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(1, plan.trials // 3)))
    return study


def _about(listens: pl.DataFrame, plan: Plan, taste: TasteSettings, als: AlsSettings) -> str:
    """What a study is of: worths of one and of another cannot be compared."""
    fixed = (
        listens.height, listens["listened_at"].sum(), plan.weeks, plan.skip, plan.listeners, plan.half_life, plan.seed,
        msgspec.structs.replace(taste, half_life_days=1.0) if plan.half_life else taste,
        {name: value for name, value in msgspec.to_builtins(als).items() if name not in ALS},
    )  # fmt: skip
    return sha256(msgspec.json.encode(fixed)).hexdigest()


def _try_first(study: "optuna.Study", taste: TasteSettings, als: AlsSettings, plan: Plan) -> None:
    """The settings as they are, so that there is something to compare with."""
    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(_settings_of(taste, als, plan))


def _settings_of(taste: TasteSettings, als: AlsSettings, plan: Plan) -> dict[str, Any]:
    now: dict[str, Any] = {name: getattr(als, name) for name in ALS}
    if plan.half_life:
        now[HALF_LIFE] = taste.half_life_days
    return now


def _space(now: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """What is searched: SPACE, widened to what is set now. Raises Fatal for what has no logarithm."""
    for name, value in now.items():
        if value <= 0:
            raise Fatal(f"{name} = {value} cannot be searched from: set it above 0 for `segue tune`")
    return {name: (min(SPACE[name][0], value), max(SPACE[name][1], value)) for name, value in now.items()}


def _before(trials: list[Trial], taste: TasteSettings, als: AlsSettings, plan: Plan) -> Trial | None:
    now = _settings_of(taste, als, plan)
    return next((trial for trial in trials if trial.settings == now), None)


def _one_more(
    study: "optuna.Study",
    bench: Bench,
    taste: TasteSettings,
    als: AlsSettings,
    plan: Plan,
    progress: Callable[[float], None],
) -> None:
    import optuna

    trial = study.ask()
    settings = dict(_suggested(trial, _space(_settings_of(taste, als, plan))))
    days = settings.pop(HALF_LIFE, taste.half_life_days)
    tried = msgspec.structs.replace(als, **settings)
    try:
        worth = bench.worth(with_half_life(taste, days), tried, plan.threads, progress)
    except FitFailed:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        _prove_some_fit(study, plan)
        return
    except KeyboardInterrupt:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise
    study.tell(trial, [worth.ndcg, worth.auc])


def _prove_some_fit(study: "optuna.Study", plan: Plan) -> None:
    """Settings that cannot be fitted cost a trial each; when there are as many as wanted trials, it is the data."""
    failed = len(study.get_trials(deepcopy=False)) - len(_finished(study))
    if failed > plan.trials:
        raise Fatal(f"{failed} trials gave no finite factors: is the log large enough to be fitted at all?")


def _suggested(trial: "optuna.Trial", space: dict[str, tuple[float, float]]) -> Iterator[tuple[str, Any]]:
    for name, (low, high) in space.items():
        if name in ("factors", "iterations"):
            yield name, trial.suggest_int(name, int(low), int(high), log=name == "factors")
        else:
            yield name, trial.suggest_float(name, low, high, log=True)


def _finished(study: "optuna.Study") -> list[Trial]:
    import optuna

    done = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    return [Trial(trial.number, dict(trial.params), Worth(*trial.values)) for trial in done]
