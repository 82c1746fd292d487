"""
The published networks by name, in one table.

URLs and licences are those that the authors' repositories state. No SHA-256 is published beside
the files, so none is given here: `checkpoint.sha256` is for those that someone has checked.

CricaVPR is not here: it attends across the images of a batch, so that the descriptor of one camera
would depend on the images of the others.
"""

from __future__ import annotations

import difflib

from husky_placerec.descriptor.published.preset import Checkpoint, Preset
from husky_placerec.errors import InputError

RESNET_STAGES = ('conv1', 'bn1', None, None, 'layer1', 'layer2', 'layer3', 'layer4')
COSPLACE = 'https://github.com/gmberton/CosPlace'
EIGENPLACES = 'https://github.com/gmberton/EigenPlaces'
BOQ = 'https://github.com/amaralibey/Bag-of-Queries'
SALAD = 'https://github.com/serizba/salad'
DINOV2 = 'https://github.com/facebookresearch/dinov2'
DINOV2_FILES = 'https://dl.fbaipublicfiles.com/dinov2'
VITB, VITS = 'vit_base_patch14_dinov2', 'vit_small_patch14_dinov2'
DINOV2_INPUT = (322, 196)


def _resnet_keys(prefix: str) -> tuple[tuple[str, str], ...]:
    """Return the keys of a ResNet that its authors made a list of layers of."""
    return tuple(
        (f'{prefix}{number}.', f'backbone.network.{name}.')
        for number, name in enumerate(RESNET_STAGES)
        if name
    )


def _salad_keys(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    names = {
        'token_features.': 'token.',
        'cluster_features.': 'features.',
        'score.': 'scores.',
        'dust_bin': 'dustbin',
    }
    return tuple((theirs + name, ours + own) for name, own in names.items())


def _gem_linear(
    backbone: str, size: int, file: str, page: str, megabytes: int, paper: str
) -> Preset:
    """Return a preset of CosPlace's definition, which EigenPlaces shares."""
    return Preset(
        backbone,
        'cosplace',
        {'outputs': size},
        size,
        Checkpoint(
            file, f'{page}/releases/download/v1.0/{file}', page, megabytes, code_licence='MIT'
        ),
        (
            *_resnet_keys('backbone.'),
            ('aggregation.1.', 'pooling.gem.'),
            ('aggregation.3.', 'pooling.linear.'),
        ),
        paper,
    )


def _cosplace(backbone: str, size: int, megabytes: int) -> Preset:
    file = f'{backbone.replace("resnet", "ResNet")}_{size}_cosplace.pth'
    paper = 'Berton et al., CVPR 2022, arXiv 2204.02287'
    return _gem_linear(backbone, size, file, COSPLACE, megabytes, paper)


def _eigenplaces(backbone: str, size: int, megabytes: int) -> Preset:
    file = f'{backbone.replace("resnet", "ResNet")}_{size}_eigenplaces.pth'
    paper = 'Berton et al., ICCV 2023, arXiv 2308.10832'
    return _gem_linear(backbone, size, file, EIGENPLACES, megabytes, paper)


def _salad(checkpoint: Checkpoint, paper: str) -> Preset:
    return Preset(
        VITB,
        'salad',
        {'clusters': 64, 'cluster_size': 128},
        8448,
        checkpoint,
        (('backbone.model.', 'backbone.network.'), *_salad_keys('aggregator.', 'pooling.')),
        paper,
        ignored=('backbone.model.mask_token',),
        input_size=DINOV2_INPUT,
        multiple=14,
    )


def _dinov2(backbone: str, name: str, size: int, megabytes: int) -> Preset:
    file = f'dinov2_{name}_pretrain.pth'
    return Preset(
        backbone,
        'token_and_mean',
        {},
        size,
        Checkpoint(
            file,
            f'{DINOV2_FILES}/dinov2_{name}/{file}',
            DINOV2,
            megabytes,
            code_licence='Apache-2.0',
            weights_licence='Apache-2.0',
        ),
        tuple(
            (key, f'backbone.network.{key}')
            for key in ('cls_token', 'pos_embed', 'patch_embed.', 'blocks.', 'norm.')
        ),
        'Oquab et al., TMLR 2024, arXiv 2304.07193',
        ignored=('mask_token',),
        input_size=DINOV2_INPUT,
        multiple=14,
    )


PRESETS: dict[str, Preset] = {
    'cosplace18': _cosplace('resnet18', 512, 46),
    'cosplace50': _cosplace('resnet50', 2048, 111),
    'eigenplaces18': _eigenplaces('resnet18', 512, 46),
    'eigenplaces50': _eigenplaces('resnet50', 2048, 111),
    'mixvpr': Preset(
        'resnet50',
        'mixvpr',
        {'outputs': 1024, 'rows': 4},
        4096,
        Checkpoint(
            'resnet50_MixVPR_4096_channels(1024)_rows(4).ckpt',
            '',
            'https://github.com/amaralibey/MixVPR',
            44,
        ),
        (
            ('backbone.model.', 'backbone.network.'),
            ('aggregator.mix.', 'pooling.mix.'),
            ('aggregator.channel_proj.', 'pooling.channel_projection.'),
            ('aggregator.row_proj.', 'pooling.row_projection.'),
        ),
        'Ali-bey et al., WACV 2023, arXiv 2303.02190',
        options='stages=4',
        input_size=(320, 320),
        fixed=True,
    ),
    'boq50': Preset(
        'resnet50',
        'boq',
        {'width': 512, 'rows': 32},
        16384,
        Checkpoint(
            'resnet50_16384.pth',
            f'{BOQ}/releases/download/v1.0/resnet50_16384.pth',
            BOQ,
            96,
            code_licence='MIT',
        ),
        (*_resnet_keys('backbone.net.'), ('aggregator.', 'pooling.')),
        'Ali-bey et al., CVPR 2024, arXiv 2405.07364',
        options='stages=4',
    ),
    'boq-dinov2': Preset(
        VITB,
        'boq',
        {'width': 384, 'rows': 32},
        12288,
        Checkpoint(
            'dinov2_12288.pth',
            f'{BOQ}/releases/download/v1.0/dinov2_12288.pth',
            BOQ,
            381,
            code_licence='MIT',
        ),
        (('backbone.dino.', 'backbone.network.'), ('aggregator.', 'pooling.')),
        'Ali-bey et al., CVPR 2024, arXiv 2405.07364',
        ignored=('backbone.dino.mask_token', 'backbone.dino.norm.'),
        input_size=DINOV2_INPUT,
        multiple=14,
        final_norm=False,
    ),
    'salad': _salad(
        Checkpoint(
            'dino_salad.ckpt',
            f'{SALAD}/releases/download/v1.0.0/dino_salad.ckpt',
            SALAD,
            352,
            code_licence='GPL-3.0',
        ),
        'Izquierdo and Civera, CVPR 2024, arXiv 2311.15937',
    ),
    'cliquemining': _salad(
        Checkpoint('cliquemining.ckpt', '', 'https://github.com/serizba/cliquemining', 352),
        'Izquierdo and Civera, ECCV 2024, arXiv 2407.02422',
    ),
    'megaloc': Preset(
        VITB,
        'salad_linear',
        {'clusters': 64, 'cluster_size': 256, 'outputs': 8448},
        8448,
        Checkpoint(
            'megaloc.safetensors',
            'https://huggingface.co/gberton/MegaLoc/resolve/main/model.safetensors',
            'https://github.com/gmberton/MegaLoc',
            915,
            code_licence='MIT',
        ),
        (
            ('backbone.', 'backbone.network.'),
            *_salad_keys('aggregator.agg.', 'pooling.salad.'),
            ('aggregator.linear.', 'pooling.linear.'),
        ),
        'Berton and Masone, CVPR Workshops 2025, arXiv 2502.17237',
        input_size=DINOV2_INPUT,
        multiple=14,
    ),
    'dinov2-s': _dinov2(VITS, 'vits14', 768, 88),
    'dinov2-b': _dinov2(VITB, 'vitb14', 1536, 346),
}


def preset_named(name: str) -> Preset:
    """
    Return the preset of a name.

    :raises InputError: for an unknown name; it suggests near ones.
    """
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, cutoff=0.5)
        hint = f'did you mean {" or ".join(near)}?' if near else f'there are: {", ".join(PRESETS)}'
        raise InputError(f'preset {name}: there is no such preset; {hint}')
    return PRESETS[name]
