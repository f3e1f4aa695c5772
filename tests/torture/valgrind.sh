#!/bin/sh
# The C tests under valgrind's memcheck: no read of what was never written, none beyond a block, no
# block lost.  What libraries do is in tests/valgrind.supp, with why.  Prints TAP.
#
# Left out, since they are training or counting by the hour there and the same code runs in shorter
# ones: test_data, test_layout, test_nn_conv, test_nn_fusion, test_selfcheck, test_sequential,
# test_adjust (ALL=yes runs them, too).  Valgrind knows no AVX-512, so the kernels of AVX2 run;
# OpenBLAS is told so.
. "$(dirname "$0")/../lib.sh"
skip_without valgrind
export CMOCKA_MESSAGE_OUTPUT=TAP OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell NETSPACE_ISA=avx2
shown=log
for program in build/release/tests/test_*; do
    [ -x "$program" ] || continue
    case $ALL${program##*/} in
    *.d | test_data | test_layout | test_nn_conv | test_nn_fusion | test_selfcheck) continue ;;
    test_sequential | test_adjust) continue ;;
    esac
    valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect --suppressions=tests/valgrind.supp \
        --log-file="$dir/log" "$program" >"$dir/out" 2>&1
    ok $? "${program##*/}" out
done
done_testing
