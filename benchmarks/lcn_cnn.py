"""
A small convolutional network and its training, by which the protocols of drives are measured.

Grey images with local contrast normalisation, five convolutions, GeM pooling on a 2x4 grid, a
linear layer after batch normalisation: 0.38 M parameters for 160x96 pixels. Trained with InfoNCE,
then batch-hard triplets: from scratch the triplets alone would collapse. It is a yardstick for how
hard simulated drives are, not what a robot should use.

As in `python benchmarks/lcn_cnn.py weights.pt --drives drives --iterations 3000`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
import hashlib
import math
import multiprocessing
from pathlib import Path

import cv2
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.photographer import Photographer
from husky_placerec.campus.picture import Picture
from husky_placerec.progress import bar
import numpy as np
from numpy.typing import NDArray
from pytorch_metric_learning import losses, miners
import torch
from torch import nn
from torch.nn import functional

WIDTH, HEIGHT = 160, 96
GRID = (2, 4)
CONDITIONS = 'summer_day', 'night', 'winter_dusk', 'autumn_rain', 'winter_night', 'summer_dusk'
CAMPUSES = range(101, 110)
PLACES, IMAGES_A_PLACE = 14, 2  # of a batch
APART_M, NEAR_M = 20.0, 3.0  # two places; an image from its place
NCE_ONLY = 0.6  # share of the iterations before the triplets join


@dataclass(frozen=True)
class Drive:
    """A rendered drive at the network's size."""

    images: NDArray[np.uint8]  # [N, 2, H, W, 3]: front and back
    poses: NDArray[np.float64]  # [N, 7]


class LcnCnn(nn.Module):
    """The network: [B, 3, H, W] RGB of 0 to 1 in, [B, 128] unit vectors out."""

    def __init__(self, size: int = 128) -> None:
        super().__init__()
        widths, strides = (1, 24, 48, 96, 96, 128), (2, 2, 2, 2, 1)
        layers = zip(widths, widths[1:], strides)
        self.body = nn.Sequential(*(_convolution(*layer) for layer in layers))
        self.p = nn.Parameter(torch.tensor(3.0))
        cells = widths[-1] * GRID[0] * GRID[1]
        self.head = nn.Sequential(nn.BatchNorm1d(cells), nn.Linear(cells, size, bias=False))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.body(_contrast_normalized(images.mean(1, keepdim=True) / 0.226))
        powers = functional.adaptive_avg_pool2d(features.clamp(min=1e-3).pow(self.p), GRID)
        return functional.normalize(self.head(powers.pow(1 / self.p).flatten(1)), dim=1)


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _contrast_normalized(grey: torch.Tensor, window: int = 17) -> torch.Tensor:
    def blur(x: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(x, window, 1, window // 2, count_include_pad=False)

    deviation = blur((grey - blur(grey)) ** 2).sqrt()
    return (grey - blur(grey)) / (deviation + 0.06)


def describe(network: LcnCnn, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return [N, 2, D] unit vectors of [N, 2, H, W, 3] images."""
    network.eval()
    flat = torch.from_numpy(images.reshape(-1, HEIGHT, WIDTH, 3)).permute(0, 3, 1, 2)
    with torch.no_grad():
        parts = [network(part.float() / 255) for part in flat.split(128)]
    return torch.cat(parts).numpy().reshape(len(images), 2, -1)


def rendered(configs: Sequence[DriveConfig], folder: Path, workers: int = 2) -> list[Drive]:
    """Return drives, rendered now or kept in the folder from before."""
    folder.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, context) as pool, bar('Rendering', len(configs)) as shown:
        drives = []
        for drive in pool.map(_rendered, configs, [folder] * len(configs)):
            drives.append(drive)
            shown.update()
    return drives


def _rendered(config: DriveConfig, folder: Path) -> Drive:
    cv2.setNumThreads(1)
    config = replace(config, width=2 * WIDTH, height=2 * WIDTH * 9 // 16)
    path = folder / f'{drive_name(config)}.npz'
    if not path.exists():
        photographer = Photographer(config)
        frames = range(len(photographer.poses))
        images = [list(map(small, photographer.pictures(frame).values())) for frame in frames]
        poses = [timed.pose.as_array() for timed in photographer.poses]
        np.savez(path, images=np.array(images), poses=np.array(poses))
    with np.load(path) as stored:
        return Drive(stored['images'], stored['poses'])


def drive_name(config: DriveConfig) -> str:
    """Return a name that depends on everything that the drive does."""
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:12]
    return f'{config.seed}_{config.drive}_{config.condition}_{digest}'


def small(picture: Picture) -> NDArray[np.uint8]:
    """Return the image at the size of the network."""
    image = picture.image
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


class Sampler:
    """Draws batches: places far from each other, two images of each on drives that differ."""

    def __init__(self, campuses: Sequence[Sequence[Drive]], rng: np.random.Generator) -> None:
        self._campuses, self._rng = campuses, rng

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return [B, 2, 3, H, W] images of 0 to 1 and [B] numbers of their places."""
        rng, spots, images, labels = self._rng, [], [], []
        for place in range(PLACES):
            campus, mirrored = int(rng.integers(len(self._campuses))), rng.random() < 0.5
            drives = self._campuses[campus]
            spot = self._spot(drives, [at for *same, at in spots if same == [campus, mirrored]])
            spots.append((campus, mirrored, spot))
            chosen = rng.permutation(len(drives))[:IMAGES_A_PLACE]
            for drive in (drives[int(number)] for number in chosen):
                pair = drive.images[self._near(drive, spot)]
                images.append(self._shifted(pair[:, :, ::-1] if mirrored else pair))
                labels.append(place)
        pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 1, 4, 2, 3)
        return self._relit(pixels.float() / 255), torch.tensor(labels)

    def _spot(self, drives: Sequence[Drive], taken: Sequence[NDArray]) -> NDArray[np.float64]:
        while True:
            poses = drives[int(self._rng.integers(len(drives)))].poses
            spot: NDArray[np.float64] = poses[int(self._rng.integers(len(poses))), :2]
            if all(np.hypot(*(spot - other)) > APART_M for other in taken):
                return spot

    def _near(self, drive: Drive, spot: NDArray[np.float64]) -> int:
        distances = np.hypot(*(drive.poses[:, :2] - spot).T)
        near = np.flatnonzero(distances < NEAR_M)
        return int(self._rng.choice(near)) if len(near) else int(distances.argmin())

    def _shifted(self, pair: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._rng.random() < 0.4:
            return pair
        shift = int(self._rng.integers(-5, 6)), int(self._rng.integers(-8, 9))
        return np.roll(pair, shift, (1, 2))

    def _relit(self, images: torch.Tensor) -> torch.Tensor:
        def drawn(low: float, high: float, channels: int = 1) -> torch.Tensor:
            return torch.empty(len(images), 1, channels, 1, 1).uniform_(low, high)

        images = images.pow(drawn(0.7, 1.4)) * drawn(0.85, 1.15, 3) * drawn(0.7, 1.3)
        if self._rng.random() < 0.15:  # something hides a part
            for pair in images:
                top, left = int(self._rng.integers(60)), int(self._rng.integers(110))
                camera = int(self._rng.integers(2))
                pair[camera, :, top : top + 36, left : left + 50] = float(self._rng.random())
        return images.clamp(0, 1)


def train(campuses: Sequence[Sequence[Drive]], iterations: int) -> LcnCnn:
    """Return a network trained on drives, a sequence of them a campus."""
    torch.manual_seed(0)
    network, sampler = LcnCnn(), Sampler(campuses, np.random.default_rng(0))
    nce = losses.NTXentLoss(temperature=0.1)
    hardest, triplets = miners.BatchHardMiner(), losses.TripletMarginLoss(margin=0.5)
    optimizer = torch.optim.AdamW(network.parameters(), 1.5e-3, weight_decay=0.02)
    with bar('Training', iterations, ' iterations') as shown:
        for iteration in range(iterations):
            share = iteration / iterations
            rate = 1.5e-3 * min(1, (iteration + 1) / 60)
            optimizer.param_groups[0]['lr'] = rate * (0.5 * (1 + math.cos(math.pi * share)) + 0.01)
            images, labels = sampler.batch()
            network.train()
            halves = network(images.flatten(0, 1)).reshape(len(images), -1)
            fused = functional.normalize(halves, dim=1)
            loss = nce(fused, labels)
            if share > NCE_ONLY:
                loss = 0.2 * loss + triplets(fused, labels, hardest(fused, labels))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            shown.set_postfix(loss=f'{loss.item():.3f}', refresh=False)
            shown.update()
    return network


def training_drives() -> list[list[DriveConfig]]:
    """Return a whole round in six conditions on each of nine campuses, cameras alike."""
    return [
        [
            DriveConfig(
                seed=seed,
                drive=10 + number,
                condition=condition,
                length_m=750.0,
                identical_cameras=True,
            )
            for number, condition in enumerate(CONDITIONS)
        ]
        for seed in CAMPUSES
    ]


def main() -> None:
    """Render what is missing, train, and store the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('weights', type=Path, help='file to write')
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--iterations', type=int, default=3000)
    parser.add_argument('--render-only', action='store_true')
    args = parser.parse_args()
    plans = training_drives()
    drives = rendered([config for campus in plans for config in campus], args.drives)
    if args.render_only:
        return
    step = len(CONDITIONS)
    campuses = [drives[start : start + step] for start in range(0, len(drives), step)]
    network = train(campuses, args.iterations)
    torch.save(network.state_dict(), args.weights)
    count = sum(parameter.numel() for parameter in network.parameters())
    print(f'{args.weights}: {count / 1e6:.2f} M parameters')


if __name__ == '__main__':
    main()
