#!/usr/bin/env bash
# Makes this checkout ready to build: Debian packages, in .deps/ the Python environment (torch, Meson, Ninja), the CUDA
# compiler and an RTMP server for the tests, and a configured build folder. Safe to run again; what is there already is left alone.
#
#   subprojects/setup.sh [BUILD_DIR [MESON_OPTION...]]       default: build
#
# Touches nothing but .deps/, the build folder and (with apt-get, as root or through sudo) system packages.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
build_dir=${1:-build}
[ $# -gt 0 ] && shift
meson_options=("$@")

started=$SECONDS
say() { printf '[setup %4ds] %s\n' "$((SECONDS - started))" "$*"; }
die() {
  printf '\nsetup: %s\n' "$*" >&2
  exit 1
}

# --- Debian packages -------------------------------------------------------------------------------------------------------
packages=(
  build-essential pkg-config ccache python3 python3-venv
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x
  python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0
  libgtest-dev libgmock-dev nlohmann-json3-dev libicu-dev nettle-dev zlib1g-dev
  clang clang-tidy clang-format libclang-rt-14-dev
)
install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "Debian packages: all ${#packages[@]} are installed"
    return
  fi
  command -v apt-get >/dev/null || die "these packages are missing and there is no apt-get: ${missing[*]}. Install them and run this again."
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo. As root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Debian packages: installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get failed (full log: $log). Repair the package system or the network, then run this again."
  fi
  rm -f "$log"
}

# --- RTMP server for the tests ---------------------------------------------------------------------------------------------
# The two packages are only unpacked: installed, they would start a web server on this machine.
unpack_nginx() {
  local folder=$root/.deps/nginx work
  if [ -e "$folder/usr/lib/nginx/modules/ngx_rtmp_module.so" ]; then
    say "RTMP server for the tests: nginx is in .deps/nginx"
    return
  fi
  work=$(mktemp -d)
  if (cd "$work" && apt-get download -q nginx libnginx-mod-rtmp && for file in *.deb; do dpkg-deb -x "$file" root; done) \
    >/dev/null 2>&1; then
    rm -rf "$folder"
    cp -r "$work/root" "$folder"
    say "RTMP server for the tests: unpacked nginx into .deps/nginx"
  else
    say "RTMP server for the tests: nginx could not be downloaded, the tests that need it will be skipped"
  fi
  rm -rf "$work"
}

# --- Python environment ----------------------------------------------------------------------------------------------------
venv=$root/.deps/venv
# install_wheels NAME FILE...: installs pinned requirement files once; a change of a file installs again.
install_wheels() {
  local stamp=$root/.deps/$1.stamp want
  shift
  want=$(cat "$@" | sha256sum)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    say "Python packages: $(basename "$1") is installed"
    return
  fi
  say "Python packages: installing $(basename "$1") (torch is about 3 GB with its CUDA libraries; this takes minutes)"
  local file arguments=()
  for file in "$@"; do arguments+=(-r "$file"); done
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "${arguments[@]}" ||
    die "pip could not install $*. Is the Python package index reachable, and is there room on the disk (8 GB)? Run this again."
  printf '%s\n' "$want" >"$stamp"
}
make_environment() {
  if ! "$venv/bin/python" -c '' 2>/dev/null; then
    local python
    for python in /usr/bin/python3 python3; do command -v "$python" >/dev/null && break; done
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
      die "Python 3.10 or newer is needed, $python is older."
    say "Python environment: making .deps/venv with $($python --version)"
    "$python" -m venv --clear "$venv" || die "python3 -m venv failed. Install python3-venv and run this again."
  fi
  install_wheels requirements subprojects/requirements.txt
}

# --- CUDA compiler ---------------------------------------------------------------------------------------------------------
nvcc_version() { "$1" --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\),.*/\1/p'; }
find_cuda() {
  case " ${meson_options[*]-} " in *' -Dcuda=disabled '*)
    say "CUDA: disabled"
    return
    ;;
  esac
  local nvcc
  for nvcc in "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc /usr/local/cuda-13.0/bin/nvcc; do
    [ -x "$nvcc" ] || continue
    case $(nvcc_version "$nvcc") in 13.*)
      say "CUDA: system toolkit $(nvcc_version "$nvcc") ($nvcc)"
      return
      ;;
    esac
  done
  install_wheels requirements-nvcc subprojects/requirements-nvcc.txt
  say "CUDA: compiler from the Python packages"
}

# --- build folder ----------------------------------------------------------------------------------------------------------
configure() {
  export PATH=$venv/bin:$PATH
  if [ -f "$build_dir/build.ninja" ]; then
    [ ${#meson_options[@]} -eq 0 ] || meson configure "$build_dir" "${meson_options[@]}"
    say "build folder: $build_dir is configured"
    return
  fi
  say "build folder: configuring $build_dir"
  local log
  log=$(mktemp)
  meson setup "$build_dir" "${meson_options[@]}" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "meson could not configure $build_dir (log: $log)."
  }
  rm -f "$log"
}

mkdir -p .deps
install_packages
unpack_nginx
make_environment
find_cuda
configure
say "done. Build with: .deps/venv/bin/ninja -C $build_dir"
