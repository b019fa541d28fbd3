#!/usr/bin/env bash
# Are the manual pages set without a warning, and is all of the tables in them?
#     check_man.sh FOLDER
set -euo pipefail
cd "$1"
if [[ ! -f jumelage.1 ]]; then
    echo "skipped: the pages were not built, scdoc is not installed"
    exit 77
fi
command -v man >/dev/null || { echo "skipped: man is not installed"; exit 77; }
for page in jumelage.1 jumelaged.8 jumelaged.yaml.5 libjumelage.3; do
    complaints=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
    [[ -z $complaints ]] || { echo "$page: $complaints"; exit 1; }
done
text=$(LC_ALL=C.UTF-8 MANWIDTH=200 man -l -P cat jumelage.1)
for word in 'jumelage match PROGRAMME' 'jumelage profile get ID' '--min-score=S' 'whose lists' invalid_params; do
    [[ $text == *"$word"* ]] || { echo "jumelage.1 does not tell of: $word"; exit 1; }
done
text=$(LC_ALL=C.UTF-8 MANWIDTH=200 man -l -P cat jumelaged.yaml.5)
for word in 'connections: 1 to' 'drain-s: N (reload)'; do
    [[ $text == *"$word"* ]] || { echo "jumelaged.yaml.5 does not tell of: $word"; exit 1; }
done
