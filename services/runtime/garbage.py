"""When a service looks for cycles: objects that only each other still know.

A batch makes tens of thousands of objects that stay until it is through, and no cycle. Python looks through the new
ones after every 700 by default, and through older ones again and again: a third of what rebuilding profiles takes, and
a tenth of a list (docs/performance.md). So it looks after many more, and when there is nothing else to do: a connection
that failed is a cycle, and holds its socket.
"""

import gc
from time import monotonic

NEW = 500_000  # objects more than went, until it looks
EVERY_S = 10.0

_looked = 0.0


def look_rarely() -> None:
    """To be called once, as a service begins its work: what is imported stays, and is not looked through again."""
    gc.freeze()
    gc.set_threshold(NEW, 20, 20)


def look_when_idle() -> None:
    """To be called whenever there is nothing else to do: looks at what is new, every ten seconds at most."""
    global _looked  # there is one collector in a process
    now = monotonic()
    if now - _looked >= EVERY_S:
        _looked = now
        gc.collect(1)
