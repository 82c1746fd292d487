"""The drives of the demo; they are rendered once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
import hashlib
import json
from pathlib import Path

from husky_placerec import __version__
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.recording import write_drive
from husky_placerec.progress import slow_start_bar

# The map is of a summer day. The robot returns on a winter dusk, and then in the other direction.
# Both times it drives on another line, meets other traffic, and drives beyond the map. Its cameras
# are identical, and no row of houses repeats.
CAMPUS = DriveConfig(seed=1, aliasing=0.0, identical_cameras=True)
MAPPED = replace(CAMPUS, drive=0, condition='summer_day', length_m=330.0, step_m=2.0)
DRIVEN = {
    'winter dusk': replace(CAMPUS, drive=1, condition='winter_dusk', length_m=420.0),
    'reverse': replace(CAMPUS, drive=2, condition='summer_day', length_m=420.0, reverse=True),
}


@dataclass(frozen=True)
class Drives:
    """Folders of the bags."""

    mapped: Path
    driven: Mapping[str, Path]


def prepare(folder: Path) -> Drives:
    """Render the missing drives, with progress bars."""
    paths = {name: _rendered(folder, name, c) for name, c in {'mapped': MAPPED, **DRIVEN}.items()}
    return Drives(paths.pop('mapped'), paths)


def _rendered(folder: Path, name: str, config: DriveConfig) -> Path:
    # The name contains a hash of the configuration, so that a changed demo renders anew.
    about = json.dumps([__version__, asdict(config)])
    digest = hashlib.sha256(about.encode()).hexdigest()[:8]
    path = folder / f'{name.replace(" ", "_")}-{digest}'
    if path.exists():
        return path
    with slow_start_bar(f'Rendering the drive: {name}', 'compiling') as show:
        write_drive(path, config, progress=show)
    return path
