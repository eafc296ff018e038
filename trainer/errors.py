"""Everything that can go wrong in training a model or reading one, as one tree.

TrainerError
├── VersionError                a version directory cannot be used or made
│   ├── DamagedVersionError     something in it is missing, cut or changed
│   ├── NewerVersionError       it was written by a later schema than this code reads
│   └── ExistingVersionError    there is one of that name already
├── NoDataError                 there is nothing to train on
├── UnsuitableDataError         an algorithm cannot be fitted to this data
├── TrainingRunningError        another training holds the lock
├── VolumeError                 a volume did not take what had to be written
├── DatabaseError               PostgreSQL did not give or take what was asked
├── PinningError                git or DVC would not keep a version
├── ReproductionError           a version cannot be made again
└── TrainingDiedError           the process that trained ended without a result
"""


class TrainerError(Exception):
    """The root: its message is one line for people."""


class VersionError(TrainerError):
    """A version directory cannot be used or made."""


class DamagedVersionError(VersionError):
    """Something in a version directory is missing, cut or changed."""


class NewerVersionError(VersionError):
    """A version directory was written by a later schema than this code reads."""


class ExistingVersionError(VersionError):
    """There is a version of that name already."""


class NoDataError(TrainerError):
    """There is nothing to train on."""


class UnsuitableDataError(TrainerError):
    """An algorithm cannot be fitted to this data: too much of it, or none that it uses."""


class TrainingRunningError(TrainerError):
    """Another training holds the lock."""


class TrainingDiedError(TrainerError):
    """The process that trained ended without a result."""


class VolumeError(TrainerError):
    """A volume did not take what had to be written: it is full, read-only or damaged."""


class DatabaseError(TrainerError):
    """PostgreSQL did not give or take what was asked of it."""


class PinningError(TrainerError):
    """git or DVC would not do what was asked of them; the message has their reason."""


class ReproductionError(TrainerError):
    """A version cannot be made again: its data or its recipe is not there."""
