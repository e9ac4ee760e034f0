--- ovlite convert A.onnx B.xml: any model that can be read, as OpenVINO IR.
local ov = require("ovlite")
local fail = require("ovlite.cli.fail")
local model = require("ovlite.cli.model")
local terminal = require("ovlite.cli.terminal")
local convert = { name = "convert", summary = "write a model as OpenVINO IR (.xml and .bin)" }

function convert.define(command)
  model.define(command)
  command:argument("output", "ends in .xml; the .bin goes beside it"):argname("OUTPUT")
  command:flag("--compress_to_fp16", "store f32 weights as f16: half the size, some accuracy")
end

function convert.run(options)
  local out = options.output
  if not out:find("%.xml$") then fail.usage("the output must end in .xml, got '%s'", out) end
  if out == options.model then fail.usage("the output would overwrite the model") end
  local m = model.read(options)
  terminal.status("writing")
  ov.save_model(m, out, { compress_to_fp16 = options.compress_to_fp16 or false })
  terminal.clear()
  local bin = out:gsub("%.xml$", ".bin")
  print(("%s: %d nodes -> %s (%s), %s (%s)"):format(options.model, #m:get_ops(), out, terminal.bytes(model.file_size(out)), bin,
    terminal.bytes(model.file_size(bin))))
end

return convert
