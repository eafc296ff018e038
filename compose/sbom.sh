#!/usr/bin/env bash
# Write a bill of materials (CycloneDX) of each image of this stack into build/sbom: what its
# package managers say is in it. Nothing is downloaded, nothing changes.
#
# Usage: make sbom

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh

TARGET=build/sbom

images() { docker compose --profile '*' config --images | grep "^$IMAGE_PREFIX/" | sort -u; }

# bill_of IMAGE: whole or absent
bill_of() {
  local name=${1#"$IMAGE_PREFIX/"} file
  file=$TARGET/${name//:/-}.cdx.json
  components_of "$1" |
    awk -v image="$name" -v id="$(docker image inspect --format '{{.Id}}' "$1")" \
      -f compose/images/cyclonedx.awk > "$file.partial"
  mv "$file.partial" "$file"
  say "$file: $(grep -c '"type": "library"' "$file") components"
}

# Without a network or rights, and gone afterwards; the script comes in by its standard input.
components_of() {
  docker run --rm --interactive --network none --cap-drop ALL --user 65534:65534 \
    --entrypoint sh "$1" -s < compose/images/list-components.sh
}

read_settings
mkdir -p "$TARGET"
for image in $(images); do
  if docker image inspect "$image" > /dev/null 2>&1; then bill_of "$image"
  else say "$image is not built here"; fi
done
