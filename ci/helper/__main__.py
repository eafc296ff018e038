"""Answer Jenkins until SIGTERM: `python3 -m ci.helper` in the container that has the socket."""

import signal
import sys
from pathlib import Path

from ci.helper.runner import Runner
from ci.helper.server import Helper, server
from ci.helper.verbs import VERBS

FOLDER = Path("/opt/marquee")
TOKEN = Path("/run/secrets/helper.sha256")
LOGIN = Path("/run/secrets/registry")
ADDRESS = ("", 8000)


def main() -> None:
    """Wire it and serve; what runs is ended when this is."""
    use_login(LOGIN, Path.home())
    runner = Runner(FOLDER)
    helper = Helper(VERBS, runner, FOLDER, TOKEN.read_text)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server(helper, ADDRESS) as listening:
        try:
            listening.serve_forever()
        finally:
            runner.end()


def use_login(login: Path, home: Path) -> None:
    """Have Docker's commands log in by this file, as it is when they run; nothing is copied."""
    configuration = home / ".docker/config.json"
    configuration.parent.mkdir(exist_ok=True)
    configuration.unlink(missing_ok=True)
    configuration.symlink_to(login)


if __name__ == "__main__":
    main()
