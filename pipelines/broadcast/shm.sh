#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Raw pictures from another process through shared memory, restyled, to a third one: keeps the model out of the process that is on air.
#
#   pipelines/broadcast/shm.sh --source /tmp/sdv2-in --location /tmp/sdv2-out
#
# The feeder, and the playout (I420 of the same size and rate on both sides; shared memory carries no caps):
#   gst-launch-1.0 videotestsrc is-live=true ! video/x-raw,format=I420,width=832,height=480,framerate=16/1 ! \
#     shmsink socket-path=/tmp/sdv2-in shm-size=67108864 wait-for-connection=false sync=false
#   gst-launch-1.0 shmsrc socket-path=/tmp/sdv2-out is-live=true do-timestamp=true ! \
#     video/x-raw,format=I420,width=832,height=480,framerate=16/1 ! queue ! videoconvert ! autovideosink
. "$(dirname "$0")/../lib.sh"
option source /tmp/sdv2-in "socket of the feeder's shmsink, which runs already"
option location /tmp/sdv2-out "socket to make for the playout's shmsrc"
parse "$@"
set_filter
launch shmsrc "socket-path=$source" is-live=true do-timestamp=true ! \
  "video/x-raw,format=I420,width=$width,height=$height,framerate=$fps/1" ! "${camera_queue[@]}" ! "${filter[@]}" ! \
  queue ! videoconvert ! video/x-raw,format=I420 ! \
  shmsink "socket-path=$location" "shm-size=$((width * height * 48))" wait-for-connection=false sync=false
