"""`segue`: one command for everything. Each command imports what it needs when it runs, so --help is quick."""

import sys

import typer

from services.cli import checking, demo, listening, loading, releases, running, simulating, topics

app = typer.Typer(
    name="segue",
    help="Segue: a listen goes in, milliseconds later a fresh list of recommendations comes out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for module in (demo, running, loading, simulating, listening, releases, topics, checking):
    module.register(app)


def main() -> None:
    """Run the command line; known troubles end in a line on standard error, not in a traceback."""
    from services.cli.errors import KNOWN, exit_code

    try:
        app()
    except KNOWN as error:
        typer.secho(f"segue: {error}", fg=typer.colors.RED, err=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
