// See usage.h.
#include "server/base/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t usage_cpu_us(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0)
        return 0;
    return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
           used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static void usage_read_memory(struct usage *usage)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned long long size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%llu %llu", &size, &resident) == 2) { // NOLINT(cert-err34-c): the kernel's
        usage->virtual_bytes = size * page;
        usage->resident_bytes = resident * page;
    }
    fclose(file);
}

static uint64_t usage_open_descriptors(void)
{
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - (count > 0); // the folder's own
}

struct usage usage_now(void)
{
    struct usage usage = {.cpu_us = usage_cpu_us(), .open_descriptors = usage_open_descriptors()};
    struct rlimit limit;
    usage_read_memory(&usage);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        usage.most_descriptors = limit.rlim_cur;
    return usage;
}
