"""Third-party distributions as an installer leaves them: a module and its dist-info in one folder."""

import shutil
from pathlib import Path

SOURCES = Path(__file__).parent / "distributions"
VERSION = "1.0"


def install(name: str, site: Path) -> None:
    """Put the distribution NAME, whose one module has the same name, into a folder for `sys.path`."""
    shutil.copy(SOURCES / f"{name}.py", site)
    information = site / f"{name}-{VERSION}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n")
    (information / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (information / "entry_points.txt").write_text(f"[stayalived]\n{name} = {name}\n")
    (information / "INSTALLER").write_text("pip\n")
    files = [f"{name}.py", *(f"{information.name}/{path.name}" for path in information.iterdir())]
    (information / "RECORD").write_text("".join(f"{file},,\n" for file in files))
