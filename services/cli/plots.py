"""Plots that a measurement writes at its end."""

import os
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
