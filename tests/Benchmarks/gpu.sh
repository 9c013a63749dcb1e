#!/usr/bin/env bash
# Benchmarks and conformance on a machine that has an NVIDIA GPU and its driver, and perhaps no .NET.
#   tests/Benchmarks/gpu.sh pack [FOLDER]   here: puts all that is needed into one folder (artifacts/pack)
#   FOLDER/gpu.sh run [WHAT]                there: conformance, bench and peers, or one of them
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

publish() {
    dotnet publish "$1" -c Release -r linux-x64 --self-contained -p:PublishSingleFile=true -p:EnableCompressionInSingleFile=true \
        -p:DebugType=none -p:PublishDocumentationFiles=false -p:PublishReferencesDocumentationFiles=false --nologo -v quiet -tl:off -o "$2" </dev/null
}

case ${1:-} in
pack)
    cd "$here/../.." && folder=${2:-artifacts/pack} && mkdir -p "$folder"
    publish src/ModelDsl.Cli "$folder" && publish tests/ModelDsl.Conformance "$folder" || exit 1
    cp "$here/gpu.sh" "$here/peers.py" "$folder/"
    du -h "$folder"/*
    ;;
run)
    what=${2:-all} failed=0
    nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,clocks.sm,power.limit --format=csv,noheader
    if [[ $what == all || $what == conformance ]]; then
        echo "== conformance: rows that are not exact on both"
        "$here/conformance" --device both | grep -v ' exact | exact | 0 cells differ$' || failed=1
    fi
    if [[ $what == all || $what == bench ]]; then
        echo "== bench"
        "$here/dsmc" bench || failed=1
    fi
    if [[ $what == all || $what == peers ]]; then
        echo "== peers"
        if python3 -c 'import torch' 2>/dev/null; then python3 "$here/peers.py"; else echo "no PyTorch here"; fi
    fi
    nvidia-smi --query-gpu=clocks.sm,temperature.gpu,power.draw --format=csv,noheader
    exit $failed
    ;;
*)
    sed -n '2,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
