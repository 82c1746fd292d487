"""The map of the route: places, frames by outcome, and the chosen frame with its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from husky_placerec.types import Candidate, Floats, GeoOrigin, Indices
from husky_placerec.viewer.deciding import Decided, OUTCOMES
from husky_placerec.viewer.figures.colours import GOOD, MARKS, PLACES, plain, RECOGNISED, TRUE
from husky_placerec.viewer.places import ShownPlaces
import numpy as np
import plotly.graph_objects as go

FEW = 1000  # points that are drawn anew for each frame, and without WebGL
MOST_DRAWN = 50_000  # places; of more every n-th is drawn
NEAR_M, MOST_NEAR = 60.0, 300  # around a chosen frame
MOST_TRACKS = 12  # with a colour of their own
MARGIN = {'l': 0, 'r': 0, 't': 0, 'b': 0}
# maplibre has no hollow marks and no crosses of its own; there the colour alone tells.
Words = Callable[[str], str]


@dataclass(frozen=True)
class Canvas:
    """
    Where points are drawn: in metres, or on the Earth.

    :param origin: draw over OpenStreetMap, with the frame at this origin; None: plain metres.
    :param theme: 'light' or 'dark'.
    :param many: draw by WebGL, which takes its time to begin but draws 100,000 points.
    """

    words: Words
    theme: str = 'light'
    origin: GeoOrigin | None = None
    height: int = 430
    many: bool = False

    def holding(self, count: int) -> Canvas:
        """Return the canvas for a number of points."""
        return replace(self, many=count > FEW)

    def points(self, at: Floats, mark: Mapping[str, object], **more: object) -> go.Scattergl:
        """Return a trace of points or a line through [N, 2] x and y in metres."""
        x, y = at[:, 0], at[:, 1]
        if self.origin is None:
            kind = go.Scattergl if self.many else go.Scatter
            return kind(x=x, y=y, **_marked(mark, more))
        import pymap3d  # imported on demand: most maps have no geographic origin

        latitude, longitude, _ = pymap3d.enu2geodetic(
            x, y, np.zeros(len(x)), self.origin.latitude, self.origin.longitude, 0.0
        )
        flat = {key: value for key, value in mark.items() if key in ('size', 'color', 'opacity')}
        return go.Scattermap(lat=latitude, lon=longitude, **_marked(flat, more))

    def figure(self, traces: Sequence[object], around: Floats) -> go.Figure:
        """Return the figure of traces, with `around` [N, 2] in sight."""
        figure = go.Figure(traces)
        figure.update_layout(
            margin=MARGIN,
            height=self.height,
            dragmode='pan',
            clickmode='event+select',
            hovermode='closest',
            uirevision='stays',  # zoom and pan stay when another frame is chosen
            legend={'orientation': 'h', 'y': -0.08, 'yanchor': 'top', 'itemsizing': 'constant'},
        )
        if self.origin is None:
            metres = self.words('metres')
            figure.update_xaxes(title=None, ticksuffix=f' {metres}', zeroline=False)
            figure.update_yaxes(title=None, scaleanchor='x', zeroline=False)
        else:
            figure.update_layout(map=self._view(around))
        return figure

    def _view(self, around: Floats) -> dict[str, object]:
        trace = self.points(around, {})
        low, high = np.nanmin(around, axis=0), np.nanmax(around, axis=0)
        across_m = max(20.0, float((high - low).max()))
        # At zoom 0 a map of 512 pixels is 40,000 km wide, at each further one half of it.
        zoom = float(np.log2(4e7 * self.height / 512 / (1.3 * across_m)))
        return {
            'style': 'open-street-map',
            'center': {'lat': _middle(trace.lat), 'lon': _middle(trace.lon)},
            'zoom': min(zoom, 20.0),
        }


def route_figure(
    decided: Decided,
    canvas: Canvas,
    row: int | None = None,
    candidates: Sequence[Candidate] = (),
) -> go.Figure:
    """
    Draw a run; `customdata` of a point is its row, and of a place `-1 - place`.

    :param row: the chosen frame; None: none.
    :param candidates: its other candidates.
    """
    run = decided.run
    canvas = canvas.holding(len(run) + len(run.places))
    traces = [_places(run.places, canvas)]
    outcomes = decided.outcomes
    for outcome in OUTCOMES:
        rows = np.flatnonzero(outcomes == outcome)
        if len(rows):
            traces.append(_frames(run.at, rows, outcome, canvas))
    if row is not None:
        traces += _chosen(decided, row, candidates, canvas)
    around = np.concatenate([run.at, run.places.poses[:, :2]])
    return canvas.figure(traces, around[np.isfinite(around).all(axis=1)])


def near_figure(
    decided: Decided, canvas: Canvas, row: int, candidates: Sequence[Candidate] = ()
) -> go.Figure:
    """
    Draw what is around a chosen frame and its answer, at most some hundred points.

    A map of many points is not drawn anew for each frame: this small one is drawn beside it.
    """
    run = decided.run
    ends = np.stack([run.truths[row], run.estimates[row]])
    ends = ends[np.isfinite(ends).all(axis=1)]
    traces = []
    if len(ends):
        middle, apart_m = ends.mean(axis=0), float(np.ptp(ends, axis=0).max())
        reach_m = max(NEAR_M, apart_m)
        for at, mark in (
            (run.places.poses[:, :2], {'size': 9, 'color': PLACES[canvas.theme]}),
            (run.at, {'size': 5, 'color': GOOD}),
        ):
            apart = np.abs(at - middle).max(axis=1)
            rows = np.flatnonzero(apart <= reach_m)
            rows = rows[:: max(1, -(-len(rows) // MOST_NEAR))]
            traces.append(canvas.points(at[rows], mark, showlegend=False, hoverinfo='skip'))
    traces += _chosen(decided, row, candidates, canvas)
    figure = canvas.figure(traces, ends)
    figure.update_layout(showlegend=False, uirevision=row)
    return figure


def map_figure(places: ShownPlaces, canvas: Canvas, place: int | None = None) -> go.Figure:
    """Draw the places of a map, each drive in a colour of its own."""
    canvas = canvas.holding(len(places))
    tracks = np.asarray(places.tracks)
    names = list(dict.fromkeys(places.tracks))
    traces = []
    for name in names if len(names) <= MOST_TRACKS else [None]:
        rows = np.arange(len(places)) if name is None else np.flatnonzero(tracks == name)
        rows = _thinned(rows)
        label = canvas.words('places') if name is None else plain(name)
        traces.append(
            canvas.points(
                places.poses[rows, :2],
                {'size': 7},
                customdata=-1 - rows,
                name=label,
                hovertemplate=f'{canvas.words("place")} %{{text}}<extra>{label}</extra>',
                text=list(map(str, rows)),
            )
        )
    if place is not None:
        at = places.poses[[place], :2]
        name = canvas.words('chosen place')
        traces.append(_ring(canvas, at, TRUE, name))
    return canvas.figure(traces, places.poses[:, :2])


def _places(places: ShownPlaces, canvas: Canvas) -> object:
    rows = _thinned(np.flatnonzero(np.isfinite(places.poses[:, 0])))
    label = canvas.words('places')
    return canvas.points(
        places.poses[rows, :2],
        {'size': 10, 'color': PLACES[canvas.theme], 'opacity': 0.8},
        customdata=-1 - rows,
        name=label,
        hovertemplate=f'{canvas.words("place")} %{{text}}<extra></extra>',
        text=list(map(str, rows)),
    )


def _frames(at: Floats, rows: Indices, outcome: int, canvas: Canvas) -> object:
    mark, label = MARKS[outcome], canvas.words(f'outcome {OUTCOMES[outcome]}')
    return canvas.points(
        at[rows],
        {'size': mark.size, 'color': mark.colour, 'symbol': mark.symbol},
        customdata=rows,
        name=label,
        hovertemplate=f'{canvas.words("frame")} %{{customdata}}<extra>{label}</extra>',
    )


def _chosen(
    decided: Decided, row: int, candidates: Sequence[Candidate], canvas: Canvas
) -> list[object]:
    """Return the marks of a frame; a click goes through them to the frame below."""
    run, words = decided.run, canvas.words
    true, found = run.truths[[row]], run.estimates[[row]]
    traces = []
    if candidates:
        at = np.array([(c.pose.x, c.pose.y) for c in candidates]).reshape(-1, 2)
        mark = {'size': 12, 'color': RECOGNISED, 'symbol': 'diamond-open', 'opacity': 0.7}
        name = words('other candidates')
        traces.append(canvas.points(at, mark, name=name, hoverinfo='skip'))
    if np.isfinite([*true[0], *found[0]]).all():
        line = {'color': RECOGNISED, 'width': 3}
        ends = np.concatenate([true, found])
        more = {'mode': 'lines', 'line': line, 'showlegend': False, 'hoverinfo': 'skip'}
        traces.append(canvas.points(ends, {}, **more))
    if np.isfinite(found[0]).all():
        mark = {'size': 15, 'color': RECOGNISED, 'symbol': 'diamond'}
        traces.append(canvas.points(found, mark, name=words('recognised'), hoverinfo='skip'))
    if np.isfinite(true[0]).all():
        traces.append(_ring(canvas, true, TRUE, words('true')))
    return traces


def _ring(canvas: Canvas, at: Floats, colour: str, name: str) -> object:
    mark = {'size': 20, 'color': colour, 'symbol': 'circle-open', 'line': {'width': 4}}
    return canvas.points(at, mark, name=name, hoverinfo='skip')


def _marked(mark: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments of a trace; a point that is not selected does not fade."""
    steady = {'selected': {'marker': {'opacity': 1}}, 'unselected': {'marker': {'opacity': 1}}}
    if more.get('mode') == 'lines':
        return dict(more)
    return {'mode': 'markers', 'marker': dict(mark), **steady, **more}


def _thinned(rows: Indices) -> Indices:
    return rows[:: max(1, -(-len(rows) // MOST_DRAWN))]


def _middle(values: object) -> float:
    found = np.asarray(values, np.float64)
    return float((np.nanmin(found) + np.nanmax(found)) / 2)
