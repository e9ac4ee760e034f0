/* support_body.h - what If, Loop and TensorIterator share: feeding bodies, collecting what they give. */
#ifndef OVL_OPS_SUPPORT_BODY_H
#define OVL_OPS_SUPPORT_BODY_H

#include "graph/graph.h"
#include "graph/infer.h"
#include "ops/support_work.h"

/* What inference knows about a list of values. */
typedef struct ovl_known {
	int n;
	ovl_type *types;
	ovl_pshape *shapes;
	ovl_tensor **values; /* owned references, or NULL */
} ovl_known;
ovl_status ovl_known_new(ovl_infer *in, size_t n, ovl_known *out);
void ovl_known_free(ovl_known *k);

/* The map entry that feeds parameter p of the body; NULL: none. Entries are checked against the numbers of inputs and parameters by ovl_body_check.
 */
const ovl_body_in *ovl_body_feed(const ovl_body *body, int parameter);
ovl_status ovl_body_check(const ovl_body *body, int n_in, int n_out, const char *op, ovl_error *err);
int ovl_body_outputs(const ovl_body *body); /* outputs of the node that the body speaks of */
/* The shape both fit in. */
ovl_pshape ovl_pshape_either(const ovl_pshape *a, const ovl_pshape *b);

#endif
