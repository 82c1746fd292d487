"""The page in a real browser, as a user meets it."""

from __future__ import annotations

import re
import shutil

import pytest
from support.browser import browser, chromium, click_point, served, settled, SIZE
from support.builders import encode
from support.shown_drives import COUNT, DRIVEN, images_of, MISLED, run

NEEDS = 'streamlit', 'plotly', 'sklearn', 'matplotlib', 'jinja2', 'playwright'

pytestmark = pytest.mark.skipif(chromium() is None, reason='needs Chromium (apt install chromium)')

PHOTOS = '[data-testid="stImage"] img'


@pytest.fixture(scope='module')
def site(world, tmp_path_factory):
    """Serve results, the same decided by other thresholds, a map, and a folder that is broken."""
    folder = tmp_path_factory.mktemp('site')
    other = '-s', 'min_similarity=0.99', '-o', folder / 'strict'
    run('replay', world / DRIVEN, '--map', world / 'tiny.map', *other)
    broken = shutil.copytree(world / 'replayed', folder / 'broken <script>')
    (broken / 'recognitions.jsonl').write_text('{"accepted": 1}\n')
    paths = world / 'replayed', folder / 'strict', world / 'tiny.map', broken
    with served(folder, *paths, '--source', world / 'mapped') as (address, log):
        yield address
        assert 'Traceback' not in log.read_text()


@pytest.fixture(scope='module')
def visit(site):
    """Open the page once: a user stays on it, too."""
    with browser() as opened:
        page = opened.new_page(viewport=SIZE)
        page.set_default_timeout(60_000)
        page.goto(site)
        page.wait_for_selector('.js-plotly-plot')
        yield page


@pytest.fixture
def page(visit):
    """Come to Explore in English; afterwards nothing of the data ran, and nothing failed."""
    visit.get_by_text('English', exact=True).click()
    settled(visit)
    to_part(visit, 'Explore')
    visit.wait_for_selector('.js-plotly-plot')
    settled(visit)
    yield visit
    assert visit.title() == 'husky_placerec'
    assert visit.locator('[data-testid="stException"]').count() == 0


def shown(page):
    """Return the sources of the images that the robot and the map show."""
    return [page.locator(PHOTOS).nth(n).get_attribute('src') for n in range(4)]


def metric(page, label):
    """Return the value below a label."""
    each = page.locator('[data-testid="stMetric"]').filter(has_text=label).first
    return each.locator('[data-testid="stMetricValue"]').inner_text()


def slider_of(page):
    return int(float(page.get_by_role('slider').input_value()))


def changed(page, before):
    """Wait until all four images are others."""
    page.wait_for_function(
        """([query, before]) => {
            const now = Array.from(document.querySelectorAll(query)).slice(0, 4);
            return now.length === 4 && now.every((image, n) =>
                image.getAttribute('src') !== before[n] && image.complete && image.naturalWidth);
        }""",
        arg=[PHOTOS, before],
    )
    settled(page)


def to_part(page, name):
    page.get_by_role('link', name=name).first.click()
    settled(page)


def test_a_click_shows_four_images_and_the_distance_and_arrow_keys_go_on(page):
    before = shown(page)
    assert metric(page, 'Distance') == '1.0 m'
    click_point(page, MISLED)
    changed(page, before)
    assert metric(page, 'Distance') == '26.0 m'  # it saw place 1
    assert page.get_by_text('wrong and accepted').first.is_visible()
    at = shown(page)
    page.keyboard.press('ArrowRight')
    changed(page, at)
    assert metric(page, 'Distance') == '1.0 m'
    assert slider_of(page) == MISLED + 1
    page.keyboard.press('ArrowLeft')
    page.get_by_text('26.0 m').wait_for()
    settled(page)
    assert slider_of(page) == MISLED and shown(page) == at


def test_the_drive_is_played_to_its_end(page):
    click_point(page, COUNT - 4)
    page.get_by_role('button', name='Play').click()
    page.get_by_role('button', name='Stop').wait_for()
    page.get_by_role('button', name='Play').wait_for()
    page.wait_for_function(
        'last => Number(document.querySelector("input[type=range]").value) === last',
        arg=COUNT - 1,
    )


def test_a_threshold_moves_the_counts_the_table_and_the_map(page):
    to_part(page, 'Judge')
    accepted = int(metric(page, 'Accepted'))
    assert accepted > 5
    assert page.get_by_text('wrong and accepted').count() == 1  # in the legend of the map
    page.get_by_text('by similarity', exact=True).click()
    slider = page.get_by_role('slider')
    slider.wait_for()
    settled(page)
    slider.press('End')
    page.wait_for_function(
        """() => Array.from(document.querySelectorAll('[data-testid=stMetric]'))
            .some(each => /Accepted\\s*1$/.test(each.innerText.trim()))"""
    )
    settled(page)
    assert metric(page, 'Precision') == '100.0 %'
    assert page.get_by_text('wrong and accepted').count() == 0
    assert page.get_by_text('Right here alone').count() == 2  # beside the strict results


def test_an_uploaded_pair_is_recognised(page):
    to_part(page, 'Try')
    inputs = page.locator('[data-testid="stFileUploader"] input[type=file]')
    for number, (camera, image) in enumerate(images_of(7, noise=5).items()):
        file = {'name': f'{camera}.png', 'mimeType': 'image/png', 'buffer': encode(image)}
        inputs.nth(number).set_input_files(file)
        settled(page)
    page.locator(PHOTOS).nth(3).wait_for()
    settled(page)
    page.wait_for_function(
        """() => document.querySelector('.js-plotly-plot')._fullData
            .some(trace => trace.name === 'recognised' && Math.abs(trace.x[0] - 35) < 3)"""
    )
    assert 0 < float(metric(page, 'Similarity')) <= 1
    inputs.nth(0).set_input_files(
        {'name': '<i>no image.png', 'mimeType': 'image/png', 'buffer': b'<script>alert(1)'}
    )
    page.get_by_text('This cannot be recognised').wait_for()
    assert page.get_by_text(re.compile('<i>no image.png')).first.is_visible()


def test_a_broken_folder_has_a_sentence_and_names_are_text(page):
    assert page.get_by_text('This cannot be read').is_visible()
    assert page.get_by_text(re.compile('broken <script>/recognitions.jsonl:1')).is_visible()
    assert page.get_by_role('combobox').input_value() == f'replayed: {DRIVEN} / tiny.map'


def test_the_page_speaks_russian_at_once_and_in_every_part(page):
    page.get_by_text('Русский', exact=True).click()
    page.get_by_text('Расстояние').wait_for()
    for part, text in (('Оценка', 'Точность'), ('Проба', 'Распознать')):
        to_part(page, part)
        page.get_by_text(text, exact=True).first.wait_for()
    assert page.get_by_text('Recognise').count() == 0
