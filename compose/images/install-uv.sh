#!/bin/sh
# Make /opt/uv from /build/uv.txt by pip, with the host's pip configuration if it gave one.
set -eu

if [ -s /run/secrets/pip_conf ]; then export PIP_CONFIG_FILE=/run/secrets/pip_conf; fi
if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle; fi

python3 -m venv /opt/uv
/opt/uv/bin/pip install --quiet --require-hashes --requirement /build/uv.txt
