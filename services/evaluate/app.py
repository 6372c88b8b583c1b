"""`segue evaluate` behind the command line: judge, then write what was asked for."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from models.evaluation.protocol import NothingToJudge
from models.evaluation.result import Evaluation
from models.evaluation.run import evaluate
from models.evaluation.settings import Settings
from models.fitted import Progress
from services.evaluate.lists import next_lists, weekly_lists
from services.evaluate.settings import Outputs
from services.runtime.errors import Fatal
from services.runtime.files import write_private, write_whole


def prove_writable(outputs: Outputs) -> None:
    """Raise Fatal when an output cannot be written: before minutes of work, not after."""
    for path in (outputs.lists, outputs.html):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise Fatal(f"{path}: cannot be written there: it is a folder, or its folder does not exist")
    if outputs.html is not None:
        try:
            import matplotlib  # noqa: F401 - asked for only with --html
        except ModuleNotFoundError as error:
            raise Fatal("--html needs matplotlib: pip install 'segue[evaluate]'") from error


def run(
    listens: pl.DataFrame, tracks: pl.DataFrame, settings: Settings, outputs: Outputs, progress: Progress
) -> Evaluation:
    """Judge, and write the outputs. Raises Fatal (nothing can be judged), BadSources."""
    with TemporaryDirectory(prefix="segue-evaluate-") as scratch:
        try:
            found, served = evaluate(listens, tracks, Path(scratch), settings, progress)
        except NothingToJudge as error:
            raise Fatal(str(error)) from error
    if outputs.lists is not None and outputs.next_lists is not None:
        write_private(outputs.lists, weekly_lists(served, tracks, outputs.users).write_parquet)
        write_private(outputs.next_lists, next_lists(served, tracks, outputs.users).write_parquet)
    if outputs.html is not None:
        from services.evaluate.report import report  # with the library that draws

        page = report(found, settings)
        write_whole(outputs.html, lambda path: path.write_text(page, encoding="utf-8"))
    return found
