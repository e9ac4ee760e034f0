/* Halves: f32 values that are stored as bf16 between kernels that can read and write them, where bf16 was asked for. Each kernel decides for itself (kernel.h); this
 * tells it whether somebody behind it would have to convert them back. */
#include "plan/build.h"

#include <string.h>

/* Operators that become views or copies of their input: whoever reads them decides. */
static bool passes_on(const ovl_node *n)
{
	static const char *const names[] = {"Reshape", "Squeeze", "Unsqueeze", "Identity", "Flatten", "Transpose", "Split", "VariadicSplit", "Slice", "StridedSlice",
		"Broadcast", "Concat"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ovl_node_is(n, names[i]))
			return true;
	return false;
}

static bool read_by(const ovl_build *b, const ovl_node *n, size_t port, int depth)
{
	enum { MAX_DEPTH = 8 };
	for (size_t i = 0; i < n->out.at[port].users.n; i++) {
		const ovl_node *user = n->out.at[port].users.at[i].node;
		if (ovl_node_is(user, "Result") || !strncmp(user->op->name, "Reduce", 6)) /* sums are better made of f32, where nobody else asks for halves */
			continue;
		if (!passes_on(user)) {
			if (ovl_kernel_takes_halves(user->op->name, b->options->isa))
				return true;
			continue;
		}
		for (size_t k = 0; k < user->out.n && depth < MAX_DEPTH; k++)
			if (read_by(b, user, k, depth + 1))
				return true;
	}
	return false;
}

bool ovl_build_halves_read(const ovl_build *b, const ovl_node *n)
{
	return b->options->bf16 && n->out.n > 0 && n->out.at[0].type == OVL_F32 && read_by(b, n, 0, 0);
}

bool ovl_build_added(const ovl_node *n)
{
	for (size_t i = 0; n->out.n && i < n->out.at[0].users.n; i++) {
		ovl_end user = n->out.at[0].users.at[i];
		if (user.port >= ovl_node_own_inputs(user.node))
			return true;
	}
	return false;
}
