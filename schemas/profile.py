"""The notice that a listener's profile changed: the `profiles` topic. The profile itself is in Redis."""

from msgspec import Struct

from schemas.fields import Id, Millis, Offset, Partition


class ProfileChanged(Struct, frozen=True):
    """A profile in Redis reflects every listen of its listener up to `version`. Key: user_id."""

    user_id: Id
    partition: Partition  # of `listens`; with user_id the profile's key in Redis
    version: Offset  # the last offset of that partition folded into this profile
    listened_at: Millis  # when the newest listen behind it happened
    produced_at: Millis  # when that listen was appended to `listens`
