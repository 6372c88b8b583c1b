"""What can be wrong with recordings; apart, so that who only names the errors need not have what decodes them."""


class BadAudio(ValueError):
    """A recording that cannot be heard; the text says why."""


class BadFolder(ValueError):
    """A folder that holds no recordings, or a CSV that names none; the text says what was looked for."""
