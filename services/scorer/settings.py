"""The scorer's settings (docs/lists.md, docs/settings.md)."""

from typing import Annotated

from msgspec import Meta, Struct

from models.excluded import ExcludeFile
from models.sources.settings import ListSettings
from services.runtime.settings import KafkaSettings, LogSettings, RedisSettings
from services.scorer.split import Split, overridden

Positive = Annotated[int, Meta(ge=1)]


class ScorerOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What only the scorer knows."""

    group: str = "segue-scorer"
    max_notices: Positive = 2_000  # notices taken at once; of one listener's, only the newest counts
    max_batch: Positive = 64  # lists made and sent at once: more are faster in sum, later each
    commit_ms: Positive = 100  # offsets are committed at most this often, behind the acknowledged lists
    remember: Annotated[int, Meta(ge=0)] = 100_000  # listeners whose newest list is remembered, so as not to repeat it
    retry_release_s: Annotated[float, Meta(gt=0)] = 30.0  # a release that could not be loaded is tried again after this
    new_tracks: Annotated[int, Meta(ge=0)] = 50_000  # announced since a release was trained join it, so many; 0: none
    new_tracks_s: Annotated[float, Meta(gt=0)] = 60.0  # and this often at most
    probe_s: Annotated[float, Meta(gt=0)] = 2.0  # how often Redis and the broker are asked whether they are there
    b_share: Annotated[float, Meta(ge=0, le=1)] = 0.0  # of the listeners get variant b; 0: there is none
    b_list: str = ""  # what is different about its lists: "mix=up-next kind_cap=50"
    b_salt: str = "segue"  # another one deals the listeners anew
    metrics_port: Annotated[int, Meta(ge=0, le=65_535)] = 9103  # 0: any free port
    metrics_host: str = "127.0.0.1"


class ScorerSettings(Struct, frozen=True):
    """Everything the scorer reads."""

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    list: ListSettings = ListSettings()
    scorer: ScorerOptions = ScorerOptions()
    log: LogSettings = LogSettings()

    def split(self) -> Split:
        """Who gets which lists. Raises BadSetting, BadSources, BadExclude: at the start, not at the first release."""
        options = self.scorer
        self.list.quotas()
        self.list.more()
        ExcludeFile(self.list.exclude)
        b = overridden(self.list, options.b_list, "SEGUE_SCORER_B_LIST")
        return Split(self.list, b, options.b_share, options.b_salt)
