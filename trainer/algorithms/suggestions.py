"""Configurations around a usual one, for a search: numbers from ranges, by their logarithm."""

from dataclasses import replace
from typing import Any, Protocol


class Suggestions(Protocol):
    """What a search offers: numbers between two (an optuna trial)."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """Suggest a real number, low <= number <= high, for the parameter `name`."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """Suggest an integer, low <= integer <= high, for the parameter `name`."""
        ...


def suggested[Configuration: Any](
    trial: Suggestions, usual: Configuration, **ranges: tuple[float, float]
) -> Configuration:
    """The usual configuration with other numbers: whole ones where a range's ends are whole."""
    chosen = {name: _number(trial, name, *span) for name, span in ranges.items()}
    return replace(usual, **chosen)


def _number(trial: Suggestions, name: str, low: float, high: float) -> float:
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high, log=True)
    return trial.suggest_float(name, low, high, log=True)
