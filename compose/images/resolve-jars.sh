#!/bin/sh
# Resolve a POM's jars into a folder and hold them against their recorded checksums.
# Usage: resolve-jars FOLDER_WITH_POM_AND_CHECKSUMS TARGET
set -eu

source=$1 target=$2
if [ -s /run/secrets/ca_bundle ]; then
  openssl pkcs12 -export -nokeys -jdktrust anyExtendedKeyUsage -passout pass:changeit \
    -in /run/secrets/ca_bundle -out /tmp/trust.p12
  MAVEN_OPTS="-Djavax.net.ssl.trustStore=/tmp/trust.p12 -Djavax.net.ssl.trustStoreType=PKCS12"
  MAVEN_OPTS="$MAVEN_OPTS -Djavax.net.ssl.trustStorePassword=changeit"
  export MAVEN_OPTS
fi
settings=
if [ -s /run/secrets/maven_settings ]; then settings="--settings=/run/secrets/maven_settings"; fi

# empty when the host has no settings
# shellcheck disable=SC2086
mvn --batch-mode --quiet $settings --file "$source/pom.xml" dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$target"
cd "$target"
sha256sum --check --quiet "$source/jars.sha256"
test "$(find . -name '*.jar' | wc -l)" -eq "$(wc -l < "$source/jars.sha256")"
