#!/bin/bash
# Named network namespaces beside ip and nft: one with a veth pair, addresses, a default route and
# NAT, up and down again; and 1,000 plain ones.
#
#     benches/netns.sh [path of unitcell] [rounds]      # root; ip, nft, unshare
#
# It runs in network, mount and PID namespaces of its own, with a /run of its own: nothing outside is
# touched. Each line is: what, beside what, median of ours and of theirs in µs, and the ratio.
set -euo pipefail

if [ "${UNITCELL_BENCH_INSIDE-}" != 1 ]; then
    unitcell=$(realpath "${1:-target/release/unitcell}")
    export UNITCELL_BENCH_INSIDE=1
    exec unshare --net --mount --pid --fork --mount-proc "$0" "$unitcell" "${2:-31}"
fi
unitcell=$1 rounds=$2
mount -t tmpfs tmpfs /run
mkdir -p /run/unitcell /run/netns
ip link set lo up
work=$(mktemp -d /run/bench.XXXXXX)
cd "$work"

# µs now
now() { echo "${EPOCHREALTIME/./}"; }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }
# rounds, then pairs of a name and a function: the rounds of all are run in turn, so that what else
# the machine does reaches all alike.
measure() {
    local n=$1 name begin
    shift
    for ((i = 0; i < n; i++)); do
        for name; do
            begin=$(now)
            "$name"
            echo $(($(now) - begin)) >>"$name.times"
        done
    done
}
# what, beside what, ours, theirs
row() {
    local ours theirs
    ours=$(median <"$3.times") theirs=$(median <"$4.times")
    printf '%s\t%s\t%d\t%d\t%.2f\n' "$1" "$2" "$ours" "$theirs" "$(bc -l <<<"$ours / $theirs")"
}

cat >/run/unitcell/blue.netns <<'END'
[NetworkNamespace]
IPMasquerade=ipv4

[Veth]
Name=eth0
HostName=ve-blue
Address=10.200.0.2/24
HostAddress=10.200.0.1/24
Gateway=10.200.0.1
END
cat >nat <<'END'
add table inet blue
add chain inet blue postrouting { type nat hook postrouting priority srcnat; }
add rule inet blue postrouting ip saddr 10.200.0.0/24 masquerade
END
cat >host <<'END'
netns add blue
link add ve-blue type veth peer name eth0 netns blue
addr add 10.200.0.1/24 dev ve-blue
link set ve-blue up
END
cat >inside <<'END'
link set lo up
addr add 10.200.0.2/24 dev eth0
link set eth0 up
route add default via 10.200.0.1
END
printf 'link del ve-blue\nnetns del blue\n' >gone

ours() { "$unitcell" netns up blue >/dev/null; "$unitcell" netns down blue >/dev/null; }
commands() {
    while read -r line; do ip $line; done <host
    while read -r line; do ip -n blue $line; done <inside
    echo 1 >/proc/sys/net/ipv4/conf/ve-blue/forwarding
    while read -r line; do nft "$line"; done <nat
    nft delete table inet blue
    while read -r line; do ip $line; done <gone
}
batch() {
    ip -batch host
    ip -n blue -batch inside
    echo 1 >/proc/sys/net/ipv4/conf/ve-blue/forwarding
    nft -f nat
    nft delete table inet blue
    ip -batch gone
}
measure "$rounds" ours commands batch
row '.netns up and down: veth, addresses, route, NAT' 'about ten commands of ip and nft' ours commands
row '.netns up and down: veth, addresses, route, NAT' 'ip -batch and nft -f' ours batch

names=$(seq -f 'n%g' 1000)
sed 's/^/netns add /' <<<"$names" >thousand
sed 's/^/netns delete /' <<<"$names" >gone-thousand
thousand_ours() { "$unitcell" netns up $names >/dev/null; "$unitcell" netns down $names >/dev/null; }
thousand_batch() { ip -batch thousand; ip -batch gone-thousand; }
measure 3 thousand_ours thousand_batch
row '1,000 named network namespaces up and down' 'ip -batch' thousand_ours thousand_batch
