--- ovlite: runs OpenVINO IR and ONNX models. local ov = require("ovlite")
--- The names follow OpenVINO's Python API; meta.lua documents every one of them for LuaLS.
local core = require("ovlite_core")
core.set_folder(debug.getinfo(1, "S").source:match("^(.*[/\\])") or "")
require("ovlite.ffi")

local ov = {
  version = core.version,
  Core = core.core,
  InferRequest = core.request,
  OVDict = require("ovlite.ovdict"),
  AsyncInferQueue = require("ovlite.queue"),
  image = require("ovlite.image"),
  poll = core.poll,
  pollfd = core.pollfd,
  error_code = core.error_code,
  machine_limits = core.machine_limits,
}

--- ov.Tensor(...) makes tensors; ov.Tensor.get and the other methods are there too.
ov.Tensor = setmetatable({ wrap = core.tensor_wrap, load = core.tensor_load }, {
  __call = function(_, ...) return core.tensor(...) end,
  __index = core.classes.Tensor.methods,
})

-- ---- one Core for those who need no more ----
local own
local function own_core()
  own = own or core.core()
  return own
end

function ov.read_model(...) return own_core():read_model(...) end
function ov.compile_model(...) return own_core():compile_model(...) end

--- options: {compress_to_fp16 = boolean}, or the boolean itself; true when not given.
function ov.save_model(model, path, options)
  local compress = options
  if type(options) == "table" then
    for key in pairs(options) do
      if key ~= "compress_to_fp16" then core.fail("argument", "unknown option '" .. tostring(key) .. "'; there is compress_to_fp16") end
    end
    compress = options.compress_to_fp16
  end
  return core.save_model(model, path, compress)
end

require("ovlite.await")
local builder = require("ovlite.builder")
ov.Model = builder.model
builder.install_arithmetic()

-- Parts that are loaded when they are asked for: opset1 to opset15, pipeline, preprocess, Layout.
return setmetatable(ov, {
  __index = function(t, name)
    local opset, part = type(name) == "string" and tonumber(name:match("^opset(%d+)$")), nil
    if opset and opset >= 1 and opset <= 15 then
      part = builder.opset(opset)
    elseif name == "pipeline" then
      part = require("ovlite.pipeline")
    elseif name == "preprocess" then
      part = require("ovlite.preprocess")
    elseif name == "Layout" then
      part = require("ovlite.layout").of
    end
    rawset(t, name, part)
    return part
  end,
})
