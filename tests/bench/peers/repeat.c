// Runs a program so many times, one after another, as cheaply as a process can be started.
//
//   repeat COUNT PROGRAM [WORD...]
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **words)
{
    if (count < 3)
        return 2;
    long times = strtol(words[1], NULL, 10);
    for (long i = 0; i < times; i++) {
        pid_t child;
        int status;
        if (posix_spawn(&child, words[2], NULL, NULL, words + 2, environ) != 0 ||
            waitpid(child, &status, 0) != child || status != 0) {
            (void)fprintf(stderr, "repeat: %s failed\n", words[2]);
            return 1;
        }
    }
    return 0;
}
