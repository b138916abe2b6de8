# SPDX-License-Identifier: LGPL-2.1-or-later
"""Things that are slow to make, each in a directory named by a hash over all that goes into it.

A directory appears under its final name only when it is complete, so what exists can be used."""

import hashlib
import shutil

from . import place

_used = set()


def key_of(*inputs):
    """A hash over files (name, mode, content), directories of files, and plain strings."""
    digest = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            digest.update(f"string {item}\0".encode())
            continue
        for path in sorted(item.rglob("*")) if item.is_dir() else [item]:
            if path.is_file():
                executable = path.stat().st_mode & 0o111 != 0
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(place.LAB)} {executable} {content}\0".encode())
    return digest.hexdigest()[:16]


def obtain(name, key, make, note=lambda _: None):
    """The directory `name` with this key; made by make(directory) when it does not exist yet."""
    directory = place.BUILD / f"{name}-{key}"
    _used.add(directory.name)
    if not directory.exists():
        note(name)
        partial = place.BUILD / f"{directory.name}.partial"
        remove(partial)
        try:
            make(partial)
            partial.rename(directory)
        finally:
            remove(partial)
    return directory


def remove(directory):
    """Deletes a cache directory, complete or not."""
    if directory.exists():
        shutil.rmtree(directory)


def sweep(names):
    """Removes what earlier inputs left behind: of these names, all that obtain() did not return.

    Only while no machine runs from it."""
    for name in names:
        for directory in place.BUILD.glob(f"{name}-*"):
            if directory.name not in _used:
                remove(directory)
