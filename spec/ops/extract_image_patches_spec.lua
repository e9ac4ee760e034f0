local cases = require("spec.support.op_cases")

cases("extract_image_patches", {
  { "valid", function(op, a) return op.extract_image_patches(a, { 2, 2 }, { 2, 1 }, { 1, 1 }, "valid") end, { { "f32", { 1, 1, 3, 3 }, { -1.4,
    0.5, -1.2, -0.7, -0.8, 1.3, 0.3, -0.7, 0.1 } } }, { { "f32", { 1, 4, 1, 2 }, { -1.4, 0.5, 0.5, -1.2, -0.7, -0.8, -0.8, 1.3 } } } },
  { "same_upper", function(op, a) return op.extract_image_patches(a, { 2, 2 }, { 2, 1 }, { 1, 1 }, "same_upper") end, { { "f32", { 1, 1, 3, 3 },
    { -0.2, 0.2, -1, -0.5, -0.2, -1.7, -1.9, 0.4, -1.2 } } }, { { "f32", { 1, 4, 2, 3 }, { -0.2, 0.2, -1, -1.9, 0.4, -1.2, 0.2, -1, 0, 0.4,
    -1.2, 0, -0.5, -0.2, -1.7, 0, 0, 0, -0.2, -1.7, 0, 0, 0, 0 } } } },
})
