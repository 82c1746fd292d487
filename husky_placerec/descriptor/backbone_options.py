"""
The options of a backbone, by an allow-list.

A map names the options of its backbone, and a map may come from someone else. Some arguments of
timm's `create_model` open files, reach the network or unpickle (`checkpoint_path`,
`pretrained_cfg_overlay`, `cache_dir`). So only the options below reach timm, with plain values in
a range.
"""

from __future__ import annotations

from collections.abc import Callable
import re
from typing import Any

from husky_placerec.documents import parse_yaml
from husky_placerec.errors import InputError

MOST = 4096  # of any whole number: a size, a width or a depth
MOST_ENTRIES = 16  # of a list, one for each stage
ANY, SWITCH, COUNT, SHARE, WORD, EACH = (
    'any value',
    'true or false',
    f'a whole number from 1 to {MOST}',
    'a number from 0 to 1',
    'a word of letters, digits and underscores',
    f'a whole number from 1 to {MOST}, or a list of them',
)

ALLOWED = {
    'act_layer': WORD,
    'attn_drop_rate': SHARE,
    'class_token': SWITCH,
    'depth': COUNT,
    'depths': EACH,
    'dims': EACH,
    'drop_path_rate': SHARE,
    'drop_rate': SHARE,
    'dynamic_img_pad': SWITCH,
    'dynamic_img_size': SWITCH,
    'embed_dim': EACH,
    'img_size': EACH,
    'norm_layer': WORD,
    'num_heads': EACH,
    'output_stride': COUNT,
    'pad_type': WORD,
    'patch_size': EACH,
    'proj_drop_rate': SHARE,
    'qkv_bias': SWITCH,
    'reg_tokens': COUNT,
    'stages': ANY,  # it does not reach timm; `Backbone` checks it
    'window_size': EACH,
}


def backbone_options(text: str) -> dict[str, Any]:
    """
    Read the parameter `backbone_options`: NAME=VALUE, separated by blanks.

    :raises InputError: for an option or a value that is not in the allow-list.
    """
    options: dict[str, Any] = {}
    for option in text.split():
        name, equals, value = option.partition('=')
        if not equals:
            raise InputError(f'backbone_options has {option!r}; expected NAME=VALUE')
        if name not in ALLOWED:
            raise InputError(
                f'backbone_options has {option!r}; there is no option {name}, expected one of '
                f'{", ".join(ALLOWED)}'
            )
        found, expected = parse_yaml(value, f'backbone_options has {option}'), ALLOWED[name]
        if not _CHECKS[expected](found):
            raise InputError(f'backbone_options has {option!r}; expected {expected}')
        options[name] = found
    return options


def _is_count(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MOST


def _is_each(value: Any) -> bool:
    if isinstance(value, list):
        return 1 <= len(value) <= MOST_ENTRIES and all(map(_is_count, value))
    return _is_count(value)


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1  # NaN is no share


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r'\w{1,32}', value) is not None


_CHECKS: dict[str, Callable[[Any], bool]] = {
    ANY: lambda _: True,
    SWITCH: lambda value: isinstance(value, bool),
    COUNT: _is_count,
    SHARE: _is_share,
    WORD: _is_word,
    EACH: _is_each,
}
