local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op15 = ov.opset15

cases("string_tensor", {
  { "pack", function(_, b, e, c) return op15.string_tensor_pack(b, e, c) end,
    { { "i32", { 3 }, { 0, 5, 5 } }, { "i32", { 3 }, { 5, 5, 8 } }, { "u8", { 8 }, { 72, 101, 108, 108, 111, 76, 117, 97 } } },
    { { "string", { 3 }, { "Hello", "", "Lua" } } } },
  { "unpack", function(_, x) local y = op15.string_tensor_unpack(x); return { y:output(1), y:output(2), y:output(3) } end,
    { { "string", { 3 }, { "ab", "", "c" } } }, { { "i32", { 3 }, { 0, 2, 2 } }, { "i32", { 3 }, { 2, 2, 3 } }, { "u8", { 3 }, { 97, 98, 99 } } } },
  { "pack beyond the bytes", function(_, b, e, c) return op15.string_tensor_pack(b, e, c) end,
    { { "i32", { 1 }, { 0 } }, { "i32", { 1 }, { 9 } }, { "u8", { 5 }, { 72, 101, 108, 108, 111 } } }, fails = "argument" },
  { "unpack needs strings", function(_, x) return op15.string_tensor_unpack(x) end, { { "f32", { 1 }, { 1 } } }, fails = "type" },
})
