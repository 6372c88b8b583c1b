"""Everything that is compared in one window: the served lists, each source alone, the baselines."""

from collections import defaultdict

from msgspec.structs import replace

from models.evaluation.baselines.als import AlsAlone
from models.evaluation.baselines.chain import Chain
from models.evaluation.baselines.ease import Ease
from models.evaluation.baselines.neighbours import Neighbours
from models.evaluation.baselines.past import past
from models.evaluation.baselines.personal import Personal
from models.evaluation.baselines.popular import Random, decayed_popular, popular
from models.evaluation.log import Log
from models.evaluation.settings import Settings
from models.evaluation.systems import SERVED, Lists, Memory, Served, System, alone, also, tracks_of, without
from models.recommender import ONLY
from models.release import Release

POPULAR_DAYS = 7.0  # half-life of a listener's say in decayed popularity
PERSONAL_DAYS = 4.0  # of the sharper of the two decayed personal baselines; the other has the taste's


def contenders(
    log: Log, made: Release, start: int, settings: Settings, shown: defaultdict[str, Memory]
) -> dict[str, System]:
    """By name, the served lists first; fitted on what came before `start`, as `made` is. Raises BadSources.

    `shown`: what each system's lists have shown in earlier windows, by its name.
    """
    tracks = tracks_of(log, made)
    asked = {SERVED: settings.lists, **{changes: also(settings.lists, changes) for changes in settings.also}}
    if settings.leave_out:
        asked |= without(settings.lists)
    if settings.baselines:
        for mix in ONLY:
            kinds = (settings.lists.weekly, settings.lists.next)
            asked[f"{SERVED}_{mix}"] = Lists(*(replace(each, mix=mix) for each in kinds))
        asked |= alone(settings.lists)
    systems: dict[str, System] = {name: Served(made, tracks, lists, shown[name]) for name, lists in asked.items()}
    if not settings.baselines:
        return systems
    return systems | baselines(log, made, start, settings.taste.half_life_days, settings.seed)


def baselines(log: Log, made: Release, start: int, half_life: float, seed: int) -> dict[str, System]:
    """What every list must beat, fitted on what came before `start`. `half_life`: the taste's, days."""
    before, tracks = past(log, start), tracks_of(log, made)
    return {
        "random": Random(before, seed),
        "chain": Chain(before),
        "popular": popular(before),
        "decayed_popular": decayed_popular(before, POPULAR_DAYS),
        "personal": Personal(log, None),
        f"decayed_personal_{PERSONAL_DAYS:g}d": Personal(log, PERSONAL_DAYS),
        f"decayed_personal_{half_life:g}d": Personal(log, half_life),
        "item_neighbours": Neighbours(before),
        "ease": Ease(before),
        "als": AlsAlone(made, tracks),
    }
