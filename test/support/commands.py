"""What the tests of the command line check of each refusal."""


def assert_refused(result, *words, output=None):
    """Check that there is one clear error, exit status 2 and nothing half-written."""
    assert result.returncode == 2, result.stderr
    assert 'Traceback' not in result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith('error: ')]
    assert len(errors) == 1, result.stderr
    for word in words:
        assert str(word) in errors[0]
    if output is not None:
        assert not output.exists()
        assert not list(output.parent.glob(f'.{output.name}*'))
