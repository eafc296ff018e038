"""What can go wrong here, as one tree.

CiError
├── ReleaseError      a release or a rollback did not happen
│   ├── RefusedError  it was not begun, so nothing was changed
│   └── AbortedError  it had begun; traffic is back where it was
└── PipelineError     the Jenkinsfile holds a step that is not plain to read
"""


class CiError(Exception):
    """The root of all errors of this package."""


class ReleaseError(CiError):
    """A release or a rollback did not happen."""


class RefusedError(ReleaseError):
    """It was not begun, so nothing was changed."""


class AbortedError(ReleaseError):
    """It had begun and was given up; traffic is back where it was."""


class PipelineError(CiError):
    """The Jenkinsfile holds a step that is not plain to read."""
