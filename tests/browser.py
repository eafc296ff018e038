"""A headless Chromium of the distribution, which reaches nothing but this host."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_selenium_python import Axe
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

SCREENSHOTS = Path("build")
WIDTHS = {"phone": 360, "desk": 1100}
"""Pixels."""
SCHEMES = ("light", "dark")
BROKEN_WORDS = """
const lines = heading => {
    const words = document.createRange();
    words.selectNodeContents(heading);
    return words.getClientRects().length;
};
return [...document.querySelectorAll('thead th')]
    .filter(heading => !heading.textContent.includes(' ') && lines(heading) > 1)
    .map(heading => heading.textContent);
"""
LARGEST_PAINT = """
const done = arguments[0];
new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
    .observe({type: 'largest-contentful-paint', buffered: true});
"""


@contextmanager
def browser(scheme: str) -> Iterator[Chrome]:
    """A browser that prefers this colour scheme, light or dark."""
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument("--disable-background-networking")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options, ChromeService("/usr/bin/chromedriver"))
    try:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        yield chrome
    finally:
        chrome.quit()


def show(page: Chrome, width: int, height: int = 2000) -> None:
    """Show a page in a window of this size, in pixels; a narrow one is a phone's."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def largest_paint(page: Chrome) -> float:
    """When the largest part of the page that is loaded was drawn, in ms from its start."""
    return float(page.execute_async_script(LARGEST_PAINT))


def axe_violations(page: Chrome) -> list[tuple[str, str, list[str]]]:
    """What axe-core finds wrong with the page that is shown: rule, what it asks for, where."""
    axe = Axe(page)
    axe.inject()
    return [
        (found["id"], found["help"], [node["html"][:200] for node in found["nodes"]])
        for found in axe.run()["violations"]
    ]


def errors(page: Chrome) -> list[str]:
    """What the browser's console says since it was last asked."""
    return [line["message"] for line in page.get_log("browser")]


def overhang(page: Chrome) -> int:
    """By how many pixels the page is wider than its window."""
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.execute_script(wider))


def broken_words(page: Chrome) -> list[str]:
    """Headings of one word that stand on more than one line."""
    return list(page.execute_script(BROKEN_WORDS))


def scheme_of(page: Chrome) -> str:
    """The colour scheme that the page is drawn in."""
    dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
    return "dark" if page.execute_script(dark) else "light"


def keep_screenshot(page: Chrome, name: str) -> None:
    """Leave a picture of what is shown in build, which CI keeps."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.save_screenshot(str(SCREENSHOTS / f"screenshot-{name}.png"))
