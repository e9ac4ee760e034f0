local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op15 = ov.opset15

cases("bitwise", {
  { "bitwise_and", function(op, a, b) return op.bitwise_and(a, b) end, { { "i32", { 4 }, { 12, -7, 0, 85 } }, { "i32", { 4 }, { 10, 3, -1, 15 } } },
    { { "i32", { 4 }, { 8, 1, 0, 5 } } } },
  { "bitwise_or", function(op, a, b) return op.bitwise_or(a, b) end, { { "i32", { 4 }, { 12, -7, 0, 85 } }, { "i32", { 4 }, { 10, 3, -1, 15 } } },
    { { "i32", { 4 }, { 14, -5, -1, 95 } } } },
  { "bitwise_xor", function(op, a, b) return op.bitwise_xor(a, b) end, { { "i32", { 4 }, { 12, -7, 0, 85 } }, { "i32", { 4 }, { 10, 3, -1, 15 } } },
    { { "i32", { 4 }, { 6, -6, -1, 90 } } } },
  { "bitwise_not", function(op, a) return op.bitwise_not(a) end, { { "i32", { 4 }, { 12, -7, 0, 85 } } }, { { "i32", { 4 }, { -13, 6, -1, -86 } } } },
  { "bitwise_not of booleans", function(op, a) return op.bitwise_not(a) end, { { "boolean", { 2 }, { true, false } } },
    { { "boolean", { 2 }, { false, true } } } },
  { "booleans", function(op, a, b) return op.bitwise_xor(a, b) end, { { "boolean", { 2 }, { true, false } }, { "boolean", { 2 }, { true, true } } },
    { { "boolean", { 2 }, { false, true } } } },
  { "left shift", function(_, a, b) return op15.bitwise_left_shift(a, b) end, { { "u8", { 3 }, { 1, 3, 255 } }, { "u8", { 3 }, { 7, 2, 9 } } },
    { { "u8", { 3 }, { 128, 12, 0 } } } },
  { "right shift keeps the sign", function(_, a, b) return op15.bitwise_right_shift(a, b) end,
    { { "i32", { 2 }, { -16, 16 } }, { "i32", { 2 }, { 2, 40 } } }, { { "i32", { 2 }, { -4, 0 } } } },
  { "negative shift", function(_, a, b) return op15.bitwise_left_shift(a, b) end, { { "i32", { 1 }, { 1 } }, { "i32", { 1 }, { -1 } } },
    fails = "argument" },
  { "no floats", function(op, a) return op.bitwise_and(a, a) end, { { "f32", { 1 }, { 1 } } }, fails = "type" },
})
