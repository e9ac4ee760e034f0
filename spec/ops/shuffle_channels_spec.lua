local cases = require("spec.support.op_cases")

cases("shuffle_channels", {
  { "groups", function(op, x) return op.shuffle_channels(x, 1, 2) end, { { "f32", { 1, 6 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 1, 6 }, { 1, 4, 2, 5, 3, 6 } } } },
  { "an axis from the end", function(op, x) return op.shuffle_channels(x, -2, 3) end, { { "u8", { 1, 3, 1 }, { 1, 2, 3 } } },
    { { "u8", { 1, 3, 1 }, { 1, 2, 3 } } } },
  { "images", function(op, x) return op.shuffle_channels(x, 1, 2) end, { cases.random("f32", { 2, 34, 3, 5 }) } },
  { "no multiple", function(op, x) return op.shuffle_channels(x, 1, 4) end, { { "f32", { 1, 3 }, { 1, 2, 3 } } }, fails = "shape" },
  { "no groups", function(op, x) return op.shuffle_channels(x, 1, 0) end, { { "f32", { 1, 3 }, { 1, 2, 3 } } }, fails = "argument" },
})
