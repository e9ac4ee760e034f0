/* support_pool.h - shape inference of the pooling operators. */
#ifndef OVL_OPS_SUPPORT_POOL_H
#define OVL_OPS_SUPPORT_POOL_H

#include "graph/infer.h"
#include "ops/pool.h"

ovl_status ovl_pooling_infer(ovl_infer *in); /* output 0 */

#endif
