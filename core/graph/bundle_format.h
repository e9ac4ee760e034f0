/* bundle_format.h - the numbers that writer and reader of bundles share. */
#ifndef OVL_GRAPH_BUNDLE_FORMAT_H
#define OVL_GRAPH_BUNDLE_FORMAT_H

#define OVL_BUNDLE_MAGIC "OVLBUNDL"
enum { OVL_BUNDLE_FORMAT = 2, OVL_BUNDLE_HEAD = 8 + 4 * 8 + 16, OVL_BUNDLE_ROW = 32 };

#endif
