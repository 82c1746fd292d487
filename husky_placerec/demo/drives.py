"""The drives of the demo: rendered once, then kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
import hashlib
import json
from pathlib import Path

from husky_placerec import __version__
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.recording import write_drive
from husky_placerec.progress import bar

# The map is of a summer day. The robot comes back at dusk in winter, and then the other way; both
# times it holds another line, meets other cars and people, and drives beyond the map, where all
# is unknown. Its cameras are alike, since to HOG a back camera of another focal length than the
# front one's shows another street; and no row of houses repeats elsewhere.
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
    """Render the drives that are not there yet, with progress bars."""
    paths = {name: _rendered(folder, name, c) for name, c in {'mapped': MAPPED, **DRIVEN}.items()}
    return Drives(paths.pop('mapped'), paths)


def _rendered(folder: Path, name: str, config: DriveConfig) -> Path:
    # Named by what it is made of, so that a change of the demo renders anew.
    about = json.dumps([__version__, asdict(config)])
    digest = hashlib.sha256(about.encode()).hexdigest()[:8]
    path = folder / f'{name.replace(" ", "_")}-{digest}'
    if path.exists():
        return path
    with bar(f'Rendering the drive: {name}') as shown:

        def show(done: int, total: int) -> None:
            shown.total = total
            shown.update(done - shown.n)

        write_drive(path, config, progress=show)
    return path
