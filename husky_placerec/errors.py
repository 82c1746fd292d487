"""The exception whose message is for the user."""

from husky_placerec.printable import printable


class InputError(Exception):
    """
    An input of the user is wrong.

    The message is one sentence. It names the input (a file, a topic, a parameter), what was found,
    and what was expected. The command line prints it without a traceback and exits with 2. Names
    and values from files of others are in it; their control characters are shown as escapes.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))
