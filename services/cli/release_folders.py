"""Where releases are, for commands that are told an id or a path."""

import os
from pathlib import Path


def root_of(folder: Path | None) -> Path:
    """The folder of releases: the one that was named, else SEGUE_TRAINER_RELEASES."""
    from services.trainer.settings import trainer_settings

    return folder or Path(trainer_settings(os.environ).trainer.releases)


def folder_of(release: str, folder: Path | None) -> Path:
    """The folder of one release, named by its id or its path. Raises BadRelease when there is none."""
    from models.release import BadRelease

    inside = root_of(folder) / release
    for path in (inside, Path(release)):
        if path.is_dir():
            return path
    raise BadRelease(f"{inside}: no such folder; `segue releases list` shows what there is")
