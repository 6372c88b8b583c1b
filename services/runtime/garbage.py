"""When a service looks for cycles: objects that only each other still know.

A batch makes tens of thousands of objects that stay until it is through, and no cycle. Python looks through the new
ones after every 700 by default, and through older ones again and again (docs/decisions/0010). So it looks after many
more, and through all of them when there is nothing else to do or a server is away: a connection that failed is a cycle,
and holds its socket.
"""

import gc
from math import inf
from time import monotonic

NEW = 500_000  # objects more than went, until it looks
EVERY_S = 30.0

_looked = -inf


def look_rarely() -> None:
    """To be called once, as a service begins its work: what is imported stays, and is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, 20, 20)


def look_when_idle() -> None:
    """To be called whenever there is nothing else to do: looks at everything, every half minute at most.

    At all of it, for who lives for long is found nowhere else when it goes; 15 to 30 ms in a scorer that is alone.
    """
    if monotonic() - _looked >= EVERY_S:
        look()


def look() -> None:
    """To be called after what leaves much behind, as compiling does: holds everybody up."""
    global _looked  # there is one collector in a process
    _looked = monotonic()
    gc.collect()
