"""What a tuning found, as one HTML page with plots that needs nothing else."""

from html import escape

from matplotlib.figure import Figure as Canvas

from services.evaluate.plots import OTHERS, OURS, svg
from services.evaluate.report import STYLE
from services.evaluate.tuned import plain, settings_file, told
from services.evaluate.tuning import Tuned, front


def page(found: Tuned) -> str:
    """Every trial drawn, and in a table."""
    body = "\n".join(
        (
            "<h1>Tuning of ALS</h1>",
            f"<p>{len(found.trials)} trials, each judged on {found.listener_weeks} listener-weeks by full ranking. "
            f"To use: trial {found.chosen.number}, {told(found.chosen)}.</p>",
            "<h2>Both aims</h2>",
            _aims(found),
            "<h2>As it went on</h2>",
            _course(found),
            "<h2>Each setting</h2>",
            _settings(found),
            "<h2>Trials</h2>",
            _table(found),
            "<h2>The settings file</h2>",
            f"<pre>{escape(settings_file(found))}</pre>",
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Segue: tuning</title>'
        f"<style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _aims(found: Tuned) -> str:
    canvas = Canvas(figsize=(7, 4.2), layout="constrained")
    axis = canvas.subplots()
    axis.plot([t.worth.auc for t in found.trials], [t.worth.ndcg for t in found.trials], "o", color=OTHERS, alpha=0.5)
    best = front(found.trials)
    axis.plot([t.worth.auc for t in best], [t.worth.ndcg for t in best], "-", color=OTHERS, linewidth=1)
    for trial, name in ((found.chosen, "to use"), (found.before, "before")):
        if trial is not None:
            axis.plot([trial.worth.auc], [trial.worth.ndcg], "o", color=OURS)
            axis.annotate(name, (trial.worth.auc, trial.worth.ndcg), xytext=(5, 5), textcoords="offset points")
    axis.set_xlabel("full AUC")
    axis.set_ylabel("NDCG@100")
    axis.grid(alpha=0.25)
    return svg(canvas, "Both aims")


def _course(found: Tuned) -> str:
    canvas = Canvas(figsize=(7, 3), layout="constrained")
    axis = canvas.subplots()
    numbers, values = [t.number for t in found.trials], [t.worth.ndcg for t in found.trials]
    axis.plot(numbers, values, "o", color=OTHERS, alpha=0.5)
    axis.step(numbers, [max(values[: at + 1]) for at in range(len(values))], where="post", color=OURS)
    axis.set_xlabel("trial")
    axis.set_ylabel("NDCG@100, and the best so far")
    axis.grid(alpha=0.25)
    return svg(canvas, "As it went on")


def _settings(found: Tuned) -> str:
    names = list(found.chosen.settings)
    canvas = Canvas(figsize=(2.6 * len(names), 2.8), layout="constrained")
    axes = canvas.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        axis.plot([t.settings[name] for t in found.trials], [t.worth.ndcg for t in found.trials], "o", color=OTHERS,
                  alpha=0.5, markersize=4)  # fmt: skip
        axis.plot([found.chosen.settings[name]], [found.chosen.worth.ndcg], "o", color=OURS)
        if name != "iterations":
            axis.set_xscale("log")
        axis.set_title(name, fontsize=10)
        axis.tick_params(labelsize=8, which="both")
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("NDCG@100")
    return svg(canvas, "Each setting")


def _table(found: Tuned) -> str:
    names = list(found.chosen.settings)
    head = "".join(f"<th>{name}</th>" for name in ("trial", "ndcg@100", "auc", *names))
    rows = [
        f"<tr{' class=served' if trial.number == found.chosen.number else ''}><td>{trial.number}</td>"
        f"<td>{trial.worth.ndcg:.4f}</td><td>{trial.worth.auc:.4f}</td>"
        + "".join(f"<td>{plain(trial.settings[name])}</td>" for name in names)
        + "</tr>"
        for trial in sorted(found.trials, key=lambda each: -each.worth.ndcg)
    ]
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
