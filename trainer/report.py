"""A version's manifest as a page for people."""

from collections.abc import Iterable, Mapping

from trainer.artifact import Manifest

COLUMNS = ("validation_ndcg20", "ndcg20", "recall20", "rmse", "mae")


def report(manifest: Manifest) -> str:
    """What was trained on which data, how good it is beside the others, what the gate said."""
    return "\n".join(
        [
            f"version    {manifest.version}",
            f"data       {_data(manifest.data)}",
            f"parameters {_parameters(manifest.parameters)}",
            f"code       {manifest.code['git_commit']}",
            "",
            *_table(manifest.figures),
            "",
            *_gains(manifest.figures),
            f"gate       {manifest.gate['verdict'].upper()}: {manifest.gate['reason']}",
        ]
    )


def _data(data: Mapping[str, object]) -> str:
    return (
        f"{data['interactions']:,} interactions, {data['users']:,} users,"
        f" {data['movies']:,} movies, {data['first_time']} to {data['last_time']}"
    )


def _parameters(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "none"


def _table(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    algorithms = [name.removeprefix("ndcg20_") for name in figures if _is_ranked(name)]
    rows = [
        [name, *(_cell(figures.get(f"{column}_{name}")) for column in COLUMNS)]
        for name in algorithms
    ]
    return _aligned([["algorithm", *COLUMNS], *rows])


def _is_ranked(name: str) -> bool:
    return name.startswith("ndcg20_") and not name.startswith("ndcg20_gain")


def _cell(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "-"
    interval = f" ({figure['low']:.4f} to {figure['high']:.4f})" if "low" in figure else ""
    return f"{figure['value']:.4f}{interval}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: list[str], widths: list[int]) -> Iterable[str]:
    return (cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _gains(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    prefix = "ndcg20_gain_over_"
    return [
        f"gain       over {name.removeprefix(prefix)}: {_cell(figure)} NDCG@20"
        for name, figure in figures.items()
        if name.startswith(prefix)
    ]
