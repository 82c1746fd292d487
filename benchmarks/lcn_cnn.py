"""
A small convolutional network and its training, by which the protocols of drives are measured.

The package's own backbone `lcn_cnn`, GeM pooling on a 2x4 grid and a head: 0.38 M parameters for
160x96 pixels. Trained by the package with InfoNCE, then batch-hard triplets: from scratch the
triplets alone would collapse. It is a yardstick for how hard simulated drives are, not what a
robot should use.

As in `python benchmarks/lcn_cnn.py weights.safetensors --drives drives --iterations 3000`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
import hashlib
import multiprocessing
from pathlib import Path

import cv2
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.photographer import Photographer
from husky_placerec.campus.picture import Picture
from husky_placerec.config import make_config
from husky_placerec.descriptor.network import DescriptorNetwork, make_network
from husky_placerec.descriptor.spec import resolve
from husky_placerec.evaluation.tags import tags_of
from husky_placerec.evaluation.tracks import Track
from husky_placerec.files import write_atomic
from husky_placerec.progress import bar
from husky_placerec.training.drives import Drive
from husky_placerec.training.recipe import Recipe
from husky_placerec.training.trainer import Trainer
from husky_placerec.training.validation import describe_images
import numpy as np
from numpy.typing import NDArray
import safetensors.torch

WIDTH, HEIGHT = 160, 96
CONDITIONS = 'summer_day', 'night', 'winter_dusk', 'autumn_rain', 'winter_night', 'summer_dusk'
CAMPUSES = range(101, 110)
NETWORK = {
    'backbone': 'lcn_cnn',
    'pooling': 'gem:2x4',
    'head': 128,
    'input_width': WIDTH,
    'input_height': HEIGHT,
}


def network(weights: str = 'random') -> DescriptorNetwork:
    """Return the network: random, or with the weights of a file."""
    return make_network(resolve(make_config({**NETWORK, 'weights': weights}), None))


def describe(network: DescriptorNetwork, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return [N, 2, D] unit vectors of [N, 2, H, W, 3] images."""
    flat = describe_images(network, images.reshape(-1, HEIGHT, WIDTH, 3))
    return flat.cpu().numpy().reshape(len(images), 2, -1)


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
        images, poses = stored['images'], stored['poses']
    rows = np.arange(len(poses))
    stamps = np.stack([rows, rows], axis=1)
    track = Track(path.stem, path, 'map', rows, rows, stamps, poses, tags_of(path.stem))
    return Drive(track, images, np.ones((len(poses), 2), np.bool_))


def drive_name(config: DriveConfig) -> str:
    """Return a name that depends on everything that the drive does."""
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:12]
    return f'{config.seed}_{config.drive}_{config.condition}_{digest}'


def small(picture: Picture) -> NDArray[np.uint8]:
    """Return the image at the size of the network."""
    image = picture.image
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def train(campuses: Sequence[Sequence[Drive]], iterations: int) -> DescriptorNetwork:
    """Return a network trained on drives, a sequence of them a campus."""
    recipe = Recipe(
        drives=(),
        validation=(),
        parameters=make_config({**NETWORK, 'weights': 'random'}),
        epochs=1,
        iterations=iterations,
        positive_m=6.0,
        negative_m=20.0,
        places=14,
        most_places=14,
        infonce_first=0.6,
        infonce_after=0.2,
        learning_rate=1.5e-3,
        weight_decay=0.02,
        warm_up=60,
        least_rate=1.5e-5,
        geometry=0.2,
        occlusion=0.15,
    )
    trainer = Trainer(network(), campuses, recipe, 'concat', (1, 0))
    with bar('Training', iterations, ' iterations') as shown:
        for _ in range(iterations):
            shown.set_postfix(loss=f'{trainer.step()["loss"]:.3f}', refresh=False)
            shown.update()
    return trainer.network


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
    trained = train(campuses, args.iterations)
    write_atomic(args.weights, safetensors.torch.save(trained.state_dict()))
    count = sum(parameter.numel() for parameter in trained.parameters())
    print(f'{args.weights}: {count / 1e6:.2f} M parameters')


if __name__ == '__main__':
    main()
