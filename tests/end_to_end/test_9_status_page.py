"""The status page in a real browser: it loads, fits a phone, and can be read by everybody.

Screenshots are left in build/browser.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_selenium_python import Axe
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.end_to_end.browser import browser, show
from tests.end_to_end.conftest import Stack

SCREENSHOTS = Path("build/browser")
WIDTHS = {"phone": 360, "desk": 1100}


@pytest.fixture(scope="module", params=["light", "dark"], name="browser")
def _browser(request: pytest.FixtureRequest) -> Iterator[Chrome]:
    with browser(request.param) as chrome:
        yield chrome


@pytest.fixture
def page(browser: Chrome, stack: Stack) -> Chrome:
    browser.get(f"http://127.0.0.1:{stack.nginx_port}/status")
    return browser


def scheme_of(page: Chrome) -> str:
    """The colour scheme that the page is drawn in."""
    dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
    return "dark" if page.execute_script(dark) else "light"


def test_it_loads_without_an_error(page):
    assert page.find_element(By.TAG_NAME, "h1").text == "Marquee"
    assert [line["message"] for line in page.get_log("browser")] == []


def test_its_style_is_taken(page):
    assert page.execute_script("return document.styleSheets[0].cssRules.length") > 5


@pytest.mark.parametrize("device", WIDTHS)
def test_nothing_is_wider_than_the_window(page, device):
    show(page, WIDTHS[device])
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.save_screenshot(str(SCREENSHOTS / f"status-{device}-{scheme_of(page)}.png"))
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.execute_script(wider) <= 0


def test_everybody_can_read_it(page):
    show(page, WIDTHS["desk"])
    axe = Axe(page)
    axe.inject()
    violations = axe.run()["violations"]
    assert [(found["id"], found["help"]) for found in violations] == [], json.dumps(violations)


def test_a_release_explains_itself_when_it_is_opened(page):
    release = page.find_element(By.TAG_NAME, "details")
    release.find_element(By.TAG_NAME, "summary").click()
    assert release.find_elements(By.TAG_NAME, "li")[0].is_displayed()


def test_a_version_leads_to_pictures_that_a_browser_draws(page):
    links = page.find_elements(By.CSS_SELECTOR, 'a[href$=".svg"]')
    newest = [link.get_attribute("href") for link in links[:6]]
    assert len(newest) == 6
    for picture in newest:
        page.get(picture)
        assert page.find_element(By.TAG_NAME, "svg").size["width"] > 100
        assert [line["message"] for line in page.get_log("browser")] == []
