"""`segue audio train | evaluate`: the networks that hear, taught by any labelled set, and how well they learn it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from models.audio.settings import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from rich.table import Table

    from models.audio.extract import Heard
    from models.audio.folder import Recording, Tell
    from models.audio.judge import Figure, Judged
    from models.audio.judge_release import Judged as ReleaseJudged
    from models.audio.settings import MelSettings, NetworkSettings

audio = typer.Typer(no_args_is_help=True, help="The networks that hear: teach them, judge them.")
Made = TypeVar("Made")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(audio, name="audio")


@audio.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Recordings: a folder a class, or with a CSV of labels.")],
    task: Annotated[Task | None, typer.Option(help="Which labels; else the first task that it has labels of.")] = None,
    labels: Annotated[Path | None, typer.Option(help="A CSV that says more; else one in the folder.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Of the cross-validation.")] = 5,
    pairs: Annotated[
        bool, typer.Option(help="Judge what a release has instead: its vectors of 2,304 and its pair network.")
    ] = False,
    original: Annotated[bool, typer.Option(help="The original work's network, log-mels and training.")] = False,
    crops: Annotated[
        int | None, typer.Option(min=1, help="That a network is taught with, in each fold; else as a release's.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of folds and networks.")] = 42,
    picture: Annotated[Path | None, typer.Option(help="Write the confusion matrix here, as SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Cross-validate a network on a labelled set; recordings of one group (a track, a pitch) are in one fold.

    Example: `segue audio evaluate ./recordings --task genre --json`
    """
    import msgspec
    from rich.console import Console

    from models.audio.folder import read_folder, tasks_of
    from models.audio.settings import ORIGINAL, ORIGINAL_MELS, MelSettings, taught
    from services.runtime.errors import Fatal

    if pairs and (original or picture):
        raise Fatal("--pairs judges a release's networks: it takes neither --original nor --picture")
    console = Console(stderr=True)
    found = read_folder(folder, task or "genre", labels, _teller(console))
    known = tasks_of(found)
    if not known or (task is not None and task not in known):
        raise Fatal(f"{folder}: no two classes of {task or 'any task'}; it has labels of: {', '.join(known) or 'none'}")
    mels = ORIGINAL_MELS if original else MelSettings()
    heard = [each for each in _heard(console, found, mels) if each[0].labels.get(task or known[0])]
    if pairs:
        _tell(_release_judged(console, heard, task or known[0], mels, folds, crops, seed), _show_release, as_json)
        return
    crops = ORIGINAL.crops if crops is None else crops
    network = taught(task or known[0], crops, seed)
    if original:
        network = msgspec.structs.replace(ORIGINAL, crops=crops, seed=seed)
    judged = _judged(console, heard, task or known[0], mels, folds, network)
    if picture:
        from services.evaluate.plots import confusion

        title = f"{judged.task}: true (rows), said (columns)"
        picture.write_text(confusion(title, judged.classes, judged.confusion), "utf-8")
    _tell(judged, _show, as_json)


@audio.command()
def train(
    folders: Annotated[list[Path], typer.Argument(help="Recordings: a folder a class, or with a CSV of labels.")],
    out: Annotated[Path, typer.Option(help="The folder to write the networks to.")],
    task: Annotated[Task, typer.Option(help="What the folders are classes of, where nothing else says so.")] = "genre",
) -> None:
    """Teach the three networks once, for a trainer to take ready: `SEGUE_AUDIO_NETWORKS=FOLDER`.

    Example: `segue audio train ./genres ./notes --out ./networks`
    """
    from rich.console import Console

    from models.audio.folder import read_folder
    from models.audio.settings import MelSettings
    from models.audio.teach import teach
    from services.runtime.steps import one_step
    from services.trainer.settings import trainer_settings

    settings = trainer_settings(os.environ).audio
    out.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    found = [each for folder in folders for each in read_folder(folder, task, None, _teller(console))]
    heard = _heard(console, found, MelSettings())
    with one_step(console, "Teaching the networks") as told:
        about = teach(
            [each for _, each in heard], [each.labels for each, _ in heard], out, MelSettings(), settings,
            os.cpu_count() or 1, told,
        )  # fmt: skip
    for name, classes in about.classes.items():
        console.print(f"{name}: {len(classes)} classes, {about.taught_with[name]} labelled recordings", highlight=False)


def _teller(console: "Console") -> "Tell":
    def tell(table: str, row: str, message: str) -> None:
        console.print(f"{table}: {row}: {message}", markup=False, highlight=False, soft_wrap=True)

    return tell


def _heard(console: "Console", found: "list[Recording]", mels: "MelSettings") -> "list[tuple[Recording, Heard]]":
    """Those that can be heard, by name; the others are named."""
    from models.audio.extract import hear
    from models.audio.problems import BadAudio
    from services.runtime.errors import Fatal
    from services.runtime.steps import one_step
    from services.trainer.settings import trainer_settings

    cache = trainer_settings(os.environ).audio.cache
    made: dict[int, Heard] = {}
    with one_step(console, f"Hearing {len(found)} recordings") as told:
        paths = [each.path for each in found]
        for at, heard in hear(paths, mels, Path(cache) if cache else None, 0, told):
            if isinstance(heard, BadAudio):
                console.print(f"left out: {heard}", markup=False, highlight=False)
            else:
                made[at] = heard
    if not made:
        raise Fatal("none of the recordings can be heard")
    return [(found[at], made[at]) for at in sorted(made)]


def _tell(judged: Made, show: "Callable[[Console, Made], None]", as_json: bool) -> None:
    import sys

    import msgspec
    from rich.console import Console

    if as_json:
        sys.stdout.write(msgspec.json.encode(judged).decode() + "\n")
    else:
        show(Console(), judged)


def _judged(
    console: "Console",
    heard: "list[tuple[Recording, Heard]]",
    task: str,
    mels: "MelSettings",
    folds: int,
    network: "NetworkSettings",
) -> "Judged":
    import numpy as np

    from models.audio.judge import Examples, judge
    from models.audio.teach import targets_of
    from services.runtime.steps import one_step

    _, classes, targets = targets_of([each.labels for each, _ in heard], task)
    examples = Examples(
        [made.mel for _, made in heard], np.asarray(targets), [each.group for each, _ in heard],
        [each.about.get("artist", "") for each, _ in heard],
    )  # fmt: skip
    with one_step(console, f"Learning {task}, {len(heard)} recordings, {folds} folds") as told:
        return judge(
            task, classes, examples, mels, network, folds, os.cpu_count() or 1, told,
        )  # fmt: skip


def _release_judged(
    console: "Console",
    heard: "list[tuple[Recording, Heard]]",
    task: str,
    mels: "MelSettings",
    folds: int,
    crops: int | None,
    seed: int,
) -> "ReleaseJudged":
    from msgspec.structs import replace

    from models.audio.judge_release import Labelled, judge
    from services.runtime.settings import load
    from services.runtime.steps import one_step
    from services.trainer.settings import TrainerSettings

    settings = replace(load(TrainerSettings, os.environ).audio, networks="", seed=seed)
    labelled = Labelled(
        [made for _, made in heard], [each.labels for each, _ in heard], [each.group for each, _ in heard],
        [each.about.get("artist", "") for each, _ in heard],
    )  # fmt: skip
    with one_step(console, f"Learning all there is of {len(heard)} recordings, {folds} folds") as told:
        return judge(
            task, labelled, mels, settings if crops is None else replace(settings, crops=crops), folds,
            os.cpu_count() or 1, told,
        )  # fmt: skip


def _show(console: "Console", made: "Judged") -> None:
    console.print(_table(made.task, made.figures))
    console.print(
        f"{made.recordings} recordings in {made.groups} groups, {len(made.classes)} classes, "
        f"{made.parameters:,} parameters, learned in {made.seconds:.0f} s",
        highlight=False,
    )


def _show_release(console: "Console", made: "ReleaseJudged") -> None:
    console.print(_table(f"nearest, {made.task}", made.near))
    console.print(_table("pairs", made.pairs) if made.pairs else "no fold has both pairs that are alike and others")
    console.print(f"{made.recordings} recordings, {made.folds} folds", highlight=False)


def _table(title: str, systems: "Mapping[str, Mapping[str, Figure]]") -> "Table":
    from rich.table import Table

    names = list(next(iter(systems.values())))
    table = Table(title, *names, box=None)
    for system, figures in systems.items():
        cells = [f"{figures[name].mean:.3f} ± {figures[name].std:.3f}" if name in figures else "" for name in names]
        table.add_row(system, *cells)
    return table
