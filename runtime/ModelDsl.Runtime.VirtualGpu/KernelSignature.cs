using System.Text;
using ModelDsl.Runtime.VirtualGpu.Parsing;

namespace ModelDsl.Runtime.VirtualGpu;

/// <summary>One parameter of a kernel as PTX text declares it.</summary>
/// <param name="Type">Without its dot: <c>u64</c>, <c>f32</c>, <c>b8</c> for the bytes of a structure.</param>
/// <param name="Bytes">Its size; for an array of all elements together.</param>
public sealed record KernelParameter(string Name, string Type, long Bytes, int Alignment)
{
    /// <summary>As in the text: <c>.u64 name</c>, <c>.align 8 .b8 name[16]</c>.</summary>
    public override string ToString() => Type == "b8" && Bytes != 1 ? $".align {Alignment} .b8 {Name}[{Bytes}]" : $".{Type} {Name}";
}

/// <summary>What PTX text says of a kernel: enough to call it.</summary>
public sealed record KernelSignature(string Name, IReadOnlyList<KernelParameter> Parameters)
{
    /// <summary>The kernels of a text, in its order.</summary>
    /// <exception cref="Devices.DeviceException">The text is not PTX; the message has line, column and the line itself.</exception>
    public static IReadOnlyList<KernelSignature> Read(ReadOnlySpan<byte> ptx) =>
    [
        .. PtxParser.Parse(Encoding.UTF8.GetString(ptx).TrimEnd('\0')).Functions.Where(function => function.IsEntry)
            .Select(function => new KernelSignature(function.Name, [.. function.Parameters.Select(Describe)])),
    ];

    /// <summary><c>name(.u64 a, .u32 n)</c></summary>
    public override string ToString() => $"{Name}({string.Join(", ", Parameters)})";

    private static KernelParameter Describe(PtxVariable parameter) =>
        new(parameter.Name, parameter.Type.ToString().ToLowerInvariant(), parameter.Bytes, parameter.Alignment);
}
