#!/bin/sh
# Brings the editor of the query page (CodeMirror with its SPARQL mode, MIT) to identify/pages/vendor, where packages
# built afterwards take it along. Where there is no npm, or no way to its registry, the page has a plain field instead.
set -eu
package=codemirror@5.65.21
sha512=ead7989346c0d2747740fd22846328c6e2b3a65e56f341699c7a41269832eba34addc66fe5bfddfc763c3e746f7d2b021b53137ebf76bb659497ec13d04e3499
there=$(dirname "$0")/vendor
test -f "$there/editor.js" && exit 0
plain() { echo "$1: the query page will have a plain field" >&2; exit 0; }
command -v npm >/dev/null 2>&1 || plain "no npm here"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack "$package" --silent --fetch-retries=0 --fetch-timeout=20000 --pack-destination "$work" >/dev/null 2>&1 ||
  plain "$package cannot be fetched"
echo "$sha512 $(ls "$work"/*.tgz)" | sha512sum --check --quiet >&2 ||
  { echo "this is not the $package that is meant" >&2; exit 1; }
tar -xzf "$work"/*.tgz -C "$work"
mkdir -p "$there"
cp "$work/package/LICENSE" "$there/editor-licence.txt"
cp "$work/package/lib/codemirror.css" "$there/editor.css"
cd "$work/package"
cat lib/codemirror.js addon/edit/matchbrackets.js mode/sparql/sparql.js > "$work/editor.js"
cd "$OLDPWD"
mv "$work/editor.js" "$there/editor.js"  # last: it says that all is there
