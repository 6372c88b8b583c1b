"""What can go wrong in a running service, and what to do about it.

schemas.errors.Poison   a message that no retry will mend: to the dead letters, go on
Transient               the broker or Redis is away or busy: hold the offset, back off, try again
├── BrokerAway
└── RedisAway
Fatal                   settings or the cluster are wrong: say so and end; a supervisor or a person must act
Stopped                 told to stop while it was away: leave the work unacknowledged and end

Anything else is a bug: crash loudly.
"""


class Transient(Exception):
    """It will pass: the same call may succeed later. Nothing may be acknowledged meanwhile."""


class BrokerAway(Transient):
    """No Kafka broker answers, or it asks to be tried again."""


class RedisAway(Transient):
    """Redis does not answer, is loading, or is failing over."""


class Fatal(Exception):
    """It will not pass by itself. The text says what is wrong, where, and what to do."""


class Stopped(Exception):
    """The service was told to stop before the call succeeded."""
