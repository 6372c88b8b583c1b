"""How troubles end on the command line: one line that says what was wrong and what to do, and an exit code."""

from models.als.spark import NoSpark
from models.audio.about import NoNetworks
from models.audio.problems import BadAudio, BadFolder
from models.excluded import BadExclude
from models.lyrics.pick import UnknownTopic
from models.profile import BadProfile
from models.release import BadRelease
from models.sources.settings import BadSources
from schemas.errors import Poison
from services.local.errors import LocalError
from services.runtime.errors import Fatal, Transient
from services.runtime.settings import BadSetting

# A path that somebody gave; their texts name it.
PATHS = (FileNotFoundError, FileExistsError, PermissionError, NotADirectoryError, IsADirectoryError)
SETTINGS = (BadSetting, BadSources, BadExclude)
LEARNING = (NoNetworks, NoSpark, BadAudio, BadFolder)
KNOWN = (*SETTINGS, *PATHS, *LEARNING, Fatal, Transient, LocalError, BadRelease, BadProfile, UnknownTopic, Poison)

USAGE, AWAY, FAILED = 2, 69, 1  # 69: EX_UNAVAILABLE


def exit_code(error: BaseException) -> int:
    """2 for a wrong setting, 69 for a server that is away, 1 for the rest."""
    if isinstance(error, SETTINGS):
        return USAGE
    return AWAY if isinstance(error, Transient) else FAILED
