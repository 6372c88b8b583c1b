"""The gate: whether a release may take the place of the one in service.

It goes by the lists as served in the held-out time: the NDCG@100 of those for the week, and HR@20 of those for the next
track. Every difference is paired, listener by listener, with a 95 % interval from redrawing listeners
(models.evaluation.bootstrap).
"""

from collections.abc import Mapping

from models.evaluation.bootstrap import Figure
from schemas.release import Gate

METRIC = "ndcg@100"
NEXT = "hr@20"
IN_SERVICE = "in_service"

Ahead = Mapping[str, Figure]  # opponent (`in_service` and baselines) -> candidate less opponent


def decide(week: Ahead, following: Ahead, listeners: int, least: int, tolerance: float, level: bool = False) -> Gate:
    """The verdict, by METRIC of the week and NEXT of the following track; no `in_service`: nothing to compare with.

    `level`: the rehearsed release was fitted on hardly more than the one in service knows, as no later time can be
    asked for. The same again is then no better and chance decides, while what is announced is fitted on all that came
    since. So it only must not be certainly worse than that one: the whole interval below 0. Else:

    1. With fewer than `least` judged listeners it only must not be worse than the one in service in the mean.
    2. It must be better than the one in service in the mean, by METRIC; with a `tolerance` it may be less than that
       worse, if not certainly.

    And always, with `least` listeners or more:

    3. It must be above every baseline in the mean, by METRIC. Where none is in service, which leaves listeners without
       lists, it only must not be certainly below one: the whole interval below 0.
    4. Its next tracks must not be certainly worse than those of any of them: the whole interval below 0.
    """
    told = {name: [figure.mean, figure.low, figure.high] for name, figure in week.items()}
    next_told = {name: [figure.mean, figure.low, figure.high] for name, figure in following.items()}
    if listeners < least:
        promoted, reason = _few(week, listeners, least, level)
    else:
        promoted, reason = _verdict(week, following, tolerance, level)
    return Gate(promoted, reason, listeners, told, next_told)


def _few(week: Ahead, listeners: int, least: int, level: bool) -> tuple[bool, str]:
    few = f"{listeners} listeners have held-out plays enough, {least} are needed"
    service = week.get(IN_SERVICE)
    if listeners and service is not None and (service.high if level else service.mean) < 0:
        return False, f"worse than the one in service, though {few}: {_told(IN_SERVICE, service)}"
    return True, f"not judged: {few}"


def _verdict(week: Ahead, following: Ahead, tolerance: float, level: bool) -> tuple[bool, str]:
    service = week.get(IN_SERVICE)
    if service is not None and (service.high < 0 or (not level and service.mean <= -tolerance)):
        return False, f"not better than the one in service: {_told(IN_SERVICE, service)}"
    baselines = {name: figure for name, figure in week.items() if name != IN_SERVICE}
    if service is None:
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
    if service is not None and level:
        told = _told(IN_SERVICE, service)
        return True, f"fitted on as much as the one in service it is not certainly worse, above every baseline: {told}"
    if service is not None:
        return True, f"better than the one in service, above every baseline: {_told(IN_SERVICE, service)}"
    return True, f"none in service, and no baseline certainly better; the nearest: {_told(name, baselines[name])}"


def _told(name: str, figure: Figure, metric: str = METRIC) -> str:
    return f"{metric} {figure.mean:+.4f} [{figure.low:+.4f}, {figure.high:+.4f}] to {name}"
