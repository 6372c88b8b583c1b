"""How troubles end on the command line: one line that says what was wrong and what to do, and an exit code."""

from models.release import BadRelease
from schemas.errors import Poison
from services.local.errors import LocalError
from services.runtime.errors import Fatal, Transient
from services.runtime.settings import BadSetting

KNOWN = (BadSetting, Fatal, Transient, LocalError, BadRelease, Poison)

USAGE, AWAY, FAILED = 2, 69, 1  # 69: EX_UNAVAILABLE


def exit_code(error: BaseException) -> int:
    """2 for a wrong setting, 69 for a server that is away, 1 for the rest."""
    if isinstance(error, BadSetting):
        return USAGE
    return AWAY if isinstance(error, Transient) else FAILED
