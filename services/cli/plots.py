"""Plots that a measurement writes at its end."""

import os
from collections.abc import Sequence
from pathlib import Path

import typer


def refuse_unwritable(plot: Path | None, option: str = "--plot") -> None:
    """To be called before what is drawn is measured: hours are lost where only the last line finds out.

    Raises BadParameter.
    """
    if plot is None:
        return
    if not plot.parent.is_dir():
        raise typer.BadParameter(f"{plot}: there is no folder {plot.parent}; make it first", param_hint=option)
    if plot.is_dir():
        raise typer.BadParameter(f"{plot} is a folder; name a file in it", param_hint=option)
    if not os.access(plot if plot.exists() else plot.parent, os.W_OK):
        raise typer.BadParameter(f"{plot} may not be written; name another file", param_hint=option)


def prove_drawable(picture: Path, option: str, inputs: Sequence[tuple[str, Path]] = ()) -> None:
    """The same of a picture that matplotlib draws, which must not replace an input. Raises BadParameter, Fatal."""
    from services.lyrics.drawing import prove_drawn
    from services.runtime.files import prove_apart

    refuse_unwritable(picture, option)
    prove_drawn()
    prove_apart(inputs, [(option, picture)])
