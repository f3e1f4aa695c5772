# Accounts for the Slurm of a test: MariaDB and slurmdbd, with their files in $dir and ports of their
# own.  A test sources it after lib-slurm.sh.  Where they are not installed, Debian's packages are
# fetched into build/slurm, as those of Slurm are; the test is skipped where that cannot be.
# shellcheck shell=dash
# shellcheck disable=SC2154 # of lib.sh and lib-slurm.sh

# Finds the programs, or fetches them; after find_slurm.
find_accounts() {
    if [ -n "$plugins" ] && [ ! -x "$root/bin/slurmdbd" ]; then
        # shellcheck disable=SC2046
        (mkdir -p "$root/accounts" && cd "$root/accounts" && timeout 120 apt-get download slurmdbd \
            $(apt-get -s install --no-install-recommends slurm-wlm-mysql-plugin mariadb-server-core |
                awk '/^Inst/ && !/slurm|munge/ { print $2 }') slurm-wlm-mysql-plugin) >"$dir/apt.log" 2>&1 ||
            no_slurm "slurmdbd and MariaDB are not installed, and their packages cannot be fetched"
        for deb in "$root"/accounts/*.deb; do dpkg-deb -x "$deb" "$root/files"; done
        ln -sf "$root/files/usr/sbin/slurmdbd" "$root/bin/slurmdbd"
    fi
    base=/usr
    if ! command -v mariadbd >/dev/null && [ -n "$plugins" ]; then
        base=$root/files/usr
        PATH=$PATH:$base/sbin
        LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$(dirname "$(find "$base/lib" -name libmariadb.so.3)")
        export PATH LD_LIBRARY_PATH
    fi
    for program in slurmdbd sacct mariadbd; do
        command -v $program >/dev/null || no_slurm "there is no $program"
    done
}

# start_accounts DIRECTORY: starts both, writes their files there, and sets ACCOUNTING.
start_accounts() {
    B=$1
    books=$((40000 + $$ % 20000))
    me=$(id -un)
    mkdir -p "$B/data"
    setsid mariadbd --no-defaults --basedir="$base" --datadir="$B/data" --user="$me" \
        --socket="$B/s" --bind-address=127.0.0.1 --port=$books --skip-grant-tables \
        --innodb-flush-log-at-trx-commit=0 >"$B/mariadb.log" 2>&1 &
    accounts=$!
    at_exit 'stop_accounts'
    eventually 30 grep -qs "ready for connections" "$B/mariadb.log" ||
        no_slurm "MariaDB does not start here: $(tail -n 1 "$B/mariadb.log")"
    mkdir -p "$dir/slurm"
    cat >"$dir/slurm/slurmdbd.conf" <<CONF
AuthType=auth/none
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((books + 1))
SlurmUser=$me
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$books
StorageUser=root
StorageLoc=accounts
LogFile=$B/slurmdbd.log
PidFile=$B/slurmdbd.pid
${plugins:+PluginDir=$plugins}
CONF
    chmod 600 "$dir/slurm/slurmdbd.conf"
    SLURM_CONF="$dir/slurm/slurm.conf" setsid slurmdbd -D >"$B/slurmdbd.out" 2>&1 &
    accounts="$accounts $!"
    eventually 30 grep -qs "slurmdbd version .* started" "$B/slurmdbd.log" ||
        no_slurm "slurmdbd does not start here: $(tail -n 1 "$B/slurmdbd.log")"
    ACCOUNTING="AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$((books + 1))
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
DefMemPerCPU=400"
    SELECT=CR_Core_Memory # tasks that take more than that are killed
}

stop_accounts() {
    pids=$accounts
    stop_slurm
}
