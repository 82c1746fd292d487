"""Judge: how good a run is, at any threshold, and beside another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from husky_placerec.evaluation.metrics import Figures
from husky_placerec.viewer.comparing import compare, Comparison
from husky_placerec.viewer.deciding import (
    AS_DECIDED,
    BY_PROBABILITY,
    BY_SIMILARITY,
    Decided,
    Rule,
    rules_of,
    scores,
)
from husky_placerec.viewer.figures.curves import precision_recall_figure, reliability_figure
from husky_placerec.viewer.figures.route import route_figure
from husky_placerec.viewer.run import Run
from husky_placerec.viewer.screens.explore import CHART, kept_rule
from husky_placerec.viewer.screens.opening import decided_by, Shown
from husky_placerec.viewer.screens.parts import canvas, DASH, number, percent, words
from husky_placerec.viewer.screens.stepping import choose_row
import numpy as np
import streamlit as st

STEPS = 200  # of the slider
ROWS = 240  # px, height of a table


def judge(shown: Shown, found: Sequence[Shown]) -> None:
    """Show the figures of a run."""
    say, run = words(), shown.run
    if run is None:
        st.info(say('a map has no judgement'))
        return
    rule = _rule(shown)
    decided = decided_by(rule, shown)
    if decided.judged is None:
        st.info(say('no truth at all'))
        st.metric(say('accepted'), f'{int(decided.accepted.sum())} / {len(run)}')
    else:
        _counts(decided)
        _curves(decided)
        _tables(decided, shown, found)
        left, right = st.columns([1, 1])
        with left:
            st.plotly_chart(
                route_figure(decided, canvas(height=360)), key='judged map', config=CHART
            )
        with right:
            _mistakes(decided, shown)
    _beside(decided, shown, found)


def _rule(shown: Shown) -> Rule:
    """Let the user choose what accepts a frame, and from which threshold on."""
    say, run = words(), shown.run
    assert run is not None
    kept = kept_rule(shown)
    left, right = st.columns([1, 2], vertical_alignment='center')
    options = rules_of(run)
    by = left.segmented_control(
        say('accepted by'),
        options,
        default=kept.by,
        format_func=lambda name: say(f'by {name}'),
        key=f'by {shown.key}',
        required=True,
    )
    rule = Rule(str(by or AS_DECIDED))
    if rule.by != AS_DECIDED:
        low, high = _span(scores(run, rule.by))
        usual = kept.threshold if kept.by == rule.by else (low + high) / 2
        threshold = right.slider(
            say('threshold'),
            low,
            high,
            float(np.clip(usual, low, high)),
            step=(high - low) / STEPS,
            format='%.3f',
            key=f'threshold {rule.by} {shown.key}',
        )
        rule = Rule(rule.by, float(threshold))
    st.session_state[f'rule {shown.key}'] = rule
    return rule


def _span(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    return (low, high) if high - low > 1e-6 else (low - 0.5, low + 0.5)


def _counts(decided: Decided) -> None:
    say, counts = words(), decided.counts
    assert counts is not None
    columns = st.columns(6)
    columns[0].metric(say('frames with truth'), f'{counts.frames}')
    columns[1].metric(say('accepted'), f'{counts.accepted}')
    columns[2].metric(say('right of them'), f'{counts.right}')
    columns[3].metric(say('wrong of them'), f'{counts.wrong}')
    columns[4].metric(say('precision'), percent(counts.precision))
    columns[5].metric(say('recall'), percent(counts.recall), help=say('recall help'))


def _curves(decided: Decided) -> None:
    say, run, judged = words(), decided.run, decided.run.judged
    assert judged is not None
    by = decided.rule.by
    if by == AS_DECIDED:
        by = BY_PROBABILITY if BY_PROBABILITY in rules_of(run) else BY_SIMILARITY
    left, right = st.columns(2)
    left.plotly_chart(precision_recall_figure(decided, judged, by, say), key='precision recall')
    stated = np.isfinite(judged.probability)
    if stated.any():
        figure = reliability_figure(judged.probability[stated], judged.pose_right[stated], say)
        right.plotly_chart(figure, key='reliability')
    else:
        right.info(say('no probabilities'))


def _tables(decided: Decided, shown: Shown, found: Sequence[Shown]) -> None:
    """Show recall and precision of every pair of the folder, and by season and light."""
    say = words()
    folder = [each for each in found if each.summary is shown.summary and each.run is not None]
    rows = []
    for each in folder:
        assert each.run is not None
        own = decided_by(decided.rule, each)
        rows.append(_row(each, own))
    for key, kind in (('by_season', 'season'), ('by_light', 'light'), ('baselines', 'baseline')):
        rows += _summary_rows(shown.summary.get(key), say(kind))
    st.dataframe(
        [row for row in rows if row is not None],
        hide_index=True,
        height=min(ROWS, 36 * (len(rows) + 1) + 2),
    )


def _row(each: Shown, decided: Decided) -> dict[str, str] | None:
    counts, judged = decided.counts, decided.run.judged
    if counts is None or judged is None:
        return None
    recalls, name = (
        _recalls(each.key, decided.run),
        f'{decided.run.queries} / {decided.run.database}',
    )
    return _columns(name, recalls, counts.precision, f'{counts.right} / {counts.accepted}')


def _summary_rows(values: Any, kind: str) -> list[dict[str, str]]:
    """Return rows of `summary.json`; what has another form is left out."""
    rows = []
    if isinstance(values, Mapping):
        values = [
            {'name': name, **each} for name, each in values.items() if isinstance(each, dict)
        ]
    for each in values if isinstance(values, list) else []:
        if not isinstance(each, Mapping):
            continue
        names = [each.get(key) for key in ('name', 'queries', 'database')]
        name = ' / '.join(_in_words(name) for name in names if name)
        recalls = each.get('recall')
        precision = each.get('precision')
        if isinstance(recalls, Mapping):
            share = precision if isinstance(precision, float) else None
            rows.append(_columns(f'{kind}: {name}', recalls, share, DASH))
    return rows


def _in_words(name: object) -> str:
    """Return a baseline's name in the language of the page; names of data stay as they are."""
    say = words()
    return say(f'baseline {name}') if say.has(f'baseline {name}') else str(name)


def _columns(
    name: str, recalls: Mapping[str, Any], precision: float | None, right: str
) -> dict[str, str]:
    say = words()
    cells = {say('condition'): name}
    for tolerance, by_rank in list(recalls.items())[:4]:
        if isinstance(by_rank, Mapping):
            shares = [by_rank.get(rank) for rank in ('1', '5', '10')]
            texts = [_share(share) for share in shares]
            cells[f'R@1 / 5 / 10, {str(tolerance)[:8]} {say("metres")}'] = ' / '.join(texts)
    cells[say('precision')] = percent(precision)
    cells[say('right / accepted')] = right
    return cells


def _share(value: Any) -> str:
    return f'{100 * value:.1f}' if isinstance(value, (int, float)) else DASH


@st.cache_resource(max_entries=64, show_spinner=False)
def _recalls(key: str, _run: Run) -> Mapping[str, Any]:
    assert _run.judged is not None
    recalls: Mapping[str, Any] = Figures.of(_run.judged, _run.queries).as_dict()['recall']
    return recalls


def _mistakes(decided: Decided, shown: Shown) -> None:
    say, run = words(), decided.run
    st.caption(say('worst mistakes'))
    worst = decided.worst()
    if not worst:
        st.success(say('no mistakes'))
        return
    _rows_to_explore([_mistake(run, row) for row in worst], worst, shown, f'worst {shown.key}')


def _mistake(run: Run, row: int) -> dict[str, str]:
    say = words()
    recognition, truth = run.recognition(row), run.truth(row)
    pose, best = recognition.pose, recognition.best
    apart_m = pose.distance_m(truth) if pose and truth else None
    return {
        say('frame'): str(row),
        say('accepted'): say('yes') if recognition.accepted else say('no'),
        say('distance'): number(apart_m, '.0f', f' {say("metres")}'),
        say('probability'): percent(recognition.probability),
        say('similarity'): number(best.similarity if best else None, '.3f'),
    }


def _rows_to_explore(
    table: list[dict[str, str]], rows: Sequence[int], shown: Shown, key: str
) -> None:
    """Show a table of frames; a frame that is chosen in it is opened in Explore."""
    say = words()
    event = st.dataframe(
        table,
        hide_index=True,
        height=ROWS,
        on_select='rerun',
        selection_mode='single-row',
        key=key,
    )
    picked = event['selection']['rows']
    if picked:
        choose_row(shown.key, int(rows[picked[0]]))
        st.caption(say('chosen in explore', frame=int(rows[picked[0]])))
    else:
        st.caption(say('choose a row'))


def _beside(decided: Decided, shown: Shown, found: Sequence[Shown]) -> None:
    """Compare a run with another one of the same drive."""
    say = words()
    rivals = [
        each
        for each in found
        if each.run is not None
        and each is not shown
        and len(np.intersect1d(each.run.stamps_ns, decided.run.stamps_ns))
    ]
    if not rivals:
        return
    st.subheader(say('side by side'))
    names = [each.name for each in rivals]
    at = st.selectbox(
        say('other results'), range(len(names)), format_func=lambda i: names[i], key='rival'
    )
    rival = rivals[at or 0]
    assert rival.run is not None
    other = decided_by(kept_rule(rival), rival)
    both = compare(decided, other)
    _verdicts(both)
    for column, which, side, run in zip(
        st.columns(2), (0, 1), (shown, rival), (decided.run, rival.run)
    ):
        with column:
            rows = (both.first, both.second)[which][both.only_right(which)].tolist()
            st.caption(say('only right', count=len(rows)))
            st.text(side.name)
            table = [_mistake(run, row) for row in rows]
            if rows:
                _rows_to_explore(table, rows, side, f'only {which} {shown.key} {rival.key}')


def _verdicts(both: Comparison) -> None:
    say = words()
    names = [say('right'), say('wrong'), say('refused')]
    rows = [
        {
            say('these results'): name,
            **{f'{say("other")}: {n}': int(v) for n, v in zip(names, row)},
        }
        for name, row in zip(names, both.table)
    ]
    st.dataframe(rows, hide_index=True)
