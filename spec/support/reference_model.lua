-- Runs one reference model in every way that the end-to-end spec wants, in this process (whose OVLITE_ISA is set by then), and reports a line each:
-- "<threads> <way> <output> <difference>". Errors are raised.
local support = require("spec.support.support")
local json = require("spec.support.json")

local function differences(report, label, outputs, wants)
  for i, want in ipairs(wants) do report[#report + 1] = ("%s %d %.3g"):format(label, i, support.difference(outputs(i), want)) end
end

-- 4 jobs at once, several rounds, so that requests are used again.
local function through_queue(ov, compiled, inputs, wants, report, label)
  local queue, left = ov.AsyncInferQueue(compiled, 4), 8
  queue:set_callback(function(request, number, err)
    assert(not err, err)
    left = left - 1
    if number % 3 == 1 then differences(report, label, function(i) return request:get_output_tensor(i) end, wants) end
  end)
  for number = 1, left do queue:start_async(inputs, number) end
  queue:wait_all()
  assert(left == 0, "callbacks are missing: " .. left)
end

return function(folder, file, most_threads)
  local ov = require("ovlite")
  local case, inputs, wants, report = json.read(folder .. "/case.json"), {}, {}, {}
  for _, input in ipairs(case.inputs) do inputs[input.name] = ov.Tensor.load(folder .. "/" .. input.file) end
  for i, output in ipairs(case.outputs) do wants[i] = ov.Tensor.load(folder .. "/" .. (file == "model.xml" and output.ir_file or output.file)) end
  local core = ov.Core()
  for threads = 1, tonumber(most_threads) do
    local compiled = core:compile_model(core:read_model(folder .. "/" .. file), "CPU",
      { INFERENCE_PRECISION_HINT = "f32", INFERENCE_NUM_THREADS = threads })
    local request = compiled:create_infer_request()
    for _ = 1, 2 do
      local results = request:infer(inputs)
      differences(report, threads .. " infer", function(i) return results[i] end, wants)
      for i, output in ipairs(case.outputs) do assert(results[output.name] == results[i], "output " .. output.name .. " is not at position " .. i) end
    end
    through_queue(ov, compiled, inputs, wants, report, threads .. " queue")
  end
  return table.concat(report, "\n")
end
