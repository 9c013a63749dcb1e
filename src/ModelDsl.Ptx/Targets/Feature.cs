namespace ModelDsl.Ptx.Targets;

/// <summary>What some targets have and others lack.</summary>
public enum Feature
{
    /// <summary><c>cp.async</c>: global to shared without registers.</summary>
    AsyncCopy,

    /// <summary><c>mma.sync</c> with BF16 and TF32 operands.</summary>
    Bf16Mma,

    /// <summary><c>redux.sync</c> on integers.</summary>
    WarpReduce,

    /// <summary><c>cvt</c> to and from E4M3 and E5M2.</summary>
    Fp8Convert,

    /// <summary><c>mma.sync.m16n8k32</c> with E4M3 and E5M2 operands.</summary>
    Fp8Mma,

    /// <summary><c>add</c>, <c>mul</c> and <c>cvt</c> on single BF16 values beyond <c>fma</c>.</summary>
    Bf16Arithmetic,

    /// <summary>Thread block clusters, <c>mapa</c>, distributed shared memory.</summary>
    Cluster,

    /// <summary><c>cp.async.bulk</c> and tensor maps.</summary>
    BulkCopy,

    /// <summary><c>wgmma</c> and <c>setmaxnreg</c>: Hopper only, not carried forward.</summary>
    Wgmma,

    /// <summary><c>tcgen05</c> and tensor memory: Blackwell data centre only.</summary>
    TensorMemory,
}
