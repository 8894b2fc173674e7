#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Webcam, restyled, in a window.
#
#   pipelines/webcam-preview.sh [--device /dev/video0] [--prompt TEXT]
. "$(dirname "$0")/lib.sh"
option device /dev/video0 "the camera"
parse "$@"
set_filter
launch v4l2src "device=$device" ! decodebin ! "${camera_queue[@]}" ! videoscale ! videoconvert ! \
  "video/x-raw,width=$width,height=$height" ! "${filter[@]}" ! queue ! videoconvert ! autovideosink
