"""Profiles of Hypothesis: `gate`, the same cases in every run, and `hunt` for `./dev test-long`, new ones.

`decoders` is what decodes the bytes of strangers asks for: many more of either.
"""

import os

from hypothesis import settings

settings.register_profile("gate", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("hunt", max_examples=2000, deadline=None, print_blob=True)
LONG = "STAYALIVED_TEST_LONG" in os.environ
USUAL = "hunt" if LONG else "gate"
settings.register_profile("decoders", settings.get_profile(USUAL), max_examples=200_000 if LONG else 20_000)
settings.load_profile(USUAL)
