/* The public C API: what the registry knows of an operator beside its attributes. */
#include "api.h"

#include "kernels/kernel.h"

const char *ovl_op_kernel(const ovl_op *op, size_t i)
{
	const ovl_kernel *k = ovl_kernel_at(op->name, OVL_ISA_COUNT - 1, i);
	return k ? k->name : NULL;
}

bool ovl_op_in_files(const ovl_op *op) { return !(op->flags & OVL_OP_INTERNAL); }

static ovl_status add_parameter(ovl_graph *g, ovl_node *n, ovl_type type, ovl_error *err)
{
	ovl_node *p;
	ovl_parameter_params *params;
	OVL_TRY(ovl_graph_op(g, "Parameter", "x", NULL, 0, &p, err));
	params = p->params;
	params->element_type = type;
	params->shape = ovl_pshape_any();
	OVL_TRY(ovl_node_infer(p, err));
	return ovl_node_add_input(n, (ovl_end){p, 0}, err);
}

/* Asks shape inference: of inputs whose shapes and other types are open, only the type can be refused as a type. */
bool ovl_op_takes(const ovl_op *op, ovl_type type)
{
	ovl_graph *g = ovl_graph_new("probe");
	ovl_node *n = NULL;
	ovl_error err;
	int inputs = op->min_inputs > 0 ? op->min_inputs : 1;
	ovl_status st = g ? ovl_node_new(op, op->since, "probe", &n, &err) : OVL_E_MEMORY;
	for (int i = 0; i < inputs && st == OVL_OK && op->max_inputs != 0; i++)
		st = add_parameter(g, n, i ? OVL_DYNAMIC : type, &err);
	if (st == OVL_OK && op->max_inputs != 0)
		st = ovl_node_infer(n, &err);
	ovl_node_release(n);
	ovl_graph_free(g);
	return op->max_inputs != 0 && st != OVL_E_TYPE && st != OVL_E_MEMORY;
}
