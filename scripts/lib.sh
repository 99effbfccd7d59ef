# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the other scripts: where things are, how builds are configured, how they speak.

set -euo pipefail

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The distribution's own interpreter: another python3 on PATH would lack the tests' packages.
# shellcheck disable=SC2034
PYTHON=/usr/bin/python3
STARTED=$SECONDS
cd "$REPOSITORY"
export PYTHONDONTWRITEBYTECODE=1

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# A heading with the time since the script began.
stage() {
    local elapsed=$((SECONDS - STARTED))
    printf '\n=== [%02d:%02d] %s\n' $((elapsed / 60)) $((elapsed % 60)) "$*"
}

need_root() {
    [ "$(id -u)" -eq 0 ] || die "$* needs root: run it with sudo"
}

# The comment at the head of a script is its help.
usage() {
    sed -n '3,/^[^#]/{s/^# \{0,1\}//p}' "$0"
}

cached_compiler() {
    if command -v ccache >/dev/null; then printf 'ccache %s' "$1"; else printf '%s' "$1"; fi
}

# build_folder PRESET: prints where that preset is built.
build_folder() {
    case $1 in
        release) echo build ;;
        asan | tsan | lint | check | perf) echo "build-$1" ;;
        *) die "no build preset '$1' (release, asan, tsan, lint, check, perf)" ;;
    esac
}

# configure PRESET: makes the preset's build folder unless it is there. Presets:
#   release  gcc -O2 with symbols: what runs
#   check    the same with warnings as errors
#   asan     clang 19, address and undefined-behaviour sanitizers; the first finding ends the test
#   tsan     clang 19, thread sanitizer
#   lint     clang 19, for its compile_commands.json only
#   perf     as release, with the benchmarks
configure() {
    local preset=$1 folder
    folder=$(build_folder "$preset")
    [ -f "$folder/build.ninja" ] && return
    local cc=gcc cxx=g++ options=()
    case $preset in
        # g++ 12 sees null pointers in inlined library code where there are none: told, not fatal.
        check) options=(-Dwerror=true -Dcpp_args=-Wno-error=null-dereference) ;;
        asan)
            options=(-Doptimization=1 '-Db_sanitize=address,undefined'
                -Dcpp_args=-fno-sanitize-recover=undefined)
            ;;
        tsan) options=(-Doptimization=1 -Db_sanitize=thread) ;;
        perf) options=(-Dperf=true -Dtests=disabled) ;;
    esac
    case $preset in asan | tsan | lint) cc=clang-19 cxx=clang++-19 ;; esac
    CC=$(cached_compiler $cc) CXX=$(cached_compiler $cxx) meson setup "$folder" "${options[@]}"
}

# Two more megabytes of log tell nobody anything: builds are quiet unless they fail.
build() {
    local preset=$1 folder
    shift
    folder=$(build_folder "$preset")
    mkdir -p "$folder"
    if ! { configure "$preset" && ninja -C "$folder" "$@"; } >"$folder/build.log" 2>&1; then
        tail -n 60 "$folder/build.log" >&2
        return 1
    fi
}
