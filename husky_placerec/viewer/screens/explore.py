"""Explore: where the robot was, where it thought it was, and why."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.types import Candidate
from husky_placerec.viewer.deciding import Decided, Rule
from husky_placerec.viewer.figures.route import FEW, map_figure, near_figure, route_figure
from husky_placerec.viewer.screens.opening import decided_by, frame_photos, place_photos, Shown
from husky_placerec.viewer.screens.parts import (
    canvas,
    known_word,
    number,
    outcome_badge,
    percent,
    photo_row,
    street_origin,
    words,
)
from husky_placerec.viewer.screens.stepping import chosen_row, is_playing, stepper, take_click
import streamlit as st

PERIOD_S = 0.6  # from frame to frame while the drive is played
STRIP = 5  # other candidates that are shown
CHART = {'scrollZoom': True, 'displaylogo': False, 'plotGlPixelRatio': 1}


def explore(shown: Shown, _: Sequence[Shown] = ()) -> None:
    """Show a run or a map, frame by frame or place by place."""
    if shown.run is None:
        show_map(shown)
        return
    for note in shown.run.notes:
        st.warning(words()('incomplete'), icon=':material/info:')
        st.text(note)
    period = PERIOD_S if is_playing(shown.key) else None
    st.fragment(show_run, run_every=period)(shown, kept_rule(shown))


def kept_rule(shown: Shown) -> Rule:
    """Return the rule that was last chosen for a run; as it was decided before."""
    rule: Rule = st.session_state.get(f'rule {shown.key}', Rule())
    return rule


def show_run(shown: Shown, rule: Rule) -> None:
    """Show a run with one of its frames chosen."""
    run = shown.run
    assert run is not None
    decided = decided_by(rule, shown)
    stepper(shown.key, len(run), words()('frame'))
    row = chosen_row(shown.key)
    left, right = st.columns([1, 1])
    with right:  # first, because the images shall not wait for the chart
        figures_of(decided, row)
        images_of(shown, row)
    with left:
        origin = street_origin(run.places.origin, shown.key)
        rest = others(decided, row)
        many = len(run) + len(run.places) > FEW
        if many:
            figure = route_figure(decided, canvas(origin, 340))
        else:
            figure = route_figure(decided, canvas(origin), row, rest)
        key = f'route {shown.key}'
        st.plotly_chart(
            figure,
            key=key,
            on_select=lambda: take_click(key, shown.key, decided),
            selection_mode='points',
            config=CHART,
        )
        if many:
            st.plotly_chart(near_figure(decided, canvas(height=220), row, rest), key='near')
    strip_of(shown, decided, row)
    st.toggle(words()('annotations'), value=True, key='annotated')


def others(decided: Decided, row: int) -> list[Candidate]:
    """Return the candidates of a frame but for the one that it was recognised by."""
    answer = decided.run.answer(row)
    candidates = decided.run.recognition(row).candidates
    same = [] if answer is None else [answer.place]
    return [candidate for candidate in candidates if candidate.place not in same][:STRIP]


def figures_of(decided: Decided, row: int) -> None:
    """Show the outcome of a frame, and the figures that led to it."""
    say, run = words(), decided.run
    recognition, truth = run.recognition(row), run.truth(row)
    pose, known = recognition.pose, truth is not None
    with st.container(horizontal=True):
        outcome_badge(int(decided.outcomes[row]))
        if recognition.reason is not None:
            st.badge(known_word('reason', recognition.reason), color='gray')
        if recognition.state is not None:
            st.badge(known_word('state', recognition.state), color='blue')
    columns = st.columns(6)
    apart_m = pose.distance_m(truth) if pose and truth else None
    columns[0].metric(say('distance'), number(apart_m, '.1f', f' {say("metres")}'))
    angle = pose.angle_deg(truth) if pose and truth else None
    columns[1].metric(say('angle'), number(angle, '.0f', '°'))
    columns[2].metric(say('probability'), percent(recognition.probability))
    columns[3].metric(say('proof'), number(recognition.proof, '.1f'))
    answer = run.answer(row)
    columns[4].metric(say('similarity'), number(answer.similarity if answer else None, '.3f'))
    columns[5].metric(say('margin'), number(recognition.margin, '.3f'))
    if not known:
        st.caption(say('no truth'))


def images_of(shown: Shown, row: int) -> None:
    """Show what the robot saw, and below it what the recognised place looked like."""
    say, run = words(), shown.run
    assert run is not None
    annotated = st.session_state.get('annotated', True)
    seen = frame_photos(shown.key, row, annotated, shown.album, run)
    # The place is below the frame, but beside it where there is only one camera.
    alone = len(run.places.cameras) == 1
    above, below = st.columns(2) if alone else (st.container(), st.container())
    with above:
        photo_row(run.places.cameras, seen.by_camera, say('seen'), {})
    missing = {seen.note}
    answer = run.answer(row)
    if answer is None:
        st.info(say('no candidate'))
    else:
        found = place_photos(shown.key, answer.place, annotated, shown.album, run.places)
        looks = {c: run.places.camera_of(c, answer.reversed) for c in run.places.cameras}
        title = say('place in reverse') if answer.reversed else say('place')
        with below:
            photo_row(run.places.cameras, found.by_camera, title, looks)
        missing.add(found.note)
        if any(photo.small for photo in found.by_camera.values()):
            st.caption(say('thumbnails'))
    for note in sorted(filter(None, missing)):
        st.text(note)


def strip_of(shown: Shown, decided: Decided, row: int) -> None:
    """Show the other candidates beside each other."""
    say, run = words(), decided.run
    rest = others(decided, row)
    if not rest:
        return
    st.caption(say('other candidates'))
    truth = run.truth(row)
    for rank, (column, each) in enumerate(zip(st.columns(STRIP), rest), 2):
        with column:
            photos = place_photos(shown.key, each.place, False, shown.album, run.places)
            camera = run.places.camera_of(run.places.cameras[0], each.reversed)
            if camera in photos.by_camera:
                st.image(photos.by_camera[camera].jpeg, width='stretch', alt=f'{rank}')
            far = number(each.pose.distance_m(truth), '.0f', f' {say("metres")}') if truth else ''
            chance = '' if each.probability is None else percent(each.probability)
            turned = say('reversed') if each.reversed else ''
            values = (f'{rank}.', f'{each.similarity:.3f}', chance, far, turned)
            st.text(' · '.join(filter(None, values)))


def show_map(shown: Shown) -> None:
    """Show the places of a map, with one of them chosen."""
    places = shown.places
    period = PERIOD_S if is_playing(shown.key) else None
    st.fragment(_show_places, run_every=period)(shown, places)


def _show_places(shown: Shown, places: object) -> None:
    say, places = words(), shown.places
    stepper(shown.key, len(places), say('place'))
    place = chosen_row(shown.key)
    left, right = st.columns([1, 1])
    with left:
        origin = street_origin(places.origin, shown.key)
        key = f'map {shown.key}'
        st.plotly_chart(
            map_figure(places, canvas(origin, 520), place),
            key=key,
            on_select=lambda: take_click(key, shown.key, None),
            selection_mode='points',
            config=CHART,
        )
    with right:
        annotated = st.session_state.get('annotated', True)
        found = place_photos(shown.key, place, annotated, shown.album, places)
        photo_row(places.cameras, found.by_camera, say('place'), {})
        if any(photo.small for photo in found.by_camera.values()):
            st.caption(say('thumbnails'))
        st.text(found.note)
        x, y = places.poses[place, :2]
        st.text(f'{places.tracks[place]} · {places.stamps_ns[place]} · x {x:.1f}, y {y:.1f}')
        st.toggle(say('annotations'), value=True, key='annotated')
