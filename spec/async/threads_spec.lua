-- Workers that were asleep: results stay right, and no thread keeps a narrower choice of CPUs than the process has.
local ov = require("ovlite")
local ffi = require("ffi")
local support = require("spec.support.support")
pcall(ffi.cdef, "int poll(void *, unsigned long, int);")

-- How many different choices of CPUs this process's threads have, and how many threads there are.
local function masks()
  local seen, kinds, n, pipe = {}, 0, 0, io.popen("grep -h Cpus_allowed_list /proc/" .. tostring(io.open("/proc/self/stat"):read("*n")) .. "/task/*/status")
  for line in pipe:lines() do
    n = n + 1
    if not seen[line] then kinds = kinds + 1 end
    seen[line] = true
  end
  pipe:close()
  return kinds, n
end

describe("a pool whose workers fall asleep between runs", function()
  it("gives the same results and leaves every thread its CPUs", function()
    local x, w = support.random(1):tensor("f32", { 200, 300 }, -1, 1), support.random(2):tensor("f32", { 300, 260 }, -1, 1)
    local function build(o, p) return o.relu(o.matmul(p, o.constant(w), false, false)) end
    local want = support.reference(build, { x })[1]
    local request = ov.compile_model(support.model(build, { x }), "CPU", { INFERENCE_NUM_THREADS = 3 }):create_infer_request()
    for _ = 1, 20 do
      ffi.C.poll(nil, 0, 3) -- longer than workers spin
      support.close(request:infer({ x })[1], want, 1e-5)
    end
    local kinds, threads
    for _ = 1, 50 do -- a worker that woke late may be on the move
      ffi.C.poll(nil, 0, 20)
      kinds, threads = masks()
      if kinds == 1 then break end
    end
    assert.is_true(threads >= 3)
    assert.are.equal(1, kinds)
  end)
end)
