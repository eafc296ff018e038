"""Answer Jenkins until SIGTERM: `python3 -m ci.helper` in the container that has the socket."""

import signal
import sys
from pathlib import Path

from ci.helper.runner import Runner
from ci.helper.server import Helper, server
from ci.helper.verbs import VERBS

FOLDER = Path("/opt/marquee")
TOKEN = Path("/run/secrets/helper.sha256")
ADDRESS = ("", 8000)


def main() -> None:
    """Wire it and serve; what runs is ended when this is."""
    runner = Runner(FOLDER)
    helper = Helper(VERBS, runner, FOLDER, TOKEN.read_text)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server(helper, ADDRESS) as listening:
        try:
            listening.serve_forever()
        finally:
            runner.end()


if __name__ == "__main__":
    main()
