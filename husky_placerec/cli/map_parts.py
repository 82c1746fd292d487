"""`placerec map add-local`, `add-landmarks` and `add-texts`: parts that a map may have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    AllowOutsideOption,
    broken_share,
    BrokenOption,
    ConfigOption,
    KindOption,
    map_config,
    MapArgument,
    MAX_BROKEN,
    say,
    SetOption,
    StrictOption,
    tell,
    TrustOption,
    warn,
)
from husky_placerec.cli.map_changes import app
from husky_placerec.progress import progress
import typer

OwnDrivesArgument = Annotated[
    list[Path],
    typer.Argument(metavar='SOURCE...', help='The drives that the map was made of.'),
]


@app.command(
    'add-local',
    epilog='Example:\n\n  placerec map add-local campus.map drive_1',
)
def map_add_local(
    path: MapArgument,
    sources: OwnDrivesArgument,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
    trust: TrustOption = False,
) -> None:
    """
    Give a map local descriptors, by which candidates are ranked again.

    The drives that the map was made of have to be at hand. The map loses its calibration, because
    there is more evidence now: calibrate it again.
    """
    from husky_placerec.operations.local_descriptors import add_local
    from husky_placerec.placemap.loading import map_cameras

    done = add_local(
        path,
        sources,
        config=map_config(config, settings, map_cameras(path), trust, allow_outside),
        kind=kind,
        max_broken=broken_share(max_broken, strict),
        warn=warn,
        bars=progress,
    )
    assert done.local is not None
    size_mb = done.local.values.nbytes / 1e6
    say(f'{path}: local descriptors of {len(done)} places, {size_mb:.1f} MB')


@app.command(
    'add-landmarks',
    epilog='Examples:\n\n  placerec map add-landmarks campus.map drive_1\n\n'
    '  placerec map add-landmarks campus.map drive_1 --set key_points=sift',
)
def map_add_landmarks(
    path: MapArgument,
    sources: OwnDrivesArgument,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
) -> None:
    """
    Give a map landmarks, from which poses come in centimetres.

    The drives that the map was made of have to be at hand, with the intrinsics and the mounting of
    each camera. Poses of places that are noisy are refined.
    """
    from husky_placerec.operations.landmarks import add_landmarks
    from husky_placerec.placemap.loading import map_cameras

    done = add_landmarks(
        path,
        sources,
        config=map_config(config, settings, map_cameras(path), False, allow_outside),
        kind=kind,
        max_broken=broken_share(max_broken, strict),
        tell=tell,
        warn=warn,
        bars=progress,
    )
    assert done.landmarks is not None
    size_mb = done.landmarks.values.nbytes / 1e6
    say(f'{path}: landmarks of {len(done)} places, {size_mb:.1f} MB')


@app.command(
    'add-texts',
    epilog='Examples:\n\n  placerec map add-texts campus.map drive_1\n\n'
    '  placerec map add-texts campus.map drive_1 --set texts=labels\n\n'
    '  placerec map add-texts campus.map drive_1.mcap '
    '--set text_detector=PP-OCRv6_det_small.onnx',
)
def map_add_texts(
    path: MapArgument,
    sources: OwnDrivesArgument,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
) -> None:
    """
    Read the texts of signs at the places of a map, by OCR or as a track lists them.

    The drives that the map was made of have to be at hand. The map keeps its calibration.
    """
    from husky_placerec.operations.map_texts import add_texts
    from husky_placerec.placemap.loading import map_cameras

    done = add_texts(
        path,
        sources,
        config=map_config(config, settings, map_cameras(path), False, allow_outside),
        kind=kind,
        max_broken=broken_share(max_broken, strict),
        warn=warn,
        bars=progress,
    )
    assert done.texts is not None
    places = sum(map(bool, done.texts.of_places))
    say(f'{path}: {done.texts.count} texts at {places} of {len(done)} places')
