// Foreign code in a process of ours, as if somebody had taken it over: preloaded into all programs,
// it wakes in the one that INTRUDER names, when SIGUSR1 comes, tries what a taken-over process
// would, and writes a line for each try into a file that was opened before anything else: what it
// tried, and 0 or the errno that it got.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/keyctl.h>
#include <linux/msdos_fs.h>
#include <linux/netlink.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int report = -1;

// struct xattr_args, which headers lack that are older than the call.
struct value {
    const char *bytes;
    unsigned size, flags;
};

static const char *given(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static void tell(const char *what, long result)
{
    int error = result < 0 ? errno : 0;
    dprintf(report, "%s %d\n", what, error);
}

// --- files

static long reads(const char *path)
{
    char byte;
    int file = open(path, O_RDONLY);
    long result = file < 0 ? -1 : read(file, &byte, 1);
    int error = errno;
    if (file >= 0)
        close(file);
    errno = error;
    return result;
}

static long reads_of_process(int pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return reads(path);
}

static long reads_of_parent(const char *name)
{
    return reads_of_process(getppid(), name);
}

// Another child of our parent: for a prober, the server.
static long reads_of_sibling(const char *name)
{
    char path[64], line[256] = "", *rest;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", getppid(), getppid());
    int children = open(path, O_RDONLY);
    if (children < 0 || read(children, line, sizeof line - 1) < 0)
        return -1;
    close(children);
    long first = strtol(line, &rest, 10);
    return reads_of_process(first != getpid() ? (int)first : (int)strtol(rest, NULL, 10), name);
}

// The database's server would have to wait for us.
static long leases(const char *path)
{
    int file = open(path, O_RDONLY);
    long result = fcntl(file, F_SETLEASE, F_RDLCK);
    int error = errno;
    close(file);
    errno = error;
    return result;
}

// Into the log, if there it ends.
static long forges_line(void)
{
    static const char line[] = "{\"msg\":\"forged\"}\n";
    return write(STDERR_FILENO, line, sizeof line - 1);
}

static void try_files(void)
{
    char path[4096];
    tell("password-file", reads(given("INTRUDER_SECRET")));
    tell("passwd", reads("/etc/passwd"));
    tell("parent-environ", reads_of_parent("environ"));
    tell("parent-memory", reads_of_parent("mem"));
    tell("parent-command", reads_of_parent("cmdline"));
    tell("sibling-environ", reads_of_sibling("environ"));
    tell("sibling-memory", reads_of_sibling("mem"));
    tell("line-of-log", forges_line());
    snprintf(path, sizeof path, "%s/new", given("INTRUDER_FOLDER"));
    tell("make-file", open(path, O_WRONLY | O_CREAT, 0600));
    tell("make-temporary", open(given("INTRUDER_FOLDER"), O_RDWR | O_TMPFILE, 0600));
    tell("make-folder", mkdir(path, 0700));
    tell("make-socket", mknod(path, S_IFSOCK | 0600, 0));
    tell("make-link", symlink("x", path));
    snprintf(path, sizeof path, "%s/old", given("INTRUDER_FOLDER"));
    tell("change-file", open(path, O_RDWR));
    tell("append-file", open(path, O_WRONLY | O_APPEND));
    tell("open-for-ioctl", open(path, O_ACCMODE));
    int file = open(path, O_RDONLY);
    tell("flags-of-file", ioctl(file, FS_IOC_SETFLAGS, &(int){0}));
    tell("more-flags-of-file", ioctl(file, FS_IOC_FSSETXATTR, &(struct fsxattr){0}));
    tell("version-of-file", ioctl(file, FS_IOC_SETVERSION, &(int){0}));
    tell("seal-file", ioctl(file, FS_IOC_ENABLE_VERITY, &(struct fsverity_enable_arg){0}));
    tell("attributes-on-fat", ioctl(file, FAT_IOCTL_SET_ATTRIBUTES, &(int){0}));
    tell("snapshot-on-btrfs", ioctl(file, _IOW(0x94, 1, char[4096]), given("INTRUDER_FOLDER")));
    tell("defragment-on-f2fs", ioctl(file, _IO(0xf5, 8)));
    tell("lease", leases(path));
    tell("attribute", setxattr(path, "user.x", "x", 1, 0));
    tell("attribute-anew",
         syscall(463, AT_FDCWD, path, 0, "user.x", &(struct value){"x", 1, 0}, 16));
    tell("no-attribute", syscall(466, AT_FDCWD, path, 0, "user.x"));
    tell("cut-file", truncate(path, 0));
    tell("cut-by-open", open(path, O_RDONLY | O_TRUNC));
    tell("open-up-file", chmod(path, 0777));
    tell("give-file", chown(path, 1, 1));
    tell("remove-file", unlink(path));
    tell("rename-file", rename(path, "/tmp/renamed"));
    tell("stamp-file", utimensat(AT_FDCWD, path, NULL, 0));
}

// --- programs and processes

static char program[] = "/bin/sh", option[] = "-c", script[] = "exit 0";
static char *const shell[] = {program, option, script, NULL};

static long spawns(void)
{
    pid_t pid;
    errno = posix_spawn(&pid, shell[0], NULL, NULL, shell, environ);
    return errno == 0 ? waitpid(pid, NULL, 0) : -1;
}

static long forks(long pid)
{
    if (pid == 0)
        _exit(0);
    return pid;
}

static long reads_memory(pid_t pid)
{
    char bytes[16];
    struct iovec ours = {bytes, sizeof bytes}, theirs = {(void *)environ, sizeof bytes};
    return process_vm_readv(pid, &ours, 1, &theirs, 1, 0);
}

static void try_processes(void)
{
    unsigned long zeros[8] = {0};
    tell("shell", execve(shell[0], shell, environ));
    tell("shell-by-descriptor",
         syscall(SYS_execveat, open("/bin/sh", O_RDONLY), "", shell, environ, AT_EMPTY_PATH));
    tell("spawn", spawns());
    tell("fork", forks(fork()));
#ifdef SYS_fork // arm64 has none
    tell("vfork", forks(syscall(SYS_fork)));
#endif
    tell("clone", forks(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)));
    tell("clone3", forks(syscall(SYS_clone3, zeros, sizeof zeros)));
    tell("kill-parent", kill(getppid(), 0));
    tell("kill-group", kill(0, 0));
    tell("signal-parent", (long)syscall(SYS_tgkill, getppid(), getppid(), 0));
    tell("queue-signal", (long)syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR2, zeros));
    tell("descriptor-of-parent", (long)syscall(SYS_pidfd_open, getppid(), 0));
    tell("trace-parent", ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
    tell("read-parent", reads_memory(getppid()));
    tell("signal-by-kernel", fcntl(report, F_SETOWN, getppid()));
    tell("signal-by-its-owner", ioctl(report, FIOSETOWN, &(int){getppid()}));
    tell("limit-parent", prlimit(getppid(), RLIMIT_CPU, NULL, &(struct rlimit){0}));
    tell("slow-parent", setpriority(PRIO_PROCESS, (id_t)getppid(), 19));
    tell("outlive-parent", prctl(PR_SET_PDEATHSIG, 0));
    tell("session", setsid());
    tell("group", setpgid(0, 0));
    tell("memory-file", syscall(SYS_memfd_create, "intruder", 0));
#ifdef SYS_modify_ldt
    tell("descriptor-table", syscall(SYS_modify_ldt, 0, zeros, sizeof zeros));
#endif
    tell("shared-memory", shmget(IPC_PRIVATE, 1, 0600));
    tell("message-queue", syscall(SYS_mq_open, "intruder", O_RDONLY | O_CREAT, 0600, NULL));
}

// --- sockets

static struct sockaddr_in loopback(unsigned long port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static long connects(void)
{
    struct sockaddr_in address = loopback(strtoul(given("INTRUDER_PORT"), NULL, 10));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    return client < 0 ? -1 : connect(client, (struct sockaddr *)&address, sizeof address);
}

static long listens(void)
{
    struct sockaddr_in address = loopback(0);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return listen(listener, 1);
}

static long sends(int family)
{
    struct sockaddr_in address = loopback(9);
    int client = socket(family, SOCK_DGRAM, 0);
    if (client < 0 || family != AF_INET)
        return client;
    return sendto(client, "x", 1, 0, (struct sockaddr *)&address, sizeof address);
}

// As who looks for the machine's addresses does, in the C library.
static long asks_for_addresses(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int client = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    return client < 0 ? -1 : bind(client, (struct sockaddr *)&address, sizeof address);
}

static long waits_for_datagrams(void)
{
    struct sockaddr_in address = loopback(0);
    int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
    return socket_ < 0 ? -1 : bind(socket_, (struct sockaddr *)&address, sizeof address);
}

// A name that is no file; of a length of 0 the kernel makes one up.
static long takes_name(size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0intruder-was-here"};
    int socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return socket_ < 0 ? -1 : bind(socket_, (struct sockaddr *)&address, size);
}

static int listening(void)
{
    for (int file = 3; file < 100; file++) {
        int listens = 0;
        if (getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, &listens, &(socklen_t){sizeof listens}) ==
                0 &&
            listens)
            return file;
    }
    return socket(AF_INET, SOCK_STREAM, 0);
}

// Once it is shut down; before that it is said to be connected.
static long connects_by_sending(void)
{
    struct sockaddr_in address = loopback(strtoul(given("INTRUDER_PORT"), NULL, 10));
    return sendto(listening(), "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof address);
}

// Whoever closes such a socket as the last waits for its client.
static long lingers(void)
{
    struct linger hour = {.l_onoff = 1, .l_linger = 3600};
    return setsockopt(listening(), SOL_SOCKET, SO_LINGER, &hour, sizeof hour);
}

static void try_sockets(void)
{
    int pair[2];
    tell("connect", connects());
    tell("listen", listens());
    tell("udp", sends(AF_INET));
    tell("unix", sends(AF_UNIX));
    tell("addresses", asks_for_addresses());
    tell("bind-datagrams", waits_for_datagrams());
    tell("bind-name", takes_name(18));
    tell("bind-any-name", takes_name(0));
    tell("raw", socket(AF_PACKET, SOCK_RAW, 0));
    tell("host", socket(AF_VSOCK, SOCK_STREAM, 0));
    tell("ciphers", socket(AF_ALG, SOCK_SEQPACKET, 0));
    tell("family-of-old", socket(AF_APPLETALK, SOCK_DGRAM, 0));
    tell("family-of-late", socket(AF_TIPC, SOCK_SEQPACKET, 0));
    tell("sockets-of-all", socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG));
    tell("devices", socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
    tell("pair", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    tell("pair-raw", socketpair(AF_UNIX, SOCK_RAW, 0, pair)); // of datagrams, too
    tell("pair-elsewhere", socketpair(AF_TIPC, SOCK_SEQPACKET, 0, pair));
    tell("linger", lingers());
    tell("connect-by-sending", connects_by_sending());
    tell("connect-of-old",
         connect(3, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_UNSPEC},
                 sizeof(struct sockaddr_in)));
}

// --- the kernel

#ifdef __x86_64__
// Calls whose numbers a filter of this architecture does not know.
static void try_other_architectures(void)
{
    int pid = 20;
    __asm__ volatile("int $0x80" : "+a"(pid) : : "r8", "r9", "r10", "r11", "memory");
    errno = -pid;
    tell("call-of-i386", pid < 0 ? -1 : 0);
    tell("call-of-x32", syscall(0x40000000 + SYS_getpid));
}
#endif

static void try_kernel(void)
{
    char zeros[256] = {0};
    char x = 'x';
    tell("user-namespace", unshare(CLONE_NEWUSER));
    tell("mount-namespace", unshare(CLONE_NEWNS));
    tell("clone-namespace", forks(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
    tell("enter-namespace", setns(0, 0));
    tell("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    tell("chroot", chroot("/tmp"));
    tell("bpf", syscall(SYS_bpf, 0, zeros, sizeof zeros));
    tell("io-uring", syscall(SYS_io_uring_setup, 1, zeros));
    tell("perf", syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0));
    tell("keys", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
    tell("fault", syscall(SYS_userfaultfd, 0));
    tell("fault-by-device", ioctl(report, USERFAULTFD_IOC_NEW, 0));
    tell("module", syscall(SYS_init_module, zeros, sizeof zeros, ""));
    tell("reboot", syscall(SYS_reboot, 0, 0, 0, zeros));
    tell("type-into-terminal", ioctl(STDIN_FILENO, TIOCSTI, &x));
    tell("paste-into-terminal", ioctl(STDIN_FILENO, TIOCLINUX, &x));
    tell("user", setuid(0));
}

static void on_signal(int number)
{
    (void)number;
    try_files();
    try_processes();
    try_sockets();
    try_kernel();
#ifdef __x86_64__
    try_other_architectures();
#endif
    dprintf(report, "end 0\n");
}

__attribute__((constructor)) static void hide(void)
{
    if (strcmp(program_invocation_short_name, given("INTRUDER")) != 0)
        return;
    report = open(given("INTRUDER_REPORT"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
}
