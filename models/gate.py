"""The gate: whether a release may take the place of the one in service.

It goes by the NDCG@100 of the lists as served in the held-out time, listener by listener, so every difference is
paired, with a 95 % interval from redrawing listeners (models.evaluation.bootstrap).
"""

from collections.abc import Mapping

from models.evaluation.bootstrap import Figure
from schemas.release import Gate

METRIC = "ndcg@100"
IN_SERVICE = "in_service"
POPULAR = "popular"


def decide(ahead: Mapping[str, Figure], listeners: int, least: int, tolerance: float, first: bool) -> Gate:
    """The verdict; `ahead` is candidate less opponent (`in_service` and baselines), `first`: nothing is in service.

    1. Fewer than `least` judged listeners say nothing: promoted.
    2. The first release must be above popularity.
    3. It must not be worse than the one in service: neither by more than `tolerance` in the mean, nor certainly, which
       is when the whole interval is below 0. One that cannot be compared, having seen the held-out listens, is passed.
    4. It must be above every baseline in the mean, or certainly better than the one in service.
    """
    told = {name: [figure.mean, figure.low, figure.high] for name, figure in ahead.items()}
    promoted, reason = _verdict(ahead, listeners, least, tolerance, first)
    return Gate(promoted, reason, listeners, told)


def _verdict(
    ahead: Mapping[str, Figure], listeners: int, least: int, tolerance: float, first: bool
) -> tuple[bool, str]:
    if listeners < least:
        return True, f"not judged: {listeners} listeners have held-out plays enough, {least} are needed"
    if first:
        figure = ahead[POPULAR]
        return figure.mean > 0, f"the first: {_told(POPULAR, figure)}"
    service = ahead.get(IN_SERVICE)
    if service is not None and (service.mean < -tolerance or service.high < 0):
        return False, f"worse than the one in service: {_told(IN_SERVICE, service)}"
    if service is not None and service.low > 0:
        return True, f"better than the one in service: {_told(IN_SERVICE, service)}"
    baselines = {name: figure for name, figure in ahead.items() if name != IN_SERVICE}
    name = min(baselines, key=lambda each: baselines[each].mean)
    if baselines[name].mean <= 0:
        return False, f"a baseline is as good: {_told(name, baselines[name])}"
    if service is None:
        return True, f"above every baseline; the one in service has seen these listens: {_told(name, baselines[name])}"
    return True, f"not worse than the one in service, above every baseline: {_told(IN_SERVICE, service)}"


def _told(name: str, figure: Figure) -> str:
    return f"{METRIC} {figure.mean:+.4f} [{figure.low:+.4f}, {figure.high:+.4f}] to {name}"
