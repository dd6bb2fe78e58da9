"""dvc.lock outlives a full disk: DVC writes it in place, and refuses for ever one that was cut off."""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from ernn import artifacts

NAME = "dvc.lock"
COPY = Path(".dvc", "tmp", "dvc.lock.whole")
_USERS = Path(".dvc", "tmp", "rwlock")  # DVC's note of the files in use
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_whole(text: str) -> bool:
    """Whether this is a dvc.lock that DVC reads."""
    if not text.endswith("\n"):
        return False
    try:
        found = yaml.load(text, _LOADER)
    except yaml.YAMLError:
        return False
    if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
        return False
    stages = found.get("stages")
    return isinstance(stages, dict) and all(map(_is_stage, stages.values()))


def _is_stage(entry: Any) -> bool:
    if not isinstance(entry, dict) or not entry.get("cmd"):
        return False
    listed = (entry.get(kind, []) for kind in ("deps", "outs"))
    if not all(isinstance(each, list) and all(map(_is_file, each)) for each in listed):
        return False
    params = entry.get("params", {})
    return isinstance(params, dict) and all(isinstance(each, dict) for each in params.values())


def _is_file(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("path") is not None and len(entry) > 1


class Keeper:
    """Keeps a copy of a folder's dvc.lock, and puts it back when DVC's own is damaged."""

    def __init__(self, folder: Path) -> None:
        self._lock, self._copy, self._users = folder / NAME, folder / COPY, folder / _USERS
        self._seen: tuple[int, int] | None = None

    def keep(self) -> None:
        """Renew the copy; one that is being written, or is damaged, leaves the old one.

        Raises:
            disk.DiskFull: there is no space for the copy.
        """
        try:
            stat = self._lock.stat()
            seen = stat.st_mtime_ns, stat.st_size
            text = _read(self._lock)
        except FileNotFoundError:
            return
        if seen != self._seen and is_whole(text):
            if _read(self._copy) != text:
                with artifacts.atomic(self._copy) as temporary:
                    temporary.write_text(text)
            self._seen = seen

    def mend(self) -> None:
        """Put the copy in place of a damaged dvc.lock, and say so in a line. No DVC may run here.

        What a killed DVC has left is cleared: its note of files in use, which may be cut off too.

        Raises:
            disk.DiskFull: there is no space for it.
        """
        if not any(Path("/proc", pid).exists() for pid in re.findall(r'"pid": (\d+)', _read(self._users))):
            self._users.unlink(missing_ok=True)
        if not self._lock.exists() or is_whole(_read(self._lock)):
            return
        copy = _read(self._copy)
        if is_whole(copy):
            with artifacts.atomic(self._lock) as temporary:
                temporary.write_text(copy)
            done = "its last whole copy was put back"
        else:
            self._lock.unlink()
            done = "there was no copy, it begins anew"
        print(f"workflow.local: {NAME} was cut off, as by a full disk: {done}", file=sys.stderr, flush=True)


def _read(path: Path) -> str:
    """The text of a file; none is empty."""
    return path.read_text(errors="replace") if path.exists() else ""
