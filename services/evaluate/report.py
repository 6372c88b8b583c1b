"""An evaluation as one HTML page that needs nothing else: no script, no font, no image from elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

import msgspec

from models.evaluation.bootstrap import Figure
from models.evaluation.result import Evaluation
from models.evaluation.settings import Settings
from models.evaluation.systems import SERVED
from services.evaluate.plots import intervals, points

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #1e293b }
table { border-collapse: collapse; font-size: 12px; display: block; overflow-x: auto }
td, th { padding: 3px 8px; text-align: right; border-bottom: 1px solid #e2e8f0; white-space: nowrap }
td:first-child, th:first-child { text-align: left }
tr.served { font-weight: bold }
small { color: #64748b; font-weight: normal }
svg { max-width: 100%; height: auto }
pre { font-size: 12px; background: #f1f5f9; padding: 1em; overflow-x: auto }
"""
PLOTTED = ("ndcg@100", "rep_ndcg@100", "exp_ndcg@100", "unseen_ndcg@100")
GUESSED = ("hr@20", "mrr@20")
APART = ("ndcg@100", "exp_ndcg@100", "hr@20")


def report(found: Evaluation, settings: Settings) -> str:
    """The page."""
    body = "\n".join((*_head(found), *_plots(found), *_tables(found), *_settings(settings)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Segue: evaluation</title>'
        f"<style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _head(found: Evaluation) -> Iterator[str]:
    counts = found.counts
    weeks = ", ".join(f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d %H:%M}" for start in counts.windows)
    yield "<h1>Evaluation</h1>"
    yield (
        f"<p>{counts.listens:,} listens of {counts.tracks:,} tracks by {counts.listeners:,} listeners. "
        f"{len(counts.windows)} windows of a week, from {weeks} (UTC), each after a fit on what came before it; "
        f"{counts.listener_weeks:,} listener-weeks and {counts.guesses:,} plays to guess. "
        "Ranking is over all tracks. Lines are 95 % intervals that redraw listeners.</p>"
    )


def _plots(found: Evaluation) -> Iterator[str]:
    systems = found.figures
    yield "<h2>A week ahead</h2>"
    yield intervals("A week ahead", _panels(systems, PLOTTED), SERVED)
    yield "<h2>Next track</h2>"
    yield intervals("Next track", _panels(systems, GUESSED), SERVED)
    ages = {"fresh": "", **{name.split("_")[1]: name.removesuffix("hr@20") for name in _stale(found)}}
    if len(ages) > 1:
        yield "<h3>Served, by the age of the profile</h3>"
        served = systems[SERVED]
        yield intervals("By the age of the profile", {
            metric: {age: served[prefix + metric] for age, prefix in ages.items()} for metric in GUESSED
        })  # fmt: skip
    if found.differences:
        yield "<h2>Served minus the others, paired</h2>"
        yield intervals("Served minus the others", _panels(found.differences, APART), line=True)
    yield "<h2>Accuracy and coverage</h2>"
    yield points(
        "Accuracy and coverage",
        ("coverage@100", [found.values(name)["coverage@100"] for name in systems]),
        ("ndcg@100", [found.values(name)["ndcg@100"] for name in systems]),
        list(systems),
    )


def _panels(systems: dict[str, dict[str, Figure]], metrics: tuple[str, ...]) -> dict[str, dict[str, Figure]]:
    return {metric: {name: columns[metric] for name, columns in systems.items()} for metric in metrics}


def _stale(found: Evaluation) -> list[str]:
    return [name for name in found.figures[SERVED] if name.startswith("stale_") and name.endswith("h_hr@20")]


def _tables(found: Evaluation) -> Iterator[str]:
    yield "<h2>Every figure</h2>"
    yield _table(found.figures, found.whole)
    if found.differences:
        yield "<h2>Every difference: served minus …</h2>"
        yield _table(found.differences, {})
    for system, sources in found.sources.items():
        yield f"<h2>{escape(system)}: each source's share of the places and of the hits</h2>"
        yield _table(sources, {})


def _table(systems: dict[str, dict[str, Figure]], whole: dict[str, dict[str, float]]) -> str:
    """A row a metric, a column a system."""
    names = list(systems)
    metrics = list(dict.fromkeys(metric for columns in systems.values() for metric in columns))
    head = "<tr><th></th>" + "".join(f"<th>{escape(name)}</th>" for name in names) + "</tr>"
    rows = [_row(metric, [_cell(systems[name].get(metric)) for name in names]) for metric in metrics]
    rest = [_row(metric, [f"{whole[name][metric]:.4f}" for name in names]) for metric in next(iter(whole.values()), {})]
    return f"<table>{head}{''.join((*rows, *rest))}</table>"


def _row(name: str, cells: list[str]) -> str:
    return f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _cell(figure: Figure | None) -> str:
    if figure is None or not figure.n:
        return "–"
    return f"{figure.mean:.4f}<br><small>{figure.low:.4f} to {figure.high:.4f}</small>"


def _settings(settings: Settings) -> Iterator[str]:
    yield "<h2>Settings</h2>"
    yield f"<pre>{escape(msgspec.json.format(msgspec.json.encode(settings), indent=2).decode())}</pre>"
