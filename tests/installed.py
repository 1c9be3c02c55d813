"""Distributions made up for a test: a folder on sys.path with modules and an installer's metadata."""

from pathlib import Path

CHECK = """
from stayalived.plugin import Check, CheckOptions, Verdict, hookimpl

class Options(CheckOptions, frozen=True):
    word: str = "hello"

class Knock(Check):
    name = "{name}"
    Options = Options
    async def probe(self, target, net):
        return Verdict.passed()

@hookimpl
def stayalived_checks():
    return [Knock]
"""


def install(folder: Path, distribution: str, code: str, version: str = "1.0") -> Path:
    """Put a distribution of one module with one entry point into a folder and return the module's path."""
    module = distribution.replace("-", "_").replace(".", "_").lower()
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{module}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[stayalived]\nplugin = {module}\n")
    return folder / f"{module}.py"
