/* image_format.h - the numbers that writer and reader of images share. */
#ifndef OVL_GRAPH_IMAGE_FORMAT_H
#define OVL_GRAPH_IMAGE_FORMAT_H

#define OVL_IMAGE_MAGIC "OVLIMAGE"
enum { OVL_IMAGE_FORMAT = 1, OVL_IMAGE_HEAD = 8 + 4 * 8 + 16, OVL_IMAGE_ROW = 32 };

#endif
