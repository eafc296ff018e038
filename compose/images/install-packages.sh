#!/bin/sh
# Install distribution packages in an image build, with the host's package sources if it
# gave any as build secrets, and leave neither lists, caches nor the sources behind.
set -eu

sources=/etc/apt/sources.list.d/host.list
conf=/etc/apt/apt.conf.d/99host
if [ -s /run/secrets/apt_sources ]; then cp /run/secrets/apt_sources "$sources"; fi
if [ -s /run/secrets/apt_conf ]; then cp /run/secrets/apt_conf "$conf"; fi
if [ -s /run/secrets/ca_bundle ]; then
  echo 'Acquire::https::CAInfo "/run/secrets/ca_bundle";' >> "$conf"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq -o Acquire::Retries=3
apt-get install -y -qq --no-install-recommends -o Acquire::Retries=3 "$@" >/dev/null

rm -rf "$sources" "$conf" /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
