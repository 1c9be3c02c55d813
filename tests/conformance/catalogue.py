"""All cases by name. A new file of cases is entered here."""

from conformance.cases import (
    backup,
    keepalived,
    manners,
    master,
    receiving,
    starting,
    unicast,
    version2,
    virtual_mac,
)
from conformance.steps import Case

FILES = (starting, backup, master, receiving, version2, keepalived, unicast, virtual_mac, manners)

CASES: dict[str, Case] = {case.name: case for file in FILES for case in file.CASES}

HOMES: dict[str, str] = {case.name: file.__name__.rpartition(".")[2] for file in FILES for case in file.CASES}
"""The file that a case stands in, without `.py`."""
