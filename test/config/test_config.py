"""Parameters: what a user writes is taken as it is meant, or said to be wrong."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from husky_placerec.config import (
    Config,
    declarations,
    HUSKY_CAMERAS,
    make_config,
    read_config,
)
from husky_placerec.config.documentation import documentation
from husky_placerec.errors import InputError
import pytest
import yaml

CAMERAS = ['left', 'right', 'up']
HUSKY_YAML = Path(__file__).parents[2] / 'config' / 'husky.yaml'


def test_yamls_on_and_off_are_those_of_centring():
    assert make_config({'centring': True}).centring == 'on'
    assert make_config({'centring': False}).centring == 'off'


def other_value(name, declared, default):
    """Return a value that is allowed and is not the default."""
    if name == 'cameras':
        return CAMERAS
    if name.endswith('.opposite'):
        return {'left': 'right', 'right': 'left', 'up': ''}[name.split('.')[1]]
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return declared.metadata['choices'][-1] if declared.metadata['choices'] else f'my {name}'
    if isinstance(default, int):
        return declared.metadata['most']
    below_most = default + 0.0625 <= declared.metadata['most']
    return default + 0.0625 if below_most else default - 0.0625


OTHER = {
    name: other_value(name, declared, default) for name, declared, default in declarations(CAMERAS)
}


@pytest.fixture
def yaml_file(tmp_path):
    def write(text):
        path = tmp_path / 'parameters.yaml'
        path.write_text(text, encoding='utf-8')
        return path

    return write


def refusal(values):
    with pytest.raises(InputError) as caught:
        make_config(values, 'here')
    assert str(caught.value).startswith('here: ')
    return str(caught.value)


@pytest.mark.parametrize('wrap', [lambda d: d, lambda d: {'/**': {'ros__parameters': d}}])
def test_every_parameter_comes_back_from_the_file_it_is_written_to(wrap, yaml_file):
    config = make_config(OTHER)
    parameters = [f.name for f in fields(Config) if f.name != 'allow_outside']
    assert all(getattr(config, name) != getattr(Config(), name) for name in parameters)
    assert read_config(yaml_file(yaml.safe_dump(wrap(config.as_dict())))) == config


def test_each_flat_name_sets_its_own_parameter():
    config = make_config(OTHER)
    for name, value in OTHER.items():
        target, *path = config, *name.split('.')
        if path[0] == 'camera':
            target, path = config.camera[path[1]], path[2:]
        assert getattr(target, path[0]) == value, name


def test_dotted_names_in_a_file_are_as_good_as_nested_ones(yaml_file):
    config = read_config(yaml_file('camera.front.topic: a\ncamera: {back: {topic: b}}'))
    assert [config.camera[name].topic for name in config.cameras] == ['a', 'b']


def test_nothing_said_is_the_husky():
    assert make_config({}) == read_config(None)
    assert make_config({}).as_dict() == Config(camera=HUSKY_CAMERAS).as_dict()


def test_an_empty_file_is_the_defaults(yaml_file):
    assert read_config(yaml_file('# nothing yet\n')).as_dict() == Config().as_dict()


def test_the_shipped_file_is_read_and_is_the_default_but_for_the_threshold():
    config = read_config(HUSKY_YAML)
    assert config == make_config({'min_similarity': 0.8, 'odometry_topic': 'platform/odom'})


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ({'min_similarty': 0.5}, ['min_similarty', 'min_similarity', 'camera.front.topic']),
        ({'camera.left.topic': 'x'}, ['camera.left.topic', 'camera.front.topic']),
        ({'camera': 'x'}, ['no parameter camera']),
        ({'slop': '0.05'}, ['slop', "'0.05'", 'float']),
        ({'queue_size': 3.0}, ['queue_size', '3.0', 'int']),
        ({'queue_size': True}, ['queue_size', 'True', 'int']),
        ({'slop': True}, ['slop', 'True', 'float']),
        ({'search_reversed': 1}, ['search_reversed', '1', 'bool']),
        ({'map': None}, ['map', 'None', 'str']),
        ({'slop': -0.001}, ['slop', '-0.001', '0.0 to 1.0']),
        ({'slop': 1.001}, ['slop', '1.001', '0.0 to 1.0']),
        ({'slop': float('nan')}, ['slop', 'nan', '0.0 to 1.0']),
        ({'queue_size': 1}, ['queue_size', '1', '2 to 1000']),
        ({'extractor': 'sift'}, ['extractor', "'sift'", 'timm', 'hog', 'pixels']),
        ({'camera.front.transport': 'theora'}, ['transport', 'theora', 'compressed, raw']),
        ({'cameras': ['front', 'front']}, ['cameras', 'different names']),
        ({'cameras': []}, ['cameras', '[]']),
        ({'cameras': 'front'}, ['cameras', "'front'"]),
        ({'camera.front.opposite': 'front'}, ['camera.front.opposite', 'back']),
        ({'camera.front.opposite': ''}, ["camera.back.opposite is 'front'", 'names back']),
        ({'camera.back.opposite': 'left'}, ['opposite', 'front, back']),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(values, expected):
    message = refusal(values)
    assert all(part in message for part in expected), message


@pytest.mark.parametrize('bound', [0.0, 1.0, 0, 1])
def test_bounds_belong_to_the_range_and_whole_numbers_are_floats(bound):
    slop = make_config({'slop': bound}).slop
    assert slop == bound
    assert type(slop) is float


def test_opposites_must_name_each_other():
    cameras = {'cameras': ['a', 'b', 'c']}
    links = {'camera.a.opposite': 'b', 'camera.b.opposite': 'c', 'camera.c.opposite': 'a'}
    assert 'opposite' in refusal(cameras | links)


@pytest.mark.parametrize('name', ['front', 'back'])
def test_one_camera_alone_keeps_its_topic_and_has_no_opposite(name):
    camera = make_config({'cameras': [name]}).camera
    assert set(camera) == {name}
    assert camera[name].topic == HUSKY_CAMERAS[name].topic
    assert camera[name].opposite == ''


def test_settings_win_over_the_file_and_the_file_over_the_maps_cameras(yaml_file):
    file = yaml_file('cameras: [back]\nslop: 0.1\nsilence: 2')
    config = read_config(file, ['slop=0.2', ' threads =3', 'map='], ['front'])
    found = config.cameras, config.slop, config.silence, config.threads, config.map
    assert found == (['back'], 0.2, 2.0, 3, '')
    assert read_config(None, (), ['front']).cameras == ['front']


@pytest.mark.parametrize(
    ('setting', 'expected'),
    [
        ('slop', '--set slop: expected NAME=VALUE'),
        ('slop=[', r'--set slop=\[: the value is not YAML'),
        ('slop=x', "slop is 'x'; expected float"),
        ('slop=2', 'slop is 2.0; expected 0.0 to 1.0'),
        ('slip=1', 'no parameter slip'),
        ('=1', 'no parameter ;'),
    ],
)
def test_a_bad_setting_is_refused(setting, expected):
    with pytest.raises(InputError, match=expected):
        read_config(None, [setting])


@pytest.mark.parametrize('text', ['a: [', '- 1\n- 2', 'just words', '/**:\n  ros__parameters: 3'])
def test_a_file_that_holds_no_parameters_is_named(text, yaml_file):
    file = yaml_file(text)
    with pytest.raises(InputError, match=r'parameters\.yaml: '):
        read_config(file)


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path):
    (tmp_path / 'binary.yaml').write_bytes(b'\xff\xfe\x00')
    for name in ('none.yaml', 'binary.yaml'):
        with pytest.raises(InputError, match=name):
            read_config(tmp_path / name)


@pytest.mark.parametrize(
    'names', [[['front']], [1, 2], [None], [''], ['a+b'], ['a.b'], ['1st']], ids=str
)
def test_a_camera_needs_a_name_that_parameters_and_maps_can_hold(names):
    assert 'cameras is' in refusal({'cameras': names})


def test_the_documentation_of_the_parameters_is_that_of_the_code():
    written = (HUSKY_YAML.parents[1] / 'docs' / 'parameters.md').read_text(encoding='utf-8')
    again = 'python -m husky_placerec.config.documentation > docs/parameters.md'
    assert written == documentation(), again
    assert all(f'`{name}`' in written for name, *_ in declarations(['<name>']))


def test_every_parameter_has_a_meaning_and_every_number_a_range():
    for name, declared, default in declarations(['front']):
        assert len(declared.metadata['description']) > 10, name
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            assert declared.metadata['least'] is not None, name
            assert declared.metadata['least'] <= default <= declared.metadata['most'], name


@pytest.mark.parametrize('name', ['max_rate', 'max_age'])
@pytest.mark.parametrize('value', [1e-300, 5e-324, 0.00099])
def test_a_limit_that_nothing_could_ever_meet_is_refused(name, value):
    with pytest.raises(InputError, match=rf'{name} is .*expected 0, or 0\.001 to'):
        make_config({name: value})
    assert getattr(make_config({name: 0.0}), name) == 0.0
    assert getattr(make_config({name: 0.001}), name) == 0.001
