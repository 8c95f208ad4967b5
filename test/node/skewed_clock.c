/* A wall clock that is off by SKEW_NS, for one process: preloaded before libc. What a machine with a
 * wrong clock sends carries such source timestamps; nothing else of the process changes. With SKEW_THREAD
 * only for the threads of that name. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

static int is_meant(const char *thread)
{
    char name[17] = "";
    return !thread || (prctl(PR_GET_NAME, name) == 0 && strcmp(name, thread) == 0);
}

int clock_gettime(clockid_t id, struct timespec *at)
{
    static int (*real)(clockid_t, struct timespec *);
    static long long skew_ns;
    static const char *thread;
    if (!real) {
        const char *text = getenv("SKEW_NS");
        skew_ns = text ? atoll(text) : 0;
        thread = getenv("SKEW_THREAD");
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(id, at);
    if (result == 0 && id == CLOCK_REALTIME && is_meant(thread)) {
        long long ns = at->tv_sec * 1000000000LL + at->tv_nsec + skew_ns;
        at->tv_sec = ns / 1000000000LL;
        at->tv_nsec = ns % 1000000000LL;
    }
    return result;
}
