/* Lowering: a graph with known input shapes becomes steps on values. */
#include "plan/build.h"
#include "base/log.h"
#include "base/str.h"
#include "passes/pass.h"
#include "plan/program.h"

#include <stdio.h>
#include <string.h>

static ovl_status no_memory(ovl_build *b) { return ovl_fail(b->err, OVL_E_MEMORY, "not enough memory for a plan"); }

int ovl_build_slot(ovl_build *b, ovl_slot_kind kind, size_t size, int index, ovl_tensor *constant)
{
	ovl_slot s = {.kind = kind, .size = size, .index = index, .constant = constant, .first = -1, .last = -1, .merged = -1};
	if (!ovl_vec_push(&b->plan->slots, s))
		return -1;
	return (int)b->plan->slots.n - 1;
}

int ovl_build_value(ovl_build *b, int slot, size_t offset, const ovl_desc *desc, bool late)
{
	ovl_value_ref v = {.slot = slot, .offset = offset, .desc = *desc, .late = late};
	if (slot < 0 || !ovl_vec_push(&b->plan->values, v) || !ovl_vec_push(&b->copy_of, -1) || !ovl_vec_push(&b->copy_next, -1) || !ovl_vec_push(&b->viewed, 0))
		return -1;
	return (int)b->plan->values.n - 1;
}

static int arena_value(ovl_build *b, const ovl_desc *desc)
{
	return ovl_build_value(b, ovl_build_slot(b, OVL_SLOT_ARENA, ovl_desc_span(desc), 0, NULL), 0, desc, false);
}

static ovl_status constant_value(ovl_build *b, ovl_tensor *t, int *out)
{
	ovl_desc d = ovl_desc_dense(t->type, t->shape.rank, t->shape.dims);
	ovl_tensor *dense;
	int slot;
	OVL_TRY(ovl_tensor_densify(t, &dense, b->err));
	slot = ovl_build_slot(b, OVL_SLOT_CONST, ovl_tensor_bytes(dense), 0, dense);
	if (slot < 0) {
		ovl_tensor_release(dense);
		return no_memory(b);
	}
	*out = ovl_build_value(b, slot, 0, &d, false);
	return *out < 0 ? no_memory(b) : OVL_OK;
}

/* The value of an edge; constants are made when they are first asked for. */
static ovl_status value_of(ovl_build *b, ovl_end end, int *out)
{
	int *v;
	*out = -1;
	if (!end.node)
		return OVL_OK;
	v = &b->node_values[end.node->index][end.port];
	if (*v < 0) {
		ovl_tensor *t = ovl_node_value(end);
		if (!t)
			return ovl_fail(b->err, OVL_E_INTERNAL, "node '%s' is used before it is planned", end.node->name);
		OVL_TRY(constant_value(b, t, v));
	}
	*out = *v;
	return OVL_OK;
}

ovl_step *ovl_build_step(ovl_build *b, int n_in, int n_out)
{
	ovl_step s = {.n_in = n_in, .n_out = n_out};
	s.in = ovl_alloc(((size_t)n_in + (size_t)n_out + 1) * sizeof(int));
	if (!s.in || !ovl_vec_push(&b->plan->steps, s)) {
		ovl_free(s.in);
		return NULL;
	}
	s.out = s.in + n_in;
	b->plan->steps.at[b->plan->steps.n - 1].out = s.out;
	return &b->plan->steps.at[b->plan->steps.n - 1];
}

ovl_status ovl_build_copy_step(ovl_build *b, int from, int to, const char *name)
{
	ovl_draft d = {.node = -1, .op = "Copy", .n_op_in = 1, .in_place = -1};
	ovl_step *s = ovl_build_step(b, 1, 1);
	if (!s)
		return no_memory(b);
	s->in[0] = from;
	s->out[0] = to;
	s->type = "Reorder";
	d.step = (int)b->plan->steps.n - 1;
	s->name = ovl_strdup(name);
	return s->name && ovl_vec_push(&b->drafts, d) ? OVL_OK : no_memory(b);
}

static ovl_desc with_form(const ovl_desc *d, ovl_form form)
{
	if (form == OVL_FORM_CL && d->rank >= 3)
		return ovl_desc_cl(d->type, d->rank, d->dims, ovl_cl_ld(d->dims, d->rank));
	return ovl_desc_dense(d->type, d->rank, d->dims);
}

static ovl_status constant_in_form(ovl_build *b, const ovl_value_ref *v, const ovl_desc *to, int *out)
{
	const ovl_slot *s = &b->plan->slots.at[v->slot];
	ovl_buffer *mem = ovl_buffer_new(ovl_desc_span(to), true);
	ovl_shape flat = {.rank = 1};
	ovl_tensor *t;
	ovl_status st;
	int slot;
	if (!mem)
		return no_memory(b);
	if (!ovl_copy_strided(&v->desc, (const char *)s->constant->data + v->offset, to, mem->data)) {
		ovl_buffer_release(mem);
		return ovl_fail(b->err, OVL_E_INTERNAL, "a constant of type %s cannot be laid out anew", ovl_type_name(v->desc.type));
	}
	flat.dims[0] = (int64_t)mem->size;
	st = ovl_tensor_on(mem, 0, OVL_U8, &flat, &t, b->err);
	ovl_buffer_release(mem);
	if (st != OVL_OK)
		return st;
	slot = ovl_build_slot(b, OVL_SLOT_CONST, ovl_desc_span(to), 0, t);
	if (slot < 0)
		ovl_tensor_release(t);
	*out = ovl_build_value(b, slot, 0, to, false);
	return *out < 0 ? no_memory(b) : OVL_OK;
}

static bool is_stored(const ovl_value_ref *v, ovl_form form, bool half)
{
	return v->half == half && (ovl_desc_has_form(&v->desc, form) || (form == OVL_FORM_CL && v->desc.rank < 3));
}

ovl_status ovl_build_form(ovl_build *b, int value, ovl_form form, int *out)
{
	return ovl_build_stored(b, value, form, b->plan->values.at[value].half, out);
}

ovl_status ovl_build_stored(ovl_build *b, int value, ovl_form form, bool half, int *out)
{
	ovl_value_ref v = b->plan->values.at[value];
	ovl_desc to;
	*out = value;
	if (b->plan->slots.at[v.slot].kind == OVL_SLOT_CONST)
		half = v.half;
	if (v.late || is_stored(&v, form, half))
		return OVL_OK;
	for (int c = b->copy_of.at[value]; c >= 0; c = b->copy_next.at[c])
		if (is_stored(&b->plan->values.at[c], form, half)) {
			*out = c;
			return OVL_OK;
		}
	if (form == OVL_FORM_ANY) /* another type only: as it lies, where it lies in one of the forms */
		form = !ovl_desc_is_dense(&v.desc) && ovl_desc_has_form(&v.desc, OVL_FORM_CL) ? OVL_FORM_CL : OVL_FORM_DENSE;
	to = with_form(&v.desc, form);
	to.type = half ? OVL_BF16 : v.half ? OVL_F32 : v.desc.type;
	if (b->plan->slots.at[v.slot].kind == OVL_SLOT_CONST)
		OVL_TRY(constant_in_form(b, &v, &to, out));
	else {
		*out = arena_value(b, &to);
		if (*out < 0)
			return no_memory(b);
		b->plan->values.at[*out].half = half;
		OVL_TRY(ovl_build_copy_step(b, value, *out, "reorder"));
	}
	b->copy_next.at[*out] = b->copy_of.at[value];
	b->copy_of.at[value] = *out;
	return OVL_OK;
}

/* ---- problems ---- */

typedef struct frame {
	ovl_problem p;
	const void **data;
	bool *stored_half; /* per input */
	void *block;
	ovl_hash key;
	ovl_rival rivals[OVL_TUNE_ANSWERS];
	int n_rivals;
} frame;

static bool frame_open(frame *f, const ovl_build *b, int n_in, int n_out)
{
	size_t in = (size_t)n_in, out = (size_t)n_out;
	size_t size = (in + out) * (sizeof(ovl_desc) + sizeof(ovl_form) + sizeof(void *) + 3 * sizeof(bool)) + 64;
	char *m;
	*f = (frame){.block = ovl_calloc(1, size)};
	m = f->block;
	if (!m)
		return false;
	f->p = (ovl_problem){.n_in = n_in, .n_out = n_out, .threads = b->options->threads, .isa = b->options->isa, .in_place = -1};
	f->p.precise_bf16 = b->options->bf16;
	f->p.accurate = b->options->accurate;
	f->p.in = (ovl_desc *)(void *)m, m += in * sizeof(ovl_desc);
	f->p.out = (ovl_desc *)(void *)m, m += out * sizeof(ovl_desc);
	f->data = (const void **)(void *)m, m += in * sizeof(void *);
	f->p.in_data = f->data;
	f->p.in_form = (ovl_form *)(void *)m, m += in * sizeof(ovl_form);
	f->p.out_form = (ovl_form *)(void *)m, m += out * sizeof(ovl_form);
	f->p.in_packed = (bool *)m, m += in * sizeof(bool);
	f->p.in_half = (bool *)m, m += in * sizeof(bool);
	f->stored_half = (bool *)m;
	return true;
}

/* For a kernel that knows halves, or for one that does not. */
static void frame_reset(frame *f, bool halves)
{
	for (int i = 0; i < f->p.n_in; i++) {
		f->p.in_form[i] = OVL_FORM_DENSE, f->p.in_packed[i] = false;
		f->p.in_half[i] = halves && f->stored_half[i];
		if (f->stored_half[i])
			f->p.in[i].type = halves ? OVL_BF16 : OVL_F32;
	}
	f->p.out_half = false;
	for (int i = 0; i < f->p.n_out; i++)
		f->p.out_form[i] = OVL_FORM_DENSE;
	f->p.in_place = -1;
	f->p.out_rows_free = false;
}

static void frame_value(frame *f, const ovl_build *b, int i, int value)
{
	const ovl_value_ref *v;
	const ovl_slot *s;
	f->data[i] = NULL;
	f->stored_half[i] = false;
	if (value < 0) {
		f->p.in[i] = (ovl_desc){.type = OVL_DYNAMIC};
		return;
	}
	v = &b->plan->values.at[value];
	s = &b->plan->slots.at[v->slot];
	f->p.in[i] = v->desc;
	f->stored_half[i] = v->half;
	if (s->kind == OVL_SLOT_CONST && s->constant)
		f->data[i] = (const char *)s->constant->data + v->offset;
}

/* Packed weights may be shared only when their source stays alive as long as the packs do: constants of the program's own graph. */
static bool sources_lasting(const ovl_build *b, const frame *f)
{
	for (int i = 0; i < f->p.n_in; i++)
		if (f->data[i] && !ovl_program_owns_constant(b->program, f->data[i]))
			return false;
	return true;
}

static const ovl_kernel *choose(ovl_build *b, frame *f, const char *node_name)
{
	const ovl_kernel *k;
	for (size_t i = 0; (k = ovl_kernel_at(f->p.op, b->options->isa, i)); i++) {
		const char *why;
		frame_reset(f, k->halves || !strcmp(f->p.op, "Copy"));
		why = k->accept(&f->p);
		if (!why)
			break;
		if (ovl_log_on(OVL_LOG_DISPATCH))
			ovl_log("dispatch: %s '%s': %s: %s", f->p.op, node_name, k->name, why);
	}
	if (ovl_log_on(OVL_LOG_DISPATCH))
		ovl_log("dispatch: %s '%s' -> %s", f->p.op, node_name, k ? k->name : "reference");
	return k;
}

/* Whoever else would take the problem in the same forms as `first`, which has just accepted it: for choices by measurement. Ways of its own level. */
static void find_rivals(ovl_build *b, frame *f, const ovl_kernel *first)
{
	size_t forms = (char *)f->stored_half - (char *)f->p.in_form;
	const ovl_problem want = f->p;
	void *wishes = ovl_memdup(f->p.in_form, forms);
	const ovl_kernel *k;
	f->rivals[f->n_rivals++] = (ovl_rival){first, 0};
	for (size_t i = 0; wishes && (k = ovl_kernel_at(want.op, b->options->isa, i)); i++)
		for (int way = 0; f->n_rivals < OVL_TUNE_ANSWERS && (!way || (k->isa == first->isa && k->ways && k->ways[way - 1])); way++) {
			frame_reset(f, k->halves);
			f->p.way = way;
			if ((k != first || way) && !k->accept(&f->p) && !memcmp(wishes, f->p.in_form, forms) && f->p.out_half == want.out_half &&
				f->p.in_place == want.in_place && f->p.out_rows_free == want.out_rows_free)
				f->rivals[f->n_rivals++] = (ovl_rival){k, way};
		}
	frame_reset(f, first->halves);
	f->p.way = 0;
	(void)first->accept(&f->p);
	ovl_free(wishes);
}

/* ---- steps ---- */

static ovl_status name_step(ovl_build *b, ovl_step *s, const ovl_node *n)
{
	ovl_plan *p = b->plan;
	s->type = n->op->name;
	s->flops = ovl_node_flops(n);
	s->name = ovl_strdup(n->name);
	if (!s->name)
		return no_memory(b);
	(void)p;
	if (n->fused.n) {
		char **names = ovl_calloc(n->fused.n, sizeof *names);
		if (!names)
			return no_memory(b);
		s->fused = (const char *const *)names;
		for (size_t i = 0; i < n->fused.n; i++)
			if (!(names[s->n_fused++] = ovl_strdup(n->fused.at[i])))
				return no_memory(b);
	}
	return OVL_OK;
}

static ovl_form resolve_like(const frame *f, const ovl_build *b, const int *in, ovl_form form, ovl_type type)
{
	const ovl_desc *d;
	int64_t ld;
	(void)type;
	if (form < OVL_FORM_LIKE)
		return form;
	if (in[form - OVL_FORM_LIKE] < 0)
		return OVL_FORM_DENSE;
	d = &b->plan->values.at[in[form - OVL_FORM_LIKE]].desc;
	(void)f;
	return !ovl_desc_is_dense(d) && ovl_desc_is_cl(d, &ld) ? OVL_FORM_CL : OVL_FORM_DENSE;
}

/* Output 0 of a kernel whose rows may lie anywhere, when all that reads it is a Transpose: laid out so that the transposed view is dense. */
static void lay_out_for_transpose(const ovl_node *n, ovl_desc *out)
{
	const ovl_node *user = ovl_node_only_user(n);
	ovl_tensor *order = user && ovl_node_is(user, "Transpose") && user->in.n == 2 ? ovl_node_value(user->in.at[1]) : NULL;
	int64_t step = 1;
	bool seen[OVL_MAX_RANK] = {false};
	ovl_desc d = *out;
	if (!order || ovl_tensor_count(order) != out->rank || !ovl_desc_is_dense(out))
		return;
	for (int i = out->rank - 1; i >= 0; i--) {
		int64_t from = ovl_tensor_i64_at(order, i);
		if (from < 0 || from >= out->rank || seen[from] || (i == out->rank - 1 && from != i))
			return;
		seen[from] = true;
		d.strides[from] = step;
		step *= out->dims[from];
	}
	*out = d;
}

static ovl_status kernel_step(ovl_build *b, const ovl_node *n, frame *f, const ovl_kernel *k, int *in)
{
	ovl_draft d = {.node = n->index, .op = n->op->name, .params = n->params, .posts = n->posts.at, .n_posts = (int)n->posts.n, .n_op_in = f->p.n_op_in,
		.unused = f->p.unused, .in_place = f->p.in_place, .key = f->key};
	ovl_step *s;
	for (int i = 0; i < f->p.n_in; i++) {
		if (f->p.in_packed[i] && i < 64)
			d.packed |= 1ull << i;
		if (in[i] >= 0 && !f->p.in_packed[i])
			OVL_TRY(ovl_build_stored(b, in[i], f->p.in_form[i], f->p.in_half[i], &in[i]));
	}
	s = ovl_build_step(b, f->p.n_in, f->p.n_out);
	if (!s)
		return no_memory(b);
	s->kernel = k;
	memcpy(s->in, in, (size_t)f->p.n_in * sizeof *in);
	d.step = (int)b->plan->steps.n - 1;
	OVL_TRY(name_step(b, s, n));
	for (int i = 0; i < f->p.n_out; i++) {
		ovl_desc out = with_form(&f->p.out[i], resolve_like(f, b, in, f->p.out_form[i], f->p.out[i].type));
		int v;
		if (i == 0 && f->p.out_half)
			out.type = OVL_BF16;
		if (i == 0 && f->p.out_rows_free)
			lay_out_for_transpose(n, &out);
		v = arena_value(b, &out);
		if (v < 0)
			return no_memory(b);
		b->plan->values.at[v].half = i == 0 && f->p.out_half;
		b->plan->steps.at[d.step].out[i] = b->node_values[n->index][i] = v;
	}
	if (f->n_rivals > 1 && (d.rivals = ovl_memdup(f->rivals, (size_t)f->n_rivals * sizeof *d.rivals)))
		d.n_rivals = f->n_rivals;
	if (ovl_vec_push(&b->drafts, d))
		return OVL_OK;
	ovl_free(d.rivals);
	return no_memory(b);
}

static ovl_status reference_step(ovl_build *b, const ovl_node *n, int *in, int n_in, bool late)
{
	ovl_step *s;
	size_t at;
	for (int i = 0; i < n_in; i++)
		if (in[i] >= 0)
			OVL_TRY(ovl_build_stored(b, in[i], OVL_FORM_DENSE, false, &in[i]));
	s = ovl_build_step(b, n_in, (int)n->out.n);
	if (!s)
		return no_memory(b);
	at = b->plan->steps.n - 1;
	memcpy(s->in, in, (size_t)n_in * sizeof *in);
	for (size_t i = 0; i < n->out.n; i++)
		s->out[i] = -1;
	s->late = late;
	OVL_TRY(name_step(b, s, n));
	OVL_TRY(ovl_ref_new(n, b->options, b->packs, &b->plan->steps.at[at].ref, b->err));
	snprintf(s->exec_type, sizeof s->exec_type, "ref_%s", ovl_type_name(n->out.n ? n->out.at[0].type : OVL_DYNAMIC));
	for (size_t i = 0; i < n->out.n; i++) {
		const ovl_output *o = &n->out.at[i];
		ovl_shape shape;
		ovl_desc d = {.type = o->type};
		int v;
		if (!late && !ovl_type_owns(o->type) && ovl_pshape_to_shape(&o->shape, &shape)) { /* what owns memory is not for the arena */
			d = ovl_desc_dense(o->type, shape.rank, shape.dims);
			v = arena_value(b, &d);
		} else
			v = ovl_build_value(b, ovl_build_slot(b, OVL_SLOT_LATE, 0, 0, NULL), 0, &d, true);
		if (v < 0)
			return no_memory(b);
		b->plan->steps.at[at].out[i] = b->node_values[n->index][i] = v;
	}
	return OVL_OK;
}

static bool outputs_static(const ovl_node *n)
{
	for (size_t i = 0; i < n->out.n; i++)
		if (n->out.at[i].type == OVL_DYNAMIC || !ovl_pshape_is_static(&n->out.at[i].shape))
			return false;
	return true;
}

static bool has_owner(const ovl_build *b, const ovl_node *n, const int *in, int n_in)
{
	for (size_t i = 0; i < n->out.n; i++)
		if (ovl_type_owns(n->out.at[i].type))
			return true;
	for (int i = 0; i < n_in; i++)
		if (in[i] >= 0 && ovl_type_owns(b->plan->values.at[in[i]].desc.type))
			return true;
	return false;
}

/* A concatenation is as many copies into parts of its output; memory.c lets producers write there directly. */
static ovl_status lower_concat(ovl_build *b, const ovl_node *n, const int *in)
{
	const ovl_attr *a = ovl_attrs_find(n->op->attrs, "axis");
	ovl_attr_value axis_value;
	ovl_shape shape;
	ovl_desc out;
	ovl_form form = OVL_FORM_CL;
	int axis, whole, halves = 0, others = 0;
	int64_t at = 0;
	ovl_attr_get(a, n->params, &axis_value, b->err);
	ovl_pshape_to_shape(&n->out.at[0].shape, &shape);
	OVL_TRY(ovl_axis(axis_value.i, shape.rank, "axis", &axis, b->err));
	for (int i = 0; i < (int)n->in.n; i++) {
		const ovl_desc *d = &b->plan->values.at[in[i]].desc;
		int64_t ld;
		if (ovl_desc_count(d))
			*(b->plan->values.at[in[i]].half ? &halves : &others) += 1;
		if (ovl_desc_count(d) && b->plan->slots.at[b->plan->values.at[in[i]].slot].kind != OVL_SLOT_CONST && (!ovl_desc_is_cl(d, &ld) || (ovl_desc_is_dense(d) && d->dims[1] != 1)))
			form = OVL_FORM_DENSE;
	}
	out = ovl_desc_dense(halves && !others ? OVL_BF16 : n->out.at[0].type, shape.rank, shape.dims);
	out = with_form(&out, form);
	whole = arena_value(b, &out);
	if (whole < 0)
		return no_memory(b);
	b->plan->values.at[whole].half = halves && !others;
	b->node_values[n->index][0] = whole;
	for (int i = 0; i < (int)n->in.n; i++) {
		ovl_desc part = out;
		int v;
		part.dims[axis] = b->plan->values.at[in[i]].desc.dims[axis];
		v = ovl_build_value(b, b->plan->values.at[whole].slot, (size_t)(at * out.strides[axis]) * ovl_type_size(out.type), &part, false);
		if (v < 0)
			return no_memory(b);
		b->plan->values.at[v].half = halves && !others;
		at += part.dims[axis];
		b->viewed.at[whole]++;
		if (ovl_desc_count(&part))
			OVL_TRY(ovl_build_copy_step(b, in[i], v, n->name));
	}
	return OVL_OK;
}

/* The passes fuse only what fits; a stored graph may claim anything. */
static ovl_status check_posts(const ovl_build *b, const ovl_node *n, const frame *f)
{
	int64_t strides[OVL_MAX_RANK];
	for (size_t i = 0; i < n->posts.n; i++) {
		const ovl_post *p = &n->posts.at[i];
		if (p->input >= 0 && (p->input < f->p.n_op_in || f->p.in[p->input].type == OVL_DYNAMIC || !ovl_desc_broadcast_strides(&f->p.in[p->input], &f->p.out[0], strides)))
			return ovl_fail(b->err, OVL_E_SHAPE, "the operand of a fused operation does not fit its output");
	}
	return OVL_OK;
}

static ovl_status lower_op(ovl_build *b, const ovl_node *n, int *in)
{
	int n_in = (int)n->in.n, n_out = (int)n->out.n;
	bool late = !outputs_static(n) || (n->op->flags & OVL_OP_LATE);
	const ovl_kernel *k = NULL;
	frame f;
	ovl_status st;
	for (int i = 0; i < n_in; i++)
		late = late || (in[i] >= 0 && b->plan->values.at[in[i]].late);
	for (int i = 0; i < n_out; i++)
		late = late || n->out.at[i].type == OVL_STRING; /* strings own memory: never in the arena */
	if (late || n->bodies.n || (n->op->flags & (OVL_OP_STATEFUL | OVL_OP_SINK)) || has_owner(b, n, in, n_in))
		return reference_step(b, n, in, n_in, late);
	if (ovl_node_is(n, "Concat") && ovl_type_size(n->out.at[0].type) > 0 && n->posts.n == 0)
		return lower_concat(b, n, in);
	if (!frame_open(&f, b, n_in, n_out))
		return no_memory(b);
	f.p.op = n->op->name;
	f.p.params = n->params;
	f.p.n_op_in = ovl_node_own_inputs(n);
	for (int i = 0; i < n_out && i < 64; i++)
		f.p.unused |= (uint64_t)!n->out.at[i].users.n << i;
	f.p.posts = n->posts.at;
	f.p.n_posts = (int)n->posts.n;
	f.p.halves_read = ovl_build_halves_read(b, n);
	f.p.added = ovl_build_added(n);
	for (int i = 0; i < n_in; i++)
		frame_value(&f, b, i, in[i]);
	for (int i = 0; i < n_out; i++) {
		ovl_shape shape = {0};
		ovl_pshape_to_shape(&n->out.at[i].shape, &shape);
		f.p.out[i] = ovl_desc_dense(n->out.at[i].type, shape.rank, shape.dims);
	}
	st = check_posts(b, n, &f);
	k = st == OVL_OK ? choose(b, &f, n->name) : NULL;
	if (k && ovl_tuning_active(b->options->tuning)) {
		f.key = ovl_build_key(n, &f.p);
		find_rivals(b, &f, k);
	}
	if (st == OVL_OK)
		st = k ? kernel_step(b, n, &f, k, in) : reference_step(b, n, in, n_in, false);
	ovl_free(f.block);
	return st;
}

static bool outputs_known(const ovl_node *n)
{
	for (size_t i = 0; i < n->out.n; i++)
		if (n->out.at[i].users.n && !n->out.at[i].value)
			return false;
	return n->out.n > 0 && !(n->op->flags & (OVL_OP_SINK | OVL_OP_STATEFUL));
}

static ovl_status lower_parameter(ovl_build *b, ovl_node *n)
{
	ovl_shape shape = {0};
	ovl_desc d;
	int index = 0;
	while (b->graph->parameters.at[index] != n)
		index++;
	ovl_pshape_to_shape(&n->out.at[0].shape, &shape);
	d = ovl_desc_dense(n->out.at[0].type, shape.rank, shape.dims);
	b->node_values[n->index][0] = ovl_build_value(b, ovl_build_slot(b, OVL_SLOT_INPUT, ovl_desc_span(&d), index, NULL), 0, &d, false);
	return b->node_values[n->index][0] < 0 ? no_memory(b) : OVL_OK;
}

static ovl_status lower(ovl_build *b, ovl_node *n)
{
	int *in;
	bool done = false;
	ovl_status st = OVL_OK;
	if (ovl_node_is(n, "Parameter"))
		return lower_parameter(b, n);
	if (ovl_node_is(n, "Result") || outputs_known(n))
		return OVL_OK;
	in = ovl_alloc((n->in.n + 1) * sizeof *in);
	if (!in)
		return no_memory(b);
	for (size_t i = 0; st == OVL_OK && i < n->in.n; i++)
		st = value_of(b, n->in.at[i], &in[i]);
	if (st == OVL_OK && outputs_static(n) && n->posts.n == 0)
		st = ovl_build_view(b, n, &done);
	if (st == OVL_OK && !done)
		st = lower_op(b, n, in);
	ovl_free(in);
	if (st != OVL_OK)
		ovl_error_prefix(b->err, "node '%s'", n->name);
	return st;
}

/* ---- outputs ---- */

static bool producer_writes(const ovl_build *b, int value)
{
	for (size_t s = 0; s < b->plan->steps.n; s++)
		for (int i = 0; i < b->plan->steps.at[s].n_out; i++)
			if (b->plan->steps.at[s].out[i] == value)
				return true;
	return false;
}

/* The value may live in the request's tensor when it is a whole arena slot in dense form which a step writes. Values that view the same slot just follow. */
static bool can_be_output(const ovl_build *b, int value)
{
	const ovl_value_ref *v = &b->plan->values.at[value];
	const ovl_slot *s = &b->plan->slots.at[v->slot];
	return !v->late && !v->half && s->kind == OVL_SLOT_ARENA && v->offset == 0 && ovl_desc_is_dense(&v->desc) && s->size == ovl_desc_span(&v->desc) && producer_writes(b, value);
}

static int writer_of_slot(const ovl_build *b, int slot)
{
	for (size_t s = 0; s < b->plan->steps.n; s++)
		for (int i = 0; i < b->plan->steps.at[s].n_out; i++)
			if (b->plan->steps.at[s].out[i] >= 0 && b->plan->values.at[b->plan->steps.at[s].out[i]].slot == slot)
				return b->plan->steps.at[s].out[i];
	return -1;
}

static ovl_status place_output(ovl_build *b, int i, int value)
{
	ovl_plan *p = b->plan;
	ovl_value_ref v = p->values.at[value];
	int writer = v.late ? -1 : writer_of_slot(b, v.slot);
	int to;
	p->output_values[i] = value;
	p->output_types[i] = v.half ? OVL_F32 : v.desc.type;
	if (v.late)
		return OVL_OK;
	/* a reshaped view of a whole dense value is as good as the value */
	if (writer >= 0 && can_be_output(b, writer) && v.offset == 0 && ovl_desc_is_dense(&v.desc) && ovl_desc_count(&v.desc) == ovl_desc_count(&p->values.at[writer].desc)) {
		p->slots.at[v.slot].kind = OVL_SLOT_OUTPUT;
		p->slots.at[v.slot].index = i;
		p->output_direct[i] = true;
		return OVL_OK;
	}
	if (ovl_type_owns(v.desc.type) || ovl_type_packed(v.desc.type)) /* the executor copies such tensors as a whole */
		return OVL_OK;
	v.desc = ovl_desc_dense(p->output_types[i], v.desc.rank, v.desc.dims);
	to = ovl_build_value(b, ovl_build_slot(b, OVL_SLOT_OUTPUT, ovl_desc_span(&v.desc), i, NULL), 0, &v.desc, false);
	if (to < 0)
		return no_memory(b);
	p->output_values[i] = to;
	p->output_direct[i] = true;
	return ovl_desc_count(&v.desc) ? ovl_build_copy_step(b, value, to, "output") : OVL_OK;
}

/* ---- preparing ---- */

/* Scratch memory grows to what this step wants. */
static bool keep_scratch(ovl_plan *p, const ovl_prepared *prep, int threads)
{
	size_t rooms, room = prep->room ? (prep->room + 4095) / 4096 * 4096 + 64 : 0, shared = (prep->scratch + 63) / 64 * 64;
	if (prep->room > SIZE_MAX / 2 || prep->scratch > SIZE_MAX / 2)
		return false;
	if (shared > p->shared_size)
		p->shared_size = shared;
	if (room > p->room_size)
		p->room_size = room;
	return ovl_mul_ok(p->room_size, (size_t)(threads < 1 ? 1 : threads), &rooms) && ovl_add_ok(p->shared_size, rooms, &p->scratch_size);
}

static ovl_status draft_frame(ovl_build *b, const ovl_draft *d, const int *in, int n_in, const int *out, int n_out, frame *f)
{
	if (!frame_open(f, b, n_in, n_out))
		return no_memory(b);
	f->p.op = d->op;
	f->p.params = d->params;
	f->p.posts = d->posts;
	f->p.n_posts = d->n_posts;
	f->p.n_op_in = d->n_op_in;
	f->p.unused = d->unused;
	f->p.way = d->way;
	frame_reset(f, true);
	for (int i = 0; i < n_in; i++) {
		frame_value(f, b, i, in[i]);
		f->p.in_packed[i] = i < 64 && (d->packed >> i & 1);
	}
	for (int i = 0; i < n_out; i++)
		f->p.out[i] = b->plan->values.at[out[i]].desc;
	f->p.packs = sources_lasting(b, f) ? b->packs : NULL;
	return OVL_OK;
}

ovl_status ovl_build_problem(ovl_build *b, const ovl_draft *d, const int *in, int n_in, const int *out, int n_out, ovl_problem *p)
{
	frame f;
	OVL_TRY(draft_frame(b, d, in, n_in, out, n_out, &f));
	*p = f.p;
	return OVL_OK;
}

void ovl_build_problem_free(ovl_problem *p) { ovl_free(p->in); } /* where a frame's memory begins */

static ovl_status prepare_alone(ovl_build *b, const ovl_draft *d, ovl_step *s)
{
	frame f;
	ovl_status st = draft_frame(b, d, s->in, s->n_in, s->out, s->n_out, &f);
	if (st != OVL_OK)
		return st;
	if (!s->kernel)
		s->kernel = choose(b, &f, s->name); /* copies are chosen now, when their strides are final */
	if (!s->kernel)
		st = ovl_fail(b->err, OVL_E_UNSUPPORTED, "no kernel lays out %s values anew", ovl_type_name(f.p.in[0].type));
	if (st == OVL_OK)
		st = s->kernel->prepare(&f.p, &s->prep, b->err);
	ovl_free(f.block);
	return st;
}

static ovl_status prepare_draft(ovl_build *b, const ovl_draft *d)
{
	ovl_step *s = &b->plan->steps.at[d->step];
	ovl_status st = d->prepared ? OVL_OK : d->n_links ? ovl_build_chain(b, d, &s->prep) : prepare_alone(b, d, s);
	if (st == OVL_OK && !keep_scratch(b->plan, &s->prep, b->options->threads))
		st = ovl_fail(b->err, OVL_E_MEMORY, "the scratch memory is too large");
	if (st != OVL_OK)
		return ovl_error_prefix(b->err, "node '%s'", s->name);
	snprintf(s->exec_type, sizeof s->exec_type, "%s_%s%s%s", s->kernel->name, ovl_type_name(b->plan->values.at[s->out[0]].desc.type),
		s->prep.detail[0] ? "_" : "", s->prep.detail);
	for (int i = 0; i < s->n_in; i++)
		if (i < 64 && (d->packed >> i & 1))
			s->in[i] = -1;
	return OVL_OK;
}

void ovl_build_release_constant(ovl_build *b, ovl_slot *s)
{
	ovl_tensor *t = s->constant;
	bool lasting = t && ovl_program_owns_constant(b->program, t->data); /* the program's graph still has it */
	s->constant = NULL;
	ovl_tensor_release(t);
	if (lasting)
		ovl_program_drop(b->program, b->graph, t);
}

/* Constants that every reader has packed are not needed any more. */
static void drop_packed_constants(ovl_build *b)
{
	ovl_plan *p = b->plan;
	bool *used = ovl_calloc(p->slots.n + 1, sizeof *used);
	if (!used)
		return;
	for (size_t s = 0; s < p->steps.n; s++)
		for (int i = 0; i < p->steps.at[s].n_in; i++)
			if (p->steps.at[s].in[i] >= 0)
				used[p->values.at[p->steps.at[s].in[i]].slot] = true;
	for (int i = 0; i < p->n_outputs; i++)
		used[p->values.at[p->output_values[i]].slot] = true;
	for (size_t i = 0; i < p->slots.n; i++)
		if (!used[i] && p->slots.at[i].kind == OVL_SLOT_CONST)
			ovl_build_release_constant(b, &p->slots.at[i]);
	ovl_free(used);
}

/* ---- all together ---- */

static ovl_status specialise(const ovl_graph *g, const ovl_shape *inputs, ovl_graph **out, ovl_error *err)
{
	ovl_graph *c;
	ovl_status st;
	OVL_TRY(ovl_graph_clone(g, &c, err));
	for (size_t i = 0; i < c->parameters.n; i++)
		((ovl_parameter_params *)c->parameters.at[i]->params)->shape = ovl_pshape_static(&inputs[i]);
	st = ovl_graph_infer(c, err);
	if (st == OVL_OK)
		st = ovl_passes_run(c, err);
	if (st == OVL_OK)
		st = ovl_graph_sort(c, err);
	if (st != OVL_OK)
		ovl_graph_free(c);
	else
		*out = c;
	return st;
}

static ovl_status open_tables(ovl_build *b, const ovl_shape *inputs)
{
	const ovl_graph *g = b->graph;
	ovl_plan *p = b->plan;
	size_t ports = 0;
	int *store;
	p->n_inputs = (int)g->parameters.n;
	p->n_outputs = (int)g->results.n;
	p->input_shapes = ovl_memdup(inputs, (g->parameters.n + 1) * sizeof *inputs);
	p->output_values = ovl_calloc(g->results.n + 1, sizeof(int));
	p->output_direct = ovl_calloc(g->results.n + 1, sizeof(bool));
	p->output_types = ovl_calloc(g->results.n + 1, sizeof(ovl_type));
	for (size_t i = 0; i < g->nodes.n; i++)
		ports += g->nodes.at[i]->out.n;
	b->node_values = ovl_alloc((g->nodes.n + 1) * sizeof *b->node_values + (ports + 1) * sizeof(int));
	if (!p->input_shapes || !p->output_values || !p->output_direct || !p->output_types || !b->node_values)
		return no_memory(b);
	store = (int *)(void *)(b->node_values + g->nodes.n + 1);
	memset(store, 0xff, ports * sizeof *store);
	for (size_t i = 0; i < g->nodes.n; i++) {
		b->node_values[i] = store;
		store += g->nodes.at[i]->out.n;
	}
	return OVL_OK;
}

static ovl_status build_all(ovl_build *b, const ovl_shape *inputs)
{
	ovl_graph *g = b->graph;
	OVL_TRY(open_tables(b, inputs));
	for (size_t i = 0; i < g->nodes.n; i++)
		OVL_TRY(lower(b, g->nodes.at[i]));
	for (size_t i = 0; i < g->results.n; i++) {
		int v;
		OVL_TRY(value_of(b, g->results.at[i]->in.at[0], &v));
		OVL_TRY(place_output(b, (int)i, v));
	}
	OVL_TRY(ovl_build_memory(b));
	ovl_build_answers(b);
	ovl_build_bytes(b);
	OVL_TRY(ovl_build_pack(b));
	for (size_t i = 0; i < b->drafts.n; i++)
		OVL_TRY(prepare_draft(b, &b->drafts.at[i]));
	drop_packed_constants(b);
	return OVL_OK;
}

ovl_status ovl_plan_build(ovl_program *program, const ovl_graph *g, const ovl_shape *inputs, ovl_packs *packs, ovl_plan **out, ovl_error *err)
{
	ovl_build b = {.program = program, .options = ovl_program_options(program), .packs = packs, .err = err};
	ovl_status st = specialise(g, inputs, &b.graph, err);
	if (st != OVL_OK)
		return st;
	b.plan = ovl_calloc(1, sizeof *b.plan);
	if (!b.plan)
		st = no_memory(&b);
	else {
		b.plan->refs = 1;
		b.plan->program = program;
		st = build_all(&b, inputs);
	}
	ovl_graph_free(b.graph);
	ovl_free(b.node_values);
	for (size_t i = 0; i < b.drafts.n; i++)
		ovl_build_draft_free(&b.drafts.at[i]);
	ovl_vec_free(&b.drafts);
	ovl_vec_free(&b.copy_of);
	ovl_vec_free(&b.copy_next);
	ovl_vec_free(&b.viewed);
	if (st != OVL_OK)
		ovl_plan_release(b.plan);
	else
		*out = b.plan;
	return st;
}
