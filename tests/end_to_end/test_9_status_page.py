"""The status page of a stack that lives, in a real browser: it loads, fits a phone, can be read.

Screenshots are left in build.
"""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.browser import (
    SCHEMES,
    WIDTHS,
    axe_violations,
    browser,
    errors,
    keep_screenshot,
    overhang,
    scheme_of,
    show,
)
from tests.end_to_end.conftest import Stack


@pytest.fixture(scope="module", params=SCHEMES, name="browser")
def _browser(request: pytest.FixtureRequest) -> Iterator[Chrome]:
    with browser(request.param) as chrome:
        yield chrome


@pytest.fixture
def page(browser: Chrome, stack: Stack) -> Chrome:
    browser.get(f"http://127.0.0.1:{stack.nginx_port}/status")
    return browser


def test_it_loads_without_an_error(page):
    assert page.find_element(By.TAG_NAME, "h1").text == "Marquee"
    assert errors(page) == []


def test_its_style_is_taken(page):
    assert page.execute_script("return document.styleSheets[0].cssRules.length") > 5


@pytest.mark.parametrize("device", WIDTHS)
def test_nothing_is_wider_than_the_window_and_everybody_can_read_it(page, device):
    show(page, WIDTHS[device])
    keep_screenshot(page, f"status-{device}-{scheme_of(page)}")
    assert overhang(page) <= 0
    assert axe_violations(page) == []


def test_a_release_explains_itself_when_it_is_opened(page):
    release = page.find_element(By.TAG_NAME, "details")
    release.find_element(By.TAG_NAME, "summary").click()
    assert release.find_elements(By.TAG_NAME, "li")[0].is_displayed()


def test_a_version_explains_itself_where_its_name_is_clicked(page):
    live = page.find_element(By.CSS_SELECTOR, ".lead a")
    explained = page.find_element(By.ID, live.text)
    assert not explained.is_displayed()
    live.click()
    assert explained.is_displayed()


def test_a_version_leads_to_pictures_that_a_browser_draws(page):
    links = page.find_elements(By.CSS_SELECTOR, 'a[href$=".svg"]')
    newest = [link.get_attribute("href") for link in links[:6]]
    assert len(newest) == 6
    for picture in newest:
        page.get(picture)
        assert page.find_element(By.TAG_NAME, "svg").size["width"] > 100
        assert errors(page) == []
