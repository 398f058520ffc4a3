"""The one error of this package: a sentence a person can act on."""


class EmbeddedError(Exception):
    """An embedded server cannot be had. The text is one sentence, fit for a terminal."""
