#!/usr/bin/env bash
# Looks for mistakes with clang-tidy in the files of a configured build.
#
#   tests/tidy.sh BUILD_DIR [--all]
#
# Takes the product's files without torch (ten seconds each); --all takes the tests and the files with torch too (half a
# minute each).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build_dir=${1:?usage: tests/tidy.sh BUILD_DIR [--all]}
scope=${2:-}

list_units='
import json, os, sys
build, scope = sys.argv[1:3]
units = set()
for entry in json.load(open(os.path.join(build, "compile_commands.json"))):
    path = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
    with_torch = "/torch/include" in entry["command"]
    quick = not with_torch and path.startswith(("src/", "gst/"))
    if path.endswith(".cpp") and not path.startswith("..") and (scope == "--all" or quick):
        units.add(path)
print("\n".join(sorted(units)))'
mapfile -t units < <(python3 -c "$list_units" "$build_dir" "$scope")
printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy -p "$build_dir" --quiet 2>/dev/null
echo "clang-tidy: ${#units[@]} files are clean"
