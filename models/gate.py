"""The gate: whether a release may take the place of the one in service.

It goes by the lists as served in the held-out time: the NDCG@100 of those for the week, and HR@20 of those for the next
track. Every difference is paired, listener by listener, with a 95 % interval from redrawing listeners
(models.evaluation.bootstrap).
"""

from collections.abc import Mapping
from typing import Literal

from models.evaluation.bootstrap import Figure
from schemas.release import Gate

METRIC = "ndcg@100"
NEXT = "hr@20"
IN_SERVICE = "in_service"

# Of the one in service: there is none; it has seen what is held out; what is rehearsed has heard no longer; or longer.
Standing = Literal["none", "seen", "level", "behind"]
_PASSED: dict[Standing, str] = {
    "none": "none in service, and no baseline certainly better; the nearest",
    "seen": "above every baseline; the one in service has seen what is held out and is not compared; the nearest",
    "level": "above every baseline, not certainly worse than the one in service, which had heard up to the same time",
    "behind": "better than the one in service, above every baseline",
}
Ahead = Mapping[str, Figure]  # opponent (`in_service` and baselines) -> candidate less opponent


def decide(
    week: Ahead, following: Ahead, listeners: int, least: int, tolerance: float, standing: Standing = "behind"
) -> Gate:
    """The verdict, by METRIC of the week and NEXT of the following track.

    1. With fewer than `least` judged listeners it only must not be worse than the one in service in the mean.
    2. It must be better than the one in service in the mean, by METRIC; with a `tolerance` it may be less than that
       worse, if not certainly.
    3. It must be above every baseline in the mean, by METRIC. Where none is in service, which leaves listeners without
       lists, it only must not be certainly below one: the whole interval below 0.
    4. Its next tracks must not be certainly worse than those of any of them: the whole interval below 0.

    `standing` of the one in service: where it is "level" with what is rehearsed, the same again is no better and chance
    would decide, while what is announced is fitted on all that came since. So 1 and 2 hold back only what is certainly
    worse: the whole interval below 0. Where it has "seen" what is held out, it is not compared, and 3 is as strict.
    """
    told = {name: [figure.mean, figure.low, figure.high] for name, figure in week.items()}
    next_told = {name: [figure.mean, figure.low, figure.high] for name, figure in following.items()}
    if listeners < least:
        promoted, reason = _few(week, listeners, least, standing)
    else:
        promoted, reason = _verdict(week, following, tolerance, standing)
    return Gate(promoted, reason, listeners, told, next_told)


def _few(week: Ahead, listeners: int, least: int, standing: Standing) -> tuple[bool, str]:
    few = f"{listeners} listeners have held-out plays enough, {least} are needed"
    service = week.get(IN_SERVICE)
    if listeners and service is not None and (service.high if standing == "level" else service.mean) < 0:
        return False, f"worse than the one in service, though {few}: {_told(IN_SERVICE, service)}"
    return True, f"not judged: {few}"


def _verdict(week: Ahead, following: Ahead, tolerance: float, standing: Standing) -> tuple[bool, str]:
    service = week.get(IN_SERVICE)
    if service is not None and (service.high < 0 or (standing != "level" and service.mean <= -tolerance)):
        return False, f"not better than the one in service: {_told(IN_SERVICE, service)}"
    baselines = {name: figure for name, figure in week.items() if name != IN_SERVICE}
    if standing == "none":
        name = min(baselines, key=lambda each: baselines[each].high)
        as_good = baselines[name].high < 0
    else:
        name = min(baselines, key=lambda each: baselines[each].mean)
        as_good = baselines[name].mean <= 0
    if as_good:
        return False, f"a baseline is as good: {_told(name, baselines[name])}"
    for other, figure in following.items():
        if figure.high < 0:
            return False, f"worse at the next track: {_told(other, figure, NEXT)}"
    return True, f"{_PASSED[standing]}: {_told(*((IN_SERVICE, service) if service else (name, baselines[name])))}"


def _told(name: str, figure: Figure, metric: str = METRIC) -> str:
    return f"{metric} {figure.mean:+.4f} [{figure.low:+.4f}, {figure.high:+.4f}] to {name}"
