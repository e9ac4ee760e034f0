/* ports.c - inputs and outputs of a model by position, name or port. */
#include "lovl.h"
#include <stdio.h>

static size_t model_count(const void *m, ovl_side side) { return ovl_model_ports(m, side); }
static const ovl_port *model_at(const void *m, ovl_side side, size_t i) { return ovl_model_port(m, side, i); }
static size_t compiled_count(const void *c, ovl_side side) { return ovl_compiled_ports(c, side); }
static const ovl_port *compiled_at(const void *c, ovl_side side, size_t i) { return ovl_compiled_port(c, side, i); }

lovl_ports lovl_ports_of_model(const lovl_object *o) { return (lovl_ports){o, model_count, model_at}; }
lovl_ports lovl_ports_of_compiled(const lovl_object *o) { return (lovl_ports){o, compiled_count, compiled_at}; }

const char *lovl_port_text(const ovl_port *p, char *buf, size_t size)
{
	char shape[256];
	ovl_pshape s;
	ovl_port_shape(p, &s);
	snprintf(buf, size, "'%s' %s %s", ovl_port_names(p) ? ovl_port_name(p, 0) : "", ovl_type_name(ovl_port_type(p)), ovl_pshape_text(&s, shape, sizeof shape));
	return buf;
}

const char *lovl_ports_list(const lovl_ports *p, ovl_side side, char *buf, size_t size)
{
	size_t n = lovl_ports_count(p, side), used = 0;
	char text[512];
	snprintf(buf, size, "none");
	for (size_t i = 0; i < n && used + 4 < size; i++) {
		int wrote = snprintf(buf + used, size - used, "%s%zu %s", i ? ", " : "", i + 1, lovl_port_text(lovl_ports_at(p, side, i), text, sizeof text));
		used += wrote > 0 ? (size_t)wrote : 0;
	}
	return buf;
}

static bool has_name(const ovl_port *p, const char *name)
{
	for (size_t i = 0; i < ovl_port_names(p); i++)
		if (strcmp(ovl_port_name(p, i), name) == 0)
			return true;
	return false;
}

static bool find_name(const lovl_ports *p, int sides, const char *name, ovl_side *side, size_t *i)
{
	for (int s = 0; s < 2; s++) {
		ovl_side here = s ? OVL_OUTPUT : OVL_INPUT;
		if (!(sides & (s ? LOVL_OUTPUTS : LOVL_INPUTS)))
			continue;
		for (size_t k = 0; k < lovl_ports_count(p, here); k++) {
			if (has_name(lovl_ports_at(p, here, k), name)) {
				*side = here;
				*i = k;
				return true;
			}
		}
	}
	return false;
}

/* The port itself; a port of another model (the source model, another compilation) stands for the one that shares a name with it. */
static bool find_port(const lovl_ports *p, int sides, const ovl_port *port, ovl_side *side, size_t *i)
{
	for (int s = 0; s < 2; s++) {
		ovl_side here = s ? OVL_OUTPUT : OVL_INPUT;
		for (size_t k = 0; (sides & (s ? LOVL_OUTPUTS : LOVL_INPUTS)) && k < lovl_ports_count(p, here); k++) {
			if (lovl_ports_at(p, here, k) == port) {
				*side = here;
				*i = k;
				return true;
			}
		}
	}
	for (size_t k = 0; k < ovl_port_names(port); k++)
		if (find_name(p, sides, ovl_port_name(port, k), side, i))
			return true;
	return false;
}

static ovl_status not_found(const lovl_ports *p, int sides, const char *what, ovl_error *err)
{
	char in[400], out[400];
	if (sides == LOVL_INPUTS)
		return ovl_fail(err, OVL_E_NOT_FOUND, "%s is no input; the inputs are: %s", what, lovl_ports_list(p, OVL_INPUT, in, sizeof in));
	if (sides == LOVL_OUTPUTS)
		return ovl_fail(err, OVL_E_NOT_FOUND, "%s is no output; the outputs are: %s", what, lovl_ports_list(p, OVL_OUTPUT, out, sizeof out));
	return ovl_fail(err, OVL_E_NOT_FOUND, "%s is no input or output; inputs: %s; outputs: %s", what, lovl_ports_list(p, OVL_INPUT, in, sizeof in),
			lovl_ports_list(p, OVL_OUTPUT, out, sizeof out));
}

ovl_status lovl_ports_find(lua_State *L, const lovl_ports *p, int sides, int at, ovl_side *side, size_t *i, ovl_error *err)
{
	char what[160], text[128];
	const lovl_object *o;
	ovl_source_ref source;
	if (lua_type(L, at) == LUA_TSTRING) {
		if (find_name(p, sides, lua_tostring(L, at), side, i))
			return OVL_OK;
		snprintf(what, sizeof what, "'%s'", lua_tostring(L, at));
		return not_found(p, sides, what, err);
	}
	o = lovl_to(L, at, &lovl_port);
	if (o && !o->c)
		return ovl_fail(err, OVL_E_ARGUMENT, "this Port is closed");
	if (o) {
		if (find_port(p, sides, lovl_port_of(o), side, i))
			return OVL_OK;
		snprintf(what, sizeof what, "port %s", lovl_port_text(lovl_port_of(o), text, sizeof text));
		return not_found(p, sides, what, err);
	}
	if (lovl_to(L, at, &lovl_output) && lovl_source_at(L, at, &source)) { /* an output of a node of the builder */
		for (size_t k = 0; k < ovl_node_output_names(source.node, (size_t)source.port); k++)
			if (find_name(p, sides, ovl_node_output_name(source.node, (size_t)source.port, k), side, i))
				return OVL_OK;
		return not_found(p, sides, "this node's output", err);
	}
	return ovl_fail(err, OVL_E_TYPE, "expected a name or a port, got %s", lovl_typename(L, at));
}

ovl_status lovl_ports_key(lua_State *L, const lovl_ports *p, int sides, ovl_side main_side, int at, ovl_side *side, size_t *i, ovl_error *err)
{
	int64_t position;
	char list[600];
	if (lua_type(L, at) != LUA_TNUMBER)
		return lovl_ports_find(L, p, sides, at, side, i, err);
	OVL_TRY(lovl_position(L, at, INT64_MAX, main_side == OVL_INPUT ? "input" : "output", &position, err));
	if ((uint64_t)position >= lovl_ports_count(p, main_side))
		return ovl_fail(err, OVL_E_NOT_FOUND, "there is no %s %lld; there are: %s", main_side == OVL_INPUT ? "input" : "output", (long long)position + 1,
				lovl_ports_list(p, main_side, list, sizeof list));
	*side = main_side;
	*i = (size_t)position;
	return OVL_OK;
}

int lovl_push_ports(lua_State *L, const lovl_ports *p, ovl_side side)
{
	size_t n = lovl_ports_count(p, side);
	lua_createtable(L, (int)n, 0);
	for (size_t i = 0; i < n; i++) {
		lovl_push_port(L, lovl_ports_at(p, side, i), p->owner);
		lua_rawseti(L, -2, (int)i + 1);
	}
	return 1;
}

int lovl_push_one_port(lua_State *L, const lovl_ports *p, ovl_side side, int at)
{
	ovl_error err;
	ovl_side found = side;
	size_t i = 0, n = lovl_ports_count(p, side);
	char list[600];
	if (!lua_isnoneornil(L, at))
		lovl_try(L, lovl_ports_key(L, p, side == OVL_INPUT ? LOVL_INPUTS : LOVL_OUTPUTS, side, at, &found, &i, &err), &err);
	else if (n != 1)
		lovl_error(L, OVL_E_ARGUMENT, "there are %zu %s, so say which: %s", n, side == OVL_INPUT ? "inputs" : "outputs", lovl_ports_list(p, side, list, sizeof list));
	lovl_push_port(L, lovl_ports_at(p, side, i), p->owner);
	return 1;
}
