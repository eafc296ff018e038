"""The status page of a busy stack behind the real Nginx, in a real browser, on a phone and a desk.

Screenshots are left in build.
"""

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from monitoring.page.operations import OPERATIONS, operations_page
from monitoring.page.rendering import render
from tests.browser import (
    SCHEMES,
    WIDTHS,
    axe_violations,
    broken_words,
    browser,
    errors,
    keep_screenshot,
    overhang,
    scheme_of,
    show,
)
from tests.integration.serving import nginx
from tests.ports import free_port
from tests.unit.monitoring.pages import before, full


@pytest.fixture(scope="module", params=SCHEMES, name="browser")
def _browser(request: pytest.FixtureRequest) -> Iterator[Chrome]:
    with browser(request.param) as chrome:
        yield chrome


@pytest.fixture
def page(browser: Chrome, tmp_path) -> Iterator[Chrome]:
    served = tmp_path / "page" / "public"
    served.mkdir(parents=True)
    (served / "status.html").write_text(render(full(), before(1)))
    with nginx(tmp_path, tmp_path / "state", free_port(), free_port()) as door:
        browser.get(f"http://127.0.0.1:{door.port}/status")
        yield browser


@pytest.mark.parametrize("device", WIDTHS)
def test_it_fits_the_window_and_everybody_can_read_it(page, device):
    show(page, WIDTHS[device])
    keep_screenshot(page, f"status-full-{device}-{scheme_of(page)}")
    assert page.find_element(By.TAG_NAME, "h1").text == "Marquee"
    assert errors(page) == []
    assert overhang(page) <= 0
    assert broken_words(page) == []
    assert axe_violations(page) == []


def test_on_a_phone_what_happened_takes_the_whole_width(page):
    show(page, WIDTHS["phone"])
    told = page.find_elements(By.CSS_SELECTOR, ".happened td:last-child")
    assert told
    assert min(cell.size["width"] for cell in told) > WIDTHS["phone"] * 3 / 4


@pytest.mark.parametrize("device", WIDTHS)
def test_what_to_do_when_fits_the_window(browser, tmp_path, device):
    file = tmp_path / "operations.html"
    file.write_text(operations_page(OPERATIONS.read_text()))
    browser.get(file.as_uri())
    show(browser, WIDTHS[device])
    assert browser.find_element(By.ID, "each-alert")
    assert overhang(browser) <= 0


def test_a_version_opens_where_its_name_is_clicked_and_can_be_read(page):
    name = page.find_element(By.CSS_SELECTOR, ".lead a")
    explained = page.find_element(By.ID, name.text)
    assert not explained.is_displayed()
    name.click()
    assert explained.is_displayed()
    assert axe_violations(page) == []


def test_a_release_opens_and_can_be_read(page):
    release = page.find_element(By.TAG_NAME, "details")
    release.find_element(By.TAG_NAME, "summary").click()
    assert release.find_elements(By.TAG_NAME, "li")[0].is_displayed()
    assert axe_violations(page) == []
