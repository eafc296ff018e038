#!/bin/sh
# List what this file system holds, as its own package managers tell: Debian packages, Python
# distributions, Java archives. Run in an image; a line each: kind, name, version, and of a
# Debian package its architecture, of a distribution its licence.
#
# Usage: list-components.sh [ROOT]
set -eu

root=${1:-/}
tab=$(printf '\t')

dpkg-query --show --showformat 'deb\t${Package}\t${Version}\t${Architecture}\n'

find "$root" -xdev -type f -path '*.dist-info/METADATA' 2> /dev/null | sort | while read -r file; do
  sed -n "
    s/\r\$//
    /^\$/q
    s/^Name: /name$tab/p
    s/^Version: /version$tab/p
    s/^License-Expression: /licence$tab/p
    s/^License: /licence$tab/p
  " "$file" | awk -F "$tab" '
    !($1 in told) { told[$1] = $2 }
    END { printf "pypi\t%s\t%s\t%s\n", told["name"], told["version"], told["licence"] }'
done

find "$root" -xdev -type f -name '*.jar' 2> /dev/null | sed 's|.*/||; s|\.jar$||' | sort -u |
  sed -n "s|^\(.*\)-\([0-9].*\)\$|jar$tab\1$tab\2$tab|p"
