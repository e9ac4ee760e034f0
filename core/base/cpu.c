/* cpu.c - instruction sets by cpuid, processor count by affinity and cgroup quota. */
#define _GNU_SOURCE 1
#include "base/cpu.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined __x86_64__ || defined __i386__
#include <cpuid.h>
#endif

#define NAME_ROW(code, name) name,
static const char *const isa_names[] = {OVL_ISA_MAP(NAME_ROW)};
#undef NAME_ROW

static ovl_isa isa;
static char cpu_name[64];
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined __x86_64__ || defined __i386__
static ovl_isa detect(void)
{
	__builtin_cpu_init(); /* its answers include what the system saves on a context switch */
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c"))
		return OVL_ISA_SCALAR;
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
	    !__builtin_cpu_supports("avx512dq"))
		return OVL_ISA_AVX2;
	if (!__builtin_cpu_supports("avx512vnni"))
		return OVL_ISA_AVX512;
	return __builtin_cpu_supports("avx512bf16") ? OVL_ISA_AVX512_BF16 : OVL_ISA_AVX512_VNNI;
}

static void read_name(void)
{
	unsigned words[12] = {0};
	char text[sizeof words + 1] = {0}, *p = text;
	size_t n;
	if (__get_cpuid_max(0x80000000u, NULL) >= 0x80000004u)
		for (unsigned i = 0; i < 3; i++)
			__get_cpuid(0x80000002u + i, words + 4 * i, words + 4 * i + 1, words + 4 * i + 2, words + 4 * i + 3);
	memcpy(text, words, sizeof words);
	while (*p == ' ')
		p++;
	n = strlen(p);
	while (n > 0 && p[n - 1] == ' ')
		n--;
	memcpy(cpu_name, p, n);
	cpu_name[n] = 0;
}
#else
static ovl_isa detect(void)
{
	return OVL_ISA_SCALAR;
}

static void read_name(void)
{
}
#endif

static void look(void)
{
	const char *cap = getenv("OVLITE_ISA");
	isa = detect();
	for (int i = 0; cap && i < OVL_ISA_COUNT; i++)
		if (!strcmp(cap, isa_names[i]) && i < (int)isa)
			isa = (ovl_isa)i;
	read_name();
	if (!cpu_name[0])
		strcpy(cpu_name, "CPU");
}

ovl_isa ovl_cpu_isa(void)
{
	pthread_once(&once, look);
	return isa;
}

const char *ovl_isa_name(ovl_isa which)
{
	return (unsigned)which < OVL_ISA_COUNT ? isa_names[which] : "unknown";
}

const char *ovl_cpu_name(void)
{
	pthread_once(&once, look);
	return cpu_name;
}

/* How many processors the affinity mask has. The system call itself, since the mask may be wider than cpu_set_t. */
static int affinity_count(void)
{
	unsigned long mask[16384 / (8 * sizeof(unsigned long))];
	long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
	int n = 0;
	if (bytes <= 0) {
		long online = sysconf(_SC_NPROCESSORS_ONLN);
		return online > 0 && online < INT_MAX ? (int)online : 1;
	}
	for (size_t i = 0; i < (size_t)bytes / sizeof *mask; i++)
		n += __builtin_popcountl(mask[i]);
	return n > 0 ? n : 1;
}

/* A small text file, NUL-terminated; false when it cannot be read. */
static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	if (fd < 0)
		return false;
	while (n < size - 1) {
		ssize_t got = read(fd, text + n, size - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	text[n] = 0;
	return n > 0;
}

/* quota / period of one cgroup folder, rounded up; INT_MAX when there is no limit. */
static int folder_quota(const char *folder, bool v2)
{
	char path[PATH_MAX], text[64];
	long long quota = 0, period = 0;
	if (snprintf(path, sizeof path, v2 ? "%s/cpu.max" : "%s/cpu.cfs_quota_us", folder) >= (int)sizeof path || !read_text(path, text, sizeof text))
		return INT_MAX;
	if (v2) {
		if (sscanf(text, "%lld %lld", &quota, &period) != 2) /* "max 100000" */
			return INT_MAX;
	} else {
		quota = atoll(text);
		if (snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder) >= (int)sizeof path || !read_text(path, text, sizeof text))
			return INT_MAX;
		period = atoll(text);
	}
	if (quota <= 0 || period <= 0)
		return INT_MAX;
	return (quota - 1) / period + 1 < INT_MAX ? (int)((quota - 1) / period + 1) : INT_MAX;
}

/* The tightest limit on the way from root/group up to root. In a container `group` may not be visible below root: the walk ends at root anyway. */
static int walk_quota(const char *root, const char *group, bool v2)
{
	char folder[PATH_MAX];
	size_t root_len = strlen(root);
	int least = INT_MAX;
	if (snprintf(folder, sizeof folder, "%s%s", root, group) >= (int)sizeof folder || strstr(group, ".."))
		snprintf(folder, sizeof folder, "%s", root);
	for (;;) {
		int quota = folder_quota(folder, v2);
		char *slash;
		if (quota < least)
			least = quota;
		slash = strrchr(folder, '/');
		if (strlen(folder) <= root_len || !slash)
			return least;
		*slash = 0;
	}
}

/* True when the comma-separated list (n bytes) has the word "cpu". */
static bool lists_cpu(const char *list, size_t n)
{
	for (const char *p = list; p < list + n;) {
		const char *comma = memchr(p, ',', (size_t)(list + n - p));
		size_t len = comma ? (size_t)(comma - p) : (size_t)(list + n - p);
		if (len == 3 && !memcmp(p, "cpu", 3))
			return true;
		p += len + 1;
	}
	return false;
}

/* Lines of /proc/self/cgroup: "0::/group" is version 2, "4:cpu,cpuacct:/group" version 1. */
static int cgroup_quota(void)
{
	char text[8192], *save = NULL;
	int least = INT_MAX;
	if (!read_text("/proc/self/cgroup", text, sizeof text))
		return INT_MAX;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
		int found = INT_MAX;
		if (!group)
			continue;
		if (group == list + 1)
			found = walk_quota("/sys/fs/cgroup", group + 1, true);
		else if (lists_cpu(list + 1, (size_t)(group - list - 1))) {
			char root[128];
			snprintf(root, sizeof root, "/sys/fs/cgroup/%.*s", (int)(group - list - 1 > 64 ? 64 : group - list - 1), list + 1);
			if (access(root, F_OK))
				strcpy(root, "/sys/fs/cgroup/cpu");
			found = walk_quota(root, group + 1, false);
		}
		if (found < least)
			least = found;
	}
	return least;
}

int ovl_cpu_threads(void)
{
	int threads = affinity_count(), quota = cgroup_quota();
	return quota < threads ? quota : threads;
}
