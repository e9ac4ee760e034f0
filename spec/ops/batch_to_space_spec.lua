local cases = require("spec.support.op_cases")

cases("batch_to_space", {
  { "batches become pixels", function(op, x) return op.batch_to_space(x, { 1, 2 }, { 0, 1 }, { 0, 2 }) end,
    { { "f32", { 4, 3 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } } }, { { "f32", { 2, 3 }, { 6, 1, 7, 9, 4, 10 } } } },
  { "pixels become batches", function(op, x) return op.space_to_batch(x, { 1, 2 }, { 0, 1 }, { 0, 0 }) end,
    { { "f32", { 4, 3 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } } },
    { { "f32", { 8, 2 }, { 0, 1, 0, 4, 0, 7, 0, 10, 0, 2, 3, 5, 6, 8, 9, 11 } } } },
  { "there and back", function(op, x) return op.batch_to_space(op.space_to_batch(x, { 1, 2, 3, 1 }, { 0, 1, 0, 2 }, { 0, 0, 1, 0 }), { 1, 2, 3, 1 },
      { 0, 1, 0, 2 }, { 0, 0, 1, 0 }) end,
    { { "f32", { 1, 3, 5, 2 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29 } } },
    { { "f32", { 1, 3, 5, 2 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29 } } } },
  { "batches that do not divide", function(op, x) return op.batch_to_space(x, { 1, 3 }, { 0, 0 }, { 0, 0 }) end,
    { { "f32", { 4, 3 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } } }, fails = "shape" },
  { "a crop below zero", function(op, x) return op.batch_to_space(x, { 1, 2 }, { 0, -1 }, { 0, 0 }) end,
    { { "f32", { 4, 3 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } } }, fails = "argument" },
})
