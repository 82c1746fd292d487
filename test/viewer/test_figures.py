"""The figures of the page: every frame is there, and names are text."""

from __future__ import annotations

from husky_placerec.evaluation.report.case import WRONG_ACCEPTED
from husky_placerec.types import GeoOrigin
from husky_placerec.viewer.deciding import BY_SIMILARITY, Decided, Rule
from husky_placerec.viewer.figures.colours import MARKS, PLACES
from husky_placerec.viewer.figures.curves import precision_recall_figure, reliability_figure
from husky_placerec.viewer.figures.route import Canvas, FEW, map_figure, near_figure, route_figure
from husky_placerec.viewer.words import Words
import numpy as np
import pytest
from support.shown_runs import decision, shown_places, shown_run

NEEDS = 'plotly', 'sklearn', 'matplotlib', 'jinja2'

WORDS = Words('English')
SITE = GeoOrigin(55.75, 37.62, 150.0)


@pytest.fixture
def decided():
    decisions = [decision(n, n) for n in range(6)] + [decision(6, 1), decision(7, 7, 0.5, False)]
    return Decided(shown_run(decisions, [5.0 * n for n in range(8)]), Rule())


def traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_each_frame_is_drawn_once_where_it_truly_was(decided):
    figure = traces(route_figure(decided, Canvas(WORDS)))
    drawn = {
        int(row): x
        for name, trace in figure.items()
        if name != 'places of the map'
        for row, x in zip(trace.customdata, trace.x)
    }
    assert drawn == {row: 5.0 * row for row in range(8)}
    wrong = figure['wrong and accepted']
    assert list(wrong.customdata) == [6]
    assert wrong.marker.symbol == MARKS[WRONG_ACCEPTED].symbol
    assert list(figure['right, but refused'].customdata) == [7]
    assert list(figure['places of the map'].customdata) == [-1 - n for n in range(10)]


def test_the_chosen_frame_has_its_answer_and_the_line_between_them(decided):
    figure = route_figure(decided, Canvas(WORDS), 6)
    named = traces(figure)
    assert (list(named['true'].x), list(named['recognised'].x)) == ([30.0], [5.0])
    (line,) = [trace for trace in figure.data if trace.mode == 'lines']
    assert list(line.x) == [30.0, 5.0]
    over = [trace for trace in figure.data if trace.customdata is None]
    assert {trace.hoverinfo for trace in over} == {'skip'}  # clicks go to the frames below


def test_what_is_near_a_chosen_frame_is_drawn_alone():
    run = shown_run([decision(n, n) for n in range(60)], [5.0 * n for n in range(60)])
    figure = near_figure(Decided(run, Rule()), Canvas(WORDS), 30)
    places, frames = figure.data[:2]
    assert (min(frames.x), max(frames.x)) == (90.0, 210.0)
    assert not len(places.x)  # the ten places are far away
    assert list(traces(figure)['true'].x) == [150.0]


def test_other_candidates_are_drawn(decided):
    rest = decided.run.recognition(3).candidates
    figure = traces(route_figure(decided, Canvas(WORDS), 6, rest))
    assert list(figure['other candidates'].x) == [15.0]


def test_a_threshold_changes_the_marks(decided):
    figure = traces(route_figure(Decided(decided.run, Rule(BY_SIMILARITY, 0.95)), Canvas(WORDS)))
    assert 'right and accepted' not in figure
    assert sorted(figure['right, but refused'].customdata) == [0, 1, 2, 3, 4, 5, 7]


def test_a_frame_without_truth_or_answer_can_be_chosen():
    run = shown_run([decision(0, None, accepted=False), decision(1, 2)], [None, None])
    for row in (0, 1):
        figure = route_figure(Decided(run, Rule()), Canvas(WORDS), row)
        assert 'true' not in traces(figure)


def test_with_an_origin_the_route_lies_on_the_earth(decided):
    figure = route_figure(decided, Canvas(WORDS, origin=SITE), 6)
    named = traces(figure)
    places = named['places of the map']
    assert places.type == 'scattermap'
    assert places.lat[0] == pytest.approx(SITE.latitude)
    metres = np.radians(places.lon[1] - places.lon[0]) * 6.39e6 * np.cos(np.radians(55.75))
    assert metres == pytest.approx(5.0, rel=0.01)
    assert figure.layout.map.style == 'open-street-map'
    assert 14 < figure.layout.map.zoom < 20


def test_many_points_are_drawn_by_webgl():
    few, many = (
        map_figure(shown_places(count), Canvas(WORDS)).data[0].type for count in (10, FEW + 1)
    )
    assert (few, many) == ('scatter', 'scattergl')


def test_names_of_drives_are_text():
    places = shown_places(3, tracks=('<b>x</b>', '<b>x</b>', 'a & b'))
    names = [trace.name for trace in map_figure(places, Canvas(WORDS)).data]
    assert names == ['&lt;b&gt;x&lt;/b&gt;', 'a &amp; b']


def test_the_places_follow_the_theme(decided):
    for theme, colour in PLACES.items():
        figure = traces(route_figure(decided, Canvas(WORDS, theme)))
        assert figure['places of the map'].marker.color == colour


def test_the_curve_has_the_rule_of_the_run_on_it(decided):
    judged = decided.run.judged
    figure = precision_recall_figure(decided, judged, BY_SIMILARITY, WORDS)
    line, now = figure.data
    assert max(line.recall if 'recall' in line else line.x) == pytest.approx(7 / 8)
    assert (now.x[0], now.y[0]) == (pytest.approx(6 / 8), pytest.approx(6 / 7))


def test_the_reliability_has_its_bins():
    figure = reliability_figure(np.array([0.05, 0.95, 0.95]), np.array([0, 1, 0], bool), WORDS)
    _, bins = figure.data
    assert list(bins.x) == pytest.approx([0.05, 0.95])
    assert list(bins.y) == pytest.approx([0.0, 0.5])
    assert '0.317' in figure.layout.title.text
