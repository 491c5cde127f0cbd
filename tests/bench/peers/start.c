// Starts a program again and again, and tells how long it takes from its fork to its first whole
// answer with status 200, in us, a line a start.
//
//   start COUNT CPU PORT TARGET PROGRAM [WORD...]
//
// The program runs on that CPU and must listen on PORT of 127.0.0.1; until it does it is asked
// every 50 us. In the end it gets SIGINT.
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_NS = 50000, LIMIT_S = 20 };

static int64_t now_us(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

static void become(int cpu, char **command)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
        execv(command[0], command);
    _exit(127);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client >= 0 && connect(client, (const struct sockaddr *)&address, sizeof address) == 0)
        return client;
    if (client >= 0)
        close(client);
    return -1;
}

static bool answers(uint16_t port, const char *request)
{
    char answer[8192] = "";
    size_t length = 0;
    ssize_t count = 0;
    int client = connect_to(port);
    if (client < 0)
        return false;
    (void)send(client, request, strlen(request), MSG_NOSIGNAL);
    while (length < sizeof answer - 1 &&
           (count = recv(client, answer + length, sizeof answer - 1 - length, 0)) > 0)
        length += (size_t)count;
    close(client);
    return count == 0 && strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static int64_t start(int cpu, uint16_t port, const char *request, char **command)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    int64_t began = now_us();
    pid_t child = fork();
    if (child == 0)
        become(cpu, command);
    while (!answers(port, request)) {
        if (waitpid(child, NULL, WNOHANG) != 0 || now_us() - began > LIMIT_S * INT64_C(1000000)) {
            (void)fprintf(stderr, "start: %s does not answer\n", command[0]);
            exit(1);
        }
        (void)nanosleep(&pause, NULL);
    }
    int64_t took = now_us() - began;
    (void)kill(child, SIGINT);
    (void)waitpid(child, NULL, 0);
    return took;
}

int main(int count, char **words)
{
    char request[256];
    if (count < 6)
        return 2;
    (void)snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", words[4]);
    long starts = strtol(words[1], NULL, 10);
    for (long i = 0; i < starts; i++)
        printf("%lld\n",
               (long long)start((int)strtol(words[2], NULL, 10),
                                (uint16_t)strtoul(words[3], NULL, 10), request, words + 5));
    return 0;
}
