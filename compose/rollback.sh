#!/usr/bin/env bash
# Put back what was live before: a model at once, by the releaser alone. Where it was code that went
# live last, both slots get the image again that they ran before, which takes the engine.
#
# Usage: make rollback

set -euo pipefail
cd "$(dirname "$0")/.."

source compose/up/say.sh
source compose/up/settings.sh
source compose/up/lock.sh
source compose/up/build_images.sh
source compose/up/base_image.sh
source compose/up/name_images.sh
source compose/code/carry.sh

CODE_WENT_LIVE=4

# bring_code_back STEP: that which went live by this step is left; asked for twice, once
bring_code_back() {
  local slot
  [[ $1 == *" code release" && $(ask_releaser newest) = "$1" ]] || { say "What is live has changed meanwhile; nothing was changed"; return; }
  read -r _ slot _ <<< "$1"
  image_exists "$IMAGE_PREFIX/recommender:before-$slot" ||
    fail "the image before is not here" "Another comes by: make release-code IMAGE=..."
  IMAGE=$(image_id "$IMAGE_PREFIX/recommender:before-$slot")
  carry --back
  say "Both slots run $(known_as) again"
}

status=0
compose/exec.sh releaser python -m ci rollback || status=$?
[ "$status" -eq "$CODE_WENT_LIVE" ] || exit "$status"
newest=$(ask_releaser newest)
hold_stack_lock
read_settings
bring_code_back "$newest"
