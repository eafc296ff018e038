"""A headless Chromium of the distribution, which reaches nothing but this host."""

from collections.abc import Iterator
from contextlib import contextmanager

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

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
