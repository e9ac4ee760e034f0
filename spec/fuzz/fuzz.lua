-- make fuzz [RUNS=n] [SEED=n]: mutated models from reading to a run, under AddressSanitizer and UBSan. Each one is written to DIR/current-* before
-- it is tried, so that what kills the process is still there; the Makefile's loop keeps it as DIR/crash-SEED-* and goes on behind it. What is found
-- goes, as small as it can be, to spec/fuzz/cases, whose files a spec reads for ever.
--
--   luajit spec/fuzz/fuzz.lua DIR first last       tries the seeds first to last
local corpus = require("spec.fuzz.corpus")()
local mutate = require("spec.fuzz.mutate")
local support = require("spec.support.support")
local try = require("spec.fuzz.try")
local folder, first, last = arg[1], tonumber(arg[2]), tonumber(arg[3])

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

local outcomes, bad = {}, 0
for seed = first, last do
  local random = support.random(seed + 1)
  local base, other = corpus[random:integer(1, #corpus)], corpus[random:integer(1, #corpus)]
  local case = { model = base.model, weights = base.weights }
  if base.weights and random:integer(1, 8) == 1 then
    case.weights = mutate(random, base.weights, other.weights or other.model)
  else
    case.model = mutate(random, base.model, other.model)
  end
  write("current-seed", tostring(seed))
  write("current-model", case.model)
  write("current-weights", case.weights or "")
  local ok, what = try(case)
  if not ok then
    bad = bad + 1
    write(("wrong-%d-model"):format(seed), case.model)
    io.stderr:write(("seed %d (%s): no proper error: %s\n"):format(seed, base.name, what))
    what = "wrong"
  end
  outcomes[what] = (outcomes[what] or 0) + 1
  if seed % 64 == 0 then collectgarbage() end
end
local names = {}
for what, n in pairs(outcomes) do names[#names + 1] = ("%s %d"):format(what, n) end
table.sort(names)
print(("fuzz: seeds %d to %d: %s"):format(first, last, table.concat(names, ", ")))
os.exit(bad == 0 and 0 or 3, true)
