local cases = require("spec.support.op_cases")

cases("is_finite", {
  { "is_finite", function(op, x) return op.is_finite(x) end, { { "f32", { 5 }, { 0, -1, math.huge, -math.huge, 0 / 0 } } },
    { { "boolean", { 5 }, { true, true, false, false, false } } } },
  { "is_nan", function(op, x) return op.is_nan(x) end, { { "f32", { 5 }, { 0, -1, math.huge, -math.huge, 0 / 0 } } },
    { { "boolean", { 5 }, { false, false, false, false, true } } } },
  { "is_inf", function(op, x) return op.is_inf(x) end, { { "f32", { 5 }, { 0, -1, math.huge, -math.huge, 0 / 0 } } },
    { { "boolean", { 5 }, { false, false, true, true, false } } } },
  { "is_inf, one side", function(op, x) return op.is_inf(x, { detect_negative = false }) end,
    { { "f32", { 5 }, { 0, -1, math.huge, -math.huge, 0 / 0 } } }, { { "boolean", { 5 }, { false, false, true, false, false } } } },
  { "f16", function(op, x) return op.is_inf(x) end, { { "f16", { 5 }, { 0, -1, math.huge, -math.huge, 0 / 0 } } },
    { { "boolean", { 5 }, { false, false, true, true, false } } } },
  { "floats only", function(op, x) return op.is_nan(x) end, { { "i32", { 1 }, { 1 } } }, fails = "type" },
})
