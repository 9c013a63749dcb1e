using ModelDsl.Conformance.Reference;
using ModelDsl.Runtime.Devices;

namespace ModelDsl.Conformance;

/// <summary>One instruction form, the micro-kernel that runs it, and what it must give.</summary>
/// <param name="Form">As <see cref="Forms"/> writes it: opcode, modifiers, and what matters of the operands.</param>
/// <param name="Ptx">A module with one entry, <c>k</c>: the inputs' addresses, then the output's, then scalars and tensor maps.</param>
/// <param name="Case">Makes data and expectations when they are needed.</param>
public sealed record Row(string Form, string Ptx, Dim3 Grid, Dim3 Block, Func<Case> Case)
{
    /// <summary>What the row shows of the form, where there are several rows: <c>ties</c>, <c>every code</c>.</summary>
    public string Detail { get; init; } = "";

    /// <summary>Dynamic shared memory.</summary>
    public int SharedBytes { get; init; }

    /// <summary>The oldest target that has the form: 80, 89, 90.</summary>
    public int Capability { get; init; } = 80;

    /// <summary>Instructions that no later target has: <c>sm_90a</c>.</summary>
    public bool IsForHopperAlone { get; init; }

    /// <summary>Form and detail: unique in the table.</summary>
    public string Name => Detail.Length == 0 ? Form : $"{Form}  ({Detail})";

    public override string ToString() => Name;
}

/// <summary>Data of a launch.</summary>
/// <param name="Inputs">One buffer each.</param>
/// <param name="Expected">One for each cell of the output.</param>
/// <param name="Width">Bytes of a cell.</param>
public sealed record Case(byte[][] Inputs, Expected[] Expected, int Width)
{
    /// <summary>What the output holds before the launch; null: bytes of 0xA5.</summary>
    public byte[]? Output { get; init; }

    public KernelArgument[] Scalars { get; init; } = [];

    /// <summary>Tensor maps behind the scalars: of which buffer (the output comes after the inputs), and what map of its address.</summary>
    public (int Buffer, Func<ulong, TensorMap> Of)[] Maps { get; init; } = [];

    /// <summary>How to read a cell that is held against a bound or NaN.</summary>
    public FloatFormat? Format { get; init; }

    /// <summary>What went into a cell, for messages.</summary>
    public Func<int, string>? Describe { get; init; }

    /// <summary>Says what the bound is, where there is one: <c>2 ulp</c>.</summary>
    public string Bound { get; init; } = "";
}
