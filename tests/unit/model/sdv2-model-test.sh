#!/usr/bin/env bash
# Runs the sdv2-model tool on folders that cannot work: one clear error each, exit code 1, and nothing executed.
#
#   sdv2-model-test.sh TOOL CHECKPOINT_FILES
set -uo pipefail
tool=$1
files=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect CODE TEXT COMMAND...: the exit code, and a piece of what is said.
expect() {
  local code=$1 text=$2 output status
  shift 2
  output=$("$@" 2>&1)
  status=$?
  if [ "$status" -ne "$code" ] || ! grep -qF -- "$text" <<<"$output"; then
    printf 'FAILED: %s\n  exit code %d, wanted %d; wanted the text: %s\n%s\n' "$*" "$status" "$code" "$text" "$output"
    failures=$((failures + 1))
  else
    printf 'ok: %s\n' "$*"
  fi
}

expect 0 "usage: sdv2-model" "$tool" --help
expect 2 "which command" "$tool"
expect 2 "no command 'chek'" "$tool" chek
expect 2 "check needs one model folder" "$tool" check
expect 2 "--dtype takes" "$tool" import --dtype int8 a b
expect 1 "no such folder" "$tool" check "$work/none"

mkdir "$work/empty"
expect 1 "jerryfeng/StreamDiffusionV2" "$tool" check "$work/empty"

# A base folder without anything in its files, so that the transformer is what is looked at first.
base() {
  mkdir -p "$1/google/umt5-xxl"
  touch "$1/Wan2.1_VAE.pth" "$1/models_t5_umt5-xxl-enc-bf16.pth" "$1/google/umt5-xxl/tokenizer.json"
}

truncated=$work/truncated
base "$truncated"
cp "$files"/shard-0000?-of-00003.safetensors "$truncated"
cp "$files/shard.safetensors.index.json" "$truncated/diffusion_pytorch_model.safetensors.index.json"
truncate -s -1 "$truncated/shard-00002-of-00003.safetensors"
expect 1 "shard-00002-of-00003.safetensors" "$tool" check "$truncated"

hostile=$work/hostile
base "$hostile"
cp "$files/pth_os_system.pth" "$hostile/model.pt"
expect 1 "model.pt" "$tool" check "$hostile"
expect 1 "model.pt" "$tool" import "$hostile" "$work/out"
[ ! -e "$work/out" ] || { echo "FAILED: an import that failed left $work/out" && failures=$((failures + 1)); }

rm "$hostile/models_t5_umt5-xxl-enc-bf16.pth"
expect 1 "models_t5_umt5-xxl-enc-bf16.pth" "$tool" check "$hostile"
expect 1 "nothing in a checkpoint is executed" "$tool" check "$hostile"
expect 1 "model.pt" "$tool" inspect "$hostile"

expect 0 "tensors" "$tool" inspect "$files/plain.safetensors"
expect 0 "$(sha256sum "$files/plain.safetensors" | cut -d' ' -f1)" "$tool" inspect --sha256 "$files/plain.safetensors"
expect 0 "30 layers" "$tool" check random:1.3b

# Every network of a model once. The decoder ends with pictures, or the tool with an error.
expect 0 "peak host memory" "$tool" run random:tiny --device cpu --dtype bf16 --size 48x64
expect 0 "taehv decoder" "$tool" run random:tiny,autoencoder=taehv --device cpu --size 32x32
expect 1 "stream.height is 50" "$tool" run random:tiny --device cpu --size 50x64
expect 1 "no such device" "$tool" run random:tiny --device cuda:99
expect 2 "--device takes" "$tool" run random:tiny --device tpu
expect 2 "--size takes" "$tool" run random:tiny --size 64
expect 2 "value is missing" "$tool" run random:tiny --dtype
exit $((failures > 0))
