# Every row begins with this, in a directory, a mount, a network and a PID namespace of its own.
W=$(mktemp -d /tmp/row-XXXXXX)
NAME=${W##*/}
chmod 777 "$W"
cd "$W" || exit 99
# Ids to map for the ordinary user, whatever else runs on the machine.
printf 'tester:100000:65536\n' > .subid
mount --bind .subid /etc/subuid
mount --bind .subid /etc/subgid
mount -t tmpfs pins /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs pins /run/netns; }

as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/tmp "$@"; }

# Is the process no more?
gone() {
    for _ in $(seq 200); do kill -0 "$1" 2>/dev/null || { echo gone; return; }; sleep .02; done
    echo "still there: $1"
}

# The child of $!, once it has said that it is ready.
await_child() {
    until test -e "$W/.ready"; do sleep .02; done
    until PID=$(pgrep -P $!); do sleep .02; done
    until grep -q sleep /proc/$PID/comm; do sleep .02; done
}

container() {
    unshare -muinpCTf --kill-child --mount-proc sh -c \
        'hostname box; mount -t tmpfs inside /mnt; touch /mnt/inside; > .ready; cd /; exec sleep 60' &
    await_child
}

user_container() {
    as_user unshare -Urmuinf sh -c 'hostname ubox; mount -t tmpfs inside /mnt; > .ready; exec sleep 60' &
    until test -e "$W/.ready"; do sleep .02; done
    until PID=$(pgrep -x sleep -u 1000); do sleep .02; done
}

# A root directory with nothing but busybox in it.
busybox_root() {
    mkdir -p "$1/bin" "$1/proc" "$1/lib" "$1/lib64"
    cp /bin/busybox "$1/bin"
    for file in $(ldd /bin/busybox | grep -o '/lib[^ ]*'); do
        mkdir -p "$1${file%/*}"
        cp "$file" "$1$file"
    done
}
