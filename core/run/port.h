/* port.h - an input or output of a model, as requests and scripts see it: a snapshot of names, type and shape. */
#ifndef OVL_RUN_PORT_H
#define OVL_RUN_PORT_H

#include "tensor/tensor.h"

struct ovl_node;

typedef struct ovl_port {
	char **names; /* sorted */
	size_t n_names;
	ovl_type type;
	ovl_pshape shape;
	char *layout; /* "NCHW" or NULL */
	int batch; /* position of N in the layout; 0 without a layout */
	size_t index; /* among the node's outputs */
	struct ovl_node *node; /* the Parameter or Result: opaque here; owned by whoever made the port */
} ovl_port;

#endif
