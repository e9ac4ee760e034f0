local cases = require("spec.support.op_cases")

cases("logical", {
  { "logical_and", function(op, a, b) return op.logical_and(a, b) end,
    { { "boolean", { 4 }, { true, true, false, false } }, { "boolean", { 4 }, { true, false, true, false } } },
    { { "boolean", { 4 }, { true, false, false, false } } } },
  { "logical_or", function(op, a, b) return op.logical_or(a, b) end,
    { { "boolean", { 4 }, { true, true, false, false } }, { "boolean", { 4 }, { true, false, true, false } } },
    { { "boolean", { 4 }, { true, true, true, false } } } },
  { "logical_xor", function(op, a, b) return op.logical_xor(a, b) end,
    { { "boolean", { 4 }, { true, true, false, false } }, { "boolean", { 4 }, { true, false, true, false } } },
    { { "boolean", { 4 }, { false, true, true, false } } } },
  { "logical_not", function(op, a) return op.logical_not(a) end, { { "boolean", { 4 }, { true, true, false, false } } },
    { { "boolean", { 4 }, { false, false, true, true } } } },
  { "broadcast", function(op, a, b) return op.logical_and(a, b) end,
    { { "boolean", { 2, 2 }, { true, true, false, false } }, { "boolean", { 2 }, { true, false } } },
    { { "boolean", { 2, 2 }, { true, false, false, false } } } },
  { "booleans only", function(op, a) return op.logical_and(a, a) end, { { "f32", { 1 }, { 1 } } }, fails = "type" },
})
