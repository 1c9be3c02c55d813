"""Two profiles of Hypothesis: `gate`, the same cases in every run, and `hunt` for `./dev test-long`, new ones."""

import os

from hypothesis import settings

settings.register_profile("gate", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("hunt", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("hunt" if "STAYALIVED_TEST_LONG" in os.environ else "gate")
