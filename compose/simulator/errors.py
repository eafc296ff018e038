"""What can go wrong in the simulator, as a tree.

SimulatorError
└── HistoryError   the history could not be brought into the stream
"""


class SimulatorError(Exception):
    """The root of what the simulator itself finds wrong."""


class HistoryError(SimulatorError):
    """The history did not arrive, or not all of it; a further run sends what is missing."""
