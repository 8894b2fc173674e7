#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs the elements with the real engine, small and on the CPU: every frame that goes in comes out, with the demo model and with every setting
# that the engine knows, and a wrong setting is an error that says so.
#
#   tests/pipelines/engine.sh PIPELINES_DIR
set -euo pipefail
models=$1/models
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2 && cat "$work/out" >&2 && exit 1; }

run() { # SIZE SETTING...
  local size=$1
  shift
  gst-launch-1.0 videotestsrc num-buffers=9 ! "video/x-raw,framerate=20/1,width=$size,height=$size" ! sdv2chunk leaky=none ! \
    sdv2transform devices=cpu "$@" ! sdv2slo ! fakesink >"$work/out" 2>&1
}
run 64 model=random:tiny width=64 height=64 || fail "random:tiny"
grep -q '^9 frames' "$work/out" || fail "not all frames came out of random:tiny"
run 128 "model=$models/demo" "prompt=a pencil sketch" "negative-prompt=a photograph" guidance=1.5 guidance-mode=full steps=1 seed=3 \
  prompt-blend=2 prompt-blend-mode=slerp reset-on-prompt=true adaptive-sink=0.1 adaptive-noise=false noise-scale=0.5 mix=0.9 \
  similarity-filter=0.99 execution=latency plan=auto precision=fp32 || fail "the demo model"
grep -q '^9 frames' "$work/out" || fail "not all frames came out of the demo model"
if run 64 model=random:tiny plan=0=nowhere; then fail "a plan that is none was taken"; fi
grep -q "nowhere" "$work/out" || fail "the error does not name what is wrong with the plan"
