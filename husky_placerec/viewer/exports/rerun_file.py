"""Export to Rerun: a recording (.rrd) with a layout of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from husky_placerec.files import new_file
from husky_placerec.types import Pose
from husky_placerec.viewer.exports.frames import cameras_of, ExportedFrame
from husky_placerec.viewer.run import Run
import numpy as np

PLACE, TRUE, FOUND, OTHER = (150, 150, 150), (0, 114, 178), (204, 121, 167), (230, 159, 0)
ARROW_M = 3.0
RADIUS_M = 0.4


def write_rerun(path: Path, run: Run, frames: Iterable[ExportedFrame]) -> int:
    """
    Write a recording atomically, and return its number of frames.

    The timeline is `stamp`. `map/` has the places, the true and the recognised pose, the error
    and the candidates; `seen/` and `place/` the images; `plots/` the figures.
    """
    import rerun

    with new_file(path) as work:
        stream = rerun.RecordingStream('husky_placerec', send_properties=False)
        stream.save(work, default_blueprint=_layout(cameras_of(run)))
        known = run.places.poses[np.isfinite(run.places.poses[:, 0]), :3]
        stream.log('map/places', rerun.Points3D(known, colors=PLACE, radii=0.2), static=True)
        count = 0
        for frame in frames:
            _log(stream, frame)
            count += 1
        stream.flush()
        stream.disconnect()
    return count


def _log(stream: Any, frame: ExportedFrame) -> None:
    import rerun

    said, truth = frame.recognition, frame.truth
    stream.set_time('stamp', timestamp=np.datetime64(said.stamp_ns, 'ns'))
    for name, pose, colour in (('true', truth, TRUE), ('recognised', said.pose, FOUND)):
        stream.log(f'map/{name}', _arrow(pose, colour) if pose else rerun.Clear(recursive=False))
    if said.pose is not None and truth is not None:
        ends = [_position(truth), _position(said.pose)]
        stream.log('map/error', rerun.LineStrips3D([ends], colors=FOUND))
        stream.log('plots/error/metres', rerun.Scalars(said.pose.distance_m(truth)))
    else:
        stream.log('map/error', rerun.Clear(recursive=False))
    candidates = said.candidates
    stream.log(
        'map/candidates',
        rerun.Points3D(
            [_position(each.pose) for each in candidates],
            colors=OTHER,
            radii=RADIUS_M,
            labels=[f'{rank}: {c.similarity:.3f}' for rank, c in enumerate(candidates, 1)],
            show_labels=False,
        ),
    )
    figures = {
        'probability': said.probability,
        'accepted': float(said.accepted),
        'similarity': said.best.similarity if said.best else None,
    }
    for name, value in figures.items():
        if value is not None:
            stream.log(f'plots/decision/{name}', rerun.Scalars(value))
    if said.proof is not None:
        stream.log('plots/proof/proof', rerun.Scalars(said.proof))
    words = [said.state or '', 'accepted' if said.accepted else f'refused: {said.reason}']
    stream.log('log', rerun.TextLog(' '.join(filter(None, words))))
    for folder, photos in (('seen', frame.seen), ('place', frame.found)):
        for camera, photo in photos.items():
            image = rerun.EncodedImage(contents=photo.jpeg, media_type='image/jpeg')
            stream.log(f'{folder}/{camera}', image)


def _arrow(pose: Pose, colour: tuple[int, int, int]) -> Any:
    import rerun

    ahead = pose.rotation.apply([ARROW_M, 0.0, 0.0])
    return rerun.Arrows3D(
        vectors=[ahead], origins=[_position(pose)], colors=colour, radii=RADIUS_M / 2
    )


def _position(pose: Pose) -> tuple[float, float, float]:
    return pose.x, pose.y, pose.z


def _layout(cameras: Sequence[str]) -> Any:
    from rerun import blueprint

    pictures = [
        blueprint.Spatial2DView(origin=f'{folder}/{camera}', name=f'{folder} {camera}')
        for folder in ('seen', 'place')
        for camera in cameras
    ]
    plots = [
        blueprint.TimeSeriesView(origin=f'plots/{name}', name=name)
        for name in ('decision', 'error', 'proof')
    ]
    return blueprint.Blueprint(
        blueprint.Horizontal(
            blueprint.Vertical(
                blueprint.Spatial3DView(origin='map', name='map'), blueprint.Tabs(*plots)
            ),
            blueprint.Vertical(
                blueprint.Grid(*pictures, grid_columns=max(1, len(cameras))),
                blueprint.TextLogView(origin='log', name='decisions'),
                row_shares=[4, 1],
            ),
        )
    )
