#!/bin/sh
# Re-creates static/vendor and tests/browser/vendor from npm. Run it in an empty folder outside the project:
#   sh <project>/static/vendor/update.sh <project>
# Versions are written here once; VERSIONS.md repeats them for readers.
set -eu
project=$1
tabler=1.6.1 icons=3.51.0 htmx=4.0.1 echarts=6.1.0 axe=4.14.1

npm init --yes >/dev/null
npm install --no-audit --no-fund "@tabler/core@$tabler" "@tabler/icons@$icons" "htmx.org@$htmx" "echarts@$echarts" \
  "axe-core@$axe"
vendor=$project/static/vendor
tests=$project/tests/browser/vendor

# The source map is 1.7 MB and not shipped, so its pointer goes too: the manifest storage would look for the file.
mkdir -p "$vendor/tabler-core-$tabler"
sed 's|/\*# sourceMappingURL=.*\*/||' node_modules/@tabler/core/dist/css/tabler.min.css \
  > "$vendor/tabler-core-$tabler/tabler.min.css"

mkdir -p "$vendor/htmx.org-$htmx"
cp node_modules/htmx.org/dist/htmx.min.js node_modules/htmx.org/LICENSE "$vendor/htmx.org-$htmx/"

# The middle one of three builds: bars, grid, legend, tooltip and patterns; maps and 3-D are not in it.
mkdir -p "$vendor/echarts-$echarts"
cp node_modules/echarts/dist/echarts.common.min.js node_modules/echarts/LICENSE node_modules/echarts/NOTICE \
  node_modules/echarts/licenses/LICENSE-d3 "$vendor/echarts-$echarts/"

# One sprite with the icons listed in icons.txt; the invisible 24x24 frame every icon carries is left out.
mkdir -p "$vendor/tabler-icons-$icons"
cp node_modules/@tabler/icons/LICENSE "$vendor/tabler-icons-$icons/"
{
  echo '<svg xmlns="http://www.w3.org/2000/svg">'
  while read -r name; do
    printf '<symbol id="%s" viewBox="0 0 24 24">' "$name"
    sed -n '/<path\|<circle\|<rect\|<line\|<poly/p' "node_modules/@tabler/icons/icons/outline/$name.svg" \
      | grep -v 'M0 0h24v24H0z' | sed 's/^ *//' | tr -d '\n'
    echo '</symbol>'
  done < "$vendor/icons.txt"
  echo '</svg>'
} > "$vendor/tabler-icons-$icons/sprite.svg"

mkdir -p "$tests/axe-core-$axe"
cp node_modules/axe-core/axe.min.js node_modules/axe-core/LICENSE node_modules/axe-core/LICENSE-3RD-PARTY.txt \
  "$tests/axe-core-$axe/"
