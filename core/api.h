/* api.h - what the files of the public API share: how handles wrap graphs. */
#ifndef OVL_API_INTERNAL_H
#define OVL_API_INTERNAL_H

#include "graph/graph.h"
#include "ovlite.h"
#include "run/compiled.h"

struct ovl_model {
	int refs; /* atomic */
	ovl_graph *graph;
	ovl_port *ports[2]; /* refreshed in place when the model changes, with room for added outputs, so that addresses stay */
	size_t n_ports[2];
	size_t output_room;
};

ovl_status ovl_model_wrap(ovl_graph *g, ovl_model **out, ovl_error *err); /* takes the graph over, also when it fails */
/* Ports of a graph, in a block with room for `spare` more. With `detached` their nodes are copies that keep no weights. */
ovl_status ovl_ports_make(const ovl_graph *g, ovl_side side, size_t spare, bool detached, ovl_port **out, size_t *n, ovl_error *err);
void ovl_ports_free(ovl_port *ports, size_t n);
bool ovl_value_of_property(char kind, const char *text, ovl_value *out);

#endif
