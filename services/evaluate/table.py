"""How an evaluation looks on a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.evaluation.bootstrap import Figure
from models.evaluation.protocol import DEPTH
from models.evaluation.protocol import NEXT as NEXT_DEPTH
from models.evaluation.result import Evaluation
from models.evaluation.shares import HITS, PLACES
from models.evaluation.systems import SERVED, WITHOUT

WEEKLY = (
    "ndcg@10", "ndcg@100", "recall@100", "rep_ndcg@100", "exp_ndcg@100", "unseen_ndcg@100", "coverage@100",
    "share_new@10",
)  # fmt: skip
NEXT = ("hr@20", "mrr@20", "repeat_hr@20", "repeat_mrr@20", "new_hr@20", "new_mrr@20")
APART = ("ndcg@100", "rep_ndcg@100", "exp_ndcg@100", "unseen_ndcg@100", "hr@20")


def table(found: Evaluation) -> RenderableType:
    """Weekly lists, next track, stale profiles, and how far the served lists are from everything else."""
    counts = found.counts
    parts: list[RenderableType] = [
        Text(
            f"{counts.listens:,} listens of {counts.listeners:,} listeners; {len(counts.windows)} weeks, "
            f"{counts.listener_weeks:,} listener-weeks, {counts.guesses:,} plays to guess; below: 95 % intervals"
        ),
        _figures("a week ahead", found, WEEKLY),
        _figures("next track", found, NEXT),
        _stale(found),
    ]
    if found.differences:
        parts.append(_apart(found))
    parts += [_sources(system, of) for system, of in found.sources.items() if not system.startswith(WITHOUT)]
    return Group(*_spaced(parts))


def _spaced(parts: list[RenderableType]) -> Iterator[RenderableType]:
    for part in parts:
        yield part
        yield Text()


def _figures(title: str, found: Evaluation, metrics: tuple[str, ...]) -> Table:
    shown = plain_table(title, metrics)
    for system, columns in found.figures.items():
        whole = found.whole.get(system, {})
        cells = [_cell(columns[name]) if name in columns else f"{whole[name]:.3f}" for name in metrics]
        shown.add_row(system, *cells, style="bold" if system == SERVED else "")
    return shown


def _stale(found: Evaluation) -> Table:
    """The served lists from profiles of different ages."""
    served = found.figures[SERVED]
    ages = dict.fromkeys(name.split("_")[1] for name in served if name.startswith("stale_"))
    shown = plain_table("next track, served from a profile that is", NEXT)
    for age, prefix in (("fresh", ""), *((f"{age} old", f"stale_{age}_") for age in ages)):
        shown.add_row(age, *(_cell(served[prefix + name]) for name in NEXT))
    return shown


def _apart(found: Evaluation) -> Table:
    shown = plain_table("served minus …", APART)
    for system, columns in found.differences.items():
        shown.add_row(system, *(sure(columns[name]) for name in APART))
    return shown


def _sources(system: str, of: dict[str, dict[str, Figure]]) -> Table:
    """Which source brought the tracks and the hits, the one with most hits first."""
    metrics = tuple(f"{which}@{depth}" for depth in (DEPTH, NEXT_DEPTH) for which in (PLACES, HITS))
    shown = plain_table(f"{system}, by source", metrics)
    nothing = Figure(0.0, 0.0, 0.0, 0)
    for source, columns in sorted(of.items(), key=lambda each: -each[1].get(metrics[1], nothing).mean):
        shown.add_row(source, *(_cell(columns.get(name, nothing)) for name in metrics))
    return shown


def plain_table(title: str, metrics: tuple[str, ...]) -> Table:
    """A column of names, one a metric, no lines."""
    made = Table(title, box=None, padding=(0, 1))
    for name in metrics:
        made.add_column(name, justify="right")
    return made


def _cell(figure: Figure) -> str:
    return f"{figure.mean:.3f}\n{figure.low:.3f}–{figure.high:.3f}" if figure.n else "–"


def sure(figure: Figure, digits: int = 3) -> Text:
    """Coloured only when the whole interval is on one side."""
    style = "green" if figure.low > 0 else "red" if figure.high < 0 else ""
    mean, low, high = (f"{value:+.{digits}f}" for value in (figure.mean, figure.low, figure.high))
    return Text(f"{mean}\n{low} {high}", style)
