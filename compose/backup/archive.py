"""One folder as one tar file, with owners, modes and links, and back."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from compose.backup.errors import ChangingError


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
    """Write the files back with the owners that they had; what lies outside is refused.

    Raises:
        tarfile.FilterError: a member would be written outside of the folder.
        OSError: it could not be written.
    """
    with tarfile.open(archive) as tar:
        tar.extractall(target, numeric_owner=True, filter="tar")
