#!/usr/bin/env bash
# Checks the style of every source with clang-format.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mapfile -t sources < <(git ls-files -- '*.cpp' '*.h' '*.hpp' '*.cu' '*.cuh')
clang-format --dry-run --Werror "${sources[@]}"
echo "clang-format: ${#sources[@]} files are in style"
