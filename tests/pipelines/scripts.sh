#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Checks the scripts and lines in pipelines/: each explains itself, prints a line that GStreamer can build, and those that need no device run to
# their end with the stub engine, with a frame out for each frame in. media_test.py runs the others.
#
#   tests/pipelines/scripts.sh PIPELINES_DIR PARSE_LAUNCH
set -euo pipefail
dir=$1 parse_launch=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2 && exit 1; }
installed() { gst-inspect-1.0 --exists "$1"; }

build() { # WORDS...: builds, or says that an element is missing
  local status=0
  "$parse_launch" "$@" || status=$?
  [ "$status" = 0 ] || [ "$status" = 77 ] || fail "$*"
}

for script in "$dir"/*.sh "$dir"/broadcast/*.sh; do
  case $(basename "$script") in lib.sh | demo.sh) continue ;; esac # demo.sh has a test of its own
  help=$("$script" --help)
  [[ $help == *--prompt* && $help == *--print* ]] || fail "$script --help"
  line=$("$script" --print) || fail "$script --print"
  eval "words=($line)"
  echo "$(basename "$script")"
  build "${words[@]:2}"
  if "$script" --no-such-option 1 2>/dev/null; then fail "$script takes unknown options"; fi
done
for line in "$dir"/obs/*.txt; do
  [ "$(wc -l <"$line")" = 1 ] || fail "$line is not one line"
  echo "$(basename "$line")"
  # As OBS does: its own sinks are named video and audio.
  eval "words=($(sed 's/(/\\(/g; s/)/\\)/g' "$line"))"
  build videoconvert name=video ! fakesink audioconvert name=audio ! fakesink "${words[@]}"
done

export SDV2_WIDTH=64 SDV2_HEIGHT=64 SDV2_FPS=50
"$dir/test-pattern.sh" --frames 60 --sink fakesink >"$work/out" || fail "test-pattern.sh: $(cat "$work/out")"
grep -q '^60 frames' "$work/out" || fail "not all frames came out: $(cat "$work/out")"
"$dir/test-pattern.sh" --frames 9 --sink fakesink --preset "Oil painting" >"$work/out" || fail "a preset: $(cat "$work/out")"
if "$dir/test-pattern.sh" --frames 9 --sink fakesink --preset Nothing 2>"$work/out"; then fail "a preset that is none"; fi
"$dir/slo-report.sh" --frames 60 --log "$work/slo.jsonl" >/dev/null
grep -q '"final": *true' "$work/slo.jsonl" || fail "no final report"
