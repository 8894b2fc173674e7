#!/bin/sh
# strict_nvcc.sh NVCC ARGUMENT…: runs the compiler and fails when the assembler gave up overlapping asynchronous matrix
# products (its messages C7510 and C7511): it only mentions that, and the kernel is several times slower.
log=$("$@" 2>&1)
status=$?
[ -z "$log" ] || printf '%s\n' "$log" >&2
case $log in
  *C7510* | *C7511*) exit 1 ;;
esac
exit $status
