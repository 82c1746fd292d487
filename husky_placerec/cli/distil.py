"""`placerec distil`: teach a small network what a large one sees in the user's own drives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TYPE_CHECKING

from husky_placerec.cli.common import (
    AllowOutsideOption,
    ConfigOption,
    out,
    OverwriteOption,
    percent,
    say,
    SetOption,
    SOURCE_HELP,
)
from husky_placerec.errors import InputError
from husky_placerec.progress import progress
import typer

if TYPE_CHECKING:
    from husky_placerec.config import Config

EPILOG = (
    'Examples:\n\n'
    '  placerec distil megaloc drive_1 drive_2 drive_3 -o student.onnx\n\n'
    '  placerec distil teacher.yaml drive_1 drive_2 -o student.onnx -s backbone=mobilenetv2_100 '
    '-s weights=mobilenetv2_100.pth -s pooling=gem:3x5 -s input_width=160 -s input_height=96 '
    '--measure drive_3 drive_4\n\n'
    '  placerec map build drive_1 campus.map -s extractor=onnx -s weights=student.onnx'
)
STUDENT: dict[str, Any] = {  # of a configuration that names no network
    'backbone': 'mobilenetv2_100',
    'weights': 'hub',
    'pooling': 'gem:3x5',
    'input_width': 160,
    'input_height': 96,
}


def distil(
    teacher: Annotated[
        str,
        typer.Argument(
            metavar='TEACHER',
            help='A preset (placerec model list), an exported .onnx, or a parameter file .yaml.',
        ),
    ],
    sources: Annotated[
        list[Path],
        typer.Argument(metavar='SOURCE...', help=f'Drives; poses are not needed. {SOURCE_HELP}'),
    ],
    output: Annotated[
        Path, typer.Option('--output', '-o', metavar='OUT', help='File of the student, .onnx.')
    ],
    config: ConfigOption = None,
    settings: SetOption = None,
    training: Annotated[
        Path | None,
        typer.Option('--training', metavar='FILE', help='Settings of the training, .yaml.'),
    ] = None,
    measure: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar='MAP QUERY',
            help='Two drives with poses in one frame, on which the recall is measured.',
        ),
    ] = None,
    within: Annotated[
        float,
        typer.Option(metavar='METRES', help='Tolerance of the recall of --measure.', min=0.001),
    ] = 5.0,
    resume: Annotated[
        bool, typer.Option('--resume', help='Go on from the checkpoint beside OUT.')
    ] = False,
    allow_outside: AllowOutsideOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Teach a small network to see the similarities that a large one sees, in drives without poses.

    The parameters (-c, -s) are those of the student; by default it is MobileNetV2 at 160x96. The
    folder OUT with the ending .distillation has the checkpoint, the weights and the tables.
    """
    from husky_placerec.config import read_config

    try:
        from husky_placerec.training.distillation.run import distil as distil_by
    except ImportError as error:
        raise InputError(
            f'distillation: {error}; it needs torch and more (pip install '
            "'husky_placerec[train,export]')"
        ) from error
    from husky_placerec.training.distillation.settings import read_settings

    student = read_config(config, settings or [], allow_outside=allow_outside)
    if not (student.backbone or student.preset or student.weights):
        student = replace(student, **STUDENT)
    large = _teacher(teacher, student)
    weights = distil_by(
        large,
        student,
        sources,
        output,
        read_settings(training),
        resume=resume,
        overwrite=overwrite,
        say=say,
    )
    if measure is not None:
        _report(large, student, output, measure, within)
    say(f'{weights}: the weights; placerec map build ... -s extractor=onnx -s weights={output}')


def _teacher(teacher: str, student: Config) -> Config:
    """Return the configuration of the teacher, with the cameras of the student."""
    from husky_placerec.config import read_config

    if teacher.endswith(('.yaml', '.yml')):
        given = read_config(Path(teacher), [])
    elif teacher.endswith('.onnx'):
        given = read_config(None, ['extractor=onnx', f'weights={teacher}'])
    else:
        given = read_config(None, [f'preset={teacher}'])
    network = (
        *('extractor', 'preset', 'backbone', 'backbone_options', 'weights', 'normalization'),
        *('pooling', 'head', 'fusion', 'input_width', 'input_height'),
    )
    return replace(student, **{name: getattr(given, name) for name in network})


def _report(
    teacher: Config, student: Config, output: Path, measure: tuple[Path, Path], within: float
) -> None:
    """Print recall and time of teacher, student, and the student that was not taught."""
    from husky_placerec.operations.compare_extractors import worth_of
    from rich.table import Table

    cameras = replace(
        student,
        preset='',
        backbone='',
        backbone_options='',
        pooling='',
        head=0,
        normalization='',
        input_width=0,
        input_height=0,
    )
    methods = {
        'teacher': teacher,
        'student': replace(cameras, extractor='onnx', weights=str(output)),
        'student, not taught': student,
    }
    found = {
        name: worth_of(each, *measure, within_m=within, bars=progress)
        for name, each in methods.items()
    }
    table = Table(title=f'{measure[1]} on a map of {measure[0]}', title_justify='left')
    for column in ('network', f'recall@1 within {within:g} m', "of the teacher's", 'ms a frame'):
        table.add_column(column, justify='left' if column == 'network' else 'right')
    best = found['teacher'].recall
    for name, each in found.items():
        share = each.recall / best if best else None
        table.add_row(name, percent(each.recall), percent(share), f'{each.ms:.1f}')
    out.print(table)
