/* A driver's management library with GPUs that exist in a text only: what tests of a machine
 * without GPUs load in place of libnvidia-ml.so.1.
 *
 * The text is the file beside this library, `<its path>.script`, read when the library is
 * initialised. A line is `KEY VALUE` for all GPUs, or `gpu N KEY VALUE` for one:
 *
 *   gpus N               how many there are (default 0)
 *   driver TEXT          the driver's version
 *   init CODE            initialising fails with this nvmlReturn_t
 *   mig 0|1, mode N, process PID BYTES, throttle MASK (hexadecimal, each line one
 *   more, taken in turn by each call), energy START STEP (the counter grows by STEP with each
 *   call), fail FUNCTION CODE (the function fails with this nvmlReturn_t), hang FUNCTION (it
 *   never returns), uncorrected START STEP (errors of its memory, growing as energy does), xid
 *   CODE (an error that the driver reports, each once, by the last code of all), later N (processes are there from the
 *   N-th time on that somebody asks for them)
 *
 * Structures and codes are those of nvml.h; the versions are those that the wrapper asks for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };
enum { MOST = 16 };

struct gpu {
	unsigned minor, mig, mode, processes, throttles, reads, later, asked;
	unsigned pids[MOST];
	unsigned long long held[MOST], throttle[MOST], xid[MOST], energy, step, uncorrected, growth;
	unsigned xids, told;
	unsigned refusals;
	struct { char function[64]; int code; } refused[MOST];
};

struct process { unsigned pid; unsigned long long memory; unsigned gpu_instance, compute_instance; };
struct pci { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; };
struct memory { unsigned version; unsigned long long total, reserved, free, used; };
struct utilisation { unsigned gpu, memory; };

static struct gpu gpus[MOST];
static unsigned count;
static int starts;
static char driver[80] = "580.95.05";

static void line(struct gpu *gpu, const char *key, const char *value)
{
	if (!strcmp(key, "mig")) gpu->mig = atoi(value);
	else if (!strcmp(key, "mode")) gpu->mode = atoi(value);
	else if (!strcmp(key, "process") && gpu->processes < MOST)
		gpu->processes += sscanf(value, "%u %llu", &gpu->pids[gpu->processes], &gpu->held[gpu->processes]) == 2;
	else if (!strcmp(key, "throttle") && gpu->throttles < MOST)
		gpu->throttle[gpu->throttles++] = strtoull(value, NULL, 16);
	else if (!strcmp(key, "energy")) sscanf(value, "%llu %llu", &gpu->energy, &gpu->step);
	else if (!strcmp(key, "later")) gpu->later = atoi(value);
	else if (!strcmp(key, "uncorrected")) sscanf(value, "%llu %llu", &gpu->uncorrected, &gpu->growth);
	else if (!strcmp(key, "xid") && gpu->xids < MOST) gpu->xid[gpu->xids++] = strtoull(value, NULL, 10);
	else if (gpu->refusals < MOST && !strcmp(key, "fail"))
		gpu->refusals += sscanf(value, "%63s %d", gpu->refused[gpu->refusals].function, &gpu->refused[gpu->refusals].code) == 2;
	else if (gpu->refusals < MOST && !strcmp(key, "hang")) {
		sscanf(value, "%63s", gpu->refused[gpu->refusals].function);
		gpu->refused[gpu->refusals++].code = -1;
	} else {
		fprintf(stderr, "stub.c: `%s %s`?\n", key, value);
		abort();
	}
}

static void read_script(void)
{
	Dl_info own;
	char path[4096], text[256], key[64], rest[256];
	unsigned n;
	FILE *file;

	dladdr((void *)read_script, &own);
	snprintf(path, sizeof path, "%s.script", own.dli_fname);
	file = fopen(path, "r");
	if (!file) abort();
	for (n = 0; n < MOST; n++) gpus[n].minor = n;
	while (fgets(text, sizeof text, file)) {
		if (sscanf(text, "gpu %u %63s %255[^\n]", &n, key, rest) == 3 && n < MOST) line(&gpus[n], key, rest);
		else if (sscanf(text, "gpus %u", &count) == 1) continue;
		else if (sscanf(text, "driver %79s", driver) == 1) continue;
		else if (sscanf(text, "init %d", &starts) == 1) continue;
		else if (sscanf(text, "%63s %255[^\n]", key, rest) == 2)
			for (n = 0; n < MOST; n++) line(&gpus[n], key, rest);
	}
	fclose(file);
}

static int may(struct gpu *gpu, const char *function)
{
	unsigned i;
	for (i = 0; i < gpu->refusals; i++) {
		if (strcmp(gpu->refused[i].function, function)) continue;
		while (gpu->refused[i].code < 0) pause();
		return gpu->refused[i].code;
	}
	return SUCCESS;
}

/* A function of one GPU and one value. */
#define VALUE(NAME, TYPE, EXPRESSION) \
	int NAME(struct gpu *gpu, TYPE *value) \
	{ \
		int code = may(gpu, #NAME); \
		if (code == SUCCESS) *value = (EXPRESSION); \
		return code; \
	}
/* One that chooses by a number. */
#define CHOICE(NAME, EXPRESSION) \
	int NAME(struct gpu *gpu, unsigned which, unsigned *value) \
	{ \
		int code = may(gpu, #NAME); \
		(void)which; \
		if (code == SUCCESS) *value = (EXPRESSION); \
		return code; \
	}
#define TEXT(NAME, ...) \
	int NAME(struct gpu *gpu, char *text, unsigned length) \
	{ \
		int code = may(gpu, #NAME); \
		if (code == SUCCESS) snprintf(text, length, __VA_ARGS__); \
		return code; \
	}

int nvmlInit_v2(void)
{
	count = 0, starts = SUCCESS;
	memset(gpus, 0, sizeof gpus);
	read_script();
	return starts;
}
int nvmlShutdown(void) { return SUCCESS; }
int nvmlSystemGetDriverVersion(char *text, unsigned length) { snprintf(text, length, "%s", driver); return SUCCESS; }
int nvmlDeviceGetCount_v2(unsigned *value) { *value = count; return SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct gpu **gpu)
{
	if (index >= count) return INVALID_ARGUMENT;
	*gpu = &gpus[index];
	return may(*gpu, "nvmlDeviceGetHandleByIndex_v2");
}

#define UUID "GPU-00000000-0000-0000-0000-%012u"

int nvmlDeviceGetHandleByUUID(const char *uuid, struct gpu **gpu)
{
	char own[96];
	unsigned n;
	for (n = 0; n < count; n++) {
		snprintf(own, sizeof own, UUID, n);
		if (strcmp(own, uuid)) continue;
		*gpu = &gpus[n];
		return may(*gpu, "nvmlDeviceGetHandleByUUID");
	}
	return NOT_FOUND;
}

TEXT(nvmlDeviceGetUUID, UUID, gpu->minor)
TEXT(nvmlDeviceGetName, "NVIDIA Stub %u GB", 80)
TEXT(nvmlDeviceGetVbiosVersion, "96.00.%02X", gpu->minor)
VALUE(nvmlDeviceGetMinorNumber, unsigned, gpu->minor)
VALUE(nvmlDeviceGetEnforcedPowerLimit, unsigned, 700000)
VALUE(nvmlDeviceGetPersistenceMode, unsigned, 1)
VALUE(nvmlDeviceGetComputeMode, unsigned, gpu->mode)
VALUE(nvmlDeviceGetCurrPcieLinkGeneration, unsigned, 1)
VALUE(nvmlDeviceGetCurrPcieLinkWidth, unsigned, 16)
VALUE(nvmlDeviceGetMaxPcieLinkGeneration, unsigned, 5)
VALUE(nvmlDeviceGetMaxPcieLinkWidth, unsigned, 16)
VALUE(nvmlDeviceGetPowerUsage, unsigned, 300000 + gpu->minor)
VALUE(nvmlDeviceGetTotalEnergyConsumption, unsigned long long, gpu->energy += gpu->step)
VALUE(nvmlDeviceGetCurrentClocksThrottleReasons, unsigned long long,
      gpu->throttles ? gpu->throttle[gpu->reads++ % gpu->throttles] : 0)
/* Clocks: 1 of the multiprocessors, 2 of the memory. Counters: 0 sent, 1 received. */
CHOICE(nvmlDeviceGetMaxClockInfo, which == 1 ? 1980 : 2619)
CHOICE(nvmlDeviceGetApplicationsClock, which == 1 ? 1755 : 2618)
CHOICE(nvmlDeviceGetClockInfo, which == 1 ? 1700 + gpu->minor : 2619)
CHOICE(nvmlDeviceGetTemperature, 40 + gpu->minor)
CHOICE(nvmlDeviceGetPcieThroughput, which == 0 ? 1000 : 2000)

int nvmlDeviceGetEccMode(struct gpu *gpu, unsigned *now, unsigned *later)
{
	*now = 1, *later = 0;
	return may(gpu, "nvmlDeviceGetEccMode");
}
int nvmlDeviceGetMigMode(struct gpu *gpu, unsigned *now, unsigned *later)
{
	*now = gpu->mig, *later = 1;
	return may(gpu, "nvmlDeviceGetMigMode");
}
int nvmlDeviceGetPciInfo_v3(struct gpu *gpu, struct pci *pci)
{
	pci->bus = 0x3b + gpu->minor;
	snprintf(pci->bus_id, sizeof pci->bus_id, "00000000:%02X:00.0", pci->bus);
	return may(gpu, "nvmlDeviceGetPciInfo_v3");
}
int nvmlDeviceGetMemoryInfo_v2(struct gpu *gpu, struct memory *memory)
{
	if (memory->version != (sizeof *memory | 2 << 24)) return 25; /* argument version mismatch */
	memory->total = 80ull << 30, memory->used = 1ull << 30;
	return may(gpu, "nvmlDeviceGetMemoryInfo_v2");
}
int nvmlDeviceGetUtilizationRates(struct gpu *gpu, struct utilisation *rates)
{
	rates->gpu = 90, rates->memory = 50;
	return may(gpu, "nvmlDeviceGetUtilizationRates");
}

static int list(struct gpu *gpu, unsigned *length, struct process *processes)
{
	unsigned i, room = *length;
	*length = gpu->asked < gpu->later ? 0 : gpu->processes;
	if (room < *length) return INSUFFICIENT_SIZE;
	for (i = 0; i < *length; i++)
		processes[i] = (struct process){ gpu->pids[i], gpu->held[i], ~0u, ~0u };
	return SUCCESS;
}
int nvmlDeviceGetComputeRunningProcesses_v3(struct gpu *gpu, unsigned *length, struct process *processes)
{
	int code = may(gpu, "nvmlDeviceGetComputeRunningProcesses_v3");
	gpu->asked += *length == 0;
	return code == SUCCESS ? list(gpu, length, processes) : code;
}
/* Lists the same ones again: some do both. */
int nvmlDeviceGetGraphicsRunningProcesses_v3(struct gpu *gpu, unsigned *length, struct process *processes)
{
	int code = may(gpu, "nvmlDeviceGetGraphicsRunningProcesses_v3");
	return code == SUCCESS ? list(gpu, length, processes) : code;
}

/* Uncorrected errors since the driver was loaded, and no other count. */
int nvmlDeviceGetTotalEccErrors(struct gpu *gpu, int corrected_or_not, int since, unsigned long long *value)
{
	int code = may(gpu, "nvmlDeviceGetTotalEccErrors");
	if (corrected_or_not != 1 || since != 0) return INVALID_ARGUMENT;
	if (code == SUCCESS) *value = gpu->uncorrected, gpu->uncorrected += gpu->growth;
	return code;
}

enum { XID = 8, TIMEOUT = 10 };
struct set { struct gpu *gpus[MOST]; unsigned count; };
struct event { struct gpu *gpu; unsigned long long type, data; unsigned gpu_instance, compute_instance; };

int nvmlEventSetCreate(struct set **set) { return (*set = calloc(1, sizeof **set)) ? SUCCESS : 999; }
int nvmlEventSetFree(struct set *set) { free(set); return SUCCESS; }
int nvmlDeviceRegisterEvents(struct gpu *gpu, unsigned long long types, struct set *set)
{
	int code = may(gpu, "nvmlDeviceRegisterEvents");
	if (types != XID || set->count == MOST) return INVALID_ARGUMENT;
	if (code == SUCCESS) set->gpus[set->count++] = gpu;
	return code;
}
int nvmlEventSetWait_v2(struct set *set, struct event *event, unsigned milliseconds)
{
	unsigned long long last = 0;
	unsigned n;
	(void)milliseconds;
	for (n = 0; n < count; n++)
		if (gpus[n].xids) last = gpus[n].xid[gpus[n].xids - 1];
	for (n = 0; n < set->count; n++) {
		struct gpu *gpu = set->gpus[n];
		if (gpu->told == gpu->xids) continue;
		gpu->told++;
		*event = (struct event){ gpu, XID, last, ~0u, ~0u };
		return SUCCESS;
	}
	return TIMEOUT;
}
