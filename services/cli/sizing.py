"""`segue bench size`: does a large history train within this machine's memory, and how fast?"""

from pathlib import Path
from typing import Annotated

import typer


def size(
    listens: Annotated[int, typer.Option(min=1_000, help="In the made-up past.")] = 20_000_000,
    listeners: Annotated[int, typer.Option(min=10, help="Whose they are.")] = 10_000,
    tracks: Annotated[int, typer.Option(min=1_000, help="That they are of.")] = 200_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same past.")] = 7,
    files: Annotated[
        list[Path] | None, typer.Option("--files", help="A log instead, in any format that import reads; several.")
    ] = None,
    check: Annotated[bool, typer.Option(help="With the rehearsal and the rankers, as the trainer does it.")] = False,
    rivals: Annotated[bool, typer.Option(help="Fit implicit alone on the same matrix too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, on standard output.")] = False,
) -> None:
    """Train on a made-up past: time, processor time and peak memory of each step; ALS beside implicit alone.

    SEGUE_ALS_*, SEGUE_NEIGHBOURS_* and SEGUE_TRAINER_* are the trainer's.

    Example: `segue bench size --listens 1000000 --listeners 2000 --tracks 100000 --json`
    """
    import os
    import sys
    import time

    from msgspec.json import encode
    from rich.console import Console

    from services.bench.past import Size
    from services.bench.show import show_size
    from services.bench.size import SizeBench, measure
    from services.trainer.settings import trainer_settings

    console = Console(stderr=as_json)
    options = SizeBench(Size(listens, listeners, tracks, seed), tuple(files or ()), check, rivals)
    found = measure(
        options, trainer_settings(os.environ).train(),
        lambda text: console.print(f"{time.strftime('%H:%M:%S')} {text}", highlight=False),
    )  # fmt: skip
    show_size(console, found)
    if as_json:
        sys.stdout.write(encode(found).decode() + "\n")
