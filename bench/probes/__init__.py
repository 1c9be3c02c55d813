"""What a check costs: the parts of bench/checks.py."""
