"""The one exception that a user is meant to read."""


class InputError(Exception):
    """
    Something that the user gave is not as it must be.

    The message is one sentence that names the thing (a file, a topic, a parameter), what was found
    and what was expected; the command line prints it without a traceback and exits with 2.
    """
