"""The one exception that stands for a user's mistake."""


class UserError(ValueError):
    """A rule that the user's input breaks: one line with the rule, the value got and what to change.

    Stages print it without a traceback and leave with exit code 2.
    """
