#!/usr/bin/env bash
# Resolve every dependency group together, then write each image its part of the result,
# pinned by hash. Run it by `make lock`; it needs a built image marquee/uv.
set -euo pipefail
cd "$(dirname "$0")/../.."

# resolve GROUP FILE CONSTRAINTS...: pin one group of pyproject.toml into FILE
resolve() {
  local group=$1 file=$2
  shift 2
  uv pip compile --quiet --python-version 3.13 --python-platform x86_64-manylinux_2_28 \
    --only-binary :all: --group "$group" --generate-hashes --no-header --no-annotate \
    --no-emit-index-url "$@" --output-file "$file" pyproject.toml
}

resolve tests tests/requirements.txt --upgrade
for group in ingest trainer recommender monitoring ci; do
  resolve "$group" "$group/requirements.txt" --constraint tests/requirements.txt
done
resolve simulator compose/simulator/requirements.txt --constraint tests/requirements.txt
