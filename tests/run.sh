#!/usr/bin/env bash
# Sets up, builds and runs the tests.
#
#   tests/run.sh [--suite S]... [--sanitize address|thread] [--list]
#
#   --suite S       only these suites (unit, golden, elements, pipelines, faults, fuzz, lint; not by default: tidy,
#                   quality, fuzz-nightly, soak)
#   --sanitize X    in a build of its own: address = ASan + UBSan, thread = TSan
#   --list          print the tests, run nothing
#
# With CI=true warnings are errors. Ends with the totals; exit code 0 when nothing failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

build_dir=build
options=()
patience=1  # factor on the tests' time limits
suites=()
list=
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suites+=("--suite=${2:?--suite needs a name}") && shift 2 ;;
    --sanitize)
      case ${2:-} in
        address) options+=(-Db_sanitize=address,undefined) ;;
        thread) options+=(-Db_sanitize=thread) ;;
        *) echo "tests/run.sh: --sanitize takes address or thread" >&2 && exit 2 ;;
      esac
      build_dir=build-$2
      patience=5
      shift 2
      ;;
    --list) list=1 && shift ;;
    -h | --help) usage && exit 0 ;;
    *) echo "tests/run.sh: unknown option $1" >&2 && usage >&2 && exit 2 ;;
  esac
done
# In CI nobody debugs: without debug information the build takes a third less time.
[ "${CI:-}" != true ] || options+=(-Dwerror=true -Ddebug=false)
[ ${#suites[@]} -gt 0 ] || suites=(--no-suite={fuzz-nightly,soak,quality,tidy})

subprojects/setup.sh "$build_dir" "${options[@]}"
export PATH=$root/.deps/venv/bin:$PATH
# Precompiled headers are cached too.
export CCACHE_SLOPPINESS=pch_defines,time_macros
echo "[build] ninja -C $build_dir"
ninja -C "$build_dir" --quiet
if [ -n "$list" ]; then
  meson test -C "$build_dir" --no-rebuild --list "${suites[@]}"
  exit 0
fi

# What our libraries cannot help: leaks and races inside libraries that are not instrumented.
# And an error of AddressSanitizer's in GCC 12: it takes the size of a thread's memory that begins 16 bytes behind
# a page from where there is none, and the search for leaks crashes. Without the interceptor it does not ask.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:detect_container_overflow=0:intercept_tls_get_addr=0:abort_on_error=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$root/tests/lsan.supp:print_suppressions=0}
# Libraries without instrumentation are not looked into: their locks are not seen.
export TSAN_OPTIONS=${TSAN_OPTIONS:-suppressions=$root/tests/tsan.supp:halt_on_error=1:ignore_noninstrumented_modules=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}

status=0
meson test -C "$build_dir" --no-rebuild --print-errorlogs --timeout-multiplier "$patience" "${suites[@]}" || status=$?
python3 tests/totals.py "$build_dir/meson-logs/testlog.junit.xml"
exit "$status"
