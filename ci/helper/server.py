"""HTTP for whoever asks: `POST /VERB` with a token, and a tree where the verb takes one.

Each line that the verb prints is answered as it comes, behind a bar: `|like this`. Then follow
`exit STATUS` and an archive of the verb's results. What is refused is one line. A caller that goes
away ends its verb, but for one that outlives its caller.
"""

import hmac
import select
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket

from ci.helper.runner import Runner
from ci.helper.tree import LARGEST_TREE, TreeError, packed, unpack
from ci.helper.verbs import Verb

CALLER_SECONDS = 60
"""How long a caller may take for each piece that it sends or reads."""


@dataclass(frozen=True)
class Helper:
    """What a server needs: its verbs, where they run, and whom it obeys."""

    verbs: Mapping[str, Verb]
    runner: Runner
    folder: Path
    """Where commands run and leave their results, in `build`."""
    token_sha256: Callable[[], str]
    """The hash of the token that a caller must have, in hexadecimal digits."""


def server(helper: Helper, address: tuple[str, int]) -> ThreadingHTTPServer:
    """A server that listens and does not answer yet."""

    class BoundHandler(Handler):
        pass

    BoundHandler.helper = helper
    return ThreadingHTTPServer(address, BoundHandler)


class Handler(BaseHTTPRequestHandler):
    """One request on a connection of its own."""

    helper: Helper
    timeout = CALLER_SECONDS
    connection: socket

    def do_GET(self) -> None:
        """Say what can be asked for."""
        self._answer(HTTPStatus.OK, f"POST /VERB with a token: {', '.join(self.helper.verbs)}")

    def do_POST(self) -> None:
        """Do a verb, or refuse in one line."""
        name = self.path.removeprefix("/")
        verb = self.helper.verbs.get(name)
        if not self._may_ask():
            self._answer(HTTPStatus.FORBIDDEN, "the token is missing or another one")
        elif verb is None:
            known = ", ".join(self.helper.verbs)
            self._answer(
                HTTPStatus.NOT_FOUND, f"there is no verb {name[:40]!r}; there are: {known}"
            )
        elif (length := self._length()) is None:
            self._answer(
                HTTPStatus.BAD_REQUEST,
                f"say Content-Length, of at most {LARGEST_TREE} bytes and none without a tree",
            )
        else:
            with tempfile.TemporaryDirectory(prefix="tree-") as folder:
                self._do(verb, Path(folder), length)

    def _may_ask(self) -> bool:
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        offered = sha256(token.encode()).hexdigest()
        return hmac.compare_digest(offered, self.helper.token_sha256())

    def _length(self) -> int | None:
        """How much is sent; None where that is not said, or too much."""
        said = self.headers["Content-Length"] or ""
        if not said.isascii() or not said.isdigit() or len(said) > len(str(LARGEST_TREE)):
            return None
        return int(said) if int(said) <= LARGEST_TREE else None

    def _do(self, verb: Verb, tree: Path, length: int) -> None:
        try:
            with tempfile.TemporaryFile() as archive:
                self._receive(archive.write, length)
                archive.seek(0)
                if verb.takes_tree:
                    unpack(archive, tree)
        except (TreeError, OSError) as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error))
            return
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        with self.helper.runner.turn(self._tell, self._gone) as has_turn:
            if has_turn:
                self._run(verb, tree)

    def _receive(self, write: Callable[[bytes], object], length: int) -> None:
        while length > 0:
            piece = self.rfile.read(min(length, 1 << 16))
            if not piece:
                raise TreeError("the tree ends before its end")
            write(piece)
            length -= len(piece)

    def _run(self, verb: Verb, tree: Path) -> None:
        build = self.helper.folder / "build"
        empty(build)
        environment = {"MARQUEE_SOURCE": str(tree)} if verb.takes_tree else {}
        ended_by = (lambda: False) if verb.outlives_caller else self._gone
        status = self.helper.runner.run(verb.command, environment, self._tell, ended_by)
        self._send(f"exit {status}\n".encode() + packed(build, verb.results))
        empty(build)  # a run wrote it, and the next one has nothing to do with that

    def _tell(self, line: bytes) -> None:
        self._send(b"|" + line)

    def _send(self, content: bytes) -> None:
        """Whoever outlives its caller goes on without one."""
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True

    def _gone(self) -> bool:
        """A caller sends nothing after its tree: what can be read now is its end."""
        return bool(select.select([self.connection], [], [], 0)[0])

    def _answer(self, status: HTTPStatus, line: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self._send(f"{line}\n".encode())


def empty(folder: Path) -> None:
    """Take away what is in a folder, which stays: it may be a mount of its own."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
