-- Cases of newer_spec.lua that ovlite does not pass, by pattern of the name, each with the reason. A listed one that passes, or an unlisted one that does
-- not, fails the spec; one by chance may do either.
local random = "the expected values come from numpy's own random numbers"
local bf16 = "expected values are rounded to bf16 after every step in numpy's order, and the bound is finer than bf16; neither peer passes"
local MISSES = {
  { "^test_bernoulli", random, "by chance" },
  { "^test_training_dropout", random, "by chance" },
  { "^test_attention_.*_bf16", bf16, "by chance" },
  { "^test_attention_4d_causal_fp16_expanded$", "one value is off by one step of f16, which is more than the bound", "by chance" },
  { "^test_image_decoder_", "decoding pictures is not what ovlite is for; neither peer does it" },
  { "^test_resize_downsample_scales_%a+_align_corners$", "neither OpenVINO nor ONNX Runtime gives these values either" },
}

-- The reason, or nil for a case that must pass; and whether it may pass by chance.
return function(name)
  for _, miss in ipairs(MISSES) do
    if name:find(miss[1]) and not name:find("zero_ratio") then return miss[2], miss[3] end
  end
end
