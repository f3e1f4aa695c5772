#!/bin/bash
# The commands pack and data, packs that several processes want at once, full disks, and the reader
# of netspace-pack(5).
. "$(dirname "$0")/../lib.sh"
shown="out err"
export XDG_CACHE_HOME=$dir/cache
run() { timeout 60 "$NETSPACE" "$@" >"$dir/out" 2>"$dir/err" </dev/null; rc=$?; }
status() { [ "$rc" -eq "$1" ]; }
out() { grep -qF -- "$1" "$dir/out"; }
err() { grep -qF -- "$1" "$dir/err"; }

cat >"$dir/make.lua" <<'END'
package.path = "tests/unit/?.lua;" .. package.path
local make = require "archives"
for i = 1, 40 do
  make.write(("%s/%s/%s/%02d.ppm"):format(arg[1], i <= 30 and "train" or "test",
    i % 2 == 0 and "a b" or "c\xff", i), (make.picture(12, 10 + i % 3, 3, i)))
end
END
run "$dir/make.lua" "$dir/set"
check "images are made" status 0

run pack "$dir/set" -o "$dir/x.pack" --size 11
check "pack ends with 0" status 0
check "and says what it made" err "kB (bytes), all could be read"
run pack --check "$dir/x.pack"
check "a pack is checked" out "x.pack: 40 images in 2 classes, "
cp "$dir/x.pack" "$dir/y.pack"
printf x | dd of="$dir/y.pack" bs=1 seek=1000 conv=notrunc 2>/dev/null
run pack --check "$dir/y.pack"
check "a changed byte is found: status 4" status 4
check "in which image" err "1 image, the first is 'test/a b/3"
run pack "$dir/set" -o "$dir/z.pack" --jpeg --image=8
check "a pack of JPEG files" err "(jpeg)"
for bad in "" "$dir/set" "-o $dir/z.pack" "--jpeg --bytes $dir/set -o $dir/z.pack" \
    "$dir/set -o $dir/z.pack --sise 9" "$dir/set -o $dir/z.pack --size x" "--check"; do
    # shellcheck disable=SC2086
    run pack $bad
    check "pack ${bad//$dir\//}: status 2" status 2
done
run pack "$dir/set" -o "$dir/z.pack" --size 9 --sise 9
check "a misspelt option has a hint" err "did you mean '--size'?"
run pack "$dir/nothing" -o "$dir/z.pack"
check "nothing there: status 1" status 1
check "with its name" err "nothing: No such file"
run pack "$dir/set" -o "$dir/no/folder/z.pack"
check "nor a folder to write to" err "cannot be written: No such file"

run data "$dir/set" --image 8
check "data describes" out "40 images of 8x8 pixels, colour, in 2 classes"
run data --cache
check "the cache is listed" out "set: 40 images, bytes, short side 16"
run data --cache --limit 5MB
check "with its limit" out "of at most 5 MB"
run data --cache --clear
check "and cleared" out "1 pack removed"
run data --cache --limit much
check "a limit is a size: status 2" status 2

# Four processes at once.
for i in 1 2 3 4; do
    "$NETSPACE" -e "print(data.open('$dir/set', { image = 9 }):card().checksum)" \
        >"$dir/sum.$i" 2>>"$dir/err" &
done
wait
check "four processes have the same images" [ "$(sort -u "$dir"/sum.* | wc -l)" = 1 ]
check "of one pack" [ "$(find "$XDG_CACHE_HOME/netspace/packs" -type f ! -name limit | wc -l)" = 1 ]

# A disk that fills: at every call that writes.
if [ -e build/tests/fault.so ]; then
    faulty() {
        head -c 8 /dev/zero >"$dir/counter"
        timeout 60 env LD_PRELOAD="$PWD/build/tests/fault.so" FAULT_STATE="$dir/counter" \
            FAULT_PATH="$dir/full" FAULT_AT="$1" FAULT_TIMES=99 FAULT_ERROR=ENOSPC \
            "$NETSPACE" pack "$dir/set" -o "$dir/full.pack" >"$dir/out" 2>"$dir/err"
        rc=$?
    }
    faulty 0
    calls=$(od -An -tu8 "$dir/counter" | tr -d ' ')
    check "a pack is written by calls" [ "$calls" -gt 4 ]
    rm "$dir/full.pack"
    wrong=0
    for k in $(seq 1 "$calls"); do
        faulty "$k"
        status 1 && err "No space left on device" && [ -z "$(ls "$dir"/full* 2>/dev/null)" ] ||
            wrong=$((wrong + 1))
    done
    check "a full disk at any of $calls calls: said, and nothing is left" [ "$wrong" = 0 ]
fi

# The reader of the manual, its checksums, and its parts of images in class folders alone.
if command -v python3 >/dev/null; then
    for code in reader checks; do
        sed -n "/^..\" $code\$/,/end of the $code/p" man/netspace-pack.5 | grep -v '^\.'
    done >"$dir/reader.py"
    cat >>"$dir/reader.py" <<'END'
import os, sys
pack, folder, alone = sys.argv[1:4]
n = 0
for name, label, where, width, height, channels, data in read_pack(pack):
    n += 1
    file = open(os.fsencode(folder) + b"/" + name, "rb").read()
    assert name.split(b"/")[1] == label and name.split(b"/")[0].decode() == where
    assert (width, channels) == (12, 3) and len(data) == width * height * channels
    assert file.endswith(data)
print(n)
check_pack(pack)
b = bytearray(open(pack, "rb").read())
for at in 100, 500, len(b) - 9:
    b[at] ^= 1
    open(pack + ".x", "wb").write(b)
    b[at] ^= 1
    try:
        check_pack(pack + ".x")
    except AssertionError:
        print("damaged")
content, listing, (index,) = 0, 0, struct.unpack_from("<Q", b, 24)
for i in range(n):
    _, s, size, name, _, w, h, _, _, k, p, c = struct.unpack_from("<2Q3I5H2B", b, index + 40 * i)
    content = checksum(struct.pack("<QHBBHH", s, k, p, c, w, h), content)
for name in sorted(os.listdir(os.fsencode(folder) + b"/train")):
    content = checksum(struct.pack("<Q", checksum(name)), content)
for name, *_ in read_pack(pack):
    st = os.stat(os.fsencode(folder) + b"/" + name)
    s = checksum(struct.pack("<3Q", st.st_size, *divmod(st.st_mtime_ns, 10 ** 9)))
    listing += mix(checksum(name, s))
print((listing & M, content) == struct.unpack_from("<2Q", b, 80))
print(sorted((part(name, 7, (.5, .2, .3)), name.decode()) for name, *_ in read_pack(alone))
      == sorted(tuple(line.split(" ", 1)) for line in sys.stdin.read().splitlines()))
END
    "$NETSPACE" pack "$dir/set" -o "$dir/x.pack" 2>"$dir/err"
    mkdir "$dir/alone"
    cp -R "$dir/set/train/a b" "$dir/alone/a b"
    cp -R "$dir/set/train/"c* "$dir/alone/c"
    "$NETSPACE" pack "$dir/alone" -o "$dir/alone.pack" 2>>"$dir/err"
    cat >"$dir/parts.lua" <<'END'
local d = data.open(arg[1], { seed = 7, split = { 0.5, 0.2, 0.3 } })
for _, split in ipairs { "train", "validation", "test" } do
  for i = 1, d:card()[split .. "_n"] do print(split .. " " .. d:name(split, i)) end
end
END
    "$NETSPACE" "$dir/parts.lua" "$dir/alone" 2>>"$dir/err" |
        python3 "$dir/reader.py" "$dir/x.pack" "$dir/set" "$dir/alone.pack" >"$dir/out" 2>>"$dir/err"
    check "the manual's reader reads a pack" [ "$(sed -n 1p "$dir/out")" = 40 ]
    check "its checksums find damage" [ "$(grep -c damaged "$dir/out")" = 3 ]
    check "and those of listing and content" [ "$(sed -n 5p "$dir/out")" = True ]
    check "its formula has the parts of images in none" [ "$(sed -n 6p "$dir/out")" = True ]
fi
done_testing
