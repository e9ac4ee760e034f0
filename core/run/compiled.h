/* compiled.h - a compiled model: a program, its streams, its ports and variables. Shared by requests through reference counts. */
#ifndef OVL_RUN_COMPILED_H
#define OVL_RUN_COMPILED_H

#include "run/config.h"
#include "run/engine.h"
#include "run/port.h"

typedef struct ovl_variable {
	char *id;
	ovl_type type;
	ovl_pshape shape;
} ovl_variable;

typedef struct ovl_compiled {
	int refs; /* atomic */
	char *name;
	ovl_config config;
	ovl_packs *packs;
	struct ovl_tuning *tuning; /* choices by measurement; NULL without TUNE */
	bool tuned; /* they were made, by this process or an earlier one */
	ovl_program *program;
	ovl_engine *engine;
	ovl_port *ports[2]; /* inputs, outputs */
	size_t n_ports[2];
	ovl_variable *variables;
	size_t n_variables;
	void (*free_ports)(ovl_port *ports, size_t n);
	/* Called once, after the first plan for shapes that were open: with it the weights are packed and can be stored. Atomic; NULL: nobody waits for that. */
	void (*planned)(struct ovl_compiled *c);
	void *cache; /* of the API layer: where to store it; ended by free_cache */
	void (*free_cache)(void *cache);
} ovl_compiled;

void ovl_compiled_clear(ovl_compiled *c); /* all but its configuration: as if it had just been opened */
void ovl_compiled_destroy(ovl_compiled *c); /* of a partly made one as well */

#endif
