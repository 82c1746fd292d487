"""What README and docs print: each command is parsed, and those of the first pages are run."""

from __future__ import annotations

from husky_placerec.cli.main import app, ClickException
import pytest
from support.printed_commands import printed_commands
import typer

COMMANDS = printed_commands()
# The pages whose commands are run in their order on the tiny drives, each in a folder of its own.
RUN_PAGES = 'first_map.md', 'map_care.md'
NOT_RUN = {
    ('sim',): 'renders; test_sim.py runs it',
    ('view',): 'serves until it is stopped; test/viewer runs it',
    ('evaluate',): 'describes by every baseline; test_evaluate.py runs it',
    ('map', 'align'): 'needs a trajectory; test_map_commands.py runs it',
}
FIRST = 'my_bag', 'summer_bag', 'summer/bag'
OTHER = 'another_bag', 'a_third_bag', 'dusk/bag', 'autumn_bag', 'winter_bag', 'spring_bag'
LEFT_OUT = '--poses', '-c'  # with their values: the drives have their poses, and a Husky's topics
QUICK = '-s', 'extractor=hog'  # in place of the network


def parsed(words):
    """Parse a command as the program does, without running it."""
    group = typer.main.get_command(app)
    context = group.make_context('placerec', list(words), resilient_parsing=True)
    rest = list(words)
    while hasattr(group, 'resolve_command'):
        name, group, rest = group.resolve_command(context, rest)
        if hasattr(group, 'resolve_command'):
            context = group.make_context(name, rest, parent=context, resilient_parsing=True)
    if group is None:
        context.fail(f'no command {rest}')
    return group.make_context(name, rest, parent=context)


@pytest.mark.parametrize('command', COMMANDS, ids=str)
def test_a_printed_command_and_its_options_exist(command):
    parsed(command.words)


@pytest.mark.parametrize('wrong', [['replay', 'bag', '--mop', 'x'], ['mop'], ['map', 'mop']])
def test_a_command_or_an_option_that_there_is_not_is_noticed(wrong):
    with pytest.raises(ClickException):
        parsed(wrong)


def runs(command):
    return not any(command.words[: len(name)] == name for name in NOT_RUN)


def replaced(command):
    """Return the words of a command without what the tiny drives do not need."""
    kept, words = [], list(command.words)
    while words:
        word = words.pop(0)
        if word in LEFT_OUT:
            words.pop(0)
        else:
            kept.append(word)
    return (*kept, *QUICK) if kept[:2] == ['map', 'build'] else tuple(kept)


def commands_of(page):
    """Return what of a page is run, each once."""
    found = [command for command in COMMANDS if command.page == page and runs(command)]
    return list(dict.fromkeys(map(replaced, found)))


@pytest.mark.parametrize('page', RUN_PAGES)
def test_the_commands_of_a_page_run_in_their_order(page, drives, placerec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for names, bag in zip((FIRST, OTHER), drives):
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).symlink_to(bag)
    assert placerec('map', 'build', 'autumn_bag', 'other_robot.map', *QUICK).returncode == 0
    commands = commands_of(page)
    assert len(commands) > 5
    for words in commands:
        ended = placerec(*words)
        assert ended.returncode == 0, f'placerec {" ".join(words)}\n{ended.stderr}'


@pytest.mark.parametrize('page', ['README.md', 'README.ru.md'])
def test_what_the_front_page_prints_is_run_on_the_first_page(page):
    assert commands_of(page)
    assert set(commands_of(page)) <= set(commands_of('first_map.md'))
