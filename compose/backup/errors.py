"""What can go wrong with a backup, as one tree.

BackupError
├── IncompleteError  none was made: what was to be copied is not whole, or there is no room
├── ChangingError    what was being copied changed; another try may succeed
├── DamagedError     a backup is not what was written
└── NewerError       a backup was written by later code than this
"""


class BackupError(Exception):
    """The root of all that can go wrong with a backup."""


class IncompleteError(BackupError):
    """No backup was made: what was to be copied is not whole, or could not be written."""


class ChangingError(BackupError):
    """What was being copied changed meanwhile; another try may succeed."""


class DamagedError(BackupError):
    """A backup is not what was written: a file is missing, cut off or changed."""


class NewerError(BackupError):
    """A backup was written by later code than this."""
