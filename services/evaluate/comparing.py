"""`segue compare` behind the command line."""

from pathlib import Path

from models.counts.contenders import CONTENDERS
from models.counts.data import NothingToCompare
from models.counts.result import Comparison
from models.counts.run import Plan, Progress, compare
from services.evaluate.counts import read_counts
from services.runtime.errors import Fatal


def chosen(names: str) -> tuple[str, ...]:
    """The models of a list with commas. Raises Fatal for one that does not exist."""
    found = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    unknown = [name for name in found if name not in CONTENDERS]
    if unknown or not found:
        what = f"no model {', '.join(map(repr, unknown))}" if unknown else "no model is named"
        raise Fatal(f"--models: {what}; there are {', '.join(CONTENDERS)}")
    return found


def run(path: Path, plan: Plan, progress: Progress) -> Comparison:
    """Read and compare. Raises Fatal: what cannot be read, or nothing that could be held out."""
    if not 0 < plan.share < 1:
        raise Fatal(f"--held-out {plan.share:g}: takes a share above 0 and below 1")
    try:
        return compare(read_counts(path), plan, progress)
    except NothingToCompare as error:
        raise Fatal(f"{path}: {error}") from error
