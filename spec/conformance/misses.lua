-- Models of the suite that ovlite does not pass, by pattern of the name, each with the reason. A listed one that passes, or an unlisted one that does not,
-- fails the spec. No miss is a crash: each is an error with a code, or a value that differs.
local random = "the expected values come from numpy's own random numbers"
local MISSES = {
  { "^test_bernoulli", random }, { "^test_training_dropout_", random }, { "^test_training_dropout$", random },
  { "^test_castlike_.*BFLOAT16", "the data of the second input has a wrong shape" },
  { "^test_cast_FLOAT_to_BFLOAT16$", "the expected values are cut off where ovlite rounds to nearest even" },
  { "^test_gradient_of", "training is not what ovlite is for" },
  { "^test_adam_multiple$", "training is not what ovlite is for" },
  { "^test_resize_downsample_scales_%a+_align_corners$", "neither OpenVINO nor ONNX Runtime gives these values either" },
}

-- The reason, or nil for a model that must pass; and whether it may pass by chance.
return function(name)
  for _, miss in ipairs(MISSES) do
    if name:find(miss[1]) and not (miss[1] == "^test_training_dropout_" and name:find("zero_ratio")) then return miss[2], miss[2] == random end
  end
end
