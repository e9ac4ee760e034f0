/* Values of f16 and bf16 become f32: kernels compute in f32, and OpenVINO's CPU plugin does the same with such models. The types of inputs, results,
 * states, sequences and the bodies of control flow stay what the model says; there, conversions are put in. Roundings in between go: what computes
 * with a Convert to f16 reads what that reads; a Convert to f16 and back is kept. Large tables that Gather reads stay narrow, since only some rows
 * are wanted. */
#include "ops/convert.h"
#include "passes/pass.h"

static bool is_half(ovl_type t) { return t == OVL_F16 || t == OVL_BF16; }
static ovl_type type_of(ovl_end e) { return e.node ? e.node->out.at[e.port].type : OVL_DYNAMIC; }
static bool is_source(const ovl_node *n) { return ovl_node_is(n, "Parameter") || ovl_node_is(n, "Constant"); }

/* What keeps the types of its inputs: as text, numbers look as long as their type is. */
static bool keeps(const ovl_node *n)
{
	if (n->out.n && n->out.at[0].type == OVL_STRING)
		return true;
	return ovl_node_is(n, "Result") || n->bodies.n || n->op->flags & (OVL_OP_STATEFUL | OVL_OP_SINK | OVL_OP_SEQUENCE);
}

static bool is_table(const ovl_node *n, int input) { return ovl_node_is(n, "Gather") && input == 0 && ovl_node_is(n->in.at[0].node, "Constant"); }

/* The Convert of `from` to `type`: one that is there already, or a new one. Looked for from behind, where new ones are. */
static ovl_status converted(ovl_graph *g, ovl_end from, ovl_type type, ovl_end *out, ovl_error *err)
{
	ovl_output *o = &from.node->out.at[from.port];
	ovl_attr_value value = {.kind = OVL_KIND_TYPE, .type = type};
	ovl_node *n;
	for (size_t i = o->users.n; i-- > 0;) {
		n = o->users.at[i].node;
		if (ovl_node_is(n, "Convert") && !n->posts.n && n->out.at[0].type == type) {
			*out = (ovl_end){n, 0};
			return OVL_OK;
		}
	}
	OVL_TRY(ovl_graph_op(g, "Convert", from.node->name, &from, 1, &n, err));
	OVL_TRY(ovl_node_set(n, "destination_type", &value, err));
	*out = (ovl_end){n, 0};
	return ovl_node_infer(n, err);
}

/* An input that keeps its type, whatever becomes of its source. */
typedef struct pin {
	ovl_node *node;
	int input;
	ovl_type type;
} pin;
typedef OVL_VEC(pin) pins;

static ovl_status note_pins(ovl_node *n, pins *list, ovl_error *err)
{
	for (int i = 0; keeps(n) && i < (int)n->in.n; i++)
		if (is_half(type_of(n->in.at[i])) && !ovl_vec_push(list, ((pin){n, i, type_of(n->in.at[i])})))
			return ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
	return OVL_OK;
}

static ovl_status narrow(ovl_graph *g, const pin *p, ovl_error *err)
{
	ovl_end from = p->node->in.at[p->input], to;
	if (type_of(from) == p->type)
		return OVL_OK;
	OVL_TRY(converted(g, from, p->type, &to, err));
	if (ovl_node_is(p->node, "Result"))
		OVL_TRY(ovl_pass_move_names(&from.node->out.at[from.port], to, err));
	return ovl_node_set_input(p->node, p->input, to, err);
}

/* The value of `e` before it was rounded, else the rounded one widened. */
static ovl_status widened(ovl_graph *g, ovl_end e, ovl_end *out, ovl_error *err)
{
	if (ovl_node_is(e.node, "Convert") && !e.node->posts.n) {
		ovl_end before = e.node->in.at[0];
		ovl_type type = type_of(before);
		if (type == OVL_F32) {
			*out = before;
			return OVL_OK;
		}
		if (type != OVL_DYNAMIC && !is_half(type))
			e = before;
	}
	return converted(g, e, OVL_F32, out, err);
}

static bool may_widen(const ovl_node *n) { return !keeps(n) && !is_source(n) && !n->posts.n && !ovl_node_is(n, "Convert"); }

/* An operator that does not take its inputs that way (some have a type among their attributes) gets them back as they were. */
static ovl_status widen(ovl_graph *g, ovl_node *n, bool *changed, ovl_error *err)
{
	OVL_VEC(ovl_end) were = {0};
	ovl_error refusal = {0};
	ovl_status st = OVL_OK;
	bool any = false;
	for (int i = 0; st == OVL_OK && i < (int)n->in.n; i++) {
		ovl_end e = n->in.at[i], to = e;
		if (is_half(type_of(e)) && !is_table(n, i))
			st = widened(g, e, &to, err);
		if (st == OVL_OK && !ovl_vec_push(&were, e))
			st = ovl_fail(err, OVL_E_MEMORY, "not enough memory for a pass");
		if (st == OVL_OK && !ovl_match_same(e, to)) {
			st = ovl_node_set_input(n, i, to, err);
			any = true;
		}
	}
	if (st == OVL_OK && any && ovl_node_infer(n, &refusal) != OVL_OK) {
		for (int i = 0; st == OVL_OK && i < (int)were.n; i++)
			st = ovl_node_set_input(n, i, were.at[i], err);
		any = false;
	}
	ovl_vec_free(&were);
	*changed = *changed || any;
	return st == OVL_OK ? ovl_node_infer(n, err) : st;
}

static bool has_halves(const ovl_graph *g)
{
	for (size_t i = 0; i < g->nodes.n; i++)
		for (size_t k = 0; k < g->nodes.at[i]->out.n; k++)
			if (is_half(g->nodes.at[i]->out.at[k].type))
				return true;
	return false;
}

static ovl_status widen_all(ovl_graph *g, pins *list, bool *changed, ovl_error *err)
{
	size_t n = g->nodes.n; /* nodes that are added come behind */
	for (size_t i = 0; i < n; i++)
		OVL_TRY(note_pins(g->nodes.at[i], list, err));
	for (size_t i = 0; i < n; i++)
		if (may_widen(g->nodes.at[i]))
			OVL_TRY(widen(g, g->nodes.at[i], changed, err));
	for (size_t i = 0; i < list->n; i++)
		OVL_TRY(narrow(g, &list->at[i], err));
	return OVL_OK;
}

static ovl_status run(ovl_graph *g, bool *changed, ovl_error *err)
{
	pins list = {0};
	ovl_status st;
	if (!has_halves(g))
		return OVL_OK;
	OVL_TRY(ovl_graph_sort(g, err));
	st = widen_all(g, &list, changed, err);
	ovl_vec_free(&list);
	return st;
}

const ovl_pass ovl_pass_widen_halves = {.name = "widen_halves", .order = 50, .run = run};
