#!/bin/sh
# Prints buckets.conf: each user id always falls into the same one of 1,000 buckets.
set -eu

echo "# Made by make_buckets.sh. The hash is constant, so a user keeps a bucket for ever."
# shellcheck disable=SC2016 # these are variables of Nginx
echo 'split_clients $user_id $bucket {'
seq -f '    0.1%% %03g;' 0 998
echo '    *    999;'
echo '}'
