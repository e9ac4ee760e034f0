local cases = require("spec.support.op_cases")

cases("binary_convolution", {
  { "counts equal bits", function(op, a, b) return op.binary_convolution(a, b, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, "xnor-popcount", 0) end,
    { { "f32", { 1, 1, 2, 2 }, { 1, 0, 1, 1 } }, { "u1", { 1, 1, 3, 3 }, { 1, 0, 1, 0, 1, 0, 1, 1, 1 } } }, { { "f32", { 1, 1, 2, 2 }, { 3, -1,
    -5, -1 } } } },
})
