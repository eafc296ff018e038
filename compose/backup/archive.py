"""One folder as one tar file, with owners, modes and links, and back."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from compose.backup.errors import ChangingError, DamagedError


def pack(source: Path, archive: Path, leave_out: Callable[[PurePosixPath], bool]) -> None:
    """Write all of a folder that is not left out, asked by its path below the folder.

    Raises:
        ChangingError: a file went away or shrank while it was being read.
        OSError: it could not be read or written.
    """

    def chosen(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if leave_out(PurePosixPath(member.name)) else member

    with (
        os.fdopen(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        try:
            tar.add(source, arcname=".", filter=chosen)
        except FileNotFoundError as error:
            raise ChangingError(f"{error.filename} went away while it was being copied") from error
        except OSError as error:
            if "unexpected end of data" in str(error):
                raise ChangingError(f"a file in {source} shrank while it was copied") from error
            raise


def unpack(archive: Path, target: Path) -> None:
    """Write the files back with the owners that they had.

    Raises:
        DamagedError: it is no archive, or holds what is no file or leads out of the folder.
        OSError: it could not be written.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            tar.extractall(target, numeric_owner=True, filter=_with_owner)  # noqa: S202 -- filtered
    except tarfile.TarError as error:
        raise DamagedError(f"{archive}: {' '.join(str(error).split())}") from error


def _with_owner(member: tarfile.TarInfo, target: str) -> tarfile.TarInfo:
    """A member as it may be written; the filter that refuses most would forget its owner."""
    tarfile.data_filter(member, target)
    return tarfile.tar_filter(member, target)
