"""A distribution that cannot be imported."""

import a_library_that_is_not_installed  # noqa: F401  (the misdeed itself)
