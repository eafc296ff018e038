"""A version's manifest as a page for people."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from trainer.data.likes import FEW
from trainer.versions.manifest import Figure, Figures, Manifest

COLUMNS = (
    "validation_ndcg20",
    "ndcg20",
    "recall20",
    "map20",
    "coverage20",
    "novelty20",
    "gini20",
    "rmse",
    "mae",
)


JUDGED = ("model", "fold_in", "people", "lately")
"""The sources that are judged by what they add to what is popular."""


def report(manifest: Manifest) -> str:
    """What was trained on which data, how good it is beside the others, what the gate said."""
    return "\n".join(
        [
            f"version    {manifest.version}",
            f"data       {_data(manifest.data)}",
            f"parameters {_parameters(manifest.parameters)}",
            *_data_report(manifest.data.get("report", {})),
            f"code       {_code(manifest.code['git_commit'])}",
            "",
            *_choice(manifest),
            *_table(manifest.figures),
            "",
            *_gains(manifest.figures),
            *_segments(manifest.figures),
            *_learning(manifest.figures),
            *_served("new people", manifest.figures.get("newcomers", {})),
            *_served("known people", manifest.figures.get("known_people", {})),
            *_sources(manifest.sources),
            *_left_out(manifest),
            *_lists(manifest),
            f"gate       {manifest.gate['verdict'].upper()}: {manifest.gate['reason']}",
        ]
    )


def _data(data: Mapping[str, object]) -> str:
    return (
        f"{data['interactions']:,} interactions, {data['users']:,} users,"
        f" {data['movies']:,} movies, {data['first_time']} to {data['last_time']}"
    )


def _code(commit: str) -> str:
    """Plain `docker compose` builds, too, and tells the image nothing of git."""
    if commit != "unknown":
        return commit
    return "unknown: its image was built without `make`, or of a folder that names no commit"


def _data_report(report: Mapping[str, Any]) -> list[str]:
    if not report:
        return []
    per_user = report["per_user"]
    counts = (
        f"           {report['ratings']:,} rated, {report['viewings_unrated']:,} only watched,"
        f" density {report['density']:.2%}; {per_user['least']:.0f} to {per_user['most']:,.0f}"
        f" a user, half have {per_user['median']:.0f} or more"
    )
    lines = [counts]
    if "drift" in report:
        lines.append(
            f"           since the last version: {report['users_unseen']:.1%} of the users and"
            f" {report['movies_unseen']:.1%} of the movies new, drift {report['drift']:.3f}"
        )
    lines += [f"NOTE       {note}" for note in report.get("notes", [])]
    return [*lines, *(f"ALARM      {alarm}" for alarm in report["alarms"])]


def _parameters(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "none"


def _choice(manifest: Manifest) -> list[str]:
    """Who could be judged, and what was better than what."""
    choice = manifest.figures.get("choice", {})
    if not choice:
        return []
    others = [(name, its) for name, its in choice.items() if name.startswith("over_")]
    validated, tested = (its["judged_users"]["value"] for its in (choice, manifest.figures))
    return [
        f"judged     by {validated:,} people on validation and {tested:,} on test",
        f"chosen     {manifest.algorithm}, of which validation expects most",
        *(f"{_compared(its):<10} {name[5:]}: {_cell(its)} NDCG@20 over it" for name, its in others),
        "",
    ]


def _compared(gain: Figure) -> str:
    return "better" if gain["low"] > 0 else "unsure"


def _table(figures: Figures) -> list[str]:
    live = {"live": figures["live"]} if figures.get("live") else {}
    ranked = {name: its for name, its in figures["algorithms"].items() if "ndcg20" in its} | live
    columns = [column for column in COLUMNS if any(column in its for its in ranked.values())]
    rows = [[name, *(_cell(its.get(column)) for column in columns)] for name, its in ranked.items()]
    return _aligned([["algorithm", *columns], *rows])


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    interval = f" ({figure['low']:.4f} to {figure['high']:.4f})" if "low" in figure else ""
    return f"{figure['value']:.4f}{interval}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: list[str], widths: list[int]) -> Iterable[str]:
    return (cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _segments(figures: Figures) -> list[str]:
    return [
        f"for        {name.replace('_', ' ')}: {_cell(figure)} NDCG@20"
        for name, figure in figures.get("segments", {}).items()
    ]


def _gains(figures: Figures) -> list[str]:
    return [
        f"gain       {name.replace('_', ' ')}: {_cell(figure)} NDCG@20"
        for name, figure in figures.get("gains", {}).items()
    ]


def _learning(figures: Figures) -> list[str]:
    return [
        f"learned    from {int(number):,} interactions: {_cell(its)} NDCG@20 on validation"
        for number, its in figures.get("learning", {}).items()
    ]


def _served(whom: str, figures: Figures) -> list[str]:
    """By how much they did: what each source is worth to them, and what they are served."""
    return [
        f"{whom} after {number}: {its['people_judged']['value']} judged; popular"
        f" {its['popular']['value']:.4f}, over counts {_cell(its.get('popular_gain'))}; over it"
        f" {_gains_of_sources(its)}"
        for number, its in figures.items()
    ]


def _gains_of_sources(its: Figures) -> str:
    gains = {name: its[f"{name}_gain"] for name in JUDGED if name in its}
    if "gain" in its:
        gains["what is asked"] = its["gain"]
    return "; ".join(f"{name.replace('_', ' ')} {_cell(gain)}" for name, gain in gains.items())


def _left_out(manifest: Manifest) -> list[str]:
    """Which sources are asked for nobody, and why."""
    asked = {name for names in manifest.sources.values() for name in names}
    figures = manifest.figures
    groups = [figures.get(name, {}) for name in ("newcomers", "known_people")]
    told = [its for group in groups for its in group.values()]
    judged = {name for its in told if its["people_judged"]["value"] >= FEW for name in its}
    by_few = {name for its in told for name in its} - judged
    return [
        f"left out   {name.replace('_', ' ')}: {_why_left_out(name, judged, by_few)}"
        for name in JUDGED
        if told and name not in asked
    ]


def _why_left_out(name: str, judged: Container[str], by_few: Container[str]) -> str:
    if name in judged:
        return "no better than what is asked"
    return f"judged by fewer than {FEW} people" if name in by_few else "could not be judged"


def _lists(manifest: Manifest) -> list[str]:
    """Whose lists were computed ahead, and what becomes of the others."""
    its = manifest.figures.get("lists")
    if not its:
        return []
    whose = f"{its['people']['value']:,} of {manifest.data['users']:,} people"
    days = f"{its['active_days']['value']:g} days before the newest event"
    why = f"active in the {days}, and the model is asked for them; others are scored when they come"
    return [f"lists      of {whose}: {why}"]


def _sources(sources: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        *(
            f"asked      from {number} events on: {', '.join(names).replace('_', ' ')}"
            for number, names in sources.items()
        ),
        "           what gains over popular beyond noise, corrected for the numbers looked at",
    ]
