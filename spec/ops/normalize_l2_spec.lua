local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("normalize_l2", {
  { "eps add", function(op, a, b) return op.normalize_l2(a, b, 0.5, "add") end, { { "f32", { 1, 2, 3, 1 }, { 0.4, -1.1, 0.8, -1.5, 0.7, 0.6 } },
    { "i64", { 1 }, { 1 } } }, { { "f32", { 1, 2, 3, 1 }, { 0.2344842, -0.7416199, 0.6531973, -0.8793156, 0.4719399, 0.489898 } } } },
  { "eps max", function(op, a, b) return op.normalize_l2(a, b, 0.5, "max") end, { { "f32", { 1, 2, 3, 1 }, { -2, 0, 0.9, 1, 0.8, 1.5 } }, { "i64",
    { 1 }, { 1 } } }, { { "f32", { 1, 2, 3, 1 }, { -0.8944272, 0, 0.5144957, 0.4472136, 1, 0.8574929 } } } },
  { "no axes", function(op, a, b) return op.normalize_l2(a, b, 0.5, "add") end, { { "f32", { 1, 3 }, { 1, 0, -2 } }, { "i64", { 0 }, {  } } },
    { { "f32", { 1, 3 }, { 1, 0, 1 } } }, dynamic = false },
  { "grn", function(op, a) return ov.opset1.grn(a, 0.3) end, { { "f32", { 1, 3, 2, 1 }, { 1, 1.7, -0.3, -1.9, -1.3, -0.8 } } }, { { "f32", { 1, 3,
    2, 1 }, { 0.5698029, 0.6232502, -0.1709409, -0.6965738, -0.7407438, -0.2932942 } } } },
})
