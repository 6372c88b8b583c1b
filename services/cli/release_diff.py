"""`segue releases diff`: what changed between two releases."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from services.trainer.differences import Change, Difference


def diff(
    before: Annotated[str, typer.Argument(help="The earlier release: its id, or the path of its folder.")],
    after: Annotated[str, typer.Argument(help="The later one.")],
    folder: Annotated[Path | None, typer.Option(help="Where releases are; else SEGUE_TRAINER_RELEASES.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output, not a table.")] = False,
) -> None:
    """Show what changed from one release to another: settings, figures, catalogue, sizes.

    Example: `segue releases diff 20260101-120000-000 20260102-120000-000 --json`
    """
    import sys

    import msgspec
    from rich.console import Console

    from services.cli.release_folders import folder_of
    from services.trainer.differences import difference

    found = difference(folder_of(before, folder), folder_of(after, folder))
    if as_json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
        return
    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(_table(found))


def _table(found: "Difference") -> "Table":
    from rich.table import Table

    table = Table("", "what", found.before, found.after, "", box=None)
    for name, change in (("listens", found.listens), ("listeners", found.listeners)):
        _row(table, "size", name, change)
    tracks = found.catalogue
    table.add_row("tracks", "in all", f"{tracks.before:,}", f"{tracks.after:,}", f"+{tracks.added:,} −{tracks.gone:,}")
    table.add_row("tracks", "of the 100 most popular, in both", "", f"{tracks.top_both}", "")
    for kind, changes in (
        ("setting", found.settings), ("version", found.versions), ("metric", found.metrics), ("bytes", found.files),
    ):  # fmt: skip
        for name, change in changes.items():
            _row(table, kind, name, change)
    return table


def _row(table: "Table", kind: str, name: str, change: "Change") -> None:
    one, two = change.before, change.after
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, two))
    apart = f"{two - one:+,.4g}" if numbers and one != two else ""
    table.add_row(kind, name, _told(one), _told(two), apart)


def _told(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
