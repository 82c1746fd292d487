"""Precision over recall, and the reliability of stated probabilities."""

from __future__ import annotations

from husky_placerec.evaluation.metrics import Judged
from husky_placerec.evaluation.metrics.precision_recall import curve
from husky_placerec.recognition.calibrating.reliability import Reliability
from husky_placerec.viewer.deciding import Decided, right_poses, scores
from husky_placerec.viewer.figures.colours import BAD, GOOD, TRUE
from husky_placerec.viewer.figures.route import Words
import numpy as np
import plotly.graph_objects as go

HEIGHT = 270
MARGIN = {'l': 10, 'r': 10, 't': 30, 'b': 10}


def precision_recall_figure(decided: Decided, judged: Judged, by: str, words: Words) -> go.Figure:
    """
    Draw precision over recall for every threshold, and where the rule of a run is.

    :param by: BY_SIMILARITY or BY_PROBABILITY.
    """
    found = curve(
        scores(decided.run, by)[decided.run.known],
        right_poses(judged, by),
        int(judged.on_map.sum()),
    )
    figure = go.Figure(
        go.Scatter(
            x=found.recall,
            y=found.precision,
            text=[f'{value:.3f}' for value in found.thresholds],
            line={'color': TRUE, 'shape': 'hv'},
            name=words(by),
            hovertemplate=f'{words("threshold")} %{{text}}<br>{words("recall")} %{{x:.1%}}<br>'
            f'{words("precision")} %{{y:.1%}}<extra></extra>',
        )
    )
    counts = decided.counts
    if counts is not None and counts.precision is not None and counts.recall is not None:
        figure.add_scatter(
            x=[counts.recall],
            y=[counts.precision],
            mode='markers',
            marker={'size': 14, 'color': BAD, 'symbol': 'diamond'},
            name=words('now'),
            hovertemplate=f'{words("now")}<extra></extra>',
        )
    _squared(figure, words('recall'), words('precision'), words('precision over recall'))
    return figure


def reliability_figure(probability: np.ndarray, right: np.ndarray, words: Words) -> go.Figure:
    """
    Draw how often stated probabilities came true.

    :param probability: [N] stated, and `right` [N] what came true.
    """
    measured = Reliability.of(probability, right)
    rows = measured.as_json()
    figure = go.Figure(
        [
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode='lines',
                line={'dash': 'dot', 'color': 'grey'},
                name=words('perfect'),
                hoverinfo='skip',
            ),
            go.Scatter(
                x=[row['said'] for row in rows],
                y=[row['came_true'] for row in rows],
                mode='markers',
                marker={'size': [8 + 40 * row['share'] ** 0.5 for row in rows], 'color': GOOD},
                text=[f'{round(row["share"] * len(right))}' for row in rows],
                name=words('frames'),
                hovertemplate=f'{words("said")} %{{x:.1%}}<br>{words("came true")} %{{y:.1%}}<br>'
                f'{words("frames")}: %{{text}}<extra></extra>',
            ),
        ]
    )
    title = f'{words("reliability")}: {words("calibration error")} {measured.error:.3f}'
    _squared(figure, words('said'), words('came true'), title)
    return figure


def _squared(figure: go.Figure, across: str, upwards: str, title: str) -> None:
    figure.update_layout(
        height=HEIGHT,
        margin=MARGIN,
        title={'text': title, 'font': {'size': 14}},
        showlegend=False,
        xaxis={'title': across, 'range': [-0.02, 1.05], 'tickformat': '.0%'},
        yaxis={'title': upwards, 'range': [-0.02, 1.05], 'tickformat': '.0%'},
    )
