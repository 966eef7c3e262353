#!/bin/sh
# Install Debian's chromium for the tests that drive a browser. Where that may not be, they are skipped and say why.
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ]; then as=""
elif sudo -n true 2>/dev/null; then as="sudo -n"
else
  echo "no chromium, and no right to install it: tests in a browser are skipped (apt-get install chromium)" >&2
  exit 0
fi
echo "installing Debian's chromium for the tests (once)" >&2
export DEBIAN_FRONTEND=noninteractive
{ $as apt-get update -qq && $as apt-get install -y -qq --no-install-recommends chromium; } >/dev/null \
  || echo "chromium could not be installed: tests in a browser are skipped" >&2
