/* cpu.h - what the processor can do, and how many of them we may use. */
#ifndef OVL_BASE_CPU_H
#define OVL_BASE_CPU_H

/* Levels, each including the ones before. OVLITE_ISA=<name> caps the level (read once). */
#define OVL_ISA_MAP(X)                 \
	X(OVL_ISA_SCALAR, "scalar")    \
	X(OVL_ISA_AVX2, "avx2")        \
	X(OVL_ISA_AVX512, "avx512")    \
	X(OVL_ISA_AVX512_VNNI, "avx512_vnni") \
	X(OVL_ISA_AVX512_BF16, "avx512_bf16")

#define OVL_ISA_ENUM(code, name) code,
typedef enum ovl_isa { OVL_ISA_MAP(OVL_ISA_ENUM) OVL_ISA_COUNT } ovl_isa;
#undef OVL_ISA_ENUM

ovl_isa ovl_cpu_isa(void); /* the level in force: what the CPU has, capped by OVLITE_ISA */
const char *ovl_isa_name(ovl_isa isa);
int ovl_cpu_threads(void); /* min(affinity mask, cgroup quota rounded up), at least 1 */
const char *ovl_cpu_name(void); /* brand string, for "Core:get_property('CPU', 'FULL_DEVICE_NAME')" */

#endif
