"""Read the shell steps out of the Jenkinsfile, so that tests run exactly those.

Usage: python -m ci.pipeline ci/Jenkinsfile
"""

import re
import sys
from pathlib import Path

from ci.errors import PipelineError

TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
    | \bsh \s* \(? \s* (?P<quote> ['"] ) (?P<command> [^'"$\\\n]+ ) (?P=quote)
    | (?P<unclear> \bsh\b )
    | (?P<string> '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" )
    """,
    re.VERBOSE | re.DOTALL,
)


def steps(jenkinsfile: str) -> list[str]:
    """The commands of a Jenkinsfile's `sh` steps, in their order.

    Raises:
        PipelineError: a step's command is not one constant string on one line.
    """
    found = []
    for token in TOKEN.finditer(jenkinsfile):
        if token["unclear"]:
            line = jenkinsfile.count("\n", 0, token.start()) + 1
            raise PipelineError(f"line {line}: a sh step must be one constant string")
        if token["command"]:
            found.append(token["command"])
    return found


if __name__ == "__main__":
    sys.stdout.writelines(f"{step}\n" for step in steps(Path(sys.argv[1]).read_text()))
