#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The X11 screen, restyled, in a window.
#
#   pipelines/screen.sh [--display :0]
. "$(dirname "$0")/lib.sh"
option display "${DISPLAY:-:0}" "the X11 display"
parse "$@"
set_filter
launch ximagesrc "display-name=$display" use-damage=false ! "${camera_queue[@]}" ! videoscale ! videoconvert ! \
  "video/x-raw,width=$width,height=$height" ! "${filter[@]}" ! queue ! videoconvert ! autovideosink
