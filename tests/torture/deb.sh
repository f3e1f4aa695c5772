#!/bin/sh
# The Debian package (make deb): the same bytes when it is made again, no error of lintian, and
# installed in a clean root of Debian, with nothing but what it depends on, it passes
# tests/install/install.sh.  Needs root and debootstrap; DEBOOTSTRAP_SUITE names the release
# (bookworm).  Prints TAP.
. "$(dirname "$0")/../lib.sh"
skip_without dpkg-deb debootstrap chroot
shown=log
package() { make -s deb >"$dir/log" 2>&1 && deb=$(tail -n 1 "$dir/log"); }
package
ok $? "make deb"
cp "$deb" "$dir/first.deb"
package
check "the same bytes again" cmp "$deb" "$dir/first.deb"
if command -v lintian >/dev/null; then
    lintian --fail-on error "$deb" >"$dir/log" 2>&1
    ok $? "lintian finds no error"
fi
root=$dir/root
debootstrap --variant=minbase "${DEBOOTSTRAP_SUITE:-bookworm}" "$root" >"$dir/log" 2>&1
ok $? "a clean root"
at_exit 'umount "$root/proc" 2>/dev/null'
mount -t proc proc "$root/proc"
cp "$deb" "$root/netspace.deb"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    /netspace.deb >"$dir/log" 2>&1
ok $? "the package is installed"
mkdir "$root/tree"
cp -r tests "$root/tree/"
chroot "$root" env INSTALLED=/usr NETSPACE=/usr/bin/netspace /tree/tests/install/install.sh >"$dir/log" 2>&1
status=$?
sed -n 's/^\(not \)\?ok [0-9]* /# &/p' "$dir/log"
ok $status "it passes the installed part of the tests"
check "none of which failed" [ "$(grep -c '^not ok' "$dir/log")" -eq 0 ]
done_testing
