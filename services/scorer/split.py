"""Who gets which of two ways to make lists (A/B).

A listener's variant is a hash, kept nowhere: every process, today and after a restart, says the same. With another
salt listeners are dealt anew, so two experiments in a row do not share their groups.
"""

from hashlib import blake2b

from msgspec import Struct

from models.excluded import BadExclude, ExcludeFile
from models.sources.settings import BadSources, ListSettings, changed
from schemas.recommendation import VARIANTS
from services.runtime.settings import BadSetting

A, B = VARIANTS


class Split(Struct, frozen=True):
    """How listeners are dealt out, and how each variant's lists are made."""

    a: ListSettings
    b: ListSettings
    share: float = 0.0  # of the listeners in b; 0: there is no b
    salt: str = ""

    def of(self, user_id: str) -> str:
        """The listener's variant. Who is in b at some share is in b at every larger one."""
        digest = blake2b(f"{self.salt}\x1f{user_id}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return B if int.from_bytes(digest, "little") < self.share * 2**64 else A


def overridden(settings: ListSettings, overrides: str, setting: str) -> ListSettings:
    """The list settings with some of them changed: `mix=up-next sources=history=4,als=2`.

    Raises BadSetting naming `setting` and the part that is wrong.
    """
    try:
        found = changed(settings, overrides)
        ExcludeFile(found.exclude)
        return found
    except (BadSources, BadExclude) as error:
        raise BadSetting(f"{setting}={overrides!r}: {error}") from error
