#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# sdv2 from nothing on a bare machine: sets up, builds, and restyles a clip by four prompts that change while the stream runs.
# No GPU is needed. The first run downloads and builds for a while; the second starts at once.
#
#   pipelines/demo.sh                                    the bundled clip; look at demo-out/contact-sheet.png
#   pipelines/demo.sh --live                             your camera, in a window
#   pipelines/demo.sh --live --test-pattern --seconds 20 without a camera, 20 seconds, then measurements
#   pipelines/demo.sh --input in.mp4 --prompt "a watercolour painting" --output out.mp4
#
# Ctrl-C ends every one of them properly: files can be played.
#
# Options:
#   --prompt TEXT    what the pictures shall look like; again for more prompts [four styles]
#   --model DIR      the model's folder, for real checkpoints [pipelines/models/demo, or SDV2_MODEL]
#   --size WxH       of the pictures, multiples of 16 (real checkpoints: 832x480); not for --input [256x256]
#   --folder DIR     for the results [demo-out]
#   --seconds N      so much of the clip or of live video [all of it]
#   --live           camera to window
#   --test-pattern   with --live: a test pattern in place of the camera
#   --device FILE    with --live: the camera [the first /dev/video*]
#   --fps N          with --live: frames per second that the model gets [16]
#   --input FILE     a video file to restyle, sound kept
#   --output FILE    with --input: the MP4 file to write [demo-out/NAME-restyled.mp4]
#   --help           this text
#
# The model that comes with sdv2 knows these styles, in many wordings: pencil sketch, ink cartoon, watercolour, blueprint, neon,
# black and white film, sepia photograph, thermal camera, pop art; and "the original video".
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

for argument; do
  case $argument in -h | --help) sed -n '3,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" && exit 0 ;; esac
done

(cd "$root" && subprojects/setup.sh build)
echo "[build] the engine, the plugin and the tools (the first time takes minutes)"
CCACHE_SLOPPINESS=pch_defines,time_macros "$root/.deps/venv/bin/ninja" -C "$root/build" --quiet product

export GST_PLUGIN_PATH=$root/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
export SDV2_ENGINE=${SDV2_ENGINE:-$root/build/src/api/libsdv2engine.so}
# The system's Python: the one in .deps/ has no GStreamer.
exec /usr/bin/python3 "$root/pipelines/demo.py" "$@"
