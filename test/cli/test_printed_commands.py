"""What README and docs print: each command is parsed, and those of the first pages are run."""

from __future__ import annotations

from husky_placerec.cli.main import app, ClickException
import pytest
from support.printed_commands import printed_commands
import typer

COMMANDS = printed_commands()
# What a page prints, and what is run in its place on the tiny drives.
RUN_PAGES = 'README.md', 'first_map.md', 'map_care.md', 'itlp_campus.md', 'evaluation.md'
NOT_RUN = {
    ('sim',): 'renders; test_sim.py runs it',
    ('view',): 'serves until it is stopped; test/viewer runs it',
    ('train',): 'takes minutes; test/training runs it',
    ('evaluate',): 'describes by every baseline; test_evaluate.py runs it',
    ('map', 'align'): 'needs a trajectory; test_map_commands.py runs it',
}
DOWNLOADS = '-o', '--output'
FIRST = {'my_bag', 'summer_bag', 'summer/bag', 'itlp/00_2023-02-10'}
OTHER = {
    *('another_bag', 'a_third_bag', 'dusk/bag', 'autumn_bag', 'winter_bag', 'spring_bag'),
    *('itlp/01_2023-02-21', 'itlp/02_2023-03-15'),
}
LEFT_OUT = '--poses', '-c'  # with their values: the drives have their poses, and a Husky's topics


def parsed(words):
    """Parse a command as the program does, without running it."""
    group = typer.main.get_command(app)
    context = group.make_context('placerec', list(words), resilient_parsing=True)
    rest = list(words)
    while hasattr(group, 'resolve_command'):
        name, group, rest = group.resolve_command(context, rest)
        if hasattr(group, 'resolve_command'):
            context = group.make_context(name, rest, parent=context, resilient_parsing=True)
    return group.make_context(name, rest, parent=context)


@pytest.mark.parametrize('command', COMMANDS, ids=str)
def test_a_printed_command_and_its_options_exist(command):
    parsed(command.words)


@pytest.mark.parametrize('wrong', [['replay', 'bag', '--mop', 'x'], ['mop'], ['map', 'mop']])
def test_a_command_or_an_option_that_there_is_not_is_noticed(wrong):
    with pytest.raises(ClickException):
        parsed(wrong)


def runs(command):
    """Return whether a command is run here."""
    if command.page not in RUN_PAGES or any(command.words[: len(n)] == n for n in NOT_RUN):
        return False
    return not (command.words[0] == 'download' and set(DOWNLOADS) & set(command.words))


def replaced(words):
    """Return the words of a command without what the tiny drives do not need."""
    kept, words = [], list(words)
    while words:
        word = words.pop(0)
        if word in LEFT_OUT:
            words.pop(0)
        else:
            kept.append(word)
    return kept


def test_the_printed_commands_run_in_their_order(drives, placerec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for names, bag in zip((FIRST, OTHER), drives):
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).symlink_to(bag)
    assert placerec('map', 'build', drives[1], 'other_robot.map').returncode == 0
    done = set()
    for command in filter(runs, COMMANDS):
        words = tuple(replaced(command.words))
        if words not in done:
            ended = placerec(*words)
            assert ended.returncode == 0, f'{command}\n{ended.stderr}'
            done.add(words)
    assert len(done) > 12
