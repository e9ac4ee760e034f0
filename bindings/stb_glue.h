/* stb_glue.h - how this module sets up stb_image: its symbols are its own, failures say why, sizes are limited. */
#ifndef LOVL_STB_GLUE_H
#define LOVL_STB_GLUE_H

#define STBI_MAX_DIMENSIONS 65536
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_NO_PSD
#define STBI_NO_PIC
#define STBI_NO_TGA
#define STBI_FAILURE_USERMSG
#define STBIWDEF __attribute__((visibility("hidden"))) extern
#define STBIDEF __attribute__((visibility("hidden"))) extern

#endif
