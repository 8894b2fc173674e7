#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seeds of fuzz_pickle: copies the data.pkl of every torch checkpoint in a folder to another one, byte for byte.

usage: extract_pickles.py CHECKPOINT_DIR SEED_DIR STAMP
"""
import pathlib
import sys
import zipfile


def main() -> int:
    source, seeds, stamp = map(pathlib.Path, sys.argv[1:])
    seeds.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.pt*")):
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith("/data.pkl"):
                        (seeds / path.name).write_bytes(archive.read(name))
        except zipfile.BadZipFile:
            continue  # one of the damaged files
    stamp.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
