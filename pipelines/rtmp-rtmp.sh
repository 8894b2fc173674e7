#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An RTMP stream in, the same restyled to another RTMP address, with its sound.
#
#   pipelines/rtmp-rtmp.sh --source rtmp://server/app/in --location rtmp://server/app/out
. "$(dirname "$0")/lib.sh"
option source rtmp://127.0.0.1/live/in "the address to read"
option location rtmp://127.0.0.1/live/out "the address to write"
option bitrate 2500 "of the video in kbit/s"
parse "$@"
set_filter
set_encoders "$bitrate"
launch flvmux name=mux streamable=true ! queue ! rtmp2sink "location=$location" \
  rtmp2src "location=$source" ! decodebin name=in \
  in. ! video/x-raw ! "${camera_queue[@]}" ! videoscale ! videoconvert ! "video/x-raw,width=$width,height=$height" ! \
  "${filter[@]}" ! queue ! videoconvert ! "${h264[@]}" ! queue ! mux. \
  in. ! audio/x-raw ! audioconvert ! audioresample ! "${patient_queue[@]}" ! "${aac[@]}" ! queue ! mux.
