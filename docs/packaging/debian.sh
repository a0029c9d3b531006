#!/bin/sh
# Builds Debian packages of the last commit, by the recipe of that commit: lays debian/ beside its sources in a directory
# of its own, and leaves the packages above. The changelog has the version of meson.build, the copyright the text of
# LICENSE, and who maintains them is whom Debian's variables name.
#
#   DEBFULLNAME='Ada Lovelace' DEBEMAIL=ada@example.com sh docs/packaging/debian.sh DIRECTORY
set -eu
[ $# -eq 1 ] && [ -n "${DEBFULLNAME:-}" ] && [ -n "${DEBEMAIL:-}" ] || {
    echo "usage: DEBFULLNAME=NAME DEBEMAIL=ADDRESS $0 DIRECTORY" >&2
    exit 2
}
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" meson.build)
sources=$target/wengert-$version
[ ! -e "$sources" ] || {
    echo "$0: $sources exists" >&2
    exit 1
}
date=$(git log -1 --format=%cD)
mkdir "$sources"
git archive HEAD | tar -x -C "$sources"
cd "$sources"
cp -r docs/packaging/debian .
maintainer="$DEBFULLNAME <$DEBEMAIL>"
sed -i "s|@maintainer@|$(printf '%s' "$maintainer" | sed 's/[&|\\]/\\&/g')|" debian/control
sed -i '/^@license@$/d' debian/copyright
sed -n '5,$s/^$/./; 5,$s/^/ /p' LICENSE >>debian/copyright
printf 'wengert (%s) unstable; urgency=medium\n\n  * docs/changes.md says what is new.\n\n -- %s  %s\n' "$version" \
    "$maintainer" "$date" >debian/changelog
dpkg-buildpackage --no-sign --build=binary
