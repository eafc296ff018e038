"""Each image holds the modules that its service imports, and no room that it does not use."""

import re
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("ingest", "trainer", "recommender", "monitoring", "ci", "compose")
SERVICES = {
    "migrate": "compose.migrate",
    "backup": "compose.backup",
    "ingest": "ingest",
    "trainer": "trainer",
    "recommender": "recommender",
    "monitoring": "monitoring",
    "releaser": "ci",
    "simulator": "compose.simulator",
}
"""Each image's target in the Dockerfile, and the package whose `__main__` it runs."""


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph(*PACKAGES)


def copied_paths(target: str) -> Iterator[Path]:
    dockerfile = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    stage = re.search(
        rf"^FROM python AS {target}\n(.*?)(?=^FROM |\Z)", dockerfile, re.MULTILINE | re.DOTALL
    )
    for sources in re.findall(r"^COPY (?!--)(.+) \S+$", stage[1], re.MULTILINE):
        for source in sources.split():
            yield from ROOT.glob(source.rstrip("/"))


def modules_in(path: Path) -> set[str]:
    files = [path] if path.is_file() else path.rglob("*.py")
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
        if file.suffix == ".py"
    }


def used_modules(imports, package: str) -> set[str]:
    """What the command imports, at once or later, and the packages all of it lies in."""
    begins = {f"{package}.__main__", f"{package}.env"} & imports.modules  # Alembic runs `env`
    used = begins.union(*map(imports.find_upstream_modules, begins))
    parents = {module.rsplit(".", depth)[0] for module in used for depth in range(1, 4)}
    return used | (parents & imports.modules)


@pytest.mark.parametrize("target", SERVICES)
def test_an_image_holds_every_module_its_service_imports(imports, target):
    held = set().union(*(modules_in(path) for path in copied_paths(target)))

    assert used_modules(imports, SERVICES[target]) - held == set()


@pytest.mark.parametrize("target", SERVICES)
def test_an_image_holds_nothing_of_another_package_that_its_service_does_not_use(imports, target):
    used = used_modules(imports, SERVICES[target])
    own = ROOT / SERVICES[target].replace(".", "/")
    others = (
        path
        for path in copied_paths(target)
        if own not in {path, *path.parents} and path.suffix not in {".txt", ".md"}
    )

    assert [path for path in others if modules_in(path).isdisjoint(used)] == []
