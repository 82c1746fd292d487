"""An ablation from grid to table, cell by cell; each finished cell is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, replace
import json
from pathlib import Path

from husky_placerec.ablation.grid import Cell, Grid, ZCA
from husky_placerec.ablation.network import load_trained, measure_ms, NetworkDescriber, train
from husky_placerec.ablation.protocol import (
    Campus,
    chance_recalls,
    describe_by_pixels,
    fuse_by_concatenation,
    measure_recalls,
)
from husky_placerec.ablation.table import as_csv, as_markdown, format_rows, Row
from husky_placerec.descriptor.network import DescriptorNetwork, make_network
from husky_placerec.descriptor.pixels import SIZE
from husky_placerec.descriptor.preparation import Preparation
from husky_placerec.descriptor.spec import DescriptorSpec, resolve_spec
from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.output_folder import check_output_folder, mark_folder, remove_own
from husky_placerec.placemap.building import opposite_cameras
from husky_placerec.progress import bar
from husky_placerec.training.checkpoint import WEIGHTS
from husky_placerec.training.drives import Drive, load_drive, read_group
from husky_placerec.training.recipe import Groups
import torch

CELLS, NETWORKS, FRAMES = 'cells', 'networks', 'frames'
# Patterns of the files of finished cells, and of all files of an ablation.
FINISHED = f'{CELLS}/*.json', f'{NETWORKS}/*/{WEIGHTS}'
WRITTEN = (*FINISHED, f'{FRAMES}/*', 'table.md', 'table.csv', '.table.*.????????', '*/.*.????????')
Say = Callable[[str], None]


def ablate(
    grid: Grid, output: Path, *, resume: bool = False, overwrite: bool = False, say: Say
) -> list[Row]:
    """
    Train and measure every cell; the output folder gets table.md, table.csv and the networks.

    :param resume: keep the finished cells whose grid and recipe have not changed.
    :param say: prints a line.
    :return: the rows of the table.
    :raises InputError: for networks that cannot be made and drives that cannot be used, before
        anything is trained; and for a loss that is not finite.
    """
    if not resume:
        check_output_folder(output, overwrite, WRITTEN)
    ablation = _Ablation(grid, output, say)
    if not resume:
        remove_own(output, FINISHED)
    mark_folder(output)
    return ablation.run()


class _Ablation:
    """An ablation with its drives, which are read once for all cells."""

    def __init__(self, grid: Grid, output: Path, say: Say) -> None:
        self.grid, self.output, self.say = grid, output, say
        torch.set_num_threads(grid.recipe.parameters.threads)
        self._check()
        self._tracks = {
            groups: [
                read_group(group, grid.recipe.parameters, grid.recipe.positive_m)
                for group in groups
            ]
            for groups in (grid.recipe.drives, grid.recipe.validation)
        }
        self._campuses: dict[float, list[Campus]] = {}
        self._to_train_on: list[list[Drive]] = []  # loaded when the first network is trained

    def run(self) -> list[Row]:
        """Return the rows of the table: the baselines, then the cells."""
        cells = self.grid.cells
        rows = self._baselines()
        with bar('Cells', len(cells), ' cells') as shown:
            for cell in cells:
                rows.append(self._row(cell))
                self.say(' | '.join(format_rows(rows)[-1]))
                write_atomic(self.output / 'table.md', as_markdown(rows).encode())
                write_atomic(self.output / 'table.csv', as_csv(rows).encode())
                shown.update()
        return rows

    def _check(self) -> None:
        """Make every network once, so that an error comes before the long training."""
        for cell in self.grid.cells:
            Preparation.of(self._spec(cell), self.grid.config(cell))
        for cell in dict.fromkeys(map(self.grid.training_cell, self.grid.cells)):
            make_network(self._spec(cell))

    def _baselines(self) -> list[Row]:
        base = self.grid.base
        spec, campuses = self._spec(base), self._validation_campuses(base)
        opposites = opposite_cameras(self.grid.recipe.parameters)
        pixels = measure_recalls(
            campuses, describe_by_pixels, fuse_by_concatenation, opposites, whitened=False
        )
        random = make_network(replace(spec, weights='random'))
        return [
            Row(('chance',), chance_recalls(campuses)),
            Row(('raw pixels',), pixels, 0, SIZE[0] * SIZE[1] * len(spec.cameras)),
            replace(self._measure(base, random), parts=('base, random weights',)),
        ]

    def _row(self, cell: Cell) -> Row:
        """Measure a cell, or read its stored row."""
        path = self.output / CELLS / f'{self.grid.file_name(cell)}.json'
        if path.is_file():
            stored = read_json(path)
            return Row(tuple(stored.pop('parts')), **stored)
        row = self._measure(cell, self._network(cell))
        write_atomic(path, json.dumps(asdict(row), indent=1).encode())
        return row

    def _network(self, cell: Cell) -> DescriptorNetwork:
        """Train a cell's network, or load it where it was trained already."""
        trained = self.grid.training_cell(cell)
        folder = self.output / NETWORKS / self.grid.file_name(trained)
        config, spec = self.grid.config(trained), self._spec(trained)
        if not (folder / WEIGHTS).is_file():
            recipe = replace(self.grid.recipe, parameters=config)
            title = f'{trained.backbone}, {trained.pooling}, {trained.fusion}'
            try:
                train(spec, config, recipe, self._training_drives(trained), folder, title)
            except InputError as error:
                raise InputError(f'{title}: {error}; --resume keeps the finished cells') from error
        return load_trained(spec, folder)

    def _measure(self, cell: Cell, network: DescriptorNetwork) -> Row:
        config, spec = self.grid.config(cell), self._spec(cell)
        ms = measure_ms(network, spec)
        describer = NetworkDescriber(network.to(self.grid.recipe.device), cell.fusion)
        recalls = measure_recalls(
            self._validation_campuses(cell),
            describer.describe,
            describer.fuse,
            opposite_cameras(config),
            cell.whitening == ZCA,
        )
        parameters = sum(each.numel() for each in network.parameters())
        size = network.size * len(spec.with_fused_rows().cameras)
        return Row(tuple(map(str, astuple(cell))), recalls, parameters, size, ms)

    def _spec(self, cell: Cell) -> DescriptorSpec:
        return resolve_spec(self.grid.config(cell), None)

    def _training_drives(self, cell: Cell) -> list[list[Drive]]:
        if not self._to_train_on:
            self._to_train_on = self._load(self.grid.recipe.drives, cell)
        return self._to_train_on

    def _validation_campuses(self, cell: Cell) -> Sequence[Campus]:
        focal = cell.pinhole_focal  # the images depend on this part alone
        if focal not in self._campuses:
            groups = self._load(self.grid.recipe.validation, cell)
            self._campuses[focal] = [Campus.of(group) for group in groups]
        return self._campuses[focal]

    def _load(self, groups: Groups, cell: Cell) -> list[list[Drive]]:
        config, spec, folder = self.grid.config(cell), self._spec(cell), self.output / FRAMES
        return [[load_drive(t, config, spec, folder) for t in g] for g in self._tracks[groups]]
