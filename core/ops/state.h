/* state.h - attributes of ReadValue and Assign. */
#ifndef OVL_OPS_STATE_H
#define OVL_OPS_STATE_H

#include "graph/attr.h"

typedef struct ovl_state_params {
	char *variable_id;
	ovl_type variable_type;    /* since opset 6; OVL_DYNAMIC: not told */
	ovl_pshape variable_shape; /* since opset 6 */
} ovl_state_params;

#endif
