"""A state of the documentation repository: the files of a folder, or a commit that git knows."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from conformance.errors import UserError
from conformance.loading import read_text

_LARGEST_PAGE: Final = 4 * 2**20
_SECONDS: Final = 120
_PAGES: Final = "*.md"


class State(Protocol):
    """A state of the documentation. Paths are those of the repository, with slashes."""

    @property
    def name(self) -> str:
        """Return the state in words."""

    def read(self, path: str) -> str | None:
        """Return the text of a page; None if there is no such page. Raise UserError if it cannot be read."""

    def pages_with(self, text: str) -> list[str]:
        """Return the paths of the pages that hold this text."""

    def is_before(self, commit: str) -> bool:
        """Return True if this state is known to be older than a commit."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a folder as they are."""

    root: Path

    @property
    def name(self) -> str:
        return f"the files in {self.root}"

    def read(self, path: str) -> str | None:
        file = self.root / path
        return read_text(file, _LARGEST_PAGE) if file.exists() else None

    def pages_with(self, text: str) -> list[str]:
        found = []
        for file in sorted(self.root.rglob(_PAGES)):
            if file.is_file() and text.encode() in file.read_bytes():
                found.append(file.relative_to(self.root).as_posix())
        return found

    def is_before(self, commit: str) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a git repository, with a work tree or bare."""

    root: Path
    id: str

    @property
    def name(self) -> str:
        return f"commit {self.id[:8]}"

    def read(self, path: str) -> str | None:
        done = _git(self.root, "cat-file", "blob", f"{self.id}:{path}")
        if done.returncode:
            return None
        try:
            return done.stdout.decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{path} at {self.name}: not UTF-8 text") from None

    def pages_with(self, text: str) -> list[str]:
        done = _git(self.root, "grep", "-l", "-z", "-F", "-e", text, self.id, "--", _PAGES)
        names = done.stdout.decode("utf-8", "replace").split("\0")
        return [name.partition(":")[2] for name in names if name]

    def is_before(self, commit: str) -> bool:
        if self.id == commit:
            return False
        return _git(self.root, "merge-base", "--is-ancestor", self.id, commit).returncode == 0


def open_checkout(root: Path, revision: str | None) -> State:
    """Return a state of a checkout: the files as they are, or a revision.

    root: a folder with the pages, or a bare git directory.
    revision: whatever git calls a revision; None for the files, in a bare directory for HEAD.
    Raise UserError if there is no such folder or revision.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder: give a checkout of the documentation repository")
    is_bare = (root / "objects").is_dir() and (root / "HEAD").is_file()
    if revision is None and not is_bare:
        return Folder(root)
    asked = revision or "HEAD"
    if _git(root, "rev-parse", "--git-dir").returncode:
        raise UserError(f"{root}: git knows no repository there: leave out --commit to read the files")
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{asked}^{{commit}}")
    if found.returncode:
        raise UserError(f"--commit {asked}: {root} has no such revision")
    return Commit(root, found.stdout.decode().strip())


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git to read a repository. It asks nobody, fetches nothing, and no shell is between."""
    variables = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.run(
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the git of the user
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **variables},
            check=False,
            timeout=_SECONDS,
        )
    except FileNotFoundError:
        raise UserError("git is not installed: --commit and a bare directory need it") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{root}: git did not answer within {_SECONDS} s") from None
