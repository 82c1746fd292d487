"""
The view that all cameras shall share: whether a virtual pinhole is needed, and its focal length.

A front and a back camera of different focal lengths show the same place at different scales, and a
lens with distortion bends it. Where the intrinsics are known, every image can be resampled to the
view of one virtual pinhole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

from husky_placerec.cameras.intrinsics import Intrinsics
from husky_placerec.errors import InputError

UNLIKE = 0.05  # relative difference of focal lengths, from which views differ
BENT = 0.02  # shift of a border pixel, in widths of the image, from which a view is distorted
WIDE_DEG = 120.0  # field of view from which only the middle of a view is used
MIDDLE_DEG = 95.0  # that middle
LEAST_FILLED = 0.7  # share of the width and of the height of a view that a camera must fill
FINE = 200  # rays along the middle lines of a view, to measure how much of it a camera fills
GRID = 48  # rays across a view, to find whether a camera fills it
CLEARANCE = 1e-6  # of a focal length, for the rounding of rays at the border
Size = tuple[int, int]  # width and height, px


@dataclass(frozen=True)
class Choice:
    """
    The choice of a virtual pinhole.

    :param focal: focal length in widths of the image; 0: none.
    :param reason: why, in words.
    """

    focal: float
    reason: str

    def __str__(self) -> str:
        if not self.focal:
            return f'none: {self.reason}'
        degrees = math.degrees(2 * math.atan(0.5 / self.focal))
        return f'focal length {self.focal:g} widths ({degrees:.0f} degrees): {self.reason}'


def choose_view(cameras: Mapping[str, Intrinsics | None], size: Size) -> Choice:
    """
    Return the virtual pinhole that the cameras of a robot need.

    There is none where a camera is not known, or where all views are alike and straight. Its focal
    length is the least with which every camera fills the whole view. Of a lens of over 120 degrees
    it takes the middle 95.

    :param size: width and height of the input of the descriptor.
    """
    unknown = [name for name, lens in cameras.items() if lens is None]
    if unknown:
        return Choice(0.0, f'the intrinsics of {", ".join(unknown)} are not known')
    known = {name: lens for name, lens in cameras.items() if lens is not None}
    reason = '; '.join(filter(None, (_unlike(known), _bent(known))))
    if not reason:
        return Choice(0.0, 'the views of the cameras are alike')
    focal = max(covering_focal(lens, size) for lens in known.values())
    return Choice(round(focal, 3), reason)


def alike(lens: Intrinsics, other: Intrinsics) -> bool:
    """Return whether two cameras show a place alike, so that resampling would change little."""
    views = {'one': lens, 'other': other}
    return not (_unlike(views) or _bent(views))


def pinhole_view(focal: float, size: Size) -> Intrinsics:
    """Return the intrinsics of a virtual pinhole; `focal` is in widths of its image."""
    width, height = size
    return Intrinsics(focal * width, focal * width, width / 2, height / 2, width, height)


def filled(lens: Intrinsics, view: Intrinsics) -> float:
    """Return the share of a view's width or of its height that a camera fills: the lesser."""
    fine = view.scaled(FINE, FINE).rays()
    across, down = fine[FINE // 2], fine[:, FINE // 2]
    return min(float(lens.sees(line).mean()) for line in (across, down))


def require_filled(camera: str, lens: Intrinsics, view: Intrinsics) -> None:
    """
    Check that a camera fills enough of a view.

    :raises InputError: that names the camera.
    """
    share = filled(lens, view)
    if share < LEAST_FILLED:
        raise InputError(
            f'camera {camera}: its images of {lens.field_of_view_deg:.0f} degrees fill '
            f'{100 * share:.0f} % of the width or height of the view of '
            f'{view.field_of_view_deg:.0f} degrees that the map has; expected at least '
            f'{100 * LEAST_FILLED:.0f} %: use a wider lens, or a map of a longer pinhole_focal'
        )


def covering_focal(lens: Intrinsics, size: Size) -> float:
    """
    Return the shortest focal length of a virtual pinhole that a camera fills, in image widths.

    Of a lens of over 120 degrees it is that of the middle 95 degrees, if the lens fills that.
    """
    least = 0.05
    if lens.field_of_view_deg > WIDE_DEG:
        least = 0.5 / math.tan(math.radians(MIDDLE_DEG / 2))
    most = least
    while not _covers(lens, most, size) and most < 100:
        most *= 1.5
    if most == least:
        return least
    while most - least > 1e-5:
        middle = (least + most) / 2
        least, most = (least, middle) if _covers(lens, middle, size) else (middle, most)
    return most


def _covers(lens: Intrinsics, focal: float, size: Size) -> bool:
    view = _coarse(pinhole_view(focal * (1 + CLEARANCE), size))
    # Rays through the edges of the view, not through the middles of its coarse pixels.
    wider = (view.width / (view.width - 1), view.height / (view.height - 1), 1.0)
    return bool(lens.sees(view.rays() * wider).all())


def _coarse(view: Intrinsics) -> Intrinsics:
    """Return a view with few pixels."""
    return view.scaled(GRID, max(2, round(GRID * view.height / view.width)))


def _unlike(cameras: Mapping[str, Intrinsics]) -> str:
    """Return how the focal lengths differ; empty where they hardly do."""
    focals = {name: _focal_lengths(lens) for name, lens in cameras.items()}
    for way in (0, 1):
        lengths = {name: focal[way] for name, focal in focals.items()}
        short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        if lengths[long] > lengths[short] * (1 + UNLIKE):
            unit = ('widths', 'heights')[way]
            return (
                f'the focal length of {short} is {lengths[short]:.3f} {unit}, '
                f'of {long} {lengths[long]:.3f}'
            )
    return ''


def _bent(cameras: Mapping[str, Intrinsics]) -> str:
    """Return which camera has the most distortion; empty where none has much."""
    shifts = {name: lens.border_shift for name, lens in cameras.items() if not lens.is_straight}
    if not shifts or max(shifts.values()) <= BENT:
        return ''
    most = max(shifts, key=shifts.__getitem__)
    lens = cameras[most]
    return (
        f'the distortion of {most} ({lens.model}, {lens.field_of_view_deg:.0f} degrees) moves '
        f'its border by {100 * shifts[most]:.0f} % of the width'
    )


def _focal_lengths(lens: Intrinsics) -> tuple[float, float]:
    """Return the focal lengths of the upright image, in its widths and heights."""
    lengths = lens.fx / lens.width, lens.fy / lens.height
    return lengths if lens.turns % 2 == 0 else (lengths[1], lengths[0])
