"""The log of one partition, folded offline: what the profiles should be."""

from array import array
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from models.admission import admit
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.errors import Poison
from services.runtime.kafka_log import Record


def digest(key: bytes | None, value: bytes | None) -> bytes:
    """Of a record's key and value; None is not empty."""
    lengths = f"{-1 if key is None else len(key)},{-1 if value is None else len(value)}:".encode()
    return blake2b(lengths + (key or b"") + (value or b""), digest_size=16).digest()


class Folding:
    """Profiles of one partition by listener, and what was counted on the way."""

    def __init__(self, taste: TasteSettings) -> None:
        self._taste = taste
        self.profiles: dict[str, Profile] = {}
        self.refused: dict[int, tuple[bytes, int]] = {}  # offset -> digest, when it was appended (ms)
        self.admitted = array("q")  # offsets
        self.events = self.repeats = 0

    def take(self, records: Iterable[Record]) -> None:
        """Fold all of these."""
        for record in records:
            self._one(record, None)

    def follow(self, records: Iterable[Record], until: Mapping[str, int]) -> None:
        """Fold of each listener what is up to the offset told in `until`, and of nobody else anything."""
        for record in records:
            self._one(record, until)

    def _one(self, record: Record, until: Mapping[str, int] | None) -> None:
        self.events += 1
        try:
            listen = admit(record.value, record.key, record.time)
        except Poison:
            self.refused[record.offset] = digest(record.key, record.value), record.time
            return
        self.admitted.append(record.offset)
        user = listen.user_id
        if until is None:
            profile = self.profiles.get(user)
            if profile is None:
                profile = self.profiles[user] = Profile()
        elif record.offset <= until.get(user, -1):
            profile = self.profiles[user]
        else:
            return
        self.repeats += not fold(profile, listen, record.offset, self._taste)
