#!/bin/sh
# Compile Groovy scripts, which finds every syntax error; nothing is run. What the steps mean only
# a Jenkins knows.
#
# Usage: ci/groovy/check_syntax.sh FILE...
set -eu

classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
for file in "$@"; do
  cp "$file" "$classes/$(basename "$file" | tr -c '[:alnum:]\n' _).groovy"
done
java -cp '/opt/groovy/*' org.codehaus.groovy.tools.FileSystemCompiler -d "$classes" \
  "$classes"/*.groovy
