"""The exception whose message is for the user."""


class InputError(Exception):
    """
    An input of the user is wrong.

    The message is one sentence. It names the input (a file, a topic, a parameter), what was found,
    and what was expected. The command line prints it without a traceback and exits with 2.
    """
