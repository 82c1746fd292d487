"""One function for each verb of the command line, for users of Python; they print nothing."""
