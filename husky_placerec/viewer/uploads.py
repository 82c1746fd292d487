"""Images and tables that someone uploads: decoded as images only, and never written to a disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import csv
from dataclasses import dataclass
import io
from pathlib import PurePosixPath

from husky_placerec.data.image_index import SUFFIXES
from husky_placerec.data.images import decode_file
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, Pixels, SECOND_NS

MOST_MB = 20  # of a file
MOST_ROWS = 500  # of a table
MOST_PIXELS = 50_000_000
MOST_IMAGES = 2 * MOST_ROWS


@dataclass(frozen=True)
class NamedFrame:
    """
    A row of a table of image names.

    :param files: names by camera, without their folders.
    """

    row: int
    files: Mapping[str, str]


def uploaded_frame(images: Mapping[str, tuple[str, bytes]], stamp_ns: int = 0) -> Frame[Pixels]:
    """
    Decode uploaded images.

    :param images: name and content by camera.
    :raises InputError: for a file that is too large, or no image; it names the file.
    """
    pixels = {camera: decoded(*file) for camera, file in images.items()}
    return Frame(stamp_ns, pixels, dict.fromkeys(pixels, stamp_ns))


def decoded(name: str, content: bytes) -> Pixels:
    """
    Decode one uploaded image into [H, W, 3] RGB.

    :raises InputError: for a file that is too large, or no image.
    """
    if len(content) > MOST_MB * 2**20:
        raise InputError(f'{name}: {len(content)} bytes; expected up to {MOST_MB} MB')
    try:
        return decode_file(content, name, MOST_PIXELS)
    except InputError as error:
        raise InputError(f'{name}: {error}') from error


def read_names(name: str, content: bytes, cameras: Sequence[str]) -> list[NamedFrame]:
    """
    Read a table of image names: a column a camera, as the CSV of the origin.

    A column belongs to the camera whose name it has in its own (`front_image` to `front`). Where
    no column names a camera, the columns with image names belong to the cameras in their order.

    :raises InputError: for a table without such a column; it names the file.
    """
    try:
        text = content.decode('utf-8-sig')
        separator = max(',;\t', key=text.partition('\n')[0].count)
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'{name}: cannot be read as CSV ({error})') from error
    if len(rows) < 2 or len(rows) > MOST_ROWS + 1:
        raise InputError(f'{name}: {len(rows)} lines; expected a header and 1 to {MOST_ROWS} rows')
    header, *body = rows
    columns = _columns_of(header, body[0], cameras)
    if not columns:
        raise InputError(
            f'{name}: found the columns {", ".join(header[:20])}; expected names of images in a '
            f'column a camera ({", ".join(cameras)})'
        )
    return [
        NamedFrame(number, {c: _base(row[at]) for c, at in columns.items() if _has(row, at)})
        for number, row in enumerate(body, 2)
        if row
    ]


def frames_of(
    rows: Sequence[NamedFrame], uploaded: Mapping[str, bytes]
) -> Sequence[tuple[NamedFrame, Mapping[str, tuple[str, bytes]]]]:
    """
    Return each row with the images that were uploaded for it.

    :param uploaded: content by name.
    :raises InputError: where no image of any row was uploaded; it names the first one.
    """
    found = [
        (row, {c: (file, uploaded[file]) for c, file in row.files.items() if file in uploaded})
        for row in rows
    ]
    if not any(images for _, images in found):
        first = next((file for row in rows for file in row.files.values()), 'none')
        raise InputError(f'the table names {first} and others; expected these images beside it')
    return found


def stamps_of(count: int) -> list[int]:
    """Return a stamp in ns for each row, a second apart: a table has none."""
    return [number * SECOND_NS for number in range(count)]


def _columns_of(
    header: Sequence[str], first: Sequence[str], cameras: Sequence[str]
) -> dict[str, int]:
    with_images = [at for at, text in enumerate(first[: len(header)]) if _is_image(text)]
    named = {
        camera: next((at for at in with_images if camera in header[at].lower()), None)
        for camera in cameras
    }
    found = {camera: at for camera, at in named.items() if at is not None}
    return found or dict(zip(cameras, with_images))


def _is_image(text: str) -> bool:
    return PurePosixPath(text.strip().lower()).suffix in SUFFIXES


def _base(text: str) -> str:
    """Return the name of a file without its folders, of any system."""
    return PurePosixPath(text.strip().replace('\\', '/')).name


def _has(row: Sequence[str], at: int) -> bool:
    return at < len(row) and bool(row[at].strip())
