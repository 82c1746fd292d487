"""Measure how reliable the answers of a map are, and store the calibration in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from husky_placerec.config import Config, make_config
from husky_placerec.data.source import open_source
from husky_placerec.operations.drives import describe_drive, describe_unknown, DriveOptions
from husky_placerec.operations.key_points import sights_for
from husky_placerec.operations.reading import tell_odometry
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.optional import require
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.storage import edit_map
from husky_placerec.recognition.calibrating.calibrate import calibrate, drive_of, itself
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.prior import shipped_prior


def calibrate_map(
    path: Path,
    source: Path | None = None,
    *,
    unknown: Sequence[Path] = (),
    config: Config | None = None,
    options: DriveOptions = DriveOptions(skip_unposed=True),
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Calibration:
    """
    Calibrate a map by a drive, and store the calibration in the map.

    :param source: a second drive on the mapped roads; None: the map itself is the drive, which
        knows no other light.
    :param unknown: drives off the map, without poses.
    :param config: parameters of the decision; by default those of the map's cameras.
    :param options: how to read `source`.
    :raises InputError: for drives that cannot be read, never meet the map or are never recognised;
        the map then stays as it was.

    >>> from pathlib import Path
    >>> made = calibrate_map(Path('campus.map'), Path('drive_2'))  # doctest: +SKIP
    >>> made.kind  # doctest: +SKIP
    'own'
    """
    require('sklearn')
    place_map = load_map(path)
    config = config or make_config({'cameras': list(place_map.spec.sees)})
    drives = []
    if source is None:
        warn('no second drive: what is measured knows no other light than the map; weaker')
        drives.append(itself(place_map))
    else:
        described = describe_drive(
            source, config, options, like=place_map, tell=tell, warn=warn, bars=bars
        )
        with open_source(source, options.kind, options.max_broken) as drive:
            told = drive.problems.lines()  # by describe_drive
            odometry = drive.odometry(config.odometry_topic)
            for line in drive.problems.lines():
                if line not in told:
                    warn(f'{drive.path}: {line}')
            tell_odometry(drive, odometry, described.places.stamps_ns, tell)
        sights = sights_for(
            place_map,
            source,
            config,
            described.places.stamps_ns,
            kind=options.kind,
            max_broken=options.max_broken,
            bars=bars,
        )
        drives.append(drive_of(described, odometry, sights))
    for each in unknown:
        elsewhere = describe_unknown(
            each,
            config,
            place_map,
            max_broken=options.max_broken,
            tell=tell,
            warn=warn,
            bars=bars,
        )
        seen = sights_for(
            place_map,
            each,
            config,
            elsewhere.stamps_ns,
            max_broken=options.max_broken,
            bars=bars,
        )
        drives.append(replace(elsewhere, sights=seen))
    made = calibrate([Setting(place_map, tuple(drives))], config, prior=shipped_prior(), bars=bars)

    def with_calibration(current: PlaceMap) -> PlaceMap:
        made.require_of(current)
        return current.calibrated(made.as_json())

    edit_map(path, with_calibration)
    return made
