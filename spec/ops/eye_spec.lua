local cases = require("spec.support.op_cases")

cases("eye", {
  { "a matrix", function(op, n) return op.eye(n, 3, 0, "f32") end, { { "i64", {}, { 2 } } }, { { "f32", { 2, 3 }, { 1, 0, 0, 0, 1, 0 } } },
    dynamic = false },
  { "above and below the diagonal", function(op, n) return { op.eye(n, 3, 1, "i32"), op.eye(n, 3, -1, "u8") } end, { { "i64", {}, { 3 } } },
    { { "i32", { 3, 3 }, { 0, 1, 0, 0, 0, 1, 0, 0, 0 } }, { "u8", { 3, 3 }, { 0, 0, 0, 1, 0, 0, 0, 1, 0 } } }, dynamic = false },
  { "a batch", function(op, n) return op.eye(n, 2, 0, "f16", { 2 }) end, { { "i64", {}, { 2 } } },
    { { "f16", { 2, 2, 2 }, { 1, 0, 0, 1, 1, 0, 0, 1 } } }, dynamic = false },
  { "off the matrix", function(op, n) return op.eye(n, 2, 5, "f32") end, { { "i64", {}, { 2 } } }, { { "f32", { 2, 2 }, { 0, 0, 0, 0 } } },
    dynamic = false },
  { "fewer than no rows", function(op, n) return op.eye(n, 2, 0, "f32") end, { { "i64", {}, { -1 } } }, fails = "argument" },
})
