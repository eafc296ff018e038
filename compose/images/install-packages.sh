#!/bin/sh
# Install distribution packages in an image build. The host's package sources and apt settings
# come as build secrets, if it has any; where its sources do not serve, the image's own do.
# Neither lists nor caches nor anything of the host stays behind.
set -eu

APT_CONFIG=$(mktemp)
export APT_CONFIG DEBIAN_FRONTEND=noninteractive
echo 'Acquire::Retries "3";' > "$APT_CONFIG"
if [ -s /run/secrets/apt_conf ]; then cat /run/secrets/apt_conf >> "$APT_CONFIG"; fi
if [ -s /run/secrets/ca_bundle ]; then
  echo 'Acquire::https::CAInfo "/run/secrets/ca_bundle";' >> "$APT_CONFIG"
fi

update() { apt-get update -qq --error-on=any; }

use_sources_of_host() {
  cp "$APT_CONFIG" "$APT_CONFIG.own"
  cp /run/secrets/apt_sources "$APT_CONFIG.list"
  printf 'Dir::Etc { SourceList "%s"; SourceParts "-"; };\n' "$APT_CONFIG.list" >> "$APT_CONFIG"
}

if [ ! -s /run/secrets/apt_sources ]; then
  update
else
  use_sources_of_host
  if ! update; then
    echo "install-packages: the host's package sources do not serve; taking the image's own" >&2
    mv "$APT_CONFIG.own" "$APT_CONFIG"
    update
  fi
fi
apt-get install -y -qq --no-install-recommends "$@" > /dev/null

rm -rf "$APT_CONFIG"* /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
