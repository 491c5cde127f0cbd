// See sandbox.h. seccomp(2) takes system calls away, Landlock (landlock(7)) files and TCP. The
// lists say what is denied, by purpose, and not what is needed: so a new libc, with calls that
// nobody knows yet, is not broken by them. What is denied fails with EPERM, and nobody is killed
// for it. So do all calls under the numbers of another architecture, as x32 or i386 on amd64.
//
// The decision to question: clone3() is said not to exist, for what it is to do lies in memory
// where a filter cannot see it. The C library then does the same with clone(), which can be seen.
#include "common/sandbox.h"

#include "common/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// --- system calls

// By purpose. A name that libseccomp does not know is passed over.
static const char *const denied_to_all[] = {
    // Another program, another process.
    "execve", "execveat", "fork", "vfork", "setsid", "setpgid",
    // What is another process's.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "kcmp", "pidfd_open", "pidfd_getfd", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
    "pidfd_send_signal", "migrate_pages", "move_pages", "setpriority", "ioprio_set",
    "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler",
    // What whoever has the same user shares, as a database of that user: memory, queues.
    "shmget", "shmat", "shmctl", "semget", "semctl", "semop", "semtimedop", "semtimedop_time64",
    "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink",
    // Another view of the machine.
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree",
    "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "swapon", "swapoff",
    // Another user, more rights.
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid",
    "setfsgid", "setuid32", "setgid32", "setreuid32", "setregid32", "setresuid32", "setresgid32",
    "setgroups32", "setfsuid32", "setfsgid32", "capset", "personality",
    // The kernel's own: modules, keys, programs in it, and ways past a filter of system calls.
    "init_module", "finit_module", "delete_module", "create_module", "kexec_load",
    "kexec_file_load", "add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd",
    "modify_ldt",
    // The machine's.
    "reboot", "settimeofday", "clock_settime", "clock_settime64", "stime", "adjtimex",
    "clock_adjtime", "clock_adjtime64", "sethostname", "setdomainname", "syslog", "acct",
    "quotactl", "quotactl_fd", "iopl", "ioperm", "vhangup", "nfsservctl", "lookup_dcookie",
    "open_by_handle_at", "fanotify_init",
    // Files: not one is made, changed or removed, nor one of memory, which could be a program.
    "memfd_create", "memfd_secret", "creat", "openat2", "mknod", "mknodat", "mkdir", "mkdirat",
    "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
    "symlinkat", "truncate", "truncate64", "ftruncate", "ftruncate64", "fallocate", "chmod",
    "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "chown32",
    "lchown32", "fchown32", "utime", "utimes", "utimensat", "utimensat_time64", "futimesat",
    "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr",
    // Connections in.
    "listen"};

// A ring has the kernel make calls that no filter sees.
static const char *const rings[] = {"io_uring_setup", "io_uring_enter", "io_uring_register"};

// What changes attributes of a file, too, but is younger than a libseccomp that is still in use.
// Such calls have the same number everywhere.
static const int denied_late[] = {463 /* setxattrat */, 466 /* removexattrat */,
                                  469 /* file_setattr */};

static const char *const denied_to_server[] = {"socket", "connect", "bind"};

static const char *const denied_to_prober[] = {"accept", "accept4"};

// Here the C library makes all calls of sockets by socketcall(), and their arguments lie in memory
// where a filter cannot see them. So such a call is denied whatever it is for, or not at all: a
// condition for one would be held against the wrong arguments, and deny each socket.
#if defined(__i386__) || defined(__s390__)
static const bool sockets_are_seen = false;
#else
static const bool sockets_are_seen = true;
#endif

#if defined(__s390x__) || defined(__s390__)
enum { CLONE_FLAGS = 1 }; // which argument
#else
enum { CLONE_FLAGS = 0 };
#endif

// Denied if the argument has this value in these bits.
struct condition {
    const char *call;
    unsigned argument;
    uint64_t bits, value;
};

static const struct condition conditions_for_all[] = {
    {"clone", CLONE_FLAGS, CLONE_THREAD, 0}, // else it is a fork
    {"open", 1, O_ACCMODE, O_WRONLY},
    {"open", 1, O_ACCMODE, O_RDWR},
    {"open", 1, O_CREAT, O_CREAT},
    {"open", 1, O_TRUNC, O_TRUNC},
    {"openat", 2, O_ACCMODE, O_WRONLY},
    {"openat", 2, O_ACCMODE, O_RDWR},
    {"openat", 2, O_CREAT, O_CREAT},
    {"openat", 2, O_TRUNC, O_TRUNC},
    {"open", 1, O_ACCMODE, O_ACCMODE}, // for ioctl() alone
    {"openat", 2, O_ACCMODE, O_ACCMODE},
    {"ioctl", 1, 0xff00, 'f' << 8}, // what file systems offer for their files, by its type
    {"ioctl", 1, 0xff00, 'v' << 8},
    {"ioctl", 1, 0xff00, 'X' << 8},
    {"ioctl", 1, 0xff00, 'r' << 8},    // FAT
    {"ioctl", 1, 0xff00, 0x94 << 8},   // btrfs, and clones of files
    {"ioctl", 1, 0xff00, 0xf5 << 8},   // f2fs
    {"ioctl", 1, UINT32_MAX, TIOCSTI}, // types into the terminal for its user
    {"ioctl", 1, UINT32_MAX, TIOCLINUX},
    {"ioctl", 1, UINT32_MAX, FIOSETOWN}, // has the kernel send a signal
    {"ioctl", 1, UINT32_MAX, SIOCSPGRP},
    {"fcntl", 1, UINT32_MAX, F_SETLEASE}, // who opens the file to write has to wait
    {"fcntl64", 1, UINT32_MAX, F_SETLEASE},
    {"fcntl", 1, UINT32_MAX, F_SETOWN},
    {"fcntl", 1, UINT32_MAX, F_SETOWN_EX},
    {"fcntl64", 1, UINT32_MAX, F_SETOWN},
    {"fcntl64", 1, UINT32_MAX, F_SETOWN_EX},
    {"prctl", 0, UINT32_MAX, PR_SET_PDEATHSIG}, // to outlive the supervisor
    {"ioctl", 1, UINT32_MAX, USERFAULTFD_IOC_NEW},
};

static const struct condition conditions_for_sockets[] = {
    {"socketpair", 1, 0xf, SOCK_DGRAM}, // with which other sockets could be reached, too
    {"socketpair", 1, 0xf, SOCK_RAW},   // of datagrams, too
};

// A pair for a prober is of another type. A listening socket that is shut down connects by sending.
static const struct condition conditions_for_server[] = {
    {"socketpair", 1, 0xf, SOCK_STREAM},
    {"sendto", 3, MSG_FASTOPEN, MSG_FASTOPEN},
    {"sendmsg", 2, MSG_FASTOPEN, MSG_FASTOPEN},
    {"sendmmsg", 3, MSG_FASTOPEN, MSG_FASTOPEN},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void sandbox_deny(scmp_filter_ctx filter, const char *name, int error)
{
    int call = seccomp_syscall_resolve_name(name);
    if (call != __NR_SCMP_ERROR)
        (void)seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), call, 0);
}

static void sandbox_deny_all(scmp_filter_ctx filter, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sandbox_deny(filter, names[i], EPERM);
}

static void sandbox_deny_if(scmp_filter_ctx filter, const struct condition *conditions,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct condition *condition = &conditions[i];
        int call = seccomp_syscall_resolve_name(condition->call);
        struct scmp_arg_cmp compare = {.arg = condition->argument,
                                       .op = SCMP_CMP_MASKED_EQ,
                                       .datum_a = condition->bits,
                                       .datum_b = condition->value};
        if (call != __NR_SCMP_ERROR)
            (void)seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), call, 1, &compare);
    }
}

static void sandbox_deny_unless(scmp_filter_ctx filter, int call, unsigned argument, uint64_t value)
{
    struct scmp_arg_cmp compare = {.arg = argument, .op = SCMP_CMP_NE, .datum_a = value};
    (void)seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), call, 1, &compare);
}

// abort() sends a signal to ourselves, and getrlimit() asks for our own limits.
static void sandbox_deny_others(scmp_filter_ctx filter)
{
    sandbox_deny_unless(filter, SCMP_SYS(tgkill), 0, (uint64_t)getpid());
    sandbox_deny_unless(filter, SCMP_SYS(prlimit64), 0, 0);
}

// A name to be reached by: who asks the kernel for the machine's addresses needs one, and it has
// this length. One of IPv4 or IPv6 is longer. A Unix socket of such a name cannot listen, and there
// are none for datagrams: whom these reach, a log or a service manager, has agreed to nothing.
static void sandbox_deny_names(scmp_filter_ctx filter)
{
    static const scmp_datum_t types[] = {SOCK_DGRAM, SOCK_RAW};
    sandbox_deny_unless(filter, SCMP_SYS(bind), 2, sizeof(struct sockaddr_nl));
    for (size_t i = 0; i < COUNT(types); i++) {
        const struct scmp_arg_cmp compare[] = {
            {.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = AF_UNIX},
            {.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = 0xf, .datum_b = types[i]}};
        (void)seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 2, compare);
    }
}

// Whoever runs us as root means us to read his files, and nothing more.
static bool sandbox_drop_capabilities(void)
{
    const uint32_t kept = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    if (data[0].permitted == 0 && data[1].permitted == 0)
        return true;
    for (size_t i = 0; i < COUNT(data); i++) {
        data[i].permitted &= i == 0 ? kept : 0;
        data[i].effective &= data[i].permitted;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) == 0;
}

static void sandbox_deny_family(scmp_filter_ctx filter, enum scmp_compare op, uint64_t family)
{
    const struct scmp_arg_cmp compare = {.arg = 0, .op = op, .datum_a = family};
    (void)seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, &compare);
}

// A prober needs Unix sockets and those of IPv4 and IPv6, and asks the kernel for the machine's
// addresses. All else is code of the kernel's that few look at, or leads around the network: to
// whoever runs this virtual machine, or to what the kernel tells of everybody's sockets.
static void sandbox_deny_families(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp compare[] = {
        {.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = AF_NETLINK},
        {.arg = 2, .op = SCMP_CMP_NE, .datum_a = NETLINK_ROUTE}};
    (void)seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 2, compare);
    for (uint64_t family = AF_UNSPEC; family < AF_NETLINK; family++) {
        if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
            sandbox_deny_family(filter, SCMP_CMP_EQ, family);
    }
    sandbox_deny_family(filter, SCMP_CMP_GT, AF_NETLINK);
}

// It would have whoever closes the socket last wait for its peer: a server that gives one to the
// supervisor could make it wait for ever.
static void sandbox_deny_lingering(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp compare[] = {
        {.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = SOL_SOCKET},
        {.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = SO_LINGER}};
    (void)seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2, compare);
}

static void sandbox_deny_sockets(scmp_filter_ctx filter, bool server)
{
    sandbox_deny_if(filter, conditions_for_sockets, COUNT(conditions_for_sockets));
    sandbox_deny_unless(filter, SCMP_SYS(socketpair), 0, AF_UNIX);
    sandbox_deny_lingering(filter);
    if (server) {
        sandbox_deny_if(filter, conditions_for_server, COUNT(conditions_for_server));
        return;
    }
    sandbox_deny_families(filter);
    sandbox_deny_names(filter);
}

// NULL: there is no memory.
static scmp_filter_ctx sandbox_new_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter != NULL)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    return filter;
}

static void sandbox_fill_filter(scmp_filter_ctx filter, enum sandbox_role role)
{
    bool server = role == SANDBOX_SERVER;
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); // a tree, not a list
    (void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1); // the kernel's own errno
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);      // nor a slower CPU for it
    sandbox_deny_all(filter, denied_to_all, COUNT(denied_to_all));
    sandbox_deny_all(filter, rings, COUNT(rings));
    sandbox_deny_all(filter, server ? denied_to_server : denied_to_prober,
                     server ? COUNT(denied_to_server) : COUNT(denied_to_prober));
    sandbox_deny(filter, "clone3", ENOSYS);
    sandbox_deny_if(filter, conditions_for_all, COUNT(conditions_for_all));
    if (sockets_are_seen)
        sandbox_deny_sockets(filter, server);
    for (size_t i = 0; i < COUNT(denied_late); i++)
        (void)seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied_late[i], 0);
    sandbox_deny_others(filter);
}

static bool sandbox_say(char words[SANDBOX_WORDS_MAX], const char *what, int error)
{
    (void)snprintf(words, SANDBOX_WORDS_MAX, "%s%s", what, error != 0 ? strerror(error) : "");
    return error == 0;
}

static bool sandbox_enter_seccomp(enum sandbox_role role, char words[SANDBOX_WORDS_MAX])
{
    scmp_filter_ctx filter = sandbox_new_filter();
    if (filter == NULL)
        return sandbox_say(words, "off: ", ENOMEM);
    sandbox_fill_filter(filter, role);
    int failed = seccomp_load(filter);
    seccomp_release(filter);
    return failed == 0 ? sandbox_say(words, "on", 0) : sandbox_say(words, "off: ", -failed);
}

void sandbox_forbid_rings(void)
{
    scmp_filter_ctx filter = SANITIZED ? NULL : sandbox_new_filter();
    if (filter == NULL)
        return;
    sandbox_deny_all(filter, rings, COUNT(rings));
    (void)seccomp_load(filter);
    seccomp_release(filter);
}

// --- files and TCP

// As linux/landlock.h has them from some version on.
enum {
    FILES_1 = (1 << 13) - 1, // all rights of the first version
    FILES_REFER = 1 << 13,
    FILES_TRUNCATE = 1 << 14,
    FILES_IOCTL = 1 << 15,
    NET_BIND = 1 << 0,
    NET_CONNECT = 1 << 1,
    SCOPE_ABSTRACT_SOCKET = 1 << 0,
    SCOPE_SIGNAL = 1 << 1
};

enum { FILES_READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };

// struct landlock_ruleset_attr, which grows.
struct ruleset {
    uint64_t files, net, scoped;
};

static int sandbox_landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static struct ruleset sandbox_ruleset_of(enum sandbox_role role, int version)
{
    bool server = role == SANDBOX_SERVER;
    struct ruleset rules = {.files = FILES_1};
    rules.files |= version >= 2 ? FILES_REFER : 0;
    rules.files |= version >= 3 ? FILES_TRUNCATE : 0;
    rules.files |= version >= 5 ? FILES_IOCTL : 0;
    if (!server) // reads what a library or a name service wants to have read
        rules.files &= ~(uint64_t)FILES_READ;
    if (version >= 4)
        rules.net = server ? NET_BIND | NET_CONNECT : NET_BIND;
    if (version >= 6)
        rules.scoped = server ? SCOPE_SIGNAL | SCOPE_ABSTRACT_SOCKET : SCOPE_SIGNAL;
    return rules;
}

static size_t sandbox_ruleset_size(int version)
{
    const struct ruleset *none = NULL;
    if (version >= 6)
        return sizeof *none;
    return version >= 4 ? 2 * sizeof none->files : sizeof none->files;
}

// A right to a folder is one to all that is in it, and will be.
static void sandbox_allow_reading(int ruleset, const char *path)
{
    struct stat status;
    int opened = open(path, O_PATH | O_CLOEXEC);
    if (opened < 0)
        return;
    bool folder = fstat(opened, &status) == 0 && S_ISDIR(status.st_mode);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = folder ? FILES_READ : LANDLOCK_ACCESS_FS_READ_FILE,
        .parent_fd = opened,
    };
    (void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(opened);
}

static bool sandbox_describe_landlock(int version, char words[SANDBOX_WORDS_MAX])
{
    (void)snprintf(words, SANDBOX_WORDS_MAX, "on: files%s%s", version >= 4 ? ", TCP" : "",
                   version >= 6 ? ", signals" : "");
    return true;
}

// For good: what the rules name, but for reading these. Returns an errno; 0: it is in force.
static int sandbox_restrict(const struct ruleset *rules, int version, const char *const *readable,
                            size_t count)
{
    int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, rules, sandbox_ruleset_size(version), 0);
    if (ruleset < 0)
        return errno;
    for (size_t i = 0; i < count; i++)
        sandbox_allow_reading(ruleset, readable[i]);
    int failed = syscall(SYS_landlock_restrict_self, ruleset, 0) != 0 ? errno : 0;
    close(ruleset);
    return failed;
}

static bool sandbox_enter_landlock(enum sandbox_role role, const char *const *readable,
                                   size_t count, char words[SANDBOX_WORDS_MAX])
{
    int version = sandbox_landlock_version();
    if (version < 1)
        return sandbox_say(words, "off: ", errno);
    struct ruleset rules = sandbox_ruleset_of(role, version);
    int failed = sandbox_restrict(&rules, version, readable, role == SANDBOX_SERVER ? count : 0);
    return failed == 0 ? sandbox_describe_landlock(version, words)
                       : sandbox_say(words, "off: ", failed);
}

void sandbox_narrow(const char *const *readable, size_t count)
{
    const struct ruleset rules = {.files = FILES_READ};
    if (!SANITIZED)
        (void)sandbox_restrict(&rules, 1, readable, count);
}

struct sandbox sandbox_enter(enum sandbox_role role, const char *const *readable, size_t count)
{
    struct sandbox sandbox = {0};
    if (SANITIZED) {
        (void)sandbox_say(sandbox.seccomp, "off: built with a sanitizer", 0);
        (void)sandbox_say(sandbox.landlock, "off: built with a sanitizer", 0);
        return sandbox;
    }
    bool meek = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && sandbox_drop_capabilities();
    bool landlock = sandbox_enter_landlock(role, readable, count, sandbox.landlock);
    bool seccomp = sandbox_enter_seccomp(role, sandbox.seccomp);
    sandbox.whole = meek && landlock && seccomp;
    return sandbox;
}

void sandbox_describe(const struct sandbox *sandbox, char text[SANDBOX_TEXT_MAX])
{
    (void)snprintf(text, SANDBOX_TEXT_MAX, "seccomp %s; landlock %s", sandbox->seccomp,
                   sandbox->landlock);
}
