#!/bin/sh
# What has threads, under ThreadSanitizer (make tsan): training by several cores, batches and packs of
# images, a folder that is looked through, drawing from a space.  No data race is reported.
#
# OpenBLAS, which is not instrumented, has one thread, as always here.  gcc's ThreadSanitizer knows
# only some layouts of memory: setarch -R gives it one.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
skip_without setarch
netspace=$PWD/build/tsan/netspace
if [ ! -x "$netspace" ] || ! setarch -R "$netspace" --version >/dev/null 2>&1; then
    echo "1..0 # SKIP build/tsan is not built or does not run here (make tsan)"
    exit 0
fi
export CMOCKA_MESSAGE_OUTPUT=TAP OPENBLAS_NUM_THREADS=1 XDG_CACHE_HOME="$dir/cache"
export TSAN_OPTIONS=exitcode=66:history_size=7
shown='out err'
quiet() { setarch -R "$@" >"$dir/out" 2>"$dir/err" && ! grep -q ThreadSanitizer "$dir/err"; }
for test in threads strata pack feeds data; do
    check "test_$test" quiet "build/tsan/tests/test_$test"
done
cat >"$dir/train.lua" <<'LUA'
local D = data.open("shapes", { train = 96, test = 32 })
local n = net.new(arch.anynet { d = { 1, 1 }, w = { 16, 32 }, b = 2, g = 8, se = 0.25 })
assert(n:train(D, recipe { epochs = 1, batch = 32, augment = "light" }, { threads = 3 }))
n:test(D)
LUA
check "net:train with three threads" quiet "$netspace" -q --no-init "$dir/train.lua"
cat >"$dir/photos.lua" <<'LUA'
for _, class in ipairs { "a", "b" } do
  os.execute(("mkdir -p '%s/photos/%s'"):format(arg[1], class))
  for i = 1, 30 do
    local f = assert(io.open(("%s/photos/%s/%d.ppm"):format(arg[1], class, i), "wb"))
    f:write("P6 40 30 255\n", (string.char(i * 7 % 256):rep(3600)))
    f:close()
  end
end
local D = data.open(arg[1] .. "/photos", { size = 32 })
D:describe()
LUA
check "a folder is read and packed" quiet "$netspace" -q --no-init "$dir/photos.lua" "$dir"
echo 'print(#space.small.RegNetX:sample(40, { flops = { 1e6, 2e6 }, seed = 3 }))' >"$dir/draw.lua"
check "networks are drawn" quiet "$netspace" -q --no-init "$dir/draw.lua"
done_testing
