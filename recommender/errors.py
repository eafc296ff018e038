"""Everything that can go wrong in serving, as one tree.

RecommenderError
├── UnfitModelError     a model version failed the self-test
├── NoReceiptError      there is no receipt of this id, or it is gone
└── SpoolFullError      receipts wait on the disk, as many as may
"""


class RecommenderError(Exception):
    """The root: its message is one line for people."""


class UnfitModelError(RecommenderError):
    """A model version gives an answer that must not be given."""


class NoReceiptError(RecommenderError):
    """There is no receipt of this id, or it is gone."""


class SpoolFullError(RecommenderError):
    """Receipts wait on the disk, as many as may."""
