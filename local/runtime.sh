#!/bin/sh
# Starts the Workers runtime without its inspector. `npm run dev` passes this program to wrangler in place of workerd, whose path is
# in DOTDO_WORKERD.
#
# The inspector's port accepts every client, and web pages of every origin, and gives it the memory of all Workers. `wrangler dev`
# has no option to close it, and waits for the message with its port, so this program sends one in place of the runtime.
count=$#
while [ "$count" -gt 0 ]; do
  argument=$1
  shift
  case $argument in
    --inspector-addr=*) printf '{"event":"listen-inspector","port":1}\n' >&3 ;;
    *) set -- "$@" "$argument" ;;
  esac
  count=$((count - 1))
done
exec "$DOTDO_WORKERD" "$@"
