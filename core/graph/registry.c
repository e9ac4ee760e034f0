/* The table of operators: the lists are generated from the names of the files in core/ops/. */
#include "graph/op.h"
#include "base/memory.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>

extern const ovl_op *const *const ovl_op_lists[]; /* build/gen/ops_list.c */

typedef struct slot {
	const char *name;
	const ovl_op *op;
} slot;

static struct {
	slot *slots; /* open addressing by name; several versions of a name sit side by side */
	size_t mask;
	const ovl_op **all;
	size_t n;
} table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool built; /* atomic */

static size_t hash(const char *s)
{
	size_t h = 1469598103934665603u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h ^ (h >> 29);
}

static void put(const char *name, const ovl_op *op)
{
	size_t i = hash(name) & table.mask;
	while (table.slots[i].name)
		i = (i + 1) & table.mask;
	table.slots[i] = (slot){name, op};
}

static void build(void)
{
	size_t n = 0, cap = 64;
	for (size_t l = 0; ovl_op_lists[l]; l++)
		for (size_t i = 0; ovl_op_lists[l][i]; i++)
			n++;
	while (cap < n * 4)
		cap *= 2;
	table.slots = ovl_calloc(cap, sizeof *table.slots);
	table.all = ovl_calloc(n + 1, sizeof *table.all);
	if (!table.slots || !table.all) {
		ovl_free(table.slots);
		ovl_free(table.all);
		table.slots = NULL;
		table.all = NULL;
		return;
	}
	table.mask = cap - 1;
	for (size_t l = 0; ovl_op_lists[l]; l++)
		for (size_t i = 0; ovl_op_lists[l][i]; i++) {
			const ovl_op *op = ovl_op_lists[l][i];
			table.all[table.n++] = op;
			put(op->name, op);
			if (op->ir_name && strcmp(op->ir_name, op->name) != 0)
				put(op->ir_name, op);
		}
}

/* Not pthread_once: when memory was short at the first call, the next one tries again. */
static bool ready(void)
{
	if (__atomic_load_n(&built, __ATOMIC_ACQUIRE))
		return true;
	pthread_mutex_lock(&lock);
	if (!built) {
		build();
		__atomic_store_n(&built, table.slots != NULL, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&lock);
	return __atomic_load_n(&built, __ATOMIC_ACQUIRE);
}

const ovl_op *ovl_op_find(const char *name, int opset)
{
	const ovl_op *best = NULL;
	if (!ready())
		return NULL;
	for (size_t i = hash(name) & table.mask; table.slots[i].name; i = (i + 1) & table.mask) {
		const ovl_op *op = table.slots[i].op;
		if (strcmp(table.slots[i].name, name) != 0)
			continue;
		if (opset > 0 && (op->since > opset || (op->until && op->until < opset) || (op->flags & OVL_OP_INTERNAL)))
			continue;
		if (!best || op->since > best->since)
			best = op;
	}
	return best;
}

const ovl_op *ovl_op_at(size_t i)
{
	return ready() && i < table.n ? table.all[i] : NULL;
}

/* "BatchNormInference" -> "batch_norm_inference"; a run of capitals is one word ("LSTMCell" -> "lstm_cell"). */
const char *ovl_op_factory(const ovl_op *op, char *buf, size_t size)
{
	size_t n = 0;
	if (op->factory)
		return op->factory;
	for (const char *p = op->name; *p && n + 2 < size; p++) {
		bool up = isupper((unsigned char)*p) != 0;
		bool after_low = p > op->name && !isupper((unsigned char)p[-1]);
		bool before_low = p > op->name && p[1] && islower((unsigned char)p[1]);
		if (up && (after_low || before_low) && n && buf[n - 1] != '_')
			buf[n++] = '_';
		buf[n++] = (char)tolower((unsigned char)*p);
	}
	buf[n] = 0;
	return buf;
}
