#!/bin/sh
# An installed tree works from any directory, finds its Lua files and examples, and brings a
# manual that documents the Lua functions.  The quick start runs from it, at a small scale,
# and a second run trains nothing.  Prints TAP.
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
n=0
ok() { # ok STATUS NAME [FILE shown on failure]
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else
        echo "not ok $n - $2"
        [ -n "$3" ] && sed 's/^/# /' "$3"
    fi
}
make -s install DESTDIR="$dir/root" PREFIX=/opt/netspace >"$dir/log" 2>&1
ok $? "make install" "$dir/log"
there=$dir/root/opt/netspace
share=$there/share/netspace
cd "$dir" || exit 2
[ "$("$there/bin/netspace" -e 'print(zoo["RegNetX-400MF"].w[4], space.AnyNetXE:size().exact)')" \
    = "$(printf '384\t817446539520')" ]
ok $? "the installed program finds its modules and constraints"
grep -q 'sweep.run{ store=' "$there/share/man/man1/netspace.1" &&
    ! grep -q "@LUA@" "$there/share/man/man1/netspace.1"
ok $? "the manual has the Lua section"
"$there/bin/netspace" "$share/examples/quickstart.lua" 2 "$dir/q.db" >out 2>err
ok $? "the quick start runs" err
grep -q '^AnyNetX_A  *2 ' out && grep -q '^RegNetX  *2 ' out &&
    grep -q '^No claim: n = 2 of AnyNetX_A and 2 of RegNetX' out
ok $? "and prints both populations and a verdict" out
"$there/bin/netspace" "$share/examples/quickstart.lua" 2 "$dir/q.db" >again 2>err
cmp -s out again && [ "$(grep -c '2 models: 2 done; nothing was left to train' err)" = 2 ]
ok $? "run again it trains nothing and prints the same" err
"$there/bin/netspace" "$share/examples/cifar10.lua" "$dir/nowhere" >out 2>err
[ $? -eq 1 ] && grep -q "$dir/nowhere: No such file" err
ok $? "the photographs' script names a missing directory" err
echo "1..$n"
