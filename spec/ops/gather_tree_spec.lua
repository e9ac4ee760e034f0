local cases = require("spec.support.op_cases")

cases("gather_tree", {
  { "beams from their ends", function(op, ids, parents, lengths, last) return op.gather_tree(ids, parents, lengths, last) end,
    { { "i32", { 3, 1, 3 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9 } }, { "i32", { 3, 1, 3 }, { 0, 0, 0, 0, 1, 1, 2, 1, 2 } }, { "i32", { 1 }, { 3 } },
      { "i32", {}, { 10 } } },
    { { "i32", { 3, 1, 3 }, { 2, 2, 2, 6, 5, 6, 7, 8, 9 } } } },
  { "shorter than there are steps", function(op, ids, parents, lengths, last) return op.gather_tree(ids, parents, lengths, last) end,
    { { "i32", { 3, 1, 3 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9 } }, { "i32", { 3, 1, 3 }, { 0, 0, 0, 0, 1, 1, 2, 1, 2 } }, { "i32", { 1 }, { 2 } },
      { "i32", {}, { 4 } } },
    { { "i32", { 3, 1, 3 }, { 1, 2, 2, 4, 5, 6, 4, 4, 4 } } } },
  { "a parent that is not there", function(op, ids, parents, lengths, last) return op.gather_tree(ids, parents, lengths, last) end,
    { { "i32", { 3, 1, 3 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9 } }, { "i32", { 3, 1, 3 }, { 5, 5, 5, 5, 6, 6, 7, 6, 7 } }, { "i32", { 1 }, { 3 } },
      { "i32", {}, { 10 } } },
    fails = "argument" },
  { "types that differ", function(op, ids, parents, lengths, last) return op.gather_tree(ids, parents, lengths, last) end,
    { { "i32", { 3, 1, 3 }, { 1, 2, 3, 4, 5, 6, 7, 8, 9 } }, { "i64", { 3, 1, 3 }, { 0, 0, 0, 0, 1, 1, 2, 1, 2 } }, { "i32", { 1 }, { 3 } },
      { "i32", {}, { 10 } } },
    fails = "type" },
})
