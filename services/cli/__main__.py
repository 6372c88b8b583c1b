"""`segue`: one command for everything. Each command imports what it needs when it runs, so --help is quick."""

import os
import sys

import typer

from services.cli import (
    audio,
    auditing,
    benching,
    checking,
    comparing,
    dead,
    demo,
    evaluating,
    listening,
    loading,
    lyrics,
    playlist,
    releases,
    reporting,
    running,
    similar,
    simulating,
    topics,
    tuning,
)

app = typer.Typer(
    name="segue",
    help="Segue: a listen goes in, milliseconds later a fresh list of recommendations comes out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
MODULES = (
    demo, running, loading, simulating, listening, releases, evaluating, comparing, tuning, reporting, topics, checking,
    benching, auditing, dead, lyrics, similar, playlist, audio,
)  # fmt: skip
for module in MODULES:
    module.register(app)


def main() -> None:
    """Run the command line; known troubles end in a line on standard error, not in a traceback."""
    try:
        app(prog_name="segue")  # also under `python -m`
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from services.cli.errors import KNOWN, exit_code  # what raises them is heavy, and mostly nothing is raised

        if not isinstance(error, KNOWN):
            raise
        text = f"segue: {error}"
        typer.echo(text if os.environ.get("NO_COLOR") else typer.style(text, fg=typer.colors.RED), err=True)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
