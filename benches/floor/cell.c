/* Mount, UTS, network and PID namespaces as a service has them: lo is up, no mount reaches the
 * host, /sys and /proc are the namespaces'. Just the system calls. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 2 || unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID))
        return 1;
    struct ifreq lo = {0};
    strcpy(lo.ifr_name, "lo");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo))
        return 1;
    lo.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &lo) || close(fd) || sethostname("bench", 5) ||
        mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
        return 1;
    int cgroups = syscall(SYS_open_tree, AT_FDCWD, "/sys/fs/cgroup", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (cgroups < 0 || umount2("/sys", MNT_DETACH) ||
        mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
        syscall(SYS_move_mount, cgroups, "", AT_FDCWD, "/sys/fs/cgroup", MOVE_MOUNT_F_EMPTY_PATH) || close(cgroups))
        return 1;
    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        if (umount2("/proc", MNT_DETACH) ||
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
            mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL))
            return 1;
        execv(argv[1], argv + 1);
        return 1;
    }
    int status;
    return waitpid(child, &status, 0) != child || status ? 1 : 0;
}
