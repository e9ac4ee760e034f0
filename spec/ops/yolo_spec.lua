local cases = require("spec.support.op_cases")

cases("yolo", {
  { "classes by softmax", function(op, a) return op.region_yolo(a, { coords = 2, classes = 2, num = 1, do_softmax = true, mask = {}, axis = 1,
    end_axis = 3, anchors = { 1, 2 } }) end, { { "f32", { 1, 5, 1, 2 }, { 0.8, -0.6, 0.2, 1.7, 0, -0.3, 0.6, -0.1, -1.6, -0.5 } } }, { { "f32",
    { 1, 10 }, { 0.6899745, 0.3543437, 0.549834, 0.8455347, 0.5, 0.4255575, 0.9002495, 0.5986876, 0.09975048, 0.4013123 } } } },
  { "classes by themselves", function(op, a) return op.region_yolo(a, { coords = 2, classes = 2, num = 3, do_softmax = false, mask = { 0 },
    axis = 1, end_axis = 3 }) end, { { "f32", { 1, 5, 1, 2 }, { -1.5, 1.7, 1, -0.2, -1.7, -1.5, -1, 0.1, -1.6, -0.5 } } }, { { "f32", { 1, 5, 1,
    2 }, { 0.1824255, 0.8455347, 0.7310586, 0.450166, 0.1544653, 0.1824255, 0.2689414, 0.5249792, 0.1679816, 0.3775406 } } } },
  { "reorg", function(op, a) return op.reorg_yolo(a, { 2 }) end, { { "f32", { 1, 8, 2, 2 }, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 } } }, { { "f32", { 1, 32, 1, 1 }, { 0, 2, 8, 10, 16, 18, 24, 26, 1, 3,
    9, 11, 17, 19, 25, 27, 4, 6, 12, 14, 20, 22, 28, 30, 5, 7, 13, 15, 21, 23, 29, 31 } } } },
  { "a size that is no multiple", function(op, a) return op.reorg_yolo(a, { 2 }) end, { cases.random("f32", { 1, 4, 3, 4 }) }, fails = "shape" },
})
