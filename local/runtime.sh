#!/bin/sh
# Starts a program with the file descriptors 1 and 3 exchanged.
#
# wrangler runs this file in place of the Workers runtime and expects control messages on descriptor 3, which a program in Rust can write
# to only as its standard output. That program (xtask/src/runtime.rs) runs this file for the runtime itself, which exchanges them again.
if [ -n "$DOTDO_RUNTIME_PROGRAM" ]; then
  set -- "$DOTDO_RUNTIME_PROGRAM" runtime "$@"
fi
exec "$@" 4>&1 1>&3 3>&4 4>&-
