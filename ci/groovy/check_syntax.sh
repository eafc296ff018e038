#!/bin/sh
# Compile a Jenkinsfile with Groovy, which finds every syntax error; nothing is run. What the
# steps mean only a Jenkins knows.
#
# Usage: ci/groovy/check_syntax.sh FILE
set -eu

classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
cp "$1" "$classes/Jenkinsfile.groovy"
java -cp '/opt/groovy/*' org.codehaus.groovy.tools.FileSystemCompiler -d "$classes" \
  "$classes/Jenkinsfile.groovy"
