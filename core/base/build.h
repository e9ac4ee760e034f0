/* build.h - which build of the library this is: what one build has packed means nothing to another. */
#ifndef OVL_BASE_BUILD_H
#define OVL_BASE_BUILD_H

#include "base/hash.h"

ovl_hash ovl_build_id(void); /* of the linker's build id; the same for every load of the same file */

#endif
