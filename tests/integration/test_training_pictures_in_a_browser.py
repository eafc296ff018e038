"""What a training draws of its version, in a real browser, on a phone, light and dark."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from matplotlib.image import imread
from selenium.webdriver import Chrome

from monitoring.page.rendering import PICTURES
from tests.browser import SCHEMES, WIDTHS, browser, errors, keep_screenshot, scheme_of, show
from tests.unit.trainer.conftest import people_with_tastes
from tests.unit.trainer.test_plots import FIGURES
from trainer.evaluation.plots import plots

VERSIONS = {
    f"20260130-0{hour}0000-recency_transitions": {"value": 0.12, "low": 0.11, "high": 0.13}
    for hour in range(6)
}
LETTERS = """
const letter = text => {
    const drawn = text.getScreenCTM();  // turned, too
    return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(drawn.a, drawn.b);
};
const outside = text => {
    const place = text.getBoundingClientRect();
    return place.left < 0 || place.right > innerWidth || place.top < 0;
};
const texts = [...document.querySelectorAll('text')];
return [
    Math.min(...texts.map(letter)) / innerWidth,
    texts.filter(outside).map(text => text.textContent),
];
"""
SMALLEST_LETTER = 8
"""Pixels."""


@pytest.fixture(scope="module", params=SCHEMES, name="browser")
def _browser(request: pytest.FixtureRequest) -> Iterator[Chrome]:
    with browser(request.param) as chrome:
        yield chrome


@pytest.fixture(scope="module", name="drawn")
def _drawn() -> dict[str, bytes]:
    return plots(FIGURES, people_with_tastes(), VERSIONS)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_can_be_read_on_a_phone_and_is_as_dark_as_people_like_it(
    browser, drawn, tmp_path, name
):
    file = tmp_path / f"{name}.svg"
    file.write_bytes(drawn[file.name])
    browser.get(file.as_uri())
    show(browser, WIDTHS["phone"], 640)
    keep_screenshot(browser, f"training-{name}-{scheme_of(browser)}")
    share_of_width, outside = browser.execute_script(LETTERS)
    assert outside == []
    assert share_of_width * WIDTHS["phone"] >= SMALLEST_LETTER
    assert errors(browser) == []
    light = imread(BytesIO(browser.get_screenshot_as_png()))[..., :3].mean() > 1 / 2
    assert light == (scheme_of(browser) == "light")
