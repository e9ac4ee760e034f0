local cases = require("spec.support.op_cases")

cases("split", {
  { "equal parts", function(op, x) local y = op.split(x, 1, 3); return { y:output(1), y:output(2), y:output(3) } end,
    { { "f32", { 2, 6 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } } },
    { { "f32", { 2, 2 }, { 1, 2, 7, 8 } }, { "f32", { 2, 2 }, { 3, 4, 9, 10 } }, { "f32", { 2, 2 }, { 5, 6, 11, 12 } } } },
  { "parts of given lengths", function(op, x) local y = op.variadic_split(x, -1, { 1, -1, 0 }); return { y:output(1), y:output(2), y:output(3) } end,
    { { "u8", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } }, { { "u8", { 2, 1 }, { 1, 4 } }, { "u8", { 2, 2 }, { 2, 3, 5, 6 } }, { "u8", { 2, 0 }, {} } } },
  { "one of the parts", function(op, x) return op.split(x, 0, 2):output(2) end, { { "string", { 2 }, { "a", "b" } } },
    { { "string", { 1 }, { "b" } } } },
  { "images", function(op, x) local y = op.split(x, 1, 2); return { y:output(1), y:output(2) } end, { cases.random("f32", { 2, 34, 3, 5 }) } },
  { "no equal parts", function(op, x) return op.split(x, 0, 2) end, { { "f32", { 3 }, { 1, 2, 3 } } }, fails = "shape" },
  { "lengths that are too long", function(op, x) return op.variadic_split(x, 0, { 2, 2 }) end, { { "f32", { 3 }, { 1, 2, 3 } } }, fails = "shape" },
  { "two unknown lengths", function(op, x) return op.variadic_split(x, 0, { -1, -1 }) end, { { "f32", { 3 }, { 1, 2, 3 } } }, fails = "shape" },
  { "no parts", function(op, x) return op.split(x, 0, 0) end, { { "f32", { 3 }, { 1, 2, 3 } } }, fails = "argument" },
})
