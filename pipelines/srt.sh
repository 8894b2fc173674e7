#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An SRT stream in, the same restyled out over SRT, with its sound.
#
#   pipelines/srt.sh --source 'srt://:7001?mode=listener' --location 'srt://:7002?mode=listener'
#
# The output does not wait for a receiver.
. "$(dirname "$0")/lib.sh"
option source "srt://:7001?mode=listener" "the address to read"
option location "srt://:7002?mode=listener" "the address to write"
option bitrate 2500 "of the video in kbit/s"
parse "$@"
set_filter
set_encoders "$bitrate"
launch mpegtsmux name=mux alignment=7 ! queue ! srtsink "uri=$location" wait-for-connection=false \
  srtsrc "uri=$source" ! decodebin name=in \
  in. ! video/x-raw ! "${camera_queue[@]}" ! videoscale ! videoconvert ! "video/x-raw,width=$width,height=$height" ! \
  "${filter[@]}" ! queue ! videoconvert ! "${h264[@]}" ! queue ! mux. \
  in. ! audio/x-raw ! audioconvert ! audioresample ! "${patient_queue[@]}" ! "${aac[@]}" ! queue ! mux.
