local cases = require("spec.support.op_cases")

cases("unique", {
  { "sorted", function(op, x) local y = op.unique(x); return { y:output(1), y:output(2), y:output(3), y:output(4) } end,
    { { "f32", { 2, 2 }, { 3, 1, 2, 1 } } },
    { { "f32", { 3 }, { 1, 2, 3 } }, { "i64", { 3 }, { 1, 2, 0 } }, { "i64", { 4 }, { 2, 0, 1, 0 } }, { "i64", { 3 }, { 2, 1, 1 } } } },
  { "as they come", function(op, x) local y = op.unique(x, nil, false, "i32", "i32");
      return { y:output(1), y:output(2), y:output(3), y:output(4) } end,
    { { "i32", { 4 }, { 3, 1, 2, 1 } } },
    { { "i32", { 3 }, { 3, 1, 2 } }, { "i32", { 3 }, { 0, 1, 2 } }, { "i32", { 4 }, { 0, 1, 2, 1 } }, { "i32", { 3 }, { 1, 2, 1 } } } },
  { "rows", function(op, x) local y = op.unique(x, 0); return { y:output(1), y:output(2), y:output(3), y:output(4) } end,
    { { "f32", { 3, 2 }, { 1, 2, 0, 1, 1, 2 } } },
    { { "f32", { 2, 2 }, { 0, 1, 1, 2 } }, { "i64", { 2 }, { 1, 0 } }, { "i64", { 3 }, { 1, 0, 1 } }, { "i64", { 2 }, { 1, 2 } } } },
  { "columns as they come", function(op, x) return op.unique(x, 1, false):output(1) end, { { "f32", { 2, 3 }, { 2, 1, 2, 0, 1, 0 } } },
    { { "f32", { 2, 2 }, { 2, 1, 0, 1 } } } },
  { "strings", function(op, x) return op.unique(x):output(1) end, { { "string", { 3 }, { "b", "a", "b" } } }, { { "string", { 2 }, { "a", "b" } } } },
  { "no such axis", function(op, x) return op.unique(x, 1) end, { { "f32", { 1 }, { 1 } } }, fails = "argument" },
})
