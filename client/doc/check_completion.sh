#!/usr/bin/env bash
# What is completed where. bash is asked; zsh and fish, where they are installed, must be able to read theirs.
#     check_completion.sh FOLDER
set -euo pipefail
cd "$1"

# complete_after WORD... prints what bash offers for the last one
complete_after() {
    bash --norc -c '
        source ./completion.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _jumelage
        printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
# expect "WORDS OFFERED" WORD...
expect() {
    local wanted=$1 got
    shift
    got=$(complete_after "$@" | sort | tr '\n' ' ')
    [[ ${got% } == "$wanted" ]] || { echo "after '$*': offered '${got% }', wanted '$wanted'"; exit 1; }
}
expect 'match methods' jumelage m
expect 'match methods' jumelage --lang fr m
expect 'match.each match.explain match.top match.unwatch match.watch match.whatif' jumelage call match.
expect 'get' jumelage profile g
expect '--pairing' jumelage match bilocation --pa
expect '--side' jumelage match bilocation --si
expect '--version' jumelage profile get --v
expect 'json' jumelage match --format j
expect 'json' jumelage match --format = j
expect 'en fr' jumelage --lang ''
expect 'delete duplicates' jumelage --data store profile d

if command -v zsh >/dev/null; then
    zsh -n completion.zsh
else
    echo "zsh is not installed: its completion is not checked"
fi
if command -v fish >/dev/null; then
    fish --no-execute completion.fish
    offered=$(fish --no-config -c 'source completion.fish; complete -C "jumelage profile ge"')
    [[ $offered == get* ]] || { echo "fish offers '$offered'"; exit 1; }
else
    echo "fish is not installed: its completion is not checked"
fi
