local cases = require("spec.support.pass_cases")
local r = cases.random
local function sum(equation) return function(op, a, b) return op.einsum({ a, b }, equation) end end

cases("expand_einsums", {
  { "heads of queries and keys", sum("bhid,bhjd->bhij"), { r("f32", { 2, 3, 4, 5 }), r("f32", { 2, 3, 6, 5 }) }, "MatMul" },
  { "heads behind the sequence", sum("bqhd,bkhd->bhqk"), { r("f32", { 2, 4, 3, 5 }), r("f32", { 2, 6, 3, 5 }) }, "MatMul" },
  { "results behind the heads", sum("bhij,bjhd->bihd"), { r("f32", { 2, 3, 4, 6 }), r("f32", { 2, 6, 3, 5 }) }, "MatMul" },
  { "several labels of a kind", sum("abcd,cdef->abef"), { r("f32", { 2, 3, 4, 5 }), r("f32", { 4, 5, 2, 3 }) }, "MatMul" },
  { "in another order", sum("acbd,dfce->febac"), { r("f32", { 2, 4, 3, 5 }), r("f32", { 5, 3, 4, 2 }) }, "MatMul" },
  { "an ellipsis", sum("...ij,...jk->...ik"), { r("f32", { 2, 3, 4, 5 }), r("f32", { 2, 3, 5, 6 }) }, "MatMul" },
  { "an implicit output", sum("ij,jk"), { r("f32", { 4, 5 }), r("f32", { 5, 6 }) }, "MatMul" },
  { "an outer product", sum("i,j->ij"), { r("f32", { 4 }), r("f32", { 5 }) }, "MatMul" },
  { "a vector", sum("bij,bj->bi"), { r("f32", { 2, 4, 5 }), r("f32", { 2, 5 }) }, "MatMul" },
  { "all is summed", sum("ij,ij->"), { r("f32", { 4, 5 }), r("f32", { 4, 5 }) }, "MatMul" },
  { "nothing is summed", sum("ij,ij->ij"), { r("f32", { 4, 5 }), r("f32", { 4, 5 }) }, "MatMul" },
  { "a sum within one operand stays", sum("ijk,jl->il"), { r("f32", { 4, 5, 2 }), r("f32", { 5, 3 }) }, "Einsum" },
  { "a diagonal stays", sum("ii,ij->ij"), { r("f32", { 4, 4 }), r("f32", { 4, 3 }) }, "Einsum" },
  { "a broadcast label stays", sum("ij,jk->ik"), { r("f32", { 4, 1 }), r("f32", { 5, 3 }) }, "Einsum" },
  { "a weight", function(op, a)
    return op.einsum({ a, op.constant(require("spec.support.support").random(1):tensor("f32", { 3, 4, 8 })) }, "bthd,hde->bte")
  end, { r("f32", { 2, 5, 3, 4 }) }, "MatMul" },
})
