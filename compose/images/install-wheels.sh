#!/bin/sh
# Make /opt/venv from /build/requirements.txt, whose hashes pin every wheel. The same file makes the
# same bytes: no time of this build is in the bytecode or what uv notes, nor is one a file's own.
set -eu

if [ -s /run/secrets/ca_bundle ]; then export SSL_CERT_FILE=/run/secrets/ca_bundle; fi
if [ -s /run/secrets/pip_conf ]; then
  UV_INDEX_URL=$(sed -n 's/^ *index-url *= *//p' /run/secrets/pip_conf | head -n 1)
  if [ -n "$UV_INDEX_URL" ]; then export UV_INDEX_URL; fi
fi
export UV_CACHE_DIR=/var/cache/uv UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
export UV_NO_INSTALLER_METADATA=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH

/opt/uv/bin/uv venv --quiet /opt/venv
/opt/uv/bin/uv pip install --quiet --python /opt/venv/bin/python --compile-bytecode \
  --require-hashes --only-binary :all: --requirement /build/requirements.txt
find /opt/venv -exec touch --no-dereference --date=2000-01-01 {} +
