#!/usr/bin/env bash
# Installs a build into a prefix of its own, then builds and runs a program of somebody else's with it,
# found by CMake and by pkg-config, from another folder than it was installed to.
#     install.sh BUILD_DIR OUTSIDE_SOURCE_DIR
set -euo pipefail
build=$1 outside=$2
if [[ -n ${JML_SANITIZE:-} ]]; then
    echo "not with a sanitizer: a program that does not know of it cannot load the library"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved" # nothing in it may remember where it was
prefix=$work/moved

cmake -S "$outside" -B "$work/by-cmake" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/by-cmake" >/dev/null
words=$("$work/by-cmake/outside")
echo "by CMake: $words"

module=$(find "$prefix" -name jumelage.pc)
export PKG_CONFIG_PATH=${module%/*}
library=$(dirname "$(find "$prefix" -name libjumelage.so)")
# shellcheck disable=SC2046 # words on purpose
cc -std=c11 -o "$work/by-pkg-config" "$outside/outside.c" $(pkg-config --cflags --libs jumelage)
[[ $(LD_LIBRARY_PATH=$library "$work/by-pkg-config") == "$words" ]]
echo "by pkg-config: the same"

# the example that readers copy builds just so
example=$(find "$prefix" -name match.c)
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror -o "$work/example" "$example" $(pkg-config --cflags --libs jumelage)

# nothing is visible but what the header offers, and the name carries the version
strangers=$(nm -D --defined-only "$library/libjumelage.so" | awk '$3 !~ /^jml_/')
[[ -z $strangers ]] || { echo "visible, but not offered: $strangers"; exit 1; }
readelf -d "$library/libjumelage.so" | grep -q 'SONAME.*libjumelage\.so\.[0-9]' ||
    { echo "libjumelage.so has no SONAME with a version"; exit 1; }
if readelf -d "$library/libjumelage.so" | grep -q 'NEEDED.*libevent'; then
    echo "libjumelage.so needs libevent"
    exit 1
fi
for program in jumelage jumelaged; do
    "$prefix/bin/$program" --version
done
