"""Which listens are taken in: the one check that profiler, trainer and audit share.

Everything here depends only on the message and the log, never on the clock: a replay admits what was admitted before.
"""

from schemas.codec import decode
from schemas.errors import Poison
from schemas.events import Listen

EARLIEST_MS = 788_918_400_000  # 1995-01-01: no streaming service, scrobbler or portable player is older
LEEWAY_MS = 86_400_000  # a listener's clock may be a day ahead of the broker's


def admit(value: bytes | None, key: bytes | None, appended_ms: int) -> Listen:
    """The listen in a record of `listens`.

    `appended_ms` is the record's own timestamp (the broker's clock at append). Raises Poison, beside those of
    schemas.codec.decode: `bad-key` (key is not the user_id, so it may be on another listener's partition), `too-early`,
    `future`, `bad-schema` (scope "artist" without an artist).
    """
    listen = decode(Listen, value)
    if key is None or key != listen.user_id.encode():
        raise Poison("bad-key", "the record's key is not its user_id - at `$.user_id`")
    if listen.listened_at < EARLIEST_MS:
        raise Poison("too-early", f"{listen.listened_at} is before 1995; is it in milliseconds? - at `$.listened_at`")
    if listen.listened_at > appended_ms + LEEWAY_MS:
        raise Poison("future", f"{listen.listened_at} is over a day after its arrival - at `$.listened_at`")
    if listen.scope == "artist" and listen.artist is None:
        raise Poison("bad-schema", "a mark on an artist must name one - at `$.artist`")
    return listen
