local cases = require("spec.support.op_cases")

cases("terminals", {
  { "an input straight to an output", function(_, x) return x end, { { "f32", { 2, 2 }, { 1, 2, 3, 4 } } }, { { "f32", { 2, 2 }, { 1, 2, 3, 4 } } } },
  { "a constant", function(op, x) return { op.add(x, op.constant({ 1, 2 })), op.constant({ { 5, 6 } }) } end, { { "f32", { 2 }, { 1, 1 } } },
    { { "f32", { 2 }, { 2, 3 } }, { "f32", { 1, 2 }, { 5, 6 } } } },
  { "constants of all kinds", function(op) return { op.constant({ 1, -2 }, "i8"), op.constant(true, "boolean"), op.constant({ "a", "" }, "string"),
      op.constant(2.5, "f16") } end,
    {}, { { "i8", { 2 }, { 1, -2 } }, { "boolean", {}, { true } }, { "string", { 2 }, { "a", "" } }, { "f16", {}, { 2.5 } } } },
  { "strings", function(_, x) return x end, { { "string", { 2 }, { "a", "b" } } }, { { "string", { 2 }, { "a", "b" } } } },
})
