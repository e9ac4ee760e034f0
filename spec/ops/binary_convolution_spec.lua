local cases = require("spec.support.op_cases")

-- The bits of the filter read the same from both ends of a byte: u1 tensors have their first element highest, this operator (as OpenVINO's CPU) lowest.
cases("binary_convolution", {
  { "counts equal bits, none outside where pad_value is 0", function(op, a, b) return op.binary_convolution(a, b, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, "xnor-popcount", 0) end,
    { { "f32", { 1, 1, 2, 2 }, { 1, 0, 1, 1 } }, { "u1", { 1, 1, 3, 3 }, { 1, 0, 1, 0, 0, 1, 0, 1, 0 } } }, { { "f32", { 1, 1, 2, 2 },
    { -2, 0, -2, 0 } } } },
})
