"""What a tuning found, as a settings file."""

from services.evaluate.tuning import HALF_LIFE, Trial, Tuned


def settings_file(found: Tuned) -> str:
    """TOML that SEGUE_CONFIG, SEGUE_TRAINER_SETTINGS and `segue train --settings` read."""
    chosen = found.chosen
    lines = [
        f"# Found by `segue tune`: trial {chosen.number} of {len(found.trials)}, judged on {found.listener_weeks} "
        f"listener-weeks: {told(chosen)}.",
    ]
    if found.before is not None:
        lines.append(f"# The settings before: {told(found.before)}.")
    lines += ["# Use it: segue train --settings FILE, or SEGUE_TRAINER_SETTINGS=FILE segue trainer.", "", "[als]"]
    lines += [f"{name} = {plain(value)}" for name, value in chosen.settings.items() if name != HALF_LIFE]
    if HALF_LIFE in chosen.settings:
        lines += [
            "",
            "# The profiler, the scorer and outcomes must be given this one too, and the profiles be rebuilt.",
            "[taste]",
            f"{HALF_LIFE} = {plain(chosen.settings[HALF_LIFE])}",
        ]
    return "\n".join(lines) + "\n"


def told(trial: Trial) -> str:
    """Its worth in words."""
    return f"NDCG@100 {trial.worth.ndcg:.4f}, AUC {trial.worth.auc:.4f}"


def plain(value: float) -> str:
    """A number as TOML has it, in few digits."""
    return str(value) if isinstance(value, int) else f"{value:.6g}" if "." in f"{value:.6g}" else f"{value:.1f}"
