-- The models that preprocess.py times, as IR: luajit spec/bench/preprocess.lua FOLDER. A net that is nothing but its input, behind a PrePostProcessor.
local ov = require("ovlite")
local op = ov.opset13
local HEIGHT, WIDTH, SIZE = 1080, 1920, 640
local MEAN, SCALE = { 123.675, 116.28, 103.53 }, { 58.395, 57.12, 57.375 }

local function build(name, steps)
  local x = op.parameter({ 1, 3, SIZE, SIZE }, "f32", "x")
  local ppp = ov.preprocess.PrePostProcessor(ov.Model({ op.result(x) }, { x }, name))
  local tensor = ppp:input():tensor():set_element_type("u8"):set_layout("NHWC"):set_spatial_static_shape(HEIGHT, WIDTH)
  steps(ppp:input():preprocess(), tensor)
  ppp:input():model():set_layout("NCHW")
  ov.save_model(ppp:build(), ("%s/%s.xml"):format(arg[1], name), { compress_to_fp16 = false })
end

build("linear", function(s) s:convert_element_type("f32"):resize("linear"):mean(MEAN):scale(SCALE) end)
build("linear_u8", function(s) s:resize("linear"):convert_element_type("f32"):mean(MEAN):scale(SCALE) end)
build("bgr", function(s, t)
  t:set_color_format("BGR")
  s:convert_element_type("f32"):convert_color("RGB"):resize("linear"):mean(MEAN):scale(SCALE)
end)
build("nearest", function(s) s:convert_element_type("f32"):resize("nearest"):scale(255) end)
build("cubic", function(s) s:convert_element_type("f32"):resize("cubic"):scale(255) end)
build("bilinear_pillow", function(s) s:convert_element_type("f32"):resize("bilinear_pillow"):scale(255) end)
build("nv12", function(s, t)
  t:set_color_format("NV12_TWO_PLANES")
  s:convert_color("RGB"):convert_element_type("f32"):resize("linear"):mean(MEAN):scale(SCALE)
end)
