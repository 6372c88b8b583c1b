"""The report's plots, as SVG that needs nothing else."""

import io
import re
from collections.abc import Mapping, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from models.evaluation.bootstrap import Figure

OURS, OTHERS = "#c2410c", "#475569"


def intervals(title: str, panels: Mapping[str, Mapping[str, Figure]], ours: str = "", line: bool = False) -> str:
    """One panel a metric, one row a system: the mean and its interval. `line`: mark 0."""
    names = list(next(iter(panels.values())))
    canvas = Canvas(figsize=(3.1 * len(panels) + 1.6, 0.27 * len(names) + 0.9), layout="constrained")
    axes = canvas.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axis, (metric, systems) in zip(axes, panels.items(), strict=True):
        for at, name in enumerate(names):
            figure, colour = systems[name], OURS if name == ours else OTHERS
            axis.plot([figure.low, figure.high], [at, at], color=colour, linewidth=1.5)
            axis.plot([figure.mean], [at], "o", color=colour, markersize=4.5)
        axis.set_title(metric, fontsize=10)
        axis.grid(axis="x", alpha=0.25)
        axis.tick_params(labelsize=8)
        axis.margins(y=0.04)
        if line:
            axis.axvline(0, color="#94a3b8", linewidth=0.8)
        else:
            axis.set_xlim(left=0)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    return svg(canvas, title)


def points(
    title: str, across: tuple[str, Sequence[float]], up: tuple[str, Sequence[float]], names: Sequence[str]
) -> str:
    """One named point a system."""
    canvas = Canvas(figsize=(7, 4.2), layout="constrained")
    axis = canvas.subplots()
    for at, (x, y, name) in enumerate(zip(across[1], up[1], names, strict=True)):
        axis.plot([x], [y], "o", color=OTHERS if at else OURS)
        axis.annotate(name, (x, y), xytext=(4, 4), textcoords="offset points", fontsize=8)
    axis.set_xlabel(across[0])
    axis.set_ylabel(up[0])
    axis.grid(alpha=0.25)
    axis.margins(0.12)
    return svg(canvas, title)


def confusion(title: str, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """True classes down, said ones across; a square is as dark as its share of its row."""
    size = 0.55 * len(classes) + 1.8
    canvas = Canvas(figsize=(size, size), layout="constrained")
    axis = canvas.subplots()
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    axis.imshow(shares, cmap="Oranges", vmin=0.0, vmax=1.0)
    for down, row in enumerate(counts):
        for across, count in enumerate(row):
            if count:
                colour = "white" if shares[down][across] > 0.6 else "black"
                axis.text(across, down, str(count), ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(len(classes)), classes, rotation=45, ha="right", fontsize=8)
    axis.set_yticks(range(len(classes)), classes, fontsize=8)
    axis.set_title(title, fontsize=10)
    return svg(canvas, title)


def svg(canvas: Canvas, title: str) -> str:
    """Inline SVG: text stays text, and the same figures give the same bytes."""
    out = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        canvas.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawn = out.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL).replace(
        "<svg ", f'<svg role="img" aria-label="{title}" ', 1
    )
