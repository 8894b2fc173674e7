#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SDI in, restyled, SDI out with the embedded sound in step: two connectors of DeckLink cards (needs Blackmagic's Desktop Video).
#
#   pipelines/broadcast/decklink.sh --input 0 --output 1 --mode 1080p25 --fps 25
#
# Interlaced modes are deinterlaced first. What leaves has the output mode's size and rate, whatever the model works at.
. "$(dirname "$0")/../lib.sh"
option input 0 "device number that pictures and sound come from"
option output 1 "device number that they go to"
option mode 1080p25 "video mode of the output"
option connection sdi "connector of the input: sdi, hdmi, optical-sdi"
parse "$@"
set_filter
launch decklinkvideosrc "device-number=$input" "connection=$connection" mode=auto ! deinterlace ! "${camera_queue[@]}" ! videoscale ! \
  videoconvert ! "video/x-raw,width=$width,height=$height" ! "${filter[@]}" ! queue ! videorate ! videoscale ! videoconvert ! \
  decklinkvideosink "device-number=$output" "mode=$mode" \
  decklinkaudiosrc "device-number=$input" channels=2 ! "${patient_queue[@]}" ! audioconvert ! audioresample ! \
  decklinkaudiosink "device-number=$output"
