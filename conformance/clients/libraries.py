"""Published client libraries that have an adapter here, and an environment for each in the user's cache."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import platformdirs

from conformance.errors import UserError
from conformance.loading import load

_FOLDER: Final = Path(str(files("conformance") / "clients"))
ADAPTERS: Final = _FOLDER / "adapters"
_LIBRARIES: Final = _FOLDER / "libraries.toml"
_READY: Final = "installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A published library, in one of the ways in which it sends a call, or raw calls as people write them.

    name: what `vote-conformance gate` takes.
    language: of the library and of its adapter.
    registry: where the package is; empty where the language itself is enough.
    program: the command that runs the adapter, where no environment is made for it.
    package: its name in the registry; the same as name where it is empty.
    version: the version that the deviation file is about; empty where it is that of the program.
    released: the year and month of that version.
    sends: how the call travels.
    adapter: a file in the folder of adapters.
    arguments: what the adapter takes on its command line.
    deviations: the file of its known defects, in the same folder.
    needs: further packages that it does not name itself.
    python: the Python that it needs, where that is another than ours can be.
    https: True if the library speaks HTTPS only.
    """

    name: str
    language: str
    sends: str
    adapter: str
    deviations: str
    version: str = ""
    registry: Literal["PyPI", "npm", ""] = ""
    released: str = ""
    program: tuple[str, ...] = ()
    package: str = ""
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    python: str = ""
    https: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    library: Annotated[tuple[Library, ...], msgspec.Meta(min_length=1)]


@cache
def libraries() -> dict[str, Library]:
    """Return the libraries by name."""
    return {library.name: library for library in load(_LIBRARIES, _Table).library}


def library_of(text: str) -> tuple[Library, str]:
    """Return the library that NAME or NAME==VERSION names, and the version. Raise UserError."""
    name, _, version = text.partition("==")
    library = libraries().get(name)
    if library is None:
        raise UserError(
            f"gate {name}: no adapter for it here: choose {', '.join(libraries())}; "
            "for another client write an adapter and use `vote-conformance run --client CMD`"
        )
    return library, version or library.version


def program_of(library: Library, version: str) -> list[str]:
    """Return the words that start the adapter. Install the library where that was not done yet. Raise UserError."""
    if not library.registry:
        program, *words = library.program
        return [_found(program), *words, str(ADAPTERS / library.adapter)]
    package = f"{library.package or library.name}=={version}"
    folder = platformdirs.user_cache_path("vote-conformance") / "clients" / package.replace("/", "+")
    is_python = library.registry == "PyPI"
    if not (folder / _READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        (_install_with_pip if is_python else _install_with_npm)(library, package, folder)
        (folder / _READY).touch()
    if is_python:
        return [str(folder / "bin" / "python"), str(ADAPTERS / library.adapter), *library.arguments]
    # Node looks for a package beside the file that imports it.
    return [_found("node"), str(shutil.copy(ADAPTERS / library.adapter, folder)), *library.arguments]


def _install_with_pip(library: Library, package: str, folder: Path) -> None:
    _run([python_of(library), "-m", "venv", str(folder)], package)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, package, *library.needs], package)


def _install_with_npm(library: Library, package: str, folder: Path) -> None:
    name, _, version = package.rpartition("==")
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    # No script of a package runs here.
    npm = [_found("npm"), "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    _run([*npm, "--prefix", str(folder), f"{name}@{version}", *library.needs], package)


def python_of(library: Library) -> str:
    """Return the Python that a library is installed for. Raise UserError if it is not here."""
    return _found(f"python{library.python}") if library.python else sys.executable


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise UserError(f"gate: {program} is not on the path: install it")
    return path


def _run(words: list[str], package: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        printed = [line.strip() for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
        raise UserError(f"gate {package}: cannot install it ({' '.join(printed[-1:]) or done.returncode})")
