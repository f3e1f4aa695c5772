#!/bin/sh
# An installed tree works from any directory, finds its Lua files and examples, and brings a
# manual.  The quick start runs from it, at a small scale,
# and a second run trains nothing.  INSTALLED=/usr names a tree that is there already, such as
# that of a package (tests/torture/deb.sh).  Prints TAP.
. "$(dirname "$0")/../lib.sh"
root=$PWD
there=${INSTALLED:-$dir/root/opt/netspace}
if [ ! "$INSTALLED" ]; then
    make -s install DESTDIR="$dir/root" PREFIX=/opt/netspace >"$dir/log" 2>&1
    ok $? "make install" log
fi
share=$there/share/netspace
cd "$dir" || exit 2
[ "$("$there/bin/netspace" -e 'print(zoo["RegNetX-400MF"].w[4], space.AnyNetXE:size().exact)')" \
    = "$(printf '384\t817446539520')" ]
ok $? "the installed program finds its modules and constraints"
for page in netspace.1 netspace-cluster.7 netspace-exchange.7 netspace-pack.5 netspace-security.7 netspace-trainer.5 netspace-lua.3 netspace-method.7 \
    netspace-tutorial.7; do
    file=$there/share/man/man${page##*.}/$page
    if [ ! -e "$file" ] && [ -e "$file.gz" ]; then # as packages have them
        gzip -dc "$file.gz" >"$dir/$page"
        file=$dir/$page
    fi
    check "the manual has $page" test -s "$file"
    grep -q '@[A-Z]*@' "$file"
    check "and nothing in it is left to be filled in" [ $? -eq 1 ]
    LC_ALL=C grep -n '[^ -~]' "$file" >"$dir/foreign"
    ok $(($? == 0)) "it is plain ASCII" foreign
    command -v mandoc >/dev/null || continue
    mandoc -T lint "$file" 2>&1 | grep -v "referenced manual not found\|outdated mandoc.db" >"$dir/lint"
    ok $(($? == 0)) "mandoc finds nothing in it" lint
done
file=$there/share/man/man3/netspace-lua.3
[ -e "$file" ] || file=$dir/netspace-lua.3
grep -q 'sweep.run{ store=' "$file"
ok $? "netspace-lua(3) has the functions"
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
[ ! "$INSTALLED" ] || { done_testing; exit; }
make -s -C "$root" uninstall DESTDIR="$dir/root" PREFIX=/opt/netspace >"$dir/log" 2>&1
check "make uninstall leaves no file" [ -z "$(find "$dir/root" -type f)" ]
done_testing
