#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A live test pattern, restyled: needs no camera. With --sink fakesink it needs no screen either.
#
#   pipelines/test-pattern.sh [--frames 200] [--sink autovideosink]
. "$(dirname "$0")/lib.sh"
option frames -1 "frames until the end (-1: for ever)"
option sink autovideosink "the element that shows the pictures"
parse "$@"
set_filter
launch videotestsrc is-live=true pattern=ball "num-buffers=$frames" ! \
  "video/x-raw,width=$width,height=$height,framerate=$fps/1" ! "${filter[@]}" ! queue ! videoconvert ! "$sink" sync=true
