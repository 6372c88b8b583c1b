"""How a comparison on counts looks on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.counts.result import NAMES, RIVAL, Comparison, Over
from models.evaluation.bootstrap import Figure
from services.evaluate.table import plain_table, sure

APART = tuple(name for name in NAMES if name != "auc_truncated@10")


def counts_table(found: Comparison) -> RenderableType:
    """Figures with their intervals over splits; how far from EASE, over splits and over listeners; what was skipped."""
    counts, plan = found.counts, found.plan
    parts: list[RenderableType] = [
        Text(
            f"{counts.pairs:,} counts of {counts.listeners:,} listeners and {counts.items:,} items; "
            f"{plan['seeds']} splits by chance, {plan['share']:.0%} of each listener's items held out, "
            f"{counts.judged:,} listeners judged; below: 95 % intervals over splits"
        ),
        Text(),
        _figures(found),
    ]
    if found.differences:
        parts += [Text(), _apart(found), Text(), _by_listener(found)]
    parts += [Text(f"{name}: skipped, {why}", "yellow") for name, why in found.skipped.items()]
    return Group(*parts)


def _figures(found: Comparison) -> Table:
    shown = plain_table("held-out items, ranked among all", (*NAMES, "seconds"))
    for model, figures in found.figures.items():
        cells = [_cell(figures[name]) for name in NAMES]
        shown.add_row(model, *cells, f"{sum(found.seconds[model].values()):.0f}")
    return shown


def _apart(found: Comparison) -> Table:
    shown = plain_table(f"minus {RIVAL}, paired: other splits of these listeners", APART)
    for model, figures in found.differences.items():
        shown.add_row(model, *(_sure(figures[name]) for name in APART))
    return shown


def _by_listener(found: Comparison) -> Table:
    names = [name for name in APART if name in next(iter(found.listeners.values()))]
    shown = plain_table(f"minus {RIVAL}, paired: other listeners", tuple(names))
    for model, figures in found.listeners.items():
        shown.add_row(model, *(sure(figures[name]) for name in names))
    return shown


def _cell(figure: Over) -> str:
    return f"{figure.mean:.4f}" + ("" if figure.low is None else f"\n{figure.low:.4f}–{figure.high:.4f}")


def _sure(figure: Over) -> Text:
    if figure.low is None or figure.high is None:
        return Text(f"{figure.mean:+.4f}")
    return sure(Figure(figure.mean, figure.low, figure.high, 0), 4)
